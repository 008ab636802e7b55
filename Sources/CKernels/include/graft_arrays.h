#pragma once
// Reductions, pooling, copies and random numbers.
#include "graft_programs.h"

// MARK: Reductions

enum graft_reduction { graft_reduce_sum, graft_reduce_mean, graft_reduce_maximum };

/// The kept axes of an array and those reduced over, each outermost first, as sizes and strides.
typedef struct {
    int32_t kept_rank, reduced_rank;
    int64_t kept_sizes[graft_maximum_rank], kept_strides[graft_maximum_rank];
    int64_t reduced_sizes[graft_maximum_rank], reduced_strides[graft_maximum_rank];
} graft_reduction_axes;

/// Bytes of scratch that `graft_reduce` needs.
size_t graft_reduce_scratch_size(const graft_reduction_axes *axes, int threads);

/// Reduces; sums are accumulated in double precision.
void graft_reduce(int reduction, const graft_reduction_axes *axes, const float *input, float *output, void *scratch,
                  int threads);

/// Softmax over rows of `columns` elements, or its logarithm.
void graft_softmax(bool logarithm, int64_t rows, int64_t columns, const float *input, float *output, int threads);

// MARK: Pooling

typedef struct {
    int64_t batch, channels;
    int64_t input_height, input_width, output_height, output_width;
    int64_t window_height, window_width, stride_height, stride_width, padding_top, padding_left;
    /// Elements from pixel to pixel of the output; more than the channels where it is a slice of a wider array. Gradients
    /// ignore it.
    int64_t output_pixel_stride;
    /// Whether input and output hold bfloat16; gradients are float32.
    bool is_bfloat16;
    /// Whether a relu is applied to averages.
    bool relu;
} graft_pooling;

/// The largest of each window; padding never wins.
void graft_maximum_pooling(const graft_pooling *pooling, const void *input, void *output, int threads);
/// The gradient goes to the first largest element of its window, in row-major order.
void graft_maximum_pooling_gradient(const graft_pooling *pooling, const float *input, const float *output_gradient,
                                    float *input_gradient, int threads);
/// The mean of each window's elements that are not padding.
void graft_average_pooling(const graft_pooling *pooling, const void *input, void *output, int threads);
/// Spreads each gradient evenly over its window's elements that are not padding.
void graft_average_pooling_gradient(const graft_pooling *pooling, const float *output_gradient,
                                    float *input_gradient, int threads);

// MARK: Copies and random numbers

/// Copies a block of these sizes between two strided arrays; the innermost stride is 1 on both sides.
typedef struct {
    int32_t rank;
    int64_t sizes[graft_maximum_rank], source_strides[graft_maximum_rank], target_strides[graft_maximum_rank];
} graft_block_copy;

/// `element_size` counts bytes.
void graft_copy_block(const graft_block_copy *copy, const void *source, void *target, int64_t element_size,
                      int threads);

/// `target += source` over `count` elements, on the calling thread.
void graft_add_to(float *target, const float *source, int64_t count);

/// Sets `size` bytes to zero.
void graft_fill_zero(void *target, int64_t size, int threads);

/// Uniform random numbers in [0, 1) by the counter-based Philox4x32-10: the upper 24 bits of each word.
void graft_random_uniform(uint64_t key, uint64_t stream, int64_t count, float *output, int threads);
