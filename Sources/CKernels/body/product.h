// A product of a few rows with a large matrix: a dense layer that is a matter of reading its kernel once. The kernel is
// read in eight rows at a time, straight from where it stands; the sums stay in the first-level cache.

enum { inner_at_once = 8, panel_columns = graft_product_panel, inner_block = 1024 };

/// Adds the products with `count` rows of the kernel (at most eight) to two vectors of every row's sums.
INLINE void add_products(const graft_thin_product *p, const float *left, const float *right, int count, float *sums) {
    vector first[inner_at_once], second[inner_at_once];
    for (int i = 0; i < count; i++, right += p->columns) {
        first[i] = load(right);
        second[i] = load(right + VECTOR);
        // The same place of the next eight rows.
        __builtin_prefetch(right + inner_at_once * p->columns, 0, 3);
        __builtin_prefetch(right + inner_at_once * p->columns + VECTOR, 0, 3);
    }
    for (int64_t row = 0; row < p->rows; row++, left += p->inner, sums += panel_columns) {
        vector a = load(sums), b = load(sums + VECTOR);
        for (int i = 0; i < count; i++) {
            a += left[i] * first[i];
            b += left[i] * second[i];
        }
        store(sums, a);
        store(sums + VECTOR, b);
    }
}

/// The sums over the inner positions begin ..< end.
static void sum_products(const graft_thin_product *p, int64_t panel, int64_t width, int64_t begin, int64_t end,
                         float *sums) {
    for (; begin + inner_at_once <= end; begin += inner_at_once)
        for (int64_t column = 0; column < width; column += 2 * VECTOR)
            add_products(p, p->left + begin, p->right + begin * p->columns + panel + column, inner_at_once,
                         sums + column);
    for (; begin < end; begin++)
        for (int64_t column = 0; column < width; column += 2 * VECTOR)
            add_products(p, p->left + begin, p->right + begin * p->columns + panel + column, 1, sums + column);
}

/// Columns begin ..< end, multiples of 32. The inner axis is summed in blocks, so that rounding errors stay small;
/// `scratch` holds the sums of a block for all rows.
static void thin_product(const graft_thin_product *p, int64_t begin, int64_t end, float *scratch) {
    for (int64_t panel = begin; panel < end; panel += panel_columns) {
        int64_t width = end - panel < panel_columns ? end - panel : panel_columns;
        for (int64_t row = 0; row < p->rows; row++)
            for (int64_t i = 0; i < width; i++) p->target[row * p->columns + panel + i] = p->bias ? p->bias[panel + i] : 0;
        for (int64_t block = 0; block < p->inner; block += inner_block) {
            int64_t last = p->inner - block < inner_block ? p->inner : block + inner_block;
            __builtin_memset(scratch, 0, (size_t)(p->rows * panel_columns) * sizeof(float));
            sum_products(p, panel, width, block, last, scratch);
            for (int64_t row = 0; row < p->rows; row++)
                for (int64_t i = 0; i < width; i++)
                    p->target[row * p->columns + panel + i] += scratch[row * panel_columns + i];
        }
    }
}
