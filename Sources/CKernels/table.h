#pragma once
// The kernels of one instruction set: each works on a range, and drivers.c shares the ranges out among threads.
#include <string.h>
#include "include/CKernels.h"

/// A value rounded to bfloat16, to nearest, ties to even: for kernels that are packed once; bfloat16.h rounds vectors.
static inline uint16_t graft_to_bfloat16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    // Rounding must not turn NaN into infinity.
    if (value != value) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/// The operands of a fused optimizer kernel, and where its results go.
typedef struct {
    const float *arrays[graft_optimizer_arrays];
    float scalars[graft_optimizer_scalars];
    float *results[graft_optimizer_results];
    graft_rounding roundings[graft_optimizer_results];
} graft_optimizer_call;

graft_optimizer_call graft_make_optimizer_call(const graft_program *program, const graft_arguments *arguments);

/// What an optimizer does where the gradient is zero.
typedef struct {
    /// Whether it leaves the weight alone: it changes nothing, or only decays one state array.
    bool keeps_weight;
    /// That array, and the scalar that it is multiplied by; −1 where there is none.
    int state, decay;
    /// A scalar that must be positive, so that nothing is divided by zero; −1 where nothing is divided.
    int epsilon;
} graft_zero_gradient;

graft_zero_gradient graft_on_zero_gradient(const graft_program *program);

/// The most examples whose non-zero elements are listed, a bit for each.
enum { graft_most_sparse_examples = graft_most_skinny_rows };

/// Columns of a product of bitmap-compressed rows that are summed at once.
enum { graft_bitmap_columns = 128 };

/// Rows of a gradient whose bitmap-compressed inputs are expanded at once.
enum { graft_expanded_rows = graft_bitmap_word };

/// How a gradient's zeros are treated.
typedef struct {
    /// Whether products with zeros may be skipped: all other factors are finite.
    bool skips_products;
    /// Whether rows without a gradient may be skipped, except for copying the kernel's where it is written elsewhere.
    bool skips_rows;
    /// Whether the kernel's next value is written to other memory, so that every row has to be.
    bool writes_elsewhere;
    /// NULL where no rows are lazy.
    const graft_lazy_rows *lazy;
} graft_sparsity;

/// A gradient with the optimizer that it is fused with.
typedef struct {
    const graft_optimizer_call *call;
    const graft_gradient *gradient;
    const graft_sparsity *sparsity;
    /// The output's gradient, packed by `pack_right`.
    const float *panels;
    /// NULL, or the next batch's product with the kernel's next value.
    const graft_skinny_nn *next;
} graft_update;

/// A fused optimizer kernel on one instruction set.
typedef struct {
    void (*range)(const graft_optimizer_call *call, int64_t begin, int64_t end);
    /// Rows begin ..< end of a gradient with a multiple of 32 columns; `left` is scratch for the examples' inputs of eight rows,
    /// or of two times `graft_expanded_rows` where they are bitmap-compressed. `sums` takes the partial sums of the next
    /// batch's product over the inner positions begin ..< end.
    void (*gradient)(const graft_update *update, float *sums, int64_t begin, int64_t end, float *left);
    /// Takes the deferred steps of the rows begin ..< end.
    void (*catch_up)(const graft_optimizer_call *call, int64_t columns, const graft_lazy_rows *lazy, int64_t begin,
                     int64_t end);
} graft_optimizer_kernels;

/// Neighbouring output pixels of an image's row for which one position of a kernel lies inside of the image, with the input
/// pixels there, numbered through the batch.
typedef struct {
    int64_t input, output, count;
} graft_pixel_run;

/// The runs of each position: from `first[position]` to before `first[position + 1]`.
typedef struct {
    int64_t positions;
    const graft_pixel_run **first;
} graft_pixel_runs;

/// Tiles begin ..< end of a Winograd convolution; `rows` and `columns` are those of an image's tiles.
typedef struct {
    int64_t begin, end, rows, columns;
} graft_winograd_block;

/// Output pixels for which the same part of a kernel lies inside of the image: rows and columns of every image, and of the
/// kernel.
typedef struct {
    int64_t row_begin, row_end, column_begin, column_end;
    int64_t kernel_row_begin, kernel_row_end, kernel_column_begin, kernel_column_end;
} graft_pixel_group;

/// Tiles begin ..< end of a group's pixels, image by image, and one panel of output channels.
typedef struct {
    graft_pixel_group group;
    int64_t begin, end, panel;
} graft_convolution_block;

/// The most pixels and vectors of output channels of a convolution's register tile.
enum { graft_convolution_most_pixels = 12, graft_convolution_most_vectors = 4 };

static inline int graft_convolution_pixels(int vectors) { return vectors == 2 ? 12 : vectors == 3 ? 8 : 6; }

