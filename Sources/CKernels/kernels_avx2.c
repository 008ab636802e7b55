// The kernels for processors with AVX2.
#if defined(__x86_64__)
#include <math.h>
#include "table.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,bmi,bmi2"))), apply_to = function)
#define KERNELS graft_kernels_avx2
#define NAME "avx2"
#include "body/kernels.h"
#pragma clang attribute pop
#endif
