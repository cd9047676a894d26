/* Which route, now: look at each change of a link, have both ends prepared, swap. What the peers have and cost is way.c's, which route is
 * the best choice.c's, preparing it preparation.c's. Loop's thread only. */
#include "split/choice.h"
#include "split/forecast.h"
#include "split/preparation.h"
#include "split/splitter_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>

/* A peer that is of no use for so long is not waited for. */
#define CLV_HINDERED_US 3000000

static void end_pin(clv_splitter *s, const clv_error *error)
{
    clv_splitter_done_fn done = s->adapt.pin_done;
    s->adapt.pin_done = NULL;
    if (done) done(s->adapt.pin_arg, error);
}

static bool is_pinned(const clv_splitter *s, const clv_route *route)
{
    return s->adapt.pinned && clv_route_equal(route, &s->adapt.pin);
}

static bool is_live(const clv_splitter *s, const clv_route *route)
{
    return clv_route_equal(route, &s->live->route);
}

static bool is_local(const clv_splitter *s)
{
    return is_live(s, &s->local->route);
}

/* The way to plan over: the first that is ready, so that a node that was routed around gets its work back; the pinned one if its
 * peer is up. NULL: none. */
static clv_way *pick(clv_splitter *s)
{
    const clv_adapt *a = &s->adapt;
    for (size_t i = 0; i < s->n_ways; i++) {
        clv_way *w = &s->ways[i];
        bool pinned = a->pinned && a->pin.way == i && clv_peer_link(w->peer).up;
        if (a->pinned ? pinned : clv_way_ready(w)) return w;
    }
    return NULL;
}

/* Is this route still to be deployed, now that it is ready? The link, the peer or the pin may have changed meanwhile. */
static bool still_wanted(clv_splitter *s, const clv_route *route)
{
    return pick(s) == &s->ways[route->way] && (!s->adapt.pinned || is_pinned(s, route));
}

static void not_prepared(const clv_preparation *p)
{
    clv_splitter *s = p->s;
    const clv_error *error = p->here.status ? &p->here : &p->there;
    clv_way *w = &s->ways[p->route.way];
    clv_way_say(w, CLV_LOG_WARN, "cut not prepared", error->text);
    if (p->there.status == CLV_ENOTFOUND) /* it had the model once */
        clv_way_doubt(w, CLV_ASK_AGAIN_US / 5);
    else
        w->ask_after_us = clv_now_us() + CLV_ASK_AGAIN_US / 5;
    if (is_pinned(s, &p->route)) end_pin(s, error);
}

static void take_over(const clv_preparation *p)
{
    clv_splitter *s = p->s;
    if (still_wanted(s, &p->route)) {
        atomic_store(&p->built->expected_remote_us, p->expected.remote_us);
        atomic_store(&p->built->expected_tail_us, p->expected.tail_us);
        clv_log(CLV_LOG_INFO, "split", "plan", "model=%s cut=\"%s\"", s->model, p->built->label);
        clv_splitter_deploy(s, clv_deployment_ref(p->built));
        if (is_pinned(s, &p->route)) end_pin(s, NULL);
    }
    clv_adapt_step(s);
}

void clv_adapt_prepared(const clv_preparation *p)
{
    p->s->adapt.preparing = false;
    if (p->s->closing) return;
    if (p->here.status || p->there.status)
        not_prepared(p);
    else
        take_over(p);
}

/* The pinned route, or the best one. */
static clv_choice choose(clv_splitter *s, clv_way *w)
{
    const clv_adapt *a = &s->adapt;
    clv_choice out = {.route = a->pinned ? a->pin : s->local->route};
    const clv_plan_problem *problem;
    clv_error err = {0};
    if (clv_way_problem(w, &problem, &err)) return out;
    if (!a->pinned && clv_choice_route(s, w, problem, &out.route, &err)) {
        clv_way_say(w, CLV_LOG_WARN, "no plan", err.text);
        return out;
    }
    out.expected = clv_choice_expect(w, problem, &out.route);
    return out;
}

clv_status clv_splitter_problem(clv_splitter *s, const clv_plan_problem **problem, clv_error *err)
{
    clv_way *w = pick(s);
    if (!s->n_ways)
        return clv_fail(err, CLV_EUNAVAIL, "model '%s': there is no peer to plan with", s->model);
    return clv_way_problem(w ? w : &s->ways[0], problem, err);
}

/* Everything runs here from the next request on. */
static void retreat(clv_splitter *s)
{
    if (!is_local(s)) clv_splitter_deploy(s, clv_deployment_ref(s->local));
}

void clv_adapt_refused(clv_splitter *s, size_t way, const clv_error *error)
{
    bool passing = error->status == CLV_EBUSY || error->status == CLV_ETIMEOUT ||
                   error->status == CLV_ELIMIT /* gRPC has one code for both */ ||
                   error->status == CLV_ECANCELED;
    if (s->closing || passing || is_local(s) || s->live->route.way != way) return;
    clv_way_doubt(&s->ways[way], CLV_ASK_AGAIN_US);
    clv_way_say(&s->ways[way], CLV_LOG_WARN, "peer refused", error->text);
    retreat(s);
}

