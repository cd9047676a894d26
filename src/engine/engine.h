/* The engine: runs a compiled segment on tensors. Implementations are a table of functions:
 * ONNX Runtime (engine/ort.h), a fake for tests (engine/fake.h), and a decorator that slows another
 * down (engine/slow.h).
 *
 *     clv_engine *engine;
 *     clv_ort_engine_new(&(clv_ort_options){.device = "cpu", .threads = 1}, &engine, &err);
 *     clv_session *s;
 *     clv_engine_compile(engine, &source, &s, &err);
 *     clv_tensors out = {0};
 *     clv_session_run(s, in, n_in, &out, &err);        // outputs in the session's output order
 *     clv_session_free(s); clv_engine_free(engine);    // sessions first
 *
 * Threads: compile and run may be called from any thread, at the same time; one session may run
 * concurrently.
 */
#ifndef CLV_ENGINE_ENGINE_H
#define CLV_ENGINE_ENGINE_H

#include "tensor/tensor.h"

typedef struct clv_engine clv_engine;
typedef struct clv_session clv_session;

/* A weight that lives outside the model bytes, in memory that outlives every session (a file map).
 */
typedef struct clv_weight {
    const char *name;
    clv_dtype dtype;
    clv_shape shape;
    const void *data;
    size_t bytes;
} clv_weight;

/* What is compiled. Everything is borrowed for the call, except the weights' data and `pool`, which
 * must outlive the session. */
typedef struct clv_source {
    const char *name; /* for messages */
    /* a serialised ONNX ModelProto whose large initialisers are external references */
    const void *model;
    size_t model_bytes;
    const char *folder;        /* where the external references point, NULL: none */
    const clv_weight *weights; /* shared initialisers handed over by pointer */
    size_t n_weights;
    struct clv_pool *pool; /* prepacked weights shared by the sessions of one model; may be NULL */
    bool fast_load;        /* skip prepacking: loads sooner, runs slower */
} clv_source;

/* What one operator of a compiled segment took, inside a run of all of them. */
typedef struct clv_trace_step {
    char *name; /* the engine's: begins with the name of a node or of a tensor of the model, or is
                   one of its own (a change of layout) */
    char *op;
    double us; /* median of the runs, each scaled to the usual one */
} clv_trace_step;
/* In the order in which they run. */
typedef struct clv_trace {
    clv_trace_step *steps;
    size_t n;
} clv_trace;
void clv_trace_done(clv_trace *t);

#define CLV_ENGINE_OMITTED "omitted"

typedef struct clv_engine_ops {
    clv_status (*compile)(clv_engine *, const clv_source *, clv_session **out, clv_error *);
    /* Write the graph that the engine would really run, as ONNX, with every fused node visible.
     * Values above 1 MiB that the engine made (folded, rewritten) are left out: an external
     * reference to the file CLV_ENGINE_OMITTED stands in their place. */
    clv_status (*optimise)(clv_engine *, const clv_source *, void **model, size_t *bytes,
                           clv_error *);
    /* Compile, run `runs` times, and tell what each operator took; NULL: cannot tell. */
    clv_status (*trace)(clv_engine *, const clv_source *, const clv_tensor *inputs, size_t n_inputs,
                        int runs, clv_trace *out, clv_error *);
    struct clv_pool *(*pool_new)(clv_engine *);
    void (*pool_free)(clv_engine *, struct clv_pool *);
    void (*free)(clv_engine *);
} clv_engine_ops;

struct clv_engine {
    const clv_engine_ops *ops;
    char device[64];       /* "cpu", "cuda:0" */
    bool one_thread;       /* sessions run on their caller's thread and start none */
    char description[128]; /* "ONNX Runtime 1.30.0, cpu, 1 thread" */
};

typedef struct clv_session_ops {
    /* Inputs may come in any order; they are matched by name and checked (name, dtype, rank and
     * fixed dimensions). */
    clv_status (*run)(clv_session *, const clv_tensor *inputs, size_t n, clv_tensors *outputs,
                      clv_error *);
    void (*free)(clv_session *);
} clv_session_ops;

struct clv_session {
    const clv_session_ops *ops;
    clv_tensor_spec *inputs, *outputs; /* owned by the session */
    size_t n_inputs, n_outputs;
};

CLV_MUST
clv_status clv_engine_compile(clv_engine *e, const clv_source *source, clv_session **out,
                              clv_error *err);
/* `*model` is heap memory of the caller. */
CLV_MUST
clv_status clv_engine_optimise(clv_engine *e, const clv_source *source, void **model, size_t *bytes,
                               clv_error *err);
/* Where the time of a run goes, operator by operator, with all the engine's optimisations: what a
 * unit takes among its neighbours, their caches warm or cold as they are in use. Runs are a little
 * longer than untraced ones. An emulated slowdown is not in it. CLV_EUNSUPPORTED: this engine
 * cannot tell. */
CLV_MUST
clv_status clv_engine_trace(clv_engine *e, const clv_source *source, const clv_tensor *inputs,
                            size_t n_inputs, int runs, clv_trace *out, clv_error *err);
struct clv_pool *clv_engine_pool_new(clv_engine *e); /* NULL where the engine shares nothing */
void clv_engine_pool_free(clv_engine *e, struct clv_pool *pool);
void clv_engine_free(clv_engine *e);

/* Run; appends the outputs (memory owned by the tensors, released with them) to `outputs`. */
CLV_MUST
clv_status clv_session_run(clv_session *s, const clv_tensor *inputs, size_t n, clv_tensors *outputs,
                           clv_error *err);
void clv_session_free(clv_session *s);

#endif
