/* What a unit does, in numbers (graph/features.h): read off the node that does its work. */
#include "onnx/units_priv.h"

#include <string.h>

/* What an operator is, and how much it counts against the others of its unit: the greatest weight
 * gives the kind. */
typedef struct op_kind {
    const char *op;
    clv_unit_kind kind;
    int weight;
    bool smooth;
} op_kind;

enum { COPIES = 1, JOINS, SIMPLE, ACTIVATES, POOLS, NORMALISES, MULTIPLIES, CONVOLVES, ATTENDS };

static const op_kind op_kinds[] = {
    {"Conv", CLV_UNIT_CONV, CONVOLVES, false},
    {"FusedConv", CLV_UNIT_CONV, CONVOLVES, false},
    {"ConvInteger", CLV_UNIT_CONV, CONVOLVES, false},
    {"QLinearConv", CLV_UNIT_CONV, CONVOLVES, false},
    {"ConvTranspose", CLV_UNIT_CONV, CONVOLVES, false},
    {"Gemm", CLV_UNIT_LINEAR, MULTIPLIES, false},
    {"FusedGemm", CLV_UNIT_LINEAR, MULTIPLIES, false},
    {"MatMul", CLV_UNIT_MATMUL, MULTIPLIES, false},
    {"FusedMatMul", CLV_UNIT_MATMUL, MULTIPLIES, false},
    {"MatMulInteger", CLV_UNIT_MATMUL, MULTIPLIES, false},
    {"QLinearMatMul", CLV_UNIT_MATMUL, MULTIPLIES, false},
    {"Attention", CLV_UNIT_ATTENTION, ATTENDS, true},
    {"MultiHeadAttention", CLV_UNIT_ATTENTION, ATTENDS, true},
    {"MaxPool", CLV_UNIT_MAX_POOL, POOLS, false},
    {"AveragePool", CLV_UNIT_MEAN_POOL, POOLS, false},
    {"GlobalAveragePool", CLV_UNIT_GLOBAL_POOL, POOLS, false},
    {"GlobalMaxPool", CLV_UNIT_GLOBAL_POOL, POOLS, false},
    {"ReduceMean", CLV_UNIT_GLOBAL_POOL, POOLS, false},
    {"BatchNormalization", CLV_UNIT_NORM, NORMALISES, false},
    {"LayerNormalization", CLV_UNIT_NORM, NORMALISES, false},
    {"SimplifiedLayerNormalization", CLV_UNIT_NORM, NORMALISES, false},
    {"SkipLayerNormalization", CLV_UNIT_NORM, NORMALISES, false},
    {"GroupNormalization", CLV_UNIT_NORM, NORMALISES, false},
    {"InstanceNormalization", CLV_UNIT_NORM, NORMALISES, false},
    {"LRN", CLV_UNIT_NORM, NORMALISES, true},
    {"Softmax", CLV_UNIT_SOFTMAX, POOLS, true},
    {"LogSoftmax", CLV_UNIT_SOFTMAX, POOLS, true},
    {"Resize", CLV_UNIT_RESIZE, POOLS, false},
    {"Upsample", CLV_UNIT_RESIZE, POOLS, false},
    {"Relu", CLV_UNIT_ACTIVATION, ACTIVATES, false},
    {"Clip", CLV_UNIT_ACTIVATION, ACTIVATES, false},
    {"LeakyRelu", CLV_UNIT_ACTIVATION, ACTIVATES, false},
    {"PRelu", CLV_UNIT_ACTIVATION, ACTIVATES, false},
    {"HardSigmoid", CLV_UNIT_ACTIVATION, ACTIVATES, false},
    {"HardSwish", CLV_UNIT_ACTIVATION, ACTIVATES, false},
    {"Sigmoid", CLV_UNIT_ACTIVATION, ACTIVATES, true},
    {"Tanh", CLV_UNIT_ACTIVATION, ACTIVATES, true},
    {"Erf", CLV_UNIT_ACTIVATION, ACTIVATES, true},
    {"Exp", CLV_UNIT_ACTIVATION, ACTIVATES, true},
    {"Elu", CLV_UNIT_ACTIVATION, ACTIVATES, true},
    {"Gelu", CLV_UNIT_ACTIVATION, ACTIVATES, true},
    {"FastGelu", CLV_UNIT_ACTIVATION, ACTIVATES, true},
    {"QuickGelu", CLV_UNIT_ACTIVATION, ACTIVATES, true},
    {"BiasGelu", CLV_UNIT_ACTIVATION, ACTIVATES, true},
    {"Softplus", CLV_UNIT_ACTIVATION, ACTIVATES, true},
    {"Add", CLV_UNIT_ELEMENTWISE, SIMPLE, false},
    {"Sub", CLV_UNIT_ELEMENTWISE, SIMPLE, false},
    {"Mul", CLV_UNIT_ELEMENTWISE, SIMPLE, false},
    {"Div", CLV_UNIT_ELEMENTWISE, SIMPLE, false},
    {"Sum", CLV_UNIT_ELEMENTWISE, SIMPLE, false},
    {"Max", CLV_UNIT_ELEMENTWISE, SIMPLE, false},
    {"Min", CLV_UNIT_ELEMENTWISE, SIMPLE, false},
    {"Pow", CLV_UNIT_ELEMENTWISE, SIMPLE, true},
    {"Sqrt", CLV_UNIT_ELEMENTWISE, SIMPLE, false},
    {"Where", CLV_UNIT_ELEMENTWISE, SIMPLE, false},
    {"Concat", CLV_UNIT_CONCAT, JOINS, false},
    {"Reshape", CLV_UNIT_COPY, COPIES, false},
    {"Flatten", CLV_UNIT_COPY, COPIES, false},
    {"Transpose", CLV_UNIT_COPY, COPIES, false},
    {"Slice", CLV_UNIT_COPY, COPIES, false},
    {"Split", CLV_UNIT_COPY, COPIES, false},
    {"Squeeze", CLV_UNIT_COPY, COPIES, false},
    {"Unsqueeze", CLV_UNIT_COPY, COPIES, false},
    {"Gather", CLV_UNIT_COPY, COPIES, false},
    {"Expand", CLV_UNIT_COPY, COPIES, false},
    {"Pad", CLV_UNIT_COPY, COPIES, false},
    {"DepthToSpace", CLV_UNIT_COPY, COPIES, false},
    {"SpaceToDepth", CLV_UNIT_COPY, COPIES, false},
    {"Cast", CLV_UNIT_COPY, COPIES, false},
    {"Identity", CLV_UNIT_COPY, COPIES, false},
    {"Dropout", CLV_UNIT_COPY, COPIES, false},
};

