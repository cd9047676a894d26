/* Small ONNX models for tests, built with protobuf-c.
 *
 *     model *m = model_new(13);
 *     model_input(m, "x", ONNX_F32, "N,3,8,8");
 *     model_weights(m, "w", 1, "4,3,3,3");
 *     model_node(m, "Conv", "x,w", "y", "pads=1,1,1,1");
 *     model_output(m, "y", ONNX_F32, "N,4,8,8");
 *     model_write(m, path);          // or model_bytes(m, &n)
 *     model_free(m);
 *
 * Everything that a model holds is freed with it. Shapes are text: a number, or a name for a free dimension; NULL: no
 * shape; "": a scalar. Attributes are text, separated by ';': "axis=1" (int), "alpha=0.5" (float), "perm=0,1" (ints; a
 * single one as "axes=1,"), "mode=linear" (text).
 */
#ifndef CLV_TESTS_MODEL_H
#define CLV_TESTS_MODEL_H

#include "base/mem.h"
#include "base/rng.h"
#include "gen/onnx.pb-c.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ONNX_F32 = 1, ONNX_I64 = 7, ONNX_BOOL = 9 };

typedef struct model {
    Onnx__ModelProto proto;
    Onnx__GraphProto graph;
    void **owned;
    size_t n_owned, cap_owned;
} model;

#define MODEL_FN static __attribute__((unused))

MODEL_FN void *model_keep(model *m, void *p)
{
    clv_grow(&m->owned, &m->cap_owned, m->n_owned + 1, sizeof *m->owned);
    return m->owned[m->n_owned++] = p;
}

MODEL_FN char *model_text(model *m, const char *text)
{
    return model_keep(m, clv_strdup(text));
}

/* Append `item` to an array of pointers that the model owns. */
MODEL_FN void model_add(model *m, void *items, size_t *n, void *item)
{
    void **old;
    memcpy(&old, items, sizeof old);
    void **list = model_keep(m, clv_alloc_array(*n + 1, sizeof *list));
    if (*n) memcpy(list, old, *n * sizeof *list);
    list[(*n)++] = item;
    memcpy(items, &list, sizeof list);
}

/* A new message of the model: MODEL_NEW(m, Onnx__NodeProto, onnx__node_proto__init). */
#define MODEL_NEW(m, type, init)                                                                   \
    __extension__({                                                                                \
        type *message_ = model_keep(m, clv_alloc(sizeof(type)));                                   \
        init(message_);                                                                            \
        message_;                                                                                  \
    })

MODEL_FN void model_opset(model *m, const char *domain, int version)
{
    Onnx__OperatorSetIdProto *o =
        MODEL_NEW(m, Onnx__OperatorSetIdProto, onnx__operator_set_id_proto__init);
    o->domain = model_text(m, domain);
    o->has_version = 1;
    o->version = version;
    model_add(m, &m->proto.opset_import, &m->proto.n_opset_import, o);
}

MODEL_FN model *model_new(int opset)
{
    model *m = clv_alloc(sizeof *m);
    onnx__model_proto__init(&m->proto);
    onnx__graph_proto__init(&m->graph);
    m->proto.graph = &m->graph;
    m->proto.has_ir_version = 1;
    m->proto.ir_version = 8;
    m->graph.name = model_text(m, "test");
    model_opset(m, "", opset);
    return m;
}

MODEL_FN void model_free(model *m)
{
    for (size_t i = 0; i < m->n_owned; i++) free(m->owned[i]);
    free(m->owned);
    free(m);
}

MODEL_FN Onnx__ValueInfoProto *model_value(model *m, const char *name, int type, const char *shape)
{
    Onnx__ValueInfoProto *v = MODEL_NEW(m, Onnx__ValueInfoProto, onnx__value_info_proto__init);
    v->name = model_text(m, name);
    v->type = MODEL_NEW(m, Onnx__TypeProto, onnx__type_proto__init);
    v->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    v->type->tensor_type = MODEL_NEW(m, Onnx__TypeProto__Tensor, onnx__type_proto__tensor__init);
    v->type->tensor_type->has_elem_type = 1;
    v->type->tensor_type->elem_type = type;
    if (!shape) return v;
    Onnx__TensorShapeProto *s =
        MODEL_NEW(m, Onnx__TensorShapeProto, onnx__tensor_shape_proto__init);
    v->type->tensor_type->shape = s;
    while (*shape) {
        size_t n = strcspn(shape, ",");
        char *dim = model_keep(m, clv_strndup(shape, n));
        Onnx__TensorShapeProto__Dimension *d = MODEL_NEW(m, Onnx__TensorShapeProto__Dimension,
                                                         onnx__tensor_shape_proto__dimension__init);
        char *end;
        d->dim_value = strtol(dim, &end, 10);
        d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        if (*end) {
            d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
            d->dim_param = dim;
        }
        model_add(m, &s->dim, &s->n_dim, d);
        shape += n + (shape[n] == ',');
    }
    return v;
}

MODEL_FN void model_input(model *m, const char *name, int type, const char *shape)
{
    model_add(m, &m->graph.input, &m->graph.n_input, model_value(m, name, type, shape));
}

MODEL_FN void model_output(model *m, const char *name, int type, const char *shape)
{
    model_add(m, &m->graph.output, &m->graph.n_output, model_value(m, name, type, shape));
}

