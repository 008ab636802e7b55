// oneDNN's implementations of a convolution, in its order, and which of them is taken.
#include "choice.h"

// MARK: All implementations, one way for each version

/// Goes through oneDNN's implementations in its order of preference.
typedef struct {
#if DNNL_VERSION_MAJOR >= 3
    dnnl_primitive_desc_t current;
#else
    /// The iterator reads it at each step.
    dnnl_convolution_desc_t operation;
    dnnl_primitive_desc_iterator_t iterator;
#endif
} walk;

#if DNNL_VERSION_MAJOR >= 3

static dnnl_status_t begin(const convolution_request *r, walk *w) {
    const dnnl_alg_kind_t kind = dnnl_convolution_direct;
    const operands *o = r->operands;
    const geometry *g = r->geometry;
    switch (r->direction) {
    case graft_dnn_forward:
        return dnnl_convolution_forward_primitive_desc_create(
            &w->current, r->engine, r->training ? dnnl_forward_training : dnnl_forward_inference, kind, o->source,
            o->weights, o->bias, o->target, g->strides, g->dilation, g->before, g->after, r->attributes);
    case graft_dnn_input_gradient:
        return dnnl_convolution_backward_data_primitive_desc_create(&w->current, r->engine, kind, o->source,
                                                                    o->weights, o->target, g->strides, g->dilation,
                                                                    g->before, g->after, r->hint, r->attributes);
    case graft_dnn_kernel_gradient:
        return dnnl_convolution_backward_weights_primitive_desc_create(
            &w->current, r->engine, kind, o->source, o->weights, NULL, o->target, g->strides, g->dilation, g->before,
            g->after, r->hint, r->attributes);
    }
    return dnnl_invalid_arguments;
}

static dnnl_status_t fetch(const walk *w, dnnl_primitive_desc_t *descriptor) {
    return dnnl_primitive_desc_clone(descriptor, w->current);
}

static bool advance(walk *w) { return dnnl_primitive_desc_next_impl(w->current) == dnnl_success; }

static void end(walk *w) { dnnl_primitive_desc_destroy(w->current); }

#else

static dnnl_status_t describe_operation(const convolution_request *r, dnnl_convolution_desc_t *operation) {
    const dnnl_alg_kind_t kind = dnnl_convolution_direct;
    const operands *o = r->operands;
    const geometry *g = r->geometry;
    switch (r->direction) {
    case graft_dnn_forward:
        return dnnl_dilated_convolution_forward_desc_init(
            operation, r->training ? dnnl_forward_training : dnnl_forward_inference, kind, &o->source, &o->weights,
            exists(&o->bias) ? &o->bias : NULL, &o->target, g->strides, g->dilation, g->before, g->after);
    case graft_dnn_input_gradient:
        return dnnl_dilated_convolution_backward_data_desc_init(operation, kind, &o->source, &o->weights, &o->target,
                                                                g->strides, g->dilation, g->before, g->after);
    case graft_dnn_kernel_gradient:
        return dnnl_dilated_convolution_backward_weights_desc_init(operation, kind, &o->source, &o->weights, NULL,
                                                                   &o->target, g->strides, g->dilation, g->before,
                                                                   g->after);
    }
    return dnnl_invalid_arguments;
}

static dnnl_status_t begin(const convolution_request *r, walk *w) {
    dnnl_status_t status = describe_operation(r, &w->operation);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_iterator_create(&w->iterator, &w->operation, r->attributes, r->engine, r->hint);
}

static dnnl_status_t fetch(const walk *w, dnnl_primitive_desc_t *descriptor) {
    *descriptor = dnnl_primitive_desc_iterator_fetch(w->iterator);
    return *descriptor ? dnnl_success : dnnl_out_of_memory;
}

static bool advance(walk *w) { return dnnl_primitive_desc_iterator_next(w->iterator) == dnnl_success; }

static void end(walk *w) { dnnl_primitive_desc_iterator_destroy(w->iterator); }

#endif

// MARK: The choice

static const char *name_of(const_dnnl_primitive_desc_t descriptor) {
    const char *name = NULL;
    if (dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, &name) != dnnl_success || !name) return "";
    return name;
}

dnnl_status_t graft_dnn_descriptor_of_rank(const convolution_request *request, int rank,
                                           dnnl_primitive_desc_t *descriptor) {
    walk w;
    dnnl_status_t status = begin(request, &w);
    if (status != dnnl_success) return status;
    while (status == dnnl_success && rank-- > 0)
        if (!advance(&w)) status = dnnl_unimplemented;
    if (status == dnnl_success) status = fetch(&w, descriptor);
    end(&w);
    return status;
}

dnnl_status_t graft_dnn_choose_descriptor(const convolution_request *request, enum graft_dnn_choice choice,
                                          dnnl_primitive_desc_t *descriptor) {
    *descriptor = NULL;
    walk w;
    dnnl_status_t status = begin(request, &w);
    if (status != dnnl_success) return status;
    do {
        dnnl_primitive_desc_t candidate;
        status = fetch(&w, &candidate);
        if (status != dnnl_success) break;
        const char *taken = *descriptor ? name_of(*descriptor) : NULL;
        bool is_better = graft_dnn_prefers(name_of(candidate), taken, request->direction, choice);
        dnnl_primitive_desc_t other = is_better ? *descriptor : candidate;
        if (is_better) *descriptor = candidate;
        if (other) dnnl_primitive_desc_destroy(other);
    } while (!(*descriptor && choice == graft_dnn_first_choice) && advance(&w));
    end(&w);
    if (*descriptor) return dnnl_success;
    return status == dnnl_success ? dnnl_unimplemented : status;
}
