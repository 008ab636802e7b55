// Which of oneDNN's implementations Graft runs: the one place that says so, for convolutions and both of their gradients.
//
// `jit_1x1:avx512_core_amx…` writes past its output. It divides the pixels of an image into tiles of 9 to 16 and takes
// two tiles at once; where there are three tiles it computes four, and writes as many rows too many as a tile has: into
// the next image of the batch, which another thread may be computing, or past the end of the array. That is so for 27, 33,
// 36 (6 × 6), 39, 42, 45 and 48 pixels, in oneDNN 2.6.3 and 3.2, for any channels. It is left out whatever the size: it is
// never oneDNN's first choice, and what comes before it is faster.
//
// The other implementations on AMX were run between guarded buffers and stayed inside. One that is not listed was not: a
// newer oneDNN's has to be checked first. `Scripts/check-onednn` does that;
// `Documentation/Numerics.md` has what it found.
#include <string.h>
#include "include/COneDNN.h"

/// The implementations on AMX that stay inside of their buffers, by the part of their names before the colon.
static const char *const checked_forward[] = {"brgconv", "brgconv_1x1", "jit", NULL};
static const char *const checked_input_gradient[] = {"jit", NULL};
static const char *const checked_kernel_gradient[] = {"jit", NULL};

static const char *const *checked(enum graft_dnn_direction direction) {
    switch (direction) {
    case graft_dnn_forward: return checked_forward;
    case graft_dnn_input_gradient: return checked_input_gradient;
    case graft_dnn_kernel_gradient: return checked_kernel_gradient;
    }
    return NULL;
}

bool graft_dnn_uses_amx(const char *implementation) { return strstr(implementation, "amx") != NULL; }

bool graft_dnn_allows(const char *implementation, enum graft_dnn_direction direction) {
    if (!graft_dnn_uses_amx(implementation)) return true;
    const char *const *names = checked(direction);
    size_t length = strcspn(implementation, ":");
    for (; names && *names; names++)
        if (strlen(*names) == length && strncmp(*names, implementation, length) == 0) return true;
    return false;
}

/// Whether an implementation is made for kernels of 1 × 1 alone.
static bool is_pointwise(const char *implementation) { return strstr(implementation, "1x1") != NULL; }

/// Whether an implementation is of oneDNN's direct code, rather than of batched products or reference loops.
static bool is_direct(const char *implementation) { return strncmp(implementation, "jit", 3) == 0; }

bool graft_dnn_prefers(const char *implementation, const char *taken, enum graft_dnn_direction direction,
                       enum graft_dnn_choice choice) {
    if (!graft_dnn_allows(implementation, direction)) return false;
    if (!taken) return true;
    if (choice == graft_dnn_first_choice || is_direct(taken)) return false;
    // Direct code without AMX is no match for batched products with it, nor is code for all sizes for that for 1 × 1.
    return is_direct(implementation) && graft_dnn_uses_amx(implementation) == graft_dnn_uses_amx(taken) &&
           (is_pointwise(implementation) || !is_pointwise(taken));
}
