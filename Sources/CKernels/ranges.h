#pragma once
// Loops over a range that threads share, scheduled as in OpenMP. `work` is the number of elements touched in all: little work
// stays on few threads.
#include <stdint.h>

/// Static scheduling: as many ranges as there are threads, at multiples of `grain`.
void graft_for_static(int64_t count, int64_t grain, int64_t work, int threads, void *context,
                      void (*body)(void *context, int part, int64_t begin, int64_t end));

/// Dynamic scheduling: each thread takes the next `grain` elements when it is done with its last, so that a core that is busy
/// with something else delays no other. For work whose result does not depend on which thread does it.
void graft_for_dynamic(int64_t count, int64_t grain, int64_t work, int threads, void *context,
                       void (*body)(void *context, int part, int64_t begin, int64_t end));

/// Work stealing: each thread begins with the range that it has in `graft_for_static`, whose input may still be in its caches,
/// and then takes from others. For work as that of `graft_for_dynamic`.
void graft_for_stealing(int64_t count, int64_t grain, int64_t work, int threads, void *context,
                        void (*body)(void *context, int part, int64_t begin, int64_t end));
