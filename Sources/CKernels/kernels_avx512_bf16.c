// Convolutions for processors with AVX-512 and AVX512_BF16.
#if defined(__x86_64__)
#include <immintrin.h>
#include "table.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx512bf16,avx2,fma,bmi,bmi2"))), apply_to = function)
#include "body/vector.h"
#include "body/bfloat16.h"

INLINE vector add_pairs(vector sum, uint32_t pair, words pairs) {
    return (vector)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32((int)pair), (__m512bh)pairs);
}

/// As `store_bfloat16`: the instruction flushes denormals, but they are zero already.
INLINE void store_rounded(uint16_t *p, vector v) {
    __m256bh rounded = _mm512_cvtneps_pbh((__m512)v);
    __builtin_memcpy(p, &rounded, sizeof rounded);
}

#define ADD_PAIRS add_pairs
#define STORE_ROUNDED store_rounded
#include "body/convolution.h"

void graft_convolution_block_avx512_bf16(const graft_convolution *convolution, const graft_convolution_block *block) {
    convolution_block(convolution, block);
}
#pragma clang attribute pop
#endif
