/* Which route, now: look at each change of a link, have both ends prepared, swap. What the peers
 * have and cost is way.c's, which route is the best choice.c's, preparing it preparation.c's.
 * Loop's thread only. */
#include "split/choice.h"
#include "split/forecast.h"
#include "split/preparation.h"
#include "split/splitter_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "measure/link_monitor.h"

#include <stdlib.h>

/* A peer that is of no use for so long is not waited for. */
#define CLV_HINDERED_US 3000000
/* A second route is prepared when it has been the likeliest next one for so long; one that failed,
 * after so long again. */
#define CLV_SPARE_AFTER_US 3000000
#define CLV_SPARE_AGAIN_US 30000000

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

/* The pinned route is over this way, which is up and not in doubt. */
static bool may_pin(const clv_splitter *s, const clv_way *w)
{
    return &s->ways[s->adapt.pin.way] == w && clv_peer_link(w->peer).up &&
           clv_now_us() >= w->ask_after_us;
}

/* The way to plan over: the first that is ready, so that a node that was routed around gets its
 * work back; the pinned one if it can be used. NULL: none. */
static clv_way *pick(clv_splitter *s)
{
    for (size_t i = 0; i < s->n_ways; i++) {
        clv_way *w = &s->ways[i];
        if (s->adapt.pinned ? may_pin(s, w) : clv_way_ready(w)) return w;
    }
    return NULL;
}

/* Is this route still to be deployed, now that it is ready? The link, the peer or the pin may have
 * changed meanwhile. */
