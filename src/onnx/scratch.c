#include "onnx/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void clv_scratch_done(clv_scratch *s)
{
    for (size_t i = 0; i < s->n; i++) free(s->items[i]);
    free(s->items);
    *s = (clv_scratch){0};
}

static void *keep(clv_scratch *s, void *p)
{
    clv_grow(&s->items, &s->cap, s->n + 1, sizeof *s->items);
    return s->items[s->n++] = p;
}

void *clv_scratch_alloc(clv_scratch *s, size_t n, size_t size)
{
    return keep(s, clv_alloc_array(n, size));
}

void *clv_scratch_copy(clv_scratch *s, const void *from, size_t bytes)
{
    void *to = clv_scratch_alloc(s, bytes, 1);
    if (bytes) memcpy(to, from, bytes);
    return to;
}

char *clv_scratch_text(clv_scratch *s, const char *fmt, ...)
{
    char text[CLV_NAME_MAX + 64];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return keep(s, clv_strdup(text));
}

static Onnx__TensorShapeProto *make_shape(clv_scratch *s, const clv_shape *shape,
                                          const char *const *dim_names)
{
    Onnx__TensorShapeProto *to = clv_scratch_alloc(s, 1, sizeof *to);
    onnx__tensor_shape_proto__init(to);
    to->n_dim = (size_t)shape->rank;
    to->dim = clv_scratch_alloc(s, to->n_dim, sizeof *to->dim);
    for (int i = 0; i < shape->rank; i++) {
        Onnx__TensorShapeProto__Dimension *d = clv_scratch_alloc(s, 1, sizeof *d);
        onnx__tensor_shape_proto__dimension__init(d);
        to->dim[i] = d;
        if (shape->dim[i] >= 0) {
            d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
            d->dim_value = shape->dim[i];
        } else if (dim_names && dim_names[i]) {
            d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
            d->dim_param = clv_scratch_text(s, "%s", dim_names[i]);
        }
    }
    return to;
}

Onnx__ValueInfoProto *clv_scratch_value(clv_scratch *s, const char *name, clv_dtype dtype,
                                        const clv_shape *shape, const char *const *dim_names)
{
    Onnx__ValueInfoProto *v = clv_scratch_alloc(s, 1, sizeof *v);
    onnx__value_info_proto__init(v);
    v->name = (char *)(uintptr_t)name;
    if (!dtype) return v;
    v->type = clv_scratch_alloc(s, 1, sizeof *v->type);
    onnx__type_proto__init(v->type);
    v->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    v->type->tensor_type = clv_scratch_alloc(s, 1, sizeof *v->type->tensor_type);
    onnx__type_proto__tensor__init(v->type->tensor_type);
    v->type->tensor_type->has_elem_type = 1;
    v->type->tensor_type->elem_type = clv_dtype_onnx(dtype);
    if (shape->rank >= 0) v->type->tensor_type->shape = make_shape(s, shape, dim_names);
    return v;
}

clv_status clv_scratch_pack(const Onnx__ModelProto *m, void **bytes, size_t *n, clv_error *err)
{
    size_t size = onnx__model_proto__get_packed_size(m);
    void *out = size <= CLV_SCRATCH_BYTES_MAX ? clv_try_alloc(size) : NULL;
    if (!out) return clv_fail(err, CLV_ELIMIT, "no memory for %zu bytes of model structure", size);
    *n = onnx__model_proto__pack(m, out);
    *bytes = out;
    return CLV_OK;
}
