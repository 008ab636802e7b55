// Poolings, reductions, softmax, copies, random numbers, rotated weights.
#include "support.h"

// MARK: Poolings

/// Calls `visit` for every pixel of every window.
static void for_windows(const graft_pooling *p, void (*visit)(void *context, int64_t window, int64_t pixel), void *context) {
    for (int64_t n = 0; n < p->batch; n++)
        for (int64_t y = 0; y < p->output_height; y++)
            for (int64_t x = 0; x < p->output_width; x++)
                for (int64_t i = 0; i < p->window_height; i++)
                    for (int64_t j = 0; j < p->window_width; j++) {
                        int64_t row = y * p->stride_height + i - p->padding_top, column = x * p->stride_width + j - p->padding_left;
                        if (row < 0 || row >= p->input_height || column < 0 || column >= p->input_width) continue;
                        visit(context, (n * p->output_height + y) * p->output_width + x,
                              (n * p->input_height + row) * p->input_width + column);
                    }
}

typedef struct {
    int64_t channels, windows;
    const float *input, *gradient;
    float *largest, *sums, *largest_gradient, *mean_gradient;
    int64_t *counts, *where;
} pooled;

static void visit_input(void *context, int64_t window, int64_t pixel) {
    pooled *p = context;
    for (int64_t c = 0; c < p->channels; c++) {
        int64_t at = window * p->channels + c, from = pixel * p->channels + c;
        if (p->counts[window] == 0 || p->input[from] > p->largest[at]) p->largest[at] = p->input[from], p->where[at] = from;
        p->sums[at] = (p->counts[window] == 0 ? 0 : p->sums[at]) + p->input[from];
    }
    p->counts[window]++;
}

static void visit_gradient(void *context, int64_t window, int64_t pixel) {
    pooled *p = context;
    for (int64_t c = 0; c < p->channels; c++)
        p->mean_gradient[pixel * p->channels + c] += p->gradient[window * p->channels + c] / (float)p->counts[window];
}

static graft_pooling random_pooling(void) {
    graft_pooling p = {.batch = between(1, 3), .channels = between(1, 90), .input_height = between(1, 14),
                       .input_width = between(1, 14), .window_height = between(1, 4), .window_width = between(1, 4),
                       .stride_height = between(1, 3), .stride_width = between(1, 3)};
    // Every window sees a pixel at least.
    p.padding_top = between(0, p.window_height - 1), p.padding_left = between(0, p.window_width - 1);
    p.output_height = (p.input_height + p.padding_top - 1) / p.stride_height + 1;
    p.output_width = (p.input_width + p.padding_left - 1) / p.stride_width + 1;
    p.output_pixel_stride = p.channels;
    return p;
}

void check_poolings(int threads) {
    graft_pooling p = random_pooling();
    int64_t windows = p.batch * p.output_height * p.output_width, count = p.batch * p.input_height * p.input_width * p.channels;
    pooled all = {.channels = p.channels, .windows = windows, .input = numbers(count, -1, 1),
                  .gradient = integers(windows * p.channels, 0)};
    all.largest = empty(windows * p.channels), all.sums = empty(windows * p.channels);
    all.counts = memset(bytes((size_t)windows * 8), 0, (size_t)windows * 8);
    all.where = bytes((size_t)(windows * p.channels) * 8);
    all.mean_gradient = memset(empty(count), 0, (size_t)count * 4), all.largest_gradient = memset(empty(count), 0, (size_t)count * 4);
    for_windows(&p, visit_input, &all);
    for_windows(&p, visit_gradient, &all);
    float *means = empty(windows * p.channels), *output = empty(windows * p.channels), *gradient = empty(count);
    p.relu = chance(30);
    for (int64_t i = 0; i < windows * p.channels; i++) {
        means[i] = all.sums[i] / (float)all.counts[i / p.channels];
        if (p.relu && means[i] < 0) means[i] = 0;
        all.largest_gradient[all.where[i]] += all.gradient[i];
    }
    graft_average_pooling(&p, all.input, output, threads);
    expect_close("average pooling", output, means, windows * p.channels, 1e-6);
    graft_average_pooling_gradient(&p, all.gradient, gradient, threads);
    expect_close("average pooling's gradient", gradient, all.mean_gradient, count, 1e-6);
    p.relu = false;
    graft_maximum_pooling(&p, all.input, output, threads);
    expect_close("maximum pooling", output, all.largest, windows * p.channels, 0);
    graft_maximum_pooling_gradient(&p, all.input, all.gradient, gradient, threads);
    expect_close("maximum pooling's gradient", gradient, all.largest_gradient, count, 0);
    p.is_bfloat16 = true;
    uint16_t *narrow = to_bfloat16(all.input, count), *result = bytes((size_t)(windows * p.channels) * 2);
    graft_maximum_pooling(&p, narrow, result, threads);
    expect_close("maximum pooling in bfloat16", to_float32(result, windows * p.channels), all.largest, windows * p.channels, 0x1p-8);
    graft_average_pooling(&p, narrow, result, threads);
    for (int64_t i = 0; i < windows * p.channels; i++) means[i] = all.sums[i] / (float)all.counts[i / p.channels];
    expect_close("average pooling in bfloat16", to_float32(result, windows * p.channels), means, windows * p.channels, 0x1p-7);
}

// MARK: Reductions

