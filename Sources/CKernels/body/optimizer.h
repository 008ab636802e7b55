// The fused optimizer kernels of optimizers.h as code: an optimizer's steps on vectors, in the interpreter's order and with its
// roundings, so that both give the same bits.

#define STEP_square(x) ((x) * (x))
#define STEP_square_root(x) square_root(x)
#define STEP_sign(x) choose(x != x, x, choose(x > 0.0f, splat(1), splat(0)) - choose(x < 0.0f, splat(1), splat(0)))
#define STEP_add(x, y) ((x) + (y))
#define STEP_subtract(x, y) ((x) - (y))
#define STEP_multiply(x, y) ((x) * (y))
#define STEP_divide(x, y) ((x) / (y))

/// Computes a vector of each result from one of each array and the scalars.
typedef void (*optimizer_body)(const vector *arrays, const vector *scalars, vector *results);

/// What a zero gradient does to the arrays: it decays one at most.
typedef void (*optimizer_decay)(vector *arrays, const vector *scalars);

/// An optimizer as it is compiled in: every function that takes one is inlined, so that all of this is constant.
typedef struct {
    optimizer_body body;
    optimizer_decay decay;
    /// The array that `decay` changes.
    int decayed;
    int arrays, results;
    /// How many arrays after the gradient, and how many of the first results, are bfloat16.
    int bfloat16;
} optimizer;

#define ARRAY(value, index) vector v##value = arrays[index];
#define SCALAR(value, index) vector v##value = scalars[index];
#define ONE(value, operation, a) vector v##value = STEP_##operation(v##a);
#define TWO(value, operation, a, b) vector v##value = STEP_##operation(v##a, v##b);
#define RESULT(index, value) results[index] = v##value;
#define UPDATES
#define NO_OP(epsilon)
#define DECAYS_STATE(array, scalar, epsilon) arrays[array] = scalars[scalar] * arrays[array];
#define OPTIMIZER(name, array_count, scalar_count, result_count, leaves, steps, outputs, zero)                         \
    INLINE void body_of_##name(const vector *arrays, const vector *scalars, vector *results) { leaves steps outputs }  \
    INLINE void decay_of_##name(vector *arrays, const vector *scalars) { zero }
#include "../optimizers.h"
#undef OPTIMIZER
#undef ARRAY
#undef SCALAR
#undef ONE
#undef TWO
#undef RESULT
#undef UPDATES
#undef NO_OP
#undef DECAYS_STATE

