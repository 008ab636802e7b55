// Convolutions of stride 1 by Winograd's minimal filtering F(m, r): input tiles of 6 × 6 for F(4 × 4, 3 × 3) and F(2 × 2, 5 × 5),
// 36 multiplications for each pair of channels in place of 144 and 100, or tiles of 8 × 8 for F(6 × 6, 3 × 3) and F(4 × 4, 5 × 5),
// 64 in place of 324 and 400. Input tiles and kernels are transformed, multiplied element by element, and transformed back. A
// block of tiles passes through all three steps while it stays in the second-level cache.
//
// The interpolation points of the transforms are 0, ±3/4, ±3/2, ∞ for tiles of six, and 0, ±1/2, ±1, ±2, ∞ for tiles of eight.
// The former round half as much as 0, ±1, ±2, ∞ would, and twice as much as a sum of products; the latter five times as much as
// the former, and none of some ten other choices less. All coefficients are exact in float32.
//
// Source: A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016, arXiv:1509.09308.

enum { most_tile = graft_winograd_most_tile, panel = graft_winograd_panel, rows_at_once = 12 };

/// Transforms an input tile of six along one axis.
INLINE void transform_input_6(const vector *d, vector *result) {
    vector even = d[4] - 2.25f * d[2], odd = 0.75f * (d[3] - 2.25f * d[1]);
    vector outer = d[4] - 0.5625f * d[2], slope = 1.5f * (d[3] - 0.5625f * d[1]);
    result[0] = 1.265625f * d[0] - 2.8125f * d[2] + d[4];
    result[1] = even + odd;
    result[2] = even - odd;
    result[3] = outer + slope;
    result[4] = outer - slope;
    result[5] = 1.265625f * d[1] - 2.8125f * d[3] + d[5];
}

/// Transforms an input tile of eight along one axis.
INLINE void transform_input_8(const vector *d, vector *result) {
    vector even = d[2] + d[6] - 4.25f * d[4], odd = d[1] + d[5] - 4.25f * d[3];
    vector even_at_two = 0.25f * d[2] - 1.25f * d[4] + d[6], odd_at_two = 0.5f * d[1] - 2.5f * d[3] + 2.0f * d[5];
    vector even_at_half = 4.0f * d[2] - 5.0f * d[4] + d[6], odd_at_half = 2.0f * d[1] - 2.5f * d[3] + 0.5f * d[5];
    result[0] = d[0] - d[6] + 5.25f * (d[4] - d[2]);
    result[1] = even + odd;
    result[2] = even - odd;
    result[3] = even_at_two + odd_at_two;
    result[4] = even_at_two - odd_at_two;
    result[5] = even_at_half + odd_at_half;
    result[6] = even_at_half - odd_at_half;
    result[7] = d[7] - d[1] + 5.25f * (d[3] - d[5]);
}

/// Transforms an input tile along one axis.
INLINE void transform_input_axis(const vector *d, int size, vector *result) {
    if (size == 6)
        transform_input_6(d, result);
    else
        transform_input_8(d, result);
}

/// Transforms products of a tile of eight along one axis to `count` outputs: six, or four.
INLINE void transform_output_8(const vector *m, int count, vector *result) {
    vector one = m[1] + m[2], sign = m[1] - m[2], two = m[3] + m[4], sign_of_two = m[3] - m[4];
    vector half = m[5] + m[6], sign_of_half = m[5] - m[6];
    result[0] = m[0] + one + two + half;
    result[1] = sign + 2.0f * sign_of_two + 0.5f * sign_of_half;
    result[2] = one + 4.0f * two + 0.25f * half;
    result[3] = sign + 8.0f * sign_of_two + 0.125f * sign_of_half;
    if (count == 4) {
        result[3] += m[7];
    } else {
        result[4] = one + 16.0f * two + 0.0625f * half;
        result[5] = sign + 32.0f * sign_of_two + 0.03125f * sign_of_half + m[7];
    }
}

/// Transforms products of a tile of six along one axis to `count` outputs: four, or two.
INLINE void transform_output_6(const vector *m, int count, vector *result) {
    vector near = m[1] + m[2], sign_of_near = m[1] - m[2], far = m[3] + m[4], sign_of_far = m[3] - m[4];
    result[0] = m[0] + near + far;
    result[1] = 0.75f * sign_of_near + 1.5f * sign_of_far;
    if (count == 2) {
        result[1] += m[5];
    } else {
        result[2] = 0.5625f * near + 2.25f * far;
        result[3] = 0.421875f * sign_of_near + 3.375f * sign_of_far + m[5];
    }
}

