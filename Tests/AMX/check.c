// Runs every implementation that oneDNN has of a convolution, and of both gradients, between guarded buffers, and compares
// each result with plain loops. Ends with 1 where one that Graft runs writes outside of its buffers or gives other numbers;
// what Graft does not run is listed as well. `Scripts/check-onednn` builds and runs it, on AMX or with AMX in software.
//
//   check [--all] [forward] [input-gradient] [kernel-gradient]
//
// Without --all fewer sizes and channels; without a direction all three.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "COneDNN.h"

// MARK: Guarded memory

enum { guard_size = 1 << 16, guard_byte = 0xab };

typedef struct {
    unsigned char *memory, *base;
    size_t size;
} guarded;

static guarded guard(size_t size) {
    size_t rounded = (size + 63) / 64 * 64;
    guarded g = {aligned_alloc(64, rounded + 2 * guard_size), NULL, size};
    if (!g.memory) {
        fprintf(stderr, "no memory\n");
        exit(2);
    }
    memset(g.memory, guard_byte, rounded + 2 * guard_size);
    g.base = g.memory + guard_size;
    memset(g.base, 0, size);
    return g;
}

static bool is_whole(const guarded *g) {
    size_t end = (g->size + 63) / 64 * 64 + 2 * guard_size;
    for (const unsigned char *p = g->memory; p < g->memory + end; p++)
        if (*p != guard_byte && (p < g->base || p >= g->base + g->size)) return false;
    return true;
}

// MARK: Numbers: small integers, whose sums are exact whatever their order

static unsigned random_state = 1;

static int next_integer(int limit) {
    random_state = random_state * 1664525u + 1013904223u;
    return (int)(random_state >> 20) % (2 * limit + 1) - limit;
}

