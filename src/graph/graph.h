/* A network as a value: units and the tensors between them.
 *
 * A unit is the smallest piece that is never cut: one node of the engine's optimised graph
 * (conv+bn+relu, …). Units are in topological order. Constants are not tensors here: only values
 * that depend on an input are. Plain values in one owner: made by onnx/ (or a test), read by
 * everyone, never changed after.
 *
 *     for (size_t u = 0; u < g->n_units; u++) printf("%s %s\n", g->units[u].name, g->units[u].op);
 */
#ifndef CLV_GRAPH_GRAPH_H
#define CLV_GRAPH_GRAPH_H

#include "graph/features.h"
#include "tensor/tensor.h"

enum { CLV_UNITS_MAX = 4096, CLV_GRAPH_TENSORS_MAX = 16384 };
enum { CLV_NO_UNIT = -1 };

typedef struct clv_graph_tensor {
    char *name;
    clv_dtype dtype;
    clv_shape shape; /* at batch 1, concrete; rank -1 when unknown (then bytes is 0 and no cut may
                        cross it) */
    size_t bytes;    /* of one crossing at batch 1 */
    int producer;    /* unit index, CLV_NO_UNIT for a graph input */
    int *consumers;  /* unit indices, ascending, each once */
    size_t n_consumers;
    bool is_input, is_output; /* of the whole network */
} clv_graph_tensor;

typedef struct clv_unit {
    char *name; /* of a node of the model that is in it; unique */
    char *op; /* its operator, "Conv", "Gemm", …; what was fused in stands behind: "Conv+Relu" */
    int *inputs, *outputs; /* tensor indices */
    size_t n_inputs, n_outputs;
    uint64_t macs;   /* multiply-accumulates at batch 1: conv, gemm, matmul; 0 for the rest */
    uint64_t params; /* elements of the constants that only this unit uses first */
    uint64_t weight_bytes;
    clv_unit_features features; /* kind OTHER and zeros when nobody has looked */
} clv_unit;

typedef struct clv_graph {
    clv_unit *units;
    size_t n_units;
    clv_graph_tensor *tensors;
    size_t n_tensors;
} clv_graph;

void clv_graph_free(clv_graph *g);
/* Indices in range, producers and consumers consistent, units in topological order, names unique.
 */
CLV_MUST
clv_status clv_graph_check(const clv_graph *g, clv_error *err);
int clv_graph_tensor_index(const clv_graph *g, const char *name); /* -1 if absent */
uint64_t clv_graph_macs(const clv_graph *g);
uint64_t clv_graph_params(const clv_graph *g);

#endif
