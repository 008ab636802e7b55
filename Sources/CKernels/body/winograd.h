// Convolutions of stride 1 by Winograd's minimal filtering: a tile of 6 × 6 inputs gives 4 × 4 results of a 3 × 3 kernel, or
// 2 × 2 of a 5 × 5 one, by 36 multiplications for each pair of channels in place of 144, or 100; a tile of 8 × 8 gives 6 × 6
// or 4 × 4 by 64 in place of 324 or 400. Tiles and kernels are brought to the points 0, ±3/4, ±3/2, ∞ along both axes, or to
// 0, ±1/2, ±1, ±2, ∞, multiplied there, and brought back. A block of tiles passes through all three while it stays in the
// second-level cache.
//
// The six points round half as much as 0, ±1, ±2, ∞ would, and twice as much as a sum of products; the eight five times
// as much as the six, and none of some ten other choices less. All of their numbers are exact in 32 bits.
//
// Source: A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016, arXiv:1509.09308.

enum { most_points = graft_winograd_most_points, panel = graft_winograd_panel, rows_at_once = 12 };

/// Six numbers of a tile along one axis, brought to the six points.
INLINE void to_six_points(const vector *d, vector *result) {
    vector even = d[4] - 2.25f * d[2], odd = 0.75f * (d[3] - 2.25f * d[1]);
    vector outer = d[4] - 0.5625f * d[2], slope = 1.5f * (d[3] - 0.5625f * d[1]);
    result[0] = 1.265625f * d[0] - 2.8125f * d[2] + d[4];
    result[1] = even + odd;
    result[2] = even - odd;
    result[3] = outer + slope;
    result[4] = outer - slope;
    result[5] = 1.265625f * d[1] - 2.8125f * d[3] + d[5];
}

