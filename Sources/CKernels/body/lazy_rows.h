// Lazy sparse updates: where the gradient is zero, some optimizers only decay one array. The steps of such a row are counted
// instead, and taken when it has a gradient again or its state is read.

/// How many steps of a row are deferred.
INLINE int deferred_steps(const graft_lazy_rows *lazy, int64_t row) { return lazy ? lazy->counts[row] : 0; }

/// Takes deferred steps for `count` neighbouring vectors of the decayed array: each step for all of them before the next, since
/// a vector's steps depend on each other.
INLINE void take_steps(optimizer o, const optimizer_memory *memory, const graft_lazy_rows *lazy, int steps,
                       int64_t position, int count) {
    int array = o.decayed;
    bool is_bfloat16 = is_bfloat16_array(memory, array);
    vector state[2 * sparse_panels], arrays[graft_optimizer_arrays];
    UNROLLED for (int i = 0; i < count; i++) state[i] = load_array(memory, array, position + i * VECTOR);
    for (int step = steps; step > 0; step--) {
        graft_rounding rounding = lazy->roundings[(uint8_t)(lazy->step - step)];
        UNROLLED for (int i = 0; i < count; i++) {
            arrays[array] = state[i];
            o.decay(arrays, memory->scalars);
            state[i] = arrays[array];
            if (is_bfloat16) state[i] = rounded_stochastic(state[i], rounding, position + i * VECTOR);
        }
    }
    UNROLLED for (int i = 0; i < count; i++, position += VECTOR) {
        if (is_bfloat16)
            store_bfloat16((uint16_t *)memory->arrays[array] + position, state[i]);
        else
            store((float *)memory->arrays[array] + position, state[i]);
    }
}

/// Takes the deferred steps of the rows begin ..< end, whose columns are a multiple of 32.
INLINE void optimizer_catch_up(optimizer o, const graft_optimizer_call *call, int64_t columns,
                               const graft_lazy_rows *lazy, int64_t begin, int64_t end) {
    optimizer_memory memory = prepare_memory(call, o.bfloat16);
    for (int64_t row = begin; row < end; row++) {
        int steps = lazy->counts[row];
        for (int64_t column = 0; steps > 0 && column < columns; column += columns_at_once)
            take_steps(o, &memory, lazy, steps, row * columns + column, 2);
        lazy->counts[row] = 0;
    }
}
