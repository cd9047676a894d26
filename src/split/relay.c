#include "split/relay.h"

#include "base/mem.h"
#include "split/splitter_priv.h"

#include <stdlib.h>

static bool is(const clv_deployment *d, size_t from, const clv_route *route)
{
    return d && d->from == from && clv_route_equal(&d->route, route);
}

/* Put item `at` first. Under the lock. */
static void to_front(clv_relays *r, int at)
{
    clv_deployment *first = r->items[at];
    for (; at > 0; at--) r->items[at] = r->items[at - 1];
    r->items[0] = first;
}

clv_deployment *clv_relay_find(clv_splitter *s, size_t from, const clv_route *route)
{
    clv_deployment *found = NULL;
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < CLV_RELAYS_MAX && !found; i++)
        if (is(s->relays.items[i], from, route)) {
            found = clv_deployment_ref(s->relays.items[i]);
            to_front(&s->relays, i);
        }
    pthread_mutex_unlock(&s->lock);
    return found;
}

/* Two requests may have made the same: the first stays. */
static void keep(clv_splitter *s, clv_deployment *d)
{
    clv_deployment *known = clv_relay_find(s, d->from, &d->route);
    if (known) {
        clv_deployment_unref(known);
        return;
    }
    pthread_mutex_lock(&s->lock);
    clv_deployment *out = s->relays.items[CLV_RELAYS_MAX - 1];
    s->relays.items[CLV_RELAYS_MAX - 1] = clv_deployment_ref(d);
    to_front(&s->relays, CLV_RELAYS_MAX - 1);
    if (out) clv_splitter_evict(s, out);
    pthread_mutex_unlock(&s->lock);
    clv_deployment_unref(out);
}

clv_status clv_relay_make(clv_splitter *s, size_t from, const clv_route *route,
                          clv_deployment **out, clv_error *err)
{
    clv_status status = clv_deployment_new(s->network, from, route, out, err);
    if (!status) keep(s, *out);
    return status;
}

int clv_relay_way(clv_splitter *s)
{
    for (size_t i = 0; i < s->n_ways; i++)
        if (clv_peer_link(s->ways[i].peer).up) return (int)i;
    return -1;
}

void clv_relays_done(clv_splitter *s)
{
    for (int i = 0; i < CLV_RELAYS_MAX; i++) clv_deployment_unref(s->relays.items[i]);
}

/* One that was asked for: built here and, where the route leads on, prepared at the next node. */
typedef struct order {
    clv_splitter *s;
    size_t from;
    clv_route route;
    int way;         /* to the next node; -1: none */
    atomic_int open; /* sides that are not ready yet */
    clv_error error; /* of this side */
    clv_splitter_done_fn done;
    void *arg;
} order;

static void side_ready(order *o)
{
    if (atomic_fetch_sub(&o->open, 1) > 1) return;
    clv_splitter *s = o->s;
    o->done(o->arg, o->error.status ? &o->error : NULL);
    free(o);
    atomic_fetch_sub(&s->busy, 1);
}

static void build_here(void *arg, int64_t queue_us)
{
    (void)queue_us;
    order *o = arg;
    clv_deployment *d = NULL;
    if (!clv_relay_make(o->s, o->from, &o->route, &d, &o->error)) {
        clv_deployment_warm_up(d);
        clv_deployment_unref(d);
    }
    side_ready(o);
}

static void on_next_prepared(void *arg, const clv_error *error)
{
    order *o = arg;
    if (error)
        clv_way_say(&o->s->ways[o->way], CLV_LOG_WARN, "next node not prepared", error->text);
    side_ready(o);
}

void clv_relay_prepare(clv_splitter *s, size_t from, const clv_route *route,
                       clv_splitter_done_fn done, void *arg)
{
    order *o = clv_alloc(sizeof *o);
    *o = (order){.s = s,
                 .from = from,
                 .route = *route,
                 .way = route->n > 1 ? clv_relay_way(s) : -1,
                 .done = done,
                 .arg = arg};
    atomic_init(&o->open, o->way < 0 ? 1 : 2);
    atomic_fetch_add(&s->busy, 1);
    if (o->way >= 0) clv_way_prepare(&s->ways[o->way], route, on_next_prepared, o);
    if (clv_lane_submit(s->o.prepare, &(clv_job){.run = build_here, .arg = o}, &o->error))
        side_ready(o);
}
