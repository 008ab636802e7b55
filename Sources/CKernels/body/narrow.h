// bfloat16: the upper half of a 32-bit number. Kernels compute in 32 bits and round what they write, to nearest, ties to
// even.

typedef uint16_t halves __attribute__((ext_vector_type(VECTOR)));

INLINE vector widened(halves h) { return (vector)(__builtin_convertvector(h, words) << 16); }

/// The number in the lower half of each lane.
INLINE words rounded(vector v) {
    words w = (words)v;
    // Rounding must not carry what is no number into the infinite.
    words result = (w + 0x7fff + (w >> 16 & 1)) >> 16, quiet = w >> 16 | 0x40;
    words is_none = (words)(v != v);
    return (result & ~is_none) | (quiet & is_none);
}

INLINE halves narrowed(vector v) { return __builtin_convertvector(rounded(v), halves); }

INLINE vector load_narrow(const uint16_t *p) {
    halves h;
    __builtin_memcpy(&h, p, sizeof h);
    return widened(h);
}

INLINE void store_narrow(uint16_t *p, vector v) {
    halves h = narrowed(v);
    __builtin_memcpy(p, &h, sizeof h);
}

/// The first `count` lanes from memory, the others zero.
INLINE vector load_some_narrow(const uint16_t *p, int64_t count) {
    uint16_t lanes[VECTOR] = {0};
    __builtin_memcpy(lanes, p, (size_t)count * sizeof(uint16_t));
    return load_narrow(lanes);
}

INLINE void store_some_narrow(uint16_t *p, vector v, int64_t count) {
    uint16_t lanes[VECTOR];
    store_narrow(lanes, v);
    __builtin_memcpy(p, lanes, (size_t)count * sizeof(uint16_t));
}

INLINE float widened_scalar(uint16_t h) {
    uint32_t bits = (uint32_t)h << 16;
    float result;
    __builtin_memcpy(&result, &bits, sizeof result);
    return result;
}

/// `count` numbers of 32 bits from as many of 16.
INLINE void widen(const uint16_t *source, float *target, int64_t count) {
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR) store(target + i, load_narrow(source + i));
    if (i < count) store_some(target + i, load_some_narrow(source + i, count - i), count - i);
}

/// `count` numbers of 16 bits from as many of 32.
INLINE void narrow(const float *source, uint16_t *target, int64_t count) {
    int64_t i = 0;
    for (; i + VECTOR <= count; i += VECTOR) store_narrow(target + i, load(source + i));
    if (i < count) store_some_narrow(target + i, load_some(source + i, count - i, 0), count - i);
}
