// Loops over a range that threads share, with denormals flushed to zero.
#include <stdatomic.h>
#include "ranges.h"
#include "include/CKernels.h"

/// Elements from which on a second thread pays: on a virtual machine it takes some 50 µs to wake a sleeping one.
enum { worth_a_thread = 131072 };

typedef struct {
    void (*body)(void *context, int part, int64_t begin, int64_t end);
    void *context;
    int64_t count, grain;
    int parts;
} split;

// Denormals are flushed to zero while a kernel runs, as in other frameworks: an optimizer's decaying state would otherwise
// slow some processors down a hundredfold.
#if defined(__x86_64__)
typedef unsigned float_mode;

static float_mode flush_denormals(void) {
    float_mode before = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(before | 0x8000);
    return before;
}

static void restore(float_mode before) { __builtin_ia32_ldmxcsr(before); }
#elif defined(__aarch64__)
typedef uint64_t float_mode;

static float_mode flush_denormals(void) {
    float_mode before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | 1 << 24));
    return before;
}

static void restore(float_mode before) { __asm__ volatile("msr fpcr, %0" : : "r"(before)); }
#else
typedef int float_mode;

static float_mode flush_denormals(void) { return 0; }

static void restore(float_mode before) {}
#endif

static void run_range(void *data, int part) {
    const split *s = data;
    int64_t grains = (s->count + s->grain - 1) / s->grain;
    int64_t begin = grains * part / s->parts * s->grain, end = grains * (part + 1) / s->parts * s->grain;
    if (end > s->count) end = s->count;
    if (begin >= end) return;
    float_mode before = flush_denormals();
    s->body(s->context, part, begin, end);
    restore(before);
}

void graft_for_static(int64_t count, int64_t grain, int64_t work, int threads, void *context,
                       void (*body)(void *context, int part, int64_t begin, int64_t end)) {
    int64_t useful = work / worth_a_thread + 1;
    int parts = threads < useful ? threads : (int)useful;
    if (parts < 1) parts = 1;
    split s = {body, context, count, grain, parts};
    graft_parallel(parts, run_range, &s);
}

typedef struct {
    split split;
    atomic_llong next;
} dynamic_loop;

static void run_dynamic(void *data, int part) {
    dynamic_loop *loop = data;
    float_mode before = flush_denormals();
    for (;;) {
        int64_t begin = atomic_fetch_add(&loop->next, loop->split.grain), end = begin + loop->split.grain;
        if (begin >= loop->split.count) break;
        loop->split.body(loop->split.context, part, begin, end < loop->split.count ? end : loop->split.count);
    }
    restore(before);
}

void graft_for_dynamic(int64_t count, int64_t grain, int64_t work, int threads, void *context,
                       void (*body)(void *context, int part, int64_t begin, int64_t end)) {
    int64_t useful = work / worth_a_thread + 1, pieces = (count + grain - 1) / grain;
    int parts = threads < useful ? threads : (int)useful;
    if (parts > pieces) parts = (int)pieces;
    dynamic_loop loop = {.split = {body, context, count, grain, parts}};
    graft_parallel(parts, run_dynamic, &loop);
}

enum { most_shares = 256 };

typedef struct {
    split split;
    /// The next grain of each share, a cache line apart.
    struct {
        _Alignas(64) atomic_llong next;
    } shares[most_shares];
} stealing_loop;

static void run_stealing(void *data, int part) {
    stealing_loop *work = data;
    const split *s = &work->split;
    int64_t grains = (s->count + s->grain - 1) / s->grain;
    float_mode before = flush_denormals();
    for (int i = 0; i < s->parts; i++) {
        int share = (part + i) % s->parts;
        int64_t last = grains * (share + 1) / s->parts;
        for (int64_t next; (next = atomic_fetch_add(&work->shares[share].next, 1)) < last;) {
            int64_t begin = next * s->grain, end = begin + s->grain;
            s->body(s->context, part, begin, end < s->count ? end : s->count);
        }
    }
    restore(before);
}

void graft_for_stealing(int64_t count, int64_t grain, int64_t work, int threads, void *context,
                        void (*body)(void *context, int part, int64_t begin, int64_t end)) {
    int64_t useful = work / worth_a_thread + 1, pieces = (count + grain - 1) / grain;
    int parts = threads < useful ? threads : (int)useful;
    if (parts > pieces) parts = (int)pieces;
    if (parts > most_shares) parts = most_shares;
    stealing_loop shared;
    shared.split = (split){body, context, count, grain, parts};
    for (int share = 0; share < parts; share++) atomic_init(&shared.shares[share].next, pieces * share / parts);
    graft_parallel(parts, run_stealing, &shared);
}
