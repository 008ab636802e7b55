#pragma once
// Chooses among oneDNN's implementations of a convolution.
#include "description.h"

typedef struct {
    dnnl_dims_t strides, dilation, before, after;
} geometry;

/// One convolution or gradient as oneDNN is asked for it.
typedef struct {
    dnnl_engine_t engine;
    enum graft_dnn_direction direction;
    const operands *operands;
    const geometry *geometry;
    dnnl_primitive_attr_t attributes;
    /// Of the forward convolution that a gradient belongs to.
    bool training;
    /// That forward convolution; NULL for a forward one.
    dnnl_primitive_desc_t hint;
} convolution_request;

/// Gives the descriptor of oneDNN's implementation of this rank, whether Graft runs it or not: `dnnl_unimplemented` where there
/// are not so many.
dnnl_status_t graft_dnn_descriptor_of_rank(const convolution_request *request, int rank,
                                           dnnl_primitive_desc_t *descriptor);

/// Gives the descriptor of the implementation that Graft runs: never one that ``graft_dnn_allows`` refuses. Answers
/// `dnnl_unimplemented` where oneDNN has no other.
dnnl_status_t graft_dnn_choose_descriptor(const convolution_request *request, enum graft_dnn_choice choice,
                                          dnnl_primitive_desc_t *descriptor);
