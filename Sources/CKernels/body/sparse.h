// A dense layer whose inputs are mostly zeros, such as the output of a relu: products with zeros are skipped, and rows of the
// kernel that only meet zeros are not read. The other products are added in the order of the dense kernels, so that results are
// the same.

/// Panels of 32 columns that an update works on at once: their part of the output's gradient and of a product's sums stays in
/// the first-level cache.
enum { sparse_panels = 4 };

typedef int32_t eight_words __attribute__((ext_vector_type(8)));
typedef int64_t eight_sets __attribute__((ext_vector_type(8)));

/// The inputs of eight rows of a kernel: eight neighbouring elements of each example.
typedef struct {
    int rows;
    /// All of them: [examples][8].
    const float *values;
    /// Whether the non-zero ones are listed; otherwise they are so many that everything is multiplied.
    bool is_listed;
    /// The list: for each row a bit for each example whose input is not zero.
    uint64_t nonzero[tile_rows];
} tile_inputs;

INLINE void find_nonzero(int64_t examples, tile_inputs *list) {
    eight_sets nonzero = (eight_sets)(int64_t)0;
    for (int64_t example = 0; example < examples; example++) {
        eight_words bits;
        __builtin_memcpy(&bits, list->values + example * tile_rows, sizeof bits);
        eight_words are_nonzero = (bits & 0x7fffffff) != 0;
        nonzero |= __builtin_convertvector(are_nonzero, eight_sets) & (eight_sets)(int64_t)((uint64_t)1 << example);
    }
    __builtin_memcpy(list->nonzero, &nonzero, sizeof nonzero);
}

/// Whether going through the list is faster than multiplying everything in registers: at most a third are non-zero.
INLINE bool is_sparse(const tile_inputs *list, int64_t examples) {
    int64_t total = 0;
    for (int row = 0; row < tile_rows; row++) total += __builtin_popcountll(list->nonzero[row]);
    return 3 * total <= tile_rows * examples;
}

/// Where a batch's inputs come from, eight rows of a kernel at a time.
typedef struct {
    int64_t examples, width;
    /// Of [examples][width]; NULL where they are bitmap-compressed.
    const float *left;
    const graft_bitmap_rows *bitmap;
    /// Room for two tiles of [examples][8], or for those of two words of a bitmap: double buffering.
    float *tiles;
} input_source;

#ifndef EXPAND
#define EXPAND expanded
/// A vector with the next of `values` in each lane of the mask, and zeros in the others.
INLINE vector expanded(uint16_t mask, const float *values) {
    float lanes[VECTOR] = {0};
    for (unsigned left = mask; left; left &= left - 1) lanes[__builtin_ctz(left)] = *values++;
    return load(lanes);
}
#endif

/// Expands the tiles of one word of all examples.
INLINE void expand_word(const input_source *source, int64_t word, float *tiles) {
    const uint64_t *masks = source->bitmap->masks + word * source->examples;
    const float *values = source->bitmap->values + source->bitmap->starts[word];
    for (int64_t example = 0; example < source->examples; example++, tiles += tile_rows) {
        float *tile = tiles;
        for (int bit = 0; bit < graft_bitmap_word; bit += VECTOR, tile += 2 * tile_rows * source->examples) {
            uint16_t mask = (uint16_t)(masks[example] >> bit);
            float elements[VECTOR];
            store(elements, EXPAND(mask, values));
            __builtin_memcpy(tile, elements, tile_rows * sizeof(float));
            __builtin_memcpy(tile + tile_rows * source->examples, elements + tile_rows, tile_rows * sizeof(float));
            values += __builtin_popcount(mask);
        }
    }
}

/// The inputs of up to eight rows, as [examples][8]. Tiles are taken in order; those of a bitmap from the first of a word on.
INLINE float *take_tile(const input_source *source, int64_t row, int rows) {
    int64_t size = tile_rows * source->examples;
    if (source->left) {
        float *tile = source->tiles + row / tile_rows % 2 * size;
        for (int64_t example = 0; example < source->examples; example++)
            pack_eight(source->left + example * source->width + row, rows, tile + example * tile_rows);
        return tile;
    }
    int64_t word = row / graft_bitmap_word, position = row % graft_bitmap_word;
    float *tiles = source->tiles + word % 2 * graft_bitmap_word * source->examples;
    if (position == 0) expand_word(source, word, tiles);
    return tiles + position / tile_rows * size;
}

