// A dense layer whose inputs are mostly zeros, as what comes out of a relu is: products with zeros are left out, and the
// kernel's rows that meet nothing else are not read. What is left is added up in the order in which everything would be, so
// the results are the same.

/// Panels of 32 columns that an update works on at once, so that what they need of the output's gradient and of a product's
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
    const float *packed;
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

/// What the numbers of some examples come from, eight rows of a kernel at a time.
typedef struct {
    int64_t examples, width;
    /// Of [examples][width]; NULL where they come packed.
    const float *left;
    const graft_packed_rows *packed;
    /// Room for two tiles of [examples][8], or for those of two words where they come packed: what was taken last, and what
    /// is taken next.
    float *tiles;
} number_source;

#ifndef EXPAND
#define EXPAND expanded
/// A vector with the next of `values` in each lane of the mask, and zeros in the others.
INLINE vector expanded(uint16_t mask, const float *values) {
    float lanes[VECTOR] = {0};
    for (unsigned left = mask; left; left &= left - 1) lanes[__builtin_ctz(left)] = *values++;
    return load(lanes);
}
#endif

/// The tiles of a word of all examples.
INLINE void expand_word(const number_source *source, int64_t word, float *tiles) {
    const uint64_t *masks = source->packed->masks + word * source->examples;
    const float *values = source->packed->values + source->packed->starts[word];
    for (int64_t example = 0; example < source->examples; example++, tiles += tile_rows) {
        float *tile = tiles;
        for (int bit = 0; bit < graft_packed_word; bit += VECTOR, tile += 2 * tile_rows * source->examples) {
            uint16_t mask = (uint16_t)(masks[example] >> bit);
            float numbers[VECTOR];
            store(numbers, EXPAND(mask, values));
            __builtin_memcpy(tile, numbers, tile_rows * sizeof(float));
            __builtin_memcpy(tile + tile_rows * source->examples, numbers + tile_rows, tile_rows * sizeof(float));
            values += __builtin_popcount(mask);
        }
    }
}

/// The numbers of up to eight rows, as [examples][8]. Rows are taken one tile after the other, from the first of a word where
/// they come packed.
INLINE float *take_tile(const number_source *source, int64_t row, int rows) {
    int64_t size = tile_rows * source->examples;
    if (source->left) {
        float *tile = source->tiles + row / tile_rows % 2 * size;
        for (int64_t example = 0; example < source->examples; example++)
            pack_eight(source->left + example * source->width + row, rows, tile + example * tile_rows);
        return tile;
    }
    int64_t word = row / graft_packed_word, position = row % graft_packed_word;
    float *tiles = source->tiles + word % 2 * graft_packed_word * source->examples;
    if (position == 0) expand_word(source, word, tiles);
    return tiles + position / tile_rows * size;
}

