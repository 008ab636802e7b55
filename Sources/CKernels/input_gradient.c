// The gradient of a dense layer's input, `delta · kernelᵀ`: on its own, and along with the update of the same kernel.
#include "ranges.h"
#include "table.h"

static void row_product_part(void *context, int part, int64_t begin, int64_t end) {
    graft_chosen_kernels()->row_product(context, begin, end);
}

void graft_run_row_product(const graft_row_product *product, int threads) {
    // A line of memory holds sixteen results, and five are made at once.
    graft_in_parallel(product->columns, 80, product->inner * product->columns, threads, (void *)product, row_product_part);
}

void graft_update_behind_row_product(const graft_rule_kernels *rule, const graft_rule_call *call,
                                     const graft_gradient *gradient, const graft_zeros *zeros, const float *panels,
                                     int64_t begin, int64_t end, float *left) {
    for (int64_t row = begin; row < end; row += graft_rows_behind_product) {
        int64_t last = row + graft_rows_behind_product < end ? row + graft_rows_behind_product : end;
        graft_chosen_kernels()->row_product(gradient->input_gradient, row, last);
        rule->gradient(call, gradient, zeros, panels, NULL, NULL, row, last, left);
    }
}
