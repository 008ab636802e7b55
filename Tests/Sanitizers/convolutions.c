// Convolutions, and their kernel gradients with updates.
#include "support.h"

typedef struct {
    int64_t batch, height, width, inputs, outputs, output_height, output_width;
    int64_t kernel_height, kernel_width, stride_height, stride_width, dilation_height, dilation_width, top, left;
} shape;

static graft_geometry geometry_of(const shape *s) {
    return (graft_geometry){s->batch, s->height, s->width, s->inputs, s->output_height, s->output_width, s->outputs,
                            s->kernel_height, s->kernel_width, s->stride_height, s->stride_width, s->dilation_height,
                            s->dilation_width, s->top, s->left};
}

/// The input's pixel under a position of the kernel; −1 in the padding.
static int64_t seen(const shape *s, int64_t n, int64_t y, int64_t x, int64_t i, int64_t j) {
    int64_t row = y * s->stride_height + i * s->dilation_height - s->top;
    int64_t column = x * s->stride_width + j * s->dilation_width - s->left;
    if (row < 0 || row >= s->height || column < 0 || column >= s->width) return -1;
    return (n * s->height + row) * s->width + column;
}

static int64_t pixels(const shape *s) { return s->batch * s->output_height * s->output_width; }

static float *convolved(const shape *s, const float *input, const float *kernel, const float *bias, bool relu) {
    float *output = empty(pixels(s) * s->outputs), *to = output;
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t y = 0; y < s->output_height; y++)
            for (int64_t x = 0; x < s->output_width; x++, to += s->outputs) {
                for (int64_t q = 0; q < s->outputs; q++) to[q] = bias ? bias[q] : 0;
                for (int64_t i = 0; i < s->kernel_height; i++)
                    for (int64_t j = 0; j < s->kernel_width; j++) {
                        int64_t pixel = seen(s, n, y, x, i, j);
                        const float *k = kernel + (i * s->kernel_width + j) * s->inputs * s->outputs;
                        for (int64_t p = 0; pixel >= 0 && p < s->inputs; p++)
                            for (int64_t q = 0; q < s->outputs; q++)
                                to[q] += input[pixel * s->inputs + p] * k[p * s->outputs + q];
                    }
                for (int64_t q = 0; relu && q < s->outputs; q++) to[q] = to[q] > 0 ? to[q] : 0;
            }
    return output;
}

/// Room for a result whose pixels are `stride` apart: what lies between them must not change.
static float *strided(int64_t count, int64_t channels, int64_t stride, bool is_bfloat16) {
    size_t size = is_bfloat16 ? sizeof(uint16_t) : sizeof(float);
    return memset(bytes(((size_t)(count - 1) * (size_t)stride + (size_t)channels) * size), 0x42,
                  ((size_t)(count - 1) * (size_t)stride + (size_t)channels) * size);
}

/// The channels of a strided result, and a look at what lies between.
static float *dense(const char *what, const void *array, int64_t count, int64_t channels, int64_t stride, bool is_bfloat16) {
    float *result = empty(count * channels);
    int64_t all = (count - 1) * stride + channels;
    const float *wide = is_bfloat16 ? to_float32(array, all) : array;
    size_t size = is_bfloat16 ? sizeof(uint16_t) : sizeof(float);
    for (int64_t i = 0; i < all; i++) {
        if (i % stride < channels) {
            result[i / stride * channels + i % stride] = wide[i];
            continue;
        }
        for (size_t byte = 0; byte < size; byte++)
            if (((const uint8_t *)array)[(size_t)i * size + byte] != 0x42) {
                fprintf(stderr, "%s on %s writes between its pixels\n", what, graft_instruction_set());
                exit(1);
            }
    }
    return result;
}

void check_convolutions(int threads) {
    bool relu = chance(50);
    shape s = {.batch = between(1, 3), .height = between(1, 12), .width = between(1, 12), .inputs = between(1, 40),
               .outputs = between(1, 130), .kernel_height = between(1, 4), .kernel_width = between(1, 4),
               .stride_height = between(1, 3), .stride_width = between(1, 3), .dilation_height = between(1, 2),
               .dilation_width = between(1, 2)};
    int64_t reach_height = (s.kernel_height - 1) * s.dilation_height, reach_width = (s.kernel_width - 1) * s.dilation_width;
    s.top = between(0, reach_height), s.left = between(0, reach_width);
    // Padding at the bottom and on the right follows from the size of the output.
    s.output_height = (s.height + s.top - 1) / s.stride_height + 1, s.output_width = (s.width + s.left - 1) / s.stride_width + 1;
    float *input = integers(s.batch * s.height * s.width * s.inputs, 0);
    float *kernel = integers(s.kernel_height * s.kernel_width * s.inputs * s.outputs, 0);
    float *bias = chance(70) ? integers(s.outputs, 0) : NULL;
    int64_t stride = s.outputs + (chance(50) ? between(1, 50) : 0);
    graft_convolution c = {.geometry = geometry_of(&s), .output_pixel_stride = stride, .relu = relu, .input = input,
                           .bias = bias};
    void *packed = bytes(graft_convolution_kernel_size(&c));
    graft_pack_convolution_kernel(&c, kernel, packed);
    c.kernel = packed;
    c.output = strided(pixels(&s), s.outputs, stride, false);
    graft_run_convolution(&c, threads);
    float *expected = convolved(&s, input, kernel, bias, relu);
    expect_close("a convolution", dense("a convolution", c.output, pixels(&s), s.outputs, stride, false), expected,
                 pixels(&s) * s.outputs, 0);
}

