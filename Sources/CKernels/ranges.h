#pragma once
// Work in ranges, shared by threads.
#include <stdint.h>

/// Splits 0 ..< count into as many ranges as there are threads, at multiples of `grain`; `work` is the number of
/// elements touched in all.
void graft_in_parallel(int64_t count, int64_t grain, int64_t work, int threads, void *context,
                       void (*body)(void *context, int part, int64_t begin, int64_t end));

/// As `graft_in_parallel`, but each thread takes the next `grain` elements when it has done its last, so that a core that does
/// something else meanwhile holds nobody up. For work whose result does not depend on who does it.
void graft_in_turns(int64_t count, int64_t grain, int64_t work, int threads, void *context,
                    void (*body)(void *context, int part, int64_t begin, int64_t end));

/// As `graft_in_turns`, but each thread begins with a range of its own, the same one as in `graft_in_parallel`, whose input
/// its caches may still hold, and helps others when that is done.
void graft_in_shares(int64_t count, int64_t grain, int64_t work, int threads, void *context,
                     void (*body)(void *context, int part, int64_t begin, int64_t end));