#define UPDATES 0
#define NO_OP(epsilon) 0
#define DECAYS_STATE(array, scalar, epsilon) array
#define OPTIMIZER(name, array_count, scalar_count, result_count, leaves, steps, outputs, zero)                         \
    enum { decayed_array_of_##name = zero };
#include "../optimizers.h"
#undef OPTIMIZER
#undef UPDATES
#undef NO_OP
#undef DECAYS_STATE

// MARK: Arrays

/// What an optimizer works on, with a thread's own copy of its scalars.
typedef struct {
    const float *arrays[graft_optimizer_arrays];
    float *results[graft_optimizer_results];
    vector scalars[graft_optimizer_scalars];
    graft_rounding roundings[graft_optimizer_results];
    /// As in `optimizer`.
    int bfloat16;
} optimizer_memory;

INLINE optimizer_memory prepare_memory(const graft_optimizer_call *call, int bfloat16) {
    optimizer_memory memory = {.bfloat16 = bfloat16};
    for (int i = 0; i < bfloat16; i++) memory.roundings[i] = call->roundings[i];
    for (int i = 0; i < graft_optimizer_arrays; i++) memory.arrays[i] = call->arrays[i];
    for (int i = 0; i < graft_optimizer_results; i++) memory.results[i] = call->results[i];
    for (int i = 0; i < graft_optimizer_scalars; i++) memory.scalars[i] = splat(call->scalars[i]);
    return memory;
}

INLINE bool is_bfloat16_array(const optimizer_memory *memory, int i) { return i > 0 && i <= memory->bfloat16; }

INLINE vector load_array(const optimizer_memory *memory, int i, int64_t position) {
    if (is_bfloat16_array(memory, i)) return load_bfloat16((const uint16_t *)memory->arrays[i] + position);
    return load(memory->arrays[i] + position);
}

INLINE vector load_some_of_array(const optimizer_memory *memory, int i, int64_t position, int64_t count) {
    if (is_bfloat16_array(memory, i)) return load_some_bfloat16((const uint16_t *)memory->arrays[i] + position, count);
    return load_some(memory->arrays[i] + position, count, 0);
}

/// Prefetches an array's elements to the second-level cache: rows a page apart would evict each other from the first.
INLINE void fetch_array(const optimizer_memory *memory, int i, int64_t position) {
    if (is_bfloat16_array(memory, i))
        __builtin_prefetch((const uint16_t *)memory->arrays[i] + position, 0, 2);
    else
        __builtin_prefetch(memory->arrays[i] + position, 0, 2);
}

INLINE void store_result(const optimizer_memory *memory, int i, int64_t position, vector computed) {
    if (i < memory->bfloat16)
        store_stochastic((uint16_t *)memory->results[i], position, computed, memory->roundings[i]);
    else
        store(memory->results[i] + position, computed);
}

INLINE void store_some_of_result(const optimizer_memory *memory, int i, int64_t position, vector computed, int64_t count) {
    if (i < memory->bfloat16)
        store_some_stochastic((uint16_t *)memory->results[i], position, computed, count, memory->roundings[i]);
    else
        store_some(memory->results[i] + position, computed, count);
}

INLINE void optimizer_range(optimizer o, const graft_optimizer_call *call, int64_t begin, int64_t end) {
    optimizer_memory memory = prepare_memory(call, o.bfloat16);
    vector loaded[graft_optimizer_arrays], computed[graft_optimizer_results];
    for (; begin + VECTOR <= end; begin += VECTOR) {
        for (int i = 0; i < o.arrays; i++) loaded[i] = load_array(&memory, i, begin);
        o.body(loaded, memory.scalars, computed);
        for (int i = 0; i < o.results; i++) store_result(&memory, i, begin, computed[i]);
    }
    if (begin >= end) return;
    for (int i = 0; i < o.arrays; i++) loaded[i] = load_some_of_array(&memory, i, begin, end - begin);
    o.body(loaded, memory.scalars, computed);
    for (int i = 0; i < o.results; i++) store_some_of_result(&memory, i, begin, computed[i], end - begin);
}

// MARK: Gradients

/// Updates the elements of one vector, whose gradient is known.
INLINE void update_vector(optimizer o, const optimizer_memory *memory, vector gradient, int64_t position) {
    vector loaded[graft_optimizer_arrays], computed[graft_optimizer_results];
    loaded[0] = gradient;
    for (int i = 1; i < o.arrays; i++) loaded[i] = load_array(memory, i, position);
    o.body(loaded, memory->scalars, computed);
    for (int i = 0; i < o.results; i++) store_result(memory, i, position, computed[i]);
}

/// Eight rows of two vectors of a gradient, on their way through an optimizer.
typedef struct {
    /// The tile's first element in every array.
    int64_t position;
    int rows;
    /// The tile that is prefetched meanwhile: the same columns of the next rows.
    int64_t fetched;
    float gradient[2 * graft_gradient_tile_rows * VECTOR];
} update_tile;

/// Updates one of a tile's vectors, and prefetches the one below the tile.
INLINE void update_part(optimizer o, const optimizer_memory *memory, const update_tile *tile, int64_t columns,
                        int64_t part) {
    int64_t place = part / 2 * columns + part % 2 * VECTOR;
    for (int i = 1; i < o.arrays; i++) fetch_array(memory, i, tile->fetched + place);
    update_vector(o, memory, load(tile->gradient + part * VECTOR), tile->position + place);
}

/// Adds an example's products to the sums of a tile.
INLINE void add_example(const float *left, const float *panel, vector sums[2 * tile_rows]) {
    vector first = load(panel), second = load(panel + VECTOR);
    for (int row = 0; row < tile_rows; row++) {
        sums[2 * row] += left[row] * first;
        sums[2 * row + 1] += left[row] * second;
    }
}

/// Sums a tile's gradient, and between the examples updates the tile before it: divisions and square roots have a long latency,
/// but leave the units free that multiply.
INLINE void sum_and_update(optimizer o, const optimizer_memory *memory, int64_t columns, int64_t examples, const float *left,
                           const float *panel, update_tile *tile, const update_tile *former) {
    vector sums[2 * tile_rows];
    for (int i = 0; i < 2 * tile_rows; i++) sums[i] = splat(0);
    int64_t parts = former ? 2 * former->rows : 0, example = 0, part = 0;
    for (; example < examples && part < parts; example++, part++, left += tile_rows, panel += columns_at_once) {
        add_example(left, panel, sums);
        update_part(o, memory, former, columns, part);
    }
    for (; part < parts; part++) update_part(o, memory, former, columns, part);
    for (; example < examples; example++, left += tile_rows, panel += columns_at_once) add_example(left, panel, sums);
    for (int i = 0; i < 2 * tile_rows; i++) store(tile->gradient + i * VECTOR, sums[i]);
}

/// Multiplies a tile of the new kernel with the next batch while it is in the first-level cache.
INLINE void multiply_tile(const graft_skinny_nn *next, const float *factors, const update_tile *tile, float *sums) {
    const float *right = next->right + tile->position;
    if (tile->rows == tile_rows)
        add_products(next, factors, right, tile_rows, false, sums);
    else
        add_products(next, factors, right, tile->rows, false, sums);
}

/// The inputs of up to eight rows of a gradient: this batch's, and the next one's where its product is computed as well.
typedef struct {
    int64_t row, rows;
    const float *now, *next;
} dense_rows;

/// Up to eight rows of a gradient, with all products.
INLINE void update_dense_rows(optimizer o, const optimizer_memory *memory, const graft_update *update, dense_rows inputs,
                              float *next_sums) {
    const graft_gradient *g = update->gradient;
    const graft_skinny_nn *next = update->next;
    update_tile tiles[2], *former = NULL;
    int64_t below = inputs.row + 2 * tile_rows <= g->rows ? tile_rows * g->columns : 0;
    int64_t count = g->columns / columns_at_once;
    // One iteration more than there are tiles: each finishes the tile before.
    for (int64_t index = 0; index <= count; index++) {
        update_tile *tile = &tiles[index % 2];
        tile->position = inputs.row * g->columns + index * columns_at_once;
        tile->rows = (int)inputs.rows;
        tile->fetched = tile->position + below;
        sum_and_update(o, memory, g->columns, index < count ? g->examples : 0, inputs.now,
                       update->panels + index * columns_at_once * g->examples, tile, former);
        if (next && former)
            multiply_tile(next, inputs.next, former, next_sums + (index - 1) * columns_at_once * next->rows);
        former = tile;
    }
}
