// Runs Graft's kernels over random shapes under the address and undefined-behaviour sanitizers, on every instruction set of
// the processor, and compares them with plain loops. `Scripts/check-kernels` builds and runs it.
//
//   check [rounds] [seed]
#include "support.h"

static uint64_t state = 1;

int64_t below(int64_t limit) {
    // SplitMix64, Steele, Lea and Flood 2014.
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (int64_t)((z ^ z >> 31) % (uint64_t)limit);
}

int64_t between(int64_t first, int64_t last) { return first + below(last - first + 1); }
bool chance(int percent) { return below(100) < percent; }

enum { most_arrays = 256 };
static void *held[most_arrays];
static int held_count;

void *bytes(size_t size) {
    void *memory = NULL;
    if (held_count == most_arrays || posix_memalign(&memory, 64, size ? size : 1) != 0) {
        fprintf(stderr, "no memory for %zu bytes\n", size);
        exit(2);
    }
    return held[held_count++] = memory;
}

void release_all(void) {
    while (held_count > 0) free(held[--held_count]);
}

float *empty(int64_t count) { return bytes((size_t)count * sizeof(float)); }

float *integers(int64_t count, int zero_percent) {
    float *array = empty(count);
    for (int64_t i = 0; i < count; i++) array[i] = chance(zero_percent) ? 0 : (float)between(-2, 2);
    return array;
}

float *numbers(int64_t count, float low, float high) {
    float *array = empty(count);
    for (int64_t i = 0; i < count; i++) array[i] = low + (high - low) * (float)below(1 << 20) / (1 << 20);
    return array;
}

uint16_t *to_bfloat16(const float *source, int64_t count) {
    uint16_t *array = bytes((size_t)count * sizeof *array);
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &source[i], sizeof bits);
        array[i] = (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }
    return array;
}

float *to_float32(const uint16_t *source, int64_t count) {
    float *array = empty(count);
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits = (uint32_t)source[i] << 16;
        memcpy(&array[i], &bits, sizeof bits);
    }
    return array;
}

float rounded(double value) {
    float number = (float)value;
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
    memcpy(&number, &bits, sizeof bits);
    return number;
}

static int64_t compared;

void expect_close(const char *what, const float *actual, const float *expected, int64_t count, double tolerance) {
    double largest = 1, worst = 0;
    int64_t where = -1;
    for (int64_t i = 0; i < count; i++) largest = fmax(largest, fabs((double)expected[i]));
    for (int64_t i = 0; i < count; i++) {
        double difference = fabs((double)actual[i] - (double)expected[i]);
        if (!(difference <= worst)) worst = difference, where = i;
    }
    compared += count;
    if (worst <= tolerance * largest) return;
    fprintf(stderr, "%s on %s: element %lld of %lld is %g, expected %g\n", what, graft_instruction_set(), (long long)where,
            (long long)count, (double)actual[where], (double)expected[where]);
    exit(1);
}

int main(int count, char **arguments) {
    int rounds = count > 1 ? atoi(arguments[1]) : 20;
    uint64_t seed = count > 2 ? strtoull(arguments[2], NULL, 10) : 1;
    static void (*const checks[])(int) = {check_programs,     check_optimizers,    check_products,
                                          check_gradients,    check_convolutions, check_winograd,
                                          check_convolution_gradients, check_poolings, check_others};
    static const char *const names[] = {"programs", "optimizers", "products", "gradients", "convolutions", "winograd",
                                        "convolution gradients", "poolings", "others"};
    for (int set = 0; set < graft_instruction_set_count(); set++) {
        graft_use_instruction_set(set);
        for (int check = 0; check < (int)(sizeof checks / sizeof *checks); check++) {
            compared = 0;
            for (int round = 0; round < rounds; round++) {
                // A round alone can be run again: its numbers follow from these alone.
                state = (seed * 1000003 + (uint64_t)round) * 64 + (uint64_t)check;
                checks[check]((int)between(1, 3));
                release_all();
            }
            printf("%-8s %-22s %4d rounds, %10lld values compared\n", graft_instruction_set(), names[check], rounds,
                   (long long)compared);
            fflush(stdout);
        }
    }
    return 0;
}
