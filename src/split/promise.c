#include "split/promise.h"

#include "base/mem.h"
#include "cost/correction.h"
#include "measure/link_monitor.h"
#include "policy/proven.h"

#include <math.h>

/* A profile's times are medians of many runs: their standard deviation is about that of a run over
 * so much. No prediction is better than this share. */
#define RUNS_ROOT   3.0
#define SHARE_SIGMA 0.005
/* Of a link that is in use, or over which a request may go on here at the cut, and that no more is
 * known of than this (a relative sigma), the likeliest counts: it has become another, and to stay
 * is no safer than to move. */
#define LINK_SIGMA_MOST 0.1
/* Of the parts of a route the ones that are about its longest stage: so near to it. */
#define LONGEST 0.9
/* What a route may get through besides what is promised for it, until it has shown it: so it is
 * tried, and not left before. */
#define BENEFIT 0.05
/* What it costs more than to run here to go on here at the cut. */
#define STAY_SHARE 0.02
/* How long requests pile up on a route that cannot keep up, before the load's mode has changed. */
#define PILE_US 2000000.0
/* By how much what a route shows may be off what is predicted for it, at the most. */
#define PACE_MOST 4.0

bool clv_promise_chain(const clv_chooser_view *v, const clv_route *r, clv_plan_chain *out)
{
    const clv_plan_problem *p = v->problem;
    if (r->n > p->n_devices || (r->n > 1 && r->way != v->way)) return false;
    *out = (clv_plan_chain){0};
    for (size_t k = 0; k < p->n_devices; k++)
        out->cut[k] = k < r->n ? (int)r->cut[k] : (int)p->cuts->n - 1;
    for (size_t k = 0; k + 1 < r->n; k++) {
        size_t i = 0;
        while (i < p->n_codecs && clv_codec_index(v->codecs[i]) != clv_codec_index(r->codec[k]))
            i++;
        if (i == p->n_codecs) return false;
        out->codec[k] = (int)i;
    }
    return true;
}

static double us(int64_t ns)
{
    return (double)ns * 1e-3;
}

/* How far a hop's part of the cost goes with its rates and its round trip; `bounded`: at the worst
 * the request goes on here. */
static void put_hop(const clv_chooser_view *v, const clv_plan_problem *p, size_t k,
                    const clv_plan_chain *chain, int64_t period_ns, bool bounded, double factor[3])
{
    const clv_plan_hop *h = &p->hops[k];
    bool heavy = v->heavy;
    double most = v->live->n > 1 || bounded ? LINK_SIGMA_MOST : 1;
    clv_plan_transfer t =
        clv_plan_transfer_of(p, k, (size_t)chain->cut[k], (size_t)chain->codec[k]);
    bool up = !heavy || t.up_ns == period_ns, down = !heavy || t.down_ns == period_ns;
    double rtt_most = us(h->rtt_ns) * most;
    factor[0] = up ? us(t.up_ns) * fmin((double)h->up_rel_ppm * 1e-6, most) : 0;
    factor[1] = down ? us(t.down_ns) * fmin((double)h->down_rel_ppm * 1e-6, most) : 0;
    factor[2] = heavy ? 0 : fmin(sqrt((double)h->rtt_var_us2), rtt_most);
}

/* What a chain runs on device k. */
static double run_us(const clv_plan_problem *p, const clv_plan_chain *chain, size_t k)
{
    size_t from = (size_t)chain->cut[k - 1], to = (size_t)chain->cut[k];
    return from == to ? 0 : us(clv_plan_segment(p, k, from, to).ns);
}

/* The longest stage at the peers as they are: what waits there before a request is others' work,
 * or its own node's, which is another's with the route. */
static double shared_us(const clv_chooser_view *v, const clv_plan_problem *p,
                        const clv_plan_chain *chain, size_t n)
{
    clv_plan_chain live;
    bool known = clv_promise_chain(v, v->live, &live);
    double most = 0, flights = fmax(v->in_flight, 1);
    for (size_t k = 1; k < n; k++) {
        double run = run_us(p, chain, k), now = known ? run_us(p, &live, k) : 0;
        if (run <= 0) continue;
        if (now <= 0) now = run; /* nothing there is ours yet */
        most = fmax(most, (us(clv_plan_wait(p, k).ns) + now) / flights + run - now);
    }
    return most;
}

/* The route's longest stage is busy for `used` of the time that requests are apart. */
double clv_promise_piled_us(const clv_chooser_view *v, double period_us)
{
    double used = v->rate_per_s * period_us * 1e-6;
    return fmax(used - 1, 0) * PILE_US / 2;
}

/* The longest that a stage of the route in use can take, as it answers so many. */
static double shown_us(const clv_chooser_view *v)
{
    return v->answered_per_s > 0 ? 1e6 / v->answered_per_s : (double)INFINITY;
}

/* The link stepped, or was not looked at for long: who knows what it is. A request that goes on here
 * at the cut loses next to nothing by it. */
static bool is_open(const clv_plan_problem *p)
{
    return (double)p->hops[0].up_rel_ppm >= CLV_LINK_OPEN_SIGMA * 1e6;
}

