#pragma once
// Elementwise programs, and the fused optimizer kernels that they are matched with.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
    int32_t is_bfloat16;
    int32_t rank;
    int64_t sizes[graft_maximum_rank], strides[graft_maximum_rank];
} graft_operand;

/// A slot that is written to memory, and the instruction that computes it.
typedef struct {
    int32_t slot;
    int32_t writer;
    /// Whether memory takes bfloat16.
    int32_t is_bfloat16;
    /// Whether it is rounded to that stochastically, rather than to nearest.
    int32_t is_stochastic;
} graft_output;

/// The seeds of one output's stochastic rounding, which are mixed into its elements' positions. See `StochasticRounding` in
/// Sources/GraftGraph.
typedef struct {
    uint32_t first, second;
} graft_rounding;

/// The most that a fused optimizer kernel has of each.
enum { graft_optimizer_arrays = 5, graft_optimizer_scalars = 8, graft_optimizer_results = 4 };

/// The fused optimizer kernel that computes a program: compiled ahead of time rather than interpreted, with the same result.
typedef struct {
    /// Its position in optimizers.h; −1 where no kernel matches.
    int32_t kernel;
    /// For each of its arrays the program's operand.
    int32_t arrays[graft_optimizer_arrays];
    /// For each of its scalars the program's operand; −1 for a constant.
    int32_t scalars[graft_optimizer_scalars];
    float constants[graft_optimizer_scalars];
    /// For each of its results the program's output.
    int32_t results[graft_optimizer_results];
    /// Whether all state, the arrays between gradient and weight, is bfloat16 and rounded stochastically.
    int32_t has_bfloat16_state;
} graft_optimizer_match;

typedef struct {
    int32_t slot_count, instruction_count, constant_count, operand_count, output_count;
    const graft_instruction *instructions;
    const graft_constant *constants;
    const graft_operand *operands;
    const graft_output *outputs;
    /// Filled by `graft_match_optimizer`.
    graft_optimizer_match optimizer;
} graft_program;

/// Looks for the fused optimizer kernel of a program; called once, before it runs.
void graft_match_optimizer(graft_program *program);

/// The name of the program's optimizer kernel, NULL where none matches.
const char *graft_optimizer_name(const graft_program *program);

/// Bytes of scratch that `graft_run_program` needs for so many threads.
size_t graft_program_scratch_size(const graft_program *program, int threads);

/// The memory that a program reads and writes.
typedef struct {
    const float *const *operands;
    /// An output may be the same memory as a full operand of its type.
    float *const *outputs;
    /// One for each output; NULL where none is rounded stochastically.
    const graft_rounding *roundings;
} graft_arguments;

/// Runs a program over `count` elements.
void graft_run_program(const graft_program *program, const graft_arguments *arguments, int64_t count, void *scratch,
                       int threads);
