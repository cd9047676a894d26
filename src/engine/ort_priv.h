/* Private to engine/ort*.c: the engine's and the session's layout, and ONNX Runtime's errors turned into ours. */
#ifndef CLV_ENGINE_ORT_PRIV_H
#define CLV_ENGINE_ORT_PRIV_H

#include "engine/ort.h"

#include <onnxruntime_c_api.h>

typedef struct ort_engine {
    clv_engine base;
    const OrtApi *api;
    OrtEnv *env;
    OrtMemoryInfo *cpu;
    int threads, cuda; /* cuda: device number, -1: the processor */
    bool spin;
} ort_engine;

/* A session keeps the values that it was given by pointer. */
typedef struct ort_session {
    clv_session base;
    ort_engine *engine;
    OrtSession *session;
    OrtValue **weights;
    size_t n_weights;
    const char **input_names, **output_names; /* borrowed from the specs */
} ort_session;

/* CLV_OK for NULL; else frees the status and sets the error with ONNX Runtime's text. */
clv_status clv_ort_check(const OrtApi *api, OrtStatus *status, const char *what, clv_error *err);
#define ORT_TRY(api, call, what, err)                                                              \
    do {                                                                                           \
        OrtStatus *ort_status_ = (call);                                                           \
        if (ort_status_) return clv_ort_check(api, ort_status_, what, err);                        \
    } while (0)

/* ort.c: what every session of this engine is set to, and a session. */
clv_status clv_ort_fill_options(const ort_engine *e, const clv_source *source, OrtSessionOptions *o,
                                GraphOptimizationLevel level, clv_error *err);
clv_status clv_ort_create(ort_engine *e, const clv_source *source, OrtSessionOptions *o,
                          OrtSession **session, clv_error *err);
/* ort_trace.c */
clv_status clv_ort_trace(clv_engine *e, const clv_source *source, const clv_tensor *inputs,
                         size_t n_inputs, int runs, clv_trace *out, clv_error *err);

/* ort_session.c: wraps a session; takes `session` and `weights`, also on failure. */
clv_status clv_ort_session_new(ort_engine *e, OrtSession *session, OrtValue **weights,
                               size_t n_weights, clv_session **out, clv_error *err);

#endif