MODEL_FN Onnx__TensorProto *model_tensor(model *m, const char *name, int type, const char *shape,
                                         const void *data, size_t element_bytes)
{
    Onnx__TensorProto *t = MODEL_NEW(m, Onnx__TensorProto, onnx__tensor_proto__init);
    t->name = model_text(m, name);
    t->has_data_type = 1;
    t->data_type = type;
    t->dims = model_keep(m, clv_alloc_array(16, sizeof *t->dims));
    size_t count = 1;
    for (char *end; *shape; shape = end + (*end == ',')) {
        t->dims[t->n_dims] = strtol(shape, &end, 10);
        count *= (size_t)t->dims[t->n_dims++];
    }
    t->has_raw_data = 1;
    t->raw_data.len = count * element_bytes;
    t->raw_data.data = model_keep(m, clv_alloc(t->raw_data.len));
    if (data) memcpy(t->raw_data.data, data, t->raw_data.len);
    return t;
}

/* Random normal weights, He-scaled by the product of all dimensions but the first. */
MODEL_FN Onnx__TensorProto *model_weights(model *m, const char *name, uint64_t seed,
                                          const char *shape)
{
    Onnx__TensorProto *t = model_tensor(m, name, ONNX_F32, shape, NULL, 4);
    clv_rng rng = clv_rng_seeded(seed);
    double fan = 1;
    for (size_t i = 1; i < t->n_dims; i++) fan *= (double)t->dims[i];
    for (size_t i = 0; i < t->raw_data.len; i += 4) {
        float value = (float)(clv_rng_normal(&rng) * sqrt(2 / fan));
        memcpy(t->raw_data.data + i, &value, 4);
    }
    model_add(m, &m->graph.initializer, &m->graph.n_initializer, t);
    return t;
}

/* An INT64 initialiser from text: "1,-1". A shape of "" with one value makes a scalar. */
MODEL_FN void model_ints(model *m, const char *name, const char *shape, const char *values)
{
    int64_t list[64];
    size_t n = 0;
    for (char *end; *values; values = end + (*end == ',')) list[n++] = strtol(values, &end, 10);
    model_add(m, &m->graph.initializer, &m->graph.n_initializer,
              model_tensor(m, name, ONNX_I64, shape, list, 8));
}

MODEL_FN Onnx__AttributeProto *model_attribute(model *m, const char *name)
{
    Onnx__AttributeProto *a = MODEL_NEW(m, Onnx__AttributeProto, onnx__attribute_proto__init);
    a->name = model_text(m, name);
    a->has_type = 1;
    return a;
}

MODEL_FN void model_parse_attribute(model *m, Onnx__AttributeProto *a, const char *value)
{
    if (strchr(value, ',')) {
        a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
        a->ints = model_keep(m, clv_alloc_array(32, sizeof *a->ints));
        for (char *end; *value; value = end + (*end == ','))
            a->ints[a->n_ints++] = strtol(value, &end, 10);
    } else if (strspn(value, "-0123456789") == strlen(value)) {
        a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
        a->has_i = 1;
        a->i = strtol(value, NULL, 10);
    } else if (strspn(value, "-0123456789.e") == strlen(value)) {
        a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
        a->has_f = 1;
        a->f = strtof(value, NULL);
    } else {
        a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
        a->has_s = 1;
        a->s.data = (uint8_t *)model_text(m, value);
        a->s.len = strlen(value);
    }
}

MODEL_FN void model_names(model *m, const char *text, char ***names, size_t *n)
{
    for (; text && *text;) {
        size_t length = strcspn(text, ",");
        model_add(m, names, n, model_keep(m, clv_strndup(text, length)));
        text += length + (text[length] == ',');
    }
}

/* Nodes go to the graph; their name is "op_<first output>". */
MODEL_FN Onnx__NodeProto *model_node(model *m, const char *op, const char *inputs,
                                     const char *outputs, const char *attributes)
{
    Onnx__NodeProto *n = MODEL_NEW(m, Onnx__NodeProto, onnx__node_proto__init);
    n->op_type = model_text(m, op);
    model_names(m, inputs, &n->input, &n->n_input);
    model_names(m, outputs, &n->output, &n->n_output);
    n->name = model_keep(m, clv_format("op_%s", n->output[0]));
    while (attributes && *attributes) {
        size_t length = strcspn(attributes, ";"), name_length = strcspn(attributes, "=");
        char *name = model_keep(m, clv_strndup(attributes, name_length));
        char *value =
            model_keep(m, clv_strndup(attributes + name_length + 1, length - name_length - 1));
        Onnx__AttributeProto *a = model_attribute(m, name);
        model_parse_attribute(m, a, value);
        model_add(m, &n->attribute, &n->n_attribute, a);
        attributes += length + (attributes[length] == ';');
    }
    model_add(m, &m->graph.node, &m->graph.n_node, n);
    return n;
}

/* Give `parent` a sub-graph as attribute: made with a second model, which must live as long. */
MODEL_FN void model_subgraph(model *m, Onnx__NodeProto *parent, const char *name, model *body)
{
    Onnx__AttributeProto *a = model_attribute(m, name);
    a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH;
    a->g = &body->graph;
    model_add(m, &parent->attribute, &parent->n_attribute, a);
}

/* Serialised; owned by the model. */
MODEL_FN uint8_t *model_bytes(model *m, size_t *n)
{
    *n = onnx__model_proto__get_packed_size(&m->proto);
    uint8_t *bytes = model_keep(m, clv_alloc(*n));
    onnx__model_proto__pack(&m->proto, bytes);
    return bytes;
}

MODEL_FN void model_write(model *m, const char *path)
{
    size_t n;
    uint8_t *bytes = model_bytes(m, &n);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

#endif