/// Takes the inputs of the rows from `row` on, before `end`, and lists the non-zero ones: where `must` is set, or where they are
/// few and `may` is set.
INLINE void prepare_inputs(const input_source *source, int64_t row, int64_t end, bool may, bool must,
                           tile_inputs *list) {
    list->rows = row >= end ? 0 : end - row < tile_rows ? (int)(end - row) : tile_rows;
    list->is_listed = false;
    if (list->rows == 0) return;
    list->values = take_tile(source, row, list->rows);
    if (!must && !may) return;
    find_nonzero(source->examples, list);
    list->is_listed = must || is_sparse(list, source->examples);
}

INLINE bool has_nonzero(const tile_inputs *list, int row) { return !list->is_listed || list->nonzero[row] != 0; }

/// Sums over the non-zero inputs of a row, in panels `stride` apart: a part of a row of a gradient.
INLINE void sum_nonzero(const tile_inputs *list, int row, const float *right, int64_t stride, int panels, vector *sums) {
    for (int i = 0; i < 2 * panels; i++) sums[i] = splat(0);
    for (uint64_t left = list->nonzero[row]; left; left &= left - 1) {
        int example = __builtin_ctzll(left);
        const float *panel = right + example * columns_at_once;
        float value = list->values[example * tile_rows + row];
        UNROLLED for (int j = 0; j < panels; j++, panel += stride) {
            sums[2 * j] += value * load(panel);
            sums[2 * j + 1] += value * load(panel + VECTOR);
        }
    }
}

/// Adds the products of a row's non-zero inputs with the kernel's row to the sums of their examples.
INLINE void add_nonzero_products(const tile_inputs *list, int row, const vector *kernel, int panels, float *sums,
                           int64_t stride) {
    for (uint64_t left = list->nonzero[row]; left; left &= left - 1) {
        int example = __builtin_ctzll(left);
        float *target = sums + example * columns_at_once, value = list->values[example * tile_rows + row];
        UNROLLED for (int j = 0; j < panels; j++, target += stride) {
            store(target, load(target) + value * kernel[2 * j]);
            store(target + VECTOR, load(target + VECTOR) + value * kernel[2 * j + 1]);
        }
    }
}

// MARK: Products

/// Rows of the kernel that are multiplied with each example before the next one, as many as a word has bits, and panels:
/// together with the sums of all examples they fit into the first-level cache.
enum { gathered_rows = 64, gathered_panels = 2, gathered_columns = gathered_panels * columns_at_once };

/// Examples from which on gathering the rows first pays: a kernel's rows are often a page apart, and compete for the same few
/// sets of the first-level cache.
enum { least_examples_to_gather = 4 };

typedef bool lanes __attribute__((ext_vector_type(VECTOR)));

/// The inputs of a few rows of the kernel.
typedef struct {
    int64_t row;
    int rows;
    /// For each example a bit for each row whose input is not zero; `any` has those of all examples.
    uint64_t nonzero[widest_product], any;
    bool is_sparse;
} gathered_inputs;

/// A bit for each of up to 64 elements that is not zero.
INLINE uint64_t bits_of(const float *values, int count) {
    uint64_t bits = 0;
    for (int i = 0; i < count; i += VECTOR) {
        vector some = count - i >= VECTOR ? load(values + i) : load_some(values + i, count - i, 0);
        lanes are_nonzero = __builtin_convertvector(some != 0, lanes);
        uint16_t part;
        __builtin_memcpy(&part, &are_nonzero, sizeof part);
        bits |= (uint64_t)part << i;
    }
    return bits;
}

/// Lists the inputs of the rows from `row` on, before `end`; those of the rows after them are prefetched.
INLINE void gather_inputs(const graft_skinny_nn *p, int64_t row, int64_t end, gathered_inputs *inputs) {
    inputs->row = row;
    inputs->rows = row >= end ? 0 : end - row < gathered_rows ? (int)(end - row) : gathered_rows;
    inputs->any = 0;
    int64_t total = 0;
    for (int64_t example = 0; example < p->rows && inputs->rows > 0; example++) {
        const float *left = p->left + example * p->inner + row;
        inputs->nonzero[example] = bits_of(left, inputs->rows);
        inputs->any |= inputs->nonzero[example];
        total += __builtin_popcountll(inputs->nonzero[example]);
        if (inputs->rows == gathered_rows)
            for (int i = 0; i < gathered_rows; i += VECTOR) __builtin_prefetch(left + gathered_rows + i, 0, 3);
    }
    inputs->is_sparse = !p->multiplies_zeros && 3 * total <= inputs->rows * p->rows;
}

