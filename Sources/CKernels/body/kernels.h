// Everything of one instruction set. The including file sets KERNELS to the table's name and NAME to its text.
#include "vector.h"
#include "narrow.h"
#include "functions.h"
#include "program.h"
#include "gradient.h"
#include "product.h"
#include "sparse.h"
#include "packed.h"
#include "rules.h"
#include "row_product.h"
#include "convolution_gradient.h"
#include "turn.h"
#include "winograd.h"
#include "convolution.h"
#include "reduce.h"
#include "pooling.h"
#include "random.h"

static const graft_rule_kernels rule_kernels[] = {
#define RULE(name, array_count, number_count, result_count, leaves, steps, outputs, rest)                                              \
    {range_of_##name, gradient_of_##name, catch_up_of_##name},
#include "../rules.h"
#undef RULE
};

static const graft_rule_kernels narrow_rule_kernels[] = {
#define RULE(name, array_count, number_count, result_count, leaves, steps, outputs, rest)                              \
    {narrow_range_of_##name, narrow_gradient_of_##name, narrow_catch_up_of_##name},
#include "../rules.h"
#undef RULE
};

const graft_kernels KERNELS = {
    .name = NAME,
    .rules = {rule_kernels, narrow_rule_kernels},
    .program = program_range,
    .thin_product = thin_product,
    .join_products = join_products,
    .packed_product = packed_product,
    .row_product = row_product,
    .winograd_block = winograd_block,
    .convolution_block = convolution_block,
    .pack_right = pack_right,
    .gradient_program = gradient_program,
    .convolution_tile = convolution_tile,
    .turn_kernel = turn_kernel,
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