static unsigned short narrow(float value) {
    unsigned bits;
    memcpy(&bits, &value, sizeof bits);
    return (unsigned short)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static float widened(unsigned short value) {
    unsigned bits = (unsigned)value << 16;
    float result;
    memcpy(&result, &bits, sizeof result);
    return result;
}

static size_t size_of(enum graft_dnn_type type) { return type == graft_dnn_bfloat16 ? 2 : 4; }

static float number(const void *array, size_t i, enum graft_dnn_type type) {
    return type == graft_dnn_bfloat16 ? widened(((const unsigned short *)array)[i]) : ((const float *)array)[i];
}

static void set(void *array, size_t i, enum graft_dnn_type type, float value) {
    if (type == graft_dnn_bfloat16)
        ((unsigned short *)array)[i] = narrow(value);
    else
        ((float *)array)[i] = value;
}

static void fill(guarded *g, enum graft_dnn_type type) {
    for (size_t i = 0; i < g->size / size_of(type); i++) set(g->base, i, type, (float)next_integer(2));
}

// MARK: Cases

typedef struct {
    graft_dnn_convolution shape;
    graft_dnn_epilogue epilogue;
    enum graft_dnn_direction direction;
} example;

static size_t input_count(const graft_dnn_convolution *c) {
    return (size_t)(c->batch * c->input_height * c->input_width * c->input_channels);
}
static size_t output_count(const graft_dnn_convolution *c) {
    return (size_t)(c->batch * c->output_height * c->output_width * c->output_channels);
}
static size_t kernel_count(const graft_dnn_convolution *c) {
    return (size_t)(c->kernel_height * c->kernel_width * c->input_channels * c->output_channels);
}

/// What a primitive reads and writes, plain: for gradients as the shim's header says.
typedef struct {
    guarded input, kernel, output, bias;
} arrays;

static void make(const example *e, arrays *a) {
    const graft_dnn_convolution *c = &e->shape;
    a->input = guard(input_count(c) * size_of(c->input_type));
    a->kernel = guard(kernel_count(c) * sizeof(float));
    a->output = guard(output_count(c) * size_of(c->output_type));
    a->bias = guard((size_t)c->output_channels * sizeof(float));
    fill(&a->input, c->input_type);
    fill(&a->kernel, graft_dnn_float32);
    fill(&a->output, c->output_type);
    fill(&a->bias, graft_dnn_float32);
}

static void release(arrays *a) {
    free(a->input.memory), free(a->kernel.memory), free(a->output.memory), free(a->bias.memory);
}

// MARK: Plain loops

/// Adds a product where the direction wants it, for one input channel.
static inline void multiply(enum graft_dnn_direction direction, int64_t count, float *restrict input,
                            float *restrict kernel, float *restrict output) {
    float sum = 0;
    switch (direction) {
    case graft_dnn_forward:
        for (int64_t q = 0; q < count; q++) output[q] += *input * kernel[q];
        break;
    case graft_dnn_input_gradient:
        for (int64_t q = 0; q < count; q++) sum += output[q] * kernel[q];
        *input += sum;
        break;
    case graft_dnn_kernel_gradient:
        for (int64_t q = 0; q < count; q++) kernel[q] += output[q] * *input;
        break;
    }
}

/// Every product of a convolution.
static void multiply_all(const graft_dnn_convolution *c, enum graft_dnn_direction direction, float *input,
                         float *kernel, float *output) {
    for (int64_t n = 0; n < c->batch; n++)
        for (int64_t y = 0; y < c->output_height; y++)
            for (int64_t x = 0; x < c->output_width; x++)
                for (int64_t i = 0; i < c->kernel_height; i++)
                    for (int64_t j = 0; j < c->kernel_width; j++) {
                        int64_t row = y * c->stride_height + i - c->padding_top;
                        int64_t column = x * c->stride_width + j - c->padding_left;
                        if (row < 0 || row >= c->input_height || column < 0 || column >= c->input_width) continue;
                        float *from = input + ((n * c->input_height + row) * c->input_width + column) * c->input_channels;
                        float *to = output + ((n * c->output_height + y) * c->output_width + x) * c->output_channels;
                        float *k = kernel + (i * c->kernel_width + j) * c->input_channels * c->output_channels;
                        for (int64_t p = 0; p < c->input_channels; p++)
                            multiply(direction, c->output_channels, from + p, k + p * c->output_channels, to);
                    }
}

static float *wide(const guarded *g, size_t count, enum graft_dnn_type type, bool is_result) {
    float *numbers = malloc(count * sizeof *numbers);
    for (size_t i = 0; i < count; i++) numbers[i] = is_result ? 0 : number(g->base, i, type);
    return numbers;
}

/// The expected result, rounded as it is written.
static float *expected(const example *e, const arrays *a, size_t *count) {
    const graft_dnn_convolution *c = &e->shape;
    float *input = wide(&a->input, input_count(c), c->input_type, e->direction == graft_dnn_input_gradient);
    float *kernel = wide(&a->kernel, kernel_count(c), graft_dnn_float32, e->direction == graft_dnn_kernel_gradient);
    float *output = wide(&a->output, output_count(c), c->output_type,
                         e->direction == graft_dnn_forward && !e->epilogue.addend);
    multiply_all(c, e->direction, input, kernel, output);
    if (e->direction == graft_dnn_forward)
        for (size_t i = 0; i < output_count(c); i++) {
            if (e->epilogue.bias) output[i] += ((float *)a->bias.base)[i % (size_t)c->output_channels];
            if (e->epilogue.activation == graft_dnn_relu && output[i] < 0) output[i] = 0;
            if (c->output_type == graft_dnn_bfloat16) output[i] = widened(narrow(output[i]));
        }
    if (e->direction == graft_dnn_input_gradient && c->input_type == graft_dnn_bfloat16)
        for (size_t i = 0; i < input_count(c); i++) input[i] = widened(narrow(input[i]));
    float *all[] = {output, input, kernel};
    size_t counts[] = {output_count(c), input_count(c), kernel_count(c)};
    *count = counts[e->direction];
    for (int i = 0; i < 3; i++)
        if (i != (int)e->direction) free(all[i]);
    return all[e->direction];
}

// MARK: What was found

typedef struct {
    char name[64];
    enum graft_dnn_direction direction;
    int runs, overruns, wrong;
    char where[2048];
} finding;

static finding findings[256];
static int finding_count;

static finding *finding_of(const char *name, enum graft_dnn_direction direction) {
    for (int i = 0; i < finding_count; i++)
        if (findings[i].direction == direction && strcmp(findings[i].name, name) == 0) return &findings[i];
    finding *f = &findings[finding_count < 255 ? finding_count++ : 255];
    snprintf(f->name, sizeof f->name, "%s", name);
    f->direction = direction;
    return f;
}

static void note(finding *f, const example *e, const char *what) {
    const graft_dnn_convolution *c = &e->shape;
    size_t length = strlen(f->where);
    snprintf(f->where + length, sizeof f->where - length, "    %s: %d x %d to %d x %d, %d to %d channels, kernel %d x %d\n",
             what, (int)c->input_height, (int)c->input_width, (int)c->output_height, (int)c->output_width,
             (int)c->input_channels, (int)c->output_channels, (int)c->kernel_height, (int)c->kernel_width);
}

// MARK: One run

static graft_dnn_engine *engine;
static graft_dnn_stream *stream;

static void must(graft_dnn_result result) {
    if (!result.function) return;
    fprintf(stderr, "%s: %s\n", result.function, graft_dnn_status_text(result.status));
    exit(2);
}

/// Brings a kernel into a primitive's layout, or a kernel gradient back.
static void pack(graft_dnn_primitive *primitive, const void *from, void *to) {
    graft_dnn_primitive *packing;
    must(graft_dnn_packing_create(engine, primitive, &packing));
    guarded scratch = guard(graft_dnn_scratch_size(packing));
    must(graft_dnn_execute(packing, engine, stream, from, NULL, NULL, to, scratch.base));
    free(scratch.memory);
    graft_dnn_primitive_destroy(packing);
}

/// Runs one primitive; the result is written to where it belongs in `a`. Answers whether all guards are whole.
static bool run(const example *e, graft_dnn_primitive *primitive, arrays *a) {
    const graft_dnn_convolution *c = &e->shape;
    size_t packed_size = graft_dnn_packed_size(primitive);
    guarded packed = guard(packed_size > 0 ? packed_size : kernel_count(c) * size_of(c->kernel_type));
    guarded scratch = guard(graft_dnn_scratch_size(primitive));
    const void *bias = e->epilogue.bias ? a->bias.base : NULL;
    if (e->direction != graft_dnn_kernel_gradient) pack(primitive, a->kernel.base, packed.base);
    if (e->direction == graft_dnn_forward)
        must(graft_dnn_execute(primitive, engine, stream, a->input.base, packed.base, bias, a->output.base, scratch.base));
    else if (e->direction == graft_dnn_input_gradient)
        must(graft_dnn_execute(primitive, engine, stream, a->output.base, packed.base, NULL, a->input.base, scratch.base));
    else
        must(graft_dnn_execute(primitive, engine, stream, a->input.base, a->output.base, NULL, packed.base, scratch.base));
    bool good = is_whole(&packed) && is_whole(&scratch) && is_whole(&a->input) && is_whole(&a->output) &&
                is_whole(&a->kernel) && is_whole(&a->bias);
    if (e->direction == graft_dnn_kernel_gradient) pack(primitive, packed.base, a->kernel.base);
    free(packed.memory), free(scratch.memory);
    return good;
}

static bool is_expected(const example *e, const arrays *a, const float *wanted, size_t count) {
    const guarded *results[] = {&a->output, &a->input, &a->kernel};
    enum graft_dnn_type types[] = {e->shape.output_type, e->shape.input_type, graft_dnn_float32};
    for (size_t i = 0; i < count; i++)
        if (number(results[e->direction]->base, i, types[e->direction]) != wanted[i]) return false;
    return true;
}

/// All implementations of one case. Reference loops are left out: they are slow, and what Graft takes last.
static void check(const example *e) {
    float *wanted = NULL;
    size_t count = 0;
    const graft_dnn_epilogue *epilogue = e->direction == graft_dnn_forward ? &e->epilogue : NULL;
    for (int rank = 0;; rank++) {
        graft_dnn_primitive *primitive;
        if (graft_dnn_convolution_of_rank_create(engine, &e->shape, epilogue, e->direction, rank, &primitive).function)
            break;
        const char *name = graft_dnn_implementation(primitive);
        if (!strstr(name, "ref")) {
            finding *f = finding_of(name, e->direction);
            random_state = 7;
            arrays a;
            make(e, &a);
            if (!wanted) wanted = expected(e, &a, &count);
            f->runs++;
            if (!run(e, primitive, &a) && ++f->overruns) note(f, e, "writes outside");
            if (!is_expected(e, &a, wanted, count) && ++f->wrong) note(f, e, "gives other numbers");
            release(&a);
        }
        graft_dnn_primitive_destroy(primitive);
    }
    free(wanted);
}

// MARK: All cases

typedef struct {
    int kernel_height, kernel_width, stride;
} family;

static const family families[] = {{1, 1, 1}, {1, 1, 2}, {3, 3, 1}, {3, 3, 2}, {1, 7, 1}, {7, 1, 1}, {5, 5, 1}};
static const int channels[][2] = {{64, 96}, {80, 48}, {256, 64}, {576, 96}};
/// Maps that are not square: those of 27 to 48 pixels which three tiles divide, and columns.
static const int others[][2] = {{3, 9}, {3, 11}, {4, 9}, {3, 13}, {6, 7}, {5, 9}, {6, 8}, {4, 12}, {8, 3}, {2, 18},
                                {33, 1}, {36, 1}, {40, 2}, {1, 36}, {5, 7}, {7, 9}, {12, 20}};

static void check_map(const family *f, int height, int width, const int *pair, enum graft_dnn_direction direction) {
    graft_dnn_convolution c = {.batch = 2, .groups = 1, .dilation_height = 1, .dilation_width = 1};
    c.kernel_type = direction == graft_dnn_kernel_gradient ? graft_dnn_float32 : graft_dnn_bfloat16;
    c.kernel_height = f->kernel_height, c.kernel_width = f->kernel_width;
    c.stride_height = c.stride_width = f->stride;
    c.padding_top = c.padding_bottom = f->kernel_height / 2, c.padding_left = c.padding_right = f->kernel_width / 2;
    c.output_height = height, c.output_width = width;
    c.input_height = (height - 1) * f->stride + 1, c.input_width = (width - 1) * f->stride + 1;
    c.input_channels = c.input_pixel_stride = pair[0], c.output_channels = c.output_pixel_stride = pair[1];
    static const graft_dnn_epilogue epilogues[] = {{false, false, graft_dnn_no_activation},
                                                   {true, false, graft_dnn_relu},
                                                   {true, true, graft_dnn_relu}};
    // Both types of results, and all epilogues with one of them.
    int count = direction == graft_dnn_kernel_gradient ? 1 : direction == graft_dnn_input_gradient ? 2 : 3;
    for (int i = 0; i < count; i++) {
        enum graft_dnn_type type = i == 1 ? graft_dnn_float32 : graft_dnn_bfloat16;
        c.input_type = direction == graft_dnn_input_gradient ? type : graft_dnn_bfloat16;
        c.output_type = direction == graft_dnn_forward ? type : graft_dnn_bfloat16;
        example e = {c, epilogues[i], direction};
        check(&e);
    }
}

static void check_maps(const family *f, const int *pair, enum graft_dnn_direction direction, bool all) {
    int largest = pair[0] > 256 ? 12 : 40;
    for (int size = 1; size <= largest; size++)
        if (all || size <= 12 || size == 16 || size == 33) check_map(f, size, size, pair, direction);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        check_map(f, others[i][0], others[i][1], pair, direction);
}

static const char *const directions[] = {"forward", "input-gradient", "kernel-gradient"};

static int report(enum graft_dnn_direction direction) {
    int faults = 0;
    for (int i = 0; i < finding_count; i++) {
        const finding *f = &findings[i];
        if (f->direction != direction) continue;
        bool allowed = graft_dnn_allows(f->name, f->direction), is_bad = f->overruns + f->wrong > 0;
        if (allowed && is_bad) faults++;
        printf("%-16s %-36s %5d runs, %3d outside, %3d wrong%s\n%s", directions[direction], f->name, f->runs, f->overruns,
               f->wrong, allowed ? (is_bad ? "  FAULT: Graft runs it" : "") : "  (Graft does not run it)", f->where);
    }
    fflush(stdout);
    return faults;
}

static int check_direction(enum graft_dnn_direction direction, bool all) {
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        for (size_t j = 0; j < (all ? sizeof channels / sizeof *channels : 1); j++)
            check_maps(&families[i], channels[j], direction, all);
    return report(direction);
}

int main(int count, char **arguments) {
    bool all = false, named = false;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--all") == 0) all = true;
        else named = true;
    }
    must(graft_dnn_engine_create(&engine));
    must(graft_dnn_stream_create(engine, &stream));
    int version = graft_dnn_version(), faults = 0;
    printf("oneDNN %d.%d.%d, bfloat16 %s\n", version / 10000, version / 100 % 100, version % 100,
           graft_dnn_has_bfloat16() ? "by the processor" : "not by the processor: nothing is checked");
    fflush(stdout);
    if (!graft_dnn_has_bfloat16()) return 0;
    for (int direction = graft_dnn_forward; direction <= graft_dnn_kernel_gradient; direction++) {
        bool is_wanted = !named;
        for (int i = 1; i < count; i++) is_wanted |= strcmp(arguments[i], directions[direction]) == 0;
        if (is_wanted) faults += check_direction((enum graft_dnn_direction)direction, all);
    }
    graft_dnn_stream_destroy(stream);
    graft_dnn_engine_destroy(engine);
    return faults > 0;
}