INLINE void transform_output_axis(const vector *m, int size, int count, vector *result) {
    if (size == 6)
        transform_output_6(m, count, result);
    else
        transform_output_8(m, count, result);
}

/// Where a tile's input begins (it may lie in the padding), and where its results do.
typedef struct {
    int64_t image, input_row, input_column, output_row, output_column;
} tile_place;

INLINE tile_place place_of(const graft_winograd *w, int64_t tile, int64_t rows, int64_t columns, int64_t count) {
    int64_t row = tile / columns % rows * count, column = tile % columns * count;
    int64_t input_row = row - w->geometry.padding_top, input_column = column - w->geometry.padding_left;
    return (tile_place){tile / columns / rows, input_row, input_column, row, column};
}

INLINE vector load_element(const void *array, int64_t position, bool is_bfloat16) {
    return is_bfloat16 ? load_bfloat16((const uint16_t *)array + position) : load((const float *)array + position);
}

/// Transforms sixteen channels of an input tile: [size · size] vectors, `stride` elements apart.
INLINE void transform_tile(const graft_winograd *w, int size, tile_place place, int64_t channel, bool is_inside,
                           bool is_bfloat16, float *target, int64_t stride) {
    const graft_geometry *g = &w->geometry;
    vector lines[most_tile][most_tile];
    for (int x = 0; x < size; x++) {
        vector column[most_tile], result[most_tile];
        int64_t at_column = place.input_column + x;
        UNROLLED for (int y = 0; y < size; y++) {
            int64_t at_row = place.input_row + y;
            int64_t pixel = (place.image * g->input_height + at_row) * g->input_width + at_column;
            bool exists = is_inside || (at_row >= 0 && at_row < g->input_height && at_column >= 0 &&
                                        at_column < g->input_width);
            column[y] = exists ? load_element(w->input, pixel * g->input_channels + channel, is_bfloat16) : splat(0);
        }
        transform_input_axis(column, size, result);
        UNROLLED for (int y = 0; y < size; y++) lines[y][x] = result[y];
    }
    for (int y = 0; y < size; y++) {
        vector result[most_tile];
        transform_input_axis(lines[y], size, result);
        UNROLLED for (int x = 0; x < size; x++) store(target + (y * size + x) * stride, result[x]);
    }
}

/// Prefetches what the next tile of the row reads and this one does not: rows of few pixels, where the hardware prefetcher does
/// not help.
INLINE void fetch_next_tile(const graft_winograd *w, int size, tile_place place, bool is_bfloat16) {
    const graft_geometry *g = &w->geometry;
    int64_t line = is_bfloat16 ? 2 * VECTOR : VECTOR, step = size + 1 - g->kernel_height;
    int64_t first = place.input_column + size, last = first + step < g->input_width ? first + step : g->input_width;
    for (int64_t y = place.input_row; y < place.input_row + size; y++) {
        int64_t row = (place.image * g->input_height + y) * g->input_width;
        for (int64_t i = (row + first) * g->input_channels; i < (row + last) * g->input_channels; i += line)
            __builtin_prefetch((const char *)w->input + i * (is_bfloat16 ? 2 : 4), 0, 3);
    }
}

INLINE void transform_input(const graft_winograd *w, int size, tile_place place, bool is_bfloat16, float *target,
                            int64_t stride) {
    const graft_geometry *g = &w->geometry;
    bool is_inside = place.input_row >= 0 && place.input_row + size <= g->input_height && place.input_column >= 0 &&
                     place.input_column + size <= g->input_width;
    if (is_inside) fetch_next_tile(w, size, place, is_bfloat16);
    for (int64_t channel = 0; channel < g->input_channels; channel += VECTOR) {
        if (is_inside)
            transform_tile(w, size, place, channel, true, is_bfloat16, target + channel, stride);
        else
            transform_tile(w, size, place, channel, false, is_bfloat16, target + channel, stride);
    }
}

/// `rows` rows of transformed tiles, at one position, times a panel of the kernel.
INLINE void multiply_tiles(const float *left, int64_t inner, const float *right, int rows, float *target) {
    vector first[rows_at_once], second[rows_at_once];
    UNROLLED for (int i = 0; i < rows; i++) first[i] = second[i] = splat(0);
    for (int64_t k = 0; k < inner; k++, right += panel) {
        vector a = load(right), b = load(right + VECTOR);
        UNROLLED for (int i = 0; i < rows; i++) {
            vector factor = splat(left[i * inner + k]);
            first[i] += factor * a;
            second[i] += factor * b;
        }
    }
    UNROLLED for (int i = 0; i < rows; i++) {
        store(target + i * panel, first[i]);
        store(target + i * panel + VECTOR, second[i]);
    }
}

