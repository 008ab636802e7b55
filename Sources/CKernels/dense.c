// The two halves of a dense layer that trains: a product with its kernel, and the kernel's gradient with its update.
#include <string.h>
#include "ranges.h"
#include "table.h"

// MARK: Products

/// How many inner positions are summed at once: some forty blocks, none so small that the sums of 64 rows at most are more
/// than a quarter of the kernel's numbers. Whole words of packed rows' masks.
static int64_t product_block(const graft_thin_product *product) {
    int64_t rows = product->rows < graft_most_listed ? product->rows : graft_most_listed;
    int64_t fortieth = (product->inner + 39) / 40, block = fortieth > 4 * rows ? fortieth : 4 * rows;
    return (block + graft_packed_word - 1) / graft_packed_word * graft_packed_word;
}

size_t graft_thin_product_scratch_size(const graft_thin_product *product) {
    int64_t block = product_block(product), blocks = (product->inner + block - 1) / block;
    return (size_t)(blocks * product->rows * product->columns) * sizeof(float);
}

typedef struct {
    const graft_thin_product *product;
    float *sums;
    int64_t block, blocks;
} product_call;

static void product_part(void *context, int part, int64_t begin, int64_t end) {
    const product_call *call = context;
    const graft_thin_product *product = call->product;
    for (int64_t i = begin; i < end; i++) {
        int64_t last = (i + 1) * call->block < product->inner ? (i + 1) * call->block : product->inner;
        graft_chosen_kernels()->thin_product(product, i * call->block, last,
                                             call->sums + i * product->rows * product->columns);
    }
}

static void join_part(void *context, int part, int64_t begin, int64_t end) {
    const product_call *call = context;
    graft_chosen_kernels()->join_products(call->product, call->sums, call->blocks, begin, end);
}

void graft_join_thin_product(const graft_thin_product *product, const void *sums, int threads) {
    int64_t block = product_block(product), blocks = (product->inner + block - 1) / block;
    product_call call = {product, (float *)sums, block, blocks};
    graft_in_parallel(product->columns / 32, 1, blocks * product->rows * product->columns, threads, &call, join_part);
}

void graft_run_thin_product(const graft_thin_product *product, void *scratch, int threads) {
    int64_t block = product_block(product), blocks = (product->inner + block - 1) / block;
    product_call call = {product, scratch, block, blocks};
    graft_in_turns(blocks, 1, product->inner * product->columns, threads, &call, product_part);
    graft_join_thin_product(product, scratch, threads);
}

// MARK: Products of packed rows

static size_t packed_sums_size(const graft_thin_product *product) {
    return (size_t)(2 * product->rows * graft_packed_columns) * sizeof(float);
}

size_t graft_packed_product_scratch_size(const graft_thin_product *product, int threads) {
    return packed_sums_size(product) * (size_t)threads;
}

typedef struct {
    const graft_thin_product *product;
    char *scratch;
} packed_call;

static void packed_part(void *context, int part, int64_t begin, int64_t end) {
    const packed_call *call = context;
    float *sums = (float *)(call->scratch + (size_t)part * packed_sums_size(call->product));
    graft_chosen_kernels()->packed_product(call->product, product_block(call->product), begin, end, sums);
}

void graft_run_packed_product(const graft_thin_product *product, void *scratch, int threads) {
    packed_call call = {product, scratch};
    // Threads share the columns out, so that no sums need to be joined: as many at once as leave some for every thread.
    int64_t grain = graft_packed_columns;
    while (grain > 32 && product->columns < grain * threads) grain /= 2;
    graft_in_turns(product->columns, grain, product->inner * product->columns, threads, &call, packed_part);
}

// MARK: Gradients with their updates

/// What one thread needs beside the slots: a tile, the rows of `left` that go with it and the next, the operands' pointers.
static size_t tile_work_size(const graft_program *program, const graft_gradient *gradient) {
    int64_t rows = gradient->is_packed ? graft_rows_unpacked : graft_gradient_tile_rows;
    size_t floats = (size_t)(graft_gradient_tile_rows * graft_gradient_tile_columns + 2 * rows * gradient->examples);
    size_t size = floats * sizeof(float) + (size_t)program->operand_count * sizeof(float *);
    return (size + 63) / 64 * 64;
}

