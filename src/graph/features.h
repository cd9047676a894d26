/* What a unit does, in numbers: what a predictor needs to know of it.
 *
 * A plain value. Made by onnx/ from the model's own attributes and shapes, kept in profiles, read by
 * cost/. Shapes are those at batch 1.
 */
#ifndef CLV_GRAPH_FEATURES_H
#define CLV_GRAPH_FEATURES_H

#include <stdint.h>

/* Kinds of fused units: the operator that does the work gives the kind; what was fused behind it
 * (activation, addition) does not. */
#define CLV_UNIT_KIND_MAP(X)                                                                       \
    X(OTHER, "other")                                                                              \
    X(CONV, "conv")                                                                                \
    X(POINTWISE, "pointwise") /* 1 × 1, one group */                                              \
    X(DEPTHWISE, "depthwise") /* as many groups as channels */                                     \
    X(GROUPED, "grouped")     /* some groups */                                                    \
    X(LINEAR, "linear")       /* Gemm, MatMul with a constant */                                   \
    X(MATMUL, "matmul")       /* of two computed tensors */                                        \
    X(ATTENTION, "attention") /* MatMul, Softmax, MatMul as one unit */                            \
    X(MAX_POOL, "max-pool")                                                                        \
    X(MEAN_POOL, "mean-pool")                                                                      \
    X(GLOBAL_POOL, "global-pool") /* and ReduceMean over all places */                             \
    X(NORM, "norm")               /* Batch-, Layer-, GroupNormalization, LRN */                    \
    X(ACTIVATION, "activation")   /* Relu, Clip, Sigmoid, HardSwish, Gelu, ... */                  \
    X(ELEMENTWISE, "elementwise") /* Add, Mul, ... of two computed tensors */                      \
    X(CONCAT, "concat")                                                                            \
    X(RESIZE, "resize")                                                                            \
    X(SOFTMAX, "softmax")                                                                          \
    X(COPY, "copy") /* Reshape, Flatten, Transpose, Slice, Split: moves bytes or none */

typedef enum clv_unit_kind {
#define X(name, text) CLV_UNIT_##name,
    CLV_UNIT_KIND_MAP(X)
#undef X
        CLV_UNIT_KIND_COUNT
} clv_unit_kind;
const char *clv_unit_kind_name(clv_unit_kind k);
int clv_unit_kind_parse(const char *text); /* -1: none of that name */

typedef struct clv_unit_features {
    clv_unit_kind kind;
    int64_t in_channels, in_h, in_w; /* of the largest input; one that is no image has its last axis
                                           as channels, and the product of the others as in_h */
    int64_t out_channels, out_h, out_w;         /* of the largest output */
    int64_t kernel_h, kernel_w, stride, groups; /* 1 where there is none */
    int64_t steps;  /* operators that the engine runs for it; 0: it is not known */
    int64_t smooth; /* 1: an exponential for each element: Sigmoid, Gelu, ...; 0: not so, as Relu */
    uint64_t macs, weight_bytes;
    uint64_t in_bytes, out_bytes; /* of all computed inputs and outputs */
} clv_unit_features;

#endif
