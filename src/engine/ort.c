#include "engine/ort_priv.h"

#include "base/buf.h"

#include <onnxruntime_session_options_config_keys.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

clv_status clv_ort_check(const OrtApi *api, OrtStatus *status, const char *what, clv_error *err)
{
    if (!status) return CLV_OK;
    OrtErrorCode code = api->GetErrorCode(status);
    clv_status as = code == ORT_NOT_IMPLEMENTED ? CLV_EUNSUPPORTED : CLV_EENGINE;
    as = clv_fail(err, as, "%s: ONNX Runtime: %s", what, api->GetErrorMessage(status));
    api->ReleaseStatus(status);
    return as;
}

/* ---- session options ---- */

static clv_status set_config(const OrtApi *api, OrtSessionOptions *o, const char *key,
                             const char *value, clv_error *err)
{
    return clv_ort_check(api, api->AddSessionConfigEntry(o, key, value), key, err);
}

static clv_status append_cuda(const ort_engine *e, OrtSessionOptions *o, clv_error *err)
{
    char number[16];
    snprintf(number, sizeof number, "%d", e->cuda);
    const char *key = "device_id", *value = number;
    OrtCUDAProviderOptionsV2 *cuda = NULL;
    ORT_TRY(e->api, e->api->CreateCUDAProviderOptions(&cuda), "CUDA options", err);
    OrtStatus *status = e->api->UpdateCUDAProviderOptions(cuda, &key, &value, 1);
    if (!status) status = e->api->SessionOptionsAppendExecutionProvider_CUDA_V2(o, cuda);
    e->api->ReleaseCUDAProviderOptions(cuda);
    return clv_ort_check(e->api, status, "CUDA", err);
}

clv_status clv_ort_fill_options(const ort_engine *e, const clv_source *source, OrtSessionOptions *o,
                                GraphOptimizationLevel level, clv_error *err)
{
    const OrtApi *api = e->api;
    ORT_TRY(api, api->SetIntraOpNumThreads(o, e->threads), "threads", err);
    ORT_TRY(api, api->SetInterOpNumThreads(o, 1), "threads", err);
    ORT_TRY(api, api->SetSessionLogSeverityLevel(o, ORT_LOGGING_LEVEL_FATAL), "log", err);
    ORT_TRY(api, api->SetSessionGraphOptimizationLevel(o, level), "level", err);
    clv_status status =
        set_config(api, o, kOrtSessionOptionsConfigAllowIntraOpSpinning, e->spin ? "1" : "0", err);
    if (!status && source->folder)
        status = set_config(api, o, kOrtSessionOptionsModelExternalInitializersFileFolderPath,
                            source->folder, err);
    if (!status && source->fast_load)
        status = set_config(api, o, kOrtSessionOptionsConfigDisablePrepacking, "1", err);
    if (!status && e->cuda >= 0) status = append_cuda(e, o, err);
    return status;
}

/* ---- the optimised graph ---- */

/* What a graph is asked for: its bytes, or which weights it still refers to unchanged. */
typedef struct graph_sink {
    const OrtApi *api;
    clv_buf *model;           /* NULL: bytes not wanted */
    const clv_source *source; /* weights to look for */
    bool *unchanged;          /* one for each of source->weights; NULL: not wanted */
    bool over;
} graph_sink;

static OrtStatus *ORT_API_CALL on_bytes(void *state, const void *bytes, size_t n)
{
    graph_sink *sink = state;
    if (!sink->model) return NULL;
    sink->over = sink->over || n > CLV_ORT_OPTIMISED_BYTES_MAX - sink->model->len;
    if (sink->over)
        return sink->api->CreateStatus(ORT_FAIL, "the optimised graph is over the limit");
    clv_buf_add(sink->model, bytes, n);
    return NULL;
}

static const clv_weight *find_weight(const clv_source *source, const char *name)
{
    for (size_t i = 0; i < source->n_weights; i++)
        if (strcmp(source->weights[i].name, name) == 0) return &source->weights[i];
    return NULL;
}

