#include "base/mem.h"
#include "engine/ort_priv.h"
#include "engine/session.h"

#include <stdlib.h>
#include <string.h>

/* ---- declared inputs and outputs ---- */

static clv_status read_tensor_info(const OrtApi *api, const OrtTypeInfo *type,
                                   clv_tensor_spec *spec, clv_error *err)
{
    const OrtTensorTypeAndShapeInfo *info = NULL;
    ORT_TRY(api, api->CastTypeInfoToTensorInfo(type, &info), spec->name, err);
    if (!info)
        return clv_fail(err, CLV_EUNSUPPORTED, "'%s' is not a tensor: only tensors can be passed",
                        spec->name);
    ONNXTensorElementDataType element;
    size_t rank;
    ORT_TRY(api, api->GetTensorElementType(info, &element), spec->name, err);
    ORT_TRY(api, api->GetDimensionsCount(info, &rank), spec->name, err);
    spec->dtype = clv_dtype_from_onnx((int)element);
    if (!spec->dtype)
        return clv_fail(err, CLV_EUNSUPPORTED, "'%s': element type %d of ONNX is not supported",
                        spec->name, element);
    if (rank > CLV_RANK_MAX)
        return clv_fail(err, CLV_ELIMIT, "'%s': rank %zu, the limit is %d", spec->name, rank,
                        CLV_RANK_MAX);
    spec->shape.rank = api->TensorTypeAndShape_HasShape(info) ? (int)rank : -1;
    ORT_TRY(api, api->GetDimensions(info, spec->shape.dim, rank), spec->name, err);
    return CLV_OK;
}

typedef OrtStatus *(ORT_API_CALL *name_fn)(const OrtSession *, size_t, OrtAllocator *, char **);
typedef OrtStatus *(ORT_API_CALL *type_fn)(const OrtSession *, size_t, OrtTypeInfo **);

static clv_status read_spec(ort_session *s, name_fn get_name, type_fn get_type, size_t i,
                            clv_tensor_spec *spec, clv_error *err)
{
    const OrtApi *api = s->engine->api;
    OrtAllocator *allocator;
    char *name;
    OrtTypeInfo *type;
    ORT_TRY(api, api->GetAllocatorWithDefaultOptions(&allocator), "names", err);
    ORT_TRY(api, get_name(s->session, i, allocator, &name), "names", err);
    spec->name = clv_strdup(name);
    ORT_TRY(api, api->AllocatorFree(allocator, name), "names", err);
    ORT_TRY(api, get_type(s->session, i, &type), spec->name, err);
    clv_status status = read_tensor_info(api, type, spec, err);
    api->ReleaseTypeInfo(type);
    return status;
}

static clv_status read_ports(ort_session *s, name_fn get_name, type_fn get_type, size_t n,
                             clv_tensor_spec **specs, size_t *n_specs, const char ***names,
                             clv_error *err)
{
    if (n > CLV_SESSION_PORTS_MAX)
        return clv_fail(err, CLV_ELIMIT, "%zu inputs or outputs, the limit is %d", n,
                        CLV_SESSION_PORTS_MAX);
    *specs = clv_alloc_array(n, sizeof **specs);
    *names = clv_alloc_array(n, sizeof **names);
    *n_specs = n;
    for (size_t i = 0; i < n; i++) {
        clv_status status = read_spec(s, get_name, get_type, i, &(*specs)[i], err);
        if (status) return status;
        (*names)[i] = (*specs)[i].name;
    }
    return CLV_OK;
}

static clv_status read_interface(ort_session *s, clv_error *err)
{
    const OrtApi *api = s->engine->api;
    size_t inputs, outputs;
    ORT_TRY(api, api->SessionGetInputCount(s->session, &inputs), "inputs", err);
    ORT_TRY(api, api->SessionGetOutputCount(s->session, &outputs), "outputs", err);
    clv_status status =
        read_ports(s, api->SessionGetInputName, api->SessionGetInputTypeInfo, inputs,
                   &s->base.inputs, &s->base.n_inputs, &s->input_names, err);
    if (status) return status;
    return read_ports(s, api->SessionGetOutputName, api->SessionGetOutputTypeInfo, outputs,
                      &s->base.outputs, &s->base.n_outputs, &s->output_names, err);
}

