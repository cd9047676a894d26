#include "split/splitter_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "split/itinerary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLV_CLOSE_GRAIN_US = 200 };

clv_status clv_splitter_new(const clv_splitter_options *options, clv_splitter **out, clv_error *err)
{
    clv_deployment *local;
    size_t last = clv_network_cuts(options->network)->n - 1;
    const clv_route all = clv_route_local(last);
    if (clv_deployment_new(options->network, 0, &all, &local, err))
        return clv_within(err, "model '%s'", options->model);
    clv_splitter *s = clv_alloc(sizeof *s);
    s->o = *options;
    s->o.model = s->model = clv_strdup(options->model);
    snprintf(s->node_id, sizeof s->node_id, "%s",
             options->node_id ? options->node_id : "00000000000000000000000000000000");
    s->o.node_id = s->node_id;
    s->o.version = s->version = clv_strdup(options->version ? options->version : "");
    s->network = clv_network_ref(options->network);
    s->last = last;
    clv_guard_init(&s->guard, s->network, options->privacy);
    s->o.privacy = NULL;
    if (s->guard.misfit[0])
        clv_log(CLV_LOG_WARN, "split", "runs here only", "model=%s text=\"%s\"", s->model,
                s->guard.misfit);
    pthread_mutex_init(&s->lock, NULL);
    clv_pace_init(&s->pace, last + 1);
    clv_hedge_init(&s->hedge);
    for (size_t i = 0; options->peer && i <= options->n_detours; i++)
        clv_way_init(&s->ways[s->n_ways++], s, i ? options->detours[i - 1] : options->peer);
    s->o.detours = NULL;
    s->local = local;
    s->live = clv_deployment_ref(local);
    clv_arrivals_init(&s->arrivals, clv_now_us());
    clv_chooser_init(&s->adapt.chooser);
    *out = s;
    return CLV_OK;
}

void clv_splitter_close(clv_splitter *s)
{
    while (atomic_load(&s->unanswered)) {
        clv_loop_turn(s->o.loop);
        clv_sleep_us(CLV_CLOSE_GRAIN_US);
    }
    s->closing = true;
    clv_adapt_unpin(s, "the node is shutting down");
}

void clv_splitter_free(clv_splitter *s)
{
    if (!s) return;
    while (atomic_load(&s->busy)) {
        clv_loop_turn(s->o.loop);
        clv_sleep_us(CLV_CLOSE_GRAIN_US);
    }
    clv_adapt_done(s);
    clv_deployment_unref(s->live);
    for (int i = 0; i < CLV_WARM_MAX; i++) clv_deployment_unref(s->warm[i]);
    clv_deployment_unref(s->local);
    clv_relays_done(s);
    clv_guard_done(&s->guard);
    clv_network_unref(s->network);
    pthread_mutex_destroy(&s->lock);
    clv_arrivals_done(&s->arrivals);
    clv_pace_done(&s->pace);
    free(s->model);
    free(s->version);
    free(s);
}

void clv_splitter_follow(clv_splitter *s)
{
    for (size_t i = 0; i < s->n_ways; i++) {
        clv_peer_watch(s->ways[i].peer, clv_adapt_step, s);
        clv_peer_consult(s->ways[i].peer, clv_adapt_doubts, s);
    }
    clv_adapt_step(s);
}

clv_deployment *clv_splitter_live(clv_splitter *s)
{
    pthread_mutex_lock(&s->lock);
    clv_deployment *d = clv_deployment_ref(s->live);
    pthread_mutex_unlock(&s->lock);
    return d;
}

/* Is the segment (from, to) one of this deployment's? */
static bool holds(const clv_deployment *d, size_t from, size_t to, size_t last)
{
    if (!d) return false;
    size_t cut = clv_deployment_cut(d);
    return (from == d->from && to == cut) || (from == cut && to == last);
}

static void evict_segment(clv_splitter *s, size_t from, size_t to)
{
    size_t last = s->last;
    bool used = from == to || holds(s->local, from, to, last) || holds(s->live, from, to, last);
    for (int i = 0; i < CLV_WARM_MAX && !used; i++) used = holds(s->warm[i], from, to, last);
    for (int i = 0; i < CLV_RELAYS_MAX && !used; i++)
        used = holds(s->relays.items[i], from, to, last);
    if (!used) clv_network_evict(s->network, from, to);
}

