// A convolution's weights rotated by 180°, input and output channels swapped: a convolution of the output's gradient with them
// is the input's gradient.

/// Exchanges the lanes of two vectors that differ in one bit of their number: one stage of a transposition.
#define EXCHANGE_8(a, b)                                                                                               \
    __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),                             \
        __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31)
#define EXCHANGE_4(a, b)                                                                                               \
    __builtin_shufflevector(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),                           \
        __builtin_shufflevector(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31)
#define EXCHANGE_2(a, b)                                                                                               \
    __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),                           \
        __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
#define EXCHANGE_1(a, b)                                                                                               \
    __builtin_shufflevector(a, b, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),                          \
        __builtin_shufflevector(a, b, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31)
#define STAGE(distance)                                                                                                \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < VECTOR; i++) {                                              \
        if (i & distance) continue;                                                                                    \
        vector exchanged[2] = {EXCHANGE_##distance(rows[i], rows[i + distance])};                                      \
        rows[i] = exchanged[0];                                                                                        \
        rows[i + distance] = exchanged[1];                                                                             \
    }

/// `target[column][row] = source[row][column]` for sixteen of each.
INLINE void transpose_block(const float *source, int64_t source_stride, float *target, int64_t target_stride) {
    vector rows[VECTOR];
    _Pragma("clang loop unroll(full)") for (int i = 0; i < VECTOR; i++) rows[i] = load(source + i * source_stride);
    STAGE(8)
    STAGE(4)
    STAGE(2)
    STAGE(1)
    _Pragma("clang loop unroll(full)") for (int i = 0; i < VECTOR; i++) store(target + i * target_stride, rows[i]);
}

#undef STAGE
#undef EXCHANGE_8
#undef EXCHANGE_4
#undef EXCHANGE_2
#undef EXCHANGE_1

/// The positions begin ..< end of the kernel.
static void rotate_weights(const graft_weight_rotation *rotation, int64_t begin, int64_t end) {
    int64_t inputs = rotation->inputs, outputs = rotation->outputs;
    for (int64_t position = begin; position < end; position++) {
        const float *source = rotation->source + position * inputs * outputs;
        float *target = rotation->target + (rotation->positions - 1 - position) * inputs * outputs;
        for (int64_t input = 0; input < inputs; input += VECTOR)
            for (int64_t output = 0; output < outputs; output += VECTOR) {
                if (input + VECTOR <= inputs && output + VECTOR <= outputs) {
                    transpose_block(source + input * outputs + output, outputs, target + output * inputs + input, inputs);
                    continue;
                }
                for (int64_t i = input; i < inputs && i < input + VECTOR; i++)
                    for (int64_t j = output; j < outputs && j < output + VECTOR; j++)
                        target[j * inputs + i] = source[i * outputs + j];
            }
    }
}
