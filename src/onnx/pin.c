/* Free dimensions get values: what the engine needs to fold shape arithmetic and to say what the units are. */
#include "onnx/onnx_priv.h"
#include "onnx/scratch.h"

#include <stdlib.h>
#include <string.h>

typedef Onnx__TensorShapeProto__Dimension dimension;

typedef struct pinning {
    const clv_onnx *m;
    const clv_pin *pin;
    clv_names batch_names; /* of first axes that are free */
    clv_scratch scratch;
    clv_error *err;
} pinning;

static const char *free_name(const dimension *d)
{
    bool named = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
    return named && d->dim_param ? d->dim_param : "";
}

static bool is_free(const dimension *d)
{
    return d->value_case != ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE ||
           d->dim_value <= 0;
}

static const Onnx__TensorShapeProto *shape_of(const Onnx__ValueInfoProto *v)
{
    if (!v->type || v->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE) return NULL;
    return v->type->tensor_type->shape;
}

bool clv_onnx_has_batch(const clv_onnx *m)
{
    const Onnx__GraphProto *g = m->proto->graph;
    for (size_t i = 0; i < g->n_input; i++) {
        const Onnx__TensorShapeProto *s = shape_of(g->input[i]);
        if (s && s->n_dim && is_free(s->dim[0])) return true;
    }
    return false;
}

/* The value of "key=value" among the given dimensions; 0: not given. */
static int64_t given(const clv_pin *pin, const char *key)
{
    size_t length = strlen(key);
    for (size_t i = 0; i < pin->n_dims && length; i++)
        if (strncmp(pin->dims[i], key, length) == 0 && pin->dims[i][length] == '=') {
            char *end;
            long long value = strtoll(pin->dims[i] + length + 1, &end, 10);
            return !*end && value > 0 ? value : 0;
        }
    return 0;
}

/* The value of a free dimension; 0: none is known. */
static int64_t value_of(pinning *p, const char *tensor, size_t axis, const dimension *d, bool input)
{
    const char *name = free_name(d);
    int64_t value = given(p->pin, name);
    if (!value && tensor)
        value = given(p->pin, clv_scratch_text(&p->scratch, "%s:%zu", tensor, axis));
    if (value) return value;
    bool batch = (input && axis == 0) || (*name && clv_names_get(&p->batch_names, name) >= 0);
    return batch ? p->pin->batch : 0;
}

/* A copy of `v` with its free dimensions set. Outputs and inner tensors may keep some: the engine infers them. */
static clv_status pin_value(pinning *p, const Onnx__ValueInfoProto *v, bool input,
                            Onnx__ValueInfoProto **out)
{
    const Onnx__TensorShapeProto *s = shape_of(v);
    *out = clv_scratch_copy(&p->scratch, v, sizeof *v);
    if (!s) return CLV_OK;
    Onnx__TypeProto *type = (*out)->type = clv_scratch_copy(&p->scratch, v->type, sizeof *v->type);
    type->tensor_type = clv_scratch_copy(&p->scratch, type->tensor_type, sizeof *type->tensor_type);
    Onnx__TensorShapeProto *to = type->tensor_type->shape =
        clv_scratch_copy(&p->scratch, s, sizeof *s);
    to->dim = clv_scratch_copy(&p->scratch, s->dim, s->n_dim * sizeof *s->dim);
    for (size_t i = 0; i < s->n_dim; i++) {
        if (!is_free(s->dim[i])) continue;
        int64_t value = value_of(p, v->name, i, s->dim[i], input);
        if (!value && input)
            return clv_fail(p->err, CLV_EUNSUPPORTED,
                            "input '%s': dimension %zu%s%s is free; give it a value: --dim %s=N",
                            v->name, i, *free_name(s->dim[i]) ? " " : "", free_name(s->dim[i]),
                            *free_name(s->dim[i])
                                ? free_name(s->dim[i])
                                : clv_scratch_text(&p->scratch, "%s:%zu", v->name, i));
        if (!value) continue;
        dimension *d = clv_scratch_copy(&p->scratch, s->dim[i], sizeof *d);
        d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        d->dim_value = value;
        to->dim[i] = d;
    }
    return CLV_OK;
}

static clv_status pin_list(pinning *p, Onnx__ValueInfoProto **from, size_t n, bool input,
                           Onnx__ValueInfoProto ***to)
{
    *to = clv_scratch_alloc(&p->scratch, n, sizeof **to);
    clv_status status = CLV_OK;
    for (size_t i = 0; i < n && !status; i++) status = pin_value(p, from[i], input, &(*to)[i]);
    return status;
}

static void find_batch_names(pinning *p)
{
    const Onnx__GraphProto *g = p->m->proto->graph;
    for (size_t i = 0; i < g->n_input; i++) {
        const Onnx__TensorShapeProto *s = shape_of(g->input[i]);
        if (s && s->n_dim && is_free(s->dim[0]) && *free_name(s->dim[0]))
            clv_names_set(&p->batch_names, free_name(s->dim[0]), 1);
    }
}

/* Every tensor that nodes make and nobody declares gets an entry: the engine fills in its type. */
static void name_all_values(pinning *p, Onnx__GraphProto *g)
{
    clv_names declared = {0};
    for (size_t i = 0; i < g->n_value_info; i++)
        if (g->value_info[i]->name) clv_names_set(&declared, g->value_info[i]->name, 0);
    for (size_t i = 0; i < g->n_output; i++) clv_names_set(&declared, g->output[i]->name, 0);
    Onnx__ValueInfoProto **list =
        clv_scratch_alloc(&p->scratch, g->n_value_info + p->m->n_values, sizeof *list);
    if (g->n_value_info) memcpy(list, g->value_info, g->n_value_info * sizeof *list);
    g->value_info = list;
    for (size_t i = 0; i < p->m->n_values; i++) {
        const clv_value *v = &p->m->values[i];
        if (v->kind == CLV_VALUE_NODE && clv_names_get(&declared, v->name) < 0)
            list[g->n_value_info++] =
                clv_scratch_value(&p->scratch, v->name, CLV_DTYPE_NONE, NULL, NULL);
    }
    clv_names_done(&declared);
}

static clv_status pin_model(pinning *p, void **bytes, size_t *n)
{
    Onnx__ModelProto model = *p->m->proto;
    Onnx__GraphProto g = *model.graph;
    model.graph = &g;
    find_batch_names(p);
    clv_status status = pin_list(p, g.input, g.n_input, true, &g.input);
    if (!status) status = pin_list(p, g.output, g.n_output, false, &g.output);
    if (!status) status = pin_list(p, g.value_info, g.n_value_info, false, &g.value_info);
    if (status) return status;
    name_all_values(p, &g);
    return clv_scratch_pack(&model, bytes, n, p->err);
}

clv_status clv_onnx_pin(const clv_onnx *m, const clv_pin *pin, void **bytes, size_t *n,
                        clv_error *err)
{
    pinning p = {.m = m, .pin = pin, .err = err};
    clv_status status = CLV_OK;
    for (size_t i = 0; i < pin->n_dims && !status; i++) {
        const char *equals = strchr(pin->dims[i], '=');
        char *end = NULL;
        if (!equals || equals == pin->dims[i] || strtoll(equals + 1, &end, 10) <= 0 || *end)
            status =
                clv_fail(err, CLV_EINVAL,
                         "dimension '%s': expected name=value with a value above 0", pin->dims[i]);
    }
    if (!status) status = pin_model(&p, bytes, n);
    clv_names_done(&p.batch_names);
    clv_scratch_done(&p.scratch);
    return status;
}
