// The kernel gradient of a dense layer and the programs that read it, tile by tile: gradient[row, column] is the sum of
// left[example, row] · right[example, column], and is never stored whole.

/// The register tile: sixteen vectors of sums hide the latency of a multiplication, and one element is loaded for every two
/// products.
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

/// Prefetches what the program will read of the next rows besides the gradient, while this tile's sums keep the arithmetic
/// units busy: the program itself is bound by memory.
INLINE void fetch_ahead(const graft_program *program, const graft_gradient *g, const float *const *operands,
                        int64_t row, int64_t column) {
    if (row + tile_rows > g->rows) return;
    for (int i = 0; i < program->operand_count; i++) {
        if (i == g->operand || program->operands[i].layout != graft_full) continue;
        int64_t size = program->operands[i].is_bfloat16 ? sizeof(uint16_t) : sizeof(float);
        const char *next = (const char *)operands[i] + (row * g->columns + column) * size;
        for (int j = 0; j < tile_rows; j++, next += g->columns * size) {
            __builtin_prefetch(next, 0, 2);
            __builtin_prefetch(next + VECTOR * size, 0, 2);
        }
    }
}

/// Eight neighbours of a row, those past `count` zero. A cache line holds sixteen of them and the next row is far away, where
/// the hardware prefetcher does not help: the line after the next is prefetched.
INLINE void pack_eight(const float *source, int64_t count, float *packed) {
    if (count >= tile_rows) {
        __builtin_memcpy(packed, source, tile_rows * sizeof(float));
        __builtin_prefetch(source + 2 * VECTOR, 0, 3);
    } else
        for (int64_t i = 0; i < tile_rows; i++) packed[i] = i < count ? source[i] : 0;
}

/// The inputs of a tile's rows, transposed: an example's inputs are neighbours. Rows past the end are zero.
static void pack_left(const graft_gradient *g, int64_t row, int64_t rows, float *packed) {
    for (int64_t example = 0; example < g->examples; example++, packed += tile_rows)
        pack_eight(g->left + example * g->rows + row, rows, packed);
}

/// A gradient whose program is interpreted tile by tile.
typedef struct {
    const graft_program *program;
    const graft_gradient *g;
    const float *panels;
    /// The given ones, with a thread's own array of operands.
    graft_arguments arguments;
    const float **operands;
    slot_memory slots;
    float *tile, *left;
} tiled_program;

/// Part of a gradient: `rows` rows from `row`, and the columns begin ..< end.
typedef struct {
    int64_t row, rows, begin, end;
} gradient_part;

/// Computes a part, contiguous in `tile`.
static void gradient_tile(const tiled_program *p, gradient_part part) {
    int64_t stride = part.end - part.begin;
    for (int64_t column = part.begin; column < part.end; column += columns_at_once) {
        vector sums[2 * tile_rows];
        gradient_cell(p->g->examples, p->left, p->panels + column * p->g->examples, sums);
        fetch_ahead(p->program, p->g, p->operands, part.row + tile_rows, column);
        int64_t count = part.end - column;
        for (int64_t row = 0; row < part.rows; row++) {
            float *target = p->tile + row * stride + column - part.begin;
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

/// Runs the program over `count` elements from `begin`, whose gradient is in `tile`.
static void run_on_tile(const tiled_program *p, int64_t begin, int64_t count, const float *tile) {
    p->operands[p->g->operand] = tile - begin;
    for (int64_t done = 0; done < count; done += graft_block)
        run_block(p->program, &p->arguments, begin + done, count - done < graft_block ? count - done : graft_block,
                  p->slots);
}

/// Rows begin ..< end. `scratch` holds the program's slots, `work` a tile, its rows' inputs and the operands' pointers.
static void gradient_program(const graft_program *program, const graft_gradient *g, const float *panels,
                             const graft_arguments *arguments, int64_t begin, int64_t end, void *scratch, void *work) {
    float *tile = work, *left = tile + tile_rows * tile_columns;
    const float **operands = (const float **)(left + tile_rows * g->examples);
    for (int i = 0; i < program->operand_count; i++) operands[i] = arguments->operands[i];
    tiled_program p = {program,  g,    panels, {operands, arguments->outputs, arguments->roundings},
                       operands, prepare_slots(program, operands, scratch),   tile, left};
    for (int64_t row = begin; row < end; row += tile_rows) {
        int64_t rows = end - row < tile_rows ? end - row : tile_rows;
        pack_left(g, row, rows, left);
        for (int64_t first = 0; first < g->columns; first += tile_columns) {
            int64_t last = g->columns - first < tile_columns ? g->columns : first + tile_columns;
            gradient_tile(&p, (gradient_part){row, rows, first, last});
            if (g->columns <= tile_columns) {
                run_on_tile(&p, row * g->columns, rows * g->columns, tile);
                continue;
            }
            for (int64_t i = 0; i < rows; i++)
                run_on_tile(&p, (row + i) * g->columns + first, last - first, tile + i * (last - first));
        }
    }
}
