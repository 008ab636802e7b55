// Everything of one instruction set. The including file sets KERNELS to the table's name and NAME to its text.
#include "vector.h"
#include "bfloat16.h"
#include "functions.h"
#include "program.h"
#include "gradient.h"
#include "skinny_nn.h"
#include "sparse.h"
#include "bitmap.h"
#include "optimizer.h"
#include "lazy_rows.h"
#include "sparse_update.h"
#include "skinny_nt.h"
#include "convolution_gradient.h"
#include "rotation.h"
#include "winograd.h"
#include "convolution.h"
#include "reduce.h"
#include "pooling.h"
#include "random.h"

static const graft_optimizer_kernels float32_optimizers[] = {
#define OPTIMIZER(name, array_count, scalar_count, result_count, leaves, steps, outputs, zero)                         \
    {range_of_##name, gradient_of_##name, catch_up_of_##name},
#include "../optimizers.h"
#undef OPTIMIZER
};

static const graft_optimizer_kernels bfloat16_optimizers[] = {
#define OPTIMIZER(name, array_count, scalar_count, result_count, leaves, steps, outputs, zero)                         \
    {bfloat16_range_of_##name, bfloat16_gradient_of_##name, bfloat16_catch_up_of_##name},
#include "../optimizers.h"
#undef OPTIMIZER
};

const graft_kernels KERNELS = {
    .name = NAME,
    .optimizers = {float32_optimizers, bfloat16_optimizers},
    .program = program_range,
    .skinny_nn = skinny_nn,
    .reduce_split_k = reduce_split_k,
    .bitmap_nn = bitmap_nn,
    .skinny_nt = skinny_nt,
    .winograd_block = winograd_block,
    .convolution_block = convolution_block,
    .pack_right = pack_right,
    .gradient_program = gradient_program,
    .convolution_tile = convolution_tile,
    .rotate_weights = rotate_weights,
    .reduce_rows = reduce_rows,
    .reduce_columns = reduce_columns,
    .reduce_general = reduce_general,
    .softmax = softmax_rows,
    .maximum_pooling = maximum_pooling,
    .average_pooling = average_pooling,
    .maximum_pooling_gradient = maximum_pooling_gradient,
    .average_pooling_gradient = average_pooling_gradient,
    .random_uniform = random_uniform,
};