static const op_kind *kind_of(const char *op)
{
    for (size_t i = 0; i < CLV_COUNT(op_kinds); i++)
        if (strcmp(op_kinds[i].op, op) == 0) return &op_kinds[i];
    return NULL;
}

static const Onnx__AttributeProto *attribute(const Onnx__NodeProto *node, const char *name)
{
    for (size_t i = 0; i < node->n_attribute; i++)
        if (node->attribute[i]->name && strcmp(node->attribute[i]->name, name) == 0)
            return node->attribute[i];
    return NULL;
}

static int64_t attribute_at(const Onnx__NodeProto *node, const char *name, size_t i)
{
    const Onnx__AttributeProto *a = attribute(node, name);
    return a && i < a->n_ints && a->ints[i] > 0 ? a->ints[i] : 1;
}

static const clv_value_info *input_of(const clv_units *u, const Onnx__NodeProto *node, size_t input,
                                      bool *constant)
{
    int value = input < node->n_input ? clv_names_get(&u->m->value_of, node->input[input]) : -1;
    if (value < 0) return NULL;
    *constant = u->m->values[value].constant;
    return &u->info[value];
}

/* Images are batch × channels × height × width; anything else has its channels last. */
static void places(const clv_shape *s, int64_t *channels, int64_t *h, int64_t *w)
{
    *channels = *h = *w = 1;
    if (s->rank < 1) return;
    for (int i = 0; i < s->rank; i++)
        if (s->dim[i] < 1) return;
    if (s->rank == 4) {
        *channels = s->dim[1];
        *h = s->dim[2];
        *w = s->dim[3];
        return;
    }
    *channels = s->dim[s->rank - 1];
    for (int i = 0; i + 1 < s->rank; i++) *h *= s->dim[i];
}

static const clv_shape *largest(const clv_graph *g, const int *tensors, size_t n, uint64_t *sum)
{
    const clv_graph_tensor *most = NULL;
    *sum = 0;
    for (size_t i = 0; i < n; i++) {
        const clv_graph_tensor *t = &g->tensors[tensors[i]];
        *sum += t->bytes;
        if (!most || t->bytes > most->bytes) most = t;
    }
    return most ? &most->shape : NULL;
}