/* ---- tensors in ---- */

/* Fill a text value from the serialisation that clv_tensor_check() has found sound. */
static OrtStatus *fill_text(const OrtApi *api, const clv_tensor *t, OrtValue *value)
{
    const unsigned char *p = t->data, *end = p + t->bytes;
    for (size_t i = 0; p < end; i++) {
        size_t n = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
        char *to;
        OrtStatus *status = api->GetResizedStringTensorElementBuffer(value, i, n, &to);
        if (status) return status;
        if (n) memcpy(to, p + 4, n);
        p += 4 + n;
    }
    return NULL;
}

static bool is_aligned(const clv_tensor *t)
{
    size_t size = clv_dtype_bytes(t->dtype);
    return size <= 1 || (uintptr_t)t->data % size == 0;
}

/* A value over the tensor's own memory; text and unaligned elements are copied. */
static clv_status wrap(ort_engine *e, const clv_tensor *t, OrtValue **value, clv_error *err)
{
    const OrtApi *api = e->api;
    ONNXTensorElementDataType type = (ONNXTensorElementDataType)clv_dtype_onnx(t->dtype);
    size_t rank = (size_t)t->shape.rank;
    if (t->dtype != CLV_TEXT && is_aligned(t)) {
        static const uint64_t nothing; /* an address for tensors without elements */
        void *data = t->bytes ? t->data : (void *)(uintptr_t)&nothing;
        return clv_ort_check(api,
                             api->CreateTensorWithDataAsOrtValue(e->cpu, data, t->bytes,
                                                                 t->shape.dim, rank, type, value),
                             t->name, err);
    }
    OrtAllocator *allocator;
    void *to;
    ORT_TRY(api, api->GetAllocatorWithDefaultOptions(&allocator), "memory", err);
    ORT_TRY(api, api->CreateTensorAsOrtValue(allocator, t->shape.dim, rank, type, value), t->name,
            err);
    if (t->dtype == CLV_TEXT) return clv_ort_check(api, fill_text(api, t, *value), t->name, err);
    ORT_TRY(api, api->GetTensorMutableData(*value, &to), t->name, err);
    memcpy(to, t->data, t->bytes);
    return CLV_OK;
}

/* ---- tensors out ---- */

typedef struct output_owner {
    const OrtApi *api;
    OrtValue *value;
} output_owner;

static void release_output(void *owner)
{
    output_owner *o = owner;
    o->api->ReleaseValue(o->value);
    free(o);
}

static clv_status read_text(const OrtApi *api, OrtValue *value, clv_tensor *t, clv_error *err)
{
    size_t count, length;
    clv_status status = clv_shape_count(&t->shape, &count, err);
    if (status) return status;
    ORT_TRY(api, api->GetStringTensorDataLength(value, &length), t->name, err);
    t->bytes = length + 4 * count;
    unsigned char *p = t->data = clv_try_alloc(t->bytes);
    if (!p) return clv_fail(err, CLV_ELIMIT, "'%s': no memory for %zu bytes", t->name, t->bytes);
    t->release = free;
    t->owner = p;
    for (size_t i = 0; i < count; i++) {
        size_t n;
        ORT_TRY(api, api->GetStringTensorElementLength(value, i, &n), t->name, err);
        for (int b = 0; b < 4; b++) p[b] = (unsigned char)(n >> (8 * b));
        ORT_TRY(api, api->GetStringTensorElement(value, n, i, p + 4), t->name, err);
        p += 4 + n;
    }
    return CLV_OK;
}

static clv_status read_shape(const OrtApi *api, const OrtValue *value, clv_tensor *t,
                             clv_error *err)
{
    OrtTensorTypeAndShapeInfo *info;
    ORT_TRY(api, api->GetTensorTypeAndShape(value, &info), t->name, err);
    ONNXTensorElementDataType element;
    size_t rank = 0;
    OrtStatus *s = api->GetTensorElementType(info, &element);
    if (!s) s = api->GetDimensionsCount(info, &rank);
    if (!s && rank <= CLV_RANK_MAX) s = api->GetDimensions(info, t->shape.dim, rank);
    api->ReleaseTensorTypeAndShapeInfo(info);
    if (s) return clv_ort_check(api, s, t->name, err);
    if (rank > CLV_RANK_MAX)
        return clv_fail(err, CLV_ELIMIT, "output '%s': rank %zu, the limit is %d", t->name, rank,
                        CLV_RANK_MAX);
    t->shape.rank = (int)rank;
    t->dtype = clv_dtype_from_onnx((int)element);
    return CLV_OK;
}

