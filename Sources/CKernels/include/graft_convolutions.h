#pragma once
// Convolutions, and their gradients.
#include "graft_programs.h"

/// The sizes of a convolution over NHWC images with a kernel in HWIO. Padding at the bottom and on the right follows from the
/// output's size.
typedef struct {
    int64_t batch, input_height, input_width, input_channels, output_height, output_width, output_channels;
    int64_t kernel_height, kernel_width, stride_height, stride_width, dilation_height, dilation_width;
    int64_t padding_top, padding_left;
} graft_geometry;

// MARK: Winograd

enum { graft_winograd_most_tile = 8, graft_winograd_panel = 32 };

/// A convolution of stride 1 by Winograd's minimal filtering F(m, r), `output = activation(input * kernel + bias)`, computed in
/// float32. Kernels are 3 × 3 or 5 × 5, input channels a multiple of 16, output channels of 32.
typedef struct {
    graft_geometry geometry;
    /// Elements from pixel to pixel of the output; more than its channels where it is a slice of a wider array.
    int64_t output_pixel_stride;
    /// The input tile along both axes, m + r − 1: six or eight.
    int64_t tile_size;
    /// Whether memory holds bfloat16.
    bool input_is_bfloat16, output_is_bfloat16;
    bool relu;
    const void *input;
    /// Transformed, as `graft_pack_winograd_kernel` writes it.
    const float *kernel;
    /// NULL where there is none.
    const float *bias;
    void *output;
} graft_winograd;

/// Bytes of the transformed kernel.
size_t graft_winograd_kernel_size(const graft_geometry *geometry, int64_t tile_size);

/// Transforms a kernel in HWIO: [output channels / 32][tile size²][input channels][32]. Its values are rounded to bfloat16
/// first where `is_bfloat16` says so.
void graft_pack_winograd_kernel(const graft_geometry *geometry, int64_t tile_size, bool is_bfloat16, const float *kernel,
                                float *target);

/// Bytes of scratch that `graft_run_winograd` needs; 64-byte aligned.
size_t graft_winograd_scratch_size(const graft_winograd *winograd, int threads);

/// No bit of the result depends on the number of threads or on the batch that an image is in.
void graft_run_winograd(const graft_winograd *winograd, void *scratch, int threads);

// MARK: Direct convolutions

/// A convolution of any kernel size and stride, `output = activation(input * kernel + bias)`.
typedef struct {
    graft_geometry geometry;
    /// Elements from pixel to pixel of the output; more than its channels where it is a slice of a wider array.
    int64_t output_pixel_stride;
    bool relu;
    const float *input;
    /// As `graft_pack_convolution_kernel` writes it.
    const float *kernel;
    /// NULL where there is none.
    const float *bias;
    float *output;
} graft_convolution;

/// Whether this processor runs `graft_run_convolution` as fast as oneDNN's convolutions: with AVX-512.
bool graft_convolution_is_fast(void);

/// Bytes of one panel of output channels of the packed kernel, which is read for every few pixels, and of the whole kernel.
size_t graft_convolution_panel_size(const graft_convolution *convolution);
size_t graft_convolution_kernel_size(const graft_convolution *convolution);

/// Packs a kernel in HWIO: [panels][kernel height][kernel width][input channels][output channels of a panel], padded with
/// zeros.
void graft_pack_convolution_kernel(const graft_convolution *convolution, const float *kernel, float *target);

/// No bit of the result depends on the number of threads or on the batch that an image is in. Padding is skipped.
void graft_run_convolution(const graft_convolution *convolution, int threads);

// MARK: Kernel gradients with their updates

/// The kernel gradient of a convolution: for each position of the kernel a product of inputs with the output's gradient, times
/// a scale for each output channel.
typedef struct {
    graft_geometry geometry;
    /// `scale` is NULL where there is none.
    const float *input, *output_gradient, *scale;
    /// The program's operand that it is.
    int32_t operand;
} graft_convolution_gradient;

/// Bytes of scratch that `graft_run_convolution_gradient_program` needs; 64-byte aligned.
size_t graft_convolution_gradient_scratch_size(const graft_program *program, const graft_convolution_gradient *gradient,
                                               int threads);

/// Runs a program over the elements of a convolution's kernel gradient, which is never stored whole: eight input channels at a
/// time. No bit depends on the number of threads.
void graft_run_convolution_gradient_program(const graft_program *program, const graft_convolution_gradient *gradient,
                                            const graft_arguments *arguments, void *scratch, int threads);

// MARK: Rotated weights

/// `target[last − position][output][input] = source[position][input][output]`: weights rotated by 180°, input and output
/// channels swapped. A convolution of the output's gradient with them is the input's gradient.
typedef struct {
    int64_t positions, inputs, outputs;
    const float *source;
    float *target;
} graft_weight_rotation;

void graft_rotate_weights(const graft_weight_rotation *rotation, int threads);
