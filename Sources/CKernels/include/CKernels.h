#pragma once
// The loops that oneDNN has none for. Arrays are dense, row-major, NHWC, of 32-bit floats; sizes and strides count
// elements. Each kernel is written once (folder `body`) and compiled for AVX-512, AVX2 and the plain processor; the
// first call picks one. Results depend on the number of threads at most through the order of additions, never on
// timing.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// MARK: Threads

/// Sets how many threads the OpenMP runtime that oneDNN uses gives to the calling thread's parallel regions, and has that
/// runtime's threads sleep rather than spin while they wait, where something else wants the cores. Called before each run of a
/// plan. Does nothing where the process holds no OpenMP runtime.
void graft_set_thread_count(int threads);

/// Holds a team of threads that sleep, so that libgomp's other threads do not spin, or lets it go. For tests only:
/// `graft_set_thread_count` does it as needed.
void graft_hold_team(bool holds);

/// Calls `body(context, part)` for every part in 0 ..< parts, on up to `parts` threads at once; returns when all are
/// done. Runs on oneDNN's OpenMP threads where there are any, because threads of our own would have to share the
/// cores with the spinning ones of that runtime.
void graft_parallel(int parts, void (*body)(void *context, int part), void *context);

/// As `graft_parallel`, without OpenMP; for tests of the way it goes where there is none.
void graft_parallel_without_openmp(int parts, void (*body)(void *context, int part), void *context);

/// How many processors this process may use.
int graft_processor_count(void);

/// The machine's memory in bytes.
uint64_t graft_memory_size(void);

/// Memory aligned to 64 bytes, in large pages where it is large; NULL where there is none. Freed with `free`.
void *graft_allocate(size_t size);

/// Gives the system back what was freed and is kept for later, where that can be asked for (glibc).
void graft_release_memory(void);

/// Seconds on a clock that only goes forward.
double graft_seconds(void);

/// The name of the instruction set that was picked: "avx512", "avx2" or "plain".
const char *graft_instruction_set(void);

/// How many instruction sets this processor can run, of those compiled; `graft_use_instruction_set` takes a number
/// below it, 0 for plain. For tests only: the choice holds for the process.
int graft_instruction_set_count(void);
void graft_use_instruction_set(int index);

// MARK: Elementwise programs

enum graft_operation {
    // One operand
    graft_copy,
    graft_negate,
    graft_absolute,
    graft_sign,
    graft_square,
    graft_square_root,
    graft_reciprocal_square_root,
    graft_exponential,
    graft_exponential_minus_one,
    graft_logarithm,
    graft_logarithm_one_plus,
    graft_relu,
    graft_sigmoid,
    graft_tanh,
    graft_error_function,
    // Two
    graft_add,
    graft_subtract,
    graft_multiply,
    graft_divide,
    graft_maximum,
    graft_minimum,
    graft_power,
    graft_greater,
    graft_greater_or_equal,
    graft_equal,
    // Three: condition, whenTrue, whenFalse
    graft_select,
};

enum { graft_maximum_rank = 8, graft_block = 512 };

/// `slot[destination] = operation(slot[a], slot[b], slot[c])` over a block of elements.
typedef struct {
    int32_t operation, destination, a, b, c;
} graft_instruction;

typedef struct {
    int32_t slot;
    float value;
} graft_constant;

enum graft_layout {
    graft_full,    // one element for each of the result's
    graft_scalar,  // one element for all
    graft_general, // sizes and strides below
};

/// How an operand is read for the result's elements in row-major order.
typedef struct {
    int32_t slot;
    int32_t layout;
    /// The last instruction that reads the operand.
    int32_t last_read;
    /// Whether memory holds bfloat16.
    int32_t is_narrow;
    int32_t rank;
    int64_t sizes[graft_maximum_rank], strides[graft_maximum_rank];
} graft_operand;

/// A slot that is written to memory, and the instruction that computes it.
typedef struct {
    int32_t slot;
    int32_t writer;
    /// Whether memory takes bfloat16.
    int32_t is_narrow;
    /// Whether it is rounded to that up or down by chance, rather than to the nearest.
    int32_t is_stochastic;
} graft_output;

/// The random bits of one output that is rounded by chance: what is mixed into its elements' positions. See
/// `StochasticRounding` in Sources/GraftGraph.
typedef struct {
    uint32_t first, second;
} graft_rounding;

enum { graft_rule_arrays = 5, graft_rule_numbers = 8, graft_rule_results = 4 };

