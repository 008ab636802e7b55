// The rules of rules.h as code: a rule's steps on vectors, in the interpreter's order and with its roundings, so that both
// give the same bits.

#define STEP_square(x) ((x) * (x))
#define STEP_square_root(x) square_root(x)
#define STEP_sign(x) choose(x != x, x, choose(x > 0.0f, splat(1), splat(0)) - choose(x < 0.0f, splat(1), splat(0)))
#define STEP_add(x, y) ((x) + (y))
#define STEP_subtract(x, y) ((x) - (y))
#define STEP_multiply(x, y) ((x) * (y))
#define STEP_divide(x, y) ((x) / (y))

/// What a rule works on, with a thread's own copy of its numbers.
typedef struct {
    const float *arrays[graft_rule_arrays];
    float *results[graft_rule_results];
    vector numbers[graft_rule_numbers];
    graft_rounding roundings[graft_rule_results];
    /// How many arrays after the gradient, and how many of the first results, hold bfloat16.
    int narrow;
} rule_memory;

INLINE rule_memory prepare_rule(const graft_rule_call *call, int narrow) {
    rule_memory memory = {.narrow = narrow};
    for (int i = 0; i < narrow; i++) memory.roundings[i] = call->roundings[i];
    for (int i = 0; i < graft_rule_arrays; i++) memory.arrays[i] = call->arrays[i];
    for (int i = 0; i < graft_rule_results; i++) memory.results[i] = call->results[i];
    for (int i = 0; i < graft_rule_numbers; i++) memory.numbers[i] = splat(call->numbers[i]);
    return memory;
}

INLINE bool is_narrow_array(const rule_memory *memory, int i) { return i > 0 && i <= memory->narrow; }

INLINE vector load_array(const rule_memory *memory, int i, int64_t position) {
    if (is_narrow_array(memory, i)) return load_narrow((const uint16_t *)memory->arrays[i] + position);
    return load(memory->arrays[i] + position);
}

INLINE vector load_some_of_array(const rule_memory *memory, int i, int64_t position, int64_t count) {
    if (is_narrow_array(memory, i)) return load_some_narrow((const uint16_t *)memory->arrays[i] + position, count);
    return load_some(memory->arrays[i] + position, count, 0);
}

/// Fetches an array's elements to the second-level cache: rows that are a page apart would push each other out of the
/// first.
INLINE void fetch_array(const rule_memory *memory, int i, int64_t position) {
    if (is_narrow_array(memory, i))
        __builtin_prefetch((const uint16_t *)memory->arrays[i] + position, 0, 2);
    else
        __builtin_prefetch(memory->arrays[i] + position, 0, 2);
}

INLINE void store_result(const rule_memory *memory, int i, int64_t position, vector computed) {
    if (i < memory->narrow)
        store_narrow_by_chance((uint16_t *)memory->results[i], position, computed, memory->roundings[i]);
    else
        store(memory->results[i] + position, computed);
}

INLINE void store_some_of_result(const rule_memory *memory, int i, int64_t position, vector computed, int64_t count) {
    if (i < memory->narrow)
        store_some_narrow_by_chance((uint16_t *)memory->results[i], position, computed, count, memory->roundings[i]);
    else
        store_some(memory->results[i] + position, computed, count);
}

/// Computes a vector of each result from one of each array and the numbers.
typedef void (*rule_body)(const vector *arrays, const vector *numbers, vector *results);

/// What a rule does to its arrays where the gradient is zero.
typedef void (*rule_rest)(vector *arrays, const vector *numbers);

#define ARRAY(value, index) vector v##value = arrays[index];
#define NUMBER(value, index) vector v##value = numbers[index];
#define ONE(value, operation, a) vector v##value = STEP_##operation(v##a);
#define TWO(value, operation, a, b) vector v##value = STEP_##operation(v##a, v##b);
#define RESULT(index, value) results[index] = v##value;
#define MOVES
#define STAYS(epsilon)
#define DECAYS(array, number, epsilon) arrays[array] = numbers[number] * arrays[array];
#define RULE(name, array_count, number_count, result_count, leaves, steps, outputs, rest)                                    \
    INLINE void body_of_##name(const vector *arrays, const vector *numbers, vector *results) { leaves steps outputs }  \
    INLINE void rest_of_##name(vector *arrays, const vector *numbers) { rest }
