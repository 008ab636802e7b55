// Convolutions and matrix products.
#include "choice.h"

// MARK: Descriptions

static dnnl_status_t describe_image(description *d, const graft_dnn_convolution *c, enum graft_dnn_type type,
                                    int64_t height, int64_t width, int64_t channels, int64_t stride) {
    dnnl_dims_t sizes = {c->batch, channels, height, width};
    dnnl_dims_t strides = {height * width * stride, 1, width * stride, stride};
    return describe(d, 4, sizes, type, strides);
}

/// The kernel as oneDNN counts its axes, in HWIO and in a layout of oneDNN's choice.
static graft_dnn_result describe_kernel(const graft_dnn_convolution *c, description *any, description *plain) {
    int64_t inputs = c->input_channels / c->groups, outputs = c->output_channels / c->groups;
    int64_t step = c->kernel_pixel_stride > 0 ? c->kernel_pixel_stride : c->output_channels;
    int64_t pixel = inputs * step, row = c->kernel_width * pixel;
    if (c->groups == 1) {
        dnnl_dims_t sizes = {outputs, inputs, c->kernel_height, c->kernel_width};
        dnnl_dims_t strides = {1, step, row, pixel};
        TRY("dnnl_memory_desc_init", describe(plain, 4, sizes, c->plain_kernel_type, strides));
        TRY("dnnl_memory_desc_init", describe_any(any, 4, sizes, c->kernel_type));
    } else {
        dnnl_dims_t sizes = {c->groups, outputs, inputs, c->kernel_height, c->kernel_width};
        dnnl_dims_t strides = {outputs, 1, step, row, pixel};
        TRY("dnnl_memory_desc_init", describe(plain, 5, sizes, c->plain_kernel_type, strides));
        TRY("dnnl_memory_desc_init", describe_any(any, 5, sizes, c->kernel_type));
    }
    return graft_dnn_fine;
}

/// Input, kernel, bias and output of a convolution.
static graft_dnn_result describe_convolution(const graft_dnn_convolution *c, bool bias, operands *o) {
    memset(o, 0, sizeof *o);
    o->has_plain = true;
    TRY("dnnl_memory_desc_init", describe_image(&o->source, c, c->input_type, c->input_height, c->input_width,
                                                c->input_channels, c->input_pixel_stride));
    TRY("dnnl_memory_desc_init", describe_image(&o->target, c, c->output_type, c->output_height, c->output_width,
                                                c->output_channels, c->output_pixel_stride));
    if (bias) {
        dnnl_dims_t sizes = {c->output_channels}, strides = {1};
        TRY("dnnl_memory_desc_init", describe(&o->bias, 1, sizes, graft_dnn_float32, strides));
    }
    return describe_kernel(c, &o->weights, &o->plain);
}

static geometry geometry_of(const graft_dnn_convolution *c) {
    return (geometry){{c->stride_height, c->stride_width},
                      {c->dilation_height - 1, c->dilation_width - 1},
                      {c->padding_top, c->padding_left},
                      {c->padding_bottom, c->padding_right}};
}

// MARK: Primitive descriptors of products, one way for each version

#if DNNL_VERSION_MAJOR >= 3

static dnnl_status_t create_product_descriptor(dnnl_engine_t engine, const operands *o,
                                               dnnl_primitive_attr_t attributes, dnnl_primitive_desc_t *result) {
    return dnnl_matmul_primitive_desc_create(result, engine, o->source, o->weights, o->bias, o->target, attributes);
}

#else

static dnnl_status_t create_product_descriptor(dnnl_engine_t engine, const operands *o,
                                               dnnl_primitive_attr_t attributes, dnnl_primitive_desc_t *result) {
    dnnl_matmul_desc_t operation;
    dnnl_status_t status = dnnl_matmul_desc_init(&operation, &o->source, &o->weights,
                                                 exists(&o->bias) ? &o->bias : NULL, &o->target);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(result, &operation, attributes, engine, NULL);
}

