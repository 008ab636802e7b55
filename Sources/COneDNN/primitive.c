// Engines, streams, and what all primitives have in common: attributes, layouts, scratch, packing, execution.
#include <oneapi/dnnl/dnnl_debug.h>
#include <stdlib.h>
#include "description.h"

const char *graft_dnn_status_text(int status) { return dnnl_status2str((dnnl_status_t)status); }

int graft_dnn_version(void) {
    const dnnl_version_t *version = dnnl_version();
    return version->major * 10000 + version->minor * 100 + version->patch;
}

bool graft_dnn_has_bfloat16(void) {
#if defined(__x86_64__)
    return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
#else
    return false;
#endif
}

graft_dnn_result graft_dnn_engine_create(graft_dnn_engine **engine) {
    *engine = NULL;
    dnnl_engine_t created;
    TRY("dnnl_engine_create", dnnl_engine_create(&created, dnnl_cpu, 0));
    *engine = calloc(1, sizeof **engine);
    if (!*engine) {
        dnnl_engine_destroy(created);
        return (graft_dnn_result){"calloc", dnnl_out_of_memory};
    }
    (*engine)->engine = created;
    return graft_dnn_fine;
}

void graft_dnn_engine_destroy(graft_dnn_engine *engine) {
    if (!engine) return;
    dnnl_engine_destroy(engine->engine);
    free(engine);
}

graft_dnn_result graft_dnn_stream_create(graft_dnn_engine *engine, graft_dnn_stream **stream) {
    *stream = NULL;
    dnnl_stream_t created;
    TRY("dnnl_stream_create", dnnl_stream_create(&created, engine->engine, dnnl_stream_default_flags));
    *stream = calloc(1, sizeof **stream);
    if (!*stream) {
        dnnl_stream_destroy(created);
        return (graft_dnn_result){"calloc", dnnl_out_of_memory};
    }
    (*stream)->stream = created;
    return graft_dnn_fine;
}

void graft_dnn_stream_destroy(graft_dnn_stream *stream) {
    if (!stream) return;
    dnnl_stream_destroy(stream->stream);
    free(stream);
}

void graft_dnn_forget_operands(operands *o) {
    forget(&o->source);
    forget(&o->weights);
    forget(&o->bias);
    forget(&o->target);
    forget(&o->plain);
}

// MARK: Attributes

static dnnl_status_t append_sum(dnnl_post_ops_t operations) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_post_ops_append_sum(operations, 1.0f, 0, dnnl_data_type_undef);
#else
    return dnnl_post_ops_append_sum(operations, 1.0f);
#endif
}

static dnnl_status_t append_activation(dnnl_post_ops_t operations, dnnl_alg_kind_t kind, float alpha, float beta) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_post_ops_append_eltwise(operations, kind, alpha, beta);
#else
    return dnnl_post_ops_append_eltwise(operations, 1.0f, kind, alpha, beta);
#endif
}

static graft_dnn_result add_epilogue(const graft_dnn_epilogue *epilogue, dnnl_post_ops_t operations) {
    if (epilogue->addend) TRY("dnnl_post_ops_append_sum", append_sum(operations));
    dnnl_status_t status = dnnl_success;
    switch (epilogue->activation) {
    case graft_dnn_no_activation: break;
    case graft_dnn_relu: status = append_activation(operations, dnnl_eltwise_relu, 0, 0); break;
    case graft_dnn_relu6: status = append_activation(operations, dnnl_eltwise_clip, 0, 6); break;
    case graft_dnn_sigmoid: status = append_activation(operations, dnnl_eltwise_logistic, 0, 0); break;
    case graft_dnn_tanh: status = append_activation(operations, dnnl_eltwise_tanh, 0, 0); break;
    }
    TRY("dnnl_post_ops_append_eltwise", status);
    return graft_dnn_fine;
}

graft_dnn_result graft_dnn_attributes(const graft_dnn_epilogue *epilogue, dnnl_primitive_attr_t *attributes) {
    *attributes = NULL;
    dnnl_primitive_attr_t created;
    TRY("dnnl_primitive_attr_create", dnnl_primitive_attr_create(&created));
    *attributes = created;
    TRY("dnnl_primitive_attr_set_scratchpad_mode",
        dnnl_primitive_attr_set_scratchpad_mode(created, dnnl_scratchpad_mode_user));
    if (!epilogue) return graft_dnn_fine;
    dnnl_post_ops_t operations;
    TRY("dnnl_post_ops_create", dnnl_post_ops_create(&operations));
    graft_dnn_result result = add_epilogue(epilogue, operations);
    if (!result.function) {
        dnnl_status_t status = dnnl_primitive_attr_set_post_ops(created, operations);
        if (status != dnnl_success) result = (graft_dnn_result){"dnnl_primitive_attr_set_post_ops", (int)status};
    }
    dnnl_post_ops_destroy(operations);
    return result;
}

// MARK: Creation

static dnnl_status_t query_layout(dnnl_primitive_desc_t descriptor, dnnl_query_t query, description *result) {
    return copy_of(result, dnnl_primitive_desc_query_md(descriptor, query, 0));
}

