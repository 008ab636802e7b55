// bfloat16, the upper half of a float32. Kernels compute in float32 and round what they write, to nearest with ties to even, or
// stochastically.

typedef uint16_t halves __attribute__((ext_vector_type(VECTOR)));

INLINE vector to_float32(halves h) { return (vector)(__builtin_convertvector(h, words) << 16); }

/// Rounded to bfloat16, in the lower half of each lane.
INLINE words rounded(vector v) {
    words w = (words)v;
    // Rounding must not turn NaN into infinity.
    words result = (w + 0x7fff + (w >> 16 & 1)) >> 16, quiet = w >> 16 | 0x40;
    words is_nan = (words)(v != v);
    return (result & ~is_nan) | (quiet & is_nan);
}

INLINE halves to_bfloat16(vector v) { return __builtin_convertvector(rounded(v), halves); }

INLINE vector load_bfloat16(const uint16_t *p) {
    halves h;
    __builtin_memcpy(&h, p, sizeof h);
    return to_float32(h);
}

INLINE void store_bfloat16(uint16_t *p, vector v) {
    halves h = to_bfloat16(v);
    __builtin_memcpy(p, &h, sizeof h);
}

/// The first `count` lanes from memory, the others zero.
INLINE vector load_some_bfloat16(const uint16_t *p, int64_t count) {
    uint16_t lanes[VECTOR] = {0};
    __builtin_memcpy(lanes, p, (size_t)count * sizeof(uint16_t));
    return load_bfloat16(lanes);
}

INLINE void store_some_bfloat16(uint16_t *p, vector v, int64_t count) {
    uint16_t lanes[VECTOR];
    store_bfloat16(lanes, v);
    __builtin_memcpy(p, lanes, (size_t)count * sizeof(uint16_t));
}

/// Sixteen random bits for each of the elements from `position` on, in the lower half of each lane. Source: C. Wellons,
/// "Prospecting for hash functions", nullprogram.com/blog/2018/07/31; see `StochasticRounding` in Sources/GraftGraph.
INLINE words random_bits(graft_rounding rounding, int64_t position) {
    const words lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    words word = lanes * 0x9e3779b9u + ((uint32_t)position * 0x9e3779b9u + rounding.first);
    word = (word ^ word >> 16) * 0x21f0aaadu;
    word = (word ^ word >> 15 ^ rounding.second) * 0xd35a2d97u;
    return word >> 16;
}

/// The elements from `position` on, rounded stochastically.
INLINE vector rounded_stochastic(vector v, graft_rounding rounding, int64_t position) {
    words is_finite = (words)(absolute(v) < __builtin_inff()), is_nan = (words)(v != v);
    words result = ((words)v + (random_bits(rounding, position) & is_finite)) & 0xffff0000;
    // Truncation must not turn NaN into infinity.
    return (vector)(result | (is_nan & 0x400000));
}

/// The same, as bfloat16.
INLINE halves to_bfloat16_stochastic(vector v, graft_rounding rounding, int64_t position) {
    return __builtin_convertvector((words)rounded_stochastic(v, rounding, position) >> 16, halves);
}

/// To the elements from `position` on of a whole array.
INLINE void store_stochastic(uint16_t *array, int64_t position, vector v, graft_rounding rounding) {
    halves h = to_bfloat16_stochastic(v, rounding, position);
    __builtin_memcpy(array + position, &h, sizeof h);
}

INLINE void store_some_stochastic(uint16_t *array, int64_t position, vector v, int64_t count,
                                        graft_rounding rounding) {
    halves h = to_bfloat16_stochastic(v, rounding, position);
    __builtin_memcpy(array + position, &h, (size_t)count * sizeof(uint16_t));
}

INLINE float scalar_to_float32(uint16_t h) {
    uint32_t bits = (uint32_t)h << 16;
    float result;
    __builtin_memcpy(&result, &bits, sizeof result);
    return result;
}

/// `count` elements from bfloat16 to float32.
INLINE void convert_to_float32(const uint16_t *source, float *target, int64_t count) {
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR) store(target + i, load_bfloat16(source + i));
    if (i < count) store_some(target + i, load_some_bfloat16(source + i, count - i), count - i);
}

/// `count` elements from float32 to bfloat16.
INLINE void convert_to_bfloat16(const float *source, uint16_t *target, int64_t count) {
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR) store_bfloat16(target + i, load(source + i));
    if (i < count) store_some_bfloat16(target + i, load_some(source + i, count - i, 0), count - i);
}

/// The same, rounded stochastically, to the elements from `position` on of a whole array.
INLINE void convert_stochastic(const float *source, uint16_t *array, int64_t position, int64_t count,
                             graft_rounding rounding) {
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR) store_stochastic(array, position + i, load(source + i), rounding);
    if (i < count)
        store_some_stochastic(array, position + i, load_some(source + i, count - i, 0), count - i, rounding);
}