/// All tiles of a block, a multiple of four, at one position.
INLINE void multiply_block(const float *left, int64_t tiles, int64_t inner, const float *right, float *target) {
    for (; tiles >= rows_at_once; tiles -= rows_at_once) {
        multiply_tiles(left, inner, right, rows_at_once, target);
        left += rows_at_once * inner;
        target += rows_at_once * panel;
    }
    for (; tiles > 0; tiles -= 4, left += 4 * inner, target += 4 * panel) multiply_tiles(left, inner, right, 4, target);
}

/// Sixteen channels of a tile's outputs, with bias and activation.
INLINE void finish_tile(const graft_winograd *w, int size, tile_place place, const float *products, int64_t stride,
                        int count, bool is_bfloat16, int64_t channel) {
    vector lines[most_tile - 2][most_tile], bias = w->bias ? load(w->bias + channel) : splat(0);
    for (int x = 0; x < size; x++) {
        vector column[most_tile], result[most_tile - 2];
        UNROLLED for (int y = 0; y < size; y++) column[y] = load(products + (y * size + x) * stride);
        transform_output_axis(column, size, count, result);
        UNROLLED for (int y = 0; y < count; y++) lines[y][x] = result[y];
    }
    const graft_geometry *g = &w->geometry;
    int64_t rows = g->output_height - place.output_row, columns = g->output_width - place.output_column;
    for (int y = 0; y < count && y < rows; y++) {
        vector result[most_tile - 2];
        transform_output_axis(lines[y], size, count, result);
        int64_t pixel = (place.image * g->output_height + place.output_row + y) * g->output_width + place.output_column;
        for (int x = 0; x < count && x < columns; x++) {
            vector value = result[x] + bias;
            if (w->relu) value = choose(value < 0.0f, splat(0.0f), value);
            int64_t position = (pixel + x) * w->output_pixel_stride + channel;
            if (is_bfloat16)
                store_bfloat16((uint16_t *)w->output + position, value);
            else
                store((float *)w->output + position, value);
        }
    }
}

INLINE void finish_block(const graft_winograd *w, int size, graft_winograd_block block, const float *products,
                         int64_t stride, int count, bool is_bfloat16, int64_t channel) {
    for (int64_t tile = 0; tile < block.end - block.begin; tile++) {
        tile_place place = place_of(w, block.begin + tile, block.rows, block.columns, count);
        for (int64_t i = 0; i < panel; i += VECTOR)
            finish_tile(w, size, place, products + tile * panel + i, stride, count, is_bfloat16, channel + i);
    }
}

/// The outputs of a block of tiles, `count` along both axes of a tile. `scratch` holds the transformed tiles, [size ·
/// size][tiles][input channels], and their products with one panel of the kernel, [size · size][tiles][32].
INLINE void convolve_block(const graft_winograd *w, int size, int count, graft_winograd_block block, float *scratch) {
    int64_t tiles = (block.end - block.begin + 3) / 4 * 4, inner = w->geometry.input_channels;
    // A cache line in between keeps positions from competing for the same sets of the cache.
    int64_t left_stride = tiles * inner + VECTOR, product_stride = tiles * panel + VECTOR;
    float *products = scratch + size * size * left_stride;
    for (int64_t tile = 0; tile < tiles; tile++) {
        // The last tile is repeated to fill four.
        int64_t number = block.begin + tile < block.end ? block.begin + tile : block.end - 1;
        tile_place place = place_of(w, number, block.rows, block.columns, count);
        if (w->input_is_bfloat16)
            transform_input(w, size, place, true, scratch + tile * inner, left_stride);
        else
            transform_input(w, size, place, false, scratch + tile * inner, left_stride);
    }
    const float *right = w->kernel;
    for (int64_t channel = 0; channel < w->geometry.output_channels; channel += panel) {
        for (int position = 0; position < size * size; position++, right += inner * panel)
            multiply_block(scratch + position * left_stride, tiles, inner, right, products + position * product_stride);
        if (w->output_is_bfloat16)
            finish_block(w, size, block, products, product_stride, count, true, channel);
        else
            finish_block(w, size, block, products, product_stride, count, false, channel);
    }
}

static void winograd_block(const graft_winograd *w, graft_winograd_block block, float *scratch) {
    bool is_small = w->geometry.kernel_height == 3;
    if (w->tile_size == 8)
        is_small ? convolve_block(w, 8, 6, block, scratch) : convolve_block(w, 8, 4, block, scratch);
    else
        is_small ? convolve_block(w, 6, 4, block, scratch) : convolve_block(w, 6, 2, block, scratch);
}
