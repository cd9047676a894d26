#include "engine/slow.h"
#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    CLV_SLOW_ROWS_MAX = 64, /* more count as so many */
    CLV_SLOW_TRIES = 64,    /* runs that tell what so many rows take on a warm processor */
};

typedef struct slow_engine {
    clv_engine base;
    clv_engine *inner;
    double factor;
    clv_slow_wait wait;
} slow_engine;

typedef struct slow_session {
    clv_session base; /* specs are the inner session's */
    clv_session *inner;
    double factor;
    clv_slow_wait wait;
    _Atomic int64_t least_ns[CLV_SLOW_ROWS_MAX + 1]; /* by rows; 0: not run yet */
    atomic_int tries[CLV_SLOW_ROWS_MAX + 1];
} slow_session;

/* Wait awake. A processor that slept runs the next thing slower, by a fifth for a network of many
 * small layers, and that would be multiplied too; a slower device would have been busy all the
 * time. */
static void wait_awake(int64_t until_ns)
{
    while (clv_now_ns() < until_ns) continue;
}

static void wait_asleep(int64_t until_ns)
{
    const struct timespec until = {until_ns / 1000000000, until_ns % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) continue;
}

static size_t rows_of(const clv_tensor *inputs, size_t n)
{
    int64_t rows = n && inputs[0].shape.rank > 0 ? inputs[0].shape.dim[0] : 1;
    return (size_t)CLV_MIN(CLV_MAX(rows, (int64_t)0), (int64_t)CLV_SLOW_ROWS_MAX);
}

/* The least that a run of so many rows has taken, this one among them. */
static int64_t least_of(slow_session *s, size_t rows, int64_t took_ns)
{
    int64_t least = atomic_load(&s->least_ns[rows]);
    while ((least == 0 || took_ns < least) &&
           !atomic_compare_exchange_weak(&s->least_ns[rows], &least, took_ns))
        continue;
    return least == 0 ? took_ns : CLV_MIN(least, took_ns);
}

static int64_t end_of(const slow_session *s, int64_t begin_ns, int64_t least_ns)
{
    return begin_ns + (int64_t)((double)least_ns * s->factor);
}

/* Until a run is over that began then, as slow as it is to be. It is run again meanwhile, warm, as
 * often as that fits into the wait: some tell a shorter time. */
static void wait_run(slow_session *s, const clv_tensor *inputs, size_t n, int64_t begin_ns,
                     int64_t took_ns)
{
    size_t rows = rows_of(inputs, n);
    int64_t least_ns = least_of(s, rows, took_ns), now_ns;
    while ((now_ns = clv_now_ns()) + took_ns < end_of(s, begin_ns, least_ns) &&
           atomic_fetch_add(&s->tries[rows], 1) < CLV_SLOW_TRIES) {
        clv_tensors unused = {0};
        clv_error err = {0};
        if (clv_session_run(s->inner, inputs, n, &unused, &err) == CLV_OK)
            least_ns = least_of(s, rows, took_ns = clv_now_ns() - now_ns);
        clv_tensors_done(&unused);
    }
    wait_asleep(end_of(s, begin_ns, least_ns));
}

static clv_status slow_run(clv_session *s, const clv_tensor *inputs, size_t n, clv_tensors *outputs,
                           clv_error *err)
{
    slow_session *slow = (slow_session *)s;
    int64_t begin_ns = clv_now_ns();
    clv_status status = clv_session_run(slow->inner, inputs, n, outputs, err);
    int64_t took_ns = clv_now_ns() - begin_ns;
    if (status) return status;
    if (slow->wait == CLV_SLOW_AWAKE)
        wait_awake(begin_ns + (int64_t)((double)took_ns * slow->factor));
    else
        wait_run(slow, inputs, n, begin_ns, took_ns);
    return CLV_OK;
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
    s->wait = slow->wait;
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

clv_status clv_slow_engine_new(clv_engine *take, double factor, clv_slow_wait wait,
                               clv_engine **out, clv_error *err)
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
    slow->wait = wait;
    *out = &slow->base;
    return CLV_OK;
}

double clv_engine_slowdown(const clv_engine *e)
{
    return e->ops == &slow_ops ? ((const slow_engine *)e)->factor : 1.0;
}
