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

#define ARRAY(value, index) vector v##value = arrays[index];
#define NUMBER(value, index) vector v##value = numbers[index];
#define ONE(value, operation, a) vector v##value = STEP_##operation(v##a);
#define TWO(value, operation, a, b) vector v##value = STEP_##operation(v##a, v##b);
#define RESULT(index, value) results[index] = v##value;
#define RULE(name, array_count, number_count, result_count, leaves, steps, outputs)                                    \
    INLINE void body_of_##name(const vector *arrays, const vector *numbers, vector *results) { leaves steps outputs }
#include "../rules.h"
#undef RULE
#undef ARRAY
#undef NUMBER
#undef ONE
#undef TWO
#undef RESULT

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

/// Rows begin ..< end of a gradient whose columns are a multiple of 32, each vector of which is used in registers.
INLINE void rule_gradient(rule_body body, int arrays, int results, int narrow, const graft_rule_call *call,
                          const graft_gradient *g, const float *panels, const graft_thin_product *ahead, float *sums_ahead,
                          int64_t begin, int64_t end, float *left) {
    rule_memory memory = prepare_rule(call, narrow);
    float factors[widest_product * graft_product_inner];
    if (ahead) clear_sums(ahead, sums_ahead);
    for (int64_t row = begin; row < end; row += tile_rows) {
        int64_t rows = end - row < tile_rows ? end - row : tile_rows;
        pack_left(g, row, rows, left);
        if (ahead) pack_factors(ahead, row, rows, factors);
        rule_rows(body, arrays, results, &memory, g, left, panels, ahead, factors, sums_ahead, row, rows);
    }
}

// MARK: The table

#define KERNELS_OF_RULE(prefix, name, arrays, results, narrow)                                                         \
    static void prefix##range_of_##name(const graft_rule_call *call, int64_t begin, int64_t end) {                     \
        rule_range(body_of_##name, arrays, results, narrow, call, begin, end);                                         \
    }                                                                                                                  \
    static void prefix##gradient_of_##name(const graft_rule_call *call, const graft_gradient *gradient,                \
                                           const float *panels, const graft_thin_product *ahead, float *sums,          \
                                           int64_t begin, int64_t end, float *left) {                                  \
        rule_gradient(body_of_##name, arrays, results, narrow, call, gradient, panels, ahead, sums, begin, end, left); \
    }
#define RULE(name, array_count, number_count, result_count, leaves, steps, outputs)                                    \
    KERNELS_OF_RULE(, name, array_count, result_count, 0)                                                              \
    KERNELS_OF_RULE(narrow_, name, array_count, result_count, array_count - 2)
#include "../rules.h"
#undef RULE
#undef KERNELS_OF_RULE