/* The initialiser still comes from the file, and has the shape that it had there. */
static bool is_unchanged(const OrtApi *api, const clv_weight *w, const OrtValue *value)
{
    OrtTensorTypeAndShapeInfo *info = NULL;
    OrtStatus *status = api->GetTensorTypeAndShape(value, &info);
    clv_shape shape = {0};
    size_t rank = 0;
    if (!status) status = api->GetDimensionsCount(info, &rank);
    bool fits = !status && rank <= CLV_RANK_MAX;
    if (fits) status = api->GetDimensions(info, shape.dim, rank);
    shape.rank = fits ? (int)rank : 0;
    fits = fits && !status && clv_shape_equal(&shape, &w->shape);
    if (status) api->ReleaseStatus(status);
    if (info) api->ReleaseTensorTypeAndShapeInfo(info);
    return fits;
}

enum { INLINE_BYTES_MAX = 1 << 20 };

static OrtStatus *ORT_API_CALL on_initializer(void *state, const char *name, const OrtValue *value,
                                              const OrtExternalInitializerInfo *from,
                                              OrtExternalInitializerInfo **to)
{
    graph_sink *sink = state;
    const OrtApi *api = sink->api;
    *to = NULL;
    const clv_weight *w = sink->unchanged && from ? find_weight(sink->source, name) : NULL;
    if (w) sink->unchanged[w - sink->source->weights] = is_unchanged(api, w, value);
    if (from)
        return api->CreateExternalInitializerInfo(api->ExternalInitializerInfo_GetFilePath(from),
                                                  api->ExternalInitializerInfo_GetFileOffset(from),
                                                  api->ExternalInitializerInfo_GetByteSize(from),
                                                  to);
    size_t bytes = 0;
    OrtStatus *status = api->GetTensorSizeInBytes(value, &bytes);
    if (status) { /* text: stays inside */
        api->ReleaseStatus(status);
        return NULL;
    }
    if (bytes <= INLINE_BYTES_MAX && sink->model) return NULL;
    return api->CreateExternalInitializerInfo(CLV_ENGINE_OMITTED, 0, bytes, to);
}

static clv_status write_graph(ort_engine *e, const clv_source *source, GraphOptimizationLevel level,
                              graph_sink *sink, clv_error *err)
{
    const OrtApi *api = e->api;
    const OrtCompileApi *compiler = api->GetCompileApi();
    clv_source light = *source;
    light.fast_load = true; /* nothing will be run */
    OrtSessionOptions *o = NULL;
    OrtModelCompilationOptions *c = NULL;
    ORT_TRY(api, api->CreateSessionOptions(&o), "options", err);
    clv_status status = clv_ort_fill_options(e, &light, o, level, err);
    if (!status) {
        OrtStatus *s = compiler->CreateModelCompilationOptionsFromSessionOptions(e->env, o, &c);
        if (!s)
            s = compiler->ModelCompilationOptions_SetInputModelFromBuffer(c, source->model,
                                                                          source->model_bytes);
        if (!s) s = compiler->ModelCompilationOptions_SetGraphOptimizationLevel(c, level);
        if (!s) s = compiler->ModelCompilationOptions_SetOutputModelWriteFunc(c, on_bytes, sink);
        if (!s)
            s = compiler->ModelCompilationOptions_SetOutputModelGetInitializerLocationFunc(
                c, on_initializer, sink);
        if (!s) s = compiler->CompileModel(e->env, c);
        status = clv_ort_check(api, s, "optimising", err);
    }
    if (c) compiler->ReleaseModelCompilationOptions(c);
    api->ReleaseSessionOptions(o);
    return status;
}

static clv_status ort_optimise(clv_engine *base, const clv_source *source, void **model,
                               size_t *bytes, clv_error *err)
{
    ort_engine *e = (ort_engine *)base;
    clv_buf text = {0};
    graph_sink sink = {.api = e->api, .model = &text, .source = source};
    clv_status status = write_graph(e, source, ORT_ENABLE_EXTENDED, &sink, err);
    if (status) {
        clv_buf_done(&text);
        return sink.over ? clv_fail(err, CLV_ELIMIT, "the optimised graph has more than %zu bytes",
                                    CLV_ORT_OPTIMISED_BYTES_MAX)
                         : status;
    }
    *bytes = text.len;
    *model = clv_buf_take(&text);
    return CLV_OK;
}

/* ---- compile ---- */

static clv_status add_weight(ort_engine *e, OrtSessionOptions *o, const clv_weight *w,
                             OrtValue **value, clv_error *err)
{
    const OrtApi *api = e->api;
    void *data = (void *)(uintptr_t)w->data; /* ONNX Runtime only reads initialisers */
    ORT_TRY(api,
            api->CreateTensorWithDataAsOrtValue(
                e->cpu, data, w->bytes, w->shape.dim, (size_t)w->shape.rank,
                (ONNXTensorElementDataType)clv_dtype_onnx(w->dtype), value),
            w->name, err);
    return clv_ort_check(api, api->AddInitializer(o, w->name, *value), w->name, err);
}

