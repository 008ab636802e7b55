#pragma once
// Vectors of sixteen lanes, which the compiler maps to the registers of whichever instruction set is being compiled.
// Comparisons give masks of all ones or zeros.

#define VECTOR 16

// Every function that takes or gives back a vector is inlined, so that no calling convention is involved.
#pragma clang diagnostic ignored "-Wpsabi"

typedef float vector __attribute__((ext_vector_type(VECTOR)));
typedef int32_t mask __attribute__((ext_vector_type(VECTOR)));
typedef uint32_t words __attribute__((ext_vector_type(VECTOR)));
typedef uint64_t long_words __attribute__((ext_vector_type(VECTOR)));
typedef double wide __attribute__((ext_vector_type(VECTOR)));

#define INLINE static inline __attribute__((always_inline))

/// Arrays of vectors stay in registers only where the loops over them are unrolled before register allocation.
#define UNROLLED _Pragma("clang loop unroll(full)")

INLINE vector load(const float *p) {
    vector v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

INLINE void store(float *p, vector v) { __builtin_memcpy(p, &v, sizeof v); }

/// The first `count` lanes from memory, the others `fill`.
INLINE vector load_some(const float *p, int64_t count, float fill) {
    float lanes[VECTOR];
    for (int i = 0; i < VECTOR; i++) lanes[i] = fill;
    __builtin_memcpy(lanes, p, (size_t)count * sizeof(float));
    return load(lanes);
}

INLINE void store_some(float *p, vector v, int64_t count) {
    float lanes[VECTOR];
    store(lanes, v);
    __builtin_memcpy(p, lanes, (size_t)count * sizeof(float));
}

INLINE vector choose(mask condition, vector when_true, vector when_false) {
    return (vector)(((mask)when_true & condition) | ((mask)when_false & ~condition));
}

INLINE vector splat(float x) { return (vector)x; }

INLINE vector absolute(vector x) { return (vector)((mask)x & 0x7fffffff); }

INLINE vector with_sign_of(vector magnitude, vector sign) {
    return (vector)(((mask)magnitude & 0x7fffffff) | ((mask)sign & (mask)(int32_t)0x80000000));
}

/// The larger; NaN where either is.
INLINE vector larger(vector a, vector b) { return choose((a > b) | (a != a), a, b); }

INLINE vector smaller(vector a, vector b) { return choose((a < b) | (a != a), a, b); }

INLINE vector square_root(vector x) { return __builtin_elementwise_sqrt(x); }

INLINE double sum_of(wide v) {
    double lanes[VECTOR], sum = 0;
    __builtin_memcpy(lanes, &v, sizeof v);
    for (int i = 0; i < VECTOR; i++) sum += lanes[i];
    return sum;
}

INLINE float largest_of(vector v) {
    float lanes[VECTOR], result;
    store(lanes, v);
    result = lanes[0];
    for (int i = 1; i < VECTOR; i++) result = lanes[i] > result || lanes[i] != lanes[i] ? lanes[i] : result;
    return result;
}
