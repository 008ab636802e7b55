#pragma once
// What the checks of Graft's kernels share: random sizes and numbers, arrays of exactly their size, comparisons.
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "CKernels.h"

/// A number in 0 ..< limit.
int64_t below(int64_t limit);
/// A number in first ... last.
int64_t between(int64_t first, int64_t last);
bool chance(int percent);

/// Memory aligned to 64 bytes, of exactly this size, so that the sanitizer sees one byte too many; freed by `release_all`.
void *bytes(size_t size);
/// Integers in −2 ... 2, whose sums of products are exact in 32 bits whatever their order; a share of them zero.
float *integers(int64_t count, int zero_percent);
/// Numbers in `low` ... `high`.
float *numbers(int64_t count, float low, float high);
float *empty(int64_t count);
void release_all(void);

/// As bfloat16, in new memory.
uint16_t *to_bfloat16(const float *source, int64_t count);
float *to_float32(const uint16_t *source, int64_t count);
/// To bfloat16 and back.
float rounded(double value);

/// Ends the program where an element differs by more than `tolerance` times the largest expected one (or 1).
void expect_close(const char *what, const float *actual, const float *expected, int64_t count, double tolerance);

/// One round of each: random sizes on the chosen instruction set, `threads` threads.
void check_programs(int threads);
void check_optimizers(int threads);
void check_products(int threads);
void check_gradients(int threads);
void check_convolutions(int threads);
void check_winograd(int threads);
void check_convolution_gradients(int threads);
void check_poolings(int threads);
void check_others(int threads);

/// An optimizer of optimizers.h as a program over `operands`, which is what a gradient's program is as well.
enum { optimizer_count_limit = 16 };
typedef struct {
    graft_program program;
    graft_instruction instructions[32];
    graft_constant constants[8];
    graft_operand operands[8];
    graft_output outputs[4];
    int array_count;
} optimizer_program;
/// The optimizer of this number, or `false` after the last one.
bool make_optimizer(int number, optimizer_program *optimizer);
/// What it makes of one element of each array: results[0 ..< output_count].
void apply_optimizer(const optimizer_program *optimizer, const double *arrays, double *results);
