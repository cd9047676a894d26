#include "zoo/proto.h"

#include <stdlib.h>
#include <string.h>

/* One more pointer in a repeated field; the generated code frees with free(). */
static void append(void *items, size_t *n, void *take)
{
    void **list;
    memcpy(&list, items, sizeof list);
    size_t cap = *n;
    clv_grow(&list, &cap, *n + 1, sizeof *list);
    list[(*n)++] = take;
    memcpy(items, &list, sizeof list);
}

Onnx__GraphProto *clv_proto_graph(const char *name)
{
    Onnx__GraphProto *g = clv_alloc(sizeof *g);
    onnx__graph_proto__init(g);
    g->name = clv_strdup(name);
    return g;
}

void clv_proto_free(Onnx__GraphProto *g)
{
    if (g) onnx__graph_proto__free_unpacked(g, NULL);
}

Onnx__NodeProto *clv_proto_node(Onnx__GraphProto *g, const char *op, const char *name,
                                const char *const *inputs, size_t n_inputs,
                                const char *const *outputs, size_t n_outputs)
{
    Onnx__NodeProto *node = clv_alloc(sizeof *node);
    onnx__node_proto__init(node);
    node->op_type = clv_strdup(op);
    node->name = clv_strdup(name);
    for (size_t i = 0; i < n_inputs; i++)
        append(&node->input, &node->n_input, clv_strdup(inputs[i]));
    for (size_t i = 0; i < n_outputs; i++)
        append(&node->output, &node->n_output, clv_strdup(outputs[i]));
    append(&g->node, &g->n_node, node);
    return node;
}

static Onnx__AttributeProto *attribute(Onnx__NodeProto *node, const char *name,
                                       Onnx__AttributeProto__AttributeType type)
{
    Onnx__AttributeProto *a = clv_alloc(sizeof *a);
    onnx__attribute_proto__init(a);
    a->name = clv_strdup(name);
    a->has_type = 1;
    a->type = type;
    append(&node->attribute, &node->n_attribute, a);
    return a;
}

void clv_proto_int(Onnx__NodeProto *node, const char *name, int64_t value)
{
    Onnx__AttributeProto *a = attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    a->has_i = 1;
    a->i = value;
}

void clv_proto_ints(Onnx__NodeProto *node, const char *name, const int64_t *values, size_t n)
{
    Onnx__AttributeProto *a = attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    a->ints = clv_alloc_array(n, sizeof *a->ints);
    a->n_ints = n;
    if (n) memcpy(a->ints, values, n * sizeof *values);
}

void clv_proto_float(Onnx__NodeProto *node, const char *name, float value)
{
    Onnx__AttributeProto *a = attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    a->has_f = 1;
    a->f = value;
}

void clv_proto_body(Onnx__NodeProto *node, const char *name, Onnx__GraphProto *take)
{
    attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH)->g = take;
}

static Onnx__TensorShapeProto__Dimension *dimension(int index, int64_t value)
{
    Onnx__TensorShapeProto__Dimension *d = clv_alloc(sizeof *d);
    onnx__tensor_shape_proto__dimension__init(d);
    if (value >= 0) {
        d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        d->dim_value = value;
    } else {
        d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
        d->dim_param = index ? clv_format("dim%d", index) : clv_strdup("batch");
    }
    return d;
}

static Onnx__ValueInfoProto *declaration(const char *name, clv_dtype dtype, clv_shape shape)
{
    Onnx__ValueInfoProto *info = clv_alloc(sizeof *info);
    onnx__value_info_proto__init(info);
    info->name = clv_strdup(name);
    info->type = clv_alloc(sizeof *info->type);
    onnx__type_proto__init(info->type);
    info->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    Onnx__TypeProto__Tensor *t = info->type->tensor_type = clv_alloc(sizeof *t);
    onnx__type_proto__tensor__init(t);
    t->has_elem_type = 1;
    t->elem_type = clv_dtype_onnx(dtype);
    if (shape.rank < 0) return info;
    t->shape = clv_alloc(sizeof *t->shape);
    onnx__tensor_shape_proto__init(t->shape);
    for (int i = 0; i < shape.rank; i++)
        append(&t->shape->dim, &t->shape->n_dim, dimension(i, shape.dim[i]));
    return info;
}

void clv_proto_input(Onnx__GraphProto *g, const char *name, clv_dtype dtype, clv_shape shape)
{
    append(&g->input, &g->n_input, declaration(name, dtype, shape));
}

void clv_proto_output(Onnx__GraphProto *g, const char *name, clv_dtype dtype, clv_shape shape)
{
    append(&g->output, &g->n_output, declaration(name, dtype, shape));
}

Onnx__TensorProto *clv_proto_weight(Onnx__GraphProto *g, const char *name, clv_dtype dtype,
                                    clv_shape shape, const void *data, size_t bytes)
{
    Onnx__TensorProto *t = clv_alloc(sizeof *t);
    onnx__tensor_proto__init(t);
    t->name = clv_strdup(name);
    t->has_data_type = 1;
    t->data_type = clv_dtype_onnx(dtype);
    t->n_dims = (size_t)shape.rank;
    t->dims = clv_alloc_array(t->n_dims, sizeof *t->dims);
    memcpy(t->dims, shape.dim, t->n_dims * sizeof *t->dims);
    t->has_raw_data = 1;
    t->raw_data.data = clv_alloc(bytes);
    t->raw_data.len = bytes;
    if (bytes) memcpy(t->raw_data.data, data, bytes);
    append(&g->initializer, &g->n_initializer, t);
    return t;
}

static void pack(clv_buf *out, Onnx__GraphProto *g)
{
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets = &opset;
    char domain[] = "", producer[] = "cleave"; /* no version: bytes outlive releases */
    opset.domain = domain;
    opset.has_version = 1;
    opset.version = CLV_PROTO_OPSET;
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    model.has_ir_version = 1;
    model.ir_version = CLV_PROTO_IR_VERSION;
    model.producer_name = producer;
    model.graph = g;
    model.n_opset_import = 1;
    model.opset_import = &opsets;
    size_t n = onnx__model_proto__get_packed_size(&model);
    clv_buf_reserve(out, n);
    onnx__model_proto__pack(&model, (uint8_t *)out->data + out->len);
    out->len += n;
}

void clv_proto_pack_head(clv_buf *out)
{
    pack(out, NULL);
}

void clv_proto_pack(const Onnx__GraphProto *g, clv_buf *out)
{
    Onnx__GraphProto view = *g; /* packing does not write to it */
    pack(out, &view);
}