static size_t panels_size(const graft_gradient *gradient) {
    return (size_t)((gradient->columns + 31) / 32 * 32 * gradient->examples) * sizeof(float);
}

size_t graft_gradient_program_scratch_size(const graft_program *program, const graft_gradient *gradient, int threads) {
    size_t each = graft_program_scratch_size(program, 1) + tile_work_size(program, gradient);
    return panels_size(gradient) + each * (size_t)threads;
}

typedef struct {
    const graft_program *program;
    const graft_gradient *gradient;
    const float *panels;
    const float *const *operands;
    float *const *outputs;
    const graft_rounding *roundings;
    char *scratch;
    /// Where the program is a rule.
    const graft_rule_kernels *rule;
    graft_rule_call call;
    graft_zeros zeros;
    /// What is multiplied with the new kernel at once, and where its sums go.
    const graft_thin_product *ahead;
    float *sums;
    /// Whether the input's gradient is computed along with the update.
    bool is_joined;
    /// The rows of a turn.
    int64_t turn;
} gradient_call;

static void gradient_part(void *context, int part, int64_t begin, int64_t end) {
    const gradient_call *call = context;
    size_t slots = graft_program_scratch_size(call->program, 1), work = tile_work_size(call->program, call->gradient);
    char *scratch = call->scratch + (size_t)part * (slots + work);
    if (call->is_joined) {
        graft_update_behind_row_product(call->rule, &call->call, call->gradient, &call->zeros, call->panels,
                                        begin, end, (float *)(scratch + slots));
    } else if (call->rule) {
        float *sums = call->ahead ? call->sums + begin / call->turn * call->ahead->rows * call->ahead->columns : NULL;
        call->rule->gradient(&call->call, call->gradient, &call->zeros, call->panels, call->ahead, sums, begin, end,
                             (float *)(scratch + slots));
    } else
        graft_chosen_kernels()->gradient_program(call->program, call->gradient, call->panels, call->operands,
                                                 call->outputs, call->roundings, begin, end, scratch,
                                                 scratch + slots);
}

// A rule's first array is the gradient, and its rows are whole vectors.
bool graft_gradient_is_compiled(const graft_program *program, const graft_gradient *gradient) {
    return program->rule.rule >= 0 && program->rule.arrays[0] == gradient->operand && gradient->columns % 32 == 0;
}

// MARK: Rows of zeros

int graft_postponable_operand(const graft_program *program, const graft_gradient *gradient) {
    if (!graft_gradient_is_compiled(program, gradient) || gradient->examples > graft_most_listed) return -1;
    graft_rest rest = graft_rest_of(program);
    // What waits is made smaller by the number of a later step, so the number must not change.
    bool is_constant = rest.array >= 0 && program->rule.numbers[rest.number] < 0;
    return is_constant ? program->rule.arrays[rest.array] : -1;
}

typedef struct {
    const graft_program *program;
    const graft_gradient *gradient;
    graft_rule_call call;
} catch_up_call;

static void catch_up_part(void *context, int part, int64_t begin, int64_t end) {
    const catch_up_call *call = context;
    graft_chosen_rule(call->program)->catch_up(&call->call, call->gradient->columns, call->gradient->postponed, begin,
                                               end);
}

void graft_catch_up(const graft_program *program, const graft_gradient *gradient, void *state, int threads) {
    graft_rest rest = graft_rest_of(program);
    bool waits = false;
    for (int64_t i = 0; i < gradient->rows && !waits; i++) waits = gradient->postponed->counts[i] > 0;
    if (!waits) return;
    catch_up_call call = {.program = program, .gradient = gradient};
    call.call.arrays[rest.array] = state;
    call.call.numbers[rest.number] = program->rule.constants[rest.number];
    graft_in_turns(gradient->rows, 64, gradient->rows * gradient->columns, threads, &call, catch_up_part);
}

/// The bits of infinity: those of finite numbers, without the sign, are smaller.
enum { infinity_bits = 0x7f800000 };