/// The vectors of a panel: three, four or two, whichever leaves the fewest channels empty.
static inline int graft_convolution_vectors(int64_t output_channels) {
    int64_t count = (output_channels + 15) / 16;
    int64_t three = (count + 2) / 3 * 3, four = (count + 3) / 4 * 4, two = (count + 1) / 2 * 2;
    if (three <= four && three <= two) return 3;
    return four <= two ? 4 : 2;
}

typedef struct {
    const char *name;
    /// In the order of optimizers.h: those with float32 state, and those with bfloat16 state.
    const graft_optimizer_kernels *optimizers[2];
    void (*program)(const graft_program *program, const graft_arguments *arguments, int64_t begin, int64_t end,
                    void *scratch);
    /// The partial sums over the inner positions begin ..< end.
    void (*skinny_nn)(const graft_skinny_nn *product, int64_t begin, int64_t end, float *sums);
    /// Panels begin ..< end of 32 columns.
    void (*reduce_split_k)(const graft_skinny_nn *product, const float *sums, int64_t blocks, int64_t begin,
                           int64_t end);
    /// Columns begin ..< end of the result; the inner axis is summed in blocks of `block` positions, a multiple of 64. `sums`
    /// is scratch for two times `graft_bitmap_columns` elements of each row.
    void (*bitmap_nn)(const graft_skinny_nn *product, int64_t block, int64_t begin, int64_t end, float *sums);
    /// Columns begin ..< end of the result.
    void (*skinny_nt)(const graft_skinny_nt *product, int64_t begin, int64_t end);
    void (*winograd_block)(const graft_winograd *winograd, graft_winograd_block block, float *scratch);
    void (*convolution_block)(const graft_convolution *convolution, const graft_convolution_block *block);
    void (*pack_right)(const graft_gradient *gradient, float *panels);
    /// Rows begin ..< end of the gradient.
    void (*gradient_program)(const graft_program *program, const graft_gradient *gradient, const float *panels,
                             const graft_arguments *arguments, int64_t begin, int64_t end, void *scratch, void *work);
    /// Eight input channels of a convolution's kernel gradient: tile[position][channel][column].
    void (*convolution_tile)(const graft_convolution_gradient *gradient, const graft_pixel_runs *runs, const float *left,
                             const float *panels, float *tile);
    /// Positions begin ..< end of a kernel.
    void (*rotate_weights)(const graft_weight_rotation *rotation, int64_t begin, int64_t end);
    /// Rows of `columns` contiguous elements, each to one value.
    void (*reduce_rows)(int reduction, const float *input, int64_t columns, int64_t begin, int64_t end,
                        float *output);
    /// `rows` rows `row_stride` apart to one row, columns begin ..< end, unscaled, in double precision.
    void (*reduce_columns)(int reduction, const float *input, int64_t rows, int64_t row_stride, int64_t begin,
                           int64_t end, double *output);
    void (*reduce_general)(int reduction, const graft_reduction_axes *axes, const float *input, int64_t begin,
                           int64_t end, float *output);
    void (*softmax)(bool logarithm, const float *input, int64_t columns, int64_t begin, int64_t end, float *output);
    /// Output rows begin ..< end of batch · output_height.
    void (*maximum_pooling)(const graft_pooling *pooling, const void *input, void *output, int64_t begin,
                            int64_t end);
    void (*average_pooling)(const graft_pooling *pooling, const void *input, void *output, int64_t begin,
                            int64_t end);
    /// Channels begin ..< end of one image.
    void (*maximum_pooling_gradient)(const graft_pooling *pooling, const float *input, const float *output_gradient,
                                     float *input_gradient, int64_t begin, int64_t end);
    void (*average_pooling_gradient)(const graft_pooling *pooling, const float *output_gradient,
                                     float *input_gradient, int64_t begin, int64_t end);
    /// Blocks begin ..< end of four values each; `output` is the memory of the first.
    void (*random_uniform)(uint64_t key, uint64_t stream, int64_t begin, int64_t end, float *output);
} graft_kernels;

extern const graft_kernels graft_kernels_plain;
#if defined(__x86_64__)
extern const graft_kernels graft_kernels_avx2;
extern const graft_kernels graft_kernels_avx512;
#endif

/// The kernels for this processor.
const graft_kernels *graft_chosen_kernels(void);

/// The fused optimizer kernel of a program for this processor; NULL where there is none.
const graft_optimizer_kernels *graft_chosen_optimizer(const graft_program *program);

// MARK: An update fused with a product

/// Rows of a kernel that are multiplied and then updated: a multiple of what either takes at a time, and few enough to stay in
/// the second-level cache in between.
enum { graft_fused_nt_rows = 40 };

/// Rows begin ..< end of the gradient's `input_gradient`, from the kernel's old value, and of the kernel's update.
void graft_update_with_skinny_nt(const graft_optimizer_kernels *optimizer, const graft_update *update, int64_t begin,
                                 int64_t end, float *left);
