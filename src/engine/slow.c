#include "engine/slow.h"
#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct slow_engine {
    clv_engine base;
    clv_engine *inner;
    double factor;
} slow_engine;

typedef struct slow_session {
    clv_session base; /* specs are the inner session's */
    clv_session *inner;
    double factor;
} slow_session;

/* Wait awake. A processor that slept runs the next thing slower, by a fifth for a network of many
 * small layers, and that would be multiplied too; a slower device would have been busy all the
 * time. */
static void wait_us(double us)
{
    int64_t until_ns = clv_now_ns() + (int64_t)(us * 1000);
    while (clv_now_ns() < until_ns) continue;
}

static clv_status slow_run(clv_session *s, const clv_tensor *inputs, size_t n, clv_tensors *outputs,
                           clv_error *err)
{
    slow_session *slow = (slow_session *)s;
    int64_t begin_ns = clv_now_ns();
    clv_status status = clv_session_run(slow->inner, inputs, n, outputs, err);
    double took_us = (double)(clv_now_ns() - begin_ns) / 1000.0;
    if (status == CLV_OK) wait_us(took_us * (slow->factor - 1.0));
    return status;
}

static void slow_session_free(clv_session *s)
{
    slow_session *slow = (slow_session *)s;
    clv_session_free(slow->inner);
    free(slow);
}

static const clv_session_ops slow_session_ops = {.run = slow_run, .free = slow_session_free};

static clv_status slow_compile(clv_engine *e, const clv_source *source, clv_session **out,
                               clv_error *err)
{
    slow_engine *slow = (slow_engine *)e;
    clv_session *inner;
    clv_status status = slow->inner->ops->compile(slow->inner, source, &inner, err);
    if (status) return status;
    slow_session *s = clv_alloc(sizeof *s);
    s->base = *inner;
    s->base.ops = &slow_session_ops;
    s->inner = inner;
    s->factor = slow->factor;
    *out = &s->base;
    return CLV_OK;
}

static clv_status slow_optimise(clv_engine *e, const clv_source *source, void **model,
                                size_t *bytes, clv_error *err)
{
    clv_engine *inner = ((slow_engine *)e)->inner;
    return clv_engine_optimise(inner, source, model, bytes, err);
}

static clv_status slow_trace(clv_engine *e, const clv_source *source, const clv_tensor *inputs,
                             size_t n_inputs, int runs, clv_trace *out, clv_error *err)
{
    clv_engine *inner = ((slow_engine *)e)->inner;
    return clv_engine_trace(inner, source, inputs, n_inputs, runs, out, err);
}

static struct clv_pool *slow_pool_new(clv_engine *e)
{
    return clv_engine_pool_new(((slow_engine *)e)->inner);
}

static void slow_pool_free(clv_engine *e, struct clv_pool *pool)
{
    clv_engine_pool_free(((slow_engine *)e)->inner, pool);
}

static void slow_free(clv_engine *e)
{
    clv_engine_free(((slow_engine *)e)->inner);
    free(e);
}

static const clv_engine_ops slow_ops = {
    .compile = slow_compile,
    .optimise = slow_optimise,
    .trace = slow_trace,
    .pool_new = slow_pool_new,
    .pool_free = slow_pool_free,
    .free = slow_free,
};

clv_status clv_slow_engine_new(clv_engine *take, double factor, clv_engine **out, clv_error *err)
{
    if (!(factor >= 1.0 && factor <= CLV_SLOW_FACTOR_MAX)) {
        clv_engine_free(take);
        return clv_fail(err, CLV_EINVAL, "slowdown %g: expected a factor from 1 to %g", factor,
                        CLV_SLOW_FACTOR_MAX);
    }
    if (factor == 1.0) {
        *out = take;
        return CLV_OK;
    }
    slow_engine *slow = clv_alloc(sizeof *slow);
    slow->base = *take;
    slow->base.ops = &slow_ops;
    snprintf(slow->base.description, sizeof slow->base.description,
             "%.90s" CLV_SLOW_MARK "%gx (emulated)", take->description, factor);
    slow->inner = take;
    slow->factor = factor;
    *out = &slow->base;
    return CLV_OK;
}

double clv_engine_slowdown(const clv_engine *e)
{
    return e->ops == &slow_ops ? ((const slow_engine *)e)->factor : 1.0;
}