/* Only the processor can use weights where they are, only repacked ones are worth sharing (those of
 * matrix products: the filters of convolutions are rewritten before), and asking what survives
 * costs as much as optimising once more. */
static bool shares_weights(const ort_engine *e, const clv_source *source)
{
    size_t bytes = 0;
    for (size_t i = 0; i < source->n_weights; i++)
        if (source->weights[i].shape.rank < 4) bytes += source->weights[i].bytes;
    return bytes >= CLV_ORT_SHARED_BYTES_MIN && source->pool && !source->fast_load && e->cuda < 0;
}

static clv_status add_weights(ort_engine *e, const clv_source *source, OrtSessionOptions *o,
                              OrtValue **values, size_t *n, clv_error *err)
{
    CLV_AUTO(clv_free) bool *unchanged = clv_alloc_array(source->n_weights, sizeof *unchanged);
    graph_sink sink = {.api = e->api, .source = source, .unchanged = unchanged};
    clv_status status = write_graph(e, source, ORT_ENABLE_ALL, &sink, err);
    for (size_t i = 0; i < source->n_weights && !status; i++) {
        if (!unchanged[i]) continue;
        status = add_weight(e, o, &source->weights[i], &values[*n], err);
        if (values[*n]) (*n)++;
    }
    return status;
}

clv_status clv_ort_create(ort_engine *e, const clv_source *source, OrtSessionOptions *o,
                          OrtSession **session, clv_error *err)
{
    const OrtApi *api = e->api;
    OrtStatus *s = source->pool ? api->CreateSessionFromArrayWithPrepackedWeightsContainer(
                                      e->env, source->model, source->model_bytes, o,
                                      (OrtPrepackedWeightsContainer *)source->pool, session)
                                : api->CreateSessionFromArray(e->env, source->model,
                                                              source->model_bytes, o, session);
    return clv_ort_check(api, s, "compiling", err);
}

static clv_status ort_compile(clv_engine *base, const clv_source *source, clv_session **out,
                              clv_error *err)
{
    ort_engine *e = (ort_engine *)base;
    OrtSessionOptions *o = NULL;
    OrtSession *session = NULL;
    ORT_TRY(e->api, e->api->CreateSessionOptions(&o), "options", err);
    OrtValue **values = clv_alloc_array(source->n_weights, sizeof *values);
    size_t n = 0;
    clv_status status = clv_ort_fill_options(e, source, o, ORT_ENABLE_ALL, err);
    if (!status && shares_weights(e, source)) status = add_weights(e, source, o, values, &n, err);
    if (!status) status = clv_ort_create(e, source, o, &session, err);
    e->api->ReleaseSessionOptions(o);
    if (!status) return clv_ort_session_new(e, session, values, n, out, err);
    for (size_t i = 0; i < n; i++) e->api->ReleaseValue(values[i]);
    free(values);
    return status;
}

/* ---- the engine ---- */

static struct clv_pool *ort_pool_new(clv_engine *base)
{
    ort_engine *e = (ort_engine *)base;
    OrtPrepackedWeightsContainer *pool = NULL;
    OrtStatus *status = e->cuda >= 0 ? NULL : e->api->CreatePrepackedWeightsContainer(&pool);
    if (status) e->api->ReleaseStatus(status);
    return (struct clv_pool *)pool;
}

static void ort_pool_free(clv_engine *base, struct clv_pool *pool)
{
    ((ort_engine *)base)
        ->api->ReleasePrepackedWeightsContainer((OrtPrepackedWeightsContainer *)pool);
}

static void ort_free(clv_engine *base)
{
    ort_engine *e = (ort_engine *)base;
    if (e->cpu) e->api->ReleaseMemoryInfo(e->cpu);
    if (e->env) e->api->ReleaseEnv(e->env);
    free(e);
}

static const clv_engine_ops ort_ops = {
    .compile = ort_compile,
    .optimise = ort_optimise,
    .trace = clv_ort_trace,
    .pool_new = ort_pool_new,
    .pool_free = ort_pool_free,
    .free = ort_free,
};

static void ORT_API_CALL be_silent(void *param, OrtLoggingLevel severity, const char *category,
                                   const char *id, const char *location, const char *message)
{
    (void)param, (void)severity, (void)category, (void)id, (void)location, (void)message;
}

