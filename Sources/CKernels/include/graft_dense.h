#pragma once
// The two halves of a dense layer that trains: its product, and its kernel's gradient with the update.
#include "graft_programs.h"

// MARK: Skinny GEMM

/// Rows of the kernel that are multiplied at once, and how many rows ahead memory is prefetched.
enum { graft_skinny_inner = 8, graft_skinny_prefetch = 16 };

/// Bitmap-compressed rows: most elements are +0.0. For each 64 columns, `masks` of [columns / 64, rounded up][rows] has a
/// word for each row: a bit for each column, the first one lowest, set where the element is not +0.0, and unset past the last
/// column. `values` has the non-zero elements in that order and room for sixteen more; `starts` has the position of the first
/// value of each 64 columns.
typedef struct {
    const uint64_t *masks;
    const uint64_t *starts;
    const float *values;
} graft_bitmap_rows;

enum { graft_bitmap_word = 64 };

/// The most rows of a skinny GEMM: the bits of a word, one for each row's zero.
enum { graft_most_skinny_rows = 64 };

/// A skinny GEMM, `target = left · right + bias`: few rows (at most 64) and a large matrix `right` of [inner, columns].
/// `columns` is a multiple of 32, `bias` NULL where there is none. Rows of `right` that only meet zeros are not read. The
/// inner axis is summed by split-K: its blocks follow from the sizes alone, so that rounding errors stay small and the result
/// does not depend on the number of threads.
typedef struct {
    int64_t rows, inner, columns;
    const float *left, *right, *bias;
    float *target;
    /// Read in place of `left` where that is NULL.
    graft_bitmap_rows bitmap_left;
    /// Whether products with zeros are not skipped where they are many: the same bits, for measurements.
    bool multiplies_zeros;
} graft_skinny_nn;

/// Bytes of the partial sums of all blocks: the scratch of `graft_run_skinny_nn`.
size_t graft_skinny_nn_scratch_size(const graft_skinny_nn *product);
void graft_run_skinny_nn(const graft_skinny_nn *product, void *scratch, int threads);

/// As `graft_run_skinny_nn`, for any number of bitmap-compressed rows. The sums are the same, except for more than 64 rows
/// and kernels of few.
size_t graft_bitmap_nn_scratch_size(const graft_skinny_nn *product, int threads);
void graft_run_bitmap_nn(const graft_skinny_nn *product, void *scratch, int threads);

/// The second half of `graft_run_skinny_nn`, the split-K reduction: the product from its blocks' partial sums.
void graft_reduce_split_k(const graft_skinny_nn *product, const void *sums, int threads);

/// A skinny GEMM with the second matrix transposed, `target = left · rightᵀ`: few rows and a large `right` of [columns,
/// inner].
typedef struct {
    int64_t rows, inner, columns;
    const float *left, *right;
    float *target;
} graft_skinny_nt;

void graft_run_skinny_nt(const graft_skinny_nt *product, int threads);

// MARK: Gradients with their updates

enum { graft_gradient_tile_rows = 8, graft_gradient_tile_columns = 512 };

/// The state of a lazy sparse update: rows of one operand are left alone while their gradient is zero, and catch up later.
typedef struct {
    /// For each row the steps that were deferred.
    uint8_t *counts;
    /// The seeds of the last steps, by the step's number modulo 256, where the operand is bfloat16 and rounded stochastically;
    /// unused otherwise. At most 255 steps of a row are deferred.
    graft_rounding *roundings;
    /// The number of the next step, modulo 256.
    uint8_t step;
} graft_lazy_rows;

enum { graft_lazy_rounding_count = 256 };

/// The gradient of a dense layer's kernel: `gradient[row, column] = sum over examples of left[example, row] ·
/// right[example, column]`.
typedef struct {
    int64_t examples, rows, columns;
    const float *left, *right;
    /// Whether `bitmap_left` is read in place of `left`: only for compiled programs without `input_gradient`.
    bool left_is_bitmap;
    graft_bitmap_rows bitmap_left;
    /// The program's operand that it is.
    int32_t operand;
    /// NULL, or the gradient of the layer's input, `right · kernelᵀ`, for the kernel before the program writes it.
    const graft_skinny_nt *input_gradient;
    /// NULL, or the lazy rows of the operand `graft_lazy_operand`: where a row is zero in all examples, it is neither read nor
    /// written, and catches up when it is needed.
    graft_lazy_rows *lazy;
    /// Whether products with zeros are not skipped, nor rows: the same bits, for measurements.
    bool multiplies_zeros;
} graft_gradient;

/// The next batch's product with the kernel that a gradient's program writes: its forward pass overlaps this update.
typedef struct {
    /// `right` is one of the program's outputs, as large as the gradient.
    graft_skinny_nn product;
    /// Where the partial sums of its blocks go.
    void *sums;
} graft_next_batch;

/// Bytes of scratch that `graft_run_gradient_program` needs; 64-byte aligned.
size_t graft_gradient_program_scratch_size(const graft_program *program, const graft_gradient *gradient, int threads);

/// Whether a fused optimizer kernel runs the gradient's program: only then can the next batch's product overlap.
bool graft_gradient_is_compiled(const graft_program *program, const graft_gradient *gradient);

/// The operand that a zero gradient only decays, −1 where there is none: RMSprop's mean of squares.
int graft_lazy_operand(const graft_program *program, const graft_gradient *gradient);

/// Takes the deferred steps of all rows of that operand.
void graft_catch_up(const graft_program *program, const graft_gradient *gradient, void *state, int threads);

/// Runs a program over the elements of a gradient, which is computed tile by tile and never stored whole. Where most of
/// `left` is zero, products with zeros are skipped if `right` is finite.
///
/// Where `next` is not NULL, the partial sums of its product are computed from each tile while it is in the cache; they are
/// those of `graft_run_skinny_nn`, bit for bit. The program must be compiled.
///
/// The gradient's `input_gradient` is computed as well, bit for bit as by `graft_run_skinny_nt`. Where the program is compiled
/// and `next` is NULL, the kernel is read from memory once for both.
void graft_run_gradient_program(const graft_program *program, const graft_gradient *gradient,
                                const graft_arguments *arguments, const graft_next_batch *next, void *scratch, int threads);