#endif

// MARK: Creation

/// What differs between a convolution and its gradients: where oneDNN has their arguments.
typedef struct {
    dnnl_query_t queries[argument_count];
    int numbers[argument_count];
    int packed_argument;
    const char *function;
} direction_table;

static const direction_table tables[] = {
    [graft_dnn_forward] = {{dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_undef, dnnl_query_dst_md},
                           {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST},
                           weights_argument,
                           "dnnl_convolution_forward_primitive_desc_create"},
    [graft_dnn_input_gradient] = {{dnnl_query_diff_dst_md, dnnl_query_weights_md, dnnl_query_undef,
                                   dnnl_query_diff_src_md},
                                  {DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, 0, DNNL_ARG_DIFF_SRC},
                                  weights_argument,
                                  "dnnl_convolution_backward_data_primitive_desc_create"},
    [graft_dnn_kernel_gradient] = {{dnnl_query_src_md, dnnl_query_diff_dst_md, dnnl_query_undef,
                                    dnnl_query_diff_weights_md},
                                   {DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, 0, DNNL_ARG_DIFF_WEIGHTS},
                                   target_argument,
                                   "dnnl_convolution_backward_weights_primitive_desc_create"},
};

/// The forward convolution that a gradient belongs to and wants to see, all of it in the type of what the gradient reads: with
/// another type of the gradient itself there may be no such convolution.
static graft_dnn_result create_hint(graft_dnn_engine *engine, const graft_dnn_convolution *convolution,
                                    dnnl_primitive_attr_t attributes, dnnl_primitive_desc_t *hint) {
    operands o;
    geometry g = geometry_of(convolution);
    graft_dnn_convolution same = *convolution;
    same.input_type = same.kernel_type = convolution->output_type;
    graft_dnn_result result = describe_convolution(&same, false, &o);
    if (!result.function) {
        convolution_request request = {engine->engine, graft_dnn_forward, &o, &g, attributes, true, NULL};
        dnnl_status_t status = graft_dnn_descriptor_of_rank(&request, 0, hint);
        if (status != dnnl_success) result = (graft_dnn_result){tables[graft_dnn_forward].function, (int)status};
    }
    graft_dnn_forget_operands(&o);
    return result;
}

enum { chosen = -1 };

/// - Parameters:
///   - rank: of oneDNN's implementations, or `chosen` for the one that Graft runs.
///   - epilogue: of a forward convolution; NULL for none and for gradients.
static graft_dnn_result create(graft_dnn_engine *engine, const graft_dnn_convolution *convolution,
                               const graft_dnn_epilogue *epilogue, enum graft_dnn_direction direction, int rank,
                               graft_dnn_primitive **primitive) {
    *primitive = NULL;
    const direction_table *table = &tables[direction];
    operands o;
    geometry g = geometry_of(convolution);
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_primitive_desc_t hint = NULL, descriptor = NULL;
    bool is_gradient = direction != graft_dnn_forward;
    graft_dnn_result result = describe_convolution(convolution, epilogue && epilogue->bias, &o);
    if (!result.function) result = graft_dnn_attributes(epilogue, &attributes);
    if (!result.function && is_gradient) result = create_hint(engine, convolution, attributes, &hint);
    if (!result.function) {
        convolution_request request = {engine->engine, direction, &o, &g, attributes, is_gradient, hint};
        enum graft_dnn_choice choice = is_gradient ? graft_dnn_first_choice : convolution->choice;
        dnnl_status_t status = rank == chosen ? graft_dnn_choose_descriptor(&request, choice, &descriptor)
                                              : graft_dnn_descriptor_of_rank(&request, rank, &descriptor);
        result = status == dnnl_success ? graft_dnn_finish(descriptor, table->queries, table->numbers, &o,
                                                           table->packed_argument, primitive)
                                        : (graft_dnn_result){table->function, (int)status};
    }
    if (hint) dnnl_primitive_desc_destroy(hint);
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    graft_dnn_forget_operands(&o);
    return result;
}

