#pragma once
// Memory descriptors: plain structures in oneDNN 2, objects to be freed in oneDNN 3.
#include <oneapi/dnnl/dnnl.h>
#include <string.h>
#include "include/COneDNN.h"

#define TRY(name, call)                                                                                                \
    do {                                                                                                               \
        dnnl_status_t status_ = (call);                                                                                \
        if (status_ != dnnl_success) return (graft_dnn_result){name, (int)status_};                                    \
    } while (0)

static const graft_dnn_result graft_dnn_fine = {NULL, 0};

static inline dnnl_data_type_t data_type(enum graft_dnn_type type) {
    return type == graft_dnn_bfloat16 ? dnnl_bf16 : dnnl_f32;
}

#if DNNL_VERSION_MAJOR >= 3

/// NULL where there is none.
typedef dnnl_memory_desc_t description;

static inline const_dnnl_memory_desc_t pointer_to(const description *d) { return *d; }

static inline dnnl_status_t describe(description *d, int rank, const dnnl_dims_t sizes, enum graft_dnn_type type,
                                     const dnnl_dims_t strides) {
    return dnnl_memory_desc_create_with_strides(d, rank, sizes, data_type(type), strides);
}

/// The layout is left to oneDNN.
static inline dnnl_status_t describe_any(description *d, int rank, const dnnl_dims_t sizes,
                                         enum graft_dnn_type type) {
    return dnnl_memory_desc_create_with_tag(d, rank, sizes, data_type(type), dnnl_format_tag_any);
}

static inline void forget(description *d) {
    if (*d) dnnl_memory_desc_destroy(*d);
    *d = NULL;
}

static inline bool exists(const description *d) { return *d != NULL; }

static inline dnnl_status_t copy_of(description *d, const_dnnl_memory_desc_t other) {
    return dnnl_memory_desc_clone(d, other);
}

#else

/// Of rank 0 where there is none.
typedef dnnl_memory_desc_t description;

static inline const dnnl_memory_desc_t *pointer_to(const description *d) { return d; }

static inline dnnl_status_t describe(description *d, int rank, const dnnl_dims_t sizes, enum graft_dnn_type type,
                                     const dnnl_dims_t strides) {
    return dnnl_memory_desc_init_by_strides(d, rank, sizes, data_type(type), strides);
}

static inline dnnl_status_t describe_any(description *d, int rank, const dnnl_dims_t sizes,
                                         enum graft_dnn_type type) {
    return dnnl_memory_desc_init_by_tag(d, rank, sizes, data_type(type), dnnl_format_tag_any);
}

static inline void forget(description *d) { memset(d, 0, sizeof *d); }

static inline bool exists(const description *d) { return d->ndims != 0; }

static inline dnnl_status_t copy_of(description *d, const dnnl_memory_desc_t *other) {
    if (!other) return dnnl_invalid_arguments;
    *d = *other;
    return dnnl_success;
}

#endif

/// The arguments that a primitive may have.
enum { source_argument, weights_argument, bias_argument, target_argument, argument_count };

struct graft_dnn_engine {
    dnnl_engine_t engine;
};

struct graft_dnn_stream {
    dnnl_stream_t stream;
};

struct graft_dnn_primitive {
    dnnl_primitive_t primitive;
    description arguments[argument_count], scratch;
    /// oneDNN's number for each argument.
    int numbers[argument_count];
    size_t scratch_size, packed_size;
    /// The kernel in HWIO; `packed_argument` is the argument that may want another layout, -1 where there is none.
    description plain;
    int packed_argument;
};

/// What a primitive is made from; each version fills a primitive descriptor from it in its own way.
typedef struct {
    description source, weights, bias, target, plain;
    bool has_plain;
} operands;

void graft_dnn_forget_operands(operands *o);

/// Finishes a primitive from a descriptor: queries layouts and scratch, creates it. Takes the descriptor over.
graft_dnn_result graft_dnn_finish(dnnl_primitive_desc_t descriptor, const dnnl_query_t queries[argument_count],
                                  const int numbers[argument_count], const operands *given, int packed_argument,
                                  graft_dnn_primitive **primitive);

/// Scratch memory comes from the caller, and the epilogue becomes post-operations.
graft_dnn_result graft_dnn_attributes(const graft_dnn_epilogue *epilogue, dnnl_primitive_attr_t *attributes);