void clv_splitter_evict(clv_splitter *s, const clv_deployment *old)
{
    if (s->o.keep_segments) return;
    size_t cut = clv_deployment_cut(old);
    evict_segment(s, old->from, cut);
    evict_segment(s, cut, s->last);
}

static bool is_of(const clv_deployment *d, const clv_route *route)
{
    return d && clv_route_equal(&d->route, route);
}

/* Put it first, in the place of the one of this route or of the oldest, which is returned. Under
 * the lock. */
static clv_deployment *put_warm(clv_splitter *s, clv_deployment *take)
{
    int at = 0;
    while (at + 1 < CLV_WARM_MAX && s->warm[at] && !is_of(s->warm[at], &take->route)) at++;
    clv_deployment *out = s->warm[at];
    for (; at > 0; at--) s->warm[at] = s->warm[at - 1];
    s->warm[0] = take;
    return out;
}

void clv_splitter_deploy(clv_splitter *s, clv_deployment *take)
{
    pthread_mutex_lock(&s->lock);
    clv_deployment *out = s->live;
    bool other = !is_of(s->live, &take->route); /* else only its expectation is new */
    if (other && !is_of(s->live, &s->local->route)) out = put_warm(s, s->live);
    s->live = take;
    if (out) clv_splitter_evict(s, out);
    pthread_mutex_unlock(&s->lock);
    clv_deployment_unref(out);
}

void clv_splitter_keep_warm(clv_splitter *s, clv_deployment *take)
{
    pthread_mutex_lock(&s->lock);
    clv_deployment *out = put_warm(s, take);
    if (out) clv_splitter_evict(s, out);
    pthread_mutex_unlock(&s->lock);
    clv_deployment_unref(out);
}

clv_deployment *clv_splitter_warm(clv_splitter *s, const clv_route *route)
{
    clv_deployment *found = NULL;
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < CLV_WARM_MAX && !found; i++)
        if (is_of(s->warm[i], route)) found = clv_deployment_ref(s->warm[i]);
    pthread_mutex_unlock(&s->lock);
    return found;
}

void clv_splitter_drop(clv_splitter *s, clv_deployment *take)
{
    if (!take) return;
    pthread_mutex_lock(&s->lock);
    clv_splitter_evict(s, take);
    pthread_mutex_unlock(&s->lock);
    clv_deployment_unref(take);
}

size_t clv_splitter_withheld(const clv_splitter *s)
{
    return atomic_load(&s->guard.withheld);
}

char *clv_splitter_plan(clv_splitter *s)
{
    clv_deployment *d = clv_splitter_live(s);
    char *label = clv_strdup(d->label);
    clv_deployment_unref(d);
    return label;
}

const char *clv_splitter_mode(clv_splitter *s)
{
    return clv_load_mode_name(clv_arrivals_heavy(&s->arrivals));
}

/* The cut that starts at these tensors; the network's own inputs are cut 0. */
static int find_cut(clv_splitter *s, const char *const *names, size_t n)
{
    return clv_cuts_find(clv_network_cuts(s->network), clv_network_graph(s->network), names, n);
}

void clv_splitter_prepare(clv_splitter *s, const char *const *names, size_t n, const char *way,
                          clv_splitter_done_fn done, void *arg)
{
    clv_error err = {0};
    clv_route route;
    int cut = find_cut(s, names, n);
    if (cut < 0)
        clv_fail(&err, CLV_EINVAL,
                 "model '%s': %zu tensors ('%s'%s) are no legal cut; 'cleave inspect' lists them",
                 s->model, n, n ? names[0] : "", n > 1 ? ", ..." : "");
    else if (clv_itinerary_parse(way ? way : "", (size_t)cut, clv_network_cuts(s->network),
                                 clv_network_graph(s->network), &route, &err))
        clv_within(&err, "model '%s': \"route\"", s->model);
    if (err.status)
        done(arg, &err);
    else
        clv_relay_prepare(s, (size_t)cut, &route, done, arg);
}