/// The largest magnitude, as bits.
static int32_t largest_bits(const float *numbers, int64_t count) {
    int32_t largest = 0;
    for (int64_t i = 0; i < count; i++) {
        int32_t bits;
        memcpy(&bits, numbers + i, sizeof bits);
        bits &= 0x7fffffff;
        largest = bits > largest ? bits : largest;
    }
    return largest;
}

/// Whether rows of zeros may be left alone: the rule does not change them, and but for the kernel's they are in their place
/// already.
static bool may_rest(graft_rest rest, const graft_program *program, const graft_gradient *gradient,
                     const graft_rule_call *call) {
    if (!rest.rests || (rest.array >= 0 && !gradient->postponed)) return false;
    if (rest.epsilon >= 0 && !(call->numbers[rest.epsilon] > 0)) return false;
    for (int i = 0; i < program->output_count - 1; i++)
        if (call->arrays[i + 1] != call->results[i]) return false;
    return largest_bits(call->numbers, graft_rule_numbers) < infinity_bits;
}

/// What becomes of zeros; where they cannot be left out, rows that wait catch up first.
static graft_zeros treat_zeros(const graft_program *program, const graft_gradient *gradient, const graft_rule_call *call,
                               int threads) {
    int kernel = program->output_count - 1;
    graft_zeros zeros = {.postponed = gradient->postponed, .moves = call->arrays[kernel + 1] != call->results[kernel]};
    zeros.are_skipped = gradient->examples <= graft_most_listed;
    for (int64_t i = 0; i < gradient->examples && zeros.are_skipped; i++) {
        int32_t largest = largest_bits(gradient->right + i * gradient->columns, gradient->columns);
        zeros.are_skipped = largest < infinity_bits;
        // An example that is already right, as far as 32 bits can tell, teaches nothing.
        zeros.least[i] = largest > 0 ? 1 : infinity_bits;
    }
    graft_rest rest = graft_rest_of(program);
    zeros.rest = zeros.are_skipped && may_rest(rest, program, gradient, call);
    if (zeros.are_skipped || !zeros.postponed) return zeros;
    graft_catch_up(program, gradient, (void *)call->arrays[rest.array], threads);
    return (graft_zeros){0};
}

/// Ends a step: its random bits are kept for the rows that wait.
static void end_step(const graft_program *program, const graft_rule_call *call, graft_postponed *postponed) {
    // Results replace the arrays behind the gradient in their order.
    postponed->roundings[postponed->step] = call->roundings[graft_rest_of(program).array - 1];
    postponed->step++;
}

void graft_run_gradient_program(const graft_program *program, const graft_gradient *gradient,
                                const float *const *operands, float *const *outputs,
                                const graft_rounding *roundings, const graft_thin_product *ahead, void *sums,
                                void *scratch, int threads) {
    // Rows that a thread takes at once: half a megabyte of each array, where rows are long.
    enum { usual_turn = 16 * graft_gradient_tile_rows };
    float *panels = scratch;
    const graft_kernels *kernels = graft_chosen_kernels();
    kernels->pack_right(gradient, panels);
    gradient_call call = {.program = program,
                          .gradient = gradient,
                          .panels = panels,
                          .operands = operands,
                          .outputs = outputs,
                          .roundings = roundings,
                          .scratch = (char *)scratch + panels_size(gradient),
                          .turn = usual_turn};
    if (graft_gradient_is_compiled(program, gradient)) {
        call.rule = graft_chosen_rule(program);
        call.call = graft_call_rule(program, operands, outputs, roundings);
        call.zeros = treat_zeros(program, gradient, &call.call, threads);
        // A turn is a block of the product, so that its sums are added up in the order of the product alone.
        if (ahead) call.turn = product_block(ahead);
        call.ahead = ahead;
        call.sums = sums;
        call.is_joined = gradient->input_gradient && !ahead;
        if (call.is_joined) call.turn = 4 * graft_rows_behind_product;
    }
    if (gradient->input_gradient && !call.is_joined) graft_run_row_product(gradient->input_gradient, threads);
    int64_t work = gradient->rows * gradient->columns * (gradient->examples + program->instruction_count) / 2;
    graft_in_turns(gradient->rows, call.turn, work, threads, &call, gradient_part);
    if (gradient->postponed) end_step(program, &call.call, gradient->postponed);
}