void check_winograd(int threads) {
    int64_t size = chance(50) ? 3 : 5, tile = chance(50) ? 6 : 8;
    bool input_is_bfloat16 = chance(50), output_is_bfloat16 = chance(50), relu = chance(50);
    shape s = {.batch = between(1, 2), .height = between(size, 17), .width = between(size, 17), .inputs = 16 * between(1, 3),
               .outputs = 32 * between(1, 3), .kernel_height = size, .kernel_width = size, .stride_height = 1,
               .stride_width = 1, .dilation_height = 1, .dilation_width = 1, .top = between(0, size / 2),
               .left = between(0, size / 2)};
    s.output_height = s.height + 2 * s.top - size + 1, s.output_width = s.width + 2 * s.left - size + 1;
    float *input = integers(s.batch * s.height * s.width * s.inputs, 0);
    float *kernel = integers(size * size * s.inputs * s.outputs, 0);
    float *bias = chance(70) ? integers(s.outputs, 0) : NULL;
    int64_t stride = s.outputs + (chance(50) ? 16 * between(1, 3) : 0);
    graft_winograd w = {.geometry = geometry_of(&s), .output_pixel_stride = stride, .tile_size = tile,
                        .input_is_bfloat16 = input_is_bfloat16, .output_is_bfloat16 = output_is_bfloat16, .relu = relu,
                        .bias = bias};
    w.input = input_is_bfloat16 ? (void *)to_bfloat16(input, s.batch * s.height * s.width * s.inputs) : input;
    float *packed = bytes(graft_winograd_kernel_size(&w.geometry, tile));
    graft_pack_winograd_kernel(&w.geometry, tile, chance(50), kernel, packed);
    w.kernel = packed;
    w.output = strided(pixels(&s), s.outputs, stride, output_is_bfloat16);
    graft_run_winograd(&w, bytes(graft_winograd_scratch_size(&w, threads)), threads);
    // Winograd's sums are not exact: Documentation/Numerics.md; rounding to bfloat16 adds half a step.
    expect_close("Winograd's filtering", dense("Winograd's filtering", w.output, pixels(&s), s.outputs, stride, output_is_bfloat16),
                 convolved(&s, input, kernel, bias, relu), pixels(&s) * s.outputs, output_is_bfloat16 ? 0x1p-8 : 2e-5);
}

void check_convolution_gradients(int threads) {
    optimizer_program optimizer;
    shape s = {.batch = between(1, 3), .height = between(1, 9), .width = between(1, 9), .inputs = between(1, 50),
               .outputs = between(1, 100), .kernel_height = between(1, 3), .kernel_width = between(1, 3),
               .stride_height = between(1, 2), .stride_width = between(1, 2), .dilation_height = 1, .dilation_width = 1};
    s.top = between(0, s.kernel_height - 1), s.left = between(0, s.kernel_width - 1);
    s.output_height = (s.height + s.top - 1) / s.stride_height + 1, s.output_width = (s.width + s.left - 1) / s.stride_width + 1;
    make_optimizer((int)below(4), &optimizer);
    int64_t count = s.kernel_height * s.kernel_width * s.inputs * s.outputs;
    float *input = integers(s.batch * s.height * s.width * s.inputs, 0), *output = integers(pixels(&s) * s.outputs, 0);
    float *scale = chance(50) ? integers(s.outputs, 0) : NULL, *sums = empty(count);
    memset(sums, 0, (size_t)count * sizeof *sums);
    for (int64_t n = 0; n < s.batch; n++)
        for (int64_t y = 0; y < s.output_height; y++)
            for (int64_t x = 0; x < s.output_width; x++)
                for (int64_t i = 0; i < s.kernel_height; i++)
                    for (int64_t j = 0; j < s.kernel_width; j++) {
                        int64_t pixel = seen(&s, n, y, x, i, j);
                        const float *g = output + ((n * s.output_height + y) * s.output_width + x) * s.outputs;
                        float *to = sums + (i * s.kernel_width + j) * s.inputs * s.outputs;
                        for (int64_t p = 0; pixel >= 0 && p < s.inputs; p++)
                            for (int64_t q = 0; q < s.outputs; q++)
                                to[p * s.outputs + q] += input[pixel * s.inputs + p] * g[q];
                    }
    graft_convolution_gradient g = {.geometry = geometry_of(&s), .input = input, .output_gradient = output, .scale = scale};
    const float *sources[8] = {NULL};
    float *targets[4], *expected[4];
    for (int i = 1; i < optimizer.array_count; i++) sources[i] = numbers(count, 0.25f, 2);
    for (int i = 0; i < optimizer.program.output_count; i++) targets[i] = empty(count), expected[i] = empty(count);
    for (int64_t at = 0; at < count; at++) {
        double arrays[8] = {sums[at] * (scale ? scale[at % s.outputs] : 1)}, results[4];
        for (int i = 1; i < optimizer.array_count; i++) arrays[i] = sources[i][at];
        apply_optimizer(&optimizer, arrays, results);
        for (int i = 0; i < optimizer.program.output_count; i++) expected[i][at] = (float)results[i];
    }
    void *scratch = bytes(graft_convolution_gradient_scratch_size(&optimizer.program, &g, threads));
    graft_run_convolution_gradient_program(&optimizer.program, &g, &(graft_arguments){sources, targets, NULL}, scratch,
                                           threads);
    for (int i = 0; i < optimizer.program.output_count; i++)
        expect_close("a convolution's gradient with its update", targets[i], expected[i], count, 1e-5);
}