/// Copies the rows that are needed, `stride` elements apart.
INLINE void gather_rows(const float *right, int64_t columns, int width, uint64_t any, float *rows, int64_t stride) {
    for (; any; any &= any - 1) {
        int row = __builtin_ctzll(any);
        for (int i = 0; i < width; i += VECTOR) store(rows + row * stride + i, load(right + row * columns + i));
    }
}

/// Prefetches up to `count` of `rows`, and returns the others.
INLINE uint64_t fetch_rows(const float *right, int64_t columns, int width, uint64_t rows, int count) {
    for (; rows && count > 0; rows &= rows - 1, count--) {
        const float *row = right + __builtin_ctzll(rows) * columns;
        for (int i = 0; i < width; i += VECTOR) __builtin_prefetch(row + i, 0, 2);
    }
    return rows;
}

/// Adds the products of an example's non-zero inputs with `panels` panels of the rows to its sums.
INLINE void add_rows(const float *inputs, uint64_t nonzero, const float *rows, int64_t stride, int panels, float *target,
                     int64_t target_stride) {
    vector sums[2 * gathered_panels];
    UNROLLED for (int i = 0; i < 2 * panels; i++) sums[i] = load(target + i / 2 * target_stride + i % 2 * VECTOR);
    for (; nonzero; nonzero &= nonzero - 1) {
        int index = __builtin_ctzll(nonzero);
        float input = inputs[index];
        const float *row = rows + index * stride;
        UNROLLED for (int i = 0; i < 2 * panels; i++) sums[i] += input * load(row + i * VECTOR);
    }
    UNROLLED for (int i = 0; i < 2 * panels; i++) store(target + i / 2 * target_stride + i % 2 * VECTOR, sums[i]);
}

/// `panels` panels of the rows; the same of the rows after them are prefetched.
INLINE void multiply_panels(const graft_skinny_nn *p, const gathered_inputs *inputs, const gathered_inputs *after,
                            int64_t column, int panels, float *sums) {
    _Alignas(64) float together[gathered_rows * gathered_columns];
    const float *right = p->right + inputs->row * p->columns + column, *rows = right;
    const float *following = p->right + after->row * p->columns + column;
    int64_t stride = p->columns;
    int width = panels * columns_at_once;
    uint64_t fetched = after->rows > 0 ? after->any : 0;
    int share = (int)((__builtin_popcountll(fetched) + p->rows - 1) / p->rows);
    if (p->rows >= least_examples_to_gather) {
        gather_rows(right, p->columns, width, inputs->any, together, gathered_columns);
        rows = together;
        stride = gathered_columns;
    }
    for (int64_t example = 0; example < p->rows; example++) {
        fetched = fetch_rows(following, p->columns, width, fetched, share);
        add_rows(p->left + example * p->inner + inputs->row, inputs->nonzero[example], rows, stride, panels,
                 sums + column * p->rows + example * columns_at_once, columns_at_once * p->rows);
    }
}

INLINE void multiply_sparse(const graft_skinny_nn *p, const gathered_inputs *inputs,
                             const gathered_inputs *after, float *sums) {
    int64_t column = 0;
    for (; column + gathered_columns <= p->columns; column += gathered_columns)
        multiply_panels(p, inputs, after, column, gathered_panels, sums);
    for (; column < p->columns; column += columns_at_once) multiply_panels(p, inputs, after, column, 1, sums);
}

/// All of the rows, eight at a time.
INLINE void multiply_dense(const graft_skinny_nn *p, const gathered_inputs *inputs, float *sums) {
    float packed[widest_product * tile_rows];
    for (int64_t i = 0; i < inputs->rows; i += tile_rows) {
        int64_t rows = inputs->rows - i < tile_rows ? inputs->rows - i : tile_rows;
        for (int64_t example = 0; example < p->rows; example++)
            pack_eight(p->left + example * p->inner + inputs->row + i, rows, packed + example * tile_rows);
        multiply_rows(p, inputs->row + i, packed, rows, sums);
    }
}

/// The partial sums over the inner positions begin ..< end.
static void skinny_nn(const graft_skinny_nn *p, int64_t begin, int64_t end, float *sums) {
    gathered_inputs inputs[2];
    clear_sums(p, sums);
    gather_inputs(p, begin, end, &inputs[0]);
    for (int current = 0; begin < end; begin += gathered_rows, current = !current) {
        gather_inputs(p, begin + gathered_rows, end, &inputs[!current]);
        if (inputs[current].is_sparse)
            multiply_sparse(p, &inputs[current], &inputs[!current], sums);
        else
            multiply_dense(p, &inputs[current], sums);
    }
}
