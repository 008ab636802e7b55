// The gradients of convolutions: of the kernel, with the programs that read it, and what that of the input needs. oneDNN's
// kernel gradients compute with padding, know no update, and write a layout of their own.
#include <string.h>
#include "ranges.h"
#include "table.h"

enum { tile_rows = graft_gradient_tile_rows, panel_columns = 32 };

// MARK: Which pixels meet

static int64_t position_count(const graft_convolution_gradient *g) { return g->kernel_height * g->kernel_width; }

static int64_t input_pixels(const graft_convolution_gradient *g) { return g->batch * g->input_height * g->input_width; }

static int64_t output_pixels(const graft_convolution_gradient *g) {
    return g->batch * g->output_height * g->output_width;
}

/// The outputs begin ..< end along one axis that see an input at `offset` inside of the image.
static void visible(int64_t outputs, int64_t inputs, int64_t stride, int64_t offset, int64_t *begin, int64_t *end) {
    *begin = offset < 0 ? (stride - 1 - offset) / stride : 0;
    *end = inputs > offset ? (inputs - offset + stride - 1) / stride : 0;
    if (*begin > outputs) *begin = outputs;
    if (*end > outputs) *end = outputs;
    if (*end < *begin) *end = *begin;
}

/// Adds a run, or makes the last one longer where this one goes on from there.
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