/// Eight numbers, brought to the eight points.
INLINE void to_eight_points(const vector *d, vector *result) {
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

/// As many numbers of a tile along one axis as there are points, brought to them.
INLINE void to_points(const vector *d, int points, vector *result) {
    if (points == 6)
        to_six_points(d, result);
    else
        to_eight_points(d, result);
}

/// Products at eight points along one axis, brought back to `count` results: six, or four.
INLINE void from_eight_points(const vector *m, int count, vector *result) {
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

/// Products at six points along one axis, brought back to `count` results: four, or two.
INLINE void from_six_points(const vector *m, int count, vector *result) {
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

INLINE void from_points(const vector *m, int points, int count, vector *result) {
    if (points == 6)
        from_six_points(m, count, result);
    else
        from_eight_points(m, count, result);
}

/// Where a tile's input begins (it may lie in the padding), and where its results do.
typedef struct {
    int64_t image, input_row, input_column, output_row, output_column;
} tile_place;

INLINE tile_place place_of(const graft_winograd *w, int64_t tile, int64_t rows, int64_t columns, int64_t count) {
    int64_t row = tile / columns % rows * count, column = tile % columns * count;
    return (tile_place){tile / columns / rows, row - w->padding_top, column - w->padding_left, row, column};
}

INLINE vector load_element(const void *array, int64_t position, bool is_narrow) {
    return is_narrow ? load_narrow((const uint16_t *)array + position) : load((const float *)array + position);
}

/// Sixteen channels of a tile: [points · points] vectors, `stride` numbers apart.
INLINE void transform_tile(const graft_winograd *w, int points, tile_place place, int64_t channel, bool is_inside,
                           bool is_narrow, float *target, int64_t stride) {
    vector lines[most_points][most_points];
    for (int x = 0; x < points; x++) {
        vector column[most_points], result[most_points];
        int64_t at_column = place.input_column + x;
        UNROLLED for (int y = 0; y < points; y++) {
            int64_t at_row = place.input_row + y;
            int64_t pixel = (place.image * w->input_height + at_row) * w->input_width + at_column;
            bool exists = is_inside || (at_row >= 0 && at_row < w->input_height && at_column >= 0 &&
                                        at_column < w->input_width);
            column[y] = exists ? load_element(w->input, pixel * w->input_channels + channel, is_narrow) : splat(0);
        }
        to_points(column, points, result);
        UNROLLED for (int y = 0; y < points; y++) lines[y][x] = result[y];
    }
    for (int y = 0; y < points; y++) {
        vector result[most_points];
        to_points(lines[y], points, result);
        UNROLLED for (int x = 0; x < points; x++) store(target + (y * points + x) * stride, result[x]);
    }
}

/// Fetches what the next tile of the row reads and this one does not: rows of few pixels each, where the processor does not
/// look ahead.
INLINE void fetch_next_tile(const graft_winograd *w, int points, tile_place place, bool is_narrow) {
    int64_t line = is_narrow ? 2 * VECTOR : VECTOR, step = points + 1 - w->kernel_size;
    int64_t first = place.input_column + points, last = first + step < w->input_width ? first + step : w->input_width;
    for (int64_t y = place.input_row; y < place.input_row + points; y++) {
        int64_t row = (place.image * w->input_height + y) * w->input_width;
        for (int64_t i = (row + first) * w->input_channels; i < (row + last) * w->input_channels; i += line)
            __builtin_prefetch((const char *)w->input + i * (is_narrow ? 2 : 4), 0, 3);
    }
}

INLINE void transform_input(const graft_winograd *w, int points, tile_place place, bool is_narrow, float *target,
                            int64_t stride) {
    bool is_inside = place.input_row >= 0 && place.input_row + points <= w->input_height && place.input_column >= 0 &&
                     place.input_column + points <= w->input_width;
    if (is_inside) fetch_next_tile(w, points, place, is_narrow);
    for (int64_t channel = 0; channel < w->input_channels; channel += VECTOR) {
        if (is_inside)
            transform_tile(w, points, place, channel, true, is_narrow, target + channel, stride);
        else
            transform_tile(w, points, place, channel, false, is_narrow, target + channel, stride);
    }
}

/// `rows` rows of tiles, at one point, times a panel of the kernel.
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

/// All tiles of a block, a multiple of four, at one point.
INLINE void multiply_block(const float *left, int64_t tiles, int64_t inner, const float *right, float *target) {
    for (; tiles >= rows_at_once; tiles -= rows_at_once) {
        multiply_tiles(left, inner, right, rows_at_once, target);
        left += rows_at_once * inner;
        target += rows_at_once * panel;
    }
    for (; tiles > 0; tiles -= 4, left += 4 * inner, target += 4 * panel) multiply_tiles(left, inner, right, 4, target);
}

/// Sixteen channels of a tile's results, with bias and activation.
INLINE void finish_tile(const graft_winograd *w, int points, tile_place place, const float *products, int64_t stride,
                        int count, bool is_narrow, int64_t channel) {
    vector lines[most_points - 2][most_points], bias = w->bias ? load(w->bias + channel) : splat(0);
    for (int x = 0; x < points; x++) {
        vector column[most_points], result[most_points - 2];
        UNROLLED for (int y = 0; y < points; y++) column[y] = load(products + (y * points + x) * stride);
        from_points(column, points, count, result);
        UNROLLED for (int y = 0; y < count; y++) lines[y][x] = result[y];
    }
    int64_t rows = w->output_height - place.output_row, columns = w->output_width - place.output_column;
    for (int y = 0; y < count && y < rows; y++) {
        vector result[most_points - 2];
        from_points(lines[y], points, count, result);
        int64_t pixel = (place.image * w->output_height + place.output_row + y) * w->output_width + place.output_column;
        for (int x = 0; x < count && x < columns; x++) {
            vector value = result[x] + bias;
            if (w->relu) value = choose(value < 0.0f, splat(0.0f), value);
            int64_t position = (pixel + x) * w->output_pixel_stride + channel;
            if (is_narrow)
                store_narrow((uint16_t *)w->output + position, value);
            else
                store((float *)w->output + position, value);
        }
    }
}

INLINE void finish_block(const graft_winograd *w, int points, graft_winograd_block block, const float *products,
                         int64_t stride, int count, bool is_narrow, int64_t channel) {
    for (int64_t tile = 0; tile < block.end - block.begin; tile++) {
        tile_place place = place_of(w, block.begin + tile, block.rows, block.columns, count);
        for (int64_t i = 0; i < panel; i += VECTOR)
            finish_tile(w, points, place, products + tile * panel + i, stride, count, is_narrow, channel + i);
    }
}

/// The results of a block of tiles, `count` along both axes of a tile. `scratch` holds the tiles at the points,
/// [points · points][tiles][input channels], then their products with one panel of the kernel, [points · points][tiles][32].
INLINE void convolve_block(const graft_winograd *w, int points, int count, graft_winograd_block block, float *scratch) {
    int64_t tiles = (block.end - block.begin + 3) / 4 * 4, inner = w->input_channels;
    // A line of memory in between keeps the points out of each other's place in the cache.
    int64_t left_stride = tiles * inner + VECTOR, product_stride = tiles * panel + VECTOR;
    float *products = scratch + points * points * left_stride;
    for (int64_t tile = 0; tile < tiles; tile++) {
        // The last tile again, where there are none left to fill four.
        int64_t number = block.begin + tile < block.end ? block.begin + tile : block.end - 1;
        tile_place place = place_of(w, number, block.rows, block.columns, count);
        if (w->input_is_narrow)
            transform_input(w, points, place, true, scratch + tile * inner, left_stride);
        else
            transform_input(w, points, place, false, scratch + tile * inner, left_stride);
    }
    const float *right = w->kernel;
    for (int64_t channel = 0; channel < w->output_channels; channel += panel) {
        for (int point = 0; point < points * points; point++, right += inner * panel)
            multiply_block(scratch + point * left_stride, tiles, inner, right, products + point * product_stride);
        if (w->output_is_narrow)
            finish_block(w, points, block, products, product_stride, count, true, channel);
        else
            finish_block(w, points, block, products, product_stride, count, false, channel);
    }
}

static void winograd_block(const graft_winograd *w, graft_winograd_block block, float *scratch) {
    bool is_small = w->kernel_size == 3;
    if (w->points == 8)
        is_small ? convolve_block(w, 8, 6, block, scratch) : convolve_block(w, 8, 4, block, scratch);
    else
        is_small ? convolve_block(w, 6, 4, block, scratch) : convolve_block(w, 6, 2, block, scratch);
}
