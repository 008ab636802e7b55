#pragma once
// The part of oneDNN that Graft uses, the same over oneDNN 2 and oneDNN 3: the one place that knows the version.
// Activations are NHWC, convolution kernels HWIO (input channels counted per group), matrices row-major.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// What a call came to: `function` names the oneDNN function that refused, and is NULL where all went well.
typedef struct {
    const char *function;
    int status;
} graft_dnn_result;

/// oneDNN's word for a status.
const char *graft_dnn_status_text(int status);

/// The version in use at run time, as 10,000 · major + 100 · minor + patch.
int graft_dnn_version(void);

typedef struct graft_dnn_engine graft_dnn_engine;
typedef struct graft_dnn_stream graft_dnn_stream;
/// One compiled operation. May be executed by many threads at once.
typedef struct graft_dnn_primitive graft_dnn_primitive;

graft_dnn_result graft_dnn_engine_create(graft_dnn_engine **engine);
void graft_dnn_engine_destroy(graft_dnn_engine *engine);
/// A stream is used by one thread at a time.
graft_dnn_result graft_dnn_stream_create(graft_dnn_engine *engine, graft_dnn_stream **stream);
void graft_dnn_stream_destroy(graft_dnn_stream *stream);

enum graft_dnn_type { graft_dnn_float32, graft_dnn_bfloat16 };

/// Whether the processor multiplies bfloat16 by instructions of its own (AVX512_BF16 or AMX), which oneDNN was not told to
/// leave alone; without them it would be slower than float32.
bool graft_dnn_has_bfloat16(void);

enum graft_dnn_activation {
    graft_dnn_no_activation,
    graft_dnn_relu,
    graft_dnn_relu6,
    graft_dnn_sigmoid,
    graft_dnn_tanh,
};

/// What is done to a result before it is written: `activation(result + bias + addend)`. The addend is what the target
/// holds before.
typedef struct {
    bool bias, addend;
    enum graft_dnn_activation activation;
} graft_dnn_epilogue;

enum graft_dnn_direction { graft_dnn_forward, graft_dnn_input_gradient, graft_dnn_kernel_gradient };

/// Which of its implementations of a convolution oneDNN takes, of those that are allowed: its first one, or the first that is
/// not made of batched matrix products, and so leaves out what would be multiplied with padding. Where there is none on the
/// same instruction set (AMX or not), it is the first one.
enum graft_dnn_choice { graft_dnn_first_choice, graft_dnn_direct_choice };

/// Whether Graft runs convolutions, or these gradients of them, by oneDNN's implementation of this name. Those on AMX only
/// where they were found to write nothing but their output; `implementations.c` has the list and the reason.
bool graft_dnn_allows(const char *implementation, enum graft_dnn_direction direction);
/// Whether an implementation multiplies by AMX.
bool graft_dnn_uses_amx(const char *implementation);
/// Whether an implementation is taken in place of another that comes before it in oneDNN's order; `taken` is NULL where none
/// was taken so far.
bool graft_dnn_prefers(const char *implementation, const char *taken, enum graft_dnn_direction direction,
                       enum graft_dnn_choice choice);

typedef struct {
    /// Looked at by the forward convolution alone.
    enum graft_dnn_choice choice;
    /// Of what the convolution and its gradients read and write. Sums are in 32 bits whatever they are.
    enum graft_dnn_type input_type, kernel_type, output_type;
    /// Of the kernel in HWIO, before it is packed.
    enum graft_dnn_type plain_kernel_type;
    int64_t batch, groups;
    int64_t input_height, input_width, input_channels;
    int64_t output_height, output_width, output_channels;
    int64_t kernel_height, kernel_width, stride_height, stride_width;
    /// The distance between the kernel's elements, 1 for a plain convolution.
    int64_t dilation_height, dilation_width;
    int64_t padding_top, padding_bottom, padding_left, padding_right;
    /// Elements from pixel to pixel; more than the channels where the array is a slice of a wider one.
    int64_t input_pixel_stride, output_pixel_stride;
    /// The same for the plain kernel, from one input channel to the next; 0 for a dense one.
    int64_t kernel_pixel_stride;
} graft_dnn_convolution;

typedef struct {
    enum graft_dnn_type type;
    /// How many products of matrices that lie one after the other; without an epilogue where there are several.
    int64_t batch;
    int64_t rows, inner, columns;
    /// Whether memory holds the operand as [inner, rows], and the other as [columns, inner].
    bool transpose_left, transpose_right;
} graft_dnn_matrix_product;

/// Arguments on execution: source = input, weights = kernel, bias, target = output.
graft_dnn_result graft_dnn_convolution_create(graft_dnn_engine *engine, const graft_dnn_convolution *convolution,
                                              const graft_dnn_epilogue *epilogue, graft_dnn_primitive **primitive);
/// source = output gradient, weights = kernel, target = input gradient.
graft_dnn_result graft_dnn_convolution_input_gradient_create(graft_dnn_engine *engine,
                                                             const graft_dnn_convolution *convolution,
                                                             graft_dnn_primitive **primitive);
/// source = input, weights = output gradient, target = kernel gradient.
graft_dnn_result graft_dnn_convolution_kernel_gradient_create(graft_dnn_engine *engine,
                                                              const graft_dnn_convolution *convolution,
                                                              graft_dnn_primitive **primitive);
/// Any of these by oneDNN's implementation of a rank, its first one being 0, whether Graft runs it or not: for the check of
/// all of them. Answers `unimplemented` where there are not so many. `epilogue` is NULL for gradients.
graft_dnn_result graft_dnn_convolution_of_rank_create(graft_dnn_engine *engine,
                                                      const graft_dnn_convolution *convolution,
                                                      const graft_dnn_epilogue *epilogue,
                                                      enum graft_dnn_direction direction, int rank,
                                                      graft_dnn_primitive **primitive);
/// source = left, weights = right, bias, target = result.
graft_dnn_result graft_dnn_matrix_product_create(graft_dnn_engine *engine, const graft_dnn_matrix_product *product,
                                                 const graft_dnn_epilogue *epilogue, graft_dnn_primitive **primitive);
void graft_dnn_primitive_destroy(graft_dnn_primitive *primitive);

/// Bytes of scratch memory that an execution needs.
size_t graft_dnn_scratch_size(const graft_dnn_primitive *primitive);
/// The name of oneDNN's implementation, for reports.
const char *graft_dnn_implementation(const graft_dnn_primitive *primitive);

/// Bytes of the kernel (or of the kernel gradient) in the layout that the primitive wants, or 0 where that is HWIO.
size_t graft_dnn_packed_size(const graft_dnn_primitive *primitive);
/// A primitive that brings the kernel from HWIO into that layout (source to target), or a kernel gradient back.
graft_dnn_result graft_dnn_packing_create(graft_dnn_engine *engine, const graft_dnn_primitive *primitive,
                                          graft_dnn_primitive **packing);

/// Runs a primitive; returns when it is done. Arguments that it does not have are NULL.
graft_dnn_result graft_dnn_execute(const graft_dnn_primitive *primitive, graft_dnn_engine *engine,
                                   graft_dnn_stream *stream, const void *source, const void *weights,
                                   const void *bias, void *target, void *scratch);
