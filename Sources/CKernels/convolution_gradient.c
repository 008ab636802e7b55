// The gradients of convolutions: the kernel's, with the programs that read it, and rotated weights for the input's. oneDNN's kernel
// gradients multiply padding, fuse no update, and write a blocked layout.
#include <string.h>
#include "ranges.h"
#include "table.h"

enum { tile_rows = graft_gradient_tile_rows, panel_columns = 32 };

// MARK: Pixels that are multiplied

static int64_t position_count(const graft_geometry *g) { return g->kernel_height * g->kernel_width; }

static int64_t input_pixels(const graft_geometry *g) { return g->batch * g->input_height * g->input_width; }

static int64_t output_pixels(const graft_geometry *g) { return g->batch * g->output_height * g->output_width; }

/// The outputs begin ..< end along one axis whose input at `offset` lies inside of the image.
static void visible(int64_t outputs, int64_t inputs, int64_t stride, int64_t offset, int64_t *begin, int64_t *end) {
    *begin = offset < 0 ? (stride - 1 - offset) / stride : 0;
    *end = inputs > offset ? (inputs - offset + stride - 1) / stride : 0;
    if (*begin > outputs) *begin = outputs;
    if (*end > outputs) *end = outputs;
    if (*end < *begin) *end = *begin;
}

/// Adds a run, or extends the last one where this one continues it.
static graft_pixel_run *add_run(graft_pixel_run *first, graft_pixel_run *next, graft_pixel_run run, int64_t stride) {
    if (next > first) {
        graft_pixel_run *last = next - 1;
        if (last->output + last->count == run.output && last->input + last->count * stride == run.input) {
            last->count += run.count;
            return next;
        }
    }
    *next = run;
    return next + 1;
}

static graft_pixel_run *add_runs(const graft_geometry *g, int64_t y_offset, int64_t x_offset,
                                 graft_pixel_run *next) {
    int64_t top, bottom, begin, end;
    visible(g->output_height, g->input_height, g->stride_height, y_offset, &top, &bottom);
    visible(g->output_width, g->input_width, g->stride_width, x_offset, &begin, &end);
    if (begin == end) return next;
    graft_pixel_run *first = next;
    for (int64_t image = 0; image < g->batch; image++)
        for (int64_t y = top; y < bottom; y++) {
            int64_t input_row = image * g->input_height + y * g->stride_height + y_offset;
            int64_t output_row = image * g->output_height + y;
            graft_pixel_run run = {input_row * g->input_width + begin * g->stride_width + x_offset,
                                   output_row * g->output_width + begin, end - begin};
            next = add_run(first, next, run, g->stride_width);
        }
    return next;
}

static void find_runs(const graft_geometry *g, const graft_pixel_run **first, graft_pixel_run *next) {
    for (int64_t y = 0; y < g->kernel_height; y++)
        for (int64_t x = 0; x < g->kernel_width; x++) {
            *first++ = next;
            next = add_runs(g, y * g->dilation_height - g->padding_top, x * g->dilation_width - g->padding_left, next);
        }
    *first = next;
}

// MARK: Scratch

static size_t aligned(size_t size) { return (size + 63) / 64 * 64; }

static size_t panels_size(const graft_geometry *g) {
    int64_t columns = (g->output_channels + panel_columns - 1) / panel_columns * panel_columns;
    return (size_t)(columns * output_pixels(g)) * sizeof(float);
}

static size_t firsts_size(const graft_geometry *g) {
    return aligned((size_t)(position_count(g) + 1) * sizeof(graft_pixel_run *));
}

static size_t runs_size(const graft_geometry *g) {
    return aligned((size_t)(position_count(g) * g->batch * g->output_height) * sizeof(graft_pixel_run));
}

static size_t left_size(const graft_geometry *g) {
    return aligned((size_t)(input_pixels(g) * tile_rows) * sizeof(float));
}

static size_t tile_size(const graft_geometry *g) {
    return aligned((size_t)(position_count(g) * tile_rows * g->output_channels) * sizeof(float));
}

/// What one thread needs: eight channels of the input, a tile, the program's slots and its operands' pointers.
static size_t thread_size(const graft_program *program, const graft_geometry *g) {
    return left_size(g) + tile_size(g) + graft_program_scratch_size(program, 1) +
           aligned((size_t)program->operand_count * sizeof(float *));
}

size_t graft_convolution_gradient_scratch_size(const graft_program *program, const graft_convolution_gradient *gradient,
                                               int threads) {
    const graft_geometry *g = &gradient->geometry;
    return panels_size(g) + firsts_size(g) + runs_size(g) + thread_size(program, g) * (size_t)threads;
}

// MARK: Running

typedef struct {
    const graft_program *program;
    const graft_convolution_gradient *gradient;
    const graft_geometry *geometry;
    const graft_arguments *arguments;
    float *panels;
    graft_pixel_runs runs;
    char *scratch;
    /// NULL where the program is interpreted.
    const graft_optimizer_kernels *optimizer;
} convolution_call;

