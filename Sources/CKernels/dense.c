// The two halves of a dense layer that trains: a skinny GEMM with its kernel, and the kernel's gradient with its update.
#include <string.h>
#include "ranges.h"
#include "table.h"

// MARK: Skinny GEMM

/// Inner positions of a block of split-K: some forty blocks, none so small that the partial sums of 64 rows are more than a
/// quarter of the kernel's elements. Whole words of bitmap-compressed rows.
static int64_t product_block(const graft_skinny_nn *product) {
    int64_t rows = product->rows < graft_most_sparse_examples ? product->rows : graft_most_sparse_examples;
    int64_t fortieth = (product->inner + 39) / 40, block = fortieth > 4 * rows ? fortieth : 4 * rows;
    return (block + graft_bitmap_word - 1) / graft_bitmap_word * graft_bitmap_word;
}

size_t graft_skinny_nn_scratch_size(const graft_skinny_nn *product) {
    int64_t block = product_block(product), blocks = (product->inner + block - 1) / block;
    return (size_t)(blocks * product->rows * product->columns) * sizeof(float);
}

typedef struct {
    const graft_skinny_nn *product;
    float *sums;
    int64_t block, blocks;
} product_call;

static void product_part(void *context, int part, int64_t begin, int64_t end) {
    const product_call *call = context;
    const graft_skinny_nn *product = call->product;
    for (int64_t i = begin; i < end; i++) {
        int64_t last = (i + 1) * call->block < product->inner ? (i + 1) * call->block : product->inner;
        graft_chosen_kernels()->skinny_nn(product, i * call->block, last,
                                          call->sums + i * product->rows * product->columns);
    }
}

static void reduce_part(void *context, int part, int64_t begin, int64_t end) {
    const product_call *call = context;
    graft_chosen_kernels()->reduce_split_k(call->product, call->sums, call->blocks, begin, end);
}

void graft_reduce_split_k(const graft_skinny_nn *product, const void *sums, int threads) {
    int64_t block = product_block(product), blocks = (product->inner + block - 1) / block;
    product_call call = {product, (float *)sums, block, blocks};
    graft_for_static(product->columns / 32, 1, blocks * product->rows * product->columns, threads, &call, reduce_part);
}

void graft_run_skinny_nn(const graft_skinny_nn *product, void *scratch, int threads) {
    int64_t block = product_block(product), blocks = (product->inner + block - 1) / block;
    product_call call = {product, scratch, block, blocks};
    graft_for_dynamic(blocks, 1, product->inner * product->columns, threads, &call, product_part);
    graft_reduce_split_k(product, scratch, threads);
}

// MARK: Bitmap-compressed rows

static size_t bitmap_sums_size(const graft_skinny_nn *product) {
    return (size_t)(2 * product->rows * graft_bitmap_columns) * sizeof(float);
}

size_t graft_bitmap_nn_scratch_size(const graft_skinny_nn *product, int threads) {
    return bitmap_sums_size(product) * (size_t)threads;
}

typedef struct {
    const graft_skinny_nn *product;
    char *scratch;
} bitmap_call;

static void bitmap_part(void *context, int part, int64_t begin, int64_t end) {
    const bitmap_call *call = context;
    float *sums = (float *)(call->scratch + (size_t)part * bitmap_sums_size(call->product));
    graft_chosen_kernels()->bitmap_nn(call->product, product_block(call->product), begin, end, sums);
}

void graft_run_bitmap_nn(const graft_skinny_nn *product, void *scratch, int threads) {
    bitmap_call call = {product, scratch};
    // Threads divide the columns, so that there is no split-K: as many at once as leave some for every thread.
    int64_t grain = graft_bitmap_columns;
    while (grain > 32 && product->columns < grain * threads) grain /= 2;
    graft_for_dynamic(product->columns, grain, product->inner * product->columns, threads, &call, bitmap_part);
}

// MARK: Gradients with their updates

