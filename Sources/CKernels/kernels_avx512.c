// The kernels for processors with AVX-512.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include "table.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,bmi,bmi2"))), apply_to = function)
#include "body/vector.h"

INLINE vector expanded(uint16_t mask, const float *values) {
    return (vector)_mm512_maskz_expand_ps(mask, (__m512)load(values));
}

#define EXPAND expanded
#define KERNELS graft_kernels_avx512
#define NAME "avx512"
#include "body/kernels.h"
#pragma clang attribute pop
#endif
