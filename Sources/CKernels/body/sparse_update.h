// A gradient with its optimizer where most inputs are zero: products with zeros are skipped, and rows without a gradient are
// lazy.

/// What is done with rows of a gradient.
typedef struct {
    optimizer o;
    const optimizer_memory *memory;
    const graft_gradient *g;
    const graft_sparsity *sparsity;
    const float *panels;
    /// NULL, or the next batch's product, and its partial sums.
    const graft_skinny_nn *next;
    float *next_sums;
    /// Where this batch's inputs come from, and the next one's.
    const input_source *now_source, *next_source;
} sparse_update;

/// The inputs of eight rows: this batch's, and the next one's where its product is computed as well.
typedef struct {
    int64_t row;
    tile_inputs now, next;
} row_inputs;

/// Whether the optimizer runs on a row now: a row of zeros can be deferred, as long as its steps can be counted.
INLINE bool is_updated(const sparse_update *u, const row_inputs *inputs, int row) {
    return !u->sparsity->skips_rows || has_nonzero(&inputs->now, row) ||
           deferred_steps(u->sparsity->lazy, inputs->row + row) == UINT8_MAX;
}

/// Whether a row of the kernel is read although it is not updated.
INLINE bool is_read(const sparse_update *u, const row_inputs *inputs, int row) {
    return u->sparsity->writes_elsewhere || (u->next && has_nonzero(&inputs->next, row));
}

/// Prefetches what will be read of a part of a row: all arrays, the kernel alone, or nothing.
INLINE void fetch_part(const sparse_update *u, const row_inputs *inputs, int row, int64_t column, int panels) {
    if (row >= inputs->now.rows) return;
    int first = is_updated(u, inputs, row) ? 1 : u->o.arrays - is_read(u, inputs, row);
    int64_t position = (inputs->row + row) * u->g->columns + column;
    for (int i = first; i < u->o.arrays; i++)
        for (int j = 0; j < 2 * panels; j++) fetch_array(u->memory, i, position + j * VECTOR);
}

/// Updates a part of a row whose gradient is known.
INLINE void update_part_of_row(const sparse_update *u, const vector *gradient, int64_t position, int panels,
                               vector *kernel) {
    UNROLLED for (int i = 0; i < 2 * panels; i++, position += VECTOR) {
        vector loaded[graft_optimizer_arrays], computed[graft_optimizer_results];
        loaded[0] = gradient[i];
        UNROLLED for (int j = 1; j < u->o.arrays; j++) loaded[j] = load_array(u->memory, j, position);
        u->o.body(loaded, u->memory->scalars, computed);
        UNROLLED for (int j = 0; j < u->o.results; j++) store_result(u->memory, j, position, computed[j]);
        kernel[i] = computed[u->o.results - 1];
    }
}

/// Reads a part of a row of the kernel as it is, and copies it where the next value is written elsewhere.
INLINE void read_part_of_row(const sparse_update *u, int64_t position, int panels, vector *kernel) {
    const float *from = u->memory->arrays[u->o.arrays - 1] + position;
    float *to = u->memory->results[u->o.results - 1] + position;
    UNROLLED for (int i = 0; i < 2 * panels; i++) {
        kernel[i] = load(from + i * VECTOR);
        if (u->sparsity->writes_elsewhere) store(to + i * VECTOR, kernel[i]);
    }
}

/// `panels` panels of eight rows; the same of the eight rows after them are prefetched.
INLINE void update_panels(const sparse_update *u, const row_inputs *inputs, const row_inputs *after, int64_t column,
                          int panels) {
    const graft_gradient *g = u->g;
    for (int row = 0; row < inputs->now.rows; row++) {
        vector gradient[2 * sparse_panels], kernel[2 * sparse_panels];
        int64_t position = (inputs->row + row) * g->columns + column;
        fetch_part(u, after, row, column, panels);
        if (is_updated(u, inputs, row)) {
            int steps = deferred_steps(u->sparsity->lazy, inputs->row + row);
            sum_nonzero(&inputs->now, row, u->panels + column * g->examples, columns_at_once * g->examples, panels,
                        gradient);
            if (steps > 0) take_steps(u->o, u->memory, u->sparsity->lazy, steps, position, 2 * panels);
            update_part_of_row(u, gradient, position, panels, kernel);
        } else if (is_read(u, inputs, row)) {
            read_part_of_row(u, position, panels, kernel);
        }
        if (u->next)
            add_nonzero_products(&inputs->next, row, kernel, panels, u->next_sums + column * u->next->rows,
                                 columns_at_once * u->next->rows);
    }
}

