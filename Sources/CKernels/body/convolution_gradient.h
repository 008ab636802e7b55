// The kernel gradient of a convolution over small images, tile by tile: for each of the kernel's positions a product of shifted
// inputs with the output's gradient. Padding is skipped.

/// Writes the first `count` elements of two vectors.
INLINE void store_some_of_two(float *target, vector first, vector second, int64_t count) {
    if (count >= 2 * VECTOR) {
        store(target, first);
        store(target + VECTOR, second);
    } else if (count > VECTOR) {
        store(target, first);
        store_some(target + VECTOR, second, count - VECTOR);
    } else {
        store_some(target, first, count);
    }
}

/// Reads the first `count` elements of two vectors, the others are 0.
INLINE void load_some_of_two(const float *source, vector *first, vector *second, int64_t count) {
    *first = count >= VECTOR ? load(source) : load_some(source, count, 0);
    *second = splat(0);
    if (count >= 2 * VECTOR)
        *second = load(source + VECTOR);
    else if (count > VECTOR)
        *second = load_some(source + VECTOR, count - VECTOR, 0);
}

/// The sums of eight input channels with two vectors of output channels over the pixels of some runs.
INLINE void convolution_cell(const graft_pixel_run *run, const graft_pixel_run *end, int64_t step, const float *left,
                             const float *panel, vector sums[2 * tile_rows]) {
    UNROLLED for (int i = 0; i < 2 * tile_rows; i++) sums[i] = splat(0);
    for (; run < end; run++) {
        const float *factors = left + run->input * tile_rows, *gradients = panel + run->output * columns_at_once;
        for (int64_t i = 0; i < run->count; i++, factors += step, gradients += columns_at_once) {
            vector first = load(gradients), second = load(gradients + VECTOR);
            UNROLLED for (int row = 0; row < tile_rows; row++) {
                sums[2 * row] += factors[row] * first;
                sums[2 * row + 1] += factors[row] * second;
            }
        }
    }
}

/// Eight input channels of all of the kernel's positions: tile[position][channel][column], scaled.
///
/// - left: these channels of all input pixels, eight after eight.
/// - panels: the output's gradient in panels of two vectors: [panel][pixel][32].
static void convolution_tile(const graft_convolution_gradient *g, const graft_pixel_runs *runs, const float *left,
                             const float *panels, float *tile) {
    const graft_geometry *s = &g->geometry;
    int64_t step = s->stride_width * tile_rows, pixels = s->batch * s->output_height * s->output_width;
    int64_t columns = s->output_channels;
    for (int64_t column = 0; column < columns; column += columns_at_once, panels += pixels * columns_at_once) {
        int64_t count = columns - column;
        vector first_scale, second_scale;
        if (g->scale) load_some_of_two(g->scale + column, &first_scale, &second_scale, count);
        for (int64_t position = 0; position < runs->positions; position++) {
            vector sums[2 * tile_rows];
            convolution_cell(runs->first[position], runs->first[position + 1], step, left, panels, sums);
            float *target = tile + position * tile_rows * columns + column;
            UNROLLED for (int row = 0; row < tile_rows; row++) {
                vector first = sums[2 * row], second = sums[2 * row + 1];
                if (g->scale) first *= first_scale, second *= second_scale;
                store_some_of_two(target + row * columns, first, second, count);
            }
        }
    }
}
