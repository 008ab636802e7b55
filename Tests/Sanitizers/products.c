// Products with large matrices, and gradients of dense layers with their updates.
#include "support.h"

/// `left · right + bias`, plain.
static float *product(const float *left, const float *right, const float *bias, int64_t rows, int64_t inner,
                      int64_t columns) {
    float *result = empty(rows * columns);
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < columns; j++) result[i * columns + j] = bias ? bias[j] : 0;
        for (int64_t k = 0; k < inner; k++)
            for (int64_t j = 0; j < columns; j++)
                result[i * columns + j] += left[i * inner + k] * right[k * columns + j];
    }
    return result;
}

/// Rows as the header describes `graft_bitmap_rows`.
static graft_bitmap_rows bitmap_rows(const float *array, int64_t rows, int64_t columns) {
    int64_t words = (columns + graft_bitmap_word - 1) / graft_bitmap_word, count = 0;
    for (int64_t i = 0; i < rows * columns; i++) count += array[i] != 0;
    uint64_t *masks = bytes((size_t)(words * rows) * sizeof *masks), *starts = bytes((size_t)words * sizeof *starts);
    float *values = empty(count + 16), *next = values;
    memset(values, 0, (size_t)(count + 16) * sizeof *values);
    for (int64_t word = 0; word < words; word++) {
        starts[word] = (uint64_t)(next - values);
        for (int64_t row = 0; row < rows; row++) {
            uint64_t mask = 0;
            for (int64_t bit = 0; bit < graft_bitmap_word && word * graft_bitmap_word + bit < columns; bit++) {
                float number = array[row * columns + word * graft_bitmap_word + bit];
                if (number == 0) continue;
                mask |= 1ull << bit;
                *next++ = number;
            }
            masks[word * rows + row] = mask;
        }
    }
    return (graft_bitmap_rows){masks, starts, values};
}

void check_products(int threads) {
    int64_t rows = between(1, 70), inner = between(1, 500), columns = 32 * between(1, 8);
    float *left = integers(rows * inner, 50), *right = integers(inner * columns, 0);
    // No −0.0, which the bitmap does not leave out.
    for (int64_t i = 0; i < rows * inner; i++) left[i] += 0.0f;
    float *bias = chance(50) ? integers(columns, 0) : NULL;
    const float *expected = product(left, right, bias, rows, inner, columns);
    graft_skinny_nn dense = {.rows = rows, .inner = inner, .columns = columns, .left = left, .right = right,
                               .bias = bias, .target = empty(rows * columns)};
    if (rows <= 64) {
        graft_run_skinny_nn(&dense, bytes(graft_skinny_nn_scratch_size(&dense)), threads);
        expect_close("a skinny GEMM", dense.target, expected, rows * columns, 0);
    }
    graft_skinny_nn sparse = dense;
    sparse.left = NULL;
    sparse.bitmap_left = bitmap_rows(left, rows, inner);
    sparse.target = empty(rows * columns);
    graft_run_bitmap_nn(&sparse, bytes(graft_bitmap_nn_scratch_size(&sparse, threads)), threads);
    expect_close("a skinny GEMM of bitmap-compressed rows", sparse.target, expected, rows * columns, 0);

    int64_t outputs = between(1, 300);
    float *other = integers(outputs * inner, 0), *other_transposed = empty(inner * outputs);
    for (int64_t i = 0; i < outputs; i++)
        for (int64_t j = 0; j < inner; j++) other_transposed[j * outputs + i] = other[i * inner + j];
    graft_skinny_nt transposed = {.rows = rows, .inner = inner, .columns = outputs, .left = left, .right = other,
                             .target = empty(rows * outputs)};
    graft_run_skinny_nt(&transposed, threads);
    expect_close("a skinny GEMM with a transposed matrix", transposed.target, product(left, other_transposed, NULL, rows, inner, outputs), rows * outputs, 0);
}

/// A gradient's program: an optimizer whose first operand is the gradient.
static void check_gradient(int number, int64_t examples, int64_t rows, int64_t columns, int threads) {
    optimizer_program optimizer;
    make_optimizer(number, &optimizer);
    float *left = integers(examples * rows, 50), *right = integers(examples * columns, 20);
    for (int64_t i = 0; i < examples * rows; i++) left[i] += 0.0f;
    graft_gradient gradient = {.examples = examples, .rows = rows, .columns = columns, .left = left, .right = right};
    bool compiled = graft_gradient_is_compiled(&optimizer.program, &gradient);
    gradient.left_is_bitmap = compiled && chance(30);
    if (gradient.left_is_bitmap) gradient.bitmap_left = bitmap_rows(left, examples, rows);
    int64_t count = rows * columns;
    const float *sources[8] = {NULL};
    float *targets[4], *expected[4];
    for (int i = 1; i < optimizer.array_count; i++) sources[i] = numbers(count, 0.25f, 2);
    for (int i = 0; i < optimizer.program.output_count; i++) targets[i] = empty(count), expected[i] = empty(count);
    for (int64_t row = 0; row < rows; row++)
        for (int64_t column = 0; column < columns; column++) {
            double arrays[8] = {0}, results[4];
            int64_t at = row * columns + column;
            for (int64_t e = 0; e < examples; e++) arrays[0] += left[e * rows + row] * right[e * columns + column];
            for (int i = 1; i < optimizer.array_count; i++) arrays[i] = sources[i][at];
            apply_optimizer(&optimizer, arrays, results);
            for (int i = 0; i < optimizer.program.output_count; i++) expected[i][at] = (float)results[i];
        }
    graft_skinny_nt input = {.rows = examples, .inner = columns, .columns = rows, .left = right,
                               .right = sources[optimizer.array_count - 1], .target = empty(examples * rows)};
    float *kernel_transposed = empty(count);
    for (int64_t row = 0; row < rows; row++)
        for (int64_t column = 0; column < columns; column++) kernel_transposed[column * rows + row] = input.right[row * columns + column];
    bool has_input = !gradient.left_is_bitmap && chance(50);
    const float *input_expected = product(right, kernel_transposed, NULL, examples, columns, rows);
    if (has_input) gradient.input_gradient = &input;
    void *scratch = bytes(graft_gradient_program_scratch_size(&optimizer.program, &gradient, threads));
    graft_run_gradient_program(&optimizer.program, &gradient, &(graft_arguments){sources, targets, NULL}, NULL, scratch, threads);
    for (int i = 0; i < optimizer.program.output_count; i++)
        expect_close("a gradient with its update", targets[i], expected[i], count, 1e-5);
    if (has_input) expect_close("its input's gradient", input.target, input_expected, examples * rows, 1e-5);
}

void check_gradients(int threads) {
    optimizer_program optimizer;
    int64_t examples = between(1, 66), rows = between(1, 150);
    int64_t columns = chance(60) ? 32 * between(1, 6) : between(1, 200);
    for (int number = 0; make_optimizer(number, &optimizer); number++) {
        check_gradient(number, examples, rows, columns, threads);
        release_all();
    }
}
