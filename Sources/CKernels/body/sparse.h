// A dense layer whose inputs are mostly zeros, as what comes out of a relu is: products with zeros are left out, and the
// kernel's rows that meet nothing else are not read. What is left is added up in the order in which everything would be, so
// the results are the same.

/// Panels of 32 columns that are worked on at once, so that what they need of the output's gradient and of a product's
/// sums stays in the first-level cache.
enum { sparse_panels = 4 };

/// In a product all numbers count but zeros.
static const int32_t least_of_products[graft_most_listed] = {[0 ... graft_most_listed - 1] = 1};

typedef int32_t eight_words __attribute__((ext_vector_type(8)));
typedef int64_t eight_sets __attribute__((ext_vector_type(8)));

/// Eight neighbouring numbers of each example: the examples' numbers that go with eight rows of a kernel.
typedef struct {
    int rows;
    /// All of them: [examples][8].
    float *packed;
    /// Whether those that count are taken one by one; otherwise they are so many that everything is multiplied.
    bool is_listed;
    /// For each row the examples whose numbers count, a bit for each.
    uint64_t met[tile_rows];
} number_list;

/// The numbers that count are those that are no smaller than `least` of their example, as bits without the sign.
INLINE void find_numbers(int64_t examples, const int32_t *least, number_list *list) {
    eight_sets met = (eight_sets)(int64_t)0;
    for (int64_t example = 0; example < examples; example++) {
        eight_words bits;
        __builtin_memcpy(&bits, list->packed + example * tile_rows, sizeof bits);
        eight_words counts = (bits & 0x7fffffff) >= (eight_words)least[example];
        met |= __builtin_convertvector(counts, eight_sets) & (eight_sets)(int64_t)((uint64_t)1 << example);
    }
    __builtin_memcpy(list->met, &met, sizeof met);
}

/// Whether it pays to go from number to number rather than to multiply everything in registers: at most a third are left.
INLINE bool is_sparse(const number_list *list, int64_t examples) {
    int64_t total = 0;
    for (int row = 0; row < tile_rows; row++) total += __builtin_popcountll(list->met[row]);
    return 3 * total <= tile_rows * examples;
}

/// Packs the numbers of `left`, of [examples][width], that go with the rows from `row` on, before `end`, and finds those
/// that count: where `must` says so, or where they are few and `may` allows it.
INLINE void prepare_numbers(const float *left, int64_t examples, int64_t width, const int32_t *least, int64_t row,
                            int64_t end, bool may, bool must, number_list *list) {
    list->rows = row >= end ? 0 : end - row < tile_rows ? (int)(end - row) : tile_rows;
    list->is_listed = false;
    if (list->rows == 0) return;
    for (int64_t example = 0; example < examples; example++)
        pack_eight(left + example * width + row, list->rows, list->packed + example * tile_rows);
    if (!must && !may) return;
    find_numbers(examples, least, list);
    list->is_listed = must || is_sparse(list, examples);
}

INLINE bool has_numbers(const number_list *list, int row) { return !list->is_listed || list->met[row] != 0; }

/// A row's sums over its numbers, in so many panels `stride` apart: a part of a row of a gradient.
INLINE void sum_numbers(const number_list *list, int row, const float *right, int64_t stride, int panels, vector *sums) {
    for (int i = 0; i < 2 * panels; i++) sums[i] = splat(0);
    for (uint64_t left = list->met[row]; left; left &= left - 1) {
        int example = __builtin_ctzll(left);
        const float *panel = right + example * columns_at_once;
        float value = list->packed[example * tile_rows + row];
        UNROLLED for (int j = 0; j < panels; j++, panel += stride) {
            sums[2 * j] += value * load(panel);
            sums[2 * j + 1] += value * load(panel + VECTOR);
        }
    }
}

/// Adds the products of a row's numbers with the kernel's row to the sums of their examples.
INLINE void spread_numbers(const number_list *list, int row, const vector *kernel, int panels, float *sums,
                           int64_t stride) {
    for (uint64_t left = list->met[row]; left; left &= left - 1) {
        int example = __builtin_ctzll(left);
        float *target = sums + example * columns_at_once, value = list->packed[example * tile_rows + row];
        UNROLLED for (int j = 0; j < panels; j++, target += stride) {
            store(target, load(target) + value * kernel[2 * j]);
            store(target + VECTOR, load(target + VECTOR) + value * kernel[2 * j + 1]);
        }
    }
}

// MARK: Products

/// So many panels of eight rows of the kernel; the same of the next eight rows are fetched.
INLINE void multiply_panels(const graft_thin_product *p, int64_t inner, int64_t column, int panels,
                            const number_list *list, const number_list *after, float *sums) {
    const float *right = p->right + inner * p->columns + column;
    for (int row = 0; row < tile_rows; row++, right += p->columns) {
        if (row < after->rows && has_numbers(after, row))
            for (int i = 0; i < 2 * panels; i++)
                __builtin_prefetch(right + tile_rows * p->columns + i * VECTOR, 0, 2);
        if (row >= list->rows || list->met[row] == 0) continue;
        vector kernel[2 * sparse_panels];
        for (int i = 0; i < 2 * panels; i++) kernel[i] = load(right + i * VECTOR);
        spread_numbers(list, row, kernel, panels, sums + column * p->rows, columns_at_once * p->rows);
    }
}

INLINE void multiply_numbers(const graft_thin_product *p, int64_t inner, const number_list *list,
                             const number_list *after, float *sums) {
    int64_t column = 0;
    for (; column + sparse_panels * columns_at_once <= p->columns; column += sparse_panels * columns_at_once)
        multiply_panels(p, inner, column, sparse_panels, list, after, sums);
    for (; column < p->columns; column += columns_at_once) multiply_panels(p, inner, column, 1, list, after, sums);
}

/// The sums over the inner positions begin ..< end.
static void thin_product(const graft_thin_product *p, int64_t begin, int64_t end, float *sums) {
    float packed[2][widest_product * tile_rows];
    number_list lists[2] = {{.packed = packed[0]}, {.packed = packed[1]}};
    clear_sums(p, sums);
    prepare_numbers(p->left, p->rows, p->inner, least_of_products, begin, end, true, false, &lists[0]);
    for (int current = 0; begin < end; begin += tile_rows, current = !current) {
        const number_list *list = &lists[current];
        prepare_numbers(p->left, p->rows, p->inner, least_of_products, begin + tile_rows, end, true, false, &lists[!current]);
        if (list->is_listed)
            multiply_numbers(p, begin, list, &lists[!current], sums);
        else
            multiply_rows(p, begin, list->packed, list->rows, sums);
    }
}