/// Takes the numbers that go with the rows from `row` on, before `end`, and finds those that count: where `must` says so, or
/// where they are few and `may` allows it.
INLINE void prepare_numbers(const number_source *source, const int32_t *least, int64_t row, int64_t end, bool may,
                            bool must, number_list *list) {
    list->rows = row >= end ? 0 : end - row < tile_rows ? (int)(end - row) : tile_rows;
    list->is_listed = false;
    if (list->rows == 0) return;
    list->packed = take_tile(source, row, list->rows);
    if (!must && !may) return;
    find_numbers(source->examples, least, list);
    list->is_listed = must || is_sparse(list, source->examples);
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

/// Rows of the kernel that are multiplied with each example before the next one, as many as a set has bits, in so many
/// panels: with the sums of all examples that fits into the first-level cache.
enum { gathered_rows = 64, gathered_panels = 2, gathered_columns = gathered_panels * columns_at_once };

/// Examples from which on it pays to bring the rows together first: a kernel's rows are often a page apart, and fall on
/// the same few places of the first-level cache.
enum { least_examples_to_gather = 4 };

typedef bool lanes __attribute__((ext_vector_type(VECTOR)));

/// The numbers of all examples that go with a few rows of the kernel.
typedef struct {
    int64_t row;
    int rows;
    /// For each example the rows for which its number is not zero, a bit for each; and those of all examples.
    uint64_t met[widest_product], any;
    bool is_sparse;
} gathered_numbers;

/// The bits of those of up to 64 numbers that are not zero.
INLINE uint64_t bits_of(const float *numbers, int count) {
    uint64_t bits = 0;
    for (int i = 0; i < count; i += VECTOR) {
        vector some = count - i >= VECTOR ? load(numbers + i) : load_some(numbers + i, count - i, 0);
        lanes are_set = __builtin_convertvector(some != 0, lanes);
        uint16_t part;
        __builtin_memcpy(&part, &are_set, sizeof part);
        bits |= (uint64_t)part << i;
    }
    return bits;
}

/// Finds the numbers that go with the rows from `row` on, before `end`; those of the rows behind them are fetched.
INLINE void gather_numbers(const graft_thin_product *p, int64_t row, int64_t end, gathered_numbers *numbers) {
    numbers->row = row;
    numbers->rows = row >= end ? 0 : end - row < gathered_rows ? (int)(end - row) : gathered_rows;
    numbers->any = 0;
    int64_t total = 0;
    for (int64_t example = 0; example < p->rows && numbers->rows > 0; example++) {
        const float *left = p->left + example * p->inner + row;
        numbers->met[example] = bits_of(left, numbers->rows);
        numbers->any |= numbers->met[example];
        total += __builtin_popcountll(numbers->met[example]);
        if (numbers->rows == gathered_rows)
            for (int i = 0; i < gathered_rows; i += VECTOR) __builtin_prefetch(left + gathered_rows + i, 0, 3);
    }
    numbers->is_sparse = 3 * total <= numbers->rows * p->rows;
}

/// Brings the rows that are met together, `stride` numbers apart.
INLINE void bring_together(const float *right, int64_t columns, int width, uint64_t any, float *rows, int64_t stride) {
    for (; any; any &= any - 1) {
        int row = __builtin_ctzll(any);
        for (int i = 0; i < width; i += VECTOR) store(rows + row * stride + i, load(right + row * columns + i));
    }
}

/// Fetches so many of the rows that are left of `rows`, and takes them off.
INLINE uint64_t fetch_rows(const float *right, int64_t columns, int width, uint64_t rows, int count) {
    for (; rows && count > 0; rows &= rows - 1, count--) {
        const float *row = right + __builtin_ctzll(rows) * columns;
        for (int i = 0; i < width; i += VECTOR) __builtin_prefetch(row + i, 0, 2);
    }
    return rows;
}

/// Adds the products of an example's numbers with so many panels of the rows to its sums.
INLINE void add_rows(const float *numbers, uint64_t met, const float *rows, int64_t stride, int panels, float *target,
                     int64_t target_stride) {
    vector sums[2 * gathered_panels];
    UNROLLED for (int i = 0; i < 2 * panels; i++) sums[i] = load(target + i / 2 * target_stride + i % 2 * VECTOR);
    for (; met; met &= met - 1) {
        int index = __builtin_ctzll(met);
        float number = numbers[index];
        const float *row = rows + index * stride;
        UNROLLED for (int i = 0; i < 2 * panels; i++) sums[i] += number * load(row + i * VECTOR);
    }
    UNROLLED for (int i = 0; i < 2 * panels; i++) store(target + i / 2 * target_stride + i % 2 * VECTOR, sums[i]);
}

/// So many panels of the rows; the same of the rows after them are fetched meanwhile.
INLINE void multiply_panels(const graft_thin_product *p, const gathered_numbers *numbers, const gathered_numbers *after,
                            int64_t column, int panels, float *sums) {
    _Alignas(64) float together[gathered_rows * gathered_columns];
    const float *right = p->right + numbers->row * p->columns + column, *rows = right;
    const float *following = p->right + after->row * p->columns + column;
    int64_t stride = p->columns;
    int width = panels * columns_at_once;
    uint64_t fetched = after->rows > 0 ? after->any : 0;
    int share = (int)((__builtin_popcountll(fetched) + p->rows - 1) / p->rows);
    if (p->rows >= least_examples_to_gather) {
        bring_together(right, p->columns, width, numbers->any, together, gathered_columns);
        rows = together;
        stride = gathered_columns;
    }
    for (int64_t example = 0; example < p->rows; example++) {
        fetched = fetch_rows(following, p->columns, width, fetched, share);
        add_rows(p->left + example * p->inner + numbers->row, numbers->met[example], rows, stride, panels,
                 sums + column * p->rows + example * columns_at_once, columns_at_once * p->rows);
    }
}

INLINE void multiply_numbers(const graft_thin_product *p, const gathered_numbers *numbers,
                             const gathered_numbers *after, float *sums) {
    int64_t column = 0;
    for (; column + gathered_columns <= p->columns; column += gathered_columns)
        multiply_panels(p, numbers, after, column, gathered_panels, sums);
    for (; column < p->columns; column += columns_at_once) multiply_panels(p, numbers, after, column, 1, sums);
}

/// All of the rows, eight at a time.
INLINE void multiply_all(const graft_thin_product *p, const gathered_numbers *numbers, float *sums) {
    float packed[widest_product * tile_rows];
    for (int64_t i = 0; i < numbers->rows; i += tile_rows) {
        int64_t rows = numbers->rows - i < tile_rows ? numbers->rows - i : tile_rows;
        for (int64_t example = 0; example < p->rows; example++)
            pack_eight(p->left + example * p->inner + numbers->row + i, rows, packed + example * tile_rows);
        multiply_rows(p, numbers->row + i, packed, rows, sums);
    }
}

/// The sums over the inner positions begin ..< end.
static void thin_product(const graft_thin_product *p, int64_t begin, int64_t end, float *sums) {
    gathered_numbers numbers[2];
    clear_sums(p, sums);
    gather_numbers(p, begin, end, &numbers[0]);
    for (int current = 0; begin < end; begin += gathered_rows, current = !current) {
        gather_numbers(p, begin + gathered_rows, end, &numbers[!current]);
        if (numbers[current].is_sparse)
            multiply_numbers(p, &numbers[current], &numbers[!current], sums);
        else
            multiply_all(p, &numbers[current], sums);
    }
}
