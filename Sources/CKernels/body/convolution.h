// Direct convolutions of any kernel size and stride; output pixels may be further apart than their channels. A register tile of
// output pixels times a panel of output channels loops over the kernel's positions and the input's channels. For all of its
// pixels the same part of the kernel lies inside of the image, so that padding is never multiplied. There is no im2col:
// neighbouring positions of a kernel's row are neighbours in memory.

/// Adds the products of a pair of values with a vector of pairs to a vector of sums. Both are bfloat16, the first of each pair in
/// the lower half.
#if !defined(ADD_PAIRS)
INLINE vector add_pairs(vector sum, uint32_t pair, words pairs) {
    vector first = (vector)(words)(pair << 16), second = (vector)(words)(pair & 0xffff0000u);
    sum += second * (vector)(pairs & 0xffff0000u);
    return sum + first * (vector)(pairs << 16);
}
#define ADD_PAIRS add_pairs
#define STORE_ROUNDED store_bfloat16
#endif

enum { most_pixels = graft_convolution_most_pixels, most_vectors = graft_convolution_most_vectors };

/// Words of 32 bits that a pixel of the input takes: float32 values, or pairs of bfloat16.
INLINE int64_t words_of_pixel(const graft_convolution *c, bool is_bfloat16) {
    return is_bfloat16 ? c->geometry.input_channels / 2 : c->geometry.input_channels;
}

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

/// `sums[pixel][vector] += ` the products of `count` words of each pixel with as many lines of a panel.
INLINE void add_run(vector sums[most_pixels][most_vectors], const uint32_t *const *left, const uint32_t *right,
                    int64_t count, int pixels, int vectors, bool is_bfloat16) {
    for (int64_t k = 0; k < count; k++, right += vectors * VECTOR) {
        words line[most_vectors];
        UNROLLED for (int v = 0; v < vectors; v++) __builtin_memcpy(&line[v], right + v * VECTOR, sizeof line[v]);
        UNROLLED for (int i = 0; i < pixels; i++) {
            uint32_t word = left[i][k];
            UNROLLED for (int v = 0; v < vectors; v++) {
                if (is_bfloat16)
                    sums[i][v] = ADD_PAIRS(sums[i][v], word, line[v]);
                else
                    sums[i][v] += (vector)(words)word * (vector)line[v];
            }
        }
    }
}

INLINE void store_pixel(const graft_convolution *c, int64_t position, vector value, int64_t count) {
    if (c->relu) value = choose(value < 0.0f, splat(0.0f), value);
    if (c->output_is_bfloat16) {
        uint16_t *target = (uint16_t *)c->output + position;
        if (count < VECTOR)
            store_some_bfloat16(target, value, count);
        else
            STORE_ROUNDED(target, value);
    } else {
        float *target = (float *)c->output + position;
        if (count < VECTOR)
            store_some(target, value, count);
        else
            store(target, value);
    }
}

/// One tile times a panel of `vectors` vectors of output channels from `channel` on.
INLINE void convolve_tile(const graft_convolution *c, const graft_pixel_group *group, group_pixel *next, int64_t channel,
                          const uint32_t *panel, int pixels, int vectors, bool is_bfloat16) {
    int64_t size = words_of_pixel(c, is_bfloat16), columns = group->kernel_column_end - group->kernel_column_begin;
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
            const uint32_t *left[most_pixels];
            UNROLLED for (int i = 0; i < pixels; i++) {
                int64_t first = is_bfloat16 ? places.input[i] / 2 : places.input[i];
                left[i] = (const uint32_t *)c->input + first + distance * size;
            }
            add_run(sums, left, panel + position * size * vectors * VECTOR, run * size, pixels, vectors, is_bfloat16);
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
INLINE void convolve_panel(const graft_convolution *c, const graft_convolution_block *block, int pixels, int vectors,
                           bool is_bfloat16) {
    const graft_pixel_group *group = &block->group;
    int64_t columns = group->column_end - group->column_begin, rows = group->row_end - group->row_begin;
    int64_t size = c->geometry.kernel_height * c->geometry.kernel_width * words_of_pixel(c, is_bfloat16) * vectors * VECTOR;
    int64_t first = block->begin * pixels, count = c->geometry.batch * rows * columns, end = block->end * pixels;
    int64_t channel = block->panel * vectors * VECTOR, left = (end < count ? end : count) - first;
    const uint32_t *panel = (const uint32_t *)c->kernel + block->panel * size;
    group_pixel next = {first / columns / rows, group->row_begin + first / columns % rows,
                        group->column_begin + first % columns};
    for (; left > pixels / 2; left -= pixels) convolve_tile(c, group, &next, channel, panel, pixels, vectors, is_bfloat16);
    if (left > pixels / 4)
        convolve_tile(c, group, &next, channel, panel, pixels / 2, vectors, is_bfloat16);
    else if (left > 0)
        convolve_tile(c, group, &next, channel, panel, pixels / 4, vectors, is_bfloat16);
}

INLINE void convolve_block_of(const graft_convolution *c, const graft_convolution_block *block, bool is_bfloat16) {
    switch (graft_convolution_vectors(c->geometry.output_channels)) {
    case 2: return convolve_panel(c, block, graft_convolution_pixels(2), 2, is_bfloat16);
    case 3: return convolve_panel(c, block, graft_convolution_pixels(3), 3, is_bfloat16);
    default: return convolve_panel(c, block, graft_convolution_pixels(4), 4, is_bfloat16);
    }
}

static void convolution_block(const graft_convolution *c, const graft_convolution_block *block) {
    if (c->is_bfloat16)
        convolve_block_of(c, block, true);
    else
        convolve_block_of(c, block, false);
}