void clv_adapt_withheld(clv_splitter *s, size_t way, const clv_error *error)
{
    clv_log(CLV_LOG_ERROR, "split", "withheld", "model=%s peer=%s text=\"%s\"", s->model,
            clv_peer_url(s->ways[way].peer), error->text);
    if (s->closing) return;
    clv_adapt_unpin(s, error->text);
    retreat(s);
}

/* What has become of the peers. */
static void look_around(clv_splitter *s)
{
    for (size_t i = 0; i < s->n_ways; i++) {
        clv_way *w = &s->ways[i];
        bool up = clv_peer_link(w->peer).up;
        if (up)
            clv_way_ask(w);
        else
            clv_way_lost(w);
        if (up) clv_way_join(w, s->adapt.own);
        if (up || is_local(s) || s->live->route.way != i) continue;
        clv_log(CLV_LOG_WARN, "split", "peer lost", "model=%s peer=%s plan=local", s->model,
                clv_peer_url(w->peer));
        retreat(s);
    }
}

void clv_adapt_step(void *splitter)
{
    clv_splitter *s = splitter;
    clv_adapt *a = &s->adapt;
    if (s->closing) return;
    look_around(s);
    clv_way *w = pick(s);
    if (!w || a->preparing || clv_now_us() < w->ask_after_us) return;
    clv_choice c = choose(s, w);
    a->planned = w->tables != NULL;
    w->hindered_us = 0;
    if (is_live(s, &c.route)) {
        atomic_store(&s->live->expected_remote_us, c.expected.remote_us);
        atomic_store(&s->live->expected_tail_us, c.expected.tail_us);
    } else if (c.route.n == 1) {
        clv_log(CLV_LOG_INFO, "split", "plan", "model=%s cut=local", s->model);
        retreat(s);
    } else {
        a->preparing = true;
        clv_preparation_begin(s, &c);
    }
    clv_forecast_look(s);
}

bool clv_splitter_settled(const clv_splitter *s)
{
    bool useless = true; /* all ways */
    for (size_t i = 0; i < s->n_ways; i++) {
        const clv_way *w = &s->ways[i];
        bool hindered = w->hindered_us && clv_now_us() - w->hindered_us > CLV_HINDERED_US;
        useless &= w->stage == CLV_WAY_REFUSED || hindered;
    }
    return useless || (s->adapt.planned && !s->adapt.preparing);
}

void clv_splitter_set_profile(clv_splitter *s, clv_profile *take)
{
    if (s->adapt.own) { /* one profile a life: the tables are made of it */
        clv_profile_free(take);
        return;
    }
    s->adapt.own = take;
    clv_forecast_look(s);
    if (s->n_ways) clv_adapt_step(s);
}

/* May the route be deployed here? */
static clv_status check_pin(const clv_splitter *s, const clv_route *route, clv_error *err)
{
    size_t cut = route->cut[0];
    if (cut > s->last || (cut < s->last && route->way >= s->n_ways))
        return clv_fail(err, CLV_EINVAL,
                        "model '%s': cut %zu cannot be deployed; 0 to %zu with a peer can",
                        s->model, cut, s->last);
    if (clv_guard_allows(&s->guard, cut)) return CLV_OK;
    return clv_fail(err, CLV_EDENIED,
                    "model '%s': cut %zu cannot be deployed: privacy keeps what is behind it here",
                    s->model, cut);
}

void clv_splitter_pin(clv_splitter *s, const clv_route *route, clv_splitter_done_fn done, void *arg)
{
    clv_error err = {0};
    clv_adapt_unpin(s, "another cut was pinned");
    if (route && check_pin(s, route, &err)) {
        done(arg, &err);
        return;
    }
    s->adapt.pinned = route != NULL;
    if (route) s->adapt.pin = *route;
    if (route && route->n == 1) clv_splitter_deploy(s, clv_deployment_ref(s->local));
    if (!route || is_live(s, route)) {
        done(arg, NULL);
    } else {
        s->adapt.pin_done = done;
        s->adapt.pin_arg = arg;
        s->ways[route->way].ask_after_us = 0;
    }
    if (s->n_ways) clv_adapt_step(s);
}

void clv_adapt_unpin(clv_splitter *s, const char *why)
{
    clv_error err = {0};
    clv_fail(&err, CLV_ECANCELED, "model '%s': %s", s->model, why);
    s->adapt.pinned = false;
    end_pin(s, &err);
}

void clv_adapt_done(clv_splitter *s)
{
    for (size_t i = 0; i < s->n_ways; i++) clv_way_done(&s->ways[i]);
    clv_profile_free(s->adapt.own);
}