/* Which of the convolutions it is, from the filters: out × (in / groups) × kernel. */
static void look_at_filters(const clv_units *u, const Onnx__NodeProto *node, clv_unit_features *f)
{
    size_t at = strcmp(node->op_type, "QLinearConv") == 0 ? 3 : 1;
    bool constant;
    const clv_value_info *filters = input_of(u, node, at, &constant);
    const Onnx__AttributeProto *groups = attribute(node, "group");
    f->groups = groups && groups->i > 0 ? groups->i : 1;
    f->stride = attribute_at(node, "strides", 0);
    if (filters && filters->shape.rank == 4) {
        f->kernel_h = filters->shape.dim[2];
        f->kernel_w = filters->shape.dim[3];
    }
    if (f->groups > 1)
        f->kind = f->groups == f->in_channels ? CLV_UNIT_DEPTHWISE : CLV_UNIT_GROUPED;
    else if (f->kernel_h == 1 && f->kernel_w == 1)
        f->kind = CLV_UNIT_POINTWISE;
}

static void look_at_work(const clv_units *u, const Onnx__NodeProto *node, clv_unit_features *f)
{
    bool constant = false;
    if (f->kind == CLV_UNIT_CONV) {
        look_at_filters(u, node, f);
    } else if (f->kind == CLV_UNIT_MAX_POOL || f->kind == CLV_UNIT_MEAN_POOL) {
        f->kernel_h = attribute_at(node, "kernel_shape", 0);
        f->kernel_w = attribute_at(node, "kernel_shape", 1);
        f->stride = attribute_at(node, "strides", 0);
    } else if (f->kind == CLV_UNIT_MATMUL) {
        bool integer = strcmp(node->op_type, "QLinearMatMul") == 0;
        if (input_of(u, node, integer ? 3 : 1, &constant) && constant) f->kind = CLV_UNIT_LINEAR;
    }
}

/* The node that does the work, the last of equals: what is behind it was fused in. */
static const Onnx__NodeProto *working_node(const clv_units *u, const clv_group *g,
                                           clv_unit_features *f)
{
    const Onnx__NodeProto *work = NULL;
    int weight = 0;
    bool multiplies = false, softens = false;
    for (size_t i = 0; i < g->n_nodes; i++) {
        const Onnx__NodeProto *node = u->m->proto->graph->node[g->nodes[i]];
        const op_kind *k = kind_of(node->op_type);
        if (!k || clv_node_is_silent(u, g->nodes[i])) continue;
        f->smooth |= k->smooth;
        multiplies = multiplies || k->weight == MULTIPLIES;
        softens = softens || k->kind == CLV_UNIT_SOFTMAX;
        if (k->weight < weight) continue;
        weight = k->weight;
        f->kind = k->kind;
        work = node;
    }
    if (multiplies && softens) f->kind = CLV_UNIT_ATTENTION;
    /* The engine's own name for a pattern (LayerNormalization, Gelu) says more than its pieces. */
    const op_kind *engine =
        u->optimised ? kind_of(u->optimised->graph->node[g->first]->op_type) : NULL;
    if (engine && engine->weight > weight) {
        f->kind = engine->kind;
        f->smooth |= engine->smooth;
    }
    return work;
}

void clv_unit_describe(const clv_units *u, const clv_group *g, clv_unit *unit)
{
    clv_unit_features *f = &unit->features;
    *f = (clv_unit_features){
        .kernel_h = 1, .kernel_w = 1, .stride = 1, .groups = 1, .steps = g->n_optimised};
    const Onnx__NodeProto *node = u->whole ? NULL : working_node(u, g, f);
    const clv_shape *in = largest(u->graph, unit->inputs, unit->n_inputs, &f->in_bytes);
    const clv_shape *out = largest(u->graph, unit->outputs, unit->n_outputs, &f->out_bytes);
    if (in) places(in, &f->in_channels, &f->in_h, &f->in_w);
    if (out) places(out, &f->out_channels, &f->out_h, &f->out_w);
    f->macs = unit->macs;
    f->weight_bytes = unit->weight_bytes;
    if (node) look_at_work(u, node, f);
}

/* ---- by name ---- */

static size_t begins(const char *name, const char *whole)
{
    size_t n = name ? strlen(name) : 0;
    return n && strncmp(name, whole, n) == 0 ? n : 0;
}

int clv_units_working_for(const clv_units *u, const char *operator_name)
{
    size_t most = 0;
    int best = -1;
    for (size_t i = 0; i < u->n_groups; i++) {
        const clv_group *g = &u->groups[i];
        const char *engine = u->optimised ? u->optimised->graph->node[g->first]->name : NULL;
        if (engine && strcmp(engine, operator_name) == 0) return (int)i;
        for (size_t k = 0; k < g->n_nodes; k++) {
            const Onnx__NodeProto *node = u->m->proto->graph->node[g->nodes[k]];
            size_t n = begins(node->name, operator_name);
            for (size_t o = 0; o < node->n_output; o++)
                n = CLV_MAX(n, begins(node->output[o], operator_name));
            if (n <= most) continue;
            most = n;
            best = (int)i;
        }
    }
    return best;
}
