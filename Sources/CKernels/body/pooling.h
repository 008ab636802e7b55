// Pooling, NHWC: every loop runs along the channels.

typedef struct {
    int64_t top, bottom, left, right;
} covered;

/// The part of the input that the window of an output element covers.
INLINE covered covered_by(const graft_pooling *p, int64_t row, int64_t column) {
    int64_t top = row * p->stride_height - p->padding_top, left = column * p->stride_width - p->padding_left;
    int64_t bottom = top + p->window_height, right = left + p->window_width;
    covered area = {top < 0 ? 0 : top, bottom > p->input_height ? p->input_height : bottom, left < 0 ? 0 : left,
                    right > p->input_width ? p->input_width : right};
    return area;
}

/// An element of an image, float32 or bfloat16.
INLINE const void *element(const graft_pooling *p, const void *image, int64_t position) {
    return (const char *)image + position * (p->is_bfloat16 ? 2 : 4);
}

/// A sum as an average, with what is applied to it.
INLINE vector averaged(const graft_pooling *p, vector sum, float scale) {
    vector result = sum * scale;
    return p->relu ? choose(result < 0.0f, splat(0.0f), result) : result;
}

/// Pools `vectors` vectors of channels at once (at most four), to amortize the loop over the window.
INLINE void pool_vectors(const graft_pooling *p, bool maximum, bool is_bfloat16, const void *image, covered area,
                         float scale, int vectors, void *output) {
    vector results[4];
    for (int i = 0; i < vectors; i++) results[i] = splat(maximum ? -__builtin_inff() : 0.0f);
    for (int64_t y = area.top; y < area.bottom; y++) {
        const char *pixel = element(p, image, (y * p->input_width + area.left) * p->channels);
        for (int64_t x = area.left; x < area.right; x++, pixel = element(p, pixel, p->channels)) {
            for (int i = 0; i < vectors; i++) {
                vector value = is_bfloat16 ? load_bfloat16((const uint16_t *)pixel + i * VECTOR)
                                         : load((const float *)pixel + i * VECTOR);
                results[i] = maximum ? larger(value, results[i]) : results[i] + value;
            }
        }
    }
    for (int i = 0; i < vectors; i++) {
        vector result = maximum ? results[i] : averaged(p, results[i], scale);
        if (is_bfloat16)
            store_bfloat16((uint16_t *)output + i * VECTOR, result);
        else
            store((float *)output + i * VECTOR, result);
    }
}

/// The channels that do not fill a vector.
INLINE void pool_rest(const graft_pooling *p, bool maximum, bool is_bfloat16, const void *image, covered area,
                      float scale, int64_t count, void *output) {
    vector result = splat(maximum ? -__builtin_inff() : 0.0f);
    for (int64_t y = area.top; y < area.bottom; y++) {
        for (int64_t x = area.left; x < area.right; x++) {
            const void *pixel = element(p, image, (y * p->input_width + x) * p->channels);
            vector value = is_bfloat16 ? load_some_bfloat16(pixel, count) : load_some(pixel, count, 0);
            result = maximum ? larger(value, result) : result + value;
        }
    }
    if (!maximum) result = averaged(p, result, scale);
    if (is_bfloat16)
        store_some_bfloat16(output, result, count);
    else
        store_some(output, result, count);
}

INLINE void pool_channels(const graft_pooling *p, bool maximum, const float *image, covered area, float *output) {
    float scale = 1.0f / (float)((area.bottom - area.top) * (area.right - area.left));
    int64_t channel = 0;
    for (; channel + 4 * VECTOR <= p->channels; channel += 4 * VECTOR)
        pool_vectors(p, maximum, false, image + channel, area, scale, 4, output + channel);
    for (; channel + VECTOR <= p->channels; channel += VECTOR)
        pool_vectors(p, maximum, false, image + channel, area, scale, 1, output + channel);
    if (channel < p->channels)
        pool_rest(p, maximum, false, image + channel, area, scale, p->channels - channel, output + channel);
}

// bfloat16 by thirty-two channels at once. Maxima are found on the values as integers.

typedef int16_t keys __attribute__((ext_vector_type(2 * VECTOR)));

/// Integers in the order of the bfloat16 values; the function is its own inverse.
INLINE keys ordered(keys values) { return values ^ (values >> 15 & 0x7fff); }

/// The largest and the smallest of some values, as ordered integers: NaN lies beyond infinity, on the side of its sign.
typedef struct {
    keys largest, smallest;
} extremes;

INLINE extremes joined(extremes a, extremes b) {
    return (extremes){__builtin_elementwise_max(a.largest, b.largest),
                      __builtin_elementwise_min(a.smallest, b.smallest)};
}