/* Takes `value`, also on failure. The tensor's memory is ONNX Runtime's. */
static clv_status unwrap(const OrtApi *api, const char *name, OrtValue *value, clv_tensor *t,
                         clv_error *err)
{
    *t = (clv_tensor){.name = clv_strdup(name)};
    clv_status status = read_shape(api, value, t, err);
    if (!status && t->dtype == CLV_TEXT) {
        status = read_text(api, value, t, err);
        api->ReleaseValue(value);
        return status;
    }
    OrtStatus *s = status ? NULL : api->GetTensorSizeInBytes(value, &t->bytes);
    if (!status && !s) s = api->GetTensorMutableData(value, &t->data);
    if (s) status = clv_ort_check(api, s, name, err);
    output_owner *owner = clv_alloc(sizeof *owner);
    *owner = (output_owner){.api = api, .value = value};
    t->release = release_output;
    t->owner = owner;
    return status;
}

static clv_status collect(ort_session *s, OrtValue **values, clv_tensors *outputs, clv_error *err)
{
    clv_status status = CLV_OK;
    size_t kept = outputs->n;
    for (size_t i = 0; i < s->base.n_outputs; i++) {
        if (status) {
            s->engine->api->ReleaseValue(values[i]);
            continue;
        }
        clv_tensor t;
        status = unwrap(s->engine->api, s->output_names[i], values[i], &t, err);
        if (status)
            clv_tensor_done(&t);
        else
            clv_tensors_add(outputs, t);
    }
    while (status && outputs->n > kept) clv_tensor_done(&outputs->items[--outputs->n]);
    return status;
}

/* ---- run ---- */

static clv_status ort_run(clv_session *base, const clv_tensor *inputs, size_t n,
                          clv_tensors *outputs, clv_error *err)
{
    ort_session *s = (ort_session *)base;
    const OrtApi *api = s->engine->api;
    CLV_AUTO(clv_free)
    const clv_tensor **matched = clv_alloc_array(base->n_inputs, sizeof *matched);
    CLV_AUTO(clv_free) OrtValue **in = clv_alloc_array(base->n_inputs, sizeof *in);
    CLV_AUTO(clv_free) OrtValue **out = clv_alloc_array(base->n_outputs, sizeof *out);
    clv_status status = clv_session_match(base, inputs, n, matched, err);
    for (size_t i = 0; i < base->n_inputs && !status; i++)
        status = wrap(s->engine, matched[i], &in[i], err);
    if (!status)
        status =
            clv_ort_check(api,
                          api->Run(s->session, NULL, s->input_names, (const OrtValue *const *)in,
                                   base->n_inputs, s->output_names, base->n_outputs, out),
                          "running", err);
    for (size_t i = 0; i < base->n_inputs; i++)
        if (in[i]) api->ReleaseValue(in[i]);
    return status ? status : collect(s, out, outputs, err);
}

static void ort_session_free(clv_session *base)
{
    ort_session *s = (ort_session *)base;
    const OrtApi *api = s->engine->api;
    api->ReleaseSession(s->session);
    for (size_t i = 0; i < s->n_weights; i++) api->ReleaseValue(s->weights[i]);
    free(s->weights);
    clv_specs_free(base->inputs, base->n_inputs);
    clv_specs_free(base->outputs, base->n_outputs);
    free(s->input_names);
    free(s->output_names);
    free(s);
}

static const clv_session_ops ort_session_ops = {.run = ort_run, .free = ort_session_free};

clv_status clv_ort_session_new(ort_engine *e, OrtSession *session, OrtValue **weights,
                               size_t n_weights, clv_session **out, clv_error *err)
{
    ort_session *s = clv_alloc(sizeof *s);
    *s = (ort_session){.base.ops = &ort_session_ops,
                       .engine = e,
                       .session = session,
                       .weights = weights,
                       .n_weights = n_weights};
    clv_status status = read_interface(s, err);
    if (status)
        ort_session_free(&s->base);
    else
        *out = &s->base;
    return status;
}
