// The kernel gradient of a dense layer and the programs that read it, tile by tile: gradient[row, column] is the sum of
// left[example, row] · right[example, column], and never stands in memory as a whole.

/// Rows of a tile, and how many columns are summed at once: sixteen vectors of sums hide the latency of a multiplication,
/// and one number is read for every two that are multiplied.
enum { tile_rows = graft_gradient_tile_rows, tile_columns = graft_gradient_tile_columns, columns_at_once = 2 * VECTOR };

/// `right` in panels of two vectors: [panel][example][32], filled up with zeros.
static void pack_right(const graft_gradient *g, float *panels) {
    for (int64_t first = 0; first < g->columns; first += columns_at_once) {
        int64_t count = g->columns - first < columns_at_once ? g->columns - first : columns_at_once;
        for (int64_t example = 0; example < g->examples; example++, panels += columns_at_once) {
            for (int i = 0; i < columns_at_once; i++) panels[i] = 0;
            __builtin_memcpy(panels, g->right + example * g->columns + first, (size_t)count * sizeof(float));
        }
    }
}

/// Eight rows of two vectors of the gradient.
INLINE void gradient_cell(int64_t examples, const float *left, const float *panel, vector sums[2 * tile_rows]) {
    for (int i = 0; i < 2 * tile_rows; i++) sums[i] = splat(0);
    for (int64_t example = 0; example < examples; example++) {
        vector first = load(panel), second = load(panel + VECTOR);
        for (int row = 0; row < tile_rows; row++) {
            sums[2 * row] += left[row] * first;
            sums[2 * row + 1] += left[row] * second;
        }
        left += tile_rows;
        panel += columns_at_once;
    }
}

/// What the program will read of the next rows, beside the gradient: fetched while this tile's sums keep the
/// arithmetic units busy, because the program itself is a matter of memory alone.
INLINE void fetch_ahead(const graft_program *program, const graft_gradient *g, const float *const *operands,
                        int64_t row, int64_t column) {
    if (row + tile_rows > g->rows) return;
    for (int i = 0; i < program->operand_count; i++) {
        if (i == g->operand || program->operands[i].layout != graft_full) continue;
        int64_t size = program->operands[i].is_narrow ? sizeof(uint16_t) : sizeof(float);
        const char *next = (const char *)operands[i] + (row * g->columns + column) * size;
        for (int j = 0; j < tile_rows; j++, next += g->columns * size) {
            __builtin_prefetch(next, 0, 2);
            __builtin_prefetch(next + VECTOR * size, 0, 2);
        }
    }
}

/// Writes a tile of `rows` rows, `stride` elements apart, and the columns begin ..< end.
static void gradient_tile(const graft_program *program, const graft_gradient *g, const float *const *operands,
                          const float *left, const float *panels, int64_t row_of_tile, int64_t rows, int64_t begin,
                          int64_t end, int64_t stride, float *tile) {
    for (int64_t column = begin; column < end; column += columns_at_once) {
        vector sums[2 * tile_rows];
        gradient_cell(g->examples, left, panels + column * g->examples, sums);
        fetch_ahead(program, g, operands, row_of_tile + tile_rows, column);
        int64_t count = end - column;
        for (int64_t row = 0; row < rows; row++) {
            float *target = tile + row * stride + column - begin;
            for (int half = 0; half < 2; half++, target += VECTOR) {
                int64_t left_over = count - half * VECTOR;
                if (left_over >= VECTOR)
                    store(target, sums[2 * row + half]);
                else if (left_over > 0)
                    store_some(target, sums[2 * row + half], left_over);
            }
        }
    }
}

/// Eight neighbours of a row, those beyond `count` zero. A line of memory holds sixteen of them and the next row is far
/// away, where no processor looks ahead: the line after the next is fetched.
INLINE void pack_eight(const float *source, int64_t count, float *packed) {
    if (count >= tile_rows) {
        __builtin_memcpy(packed, source, tile_rows * sizeof(float));
        __builtin_prefetch(source + 2 * VECTOR, 0, 3);
    } else
        for (int64_t i = 0; i < tile_rows; i++) packed[i] = i < count ? source[i] : 0;
}

/// The rows of `left` that go with a tile, turned so that the numbers of an example are neighbours; rows beyond the end are zero.
static void pack_left(const graft_gradient *g, int64_t row, int64_t rows, float *packed) {
    for (int64_t example = 0; example < g->examples; example++, packed += tile_rows)
        pack_eight(g->left + example * g->rows + row, rows, packed);
}

/// Runs the program over `count` elements from `begin`, the gradient of which stands in `tile`.
static void run_on_tile(const graft_program *program, int gradient, const float **operands, float *const *outputs,
                        const graft_rounding *roundings, int64_t begin, int64_t count, const float *tile,
                        slot_memory memory) {
    operands[gradient] = tile - begin;
    for (int64_t done = 0; done < count; done += graft_block)
        run_block(program, operands, outputs, roundings, begin + done,
                  count - done < graft_block ? count - done : graft_block, memory);
}

/// Rows begin ..< end. `scratch` holds the program's slots, and behind them (`work`) the operands' pointers, a tile and
/// its rows of `left`.
static void gradient_program(const graft_program *program, const graft_gradient *g, const float *panels,
                             const float *const *given, float *const *outputs, const graft_rounding *roundings,
                             int64_t begin, int64_t end, void *scratch, void *work) {
    float *tile = work, *left = tile + tile_rows * tile_columns;
    const float **operands = (const float **)(left + tile_rows * g->examples);
    for (int i = 0; i < program->operand_count; i++) operands[i] = given[i];
    slot_memory memory = prepare_slots(program, operands, scratch);
    for (int64_t row = begin; row < end; row += tile_rows) {
        int64_t rows = end - row < tile_rows ? end - row : tile_rows;
        pack_left(g, row, rows, left);
        for (int64_t first = 0; first < g->columns; first += tile_columns) {
            int64_t last = g->columns - first < tile_columns ? g->columns : first + tile_columns;
            gradient_tile(program, g, operands, left, panels, row, rows, first, last, last - first, tile);
            if (g->columns <= tile_columns) {
                run_on_tile(program, g->operand, operands, outputs, roundings, row * g->columns, rows * g->columns,
                            tile, memory);
                continue;
            }
            for (int64_t i = 0; i < rows; i++)
                run_on_tile(program, g->operand, operands, outputs, roundings, (row + i) * g->columns + first,
                            last - first, tile + i * (last - first), memory);
        }
    }
}