/// Panels begin ..< end of 32 channels of the output's gradient, padded with zeros.
static void panels_part(void *context, int part, int64_t begin, int64_t end) {
    const convolution_call *call = context;
    int64_t pixels = output_pixels(call->geometry), channels = call->geometry->output_channels;
    for (int64_t panel = begin; panel < end; panel++) {
        float *target = call->panels + panel * pixels * panel_columns;
        const float *source = call->gradient->output_gradient + panel * panel_columns;
        int64_t left_over = channels - panel * panel_columns;
        size_t count = (size_t)(left_over < panel_columns ? left_over : panel_columns);
        for (int64_t pixel = 0; pixel < pixels; pixel++, target += panel_columns, source += channels) {
            if (count < panel_columns) memset(target, 0, panel_columns * sizeof(float));
            memcpy(target, source, count * sizeof(float));
        }
    }
}

/// Up to eight channels of all input pixels; missing ones are zero.
static void pack_channels(const convolution_call *call, int64_t row, int64_t rows, float *packed) {
    const float *source = call->gradient->input + row;
    int64_t pixels = input_pixels(call->geometry);
    for (int64_t pixel = 0; pixel < pixels; pixel++, packed += tile_rows, source += call->geometry->input_channels) {
        if (rows == tile_rows) {
            memcpy(packed, source, tile_rows * sizeof(float));
        } else {
            memset(packed, 0, tile_rows * sizeof(float));
            memcpy(packed, source, (size_t)rows * sizeof(float));
        }
    }
}

/// Runs the program over `rows` rows of the kernel from `row`, for all of its positions.
static void update_rows(const convolution_call *call, const float *tile, int64_t row, int64_t rows,
                        const float **operands, void *slots) {
    const graft_geometry *g = call->geometry;
    graft_arguments arguments = {operands, call->arguments->outputs, call->arguments->roundings};
    for (int64_t position = 0; position < position_count(g); position++, tile += tile_rows * g->output_channels) {
        int64_t begin = (position * g->input_channels + row) * g->output_channels;
        int64_t end = begin + rows * g->output_channels;
        operands[call->gradient->operand] = tile - begin;
        if (call->optimizer) {
            graft_optimizer_call optimizer_call = graft_make_optimizer_call(call->program, &arguments);
            call->optimizer->range(&optimizer_call, begin, end);
        } else {
            graft_chosen_kernels()->program(call->program, &arguments, begin, end, slots);
        }
    }
}

static void rows_part(void *context, int part, int64_t begin, int64_t end) {
    const convolution_call *call = context;
    const graft_geometry *g = call->geometry;
    char *scratch = call->scratch + (size_t)part * thread_size(call->program, g);
    float *left = (float *)scratch, *tile = (float *)(scratch + left_size(g));
    const float **operands = (const float **)(scratch + left_size(g) + tile_size(g));
    char *slots = (char *)operands + aligned((size_t)call->program->operand_count * sizeof(float *));
    for (int i = 0; i < call->program->operand_count; i++) operands[i] = call->arguments->operands[i];
    for (int64_t row = begin; row < end; row += tile_rows) {
        int64_t rows = end - row < tile_rows ? end - row : tile_rows;
        pack_channels(call, row, rows, left);
        graft_chosen_kernels()->convolution_tile(call->gradient, &call->runs, left, call->panels, tile);
        update_rows(call, tile, row, rows, operands, slots);
    }
}

void graft_run_convolution_gradient_program(const graft_program *program, const graft_convolution_gradient *gradient,
                                            const graft_arguments *arguments, void *scratch, int threads) {
    const graft_geometry *g = &gradient->geometry;
    float *panels = scratch;
    char *firsts = (char *)scratch + panels_size(g);
    convolution_call call = {.program = program,
                             .gradient = gradient,
                             .geometry = g,
                             .arguments = arguments,
                             .panels = panels,
                             .runs = {position_count(g), (const graft_pixel_run **)firsts},
                             .scratch = firsts + firsts_size(g) + runs_size(g)};
    find_runs(g, call.runs.first, (graft_pixel_run *)(firsts + firsts_size(g)));
    const graft_optimizer_match *match = &program->optimizer;
    if (match->kernel >= 0 && match->arrays[0] == gradient->operand) call.optimizer = graft_chosen_optimizer(program);
    int64_t elements = output_pixels(g) * g->output_channels;
    graft_for_static((g->output_channels + panel_columns - 1) / panel_columns, 1, elements, threads, &call, panels_part);
    // Two tiles at a time: a cache line holds their channels of a pixel.
    graft_for_dynamic(g->input_channels, 2 * tile_rows, g->input_channels * elements * position_count(g) / 2, threads, &call,
                      rows_part);
}

// MARK: Rotated weights

static void rotate_part(void *context, int part, int64_t begin, int64_t end) {
    graft_chosen_kernels()->rotate_weights(context, begin, end);
}

void graft_rotate_weights(const graft_weight_rotation *rotation, int threads) {
    graft_for_static(rotation->positions, 1, rotation->positions * rotation->inputs * rotation->outputs, threads,
                     (void *)rotation, rotate_part);
}
