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
} rule_memory;

INLINE rule_memory prepare_rule(const graft_rule_call *call) {
    rule_memory memory;
    for (int i = 0; i < graft_rule_arrays; i++) memory.arrays[i] = call->arrays[i];
    for (int i = 0; i < graft_rule_results; i++) memory.results[i] = call->results[i];
    for (int i = 0; i < graft_rule_numbers; i++) memory.numbers[i] = splat(call->numbers[i]);
    return memory;
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

INLINE void rule_range(rule_body body, int arrays, int results, const graft_rule_call *call, int64_t begin,
                       int64_t end) {
    rule_memory memory = prepare_rule(call);
    vector loaded[graft_rule_arrays], computed[graft_rule_results];
    for (; begin + VECTOR <= end; begin += VECTOR) {
        for (int i = 0; i < arrays; i++) loaded[i] = load(memory.arrays[i] + begin);
        body(loaded, memory.numbers, computed);
        for (int i = 0; i < results; i++) store(memory.results[i] + begin, computed[i]);
    }
    if (begin >= end) return;
    for (int i = 0; i < arrays; i++) loaded[i] = load_some(memory.arrays[i] + begin, end - begin, 0);
    body(loaded, memory.numbers, computed);
    for (int i = 0; i < results; i++) store_some(memory.results[i] + begin, computed[i], end - begin);
}

// MARK: Rules over a gradient

/// Finishes the elements of one vector, whose gradient is known.
INLINE void finish_vector(rule_body body, int arrays, int results, const rule_memory *memory, vector gradient,
                          int64_t position) {
    vector loaded[graft_rule_arrays], computed[graft_rule_results];
    loaded[0] = gradient;
    for (int i = 1; i < arrays; i++) loaded[i] = load(memory->arrays[i] + position);
    body(loaded, memory->numbers, computed);
    for (int i = 0; i < results; i++) store(memory->results[i] + position, computed[i]);
}

/// What the next rows need, fetched while these keep the arithmetic units busy.
INLINE void fetch_arrays(const rule_memory *memory, int arrays, int64_t position, int64_t columns) {
    for (int i = 1; i < arrays; i++)
        for (int row = 0; row < tile_rows; row++) {
            __builtin_prefetch(memory->arrays[i] + position + row * columns, 0, 3);
            __builtin_prefetch(memory->arrays[i] + position + row * columns + VECTOR, 0, 3);
        }
}

/// Rows begin ..< end of a gradient whose columns are a multiple of 32, each vector of which is used in registers.
INLINE void rule_gradient(rule_body body, int arrays, int results, const graft_rule_call *call,
                          const graft_gradient *g, const float *panels, const graft_thin_product *ahead, float *sums_ahead,
                          int64_t begin, int64_t end, float *left) {
    rule_memory memory = prepare_rule(call);
    if (ahead) clear_sums(ahead, sums_ahead);
    for (int64_t row = begin; row < end; row += tile_rows) {
        int64_t rows = end - row < tile_rows ? end - row : tile_rows;
        pack_left(g, row, rows, left);
        for (int64_t column = 0; column < g->columns; column += columns_at_once) {
            int64_t position = row * g->columns + column;
            vector sums[2 * tile_rows];
            gradient_cell(g->examples, left, panels + column * g->examples, sums);
            if (row + 2 * tile_rows <= g->rows)
                fetch_arrays(&memory, arrays, position + tile_rows * g->columns, g->columns);
            for (int i = 0; i < tile_rows; i++) {
                if (i >= rows) break;
                int64_t first = position + i * g->columns;
                finish_vector(body, arrays, results, &memory, sums[2 * i], first);
                finish_vector(body, arrays, results, &memory, sums[2 * i + 1], first + VECTOR);
            }
        }
        if (ahead) multiply_rows(ahead, row, rows, false, sums_ahead);
    }
}

// MARK: The table

#define RULE(name, array_count, number_count, result_count, leaves, steps, outputs)                                    \
    static void range_of_##name(const graft_rule_call *call, int64_t begin, int64_t end) {                             \
        rule_range(body_of_##name, array_count, result_count, call, begin, end);                                       \
    }                                                                                                                  \
    static void gradient_of_##name(const graft_rule_call *call, const graft_gradient *gradient, const float *panels,   \
                                   const graft_thin_product *ahead, float *sums, int64_t begin, int64_t end,           \
                                   float *left) {                                                                      \
        rule_gradient(body_of_##name, array_count, result_count, call, gradient, panels, ahead, sums, begin, end,      \
                      left);                                                                                           \
    }
#include "../rules.h"
#undef RULE
