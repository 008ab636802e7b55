// Direct convolutions of any kernel size and stride; output pixels may be further apart than their channels. A register tile of
// output pixels times a panel of output channels loops over the kernel's positions and the input's channels. For all of its
// pixels the same part of the kernel lies inside of the image, so that padding is never multiplied. There is no im2col:
// neighbouring positions of a kernel's row are neighbours in memory.

enum { most_pixels = graft_convolution_most_pixels, most_vectors = graft_convolution_most_vectors };

/// Where the pixels of a tile begin in the input, at the first position of the kernel inside of the image, and in the output; in
/// elements.
typedef struct {
    int64_t input[most_pixels], output[most_pixels];
} pixel_places;

/// A pixel of a group, and the next one.
typedef struct {
    int64_t image, row, column;
} group_pixel;

INLINE void next_pixel(const graft_pixel_group *group, group_pixel *pixel) {
    if (++pixel->column < group->column_end) return;
    pixel->column = group->column_begin;
    if (++pixel->row < group->row_end) return;
    pixel->row = group->row_begin;
    pixel->image++;
}

/// The next `pixels` of a group; the last one again where there are none left.
INLINE pixel_places places_of(const graft_convolution *c, const graft_pixel_group *group, group_pixel *next,
                              int pixels) {
    const graft_geometry *g = &c->geometry;
    pixel_places places;
    for (int i = 0; i < pixels; i++) {
        if (next->image == g->batch) {
            places.input[i] = places.input[i - 1];
            places.output[i] = places.output[i - 1];
            continue;
        }
        int64_t row = next->row * g->stride_height + group->kernel_row_begin * g->dilation_height - g->padding_top;
        int64_t column =
            next->column * g->stride_width + group->kernel_column_begin * g->dilation_width - g->padding_left;
        places.input[i] = ((next->image * g->input_height + row) * g->input_width + column) * g->input_channels;
        places.output[i] = ((next->image * g->output_height + next->row) * g->output_width + next->column) *
                           c->output_pixel_stride;
        next_pixel(group, next);
    }
    return places;
}

/// `sums[pixel][vector] += ` the products of `count` values of each pixel with as many lines of a panel.
INLINE void add_run(vector sums[most_pixels][most_vectors], const float *const *left, const float *right, int64_t count,
                    int pixels, int vectors) {
    for (int64_t k = 0; k < count; k++, right += vectors * VECTOR) {
        vector line[most_vectors];
        UNROLLED for (int v = 0; v < vectors; v++) line[v] = load(right + v * VECTOR);
        UNROLLED for (int i = 0; i < pixels; i++)
            UNROLLED for (int v = 0; v < vectors; v++) sums[i][v] += splat(left[i][k]) * line[v];
    }
}

INLINE void store_pixel(const graft_convolution *c, int64_t position, vector value, int64_t count) {
    if (c->relu) value = choose(value < 0.0f, splat(0.0f), value);
    if (count < VECTOR)
        store_some(c->output + position, value, count);
    else
        store(c->output + position, value);
}

/// One tile times a panel of `vectors` vectors of output channels from `channel` on.
INLINE void convolve_tile(const graft_convolution *c, const graft_pixel_group *group, group_pixel *next, int64_t channel,
                          const float *panel, int pixels, int vectors) {
    int64_t size = c->geometry.input_channels, columns = group->kernel_column_end - group->kernel_column_begin;
    pixel_places places = places_of(c, group, next, pixels);
    // Neighbouring positions of a row are one run where nothing lies between them.
    int64_t run = c->geometry.dilation_width == 1 ? columns : 1;
    vector sums[most_pixels][most_vectors];
    UNROLLED for (int i = 0; i < pixels; i++) UNROLLED for (int v = 0; v < vectors; v++) sums[i][v] = splat(0);
    for (int64_t row = group->kernel_row_begin; row < group->kernel_row_end; row++)
        for (int64_t column = group->kernel_column_begin; column < group->kernel_column_end; column += run) {
            int64_t position = row * c->geometry.kernel_width + column;
            int64_t distance = (row - group->kernel_row_begin) * c->geometry.dilation_height * c->geometry.input_width +
                               (column - group->kernel_column_begin) * c->geometry.dilation_width;
            const float *left[most_pixels];
            UNROLLED for (int i = 0; i < pixels; i++) left[i] = c->input + places.input[i] + distance * size;
            add_run(sums, left, panel + position * size * vectors * VECTOR, run * size, pixels, vectors);
        }
    UNROLLED for (int v = 0; v < vectors; v++) {
        int64_t first = channel + v * VECTOR, count = c->geometry.output_channels - first;
        if (count <= 0) break;
        vector bias = splat(0);
        if (c->bias) bias = count < VECTOR ? load_some(c->bias + first, count, 0) : load(c->bias + first);
        UNROLLED for (int i = 0; i < pixels; i++)
            store_pixel(c, places.output[i] + first, sums[i][v] + bias, count);
    }
}

/// Tiles begin ..< end of a group times one panel. What is left of the last tile is done by half or a quarter of one.
INLINE void convolve_panel(const graft_convolution *c, const graft_convolution_block *block, int pixels, int vectors) {
    const graft_pixel_group *group = &block->group;
    int64_t columns = group->column_end - group->column_begin, rows = group->row_end - group->row_begin;
    int64_t size = c->geometry.kernel_height * c->geometry.kernel_width * c->geometry.input_channels * vectors * VECTOR;
    int64_t first = block->begin * pixels, count = c->geometry.batch * rows * columns, end = block->end * pixels;
    int64_t channel = block->panel * vectors * VECTOR, left = (end < count ? end : count) - first;
    const float *panel = c->kernel + block->panel * size;
    group_pixel next = {first / columns / rows, group->row_begin + first / columns % rows,
                        group->column_begin + first % columns};
    for (; left > pixels / 2; left -= pixels) convolve_tile(c, group, &next, channel, panel, pixels, vectors);
    if (left > pixels / 4)
        convolve_tile(c, group, &next, channel, panel, pixels / 2, vectors);
    else if (left > 0)
        convolve_tile(c, group, &next, channel, panel, pixels / 4, vectors);
}

static void convolution_block(const graft_convolution *c, const graft_convolution_block *block) {
    switch (graft_convolution_vectors(c->geometry.output_channels)) {
    case 2: return convolve_panel(c, block, graft_convolution_pixels(2), 2);
    case 3: return convolve_panel(c, block, graft_convolution_pixels(3), 3);
    default: return convolve_panel(c, block, graft_convolution_pixels(4), 4);
    }
}