static bool still_wanted(clv_splitter *s, const clv_route *route)
{
    return pick(s) == &s->ways[route->way] && clv_route_equal(route, &s->adapt.wanted);
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

static void expect(clv_deployment *d, const clv_expectation *e)
{
    atomic_store(&d->expected_remote_us, e->remote_us);
    atomic_store(&d->expected_tail_us, e->tail_us);
    atomic_store(&d->may_stay, e->may_stay);
}

/* A deployment that is ready at both ends takes over with the next request. */
static void take_over(clv_splitter *s, clv_deployment *take, clv_expectation expected)
{
    expect(take, &expected);
    clv_log(CLV_LOG_INFO, "split", "plan", "model=%s cut=\"%s\" mode=%s", s->model, take->label,
            clv_load_mode_name(s->adapt.heavy));
    const clv_route route = take->route;
    clv_forecast_begin(s, take);
    clv_splitter_deploy(s, take);
    if (is_pinned(s, &route)) end_pin(s, NULL);
}

/* The likeliest next route is resident now, in case. */
static void spare_prepared(const clv_preparation *p)
{
    clv_splitter *s = p->s;
    s->adapt.sparing = false;
    bool ready = !s->closing && !p->here.status && !p->there.status;
    if (ready && !is_live(s, &p->route)) clv_splitter_keep_warm(s, clv_deployment_ref(p->built));
}

void clv_adapt_prepared(const clv_preparation *p)
{
    clv_splitter *s = p->s;
    if (p->spare) {
        spare_prepared(p);
        return;
    }
    s->adapt.preparing = false;
    if (s->closing) return;
    if (p->here.status || p->there.status) {
        not_prepared(p);
        return;
    }
    if (still_wanted(s, &p->route))
        take_over(s, clv_deployment_ref(p->built), p->expected);
    else
        clv_splitter_keep_warm(s, clv_deployment_ref(p->built));
    clv_adapt_step(s);
}

clv_status clv_splitter_problem(clv_splitter *s, const clv_plan_problem **problem, clv_error *err)
{
    clv_way *w = pick(s);
    if (!s->n_ways)
        return clv_fail(err, CLV_EUNAVAIL, "model '%s': there is no peer to plan with", s->model);
    return clv_way_problem(w ? w : &s->ways[0], problem, err);
}

/* Everything runs here from the next request on, whatever was planned; the next plan is the first
 * again. */
static void retreat(clv_splitter *s)
{
    clv_chooser_init(&s->adapt.chooser);
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

/* The first plan is of what was seen of the link while this node loaded its models and built their
 * segments. Where it depends on the link, that is looked at anew, until it is known well. */
static void look_twice(clv_adapt *a, clv_way *w)
{
    if (a->looked_twice || a->preparing || !a->planned || a->pinned) return;
    a->looked_twice = true;
    a->new_us = clv_now_us();
    if (a->chooser.doubt) clv_peer_distrust(w->peer);
}

/* Be on the chosen route: at once if it is resident, even while another is being prepared; else as
 * soon as it is. */
static void go(clv_splitter *s, clv_way *w, const clv_choice *c)
{
    clv_deployment *warm = clv_splitter_warm(s, &c->route);
    if (is_live(s, &c->route)) {
        expect(s->live, &c->expected);
    } else if (c->route.n == 1) {
        take_over(s, clv_deployment_ref(s->local), c->expected);
    } else if (warm) {
        take_over(s, clv_steal(&warm), c->expected);
        clv_preparation_refresh(s, &c->route);
    } else if (!s->adapt.preparing && clv_now_us() >= w->ask_after_us) {
        s->adapt.preparing = true;
        clv_preparation_begin(s, &c->route, c->expected, false);
    }
    clv_deployment_unref(warm);
}

/* Keep the likeliest next route resident at both ends, once it has been the same one for a while.
 */
static void keep_spare(clv_splitter *s, const clv_choice *c)
{
    clv_adapt *a = &s->adapt;
    int64_t now_us = clv_now_us();
    clv_deployment *warm = clv_splitter_warm(s, &c->second);
    bool needless = warm || c->second.n == 1 || clv_route_equal(&c->second, &c->route);
    clv_deployment_unref(warm);
    if (needless || !clv_route_equal(&c->second, &a->spare)) {
        a->spare = c->second;
        a->spare_us = now_us;
        return;
    }
    if (a->sparing || a->preparing || now_us - a->spare_us < CLV_SPARE_AFTER_US) return;
    a->sparing = true;
    a->spare_us = now_us + CLV_SPARE_AGAIN_US; /* should it fail */
    clv_preparation_begin(s, &c->second, (clv_expectation){0}, true);
}

void clv_adapt_step(void *splitter)
{
    clv_splitter *s = splitter;
    clv_adapt *a = &s->adapt;
    if (s->closing) return;
    look_around(s);
    clv_way *w = pick(s);
    if (!w) return;
    clv_choice c = clv_choice_make(s, w);
    if (!a->planned && w->tables) a->new_us = clv_now_us();
    a->planned = w->tables != NULL;
    a->wanted = c.route;
    w->hindered_us = 0;
    go(s, w, &c);
    look_twice(a, w);
    keep_spare(s, &c);
    clv_forecast_look(s);
}

static void counted(void *splitter)
{
    clv_splitter *s = splitter;
    clv_adapt_step(s);
    atomic_fetch_sub(&s->busy, 1);
}

static void greet(void *splitter)
{
    clv_splitter *s = splitter;
    if (!s->closing && !is_local(s)) clv_peer_greet(s->ways[s->live->route.way].peer);
    atomic_fetch_sub(&s->busy, 1);
}

void clv_adapt_greet(clv_splitter *s)
{
    if (atomic_load(&s->remote_now)) return;
    atomic_fetch_add(&s->busy, 1);
    clv_loop_post(s->o.loop, greet, s);
}

void clv_adapt_count(clv_splitter *s, int in_flight)
{
    if (!clv_arrivals_came(&s->arrivals, clv_now_us(), in_flight)) return;
    atomic_fetch_add(&s->busy, 1);
    clv_loop_post(s->o.loop, counted, s);
}

/* What is known of the link when the first plan is made may be a guess; so long it may get better. */
static bool is_new(const clv_splitter *s)
{
    return s->adapt.planned && clv_now_us() - s->adapt.new_us < CLV_LINK_DOUBTED_US;
}

bool clv_adapt_doubts(void *splitter)
{
    clv_splitter *s = splitter;
    return !s->adapt.pinned && s->adapt.chooser.doubt &&
           (is_new(s) || clv_arrivals_lately(&s->arrivals, clv_now_us()));
}

/* The plan may be another in a moment: little is known of the link, and it is being asked. */
static bool is_unsure(const clv_splitter *s)
{
    return is_new(s) && !s->adapt.pinned && s->adapt.chooser.doubt &&
           clv_peer_link(s->ways[0].peer).up_sigma > CLV_LINK_SURE_SIGMA;
}

bool clv_splitter_settled(const clv_splitter *s)
{
    bool useless = true; /* all ways */
    for (size_t i = 0; i < s->n_ways; i++) {
        const clv_way *w = &s->ways[i];
        bool hindered = w->hindered_us && clv_now_us() - w->hindered_us > CLV_HINDERED_US;
        useless &= w->stage == CLV_WAY_REFUSED || hindered;
    }
    return useless || (s->adapt.planned && !s->adapt.preparing && !is_unsure(s));
}

void clv_splitter_set_profile(clv_splitter *s, clv_profile *take)
{
    if (s->adapt.own) { /* one profile a life: the tables are made of it */
        clv_profile_free(take);
        return;
    }
    s->adapt.own = take;
    clv_forecast_look(s);
    clv_pace_seed(&s->pace, take);
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
    clv_chooser_init(&s->adapt.chooser);
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
