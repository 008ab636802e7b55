#pragma once
// The kernels of one instruction set: each works on a range, and drivers.c shares the ranges out among threads.
#include "include/CKernels.h"

/// A rule's operands, and where its results go.
typedef struct {
    const float *arrays[graft_rule_arrays];
    float numbers[graft_rule_numbers];
    float *results[graft_rule_results];
} graft_rule_call;

graft_rule_call graft_call_rule(const graft_program *program, const float *const *operands, float *const *outputs);

/// A rule on one instruction set.
typedef struct {
    void (*range)(const graft_rule_call *call, int64_t begin, int64_t end);
    /// Rows begin ..< end of a gradient with a multiple of 32 columns; `left` is scratch for eight rows of examples.
    /// Where `ahead` is not NULL, its sums over the inner positions begin ..< end are computed as well.
    void (*gradient)(const graft_rule_call *call, const graft_gradient *gradient, const float *panels,
                     const graft_thin_product *ahead, float *sums, int64_t begin, int64_t end, float *left);
} graft_rule_kernels;

/// Tiles begin ..< end of a convolution by Winograd's filtering, of so many rows and columns of tiles an image.
typedef struct {
    int64_t begin, end, rows, columns;
} graft_winograd_block;

typedef struct {
    const char *name;
    /// In the order of rules.h.
    const graft_rule_kernels *rules;
    void (*program)(const graft_program *program, const float *const *operands, float *const *outputs, int64_t begin,
                    int64_t end, void *scratch);
    /// The sums over the inner positions begin ..< end.
    void (*thin_product)(const graft_thin_product *product, int64_t begin, int64_t end, float *sums);
    /// Panels begin ..< end of 32 columns.
    void (*join_products)(const graft_thin_product *product, const float *sums, int64_t blocks, int64_t begin,
                          int64_t end);
    /// Columns begin ..< end of the result.
    void (*row_product)(const graft_row_product *product, int64_t begin, int64_t end);
    void (*winograd_block)(const graft_winograd *winograd, graft_winograd_block block, float *scratch);
    void (*pack_right)(const graft_gradient *gradient, float *panels);
    /// Rows begin ..< end of the gradient.
    void (*gradient_program)(const graft_program *program, const graft_gradient *gradient, const float *panels,
                             const float *const *operands, float *const *outputs, int64_t begin, int64_t end,
                             void *scratch, void *work);
    /// Rows of `columns` contiguous elements, each to one number.
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
    /// Blocks begin ..< end of four numbers each; `output` is the memory of the first.
    void (*random_uniform)(uint64_t key, uint64_t stream, int64_t begin, int64_t end, float *output);
} graft_kernels;

extern const graft_kernels graft_kernels_plain;
#if defined(__x86_64__)
extern const graft_kernels graft_kernels_avx2;
extern const graft_kernels graft_kernels_avx512;
#endif

/// The kernels for this processor.
const graft_kernels *graft_chosen_kernels(void);
