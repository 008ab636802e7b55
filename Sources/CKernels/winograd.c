// Convolutions by Winograd's minimal filtering: kernels brought to the points, and blocks of tiles shared among threads.
#include <string.h>
#include "ranges.h"
#include "table.h"

enum { most_points = graft_winograd_most_points, panel = graft_winograd_panel };

static int64_t ceiling(int64_t dividend, int64_t divisor) { return (dividend + divisor - 1) / divisor; }

static int64_t tile_size(const graft_winograd *w) { return w->points + 1 - w->kernel_size; }

static int64_t tile_count(const graft_winograd *w) {
    return w->batch * ceiling(w->output_height, tile_size(w)) * ceiling(w->output_width, tile_size(w));
}

/// Tiles of a block: as many as leave the second-level cache room for a panel of the kernel, and so that all threads
/// have the same to do. No result depends on it.
static int64_t block_tiles(const graft_winograd *w, int threads) {
    const int64_t most = 24;
    int64_t tiles = tile_count(w), useful = threads < 1 ? 1 : threads;
    int64_t blocks = ceiling(ceiling(tiles, most), useful) * useful;
    return ceiling(ceiling(tiles, blocks), 4) * 4;
}

static int64_t part_scratch(const graft_winograd *w, int threads) {
    int64_t tiles = block_tiles(w, threads);
    return w->points * w->points * (tiles * (w->input_channels + panel) + 2 * 16);
}

size_t graft_winograd_scratch_size(const graft_winograd *winograd, int threads) {
    return (size_t)(part_scratch(winograd, threads) * threads) * sizeof(float);
}

size_t graft_winograd_kernel_size(int64_t points, int64_t input_channels, int64_t output_channels) {
    return (size_t)(points * points * input_channels * output_channels) * sizeof(float);
}

// MARK: Kernels

/// A kernel's three or five numbers along one axis, at the six or eight points.
static void at_points(const double *kernel, int64_t size, int64_t points, double *result) {
    static const double six[] = {0, 0.75, -0.75, 1.5, -1.5}, of_six[] = {1.265625, -1.8984375, -1.8984375, 7.59375, 7.59375};
    static const double eight[] = {0, 1, -1, 2, -2, 0.5, -0.5};
    static const double of_eight[] = {1, -4.5, -4.5, 90, 90, 1.40625, 1.40625};
    const double *where = points == 6 ? six : eight, *share = points == 6 ? of_six : of_eight;
    for (int i = 0; i < points - 1; i++) {
        double value = 0;
        for (int64_t k = size; k-- > 0;) value = value * where[i] + kernel[k];
        result[i] = value / share[i];
    }
    result[points - 1] = kernel[size - 1];
}

/// A number rounded to bfloat16, if it is to be.
static double rounded(float number, bool is_narrow) {
    uint32_t bits = (uint32_t)graft_narrowed(number) << 16;
    if (is_narrow) memcpy(&number, &bits, sizeof number);
    return number;
}

/// One pair of channels: `kernel` is its first number, `stride` numbers apart from the next.
static void transform_pair(const float *kernel, int64_t size, int64_t points, int64_t stride, bool is_narrow,
                           float *target, int64_t target_stride) {
    double lines[5][most_points];
    for (int64_t y = 0; y < size; y++) {
        double row[5];
        for (int64_t x = 0; x < size; x++) row[x] = rounded(kernel[(y * size + x) * stride], is_narrow);
        at_points(row, size, points, lines[y]);
    }
    for (int x = 0; x < points; x++) {
        double column[5], result[most_points];
        for (int64_t y = 0; y < size; y++) column[y] = lines[y][x];
        at_points(column, size, points, result);
        for (int y = 0; y < points; y++) target[(y * points + x) * target_stride] = (float)result[y];
    }
}

void graft_pack_winograd_kernel(const float *kernel, int64_t kernel_size, int64_t points, int64_t input_channels,
                                int64_t output_channels, bool is_narrow, float *target) {
    for (int64_t input = 0; input < input_channels; input++)
        for (int64_t output = 0; output < output_channels; output++) {
            int64_t place = output / panel * points * points * input_channels * panel + input * panel + output % panel;
            transform_pair(kernel + input * output_channels + output, kernel_size, points,
                           input_channels * output_channels, is_narrow, target + place, input_channels * panel);
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
        graft_winograd_block block = {begin * call->block, (begin + 1) * call->block,
                                      ceiling(w->output_height, tile_size(w)), ceiling(w->output_width, tile_size(w))};
        if (block.end > call->tiles) block.end = call->tiles;
        graft_chosen_kernels()->winograd_block(w, block, call->scratch + part * call->scratch_size);
    }
}

void graft_run_winograd(const graft_winograd *winograd, void *scratch, int threads) {
    winograd_call call = {winograd, tile_count(winograd), block_tiles(winograd, threads),
                          part_scratch(winograd, threads), scratch};
    int64_t work = call.tiles * winograd->input_channels * winograd->output_channels;
    graft_in_shares(ceiling(call.tiles, call.block), 1, work, threads, &call, winograd_part);
}