graft_dnn_result graft_dnn_convolution_create(graft_dnn_engine *engine, const graft_dnn_convolution *convolution,
                                              const graft_dnn_epilogue *epilogue, graft_dnn_primitive **primitive) {
    return create(engine, convolution, epilogue, graft_dnn_forward, chosen, primitive);
}

graft_dnn_result graft_dnn_convolution_input_gradient_create(graft_dnn_engine *engine,
                                                             const graft_dnn_convolution *convolution,
                                                             graft_dnn_primitive **primitive) {
    return create(engine, convolution, NULL, graft_dnn_input_gradient, chosen, primitive);
}

graft_dnn_result graft_dnn_convolution_kernel_gradient_create(graft_dnn_engine *engine,
                                                              const graft_dnn_convolution *convolution,
                                                              graft_dnn_primitive **primitive) {
    return create(engine, convolution, NULL, graft_dnn_kernel_gradient, chosen, primitive);
}

graft_dnn_result graft_dnn_convolution_of_rank_create(graft_dnn_engine *engine,
                                                      const graft_dnn_convolution *convolution,
                                                      const graft_dnn_epilogue *epilogue,
                                                      enum graft_dnn_direction direction, int rank,
                                                      graft_dnn_primitive **primitive) {
    return create(engine, convolution, epilogue, direction, rank, primitive);
}

// MARK: Products

static graft_dnn_result describe_product(const graft_dnn_matrix_product *p, bool bias, operands *o) {
    memset(o, 0, sizeof *o);
    // One product has no axis for the batch.
    const int rank = p->batch > 1 ? 3 : 2, first = 3 - rank;
    dnnl_dims_t left = {p->batch, p->rows, p->inner}, right = {p->batch, p->inner, p->columns};
    dnnl_dims_t target = {p->batch, p->rows, p->columns}, target_plain = {p->rows * p->columns, p->columns, 1};
    dnnl_dims_t left_plain = {p->rows * p->inner, p->inner, 1}, left_transposed = {p->rows * p->inner, 1, p->rows};
    dnnl_dims_t right_plain = {p->inner * p->columns, p->columns, 1};
    dnnl_dims_t right_transposed = {p->inner * p->columns, 1, p->inner};
    TRY("dnnl_memory_desc_init", describe(&o->source, rank, left + first, p->type,
                                          (p->transpose_left ? left_transposed : left_plain) + first));
    TRY("dnnl_memory_desc_init", describe(&o->weights, rank, right + first, p->type,
                                          (p->transpose_right ? right_transposed : right_plain) + first));
    TRY("dnnl_memory_desc_init", describe(&o->target, rank, target + first, p->type, target_plain + first));
    if (bias) {
        dnnl_dims_t sizes = {1, 1, p->columns};
        TRY("dnnl_memory_desc_init", describe(&o->bias, rank, sizes + first, graft_dnn_float32, target_plain + first));
    }
    return graft_dnn_fine;
}

graft_dnn_result graft_dnn_matrix_product_create(graft_dnn_engine *engine, const graft_dnn_matrix_product *product,
                                                 const graft_dnn_epilogue *epilogue,
                                                 graft_dnn_primitive **primitive) {
    *primitive = NULL;
    operands o;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_primitive_desc_t descriptor = NULL;
    graft_dnn_result result = describe_product(product, epilogue->bias, &o);
    if (!result.function) result = graft_dnn_attributes(epilogue, &attributes);
    if (!result.function) {
        dnnl_status_t status = create_product_descriptor(engine->engine, &o, attributes, &descriptor);
        result = status == dnnl_success
                     ? graft_dnn_finish(descriptor, tables[graft_dnn_forward].queries,
                                        tables[graft_dnn_forward].numbers, &o, -1, primitive)
                     : (graft_dnn_result){"dnnl_matmul_primitive_desc_create", (int)status};
    }
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    graft_dnn_forget_operands(&o);
    return result;
}
