/* Private to onnx/: what is known of a model's values and units beyond the graph. */
#ifndef CLV_ONNX_UNITS_PRIV_H
#define CLV_ONNX_UNITS_PRIV_H

#include "onnx/onnx_priv.h"
#include "onnx/units.h"

typedef struct clv_value_info {
    clv_dtype dtype;
    clv_shape shape;     /* at batch 1; rank -1: unknown; -1 where it depends on data */
    clv_shape shape_two; /* at batch 2 */
    /* what the engine folded it to, at batch 1; NULL: it did not */
    const Onnx__TensorProto *folded;
    bool follows; /* the folded value is another one at batch 2 */
    int group;    /* that makes it, if it lies between units; -1 */
    int tensor;   /* in the graph; -1 */
} clv_value_info;

/* One unit-to-be. */
typedef struct clv_group {
    int *outputs; /* value numbers that other units, or the caller, may read */
    int *inputs;  /* value numbers read from other groups and from inputs */
    int *nodes;   /* of the original graph, in the order of the walk */
    size_t n_outputs, cap_outputs, n_inputs, cap_inputs, n_nodes, cap_nodes;
    int first; /* the first node of the optimised graph in it */
    int n_optimised;
} clv_group;

struct clv_units {
    const clv_onnx *m;
    clv_graph *graph;
    clv_value_info *info; /* one for each value of the model */
    clv_budget budget;
    Onnx__ModelProto *optimised; /* owns the folded tensors; NULL for the whole */
    clv_group *groups;           /* in unit order once the graph is made */
    size_t n_groups;
    bool *in_unit;    /* for each node of the original: some unit's walk met it */
    bool whole;       /* one unit, nothing known of what is inside */
    bool batch_known; /* analysed at two batches, so that what follows the batch is known */
};

/* group.c: groups from the optimised graph, what they read from the original one, in topological order. */
clv_status clv_units_group(clv_units *u, clv_error *err);
/* unit_facts.c: operator text, MACs, parameters; nodes that are no work of their own (names,
 * arithmetic on shapes). `counted_*` have one flag for each node and value of the model. */
bool clv_node_is_silent(const clv_units *u, int number);
char *clv_unit_op(const clv_units *u, const clv_group *g);
void clv_unit_count(const clv_units *u, const clv_group *g, bool *counted_nodes,
                    bool *counted_values, clv_unit *unit);

/* unit_features.c: kind and sizes, once inputs, outputs, MACs and weights are filled in. */
void clv_unit_describe(const clv_units *u, const clv_group *g, clv_unit *unit);

static inline void clv_push(int **items, size_t *n, size_t *cap, int value)
{
    clv_grow(items, cap, *n + 1, sizeof **items);
    (*items)[(*n)++] = value;
}

#endif