static clv_status parse_device(const char *text, int *cuda, clv_error *err)
{
    *cuda = -1;
    if (strcmp(text, "cpu") == 0) return CLV_OK;
    char *end;
    if (strcmp(text, "cuda") == 0) *cuda = 0;
    if (strncmp(text, "cuda:", 5) == 0 && isdigit((unsigned char)text[5])) {
        long n = strtol(text + 5, &end, 10);
        if (!*end && n <= 255) *cuda = (int)n;
    }
    if (*cuda >= 0) return CLV_OK;
    return clv_fail(err, CLV_EINVAL, "device '%s': expected cpu, cuda or cuda:N", text);
}

/* "cpu, cuda": the execution providers that the library was built with and that cleave can name. */
static void list_devices(const OrtApi *api, char *text, size_t size, bool *has_cuda)
{
    char **names = NULL;
    int n = 0;
    *has_cuda = false;
    OrtStatus *status = api->GetAvailableProviders(&names, &n);
    if (status) {
        api->ReleaseStatus(status);
        n = 0;
    }
    for (int i = 0; i < n; i++)
        *has_cuda = *has_cuda || strcmp(names[i], "CUDAExecutionProvider") == 0;
    if (names) status = api->ReleaseAvailableProviders(names, n);
    snprintf(text, size, "%s", *has_cuda ? "cpu, cuda" : "cpu");
}

/* A device is there when a session could be given to it: ask once, at the start. */
static clv_status probe_device(ort_engine *e, clv_error *err)
{
    if (e->cuda < 0) return CLV_OK;
    char devices[64];
    bool has_cuda;
    list_devices(e->api, devices, sizeof devices, &has_cuda);
    if (!has_cuda)
        return clv_fail(err, CLV_EUNAVAIL, "device '%s' is not there: this ONNX Runtime has %s",
                        e->base.device, devices);
    OrtSessionOptions *o = NULL;
    ORT_TRY(e->api, e->api->CreateSessionOptions(&o), "options", err);
    clv_error why = {0};
    clv_status status = append_cuda(e, o, &why);
    e->api->ReleaseSessionOptions(o);
    if (!status) return CLV_OK;
    return clv_fail(err, CLV_EUNAVAIL, "device '%s' is not there (there is: cpu): %s",
                    e->base.device, why.text);
}

static void describe(ort_engine *e)
{
    if (e->cuda >= 0)
        snprintf(e->base.device, sizeof e->base.device, "cuda:%d", e->cuda);
    else
        snprintf(e->base.device, sizeof e->base.device, "cpu");
    char threads[32] = "all cores";
    if (e->threads)
        snprintf(threads, sizeof threads, "%d thread%s", e->threads, e->threads == 1 ? "" : "s");
    snprintf(e->base.description, sizeof e->base.description, "ONNX Runtime %s, %s, %s",
             OrtGetApiBase()->GetVersionString(), e->base.device, threads);
}

clv_status clv_ort_engine_new(const clv_ort_options *options, clv_engine **out, clv_error *err)
{
    int cuda;
    clv_status status = parse_device(options->device ? options->device : "cpu", &cuda, err);
    if (status) return status;
    if (options->threads < 0 || options->threads > CLV_ORT_THREADS_MAX)
        return clv_fail(err, CLV_EINVAL, "threads %d: expected 0 to %d", options->threads,
                        CLV_ORT_THREADS_MAX);
    const OrtApi *api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
    if (!api)
        return clv_fail(
            err, CLV_EENGINE,
            "ONNX Runtime %s is older than the headers (API %d) that cleave was built with",
            OrtGetApiBase()->GetVersionString(), ORT_API_VERSION);
    ort_engine *e = clv_alloc(sizeof *e);
    *e = (ort_engine){.base.ops = &ort_ops,
                      .api = api,
                      .threads = options->threads,
                      .cuda = cuda,
                      .spin = options->spin};
    e->base.one_thread = options->threads == 1;
    describe(e);
    OrtStatus *s =
        api->CreateEnvWithCustomLogger(be_silent, NULL, ORT_LOGGING_LEVEL_FATAL, "cleave", &e->env);
    if (!s) s = api->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &e->cpu);
    status = clv_ort_check(api, s, "starting", err);
    if (!status) status = probe_device(e, err);
    if (status)
        ort_free(&e->base);
    else
        *out = &e->base;
    return status;
}
