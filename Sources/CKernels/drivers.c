// Picks the kernels for the processor and calls them for the ranges of their work.
#include <pthread.h>
#include <string.h>
#include "ranges.h"
#include "table.h"

// MARK: Choice

static const graft_kernels *chosen;
static pthread_once_t chosen_once = PTHREAD_ONCE_INIT;

#if defined(__x86_64__)

int graft_instruction_set_count(void) {
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 1;
    bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                __builtin_cpu_supports("avx512cd");
    return wide ? 3 : 2;
}

static const graft_kernels *const all_kernels[] = {&graft_kernels_plain, &graft_kernels_avx2, &graft_kernels_avx512};

#else

int graft_instruction_set_count(void) { return 1; }

static const graft_kernels *const all_kernels[] = {&graft_kernels_plain};

#endif

static void choose_best(void) { chosen = all_kernels[graft_instruction_set_count() - 1]; }

const graft_kernels *graft_chosen_kernels(void) {
    pthread_once(&chosen_once, choose_best);
    return chosen;
}

const graft_optimizer_kernels *graft_chosen_optimizer(const graft_program *program) {
    const graft_optimizer_match *match = &program->optimizer;
    return match->kernel < 0 ? NULL : &graft_chosen_kernels()->optimizers[match->has_bfloat16_state][match->kernel];
}

void graft_use_instruction_set(int index) {
    pthread_once(&chosen_once, choose_best);
    if (index >= 0 && index < graft_instruction_set_count()) chosen = all_kernels[index];
}

const char *graft_instruction_set(void) { return graft_chosen_kernels()->name; }

// MARK: Programs

static size_t block_scratch_size(const graft_program *program) {
    size_t size = (size_t)program->slot_count * (graft_block * sizeof(float) + sizeof(float *));
    return (size + 63) / 64 * 64;
}

size_t graft_program_scratch_size(const graft_program *program, int threads) {
    return block_scratch_size(program) * (size_t)threads;
}

typedef struct {
    const graft_program *program;
    const graft_arguments *arguments;
    char *scratch;
} program_call;

static void program_part(void *context, int part, int64_t begin, int64_t end) {
    const program_call *call = context;
    graft_chosen_kernels()->program(call->program, call->arguments, begin, end,
                                    call->scratch + (size_t)part * block_scratch_size(call->program));
}

typedef struct {
    const graft_optimizer_kernels *kernels;
    graft_optimizer_call call;
} optimizer_run;

static void optimizer_part(void *context, int part, int64_t begin, int64_t end) {
    const optimizer_run *run = context;
    run->kernels->range(&run->call, begin, end);
}

void graft_run_program(const graft_program *program, const graft_arguments *arguments, int64_t count, void *scratch,
                       int threads) {
    int64_t work = count * (program->instruction_count + 1) / 2;
    if (program->optimizer.kernel >= 0) {
        optimizer_run run = {graft_chosen_optimizer(program), graft_make_optimizer_call(program, arguments)};
        graft_for_static(count, graft_block, work, threads, &run, optimizer_part);
        return;
    }
    program_call call = {program, arguments, scratch};
    graft_for_static(count, graft_block, work, threads, &call, program_part);
}

// MARK: Reductions

typedef struct {
    int reduction;
    const graft_reduction_axes *axes;
    const float *input;
    float *output;
    double *partial;
    /// An array as [outer, rows, columns], reduced over the rows, which are divided into segments.
    int64_t outer, rows, columns, segments;
} reduce_call;

enum reduce_kind { reduce_to_rows, reduce_to_columns, reduce_any };

static int64_t product(const int64_t *sizes, int rank) {
    int64_t result = 1;
    for (int axis = 0; axis < rank; axis++) result *= sizes[axis];
    return result;
}

/// Describes the array as [outer, rows, columns] where that is possible.
static enum reduce_kind classify(const graft_reduction_axes *axes, int threads, reduce_call *call) {
    int64_t kept = product(axes->kept_sizes, axes->kept_rank);
    call->outer = kept;
    call->rows = product(axes->reduced_sizes, axes->reduced_rank);
    call->columns = call->segments = 1;
    if (axes->reduced_rank != 1) return reduce_any;
    int last = axes->kept_rank - 1;
    if (axes->reduced_strides[0] == 1) {
        bool dense = axes->kept_rank == 0 || (axes->kept_rank == 1 && axes->kept_strides[0] == call->rows);
        return dense ? reduce_to_rows : reduce_any;
    }
    if (last < 0 || last > 1 || axes->kept_strides[last] != 1) return reduce_any;
    int64_t columns = axes->kept_sizes[last];
    if (axes->reduced_strides[0] != columns) return reduce_any;
    if (last == 1 && axes->kept_strides[0] != call->rows * columns) return reduce_any;
    call->columns = columns;
    call->outer = kept / columns;
    call->segments = call->outer < threads && call->rows > threads ? threads : 1;
    return reduce_to_columns;
}