/// What one thread needs besides the slots: a tile, the inputs of its rows and of the next, the operands' pointers.
static size_t tile_work_size(const graft_program *program, const graft_gradient *gradient) {
    int64_t rows = gradient->left_is_bitmap ? graft_expanded_rows : graft_gradient_tile_rows;
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
    const graft_arguments *arguments;
    graft_update update;
    /// NULL where the program is interpreted.
    const graft_optimizer_kernels *optimizer;
    char *scratch;
    /// The partial sums of the next batch's product.
    float *sums;
    /// Whether the input's gradient is computed along with the update.
    bool fuses_input_gradient;
    /// The rows that a thread takes at once.
    int64_t grain;
} gradient_call;

static void gradient_part(void *context, int part, int64_t begin, int64_t end) {
    const gradient_call *call = context;
    const graft_update *update = &call->update;
    size_t slots = graft_program_scratch_size(call->program, 1), work = tile_work_size(call->program, update->gradient);
    char *scratch = call->scratch + (size_t)part * (slots + work);
    float *left = (float *)(scratch + slots);
    if (call->fuses_input_gradient) {
        graft_update_with_skinny_nt(call->optimizer, update, begin, end, left);
    } else if (call->optimizer) {
        const graft_skinny_nn *next = update->next;
        float *sums = next ? call->sums + begin / call->grain * next->rows * next->columns : NULL;
        call->optimizer->gradient(update, sums, begin, end, left);
    } else
        graft_chosen_kernels()->gradient_program(call->program, update->gradient, update->panels, call->arguments, begin,
                                                 end, scratch, left);
}

// An optimizer's first array is the gradient, and its rows are whole vectors.
bool graft_gradient_is_compiled(const graft_program *program, const graft_gradient *gradient) {
    const graft_optimizer_match *match = &program->optimizer;
    return match->kernel >= 0 && match->arrays[0] == gradient->operand && gradient->columns % 32 == 0;
}

// MARK: Lazy rows

int graft_lazy_operand(const graft_program *program, const graft_gradient *gradient) {
    if (!graft_gradient_is_compiled(program, gradient) || gradient->examples > graft_most_sparse_examples) return -1;
    graft_zero_gradient zero = graft_on_zero_gradient(program);
    // Catch-up uses the current decay factor, so lazy rows need a constant one.
    bool is_constant = zero.state >= 0 && program->optimizer.scalars[zero.decay] < 0;
    return is_constant ? program->optimizer.arrays[zero.state] : -1;
}

typedef struct {
    const graft_program *program;
    const graft_gradient *gradient;
    graft_optimizer_call call;
} catch_up_call;

static void catch_up_part(void *context, int part, int64_t begin, int64_t end) {
    const catch_up_call *call = context;
    graft_chosen_optimizer(call->program)->catch_up(&call->call, call->gradient->columns, call->gradient->lazy, begin,
                                                    end);
}

void graft_catch_up(const graft_program *program, const graft_gradient *gradient, void *state, int threads) {
    graft_zero_gradient zero = graft_on_zero_gradient(program);
    bool is_behind = false;
    for (int64_t i = 0; i < gradient->rows && !is_behind; i++) is_behind = gradient->lazy->counts[i] > 0;
    if (!is_behind) return;
    catch_up_call call = {.program = program, .gradient = gradient};
    call.call.arrays[zero.state] = state;
    call.call.scalars[zero.decay] = program->optimizer.constants[zero.decay];
    graft_for_dynamic(gradient->rows, 64, gradient->rows * gradient->columns, threads, &call, catch_up_part);
}

// MARK: Sparsity

/// The bits of infinity: those of finite values, without the sign, are smaller.
enum { infinity_bits = 0x7f800000 };

/// The largest magnitude, as bits.
static int32_t largest_bits(const float *values, int64_t count) {
    int32_t largest = 0;
    for (int64_t i = 0; i < count; i++) {
        int32_t bits;
        memcpy(&bits, values + i, sizeof bits);
        bits &= 0x7fffffff;
        largest = bits > largest ? bits : largest;
    }
    return largest;
}

