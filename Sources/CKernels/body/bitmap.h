// Skinny GEMM of bitmap-compressed rows: which elements are not zero is known before any is read. Many examples share each read
// of the kernel, since compressed they take little memory.

/// Panels that are multiplied with each example before the next one, for as many rows of the kernel as a word has bits: they
/// fit into the first-level cache, and the sums of some hundred examples into the second.
enum { bitmap_panels_at_once = graft_bitmap_columns / columns_at_once };

/// The rows of the kernel from `row` on for which some example has a non-zero input, a bit for each.
INLINE uint64_t rows_needed(const graft_skinny_nn *p, int64_t row) {
    uint64_t any = 0;
    if (row >= p->inner) return any;
    const uint64_t *masks = p->bitmap_left.masks + row / graft_bitmap_word * p->rows;
    for (int64_t example = 0; example < p->rows; example++) any |= masks[example];
    return any;
}

/// Adds the products of up to 64 rows of the kernel with all examples to their sums, of [examples][128].
INLINE void multiply_bitmap_rows(const graft_skinny_nn *p, int64_t row, uint64_t any, uint64_t following,
                                 int64_t column, int panels, float *sums) {
    _Alignas(64) float together[graft_bitmap_word * graft_bitmap_columns];
    const float *right = p->right + row * p->columns + column, *rows = right;
    const float *below = right + graft_bitmap_word * p->columns;
    int64_t word = row / graft_bitmap_word, stride = p->columns;
    const uint64_t *masks = p->bitmap_left.masks + word * p->rows;
    const float *values = p->bitmap_left.values + p->bitmap_left.starts[word];
    int width = panels * columns_at_once;
    int share = (int)((__builtin_popcountll(following) + p->rows - 1) / p->rows);
    if (p->rows >= least_examples_to_gather) {
        gather_rows(right, p->columns, width, any, together, graft_bitmap_columns);
        rows = together;
        stride = graft_bitmap_columns;
    }
    for (int64_t example = 0; example < p->rows; example++, sums += graft_bitmap_columns) {
        vector added[2 * bitmap_panels_at_once];
        following = fetch_rows(below, p->columns, width, following, share);
        UNROLLED for (int i = 0; i < 2 * panels; i++) added[i] = load(sums + i * VECTOR);
        for (uint64_t nonzero = masks[example]; nonzero; nonzero &= nonzero - 1, values++) {
            const float *source = rows + __builtin_ctzll(nonzero) * stride;
            UNROLLED for (int i = 0; i < 2 * panels; i++) added[i] += *values * load(source + i * VECTOR);
        }
        UNROLLED for (int i = 0; i < 2 * panels; i++) store(sums + i * VECTOR, added[i]);
    }
}

/// `panels` panels of the result. Blocks of the inner axis have partial sums, which are added in the order of `skinny_nn`.
/// `sums` is scratch for two times [examples][128].
INLINE void bitmap_panels(const graft_skinny_nn *p, int64_t block, int64_t column, int panels, float *sums) {
    int64_t size = p->rows * graft_bitmap_columns;
    int width = panels * columns_at_once;
    float *totals = sums + size;
    for (int64_t example = 0; example < p->rows; example++)
        for (int i = 0; i < width; i += VECTOR)
            store(totals + example * graft_bitmap_columns + i, p->bias ? load(p->bias + column + i) : splat(0));
    uint64_t any = rows_needed(p, 0);
    for (int64_t begin = 0; begin < p->inner; begin += block) {
        int64_t end = begin + block < p->inner ? begin + block : p->inner;
        __builtin_memset(sums, 0, (size_t)size * sizeof(float));
        for (int64_t row = begin; row < end; row += graft_bitmap_word) {
            uint64_t following = rows_needed(p, row + graft_bitmap_word);
            multiply_bitmap_rows(p, row, any, following, column, panels, sums);
            any = following;
        }
        for (int64_t i = 0; i < size; i += VECTOR) store(totals + i, load(totals + i) + load(sums + i));
    }
    for (int64_t example = 0; example < p->rows; example++)
        __builtin_memcpy(p->target + example * p->columns + column, totals + example * graft_bitmap_columns,
                         (size_t)width * sizeof(float));
}

/// The columns begin ..< end, a multiple of 32.
static void bitmap_nn(const graft_skinny_nn *p, int64_t block, int64_t begin, int64_t end, float *sums) {
    for (; begin + graft_bitmap_columns <= end; begin += graft_bitmap_columns)
        bitmap_panels(p, block, begin, bitmap_panels_at_once, sums);
    for (; begin + 2 * columns_at_once <= end; begin += 2 * columns_at_once) bitmap_panels(p, block, begin, 2, sums);
    for (; begin < end; begin += columns_at_once) bitmap_panels(p, block, begin, 1, sums);
}
