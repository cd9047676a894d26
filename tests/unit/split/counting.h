/* An engine that counts what is run through it: a decorator around ONNX Runtime. Sessions are told apart by their ports, for a
 * model whose input is "x" and whose last output is "y". For the chain of split/edge.h it can be slow in parts. */
#ifndef CLV_TESTS_SPLIT_COUNTING_H
#define CLV_TESTS_SPLIT_COUNTING_H

#include "unit.h"

#include "base/clock.h"
#include "base/mem.h"
#include "engine/ort.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The tensors of the chain, each made of the one before. */
static const char counting_tensors[] = "xabcdey";
enum { COUNTING_STEPS = sizeof counting_tensors - 2 };

typedef struct counting {
    clv_engine base;
    clv_engine *inner;
    atomic_int prefixes, tails, wholes;      /* runs that were asked for */
    atomic_int warm_ups;                     /* others */
    atomic_int fail_tails;                   /* so many of the next runs of a tail fail */
    _Atomic int64_t run_us;                  /* every run takes this much longer */
    _Atomic int64_t step_us[COUNTING_STEPS]; /* so much longer for each tensor it makes */
    atomic_bool slow_warm_ups;               /* they take so much longer too */
    atomic_bool hold, hold_tails;            /* runs (of tails) wait until this is false */
    atomic_int compiles;                     /* how often anything was compiled */
    atomic_bool hold_compiles;               /* compiling waits until this is false */
    atomic_int held;                         /* so many are waiting */
} counting;

typedef struct counting_session {
    clv_session base;
    clv_session *inner;
    counting *engine;
    bool from_input, to_output;
    size_t from, to; /* of counting_tensors */
} counting_session;

/* Making tensors from + 1 to `to` of the chain. */
static inline int64_t counting_steps_us(const counting *e, size_t from, size_t to)
{
    int64_t us = 0;
    for (size_t k = from; k < to; k++) us += e->step_us[k];
    return us;
}

/* Nobody asked for that run: it is on a lane that builds. */
static inline bool counting_warms_up(void)
{
    char name[16] = "";
    (void)!pthread_getname_np(pthread_self(), name, sizeof name);
    return strcmp(name, "build") == 0 || strcmp(name, "prepare") == 0;
}

static inline clv_status counting_run(clv_session *s, const clv_tensor *inputs, size_t n,
                                      clv_tensors *outputs, clv_error *err)
{
    counting_session *c = (counting_session *)s;
    counting *e = c->engine;
    if (counting_warms_up()) {
        atomic_fetch_add(&e->warm_ups, 1);
        if (e->slow_warm_ups) clv_sleep_us(e->run_us + counting_steps_us(e, c->from, c->to));
        return clv_session_run(c->inner, inputs, n, outputs, err);
    }
    if (c->from_input)
        atomic_fetch_add(c->to_output ? &e->wholes : &e->prefixes, 1);
    else
        atomic_fetch_add(&e->tails, 1);
    while (e->hold || (e->hold_tails && !c->from_input)) clv_sleep_us(500);
    int64_t longer_us = e->run_us + counting_steps_us(e, c->from, c->to);
    if (longer_us) clv_sleep_us(longer_us);
    if (!c->from_input && atomic_fetch_sub(&e->fail_tails, 1) > 0)
        return clv_fail(err, CLV_EENGINE, "this tail was told to fail");
    return clv_session_run(c->inner, inputs, n, outputs, err);
}

static inline void counting_session_free(clv_session *s)
{
    clv_session_free(((counting_session *)s)->inner);
    free(s);
}

static inline bool has_port(const clv_tensor_spec *specs, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(specs[i].name, name) == 0) return true;
    return false;
}

/* The last of these in the chain; 0: none is in it. */
static inline size_t counting_place(const clv_tensor_spec *specs, size_t n)
{
    size_t place = 0;
    for (size_t i = 0; i < n; i++) {
        const char *at = specs[i].name[1] ? NULL : strchr(counting_tensors, specs[i].name[0]);
        if (at && (size_t)(at - counting_tensors) > place) place = (size_t)(at - counting_tensors);
    }
    return place;
}

static inline clv_status counting_compile(clv_engine *base, const clv_source *source,
                                          clv_session **out, clv_error *err)
{
    static const clv_session_ops ops = {.run = counting_run, .free = counting_session_free};
    counting *e = (counting *)base;
    clv_session *inner;
    atomic_fetch_add(&e->compiles, 1);
    atomic_fetch_add(&e->held, 1);
    while (e->hold_compiles) clv_sleep_us(500);
    atomic_fetch_sub(&e->held, 1);
    clv_status status = clv_engine_compile(e->inner, source, &inner, err);
    if (status) return status;
    counting_session *s = clv_alloc(sizeof *s);
    *s = (counting_session){.base = *inner, .inner = inner, .engine = e};
    s->base.ops = &ops;
    s->from_input = has_port(inner->inputs, inner->n_inputs, "x");
    s->to_output = has_port(inner->outputs, inner->n_outputs, "y");
    s->from = counting_place(inner->inputs, inner->n_inputs);
    s->to = counting_place(inner->outputs, inner->n_outputs);
    *out = &s->base;
    return CLV_OK;
}

static inline clv_status counting_optimise(clv_engine *e, const clv_source *source, void **model,
                                           size_t *bytes, clv_error *err)
{
    return clv_engine_optimise(((counting *)e)->inner, source, model, bytes, err);
}

static inline struct clv_pool *counting_pool_new(clv_engine *e)
{
    return clv_engine_pool_new(((counting *)e)->inner);
}

static inline void counting_pool_free(clv_engine *e, struct clv_pool *pool)
{
    clv_engine_pool_free(((counting *)e)->inner, pool);
}

static inline void counting_free(clv_engine *e)
{
    clv_engine_free(((counting *)e)->inner);
    free(e);
}

static inline counting *counting_new(void)
{
    static const clv_engine_ops ops = {.compile = counting_compile,
                                       .optimise = counting_optimise,
                                       .pool_new = counting_pool_new,
                                       .pool_free = counting_pool_free,
                                       .free = counting_free};
    counting *e = clv_alloc(sizeof *e);
    clv_error err = {0};
    assert_ok(clv_ort_engine_new(&(clv_ort_options){.threads = 1}, &e->inner, &err), err);
    e->base = *e->inner;
    e->base.ops = &ops;
    return e;
}

#endif