/// A column of a window, from `top` on.
INLINE void column_extremes(const graft_pooling *p, const uint16_t *top, int64_t rows, int vectors, extremes *results) {
    for (int i = 0; i < vectors; i++) results[i] = (extremes){(keys)(int16_t)-32768, (keys)(int16_t)32767};
    for (int64_t y = 0; y < rows; y++, top += p->input_width * p->channels) {
        for (int i = 0; i < vectors; i++) {
            keys values;
            __builtin_memcpy(&values, top + i * 2 * VECTOR, sizeof values);
            values = ordered(values);
            results[i] = joined(results[i], (extremes){values, values});
        }
    }
}

/// The largest value, or NaN if there is one, as in float32.
INLINE void store_largest(uint16_t *output, extremes found) {
    keys is_nan = (found.largest > 0x7f80) | (found.smallest < ordered((keys)(int16_t)-128));
    keys result = (ordered(found.largest) & ~is_nan) | (is_nan & 0x7fc0);
    __builtin_memcpy(output, &result, sizeof result);
}

/// A row of results, `vectors` times 32 channels of it. A column that two windows share is read once.
INLINE void pool_bfloat16_row(const graft_pooling *p, const uint16_t *image, int64_t row, int vectors, uint16_t *output) {
    extremes last[4];
    int64_t last_column = -1;
    for (int64_t column = 0; column < p->output_width; column++, output += p->output_pixel_stride) {
        covered area = covered_by(p, row, column);
        extremes found[4], next[4];
        // A window that is all padding has no column.
        int64_t rows = area.left < area.right ? area.bottom - area.top : 0;
        const uint16_t *pixel = image + (area.top * p->input_width + area.left) * p->channels;
        if (rows > 0 && area.left == last_column)
            for (int i = 0; i < vectors; i++) found[i] = last[i];
        else
            column_extremes(p, pixel, rows, vectors, found);
        for (int i = 0; i < vectors; i++) last[i] = found[i];
        for (int64_t x = area.left + 1; x < area.right; x++) {
            pixel += p->channels;
            column_extremes(p, pixel, rows, vectors, next);
            for (int i = 0; i < vectors; i++) {
                last[i] = next[i];
                found[i] = joined(found[i], next[i]);
            }
        }
        last_column = area.right - 1;
        for (int i = 0; i < vectors; i++) store_largest(output + i * 2 * VECTOR, found[i]);
    }
}

/// A row of maxima for the channels that fill vectors, and their number.
INLINE int64_t pool_bfloat16_maxima(const graft_pooling *p, const uint16_t *image, int64_t row, uint16_t *output) {
    int64_t channel = 0;
    for (; channel + 4 * VECTOR <= p->channels; channel += 4 * VECTOR)
        pool_bfloat16_row(p, image + channel, row, 2, output + channel);
    if (channel + 2 * VECTOR <= p->channels) {
        pool_bfloat16_row(p, image + channel, row, 1, output + channel);
        channel += 2 * VECTOR;
    }
    return channel;
}

/// Each lane of 32 bits holds two values, which have separate sums.
INLINE void pool_bfloat16_average(const graft_pooling *p, const uint16_t *image, covered area, float scale, int vectors,
                                uint16_t *output) {
    vector first[4], second[4];
    for (int i = 0; i < vectors; i++) first[i] = second[i] = splat(0.0f);
    for (int64_t y = area.top; y < area.bottom; y++) {
        const uint16_t *pixel = image + (y * p->input_width + area.left) * p->channels;
        for (int64_t x = area.left; x < area.right; x++, pixel += p->channels) {
            for (int i = 0; i < vectors; i++) {
                words pairs;
                __builtin_memcpy(&pairs, pixel + i * 2 * VECTOR, sizeof pairs);
                first[i] += (vector)(pairs << 16);
                second[i] += (vector)(pairs & 0xffff0000);
            }
        }
    }
    for (int i = 0; i < vectors; i++) {
        words pairs = rounded(averaged(p, first[i], scale)) | rounded(averaged(p, second[i], scale)) << 16;
        __builtin_memcpy(output + i * 2 * VECTOR, &pairs, sizeof pairs);
    }
}

/// From a channel on.
INLINE void pool_bfloat16_channels(const graft_pooling *p, bool maximum, const uint16_t *image, covered area,
                                 int64_t channel, uint16_t *output) {
    float scale = 1.0f / (float)((area.bottom - area.top) * (area.right - area.left));
    if (!maximum) {
        for (; channel + 8 * VECTOR <= p->channels; channel += 8 * VECTOR)
            pool_bfloat16_average(p, image + channel, area, scale, 4, output + channel);
        for (; channel + 2 * VECTOR <= p->channels; channel += 2 * VECTOR)
            pool_bfloat16_average(p, image + channel, area, scale, 1, output + channel);
    }
    if (channel + VECTOR <= p->channels) {
        pool_vectors(p, maximum, true, image + channel, area, scale, 1, output + channel);
        channel += VECTOR;
    }
    if (channel < p->channels)
        pool_rest(p, maximum, true, image + channel, area, scale, p->channels - channel, output + channel);
}