#include "../rules.h"
#undef RULE
#undef ARRAY
#undef NUMBER
#undef ONE
#undef TWO
#undef RESULT
#undef MOVES
#undef STAYS
#undef DECAYS

#define MOVES 0
#define STAYS(epsilon) 0
#define DECAYS(array, number, epsilon) array
#define RULE(name, array_count, number_count, result_count, leaves, steps, outputs, rest)                              \
    enum { waiting_array_of_##name = rest };
#include "../rules.h"
#undef RULE
#undef MOVES
#undef STAYS
#undef DECAYS

// MARK: Rules over arrays

INLINE void rule_range(rule_body body, int arrays, int results, int narrow, const graft_rule_call *call, int64_t begin,
                       int64_t end) {
    rule_memory memory = prepare_rule(call, narrow);
    vector loaded[graft_rule_arrays], computed[graft_rule_results];
    for (; begin + VECTOR <= end; begin += VECTOR) {
        for (int i = 0; i < arrays; i++) loaded[i] = load_array(&memory, i, begin);
        body(loaded, memory.numbers, computed);
        for (int i = 0; i < results; i++) store_result(&memory, i, begin, computed[i]);
    }
    if (begin >= end) return;
    for (int i = 0; i < arrays; i++) loaded[i] = load_some_of_array(&memory, i, begin, end - begin);
    body(loaded, memory.numbers, computed);
    for (int i = 0; i < results; i++) store_some_of_result(&memory, i, begin, computed[i], end - begin);
}

// MARK: Rules over a gradient

/// Finishes the elements of one vector, whose gradient is known.
INLINE void finish_vector(rule_body body, int arrays, int results, const rule_memory *memory, vector gradient,
                          int64_t position) {
    vector loaded[graft_rule_arrays], computed[graft_rule_results];
    loaded[0] = gradient;
    for (int i = 1; i < arrays; i++) loaded[i] = load_array(memory, i, position);
    body(loaded, memory->numbers, computed);
    for (int i = 0; i < results; i++) store_result(memory, i, position, computed[i]);
}

/// Eight rows of two vectors of a gradient, on their way through a rule.
typedef struct {
    /// The tile's first number in every array.
    int64_t position;
    int rows;
    /// The tile that is fetched from memory meanwhile: the same columns of the next rows.
    int64_t fetched;
    float gradient[2 * graft_gradient_tile_rows * VECTOR];
} rule_tile;

/// Finishes one of a tile's vectors, and fetches the one below the tile.
INLINE void finish_part(rule_body body, int arrays, int results, const rule_memory *memory, const rule_tile *tile,
                        int64_t columns, int64_t part) {
    int64_t place = part / 2 * columns + part % 2 * VECTOR;
    for (int i = 1; i < arrays; i++) fetch_array(memory, i, tile->fetched + place);
    finish_vector(body, arrays, results, memory, load(tile->gradient + part * VECTOR), tile->position + place);
}

/// Adds an example's products to the sums of a tile.
INLINE void add_example(const float *left, const float *panel, vector sums[2 * tile_rows]) {
    vector first = load(panel), second = load(panel + VECTOR);
    for (int row = 0; row < tile_rows; row++) {
        sums[2 * row] += left[row] * first;
        sums[2 * row + 1] += left[row] * second;
    }
}

/// Sums a tile's gradient and finishes the tile before it between the examples: divisions and roots take long, but they
/// leave the units free that multiply.
INLINE void sum_and_finish(rule_body body, int arrays, int results, const rule_memory *memory, int64_t columns,
                           int64_t examples, const float *left, const float *panel, rule_tile *tile,
                           const rule_tile *former) {
    vector sums[2 * tile_rows];
    for (int i = 0; i < 2 * tile_rows; i++) sums[i] = splat(0);
    int64_t parts = former ? 2 * former->rows : 0, example = 0, part = 0;
    for (; example < examples && part < parts; example++, part++, left += tile_rows, panel += columns_at_once) {
        add_example(left, panel, sums);
        finish_part(body, arrays, results, memory, former, columns, part);
    }
    for (; part < parts; part++) finish_part(body, arrays, results, memory, former, columns, part);
    for (; example < examples; example++, left += tile_rows, panel += columns_at_once) add_example(left, panel, sums);
    for (int i = 0; i < 2 * tile_rows; i++) store(tile->gradient + i * VECTOR, sums[i]);
}

/// Multiplies a tile of the new kernel, which is in the first-level cache still.
INLINE void multiply_tile(const graft_thin_product *ahead, const float *factors, const rule_tile *tile, float *sums) {
    const float *right = ahead->right + tile->position;
    if (tile->rows == tile_rows)
        add_products(ahead, factors, right, tile_rows, false, sums);
    else
        add_products(ahead, factors, right, tile->rows, false, sums);
}

/// Up to eight rows of a gradient.
INLINE void rule_rows(rule_body body, int arrays, int results, const rule_memory *memory, const graft_gradient *g,
                      const float *left, const float *panels, const graft_thin_product *ahead, const float *factors,
                      float *sums_ahead, int64_t row, int64_t rows) {
    rule_tile tiles[2], *former = NULL;
    int64_t below = row + 2 * tile_rows <= g->rows ? tile_rows * g->columns : 0, count = g->columns / columns_at_once;
    // One turn more than there are tiles: each finishes the one before.
    for (int64_t index = 0; index <= count; index++) {
        rule_tile *tile = &tiles[index % 2];
        tile->position = row * g->columns + index * columns_at_once;
        tile->rows = (int)rows;
        tile->fetched = tile->position + below;
        sum_and_finish(body, arrays, results, memory, g->columns, index < count ? g->examples : 0, left,
                       panels + index * columns_at_once * g->examples, tile, former);
        if (ahead && former)
            multiply_tile(ahead, factors, former, sums_ahead + (index - 1) * columns_at_once * ahead->rows);
        former = tile;
    }
}

// MARK: Steps that were put off

/// How many steps a row waits for.
INLINE int waiting_steps(const graft_postponed *postponed, int64_t row) { return postponed ? postponed->counts[row] : 0; }

/// Takes steps that were put off, for some neighbouring vectors of the array that waits: each step for all of them before the
/// next, since a vector's steps have to wait for each other.
INLINE void take_steps(rule_rest rest, int array, const rule_memory *memory, const graft_postponed *postponed, int steps,
                       int64_t position, int count) {
    bool is_narrow = is_narrow_array(memory, array);
    vector state[2 * sparse_panels], arrays[graft_rule_arrays];
    UNROLLED for (int i = 0; i < count; i++) state[i] = load_array(memory, array, position + i * VECTOR);
    for (int step = steps; step > 0; step--) {
        graft_rounding rounding = postponed->roundings[(uint8_t)(postponed->step - step)];
        UNROLLED for (int i = 0; i < count; i++) {
            arrays[array] = state[i];
            rest(arrays, memory->numbers);
            state[i] = arrays[array];
            if (is_narrow) state[i] = rounded_by_chance(state[i], rounding, position + i * VECTOR);
        }
    }
    UNROLLED for (int i = 0; i < count; i++, position += VECTOR) {
        if (is_narrow)
            store_narrow((uint16_t *)memory->arrays[array] + position, state[i]);
        else
            store((float *)memory->arrays[array] + position, state[i]);
    }
}

// MARK: Rules over a gradient whose inputs are mostly zeros

/// What a rule does to rows of a gradient, number by number.
typedef struct {
    rule_body body;
    rule_rest rest;
    /// The array that waits where the gradient is zero.
    int array;
    int arrays, results;
    const rule_memory *memory;
    const graft_gradient *g;
    const graft_zeros *zeros;
    const float *panels;
    const graft_thin_product *ahead;
    float *sums;
    /// Where this batch's numbers come from, and the next one's.
    const number_source *now, *next;
} sparse_rule;

/// Eight rows of the inputs: this batch's, and the next one's where it is multiplied ahead.
typedef struct {
    int64_t row;
    number_list now, next;
} row_numbers;

/// Whether the rule changes a row now: one of nothing but zeros can wait, as long as its steps can be counted.
INLINE bool is_changed(const sparse_rule *rule, const row_numbers *numbers, int row) {
    return !rule->zeros->rest || has_numbers(&numbers->now, row) ||
           waiting_steps(rule->zeros->postponed, numbers->row + row) == UINT8_MAX;
}

/// Whether a row of the kernel is read although the rule does not change it.
INLINE bool is_read(const sparse_rule *rule, const row_numbers *numbers, int row) {
    return rule->zeros->moves || (rule->ahead && has_numbers(&numbers->next, row));
}

/// Fetches what will be read of a part of a row: all arrays of the rule, the kernel alone, or nothing.
INLINE void fetch_part(const sparse_rule *rule, const row_numbers *numbers, int row, int64_t column, int panels) {
    if (row >= numbers->now.rows) return;
    int first = is_changed(rule, numbers, row) ? 1 : rule->arrays - is_read(rule, numbers, row);
    int64_t position = (numbers->row + row) * rule->g->columns + column;
    for (int i = first; i < rule->arrays; i++)
        for (int j = 0; j < 2 * panels; j++) fetch_array(rule->memory, i, position + j * VECTOR);
}

/// Finishes a part of a row whose gradient is known.
INLINE void finish_part_of_row(const sparse_rule *rule, const vector *gradient, int64_t position, int panels,
                               vector *kernel) {
    UNROLLED for (int i = 0; i < 2 * panels; i++, position += VECTOR) {
        vector loaded[graft_rule_arrays], computed[graft_rule_results];
        loaded[0] = gradient[i];
        UNROLLED for (int j = 1; j < rule->arrays; j++) loaded[j] = load_array(rule->memory, j, position);
        rule->body(loaded, rule->memory->numbers, computed);
        UNROLLED for (int j = 0; j < rule->results; j++) store_result(rule->memory, j, position, computed[j]);
        kernel[i] = computed[rule->results - 1];
    }
}

/// Takes a part of a row of the kernel as it is, and brings it to where the kernel is written.
INLINE void read_part_of_row(const sparse_rule *rule, int64_t position, int panels, vector *kernel) {
    const float *from = rule->memory->arrays[rule->arrays - 1] + position;
    float *to = rule->memory->results[rule->results - 1] + position;
    UNROLLED for (int i = 0; i < 2 * panels; i++) {
        kernel[i] = load(from + i * VECTOR);
        if (rule->zeros->moves) store(to + i * VECTOR, kernel[i]);
    }
}

/// So many panels of eight rows; the same of the eight rows after them are fetched.
INLINE void finish_panels(const sparse_rule *rule, const row_numbers *numbers, const row_numbers *after, int64_t column,
                          int panels) {
    const graft_gradient *g = rule->g;
    for (int row = 0; row < numbers->now.rows; row++) {
        vector gradient[2 * sparse_panels], kernel[2 * sparse_panels];
        int64_t position = (numbers->row + row) * g->columns + column;
        fetch_part(rule, after, row, column, panels);
        if (is_changed(rule, numbers, row)) {
            int waiting = waiting_steps(rule->zeros->postponed, numbers->row + row);
            sum_numbers(&numbers->now, row, rule->panels + column * g->examples, columns_at_once * g->examples, panels,
                        gradient);
            if (waiting > 0)
                take_steps(rule->rest, rule->array, rule->memory, rule->zeros->postponed, waiting, position, 2 * panels);
            finish_part_of_row(rule, gradient, position, panels, kernel);
        } else if (is_read(rule, numbers, row)) {
            read_part_of_row(rule, position, panels, kernel);
        }
        if (rule->ahead)
            spread_numbers(&numbers->next, row, kernel, panels, rule->sums + column * rule->ahead->rows,
                           columns_at_once * rule->ahead->rows);
    }
}

INLINE void finish_listed_rows(const sparse_rule *rule, const row_numbers *numbers, const row_numbers *after) {
    int64_t column = 0, columns = rule->g->columns;
    for (; column + sparse_panels * columns_at_once <= columns; column += sparse_panels * columns_at_once)
        finish_panels(rule, numbers, after, column, sparse_panels);
    for (; column < columns; column += columns_at_once) finish_panels(rule, numbers, after, column, 1);
    if (!rule->zeros->postponed) return;
    for (int row = 0; row < numbers->now.rows; row++) {
        uint8_t *waiting = rule->zeros->postponed->counts + numbers->row + row;
        *waiting = is_changed(rule, numbers, row) ? 0 : *waiting + 1;
    }
}

/// Whether one of eight rows has steps to take that were put off.
INLINE bool are_behind(const graft_zeros *zeros, int64_t row, int64_t end) {
    int sum = 0;
    for (int64_t i = row; i < end && i < row + tile_rows; i++) sum += waiting_steps(zeros->postponed, i);
    return sum > 0;
}

/// Packs and lists what goes with the rows from `row` on: both batches or neither, and always where rows are behind.
INLINE void prepare_rows(const sparse_rule *rule, int64_t row, int64_t end, row_numbers *numbers) {
    numbers->row = row;
    prepare_numbers(rule->now, rule->zeros->least, row, end, rule->zeros->are_skipped,
                    are_behind(rule->zeros, row, end), &numbers->now);
    if (rule->ahead) prepare_numbers(rule->next, least_of_products, row, end, false, numbers->now.is_listed, &numbers->next);
}

/// Rows begin ..< end of a gradient whose columns are a multiple of 32, each vector of which is used in registers.
INLINE void rule_gradient(rule_body body, rule_rest rest, int array, int arrays, int results, int narrow,
                          const graft_rule_call *call, const graft_gradient *g, const graft_zeros *zeros,
                          const float *panels, const graft_thin_product *ahead, float *sums_ahead, int64_t begin,
                          int64_t end, float *left) {
    rule_memory memory = prepare_rule(call, narrow);
    float factors[2 * widest_product * graft_rows_unpacked];
    number_source now = {g->examples, g->rows, g->is_packed ? NULL : g->left, &g->packed_left, left}, next = {0};
    if (ahead) next = (number_source){ahead->rows, ahead->inner, ahead->left, &ahead->packed_left, factors};
    sparse_rule rule = {body, rest, array, arrays, results, &memory, g, zeros, panels, ahead, sums_ahead, &now, &next};
    row_numbers numbers[2];
    if (ahead) clear_sums(ahead, sums_ahead);
    prepare_rows(&rule, begin, end, &numbers[0]);
    for (int current = 0; begin < end; begin += tile_rows, current = !current) {
        const row_numbers *rows = &numbers[current];
        prepare_rows(&rule, begin + tile_rows, end, &numbers[!current]);
        if (rows->now.is_listed)
            finish_listed_rows(&rule, rows, &numbers[!current]);
        else
            rule_rows(body, arrays, results, &memory, g, rows->now.packed, panels, ahead, rows->next.packed, sums_ahead,
                      begin, rows->now.rows);
    }
}

// MARK: Rows that are behind

/// Takes the steps that were put off for the rows begin ..< end, whose columns are a multiple of 32.
INLINE void rule_catch_up(rule_rest rest, int array, int narrow, const graft_rule_call *call, int64_t columns,
                          const graft_postponed *postponed, int64_t begin, int64_t end) {
    rule_memory memory = prepare_rule(call, narrow);
    for (int64_t row = begin; row < end; row++) {
        int waiting = postponed->counts[row];
        for (int64_t column = 0; waiting > 0 && column < columns; column += columns_at_once)
            take_steps(rest, array, &memory, postponed, waiting, row * columns + column, 2);
        postponed->counts[row] = 0;
    }
}

// MARK: The table

#define KERNELS_OF_RULE(prefix, name, arrays, results, narrow)                                                         \
    static void prefix##range_of_##name(const graft_rule_call *call, int64_t begin, int64_t end) {                     \
        rule_range(body_of_##name, arrays, results, narrow, call, begin, end);                                         \
    }                                                                                                                  \
    static void prefix##gradient_of_##name(const graft_rule_call *call, const graft_gradient *gradient,                \
                                           const graft_zeros *zeros, const float *panels,                              \
                                           const graft_thin_product *ahead, float *sums, int64_t begin, int64_t end,   \
                                           float *left) {                                                              \
        rule_gradient(body_of_##name, rest_of_##name, waiting_array_of_##name, arrays, results, narrow, call,          \
                      gradient, zeros, panels, ahead, sums, begin, end, left);                                         \
    }                                                                                                                  \
    static void prefix##catch_up_of_##name(const graft_rule_call *call, int64_t columns,                               \
                                           const graft_postponed *postponed, int64_t begin, int64_t end) {             \
        rule_catch_up(rest_of_##name, waiting_array_of_##name, narrow, call, columns, postponed, begin, end);          \
    }
#define RULE(name, array_count, number_count, result_count, leaves, steps, outputs, rest)                              \
    KERNELS_OF_RULE(, name, array_count, result_count, 0)                                                              \
    KERNELS_OF_RULE(narrow_, name, array_count, result_count, array_count - 2)
#include "../rules.h"
#undef RULE
#undef KERNELS_OF_RULE