/// The rule that a program is: one that is compiled ahead of time, rather than interpreted, with the same result.
typedef struct {
    /// −1 where there is none.
    int32_t rule;
    /// For each of the rule's arrays the program's operand.
    int32_t arrays[graft_rule_arrays];
    /// For each of its numbers the program's operand; −1 for a constant.
    int32_t numbers[graft_rule_numbers];
    float constants[graft_rule_numbers];
    /// For each of its results the program's output.
    int32_t results[graft_rule_results];
    /// Whether all arrays between the gradient and the weight hold bfloat16, and are rounded to it by chance.
    int32_t has_narrow_state;
} graft_rule_match;

typedef struct {
    int32_t slot_count, instruction_count, constant_count, operand_count, output_count;
    const graft_instruction *instructions;
    const graft_constant *constants;
    const graft_operand *operands;
    const graft_output *outputs;
    /// Filled by `graft_find_rule`.
    graft_rule_match rule;
} graft_program;

/// Looks for the rule that a program is; called once, before it runs.
void graft_find_rule(graft_program *program);

/// The name of the program's rule, NULL where it has none.
const char *graft_rule_name(const graft_program *program);

/// Bytes of scratch that `graft_run_program` needs for so many threads.
size_t graft_program_scratch_size(const graft_program *program, int threads);

/// Runs a program over `count` elements. An output may be the same memory as a full operand of its type.
///
/// `roundings` has an element for each output, and may be NULL where none is rounded by chance.
void graft_run_program(const graft_program *program, const float *const *operands, float *const *outputs,
                       const graft_rounding *roundings, int64_t count, void *scratch, int threads);

// MARK: Products

/// Rows of the kernel that are multiplied at once, and how many rows ahead memory is fetched.
enum { graft_product_inner = 8, graft_product_ahead = 16 };

/// Rows of numbers most of which are +0.0, 64 columns of all rows behind one another. For each 64 columns `masks`, of
/// [columns / 64, rounded up][rows], has a word for each row: a bit for each column, the first one's the lowest, set where
/// the number is something else, and none behind the last column. `values` has those numbers alone, in the same order, and
/// room for sixteen more; `starts` says for each 64 columns where their first one stands.
typedef struct {
    const uint64_t *masks;
    const uint64_t *starts;
    const float *values;
} graft_packed_rows;

enum { graft_packed_word = 64 };

/// `target = left · right + bias`, for a few rows (at most 64) and a large matrix `right` of [inner, columns]; `columns` is
/// a multiple of 32, `bias` NULL where there is none. Rows of `right` that meet nothing but zeros are not read. The inner
/// axis is summed in blocks that follow from the sizes alone, so that rounding errors stay small and the result does not
/// depend on the number of threads.
typedef struct {
    int64_t rows, inner, columns;
    const float *left, *right, *bias;
    float *target;
    /// What stands for `left` where that is NULL.
    graft_packed_rows packed_left;
} graft_thin_product;

/// Bytes that the sums of a product's blocks take: the scratch of `graft_run_thin_product`.
size_t graft_thin_product_scratch_size(const graft_thin_product *product);
void graft_run_thin_product(const graft_thin_product *product, void *scratch, int threads);

/// As `graft_run_thin_product`, for any number of rows, which are packed. The sums are the same ones, but for more than 64
/// rows and kernels of few.
size_t graft_packed_product_scratch_size(const graft_thin_product *product, int threads);
void graft_run_packed_product(const graft_thin_product *product, void *scratch, int threads);

/// `target = left · rightᵀ`, for a few rows and a large matrix `right` of [columns, inner].
typedef struct {
    int64_t rows, inner, columns;
    const float *left, *right;
    float *target;
} graft_row_product;

void graft_run_row_product(const graft_row_product *product, int threads);

/// The second half of `graft_run_thin_product`: the product from the sums of its blocks.
void graft_join_thin_product(const graft_thin_product *product, const void *sums, int threads);

// MARK: Convolutions

enum { graft_winograd_most_points = 8, graft_winograd_panel = 32 };

