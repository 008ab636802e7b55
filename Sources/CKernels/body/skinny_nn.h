// Skinny GEMM, few rows times a large matrix: a dense layer that is bound by reading its kernel once. The kernel is read eight
// rows at a time, in place and in the order of memory.

enum { inner_at_once = graft_skinny_inner, product_columns = 2 * VECTOR, widest_product = graft_most_sparse_examples };

/// Adds the products with `count` rows of the kernel, at most eight, to two vectors of every row's sums.
INLINE void add_products(const graft_skinny_nn *p, const float *factors, const float *right, int64_t count,
                         bool fetches, float *sums) {
    vector first[inner_at_once], second[inner_at_once];
    for (int i = 0; i < inner_at_once; i++, right += p->columns) {
        first[i] = i < count ? load(right) : splat(0);
        second[i] = i < count ? load(right + VECTOR) : splat(0);
        if (!fetches) continue;
        // The same columns of the rows after the next.
        __builtin_prefetch(right + graft_skinny_prefetch * p->columns, 0, 2);
        __builtin_prefetch(right + graft_skinny_prefetch * p->columns + VECTOR, 0, 2);
    }
    for (int64_t row = 0; row < p->rows; row++, factors += inner_at_once, sums += product_columns) {
        vector a = load(sums), b = load(sums + VECTOR);
        for (int i = 0; i < inner_at_once; i++) {
            a += factors[i] * first[i];
            b += factors[i] * second[i];
        }
        store(sums, a);
        store(sums + VECTOR, b);
    }
}

/// A block's partial sums are [columns / 32][rows][32].
INLINE void clear_sums(const graft_skinny_nn *p, float *sums) {
    __builtin_memset(sums, 0, (size_t)(p->rows * p->columns) * sizeof(float));
}

/// Adds the products of `factors` with the kernel's rows from `inner`, at most eight, to a block's partial sums; the rows after
/// them are prefetched.
INLINE void multiply_rows(const graft_skinny_nn *p, int64_t inner, const float *factors, int64_t count, float *sums) {
    const float *right = p->right + inner * p->columns;
    for (int64_t i = 0; i < p->columns / product_columns; i++, right += product_columns) {
        // Two copies of the code, so that the usual one has no tests.
        if (count == inner_at_once)
            add_products(p, factors, right, inner_at_once, true, sums);
        else
            add_products(p, factors, right, count, true, sums);
        sums += p->rows * product_columns;
    }
}

/// The split-K reduction: adds the bias and the partial sums of all blocks, in their order, for the panels begin ..< end of 32
/// columns. The sums of the next block are prefetched.
static void reduce_split_k(const graft_skinny_nn *p, const float *sums, int64_t blocks, int64_t begin, int64_t end) {
    int64_t size = p->rows * p->columns;
    for (int64_t panel = begin; panel < end; panel++) {
        float totals[widest_product * product_columns];
        const float *bias = p->bias ? p->bias + panel * product_columns : NULL;
        vector first = bias ? load(bias) : splat(0), second = bias ? load(bias + VECTOR) : splat(0);
        for (int64_t row = 0; row < p->rows; row++) {
            store(totals + row * product_columns, first);
            store(totals + row * product_columns + VECTOR, second);
        }
        const float *source = sums + panel * p->rows * product_columns;
        for (int64_t block = 0; block < blocks; block++, source += size)
            for (int64_t i = 0; i < p->rows * product_columns; i += VECTOR) {
                store(totals + i, load(totals + i) + load(source + i));
                __builtin_prefetch(source + size + i, 0, 3);
            }
        for (int64_t row = 0; row < p->rows; row++)
            __builtin_memcpy(p->target + row * p->columns + panel * product_columns, totals + row * product_columns,
                             product_columns * sizeof(float));
    }
}
