// Direct convolutions: kernels packed in panels, output pixels in groups for which the same part of the kernel lies inside of the
// image, and blocks of both divided among threads.
#include <string.h>
#include "ranges.h"
#include "table.h"
#if defined(__x86_64__)
#include <cpuid.h>
#endif

enum { vector_size = 16 };

static int64_t ceiling(int64_t dividend, int64_t divisor) { return (dividend + divisor - 1) / divisor; }

// MARK: Choice

#if defined(__x86_64__)

bool graft_has_amx(void) {
    const unsigned of_bfloat16 = 1u << 22;
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && d & of_bfloat16;
}

bool graft_has_avx512_bf16(void) { return __builtin_cpu_supports("avx512bf16"); }

#else

bool graft_has_amx(void) { return false; }

bool graft_has_avx512_bf16(void) { return false; }

#endif

bool graft_convolution_is_fast(void) { return graft_instruction_set_count() >= 3; }

// MARK: Kernels

static int64_t panel_channels(const graft_convolution *c) {
    return graft_convolution_vectors(c->geometry.output_channels) * vector_size;
}

static int64_t panel_count(const graft_convolution *c) { return ceiling(c->geometry.output_channels, panel_channels(c)); }

size_t graft_convolution_panel_size(const graft_convolution *c) {
    const graft_geometry *g = &c->geometry;
    return (size_t)(g->kernel_height * g->kernel_width * g->input_channels * panel_channels(c)) * sizeof(float);
}

size_t graft_convolution_kernel_size(const graft_convolution *convolution) {
    return graft_convolution_panel_size(convolution) * (size_t)panel_count(convolution);
}

void graft_pack_convolution_kernel(const graft_convolution *c, const float *kernel, float *target) {
    const graft_geometry *g = &c->geometry;
    int64_t rows = g->kernel_height * g->kernel_width * g->input_channels, width = panel_channels(c);
    memset(target, 0, graft_convolution_kernel_size(c));
    for (int64_t row = 0; row < rows; row++)
        for (int64_t channel = 0; channel < g->output_channels; channel++) {
            int64_t panel = channel / width * rows * width, column = channel % width;
            target[panel + row * width + column] = kernel[row * g->output_channels + channel];
        }
}

// MARK: Groups of pixels

/// Positions begin ..< end of a kernel along one axis.
typedef struct {
    int64_t begin, end;
} positions;

/// The part of a kernel inside of the image for the output at `place`, along one axis.
static positions inside_at(int64_t place, int64_t stride, int64_t dilation, int64_t padding, int64_t input, int64_t kernel) {
    int64_t first = place * stride - padding;
    positions inside = {first < 0 ? ceiling(-first, dilation) : 0, first < input ? ceiling(input - first, dilation) : 0};
    if (inside.end > kernel) inside.end = kernel;
    if (inside.begin > inside.end) inside.begin = inside.end;
    return inside;
}

static positions inside_at_row(const graft_geometry *g, int64_t row) {
    return inside_at(row, g->stride_height, g->dilation_height, g->padding_top, g->input_height, g->kernel_height);
}

static positions inside_at_column(const graft_geometry *g, int64_t column) {
    return inside_at(column, g->stride_width, g->dilation_width, g->padding_left, g->input_width, g->kernel_width);
}

/// Finds the group of the output pixels from this row and this column on.
static graft_pixel_group group_at(const graft_geometry *g, int64_t row, int64_t column) {
    positions rows = inside_at_row(g, row), columns = inside_at_column(g, column), next;
    graft_pixel_group group = {row, row + 1, column, column + 1, rows.begin, rows.end, columns.begin, columns.end};
    for (; group.row_end < g->output_height; group.row_end++) {
        next = inside_at_row(g, group.row_end);
        if (next.begin != rows.begin || next.end != rows.end) break;
    }
    for (; group.column_end < g->output_width; group.column_end++) {
        next = inside_at_column(g, group.column_end);
        if (next.begin != columns.begin || next.end != columns.end) break;
    }
    return group;
}

static int64_t tile_count(const graft_convolution *c, const graft_pixel_group *group) {
    int64_t pixels = c->geometry.batch * (group->row_end - group->row_begin) * (group->column_end - group->column_begin);
    return ceiling(pixels, graft_convolution_pixels(graft_convolution_vectors(c->geometry.output_channels)));
}

/// Calls `body` for each group, row by row, with the number of tiles before it.
static int64_t for_each_group(const graft_convolution *c, void *context,
                              void (*body)(void *context, const graft_pixel_group *group, int64_t first)) {
    int64_t tiles = 0;
    graft_pixel_group group;
    for (int64_t row = 0; row < c->geometry.output_height; row = group.row_end)
        for (int64_t column = 0; column < c->geometry.output_width; column = group.column_end) {
            group = group_at(&c->geometry, row, column);
            if (body) body(context, &group, tiles);
            tiles += tile_count(c, &group);
        }
    return tiles;
}

// MARK: Running

typedef struct {
    const graft_convolution *convolution;
    int64_t tiles, tiles_at_once, panels;
} convolution_call;

/// Some tiles of all groups, and one panel.
typedef struct {
    const graft_convolution *convolution;
    int64_t begin, end, panel;
} convolution_range;

static void run_group(void *context, const graft_pixel_group *group, int64_t first) {
    const convolution_range *range = context;
    int64_t last = first + tile_count(range->convolution, group);
    int64_t begin = range->begin > first ? range->begin : first, end = range->end < last ? range->end : last;
    if (begin >= end) return;
    graft_convolution_block block = {*group, begin - first, end - first, range->panel};
    graft_chosen_kernels()->convolution_block(range->convolution, &block);
}

static void run_part(void *context, int part, int64_t begin, int64_t end) {
    const convolution_call *call = context;
    for (; begin < end; begin++) {
        int64_t first = begin / call->panels * call->tiles_at_once, last = first + call->tiles_at_once;
        convolution_range range = {call->convolution, first, last < call->tiles ? last : call->tiles,
                                   begin % call->panels};
        for_each_group(range.convolution, &range, run_group);
    }
}

/// Tiles that are multiplied with all panels: as many pixels as stay in the second-level cache with a panel, and few enough that
/// the threads' shares are even. No result depends on it.
static int64_t tiles_at_once(const graft_convolution *c, int64_t tiles, int threads) {
    int64_t pixels = graft_convolution_pixels(graft_convolution_vectors(c->geometry.output_channels)), most = 240 / pixels;
    int64_t blocks = ceiling(tiles, most), useful = ceiling(4 * threads, panel_count(c));
    if (blocks < useful) blocks = useful;
    return ceiling(tiles, ceiling(blocks, threads) * threads);
}

void graft_run_convolution(const graft_convolution *convolution, int threads) {
    convolution_call call = {convolution, for_each_group(convolution, NULL, NULL), 0, panel_count(convolution)};
    if (call.tiles == 0) return;
    call.tiles_at_once = tiles_at_once(convolution, call.tiles, threads < 1 ? 1 : threads);
    int64_t work = call.tiles * (int64_t)graft_convolution_panel_size(convolution) * call.panels;
    graft_for_stealing(ceiling(call.tiles, call.tiles_at_once) * call.panels, 1, work, threads, &call, run_part);
}