/// A convolution of stride 1 by Winograd's minimal filtering, `output = activation(input * kernel + bias)`, computed in 32
/// bits. Input channels are a multiple of 16, output channels of 32.
typedef struct {
    int64_t batch, input_height, input_width, input_channels, output_height, output_width, output_channels;
    /// Elements from pixel to pixel of the output; more than its channels where it is a slice of a wider array.
    int64_t output_pixel_stride;
    /// Three or five, along both axes.
    int64_t kernel_size;
    /// Six or eight: so many numbers along both axes of a tile give `points + 1 - kernel_size` results.
    int64_t points;
    int64_t padding_top, padding_left;
    /// Whether memory holds bfloat16.
    bool input_is_narrow, output_is_narrow;
    /// Whether what is below zero becomes zero.
    bool relu;
    const void *input;
    /// As `graft_pack_winograd_kernel` writes it.
    const float *kernel;
    /// NULL where there is none.
    const float *bias;
    void *output;
} graft_winograd;

/// Bytes of a kernel that is brought to the points.
size_t graft_winograd_kernel_size(int64_t points, int64_t input_channels, int64_t output_channels);

/// Brings a kernel in HWIO to the points: [output channels / 32][points · points][input channels][32]. Its numbers are
/// rounded to bfloat16 first where `is_narrow` says so.
void graft_pack_winograd_kernel(const float *kernel, int64_t kernel_size, int64_t points, int64_t input_channels,
                                int64_t output_channels, bool is_narrow, float *target);

/// Bytes of scratch that `graft_run_winograd` needs; 64-byte aligned.
size_t graft_winograd_scratch_size(const graft_winograd *winograd, int threads);

/// No bit of the result depends on the number of threads or on the batch that an image is in.
void graft_run_winograd(const graft_winograd *winograd, void *scratch, int threads);

/// A convolution of any kernel size and stride, `output = activation(input * kernel + bias)`. Padding on the right and at the
/// bottom follows from the output's size.
typedef struct {
    int64_t batch, input_height, input_width, input_channels, output_height, output_width, output_channels;
    /// Elements from pixel to pixel of the output; more than its channels where it is a slice of a wider array.
    int64_t output_pixel_stride;
    int64_t kernel_height, kernel_width, stride_height, stride_width, dilation_height, dilation_width;
    int64_t padding_top, padding_left;
    /// Whether input and kernel hold bfloat16; input channels are even then. Products are summed in 32 bits all the same.
    bool is_narrow;
    /// Whether the output takes bfloat16.
    bool output_is_narrow;
    /// Whether what is below zero becomes zero.
    bool relu;
    const void *input;
    /// As `graft_pack_convolution_kernel` writes it.
    const void *kernel;
    /// NULL where there is none.
    const float *bias;
    void *output;
} graft_convolution;

/// Whether this processor has registers and instructions that make `graft_run_convolution` as fast as oneDNN's convolutions:
/// AVX-512; for bfloat16 AVX512_BF16 without AMX, which multiplies several times faster and which oneDNN uses.
bool graft_convolution_is_fast(bool is_narrow);

/// Bytes that a packed kernel's panel of output channels takes, which is read for every few pixels, and the whole kernel.
size_t graft_convolution_panel_size(const graft_convolution *convolution);
size_t graft_convolution_kernel_size(const graft_convolution *convolution);

/// Packs a kernel in HWIO: [panels][kernel height][kernel width][input channels][output channels of a panel], zeros where
/// there are no channels left; of bfloat16, rounded, in pairs of input channels.
void graft_pack_convolution_kernel(const graft_convolution *convolution, const float *kernel, void *target);

/// No bit of the result depends on the number of threads or on the batch that an image is in. Padding is left out.
void graft_run_convolution(const graft_convolution *convolution, int threads);

// MARK: Gradients with their updates

enum { graft_gradient_tile_rows = 8, graft_gradient_tile_columns = 512 };

/// What an update puts off: the rows of one operand wait while the gradient has nothing but zeros for them.
typedef struct {
    /// How often each row waits to be made smaller.
    uint8_t *counts;
    /// The random bits of the last steps, by the step's number modulo 256, where the operand holds bfloat16 that is rounded
    /// by chance; otherwise never used. A row waits for 255 steps at most.
    graft_rounding *roundings;
    /// The number of the next step, modulo 256.
    uint8_t step;
} graft_postponed;

enum { graft_postponed_roundings = 256 };

