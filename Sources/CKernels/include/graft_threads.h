#pragma once
// Threads, memory, time, and the choice of an instruction set.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Sets how many threads the OpenMP runtime that oneDNN uses gives to the calling thread's parallel regions. Its idle threads
/// sleep rather than spin where other work needs the cores. Called before each run of a plan. Does nothing where the process
/// has no OpenMP runtime.
void graft_set_thread_count(int threads);

/// Starts or ends oversubscription: sleeping threads, more than there are processors, disable libgomp's spin-wait. For tests
/// only; `graft_set_thread_count` does it as needed.
void graft_oversubscribe(bool on);

/// Calls `body(context, part)` for every part in 0 ..< parts, on up to `parts` threads at once; returns when all are
/// done. Runs on oneDNN's OpenMP threads where there are any: threads of our own would share the cores with the spinning ones
/// of that runtime.
void graft_parallel(int parts, void (*body)(void *context, int part), void *context);

/// As `graft_parallel`, without OpenMP; for tests of what runs where there is none.
void graft_parallel_without_openmp(int parts, void (*body)(void *context, int part), void *context);

/// How many processors this process may use.
int graft_processor_count(void);

/// The machine's memory in bytes.
uint64_t graft_memory_size(void);

/// Memory aligned to 64 bytes, in large pages where it is large; NULL where there is none. Freed with `free`.
void *graft_allocate(size_t size);

/// Returns freed memory that the allocator keeps to the system, where that is possible (glibc).
void graft_release_memory(void);

/// Seconds on a monotonic clock.
double graft_seconds(void);

/// The name of the instruction set that was picked, "avx512", "avx2" or "plain"; for messages of tests.
const char *graft_instruction_set(void);

/// How many of the compiled instruction sets this processor can run.
int graft_instruction_set_count(void);
/// Whether this processor multiplies bfloat16 in pairs by AVX512_BF16, and in tiles by AMX.
bool graft_has_avx512_bf16(void);
bool graft_has_amx(void);

/// Picks one of them, 0 for plain. For tests only: the choice holds for the process.
void graft_use_instruction_set(int index);
