// The gradient of a dense layer's input, `delta · kernelᵀ`: on its own, and fused with the update of the same kernel.
#include "ranges.h"
#include "table.h"

static void skinny_nt_part(void *context, int part, int64_t begin, int64_t end) {
    graft_chosen_kernels()->skinny_nt(context, begin, end);
}

void graft_run_skinny_nt(const graft_skinny_nt *product, int threads) {
    // A cache line holds sixteen results, and five are computed at once.
    graft_for_static(product->columns, 80, product->inner * product->columns, threads, (void *)product, skinny_nt_part);
}

void graft_update_with_skinny_nt(const graft_optimizer_kernels *optimizer, const graft_update *update, int64_t begin,
                                 int64_t end, float *left) {
    for (int64_t row = begin; row < end; row += graft_fused_nt_rows) {
        int64_t last = row + graft_fused_nt_rows < end ? row + graft_fused_nt_rows : end;
        graft_chosen_kernels()->skinny_nt(update->gradient->input_gradient, row, last);
        optimizer->gradient(update, NULL, row, last, left);
    }
}
