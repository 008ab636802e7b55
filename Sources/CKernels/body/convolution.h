// Convolutions of any kernel size and stride, written to pixels that may be further apart than their channels. A tile of
// output pixels times a panel of output channels stays in registers while the kernel's positions and the input's channels
// pass by. The tile's pixels see the same positions of the kernel, so that padding is never multiplied, and none of the input
// is copied: neighbouring positions of a kernel's row are neighbours in memory.

/// Adds the products of a pair of numbers with a vector of pairs to a vector of sums. Both are of bfloat16, the first of each
/// pair in the lower half.
#if !defined(ADD_PAIRS)
INLINE vector add_pairs(vector sum, uint32_t pair, words pairs) {
    vector first = (vector)(words)(pair << 16), second = (vector)(words)(pair & 0xffff0000u);
    sum += second * (vector)(pairs & 0xffff0000u);
    return sum + first * (vector)(pairs << 16);
}
#define ADD_PAIRS add_pairs
#define STORE_ROUNDED store_narrow
#endif

enum { most_pixels = graft_convolution_most_pixels, most_vectors = graft_convolution_most_vectors };

/// Words of 32 bits that a pixel of the input takes: numbers, or pairs of them.
INLINE int64_t words_of_pixel(const graft_convolution *c, bool is_narrow) {
    return is_narrow ? c->input_channels / 2 : c->input_channels;
}

/// Where the pixels of a tile begin in the input, at the first position of the kernel that they see, and in the output; in
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
    pixel_places places;
    for (int i = 0; i < pixels; i++) {
        if (next->image == c->batch) {
            places.input[i] = places.input[i - 1];
            places.output[i] = places.output[i - 1];
            continue;
        }
        int64_t row = next->row * c->stride_height + group->kernel_row_begin * c->dilation_height - c->padding_top;
        int64_t column =
            next->column * c->stride_width + group->kernel_column_begin * c->dilation_width - c->padding_left;
        places.input[i] = ((next->image * c->input_height + row) * c->input_width + column) * c->input_channels;
        places.output[i] = ((next->image * c->output_height + next->row) * c->output_width + next->column) *
                           c->output_pixel_stride;
        next_pixel(group, next);
    }
    return places;
}

/// `sums[pixel][vector] += ` the products of `count` words of each pixel with as many lines of a panel.
INLINE void add_run(vector sums[most_pixels][most_vectors], const uint32_t *const *left, const uint32_t *right,
                    int64_t count, int pixels, int vectors, bool is_narrow) {
    for (int64_t k = 0; k < count; k++, right += vectors * VECTOR) {
        words line[most_vectors];
        UNROLLED for (int v = 0; v < vectors; v++) __builtin_memcpy(&line[v], right + v * VECTOR, sizeof line[v]);
        UNROLLED for (int i = 0; i < pixels; i++) {
            uint32_t word = left[i][k];
            UNROLLED for (int v = 0; v < vectors; v++) {
                if (is_narrow)
                    sums[i][v] = ADD_PAIRS(sums[i][v], word, line[v]);
                else
                    sums[i][v] += (vector)(words)word * (vector)line[v];
            }
        }
    }
}

INLINE void store_pixel(const graft_convolution *c, int64_t position, vector value, int64_t count) {
    if (c->relu) value = choose(value < 0.0f, splat(0.0f), value);
    if (c->output_is_narrow) {
        uint16_t *target = (uint16_t *)c->output + position;
        if (count < VECTOR)
            store_some_narrow(target, value, count);
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
                          const uint32_t *panel, int pixels, int vectors, bool is_narrow) {
    int64_t size = words_of_pixel(c, is_narrow), columns = group->kernel_column_end - group->kernel_column_begin;
    pixel_places places = places_of(c, group, next, pixels);
    // Neighbouring positions of a row are one run where nothing lies between them.
    int64_t run = c->dilation_width == 1 ? columns : 1;
    vector sums[most_pixels][most_vectors];
    UNROLLED for (int i = 0; i < pixels; i++) UNROLLED for (int v = 0; v < vectors; v++) sums[i][v] = splat(0);
    for (int64_t row = group->kernel_row_begin; row < group->kernel_row_end; row++)
        for (int64_t column = group->kernel_column_begin; column < group->kernel_column_end; column += run) {
            int64_t position = row * c->kernel_width + column;
            int64_t distance = (row - group->kernel_row_begin) * c->dilation_height * c->input_width +
                               (column - group->kernel_column_begin) * c->dilation_width;
            const uint32_t *left[most_pixels];
            UNROLLED for (int i = 0; i < pixels; i++) {
                int64_t first = is_narrow ? places.input[i] / 2 : places.input[i];
                left[i] = (const uint32_t *)c->input + first + distance * size;
            }
            add_run(sums, left, panel + position * size * vectors * VECTOR, run * size, pixels, vectors, is_narrow);
        }
    UNROLLED for (int v = 0; v < vectors; v++) {
        int64_t first = channel + v * VECTOR, count = c->output_channels - first;
        if (count <= 0) break;
        vector bias = splat(0);
        if (c->bias) bias = count < VECTOR ? load_some(c->bias + first, count, 0) : load(c->bias + first);
        UNROLLED for (int i = 0; i < pixels; i++)
            store_pixel(c, places.output[i] + first, sums[i][v] + bias, count);
    }
}

/// Tiles begin ..< end of a group times one panel. What is left of the last tile is done by half or a quarter of one.
INLINE void convolve_panel(const graft_convolution *c, const graft_convolution_block *block, int pixels, int vectors,
                           bool is_narrow) {
    const graft_pixel_group *group = &block->group;
    int64_t columns = group->column_end - group->column_begin, rows = group->row_end - group->row_begin;
    int64_t size = c->kernel_height * c->kernel_width * words_of_pixel(c, is_narrow) * vectors * VECTOR;
    int64_t first = block->begin * pixels, count = c->batch * rows * columns, end = block->end * pixels;
    int64_t channel = block->panel * vectors * VECTOR, left = (end < count ? end : count) - first;
    const uint32_t *panel = (const uint32_t *)c->kernel + block->panel * size;
    group_pixel next = {first / columns / rows, group->row_begin + first / columns % rows,
                        group->column_begin + first % columns};
    for (; left > pixels / 2; left -= pixels) convolve_tile(c, group, &next, channel, panel, pixels, vectors, is_narrow);
    if (left > pixels / 4)
        convolve_tile(c, group, &next, channel, panel, pixels / 2, vectors, is_narrow);
    else if (left > 0)
        convolve_tile(c, group, &next, channel, panel, pixels / 4, vectors, is_narrow);
}

INLINE void convolve_block_of(const graft_convolution *c, const graft_convolution_block *block, bool is_narrow) {
    switch (graft_convolution_vectors(c->output_channels)) {
    case 2: return convolve_panel(c, block, graft_convolution_pixels(2), 2, is_narrow);
    case 3: return convolve_panel(c, block, graft_convolution_pixels(3), 3, is_narrow);
    default: return convolve_panel(c, block, graft_convolution_pixels(4), 4, is_narrow);
    }
}

static void convolution_block(const graft_convolution *c, const graft_convolution_block *block) {
    if (c->is_narrow)
        convolve_block_of(c, block, true);
    else
        convolve_block_of(c, block, false);
}