/// Whether rows of zeros may be skipped: the optimizer leaves their weights alone, and its state is updated in place.
static bool may_skip_rows(graft_zero_gradient zero, const graft_program *program, const graft_gradient *gradient,
                          const graft_optimizer_call *call) {
    if (!zero.keeps_weight || (zero.state >= 0 && !gradient->lazy)) return false;
    if (zero.epsilon >= 0 && !(call->scalars[zero.epsilon] > 0)) return false;
    for (int i = 0; i < program->output_count - 1; i++)
        if (call->arrays[i + 1] != call->results[i]) return false;
    return largest_bits(call->scalars, graft_optimizer_scalars) < infinity_bits;
}

/// Decides what is done with zeros; where they cannot be skipped, lazy rows catch up first.
static graft_sparsity find_sparsity(const graft_program *program, const graft_gradient *gradient,
                                    const graft_optimizer_call *call, int threads) {
    int kernel = program->output_count - 1;
    graft_sparsity sparsity = {.lazy = gradient->lazy,
                               .writes_elsewhere = call->arrays[kernel + 1] != call->results[kernel]};
    sparsity.skips_products = !gradient->multiplies_zeros && gradient->examples <= graft_most_sparse_examples;
    for (int64_t i = 0; i < gradient->examples && sparsity.skips_products; i++) {
        const float *row = gradient->right + i * gradient->columns;
        sparsity.skips_products = largest_bits(row, gradient->columns) < infinity_bits;
    }
    graft_zero_gradient zero = graft_on_zero_gradient(program);
    sparsity.skips_rows = sparsity.skips_products && may_skip_rows(zero, program, gradient, call);
    if (sparsity.skips_products || !sparsity.lazy) return sparsity;
    graft_catch_up(program, gradient, (void *)call->arrays[zero.state], threads);
    return (graft_sparsity){0};
}

/// Ends a step: lazy rows keep its seeds.
static void end_step(const graft_program *program, const graft_optimizer_call *call, graft_lazy_rows *lazy) {
    // Results replace the arrays after the gradient in their order.
    lazy->roundings[lazy->step] = call->roundings[graft_on_zero_gradient(program).state - 1];
    lazy->step++;
}

// MARK: Running

void graft_run_gradient_program(const graft_program *program, const graft_gradient *gradient,
                                const graft_arguments *arguments, const graft_next_batch *next, void *scratch, int threads) {
    // Half a megabyte of each array, where rows are long.
    enum { usual_grain = 16 * graft_gradient_tile_rows };
    float *panels = scratch;
    graft_chosen_kernels()->pack_right(gradient, panels);
    gradient_call call = {.program = program,
                          .arguments = arguments,
                          .update = {.gradient = gradient, .panels = panels},
                          .scratch = (char *)scratch + panels_size(gradient),
                          .grain = usual_grain};
    graft_optimizer_call optimizer_call = {0};
    graft_sparsity sparsity = {0};
    if (graft_gradient_is_compiled(program, gradient)) {
        optimizer_call = graft_make_optimizer_call(program, arguments);
        sparsity = find_sparsity(program, gradient, &optimizer_call, threads);
        call.optimizer = graft_chosen_optimizer(program);
        call.update.call = &optimizer_call;
        call.update.sparsity = &sparsity;
        // A thread takes a block of the product, so that partial sums are added in the order of the product on its own.
        if (next) call.grain = product_block(&next->product);
        call.update.next = next ? &next->product : NULL;
        call.sums = next ? next->sums : NULL;
        call.fuses_input_gradient = gradient->input_gradient && !next;
        if (call.fuses_input_gradient) call.grain = 4 * graft_fused_nt_rows;
    }
    if (gradient->input_gradient && !call.fuses_input_gradient) graft_run_skinny_nt(gradient->input_gradient, threads);
    int64_t work = gradient->rows * gradient->columns * (gradient->examples + program->instruction_count) / 2;
    graft_for_dynamic(gradient->rows, call.grain, work, threads, &call, gradient_part);
    if (gradient->lazy) end_step(program, &optimizer_call, gradient->lazy);
}
