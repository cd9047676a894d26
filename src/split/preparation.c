#include "split/preparation.h"

#include "base/mem.h"

#include <stdlib.h>

static void prepared(void *arg)
{
    clv_preparation *p = arg;
    clv_splitter *s = p->s;
    clv_adapt_prepared(p);
    if (p->here.status || p->there.status)
        clv_deployment_unref(p->built); /* its segments stay for the next try */
    else
        clv_splitter_drop(s, p->built);
    free(p);
    atomic_fetch_sub(&s->busy, 1);
}

static void side_ready(clv_preparation *p)
{
    if (atomic_fetch_sub(&p->open, 1) == 1) clv_loop_post(p->s->o.loop, prepared, p);
}

static void build_here(void *arg, int64_t queue_us)
{
    (void)queue_us;
    clv_preparation *p = arg;
    if (clv_deployment_new(p->s->network, 0, &p->route, &p->built, &p->here))
        p->built = NULL;
    else
        clv_deployment_warm_up(p->built);
    side_ready(p);
}

static void on_peer_prepared(void *arg, const clv_error *error)
{
    clv_preparation *p = arg;
    if (error) p->there = *error;
    side_ready(p);
}

void clv_preparation_begin(clv_splitter *s, const clv_route *route, clv_expectation expected,
                           bool spare)
{
    clv_preparation *p = clv_alloc(sizeof *p);
    *p = (clv_preparation){.s = s, .route = *route, .expected = expected, .spare = spare};
    atomic_init(&p->open, 2);
    atomic_fetch_add(&s->busy, 1);
    clv_way_prepare(&s->ways[route->way], route, on_peer_prepared, p);
    if (clv_lane_submit(s->o.prepare, &(clv_job){.run = build_here, .arg = p}, &p->here))
        side_ready(p);
}

static void on_refreshed(void *arg, const clv_error *error)
{
    clv_way *w = arg;
    clv_splitter *s = w->s;
    if (error && error->status == CLV_ENOTFOUND && !s->closing)
        clv_way_doubt(w, CLV_ASK_AGAIN_US / 5);
    atomic_fetch_sub(&s->busy, 1);
}

void clv_preparation_refresh(clv_splitter *s, const clv_route *route)
{
    atomic_fetch_add(&s->busy, 1);
    clv_way_prepare(&s->ways[route->way], route, on_refreshed, &s->ways[route->way]);
}
