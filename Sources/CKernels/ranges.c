// Shares ranges of work out among threads, with numbers too small for a normal float flushed to zero.
#include <stdatomic.h>
#include "ranges.h"
#include "include/CKernels.h"

/// Below so many elements a second thread costs more than it brings: on a virtual machine some 50 µs pass before one that
/// sleeps is awake.
enum { worth_a_thread = 131072 };

typedef struct {
    void (*body)(void *context, int part, int64_t begin, int64_t end);
    void *context;
    int64_t count, grain;
    int parts;
} split;

// Numbers too small for a normal float become zero while a kernel runs, as in other frameworks: an optimizer's state
// that decays would otherwise slow some processors down a hundredfold.
#if defined(__x86_64__)
typedef unsigned float_mode;

static float_mode flush_tiny_numbers(void) {
    float_mode before = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(before | 0x8000);
    return before;
}

static void restore(float_mode before) { __builtin_ia32_ldmxcsr(before); }
#elif defined(__aarch64__)
typedef uint64_t float_mode;

static float_mode flush_tiny_numbers(void) {
    float_mode before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | 1 << 24));
    return before;
}

static void restore(float_mode before) { __asm__ volatile("msr fpcr, %0" : : "r"(before)); }
#else
typedef int float_mode;

static float_mode flush_tiny_numbers(void) { return 0; }

static void restore(float_mode before) {}
#endif

static void run_range(void *data, int part) {
    const split *s = data;
    int64_t grains = (s->count + s->grain - 1) / s->grain;
    int64_t begin = grains * part / s->parts * s->grain, end = grains * (part + 1) / s->parts * s->grain;
    if (end > s->count) end = s->count;
    if (begin >= end) return;
    float_mode before = flush_tiny_numbers();
    s->body(s->context, part, begin, end);
    restore(before);
}

void graft_in_parallel(int64_t count, int64_t grain, int64_t work, int threads, void *context,
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
} turns;

static void take_turns(void *data, int part) {
    turns *t = data;
    float_mode before = flush_tiny_numbers();
    for (;;) {
        int64_t begin = atomic_fetch_add(&t->next, t->split.grain), end = begin + t->split.grain;
        if (begin >= t->split.count) break;
        t->split.body(t->split.context, part, begin, end < t->split.count ? end : t->split.count);
    }
    restore(before);
}

void graft_in_turns(int64_t count, int64_t grain, int64_t work, int threads, void *context,
                    void (*body)(void *context, int part, int64_t begin, int64_t end)) {
    int64_t useful = work / worth_a_thread + 1, pieces = (count + grain - 1) / grain;
    int parts = threads < useful ? threads : (int)useful;
    if (parts > pieces) parts = (int)pieces;
    turns t = {.split = {body, context, count, grain, parts}};
    graft_parallel(parts, take_turns, &t);
}

enum { most_shares = 256 };

typedef struct {
    split split;
    /// The next grain of each share, a cache line apart.
    struct {
        _Alignas(64) atomic_llong next;
    } shares[most_shares];
} shared_work;

static void take_shares(void *data, int part) {
    shared_work *work = data;
    const split *s = &work->split;
    int64_t grains = (s->count + s->grain - 1) / s->grain;
    float_mode before = flush_tiny_numbers();
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

void graft_in_shares(int64_t count, int64_t grain, int64_t work, int threads, void *context,
                     void (*body)(void *context, int part, int64_t begin, int64_t end)) {
    int64_t useful = work / worth_a_thread + 1, pieces = (count + grain - 1) / grain;
    int parts = threads < useful ? threads : (int)useful;
    if (parts > pieces) parts = (int)pieces;
    if (parts > most_shares) parts = most_shares;
    shared_work shared;
    shared.split = (split){body, context, count, grain, parts};
    for (int share = 0; share < parts; share++) atomic_init(&shared.shares[share].next, pieces * share / parts);
    graft_parallel(parts, take_shares, &shared);
}