size_t graft_reduce_scratch_size(const graft_reduction_axes *axes, int threads) {
    reduce_call call;
    if (classify(axes, threads, &call) != reduce_to_columns) return 0;
    return (size_t)(call.outer * call.segments * call.columns) * sizeof(double);
}

static void rows_part(void *context, int part, int64_t begin, int64_t end) {
    const reduce_call *call = context;
    graft_chosen_kernels()->reduce_rows(call->reduction, call->input, call->rows, begin, end, call->output);
}

static void general_part(void *context, int part, int64_t begin, int64_t end) {
    const reduce_call *call = context;
    graft_chosen_kernels()->reduce_general(call->reduction, call->axes, call->input, begin, end, call->output);
}

/// Segments of rows, counted through all of the outer axis, each to a row of partial results.
static void columns_part(void *context, int part, int64_t begin, int64_t end) {
    const reduce_call *call = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t outer = i / call->segments, segment = i % call->segments;
        int64_t first = call->rows * segment / call->segments, last = call->rows * (segment + 1) / call->segments;
        graft_chosen_kernels()->reduce_columns(
            call->reduction, call->input + (outer * call->rows + first) * call->columns, last - first, call->columns,
            0, call->columns, call->partial + i * call->columns);
    }
}

static void join_segments(const reduce_call *call) {
    double scale = call->reduction == graft_reduce_mean ? 1.0 / (double)call->rows : 1.0;
    for (int64_t outer = 0; outer < call->outer; outer++) {
        for (int64_t column = 0; column < call->columns; column++) {
            const double *partial = call->partial + outer * call->segments * call->columns + column;
            double result = partial[0];
            for (int64_t segment = 1; segment < call->segments; segment++) {
                double next = partial[segment * call->columns];
                if (call->reduction != graft_reduce_maximum)
                    result += next;
                else if (next > result || next != next)
                    result = next;
            }
            call->output[outer * call->columns + column] = (float)(result * scale);
        }
    }
}

void graft_reduce(int reduction, const graft_reduction_axes *axes, const float *input, float *output, void *scratch,
                  int threads) {
    reduce_call call = {.reduction = reduction, .axes = axes, .input = input, .output = output, .partial = scratch};
    enum reduce_kind kind = classify(axes, threads, &call);
    int64_t work = call.outer * call.rows * call.columns;
    if (kind == reduce_to_rows) {
        graft_for_static(call.outer, 1, work, threads, &call, rows_part);
    } else if (kind == reduce_to_columns) {
        graft_for_static(call.outer * call.segments, 1, work, threads, &call, columns_part);
        join_segments(&call);
    } else {
        graft_for_static(call.outer, 1, work, threads, &call, general_part);
    }
}

typedef struct {
    bool logarithm;
    int64_t columns;
    const float *input;
    float *output;
} softmax_call;

static void softmax_part(void *context, int part, int64_t begin, int64_t end) {
    const softmax_call *call = context;
    graft_chosen_kernels()->softmax(call->logarithm, call->input, call->columns, begin, end, call->output);
}

void graft_softmax(bool logarithm, int64_t rows, int64_t columns, const float *input, float *output, int threads) {
    softmax_call call = {logarithm, columns, input, output};
    graft_for_static(rows, 1, rows * columns * 8, threads, &call, softmax_part);
}

// MARK: Pooling

typedef struct {
    const graft_pooling *pooling;
    bool maximum;
    const float *input, *output_gradient;
    float *result;
} pooling_call;

static int64_t pooling_work(const graft_pooling *p) {
    return p->batch * p->output_height * p->output_width * p->channels * p->window_height * p->window_width;
}

static void pooling_part(void *context, int part, int64_t begin, int64_t end) {
    const pooling_call *call = context;
    const graft_kernels *kernels = graft_chosen_kernels();
    (call->maximum ? kernels->maximum_pooling : kernels->average_pooling)(call->pooling, call->input, call->result,
                                                                          begin, end);
}

/// Images are divided into strips of at most this many channels, so that small batches keep all threads busy.
enum { channel_strip = 64 };