INLINE void pool_rows(const graft_pooling *p, bool maximum, bool is_bfloat16, const void *input, void *output,
                      int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
        int64_t image = row / p->output_height * p->input_height * p->input_width * p->channels, done = 0;
        const void *source = element(p, input, image);
        char *target = (char *)element(p, output, row * p->output_width * p->output_pixel_stride);
        if (is_bfloat16 && maximum) done = pool_bfloat16_maxima(p, source, row % p->output_height, (uint16_t *)target);
        if (done == p->channels) continue;
        for (int64_t column = 0; column < p->output_width; column++) {
            void *pixel = (char *)element(p, target, column * p->output_pixel_stride);
            covered area = covered_by(p, row % p->output_height, column);
            if (is_bfloat16)
                pool_bfloat16_channels(p, maximum, source, area, done, pixel);
            else
                pool_channels(p, maximum, source, area, pixel);
        }
    }
}

static void maximum_pooling(const graft_pooling *p, const void *input, void *output, int64_t begin, int64_t end) {
    if (p->is_bfloat16)
        pool_rows(p, true, true, input, output, begin, end);
    else
        pool_rows(p, true, false, input, output, begin, end);
}

static void average_pooling(const graft_pooling *p, const void *input, void *output, int64_t begin, int64_t end) {
    if (p->is_bfloat16)
        pool_rows(p, false, true, input, output, begin, end);
    else
        pool_rows(p, false, false, input, output, begin, end);
}

static void clear_channels(const graft_pooling *p, float *gradient, int64_t begin, int64_t end) {
    for (int64_t pixel = 0; pixel < p->input_height * p->input_width; pixel++)
        __builtin_memset(gradient + pixel * p->channels + begin, 0, (size_t)(end - begin) * sizeof(float));
}

/// Sixteen channels of one window: finds the first largest element, then adds the gradient there.
INLINE void spread_maximum(const graft_pooling *p, const float *input, covered area, vector gradient, float *target,
                           int64_t count) {
    vector best = splat(-__builtin_inff());
    mask winner = (mask)-1, place = (mask)0;
    for (int64_t y = area.top; y < area.bottom; y++) {
        for (int64_t x = area.left; x < area.right; x++) {
            const float *pixel = input + (y * p->input_width + x) * p->channels;
            vector value = count >= VECTOR ? load(pixel) : load_some(pixel, count, 0);
            mask wins = (value > best) | (winner < 0) | ((value != value) & (best == best));
            best = choose(wins, value, best);
            winner = (place & wins) | (winner & ~wins);
            place += 1;
        }
    }
    place = (mask)0;
    for (int64_t y = area.top; y < area.bottom; y++) {
        for (int64_t x = area.left; x < area.right; x++) {
            float *pixel = target + (y * p->input_width + x) * p->channels;
            vector share = choose(winner == place, gradient, splat(0.0f));
            if (count >= VECTOR)
                store(pixel, load(pixel) + share);
            else
                store_some(pixel, load_some(pixel, count, 0) + share, count);
            place += 1;
        }
    }
}

static void maximum_pooling_gradient(const graft_pooling *p, const float *input, const float *output_gradient,
                                     float *input_gradient, int64_t begin, int64_t end) {
    clear_channels(p, input_gradient, begin, end);
    for (int64_t row = 0; row < p->output_height; row++) {
        for (int64_t column = 0; column < p->output_width; column++) {
            const float *gradients = output_gradient + (row * p->output_width + column) * p->channels;
            covered area = covered_by(p, row, column);
            for (int64_t channel = begin; channel < end; channel += VECTOR) {
                int64_t count = end - channel;
                vector gradient =
                    count >= VECTOR ? load(gradients + channel) : load_some(gradients + channel, count, 0);
                spread_maximum(p, input + channel, area, gradient, input_gradient + channel, count);
            }
        }
    }
}

static void average_pooling_gradient(const graft_pooling *p, const float *output_gradient, float *input_gradient,
                                     int64_t begin, int64_t end) {
    clear_channels(p, input_gradient, begin, end);
    for (int64_t row = 0; row < p->output_height; row++) {
        for (int64_t column = 0; column < p->output_width; column++) {
            const float *gradients = output_gradient + (row * p->output_width + column) * p->channels;
            covered area = covered_by(p, row, column);
            float scale = 1.0f / (float)((area.bottom - area.top) * (area.right - area.left));
            for (int64_t y = area.top; y < area.bottom; y++) {
                for (int64_t x = area.left; x < area.right; x++) {
                    float *pixel = input_gradient + (y * p->input_width + x) * p->channels;
                    for (int64_t channel = begin; channel < end; channel++)
                        pixel[channel] += gradients[channel] * scale;
                }
            }
        }
    }
}
