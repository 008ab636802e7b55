// Convolutions by Winograd's minimal filtering: kernels are transformed once, and blocks of tiles divided among threads.
#include <string.h>
#include "ranges.h"
#include "table.h"

enum { most_tile = graft_winograd_most_tile, panel = graft_winograd_panel };

static int64_t ceiling(int64_t dividend, int64_t divisor) { return (dividend + divisor - 1) / divisor; }

/// m of F(m, r): the outputs of a tile along one axis.
static int64_t output_tile(const graft_winograd *w) { return w->tile_size + 1 - w->geometry.kernel_height; }

static int64_t tile_rows(const graft_winograd *w) { return ceiling(w->geometry.output_height, output_tile(w)); }

static int64_t tile_columns(const graft_winograd *w) { return ceiling(w->geometry.output_width, output_tile(w)); }

static int64_t tile_count(const graft_winograd *w) { return w->geometry.batch * tile_rows(w) * tile_columns(w); }

/// Tiles of a block: few enough to leave room for a panel of the kernel in the second-level cache, and so that all threads have
/// the same to do. No result depends on it.
static int64_t block_tiles(const graft_winograd *w, int threads) {
    const int64_t most = 24;
    int64_t tiles = tile_count(w), useful = threads < 1 ? 1 : threads;
    int64_t blocks = ceiling(ceiling(tiles, most), useful) * useful;
    return ceiling(ceiling(tiles, blocks), 4) * 4;
}

static int64_t part_scratch(const graft_winograd *w, int threads) {
    int64_t tiles = block_tiles(w, threads);
    return w->tile_size * w->tile_size * (tiles * (w->geometry.input_channels + panel) + 2 * 16);
}

size_t graft_winograd_scratch_size(const graft_winograd *winograd, int threads) {
    return (size_t)(part_scratch(winograd, threads) * threads) * sizeof(float);
}

size_t graft_winograd_kernel_size(const graft_geometry *geometry, int64_t tile_size) {
    return (size_t)(tile_size * tile_size * geometry->input_channels * geometry->output_channels) * sizeof(float);
}

// MARK: Kernels

/// Transforms a kernel of three or five along one axis for tiles of six or eight.
static void transform_axis(const double *kernel, int64_t kernel_size, int64_t tile_size, double *result) {
    static const double six[] = {0, 0.75, -0.75, 1.5, -1.5};
    static const double of_six[] = {1.265625, -1.8984375, -1.8984375, 7.59375, 7.59375};
    static const double eight[] = {0, 1, -1, 2, -2, 0.5, -0.5};
    static const double of_eight[] = {1, -4.5, -4.5, 90, 90, 1.40625, 1.40625};
    const double *points = tile_size == 6 ? six : eight, *divisors = tile_size == 6 ? of_six : of_eight;
    for (int i = 0; i < tile_size - 1; i++) {
        double value = 0;
        for (int64_t k = kernel_size; k-- > 0;) value = value * points[i] + kernel[k];
        result[i] = value / divisors[i];
    }
    result[tile_size - 1] = kernel[kernel_size - 1];
}

/// A value, rounded to bfloat16 if it is to be.
static double rounded(float value, bool is_bfloat16) {
    uint32_t bits = (uint32_t)graft_to_bfloat16(value) << 16;
    if (is_bfloat16) memcpy(&value, &bits, sizeof value);
    return value;
}

/// Transforms one pair of channels from `kernel` to `target`.
static void transform_pair(const graft_geometry *g, int64_t tile_size, bool is_bfloat16, const float *kernel, float *target) {
    int64_t kernel_size = g->kernel_height, pairs = g->input_channels * g->output_channels;
    int64_t target_stride = g->input_channels * panel;
    double lines[5][most_tile];
    for (int64_t y = 0; y < kernel_size; y++) {
        double row[5];
        for (int64_t x = 0; x < kernel_size; x++) row[x] = rounded(kernel[(y * kernel_size + x) * pairs], is_bfloat16);
        transform_axis(row, kernel_size, tile_size, lines[y]);
    }
    for (int x = 0; x < tile_size; x++) {
        double column[5], result[most_tile];
        for (int64_t y = 0; y < kernel_size; y++) column[y] = lines[y][x];
        transform_axis(column, kernel_size, tile_size, result);
        for (int y = 0; y < tile_size; y++) target[(y * tile_size + x) * target_stride] = (float)result[y];
    }
}

void graft_pack_winograd_kernel(const graft_geometry *g, int64_t tile_size, bool is_bfloat16, const float *kernel,
                                float *target) {
    int64_t panel_size = tile_size * tile_size * g->input_channels * panel;
    for (int64_t input = 0; input < g->input_channels; input++)
        for (int64_t output = 0; output < g->output_channels; output++) {
            int64_t place = output / panel * panel_size + input * panel + output % panel;
            transform_pair(g, tile_size, is_bfloat16, kernel + input * g->output_channels + output, target + place);
        }
}

// MARK: Running

typedef struct {
    const graft_winograd *winograd;
    int64_t tiles, block, scratch_size;
    float *scratch;
} winograd_call;

static void winograd_part(void *context, int part, int64_t begin, int64_t end) {
    const winograd_call *call = context;
    const graft_winograd *w = call->winograd;
    for (; begin < end; begin++) {
        graft_winograd_block block = {begin * call->block, (begin + 1) * call->block, tile_rows(w), tile_columns(w)};
        if (block.end > call->tiles) block.end = call->tiles;
        graft_chosen_kernels()->winograd_block(w, block, call->scratch + part * call->scratch_size);
    }
}

void graft_run_winograd(const graft_winograd *winograd, void *scratch, int threads) {
    winograd_call call = {winograd, tile_count(winograd), block_tiles(winograd, threads),
                          part_scratch(winograd, threads), scratch};
    int64_t work = call.tiles * winograd->geometry.input_channels * winograd->geometry.output_channels;
    graft_for_stealing(ceiling(call.tiles, call.block), 1, work, threads, &call, winograd_part);
}
