#include "Allocations.h"
#include <errno.h>
#include <stdlib.h>

#if defined(__linux__) && defined(__GLIBC__)

// The C library's own functions under its other names; the program's definitions below are found before its.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static _Thread_local allocation_counts counts;

static void note(size_t size) {
    counts.calls++;
    if (size >= allocation_large) {
        counts.large_calls++;
        counts.large_bytes += (long)size;
    }
}

void *malloc(size_t size) {
    note(size);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    note(count * size);
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    note(size);
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size);

void *memalign(size_t alignment, size_t size) {
    note(size);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    note(size);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) return EINVAL;
    note(size);
    void *result = __libc_memalign(alignment, size);
    if (!result) return ENOMEM;
    *memory = result;
    return 0;
}

bool allocations_are_counted(void) { return true; }
allocation_counts allocations_so_far(void) { return counts; }
#else
bool allocations_are_counted(void) { return false; }
allocation_counts allocations_so_far(void) { return (allocation_counts){0, 0, 0}; }
#endif