INLINE void update_listed_rows(const sparse_update *u, const row_inputs *inputs, const row_inputs *after) {
    int64_t column = 0, columns = u->g->columns;
    for (; column + sparse_panels * columns_at_once <= columns; column += sparse_panels * columns_at_once)
        update_panels(u, inputs, after, column, sparse_panels);
    for (; column < columns; column += columns_at_once) update_panels(u, inputs, after, column, 1);
    if (!u->sparsity->lazy) return;
    for (int row = 0; row < inputs->now.rows; row++) {
        uint8_t *steps = u->sparsity->lazy->counts + inputs->row + row;
        *steps = is_updated(u, inputs, row) ? 0 : *steps + 1;
    }
}

/// Whether one of eight rows has deferred steps.
INLINE bool are_behind(const graft_sparsity *sparsity, int64_t row, int64_t end) {
    int sum = 0;
    for (int64_t i = row; i < end && i < row + tile_rows; i++) sum += deferred_steps(sparsity->lazy, i);
    return sum > 0;
}

/// Packs and lists the inputs of the rows from `row` on: both batches or neither, and always where rows are behind.
INLINE void prepare_rows(const sparse_update *u, int64_t row, int64_t end, row_inputs *inputs) {
    inputs->row = row;
    prepare_inputs(u->now_source, row, end, u->sparsity->skips_products, are_behind(u->sparsity, row, end), &inputs->now);
    if (u->next) prepare_inputs(u->next_source, row, end, false, inputs->now.is_listed, &inputs->next);
}

/// Rows begin ..< end of a gradient whose columns are a multiple of 32, each vector of which is used in registers.
INLINE void optimizer_gradient(optimizer o, const graft_update *update, float *next_sums, int64_t begin, int64_t end,
                               float *left) {
    const graft_gradient *g = update->gradient;
    const graft_skinny_nn *next = update->next;
    optimizer_memory memory = prepare_memory(update->call, o.bfloat16);
    float factors[2 * widest_product * graft_expanded_rows];
    input_source now_source = {g->examples, g->rows, g->left_is_bitmap ? NULL : g->left, &g->bitmap_left, left};
    input_source next_source = {0};
    if (next) next_source = (input_source){next->rows, next->inner, next->left, &next->bitmap_left, factors};
    sparse_update u = {o,    &memory,   g,           update->sparsity, update->panels,
                       next, next_sums, &now_source, &next_source};
    row_inputs inputs[2];
    if (next) clear_sums(next, next_sums);
    prepare_rows(&u, begin, end, &inputs[0]);
    for (int current = 0; begin < end; begin += tile_rows, current = !current) {
        const row_inputs *rows = &inputs[current];
        prepare_rows(&u, begin + tile_rows, end, &inputs[!current]);
        if (rows->now.is_listed)
            update_listed_rows(&u, rows, &inputs[!current]);
        else
            update_dense_rows(o, &memory, update,
                              (dense_rows){begin, rows->now.rows, rows->now.values, rows->next.values}, next_sums);
    }
}

// MARK: The table

#define KERNELS_OF(prefix, name, arrays, results, bfloat16)                                                            \
    static const optimizer prefix##optimizer_##name = {                                                                \
        body_of_##name, decay_of_##name, decayed_array_of_##name, arrays, results, bfloat16};                          \
    static void prefix##range_of_##name(const graft_optimizer_call *call, int64_t begin, int64_t end) {                \
        optimizer_range(prefix##optimizer_##name, call, begin, end);                                                   \
    }                                                                                                                  \
    static void prefix##gradient_of_##name(const graft_update *update, float *sums, int64_t begin, int64_t end,        \
                                           float *left) {                                                              \
        optimizer_gradient(prefix##optimizer_##name, update, sums, begin, end, left);                                  \
    }                                                                                                                  \
    static void prefix##catch_up_of_##name(const graft_optimizer_call *call, int64_t columns,                          \
                                           const graft_lazy_rows *lazy, int64_t begin, int64_t end) {                  \
        optimizer_catch_up(prefix##optimizer_##name, call, columns, lazy, begin, end);                                 \
    }
#define OPTIMIZER(name, array_count, scalar_count, result_count, leaves, steps, outputs, zero)                         \
    KERNELS_OF(, name, array_count, result_count, 0)                                                                   \
    KERNELS_OF(bfloat16_, name, array_count, result_count, array_count - 2)
#include "../optimizers.h"
#undef OPTIMIZER
#undef KERNELS_OF