/* What a request takes that goes on here at the cut; infinite: it may not, or that is not known. */
static double stay_us(const clv_promises *w, const clv_plan_chain *chain)
{
    const clv_plan_problem *p = w->problem;
    size_t cut = (size_t)chain->cut[0], last = p->cuts->n - 1;
    clv_plan_amount head = clv_plan_segment(p, 0, 0, cut), rest = clv_plan_segment(p, 0, cut, last);
    if (!w->may_stay || head.ns == CLV_PLAN_UNKNOWN || rest.ns == CLV_PLAN_UNKNOWN)
        return (double)INFINITY;
    double here = us(head.ns + rest.ns);
    return here * (1 + STAY_SHARE) + clv_promise_piled_us(w->view, here);
}

bool clv_promise_keeps(const clv_plan_problem *p, const clv_plan_chain *chain, clv_plan_cost *cost)
{
    return clv_plan_weigh(p, chain, cost, NULL) == CLV_OK &&
           clv_plan_violated(p, chain, cost) == CLV_LIMIT_NONE;
}

/* The route's longest stage, as predicted. */
static double stage_us(const clv_promises *w, const clv_route *r, const clv_plan_chain *chain,
                       const clv_plan_cost *cost)
{
    return fmax(us(cost->period_ns), shared_us(w->view, w->problem, chain, r->n));
}

/* What is left of what the route has shown: 1 at first, 0 if it showed nothing. */
static double pace_memory(const clv_chooser_pace *pace, int64_t now_us)
{
    double gone_us = fmax((double)(now_us - pace->at_us), 0);
    return pace->at_us ? exp(-gone_us / (double)CLV_CORRECTION_FADE_US) : 0;
}

void clv_promise_learn(const clv_promises *w, clv_chooser_pace *pace)
{
    const clv_chooser_view *v = w->view;
    const double most = log(PACE_MOST);
    clv_plan_chain chain;
    clv_plan_cost cost;
    if (!v->heavy || !v->shows_all || !clv_promise_chain(v, v->live, &chain) ||
        !clv_promise_keeps(w->problem, &chain, &cost))
        return;
    double ln = log(shown_us(v) / stage_us(w, v->live, &chain, &cost));
    if (isfinite(ln)) *pace = (clv_chooser_pace){fmax(-most, fmin(ln, most)), v->now_us};
}

double clv_promise_slower(const clv_chooser_pace *pace, int64_t now_us)
{
    return fmax(pace->ln * pace_memory(pace, now_us), 0);
}

/* What the route takes as it is. */
static double carried_us(const clv_promises *w, const clv_route *r, const clv_chooser_pace *pace,
                         const clv_plan_chain *chain, const clv_plan_cost *cost)
{
    const clv_chooser_view *v = w->view;
    double shown = clv_route_equal(r, v->live) ? shown_us(v) : (double)INFINITY;
    if (!v->heavy)
        return us(cost->score) + clv_promise_piled_us(v, fmin(us(cost->period_ns), shown));
    double known = pace_memory(pace, v->now_us);
    double stage = stage_us(w, r, chain, cost) * exp(pace->ln * known);
    return fmin(stage, shown) * (1 - BENEFIT * (1 - known));
}

/* What a part's time is uncertain by, as far as it counts: of a route for many, if it may be the
 * longest stage. */
static double part_var(const clv_chooser_view *v, clv_plan_amount part, const clv_plan_cost *cost)
{
    bool counts = !v->heavy || (double)part.ns >= LONGEST * (double)cost->period_ns;
    return counts ? (double)part.var_us2 : 0;
}

clv_prospect clv_promise_of(const clv_promises *w, const clv_route *r, const clv_chooser_pace *pace)
{
    const clv_chooser_view *v = w->view;
    const clv_plan_problem *p = w->problem;
    clv_prospect out = {.cost = (double)INFINITY};
    clv_plan_chain chain;
    clv_plan_cost cost;
    if (!clv_promise_chain(v, r, &chain) || !clv_promise_keeps(p, &chain, &cost)) return out;
    bool open = is_open(p), may = r->n > 1 && (open || w->restless);
    double stay = may ? stay_us(w, &chain) : (double)INFINITY;
    out.cost = fmin(carried_us(w, r, pace, &chain, &cost), stay);
    bool stays = stay <= out.cost, bounded = open && isfinite(stay);
    double var = 0;
    size_t last = p->cuts->n - 1, from = 0;
    for (size_t k = 0; k < r->n; k++) {
        size_t to = (size_t)chain.cut[k];
        if (to != from) var += part_var(v, clv_plan_segment(p, k, from, to), &cost);
        if (to != last && !stays)
            put_hop(v, p, k, &chain, cost.period_ns, bounded, &out.factor[3 * k]);
        from = to;
    }
    double share = SHARE_SIGMA * out.cost, known = pace_memory(pace, v->now_us);
    var *= 1 - known * known;
    out.own_sigma = sqrt(var / (RUNS_ROOT * RUNS_ROOT) + share * share);
    return out;
}

bool clv_promise_stays(const clv_promises *w)
{
    const clv_chooser_pace unseen = {0};
    const clv_route *live = w->view->live;
    clv_plan_chain chain;
    clv_plan_cost cost;
    return live->n > 1 && clv_promise_chain(w->view, live, &chain) &&
           clv_promise_keeps(w->problem, &chain, &cost) &&
           stay_us(w, &chain) < carried_us(w, live, &unseen, &chain, &cost);
}
