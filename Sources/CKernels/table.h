#pragma once
// The kernels of one instruction set: each works on a range, and drivers.c shares the ranges out among threads.
#include <string.h>
#include "include/CKernels.h"

/// A number rounded to bfloat16, to nearest, ties to even: what kernels that are packed once are rounded by, and narrow.h
/// rounds vectors by.
static inline uint16_t graft_narrowed(float number) {
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    // Rounding must not carry what is no number into the infinite.
    if (number != number) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/// A rule's operands, and where its results go.
typedef struct {
    const float *arrays[graft_rule_arrays];
    float numbers[graft_rule_numbers];
    float *results[graft_rule_results];
    graft_rounding roundings[graft_rule_results];
} graft_rule_call;

graft_rule_call graft_call_rule(const graft_program *program, const float *const *operands, float *const *outputs,
                                const graft_rounding *roundings);

/// What a rule does where the gradient is zero.
typedef struct {
    /// Whether it changes nothing, or only makes one array smaller.
    bool rests;
    /// That array, and the number that it is multiplied with; −1 where there is none.
    int array, number;
    /// A number that must be more than zero, so that nothing is divided by zero; −1 where nothing is divided.
    int epsilon;
} graft_rest;

graft_rest graft_rest_of(const graft_program *program);

/// The most examples whose numbers are looked at one by one.
enum { graft_most_listed = 64 };

/// Columns of a product of packed rows that are summed at once.
enum { graft_packed_columns = 128 };

/// Rows of a gradient whose packed inputs are unpacked at once.
enum { graft_rows_unpacked = graft_packed_word };

/// How a gradient's zeros are treated.
typedef struct {
    /// Whether products with zeros may be left out: everything that they would be multiplied with is a finite number.
    bool are_skipped;
    /// Whether rows that the rule does not change may be left alone, but for the kernel's where it is written elsewhere.
    bool rest;
    /// Whether the kernel's next value is written elsewhere, every row of it.
    bool moves;
    /// What waits to be made smaller; NULL where nothing does.
    const graft_postponed *postponed;
    /// For each example the smallest of its inputs that counts, as the bits of its magnitude: all but zero, and where the
    /// output's gradient is zero none but those that are not finite, which zero does not make zero.
    int32_t least[graft_most_listed];
} graft_zeros;

/// A rule on one instruction set.
typedef struct {
    void (*range)(const graft_rule_call *call, int64_t begin, int64_t end);
    /// Rows begin ..< end of a gradient with a multiple of 32 columns; `left` is scratch for the examples' numbers that go with
    /// two times `graft_rows_unpacked` rows, if they come packed, or else eight rows.
    /// Where `ahead` is not NULL, its sums over the inner positions begin ..< end are computed as well.
    void (*gradient)(const graft_rule_call *call, const graft_gradient *gradient, const graft_zeros *zeros,
                     const float *panels, const graft_thin_product *ahead, float *sums, int64_t begin, int64_t end,
                     float *left);
    /// Makes the array that waits smaller, as often as each of the rows begin ..< end waits for it.
    void (*catch_up)(const graft_rule_call *call, int64_t columns, const graft_postponed *postponed, int64_t begin,
                     int64_t end);
} graft_rule_kernels;

/// Neighbouring output pixels of an image's row that one position of a kernel sees inside of the image, with the input
/// pixels that they see there, numbered through the batch.
typedef struct {
    int64_t input, output, count;
} graft_pixel_run;

/// The runs of each position: from `first[position]` to before `first[position + 1]`.
typedef struct {
    int64_t positions;
    const graft_pixel_run **first;
} graft_pixel_runs;

/// Tiles begin ..< end of a convolution by Winograd's filtering, of so many rows and columns of tiles an image.
typedef struct {
    int64_t begin, end, rows, columns;
} graft_winograd_block;

/// Output pixels that see the same positions of a kernel inside of the image: these rows and columns of every image, and
/// these rows and columns of the kernel.
typedef struct {
    int64_t row_begin, row_end, column_begin, column_end;
    int64_t kernel_row_begin, kernel_row_end, kernel_column_begin, kernel_column_end;
} graft_pixel_group;

/// Tiles begin ..< end of a group's pixels, image by image, and one panel of output channels.
typedef struct {
    graft_pixel_group group;
    int64_t begin, end, panel;
} graft_convolution_block;

/// What registers hold of a convolution's result: so many pixels of so many vectors of output channels.
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
    /// In the order of rules.h: those with all arrays of 32 bits, and those with state of bfloat16.
    const graft_rule_kernels *rules[2];
    void (*program)(const graft_program *program, const float *const *operands, float *const *outputs,
                    const graft_rounding *roundings, int64_t begin, int64_t end, void *scratch);
    /// The sums over the inner positions begin ..< end.
    void (*thin_product)(const graft_thin_product *product, int64_t begin, int64_t end, float *sums);
    /// Panels begin ..< end of 32 columns.
    void (*join_products)(const graft_thin_product *product, const float *sums, int64_t blocks, int64_t begin,
                          int64_t end);
    /// Columns begin ..< end of the result; the inner axis is summed in blocks of so many positions, a multiple of 64. `sums`
    /// is scratch for two times `graft_packed_columns` numbers of each row.
    void (*packed_product)(const graft_thin_product *product, int64_t block, int64_t begin, int64_t end, float *sums);
    /// Columns begin ..< end of the result.
    void (*row_product)(const graft_row_product *product, int64_t begin, int64_t end);
    void (*winograd_block)(const graft_winograd *winograd, graft_winograd_block block, float *scratch);
    void (*convolution_block)(const graft_convolution *convolution, const graft_convolution_block *block);
    void (*pack_right)(const graft_gradient *gradient, float *panels);
    /// Rows begin ..< end of the gradient.
    void (*gradient_program)(const graft_program *program, const graft_gradient *gradient, const float *panels,
                             const float *const *operands, float *const *outputs, const graft_rounding *roundings,
                             int64_t begin, int64_t end, void *scratch, void *work);
    /// Eight input channels of a convolution's kernel gradient: tile[position][channel][column].
    void (*convolution_tile)(const graft_convolution_gradient *gradient, const graft_pixel_runs *runs, const float *left,
                             const float *panels, float *tile);
    /// Positions begin ..< end of a kernel.
    void (*turn_kernel)(const graft_kernel_turn *turn, int64_t begin, int64_t end);
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

/// As that of `graft_kernels_avx512`, with the instruction that multiplies pairs of bfloat16 numbers.
void graft_convolution_block_avx512_bf16(const graft_convolution *convolution, const graft_convolution_block *block);
#endif

/// The kernels for this processor.
const graft_kernels *graft_chosen_kernels(void);

/// The rule that a program is, for this processor; NULL where it is none.
const graft_rule_kernels *graft_chosen_rule(const graft_program *program);

// MARK: An update along with a product

/// Rows of a kernel that are multiplied and at once updated: a multiple of what either takes at a time, few enough for
/// the second-level cache to hold them meanwhile.
enum { graft_rows_behind_product = 40 };

/// Rows begin ..< end of the gradient's `input_gradient`, from the kernel as it was, each few of them before the rule
/// updates these rows of the kernel.
void graft_update_behind_row_product(const graft_rule_kernels *rule, const graft_rule_call *call,
                                     const graft_gradient *gradient, const graft_zeros *zeros, const float *panels,
                                     int64_t begin, int64_t end, float *left);