static graft_dnn_result fill(graft_dnn_primitive *p, dnnl_primitive_desc_t descriptor,
                             const dnnl_query_t queries[argument_count], const operands *given) {
    for (int i = 0; i < argument_count; i++) {
        if (queries[i] == dnnl_query_undef) continue;
        TRY("dnnl_primitive_desc_query_md", query_layout(descriptor, queries[i], &p->arguments[i]));
    }
    if (exists(&given->bias)) TRY("dnnl_memory_desc_clone", copy_of(&p->arguments[bias_argument], pointer_to(&given->bias)));
    TRY("dnnl_primitive_desc_query_md", query_layout(descriptor, dnnl_query_scratchpad_md, &p->scratch));
    p->scratch_size = dnnl_memory_desc_get_size(pointer_to(&p->scratch));
    if (p->packed_argument >= 0 && given->has_plain) {
        const description *wanted = &p->arguments[p->packed_argument];
        TRY("dnnl_memory_desc_clone", copy_of(&p->plain, pointer_to(&given->plain)));
        if (!dnnl_memory_desc_equal(pointer_to(wanted), pointer_to(&p->plain)))
            p->packed_size = dnnl_memory_desc_get_size(pointer_to(wanted));
    }
    TRY("dnnl_primitive_create", dnnl_primitive_create(&p->primitive, descriptor));
    return graft_dnn_fine;
}

graft_dnn_result graft_dnn_finish(dnnl_primitive_desc_t descriptor, const dnnl_query_t queries[argument_count],
                                  const int numbers[argument_count], const operands *given, int packed_argument,
                                  graft_dnn_primitive **primitive) {
    *primitive = NULL;
    graft_dnn_primitive *p = calloc(1, sizeof *p);
    graft_dnn_result result = {"calloc", dnnl_out_of_memory};
    if (p) {
        p->packed_argument = packed_argument;
        memcpy(p->numbers, numbers, sizeof p->numbers);
        result = fill(p, descriptor, queries, given);
    }
    dnnl_primitive_desc_destroy(descriptor);
    if (result.function)
        graft_dnn_primitive_destroy(p);
    else
        *primitive = p;
    return result;
}

void graft_dnn_primitive_destroy(graft_dnn_primitive *primitive) {
    if (!primitive) return;
    if (primitive->primitive) dnnl_primitive_destroy(primitive->primitive);
    for (int i = 0; i < argument_count; i++) forget(&primitive->arguments[i]);
    forget(&primitive->scratch);
    forget(&primitive->plain);
    free(primitive);
}

size_t graft_dnn_scratch_size(const graft_dnn_primitive *primitive) { return primitive->scratch_size; }

size_t graft_dnn_packed_size(const graft_dnn_primitive *primitive) { return primitive->packed_size; }

const char *graft_dnn_implementation(const graft_dnn_primitive *primitive) {
    const_dnnl_primitive_desc_t descriptor;
    const char *text = NULL;
    if (dnnl_primitive_get_primitive_desc(primitive->primitive, &descriptor) != dnnl_success) return "";
    if (dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, &text) != dnnl_success) return "";
    return text;
}

// MARK: Packing

graft_dnn_result graft_dnn_packing_create(graft_dnn_engine *engine, const graft_dnn_primitive *primitive,
                                          graft_dnn_primitive **packing) {
    *packing = NULL;
    const description *wanted = &primitive->arguments[primitive->packed_argument];
    bool back = primitive->packed_argument == target_argument;
    const description *from = back ? wanted : &primitive->plain, *to = back ? &primitive->plain : wanted;
    dnnl_primitive_attr_t attributes;
    graft_dnn_result result = graft_dnn_attributes(NULL, &attributes);
    dnnl_primitive_desc_t descriptor = NULL;
    if (!result.function) {
        dnnl_status_t status = dnnl_reorder_primitive_desc_create(&descriptor, pointer_to(from), engine->engine,
                                                                  pointer_to(to), engine->engine, attributes);
        if (status != dnnl_success)
            result = (graft_dnn_result){"dnnl_reorder_primitive_desc_create", (int)status};
    }
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    if (result.function) return result;
    static const dnnl_query_t queries[] = {dnnl_query_src_md, dnnl_query_undef, dnnl_query_undef, dnnl_query_dst_md};
    static const int numbers[] = {DNNL_ARG_FROM, 0, 0, DNNL_ARG_TO};
    operands none = {.has_plain = false};
    return graft_dnn_finish(descriptor, queries, numbers, &none, -1, packing);
}

// MARK: Execution

graft_dnn_result graft_dnn_execute(const graft_dnn_primitive *primitive, graft_dnn_engine *engine,
                                   graft_dnn_stream *stream, const void *source, const void *weights,
                                   const void *bias, void *target, void *scratch) {
    const void *pointers[argument_count + 1] = {source, weights, bias, target, scratch};
    dnnl_exec_arg_t arguments[argument_count + 1];
    int count = 0;
    graft_dnn_result result = graft_dnn_fine;
    for (int i = 0; i <= argument_count && !result.function; i++) {
        const description *layout = i == argument_count ? &primitive->scratch : &primitive->arguments[i];
        if (!pointers[i] || !exists(layout)) continue;
        dnnl_status_t status =
            dnnl_memory_create(&arguments[count].memory, pointer_to(layout), engine->engine, (void *)pointers[i]);
        if (status != dnnl_success) {
            result = (graft_dnn_result){"dnnl_memory_create", (int)status};
        } else {
            arguments[count++].arg = i == argument_count ? DNNL_ARG_SCRATCHPAD : primitive->numbers[i];
        }
    }
    if (!result.function) {
        dnnl_status_t status = dnnl_primitive_execute(primitive->primitive, stream->stream, count, arguments);
        if (status == dnnl_success) status = dnnl_stream_wait(stream->stream);
        if (status != dnnl_success) result = (graft_dnn_result){"dnnl_primitive_execute", (int)status};
    }
    while (count > 0) dnnl_memory_destroy(arguments[--count].memory);
    return result;
}
