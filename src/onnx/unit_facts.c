/* What a unit is called and what it costs in arithmetic: read off the original nodes in it. */
#include "onnx/units_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- operator text ---- */

/* Nodes that are no work of their own: names for the same tensor, and arithmetic on shapes. */
bool clv_node_is_silent(const clv_units *u, int number)
{
    static const char *const silent[] = {"Identity", "Dropout", "Constant"};
    for (size_t i = 0; i < CLV_COUNT(silent); i++)
        if (strcmp(u->m->proto->graph->node[number]->op_type, silent[i]) == 0) return true;
    const clv_node_values *node = &u->m->nodes[number];
    for (size_t i = 0; i < node->n_outputs; i++)
        if (u->info[node->outputs[i]].dtype != CLV_I64) return false;
    return true;
}

enum { SHOWN_OPS_MAX = 5 };

static int by_number(const void *a, const void *b)
{
    int x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* "Conv+BatchNormalization+Relu" in the file's order; the engine's own name for a larger pattern
 * ("LayerNormalization"). */
char *clv_unit_op(const clv_units *u, const clv_group *g)
{
    const char *engine = u->optimised->graph->node[g->first]->op_type;
    if (g->n_nodes == 1) return clv_strdup(u->m->proto->graph->node[g->nodes[0]]->op_type);
    CLV_AUTO(clv_free) int *nodes = clv_alloc_array(g->n_nodes, sizeof *nodes);
    memcpy(nodes, g->nodes, g->n_nodes * sizeof *nodes);
    qsort(nodes, g->n_nodes, sizeof *nodes, by_number);
    clv_buf text = {0};
    size_t shown = 0;
    for (size_t i = 0; i < g->n_nodes; i++) {
        if (clv_node_is_silent(u, nodes[i])) continue;
        clv_buf_printf(&text, "%s%s", shown++ ? "+" : "",
                       u->m->proto->graph->node[nodes[i]]->op_type);
    }
    if (shown >= 1 && shown <= SHOWN_OPS_MAX) return clv_buf_take(&text);
    clv_buf_done(&text);
    return shown ? clv_format("%s (%zu operators)", engine, shown) : clv_strdup(engine);
}

/* ---- arithmetic ---- */

static double elements(const clv_shape *s, int from)
{
    double n = 1;
    for (int i = from; i < s->rank; i++) n *= s->dim[i] > 0 ? (double)s->dim[i] : 0;
    return s->rank < 0 ? 0 : n;
}

static const clv_shape *shape_at(const clv_units *u, const Onnx__NodeProto *node, size_t input)
{
    int value = input < node->n_input ? clv_names_get(&u->m->value_of, node->input[input]) : -1;
    return value < 0 ? NULL : &u->info[value].shape;
}

static int64_t attribute_int(const Onnx__NodeProto *node, const char *name)
{
    for (size_t i = 0; i < node->n_attribute; i++)
        if (node->attribute[i]->name && strcmp(node->attribute[i]->name, name) == 0)
            return node->attribute[i]->i;
    return 0;
}

/* How an operator's multiply-accumulates follow from its shapes. */
typedef enum rule {
    BY_KERNEL,       /* outputs x (kernel elements of one filter): convolution */
    BY_KERNEL_INPUT, /* inputs x (kernel elements that one input meets): transposed convolution */
    BY_INNER,        /* outputs x the last axis of the first factor: matrix product */
    BY_GEMM          /* the same; the factor may be transposed */
} rule;

typedef struct counted_op {
    const char *op;
    rule rule;
    size_t factor; /* the input that the rule looks at */
} counted_op;

static const counted_op counted_ops[] = {
    {"Conv", BY_KERNEL, 1},         {"ConvInteger", BY_KERNEL, 1},
    {"QLinearConv", BY_KERNEL, 3},  {"ConvTranspose", BY_KERNEL_INPUT, 1},
    {"MatMul", BY_INNER, 0},        {"MatMulInteger", BY_INNER, 0},
    {"QLinearMatMul", BY_INNER, 0}, {"Gemm", BY_GEMM, 0},
};

static double macs_of(const clv_units *u, int number)
{
    const Onnx__NodeProto *node = u->m->proto->graph->node[number];
    const counted_op *op = NULL;
    for (size_t i = 0; i < CLV_COUNT(counted_ops) && !op; i++)
        if (strcmp(node->op_type, counted_ops[i].op) == 0) op = &counted_ops[i];
    if (!op || !u->m->nodes[number].n_outputs) return 0;
    const clv_shape *out = &u->info[u->m->nodes[number].outputs[0]].shape,
                    *in = shape_at(u, node, 0);
    const clv_shape *factor = shape_at(u, node, op->factor);
    if (!factor || !in || factor->rank < 1) return 0;
    int64_t inner = factor->dim[factor->rank - 1];
    switch (op->rule) {
    case BY_KERNEL: return elements(out, 0) * elements(factor, 1);
    case BY_KERNEL_INPUT: return elements(in, 0) * elements(factor, 1);
    case BY_GEMM:
        if (attribute_int(node, "transA")) inner = factor->dim[0];
        return elements(out, 0) * (double)inner;
    case BY_INNER: return elements(out, 0) * (double)inner;
    }
    return 0;
}

/* Weights are constants of floating or 8-bit type; shapes, axes and single numbers are settings.
 * The running mean and variance of a batch normalisation are measured, not trained: nobody counts
 * them. */
static bool is_parameter(const Onnx__NodeProto *node, size_t input, const clv_value_info *info)
{
    if (strcmp(node->op_type, "BatchNormalization") == 0 && input >= 3) return false;
    bool weight = info->dtype == CLV_F32 || info->dtype == CLV_F16 || info->dtype == CLV_BF16 ||
                  info->dtype == CLV_F64 || info->dtype == CLV_I8 || info->dtype == CLV_U8;
    return weight && info->shape.rank > 0;
}

void clv_unit_count(const clv_units *u, const clv_group *g, bool *counted_nodes,
                    bool *counted_values, clv_unit *unit)
{
    for (size_t i = 0; i < g->n_nodes; i++) {
        const Onnx__NodeProto *node = u->m->proto->graph->node[g->nodes[i]];
        if (counted_nodes[g->nodes[i]]) continue;
        counted_nodes[g->nodes[i]] = true;
        unit->macs += (uint64_t)macs_of(u, g->nodes[i]);
        for (size_t k = 0; k < node->n_input; k++) {
            int value = clv_names_get(&u->m->value_of, node->input[k]);
            if (value < 0 || !u->m->values[value].constant || counted_values[value]) continue;
            counted_values[value] = true;
            if (!is_parameter(node, k, &u->info[value])) continue;
            uint64_t n = (uint64_t)elements(&u->info[value].shape, 0);
            unit->params += n;
            unit->weight_bytes += n * clv_dtype_bytes(u->info[value].dtype);
        }
    }
}
