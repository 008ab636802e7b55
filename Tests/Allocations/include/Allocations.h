#pragma once
// Counts what a thread asks the C library's allocator for: this target, linked into the tests, stands in front of it.
#include <stdbool.h>

typedef struct {
    /// Calls of malloc, calloc, realloc, memalign, aligned_alloc and posix_memalign.
    long calls;
    /// Those of them for `large` bytes or more.
    long large_calls;
    /// Bytes of the large ones.
    long large_bytes;
} allocation_counts;

enum { allocation_large = 65536 };

/// Whether allocations are counted here: with glibc they are.
bool allocations_are_counted(void);
/// The calling thread's counts since it began.
allocation_counts allocations_so_far(void);