/// The gradient of a dense layer's kernel: `gradient[row, column] = sum over examples of left[example, row] ·
/// right[example, column]`.
typedef struct {
    int64_t examples, rows, columns;
    const float *left, *right;
    /// Whether `packed_left` stands for `left`: for compiled programs without `input_gradient` alone.
    bool is_packed;
    graft_packed_rows packed_left;
    /// The program's operand that it is.
    int32_t operand;
    /// NULL, or the gradient of the layer's input, `right · kernelᵀ`, for the kernel as it is before the program writes it.
    const graft_row_product *input_gradient;
    /// NULL, or what waits of the operand `graft_postponable_operand`: where all examples have a zero for a row, nothing of
    /// it is read or written, and it catches up when it is needed.
    graft_postponed *postponed;
} graft_gradient;

/// Bytes of scratch that `graft_run_gradient_program` needs; 64-byte aligned.
size_t graft_gradient_program_scratch_size(const graft_program *program, const graft_gradient *gradient, int threads);

/// Whether a gradient's program is a rule that runs on it compiled: only then can a product be computed ahead.
bool graft_gradient_is_compiled(const graft_program *program, const graft_gradient *gradient);

/// The operand that rows of zeros only make smaller, −1 where there is none: RMSprop's mean of squares.
int graft_postponable_operand(const graft_program *program, const graft_gradient *gradient);

/// Lets all rows of that operand catch up.
void graft_catch_up(const graft_program *program, const graft_gradient *gradient, void *state, int threads);

/// Runs a program over the elements of a gradient, which is computed tile by tile and never stands in memory. Where most of
/// `left` is zero, the products with zeros are left out, if `right` is finite.
///
/// Where `ahead` is not NULL, it is a product with the kernel that the program writes (`right` is one of its outputs, as
/// large as the gradient): the sums of its blocks are computed as well, from each tile while it is in the cache, to
/// `sums`. They are those of `graft_run_thin_product`, bit for bit. The program must be compiled.
///
/// The gradient's `input_gradient` is computed as well, bit for bit as by `graft_run_row_product`: where the program is
/// compiled and nothing is computed ahead, each few rows of the kernel are read from memory once for both.
void graft_run_gradient_program(const graft_program *program, const graft_gradient *gradient,
                                const float *const *operands, float *const *outputs,
                                const graft_rounding *roundings, const graft_thin_product *ahead, void *sums, void *scratch, int threads);

// MARK: Convolutions' kernel gradients with their updates

/// The kernel gradient of a convolution over images of [batch, height, width, channels], of a kernel of [kernel_height,
/// kernel_width, rows, columns]: a product of inputs with the output's gradient for each of the kernel's positions, times
/// a number for each output channel.
typedef struct {
    int64_t batch, input_height, input_width, output_height, output_width, kernel_height, kernel_width;
    int64_t stride_height, stride_width, dilation_height, dilation_width, padding_top, padding_left;
    /// Input and output channels.
    int64_t rows, columns;
    /// The input and the output's gradient; `scale` is NULL where there is none.
    const float *left, *right, *scale;
    /// The program's operand that it is.
    int32_t operand;
} graft_convolution_gradient;

/// Bytes of scratch that `graft_run_convolution_gradient_program` needs; 64-byte aligned.
size_t graft_convolution_gradient_scratch_size(const graft_program *program, const graft_convolution_gradient *gradient,
                                               int threads);

/// Runs a program over the elements of a convolution's kernel gradient, which never stands in memory: eight input channels
/// at a time. No bit depends on the number of threads.
void graft_run_convolution_gradient_program(const graft_program *program, const graft_convolution_gradient *gradient,
                                            const float *const *operands, float *const *outputs,
                                            const graft_rounding *roundings, void *scratch, int threads);

// MARK: Kernels of convolutions

/// `target[last − position][output][input] = source[position][input][output]`: the kernel with which a convolution of the
/// output's gradient gives the gradient of the input.
typedef struct {
    int64_t positions, inputs, outputs;
    const float *source;
    float *target;
} graft_kernel_turn;

void graft_turn_kernel(const graft_kernel_turn *turn, int threads);

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
    /// do not look at it.
    int64_t output_pixel_stride;
    /// Whether input and output hold bfloat16 in place of 32-bit numbers; gradients are of 32 bits.
    bool is_narrow;
    /// Whether averages below zero become zero.
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

/// Adds so many numbers to others, on the calling thread.
void graft_add_to(float *target, const float *source, int64_t count);

/// Writes zeros to so many bytes.
void graft_fill_zero(void *target, int64_t size, int threads);

/// Uniform numbers in [0, 1) by counting, Philox4x32-10: the upper 24 bits of each word.
void graft_random_uniform(uint64_t key, uint64_t stream, int64_t count, float *output, int threads);