static void pooling_gradient_part(void *context, int part, int64_t begin, int64_t end) {
    const pooling_call *call = context;
    const graft_pooling *p = call->pooling;
    int64_t strips = (p->channels + channel_strip - 1) / channel_strip;
    for (int64_t i = begin; i < end; i++) {
        int64_t image = i / strips, first = i % strips * channel_strip;
        int64_t last = first + channel_strip < p->channels ? first + channel_strip : p->channels;
        int64_t inside = image * p->input_height * p->input_width * p->channels;
        const float *gradient = call->output_gradient + image * p->output_height * p->output_width * p->channels;
        if (call->maximum)
            graft_chosen_kernels()->maximum_pooling_gradient(p, call->input + inside, gradient, call->result + inside,
                                                             first, last);
        else
            graft_chosen_kernels()->average_pooling_gradient(p, gradient, call->result + inside, first, last);
    }
}

static void run_pooling(const pooling_call *call, int threads) {
    const graft_pooling *p = call->pooling;
    graft_for_stealing(p->batch * p->output_height, 4, pooling_work(p), threads, (void *)call, pooling_part);
}

static void run_pooling_gradient(const pooling_call *call, int threads) {
    const graft_pooling *p = call->pooling;
    int64_t strips = (p->channels + channel_strip - 1) / channel_strip;
    graft_for_static(p->batch * strips, 1, pooling_work(p), threads, (void *)call, pooling_gradient_part);
}

void graft_maximum_pooling(const graft_pooling *pooling, const void *input, void *output, int threads) {
    run_pooling(&(pooling_call){pooling, true, input, NULL, output}, threads);
}

void graft_average_pooling(const graft_pooling *pooling, const void *input, void *output, int threads) {
    run_pooling(&(pooling_call){pooling, false, input, NULL, output}, threads);
}

void graft_maximum_pooling_gradient(const graft_pooling *pooling, const float *input, const float *output_gradient,
                                    float *input_gradient, int threads) {
    run_pooling_gradient(&(pooling_call){pooling, true, input, output_gradient, input_gradient}, threads);
}

void graft_average_pooling_gradient(const graft_pooling *pooling, const float *output_gradient,
                                    float *input_gradient, int threads) {
    run_pooling_gradient(&(pooling_call){pooling, false, NULL, output_gradient, input_gradient}, threads);
}

// MARK: Copies and random numbers

typedef struct {
    const graft_block_copy *copy;
    const char *source;
    char *target;
    int64_t run, element_size;
} copy_call;

static void copy_part(void *context, int part, int64_t begin, int64_t end) {
    const copy_call *call = context;
    const graft_block_copy *copy = call->copy;
    for (int64_t i = begin; i < end; i++) {
        int64_t rest = i, from = 0, to = 0;
        for (int axis = copy->rank - 2; axis >= 0; axis--) {
            int64_t position = rest % copy->sizes[axis];
            rest /= copy->sizes[axis];
            from += position * copy->source_strides[axis];
            to += position * copy->target_strides[axis];
        }
        memcpy(call->target + to * call->element_size, call->source + from * call->element_size,
               (size_t)(call->run * call->element_size));
    }
}

void graft_copy_block(const graft_block_copy *copy, const void *source, void *target, int64_t element_size,
                      int threads) {
    int64_t run = copy->rank == 0 ? 1 : copy->sizes[copy->rank - 1];
    int64_t runs = product(copy->sizes, copy->rank) / (run ? run : 1);
    copy_call call = {copy, source, target, run, element_size};
    graft_for_static(runs, 1, runs * run, threads, &call, copy_part);
}

static void zero_part(void *context, int part, int64_t begin, int64_t end) {
    memset((char *)context + begin, 0, (size_t)(end - begin));
}

void graft_fill_zero(void *target, int64_t size, int threads) {
    graft_for_static(size, 4096, size / (int64_t)sizeof(float), threads, target, zero_part);
}

void graft_add_to(float *restrict target, const float *restrict source, int64_t count) {
    for (int64_t i = 0; i < count; i++) target[i] += source[i];
}

typedef struct {
    uint64_t key, stream;
    float *output;
} random_call;

static void random_part(void *context, int part, int64_t begin, int64_t end) {
    const random_call *call = context;
    graft_chosen_kernels()->random_uniform(call->key, call->stream, begin, end, call->output + 4 * begin);
}

void graft_random_uniform(uint64_t key, uint64_t stream, int64_t count, float *output, int threads) {
    random_call call = {key, stream, output};
    int64_t blocks = count / 4;
    graft_for_static(blocks, 16, blocks * 16, threads, &call, random_part);
    if (count % 4) {
        float last[4];
        graft_chosen_kernels()->random_uniform(key, stream, blocks, blocks + 1, last);
        memcpy(output + 4 * blocks, last, (size_t)(count % 4) * sizeof(float));
    }
}