static graft_pixel_run *add_runs(const graft_convolution_gradient *g, int64_t y_offset, int64_t x_offset,
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

static void find_runs(const graft_convolution_gradient *g, const graft_pixel_run **first, graft_pixel_run *next) {
    for (int64_t y = 0; y < g->kernel_height; y++)
        for (int64_t x = 0; x < g->kernel_width; x++) {
            *first++ = next;
            next = add_runs(g, y * g->dilation_height - g->padding_top, x * g->dilation_width - g->padding_left, next);
        }
    *first = next;
}

// MARK: Scratch

static size_t aligned(size_t size) { return (size + 63) / 64 * 64; }

static size_t panels_size(const graft_convolution_gradient *g) {
    int64_t columns = (g->columns + panel_columns - 1) / panel_columns * panel_columns;
    return (size_t)(columns * output_pixels(g)) * sizeof(float);
}

static size_t firsts_size(const graft_convolution_gradient *g) {
    return aligned((size_t)(position_count(g) + 1) * sizeof(graft_pixel_run *));
}

static size_t runs_size(const graft_convolution_gradient *g) {
    return aligned((size_t)(position_count(g) * g->batch * g->output_height) * sizeof(graft_pixel_run));
}

static size_t left_size(const graft_convolution_gradient *g) {
    return aligned((size_t)(input_pixels(g) * tile_rows) * sizeof(float));
}

static size_t tile_size(const graft_convolution_gradient *g) {
    return aligned((size_t)(position_count(g) * tile_rows * g->columns) * sizeof(float));
}

/// What one thread needs: eight channels of the input, a tile, the program's slots and its operands' pointers.
static size_t thread_size(const graft_program *program, const graft_convolution_gradient *g) {
    return left_size(g) + tile_size(g) + graft_program_scratch_size(program, 1) +
           aligned((size_t)program->operand_count * sizeof(float *));
}

size_t graft_convolution_gradient_scratch_size(const graft_program *program, const graft_convolution_gradient *gradient,
                                               int threads) {
    return panels_size(gradient) + firsts_size(gradient) + runs_size(gradient) +
           thread_size(program, gradient) * (size_t)threads;
}

// MARK: Running

typedef struct {
    const graft_program *program;
    const graft_convolution_gradient *gradient;
    const float *const *operands;
    float *const *outputs;
    const graft_rounding *roundings;
    float *panels;
    graft_pixel_runs runs;
    char *scratch;
    /// Where the program is a rule.
    const graft_rule_kernels *rule;
} convolution_call;

/// Panels begin ..< end of 32 columns of the output's gradient, filled up with zeros.
static void panels_part(void *context, int part, int64_t begin, int64_t end) {
    const convolution_call *call = context;
    const graft_convolution_gradient *g = call->gradient;
    int64_t pixels = output_pixels(g);
    for (int64_t panel = begin; panel < end; panel++) {
        float *target = call->panels + panel * pixels * panel_columns;
        const float *source = g->right + panel * panel_columns;
        int64_t left_over = g->columns - panel * panel_columns;
        size_t count = (size_t)(left_over < panel_columns ? left_over : panel_columns);
        for (int64_t pixel = 0; pixel < pixels; pixel++, target += panel_columns, source += g->columns) {
            if (count < panel_columns) memset(target, 0, panel_columns * sizeof(float));
            memcpy(target, source, count * sizeof(float));
        }
    }
}

/// Up to eight channels of all input pixels; missing ones are zero.
static void pack_channels(const graft_convolution_gradient *g, int64_t row, int64_t rows, float *packed) {
    const float *source = g->left + row;
    int64_t pixels = input_pixels(g);
    for (int64_t pixel = 0; pixel < pixels; pixel++, packed += tile_rows, source += g->rows) {
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
    const graft_convolution_gradient *g = call->gradient;
    for (int64_t position = 0; position < position_count(g); position++, tile += tile_rows * g->columns) {
        int64_t begin = (position * g->rows + row) * g->columns, end = begin + rows * g->columns;
        operands[g->operand] = tile - begin;
        if (call->rule) {
            graft_rule_call rule = graft_call_rule(call->program, operands, call->outputs, call->roundings);
            call->rule->range(&rule, begin, end);
        } else {
            graft_chosen_kernels()->program(call->program, operands, call->outputs, call->roundings, begin, end, slots);
        }
    }
}

static void rows_part(void *context, int part, int64_t begin, int64_t end) {
    const convolution_call *call = context;
    const graft_convolution_gradient *g = call->gradient;
    char *scratch = call->scratch + (size_t)part * thread_size(call->program, g);
    float *left = (float *)scratch, *tile = (float *)(scratch + left_size(g));
    const float **operands = (const float **)(scratch + left_size(g) + tile_size(g));
    char *slots = (char *)operands + aligned((size_t)call->program->operand_count * sizeof(float *));
    for (int i = 0; i < call->program->operand_count; i++) operands[i] = call->operands[i];
    for (int64_t row = begin; row < end; row += tile_rows) {
        int64_t rows = end - row < tile_rows ? end - row : tile_rows;
        pack_channels(g, row, rows, left);
        graft_chosen_kernels()->convolution_tile(g, &call->runs, left, call->panels, tile);
        update_rows(call, tile, row, rows, operands, slots);
    }
}

void graft_run_convolution_gradient_program(const graft_program *program, const graft_convolution_gradient *gradient,
                                            const float *const *operands, float *const *outputs,
                                            const graft_rounding *roundings, void *scratch, int threads) {
    const graft_convolution_gradient *g = gradient;
    float *panels = scratch;
    char *firsts = (char *)scratch + panels_size(g);
    convolution_call call = {.program = program,
                             .gradient = g,
                             .operands = operands,
                             .outputs = outputs,
                             .roundings = roundings,
                             .panels = panels,
                             .runs = {position_count(g), (const graft_pixel_run **)firsts},
                             .scratch = firsts + firsts_size(g) + runs_size(g)};
    find_runs(g, call.runs.first, (graft_pixel_run *)(firsts + firsts_size(g)));
    if (program->rule.rule >= 0 && program->rule.arrays[0] == g->operand) call.rule = graft_chosen_rule(program);
    int64_t pixels = output_pixels(g);
    graft_in_parallel((g->columns + panel_columns - 1) / panel_columns, 1, pixels * g->columns, threads, &call,
                      panels_part);
    // Two tiles in turn: a line of memory holds their channels of a pixel.
    graft_in_turns(g->rows, 2 * tile_rows, g->rows * g->columns * pixels * position_count(g) / 2, threads, &call,
                   rows_part);
}

// MARK: Turned kernels

static void turn_part(void *context, int part, int64_t begin, int64_t end) {
    graft_chosen_kernels()->turn_kernel(context, begin, end);
}

void graft_turn_kernel(const graft_kernel_turn *turn, int threads) {
    graft_in_parallel(turn->positions, 1, turn->positions * turn->inputs * turn->outputs, threads, (void *)turn,
                      turn_part);
}
