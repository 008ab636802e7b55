// The kernels for processors with AVX-512.
#if defined(__x86_64__)
#include <math.h>
#include "table.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,bmi,bmi2"))), apply_to = function)
#define KERNELS graft_kernels_avx512
#define NAME "avx512"
#include "body/kernels.h"
#pragma clang attribute pop
#endif