static void check_reduction(int threads) {
    int rank = (int)between(1, 4);
    int64_t sizes[4], strides[4], count = 1, kept_count = 1;
    for (int axis = rank - 1; axis >= 0; axis--) sizes[axis] = between(1, axis == rank - 1 ? 200 : 12), strides[axis] = count, count *= sizes[axis];
    graft_reduction_axes axes = {0};
    for (int axis = 0; axis < rank; axis++) {
        bool is_kept = chance(50);
        int32_t *position = is_kept ? &axes.kept_rank : &axes.reduced_rank;
        (is_kept ? axes.kept_sizes : axes.reduced_sizes)[*position] = sizes[axis];
        (is_kept ? axes.kept_strides : axes.reduced_strides)[*position] = strides[axis];
        (*position)++;
        if (is_kept) kept_count *= sizes[axis];
    }
    float *input = integers(count, 10);
    for (int reduction = graft_reduce_sum; reduction <= graft_reduce_maximum; reduction++) {
        float *expected = empty(kept_count), *output = empty(kept_count);
        for (int64_t i = 0; i < kept_count; i++) expected[i] = reduction == graft_reduce_maximum ? -INFINITY : 0;
        for (int64_t i = 0; i < count; i++) {
            int64_t at = 0;
            for (int axis = 0; axis < axes.kept_rank; axis++)
                at = at * axes.kept_sizes[axis] + i / axes.kept_strides[axis] % axes.kept_sizes[axis];
            expected[at] = reduction == graft_reduce_maximum ? fmaxf(expected[at], input[i]) : expected[at] + input[i];
        }
        if (reduction == graft_reduce_mean)
            for (int64_t i = 0; i < kept_count; i++) expected[i] /= (float)(count / kept_count);
        graft_reduce(reduction, &axes, input, output, bytes(graft_reduce_scratch_size(&axes, threads)), threads);
        expect_close("a reduction", output, expected, kept_count, 1e-6);
    }
}

static void check_softmax(int threads) {
    int64_t rows = between(1, 9), columns = between(1, 300);
    float *input = numbers(rows * columns, -8, 8), *output = empty(rows * columns), *expected = empty(rows * columns);
    bool logarithm = chance(50);
    for (int64_t i = 0; i < rows; i++) {
        double largest = -INFINITY, sum = 0;
        for (int64_t j = 0; j < columns; j++) largest = fmax(largest, input[i * columns + j]);
        for (int64_t j = 0; j < columns; j++) sum += exp(input[i * columns + j] - largest);
        for (int64_t j = 0; j < columns; j++) {
            double value = input[i * columns + j] - largest - log(sum);
            expected[i * columns + j] = (float)(logarithm ? value : exp(value));
        }
    }
    graft_softmax(logarithm, rows, columns, input, output, threads);
    expect_close("softmax", output, expected, rows * columns, 1e-5);
}

// MARK: Copies

static void check_copy(int threads) {
    int64_t rows = between(1, 9), columns = between(1, 300), wider = columns + between(0, 40), target_wider = columns + between(0, 40);
    graft_block_copy block = {.rank = 2, .sizes = {rows, columns}, .source_strides = {wider, 1}, .target_strides = {target_wider, 1}};
    int64_t source_count = (rows - 1) * wider + columns, target_count = (rows - 1) * target_wider + columns;
    float *source = integers(source_count, 0), *target = integers(target_count, 0), *expected = empty(target_count);
    memcpy(expected, target, (size_t)target_count * sizeof *target);
    for (int64_t i = 0; i < rows; i++)
        memcpy(expected + i * target_wider, source + i * wider, (size_t)columns * sizeof *source);
    graft_copy_block(&block, source, target, sizeof(float), threads);
    expect_close("a copy", target, expected, target_count, 0);
    graft_add_to(target, expected, target_count);
    for (int64_t i = 0; i < target_count; i++) expected[i] *= 2;
    expect_close("a sum", target, expected, target_count, 0);
    int64_t bytes_to_clear = between(0, target_count * 4);
    memset(expected, 0, (size_t)bytes_to_clear);
    graft_fill_zero(target, bytes_to_clear, threads);
    expect_close("zeros", target, expected, target_count, 0);
}

static void check_rotation(int threads) {
    graft_weight_rotation rotation = {.positions = between(1, 9), .inputs = between(1, 70), .outputs = between(1, 70)};
    int64_t size = rotation.inputs * rotation.outputs;
    float *source = integers(rotation.positions * size, 0), *expected = empty(rotation.positions * size);
    rotation.source = source, rotation.target = empty(rotation.positions * size);
    for (int64_t k = 0; k < rotation.positions; k++)
        for (int64_t i = 0; i < rotation.inputs; i++)
            for (int64_t o = 0; o < rotation.outputs; o++)
                expected[(rotation.positions - 1 - k) * size + o * rotation.inputs + i] = source[k * size + i * rotation.outputs + o];
    graft_rotate_weights(&rotation, threads);
    expect_close("rotated weights", rotation.target, expected, rotation.positions * size, 0);
}

/// Numbers in [0, 1), the same however many there are and however they are shared.
static void check_random(int threads) {
    int64_t count = between(1, 3000), more = count + between(1, 100);
    float *once = empty(count), *again = empty(more);
    graft_random_uniform(7, 3, count, once, threads);
    graft_random_uniform(7, 3, more, again, 1);
    expect_close("random numbers", once, again, count, 0);
    for (int64_t i = 0; i < count; i++)
        if (!(once[i] >= 0 && once[i] < 1)) {
            fprintf(stderr, "random number %lld on %s is %g\n", (long long)i, graft_instruction_set(), (double)once[i]);
            exit(1);
        }
}

void check_others(int threads) {
    check_reduction(threads);
    check_softmax(threads);
    check_copy(threads);
    check_rotation(threads);
    check_random(threads);
}
