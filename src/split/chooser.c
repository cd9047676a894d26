#include "split/chooser.h"

#include "base/mem.h"
#include "policy/proven.h"
#include "split/promise.h"

#include <math.h>

/* Heavily loaded, a route that was just taken runs beside what the one before has left, on segments
 * that hardly ran: so long it is not judged by less than so much (a relative sigma). */
#define TRIAL_US    (2 * CLV_PROVEN_WINDOW_US)
#define TRIAL_SIGMA 0.12

void clv_chooser_init(clv_chooser *c)
{
    *c = (clv_chooser){.ends_us = INT64_MIN};
    clv_switching_init(&c->switching);
}

static clv_route route_of(const clv_chooser_view *v, const clv_plan_chain *chain)
{
    clv_route r = clv_route_of(chain, v->codecs, v->problem->cuts->n - 1);
    if (r.n > 1) r.way = v->way;
    return r;
}

/* What the policy wants of this problem, which is the view's or like it. */
static clv_status choose(const clv_chooser_view *v, const clv_plan_problem *p, clv_route *out,
                         clv_plan_cost *cost, clv_error *err)
{
    clv_plan_chain live;
    clv_policy_choice chosen;
    const clv_policy_options o = {.previous = clv_promise_chain(v, v->live, &live) ? &live : NULL};
    clv_status status = clv_policy_choose(p, v->policy, &o, &chosen, err);
    if (status) return status;
    *out = route_of(v, &chosen.chain);
    if (cost) *cost = chosen.cost;
    clv_policy_choice_done(&chosen);
    return CLV_OK;
}

/* ln of how far a rate is at so many sigmas, with the variance of what was not seen; a sigma of 1 is
 * "no idea". */
static double away(double sigmas, int64_t rel_ppm, double var)
{
    double rel = (double)rel_ppm * 1e-6;
    return sigmas * sqrt(rel < 1 ? rel * rel + var : CLV_ENDS_VAR_MAX);
}

/* The problem with all links at one end of their intervals: `sigmas` above 0 the slow one; and slower
 * than that by `ln`, a logarithm. */
static clv_plan_problem at_end(const clv_chooser_view *v, const clv_plan_problem *p, double sigmas,
                               double ln)
{
    clv_plan_problem end = *p;
    double unseen = fmin(CLV_ENDS_VAR_PER_S * 1e-6 * v->unseen_us, CLV_ENDS_VAR_MAX);
    for (size_t k = 0; k + 1 < p->n_devices; k++) {
        clv_plan_hop *h = &end.hops[k];
        double up =
            (double)h->up_ps_per_byte * exp(ln + away(sigmas, h->up_rel_ppm, k ? 0 : unseen));
        double down =
            (double)h->down_ps_per_byte * exp(ln + away(sigmas, h->down_rel_ppm, k ? 0 : unseen));
        double rtt = (double)h->rtt_ns + sigmas * 1e3 * sqrt((double)h->rtt_var_us2);
        if (!h->up) continue;
        h->up_ps_per_byte = (int64_t)fmin(fmax(up, 1), (double)CLV_PLAN_PS_MAX);
        h->down_ps_per_byte = (int64_t)fmin(fmax(down, 1), (double)CLV_PLAN_PS_MAX);
        h->rtt_ns = (int64_t)fmin(fmax(rtt, 0), (double)CLV_PLAN_NS_MAX);
    }
    return end;
}

static int slot_of(const clv_chooser *c, const clv_route *r)
{
    for (int i = 0; i < CLV_SWITCHING_PLANS; i++)
        if (c->switching.known[i] && clv_route_equal(&c->routes[i], r)) return i;
    return CLV_SWITCHING_NONE;
}

/* Follow this route too; `keep` has the slots that are not to be given away, and gets this one's.
 */
static int follow(clv_chooser *c, const clv_route *r, unsigned *keep)
{
    int slot = slot_of(c, r);
    if (slot < 0) slot = clv_switching_admit(&c->switching, *keep);
    if (slot < 0) return slot;
    if (!clv_route_equal(&c->routes[slot], r)) c->paces[slot] = (clv_chooser_pace){0};
    c->routes[slot] = *r;
    *keep |= 1U << slot;
    return slot;
}

static bool same_cuts(const clv_route *a, const clv_route *b)
{
    bool same = a->n == b->n && a->way == b->way;
    for (size_t k = 0; k < a->n && same; k++) same = a->cut[k] == b->cut[k];
    return same;
}

/* Are its segments there, here and at the peer? The whole network always is, on both sides. */
static bool is_resident(const clv_chooser_view *v, const clv_route *r)
{
    bool whole = r->n == 1 || (r->n == 2 && r->cut[0] == 0);
    bool resident = whole || same_cuts(r, v->live);
    for (size_t i = 0; i < v->n_warm && !resident; i++) resident = same_cuts(r, v->warm[i]);
    return resident;
}

/* A route that shows less than predicted may be over links that are slower than believed. */
static void look_at_ends(clv_chooser *c, const clv_chooser_view *v, const clv_plan_problem *p,
                         int live, unsigned *keep)
{
    double slower = live < 0 ? 0 : clv_promise_slower(&c->paces[live], v->now_us);
    clv_route ends[2];
    int64_t rel_ppm = p->hops[0].up_rel_ppm;
    bool wider = rel_ppm > CLV_ENDS_WIDER * c->ends_rel_ppm;
    if (c->ends_us != INT64_MIN && v->now_us >= c->ends_us && !wider &&
        v->now_us - c->ends_us < CLV_ENDS_EVERY_US)
        return;
    c->ends_us = v->now_us;
    c->ends_rel_ppm = rel_ppm;
    c->doubt = false;
    for (int i = 0; i < 2; i++) {
        clv_plan_problem end =
            i ? at_end(v, p, -CLV_ENDS_SIGMAS, 0) : at_end(v, p, CLV_ENDS_SIGMAS, slower);
        if (choose(v, &end, &ends[i], NULL, NULL)) return;
    }
    c->doubt = !clv_route_equal(&ends[0], &ends[1]);
    for (int i = 0; i < 2 && v->policy == CLV_POLICY_EXACT; i++) follow(c, &ends[i], keep);
}

/* The route that gets through the most, too. */
static void look_at_many(clv_chooser *c, const clv_chooser_view *v, unsigned *keep)
{
    clv_plan_problem many = *v->problem;
    clv_route best;
    many.objective.goal = CLV_GOAL_THROUGHPUT;
    if (v->policy == CLV_POLICY_EXACT && !choose(v, &many, &best, NULL, NULL))
        follow(c, &best, keep);
}

/* What it costs to move to a route, as a share of the best one's cost. */
static double entry_share(const clv_chooser *c, const clv_chooser_view *v, const clv_route *r)
{
    double share = is_resident(v, r) ? CLV_ENTRY_WARM : CLV_ENTRY_COLD;
    return r->n > 1 ? share * exp2(c->restless) : share;
}

/* May requests go on here at the cut? Where nothing but the latency counts, the whole network here
 * keeps all limits, and this node is not to be relieved. */
static bool is_free_to_stay(const clv_chooser_view *v, const clv_plan_problem *p)
{
    const clv_route local = clv_route_local(p->cuts->n - 1);
    clv_plan_chain chain;
    clv_plan_cost cost;
    return v->policy == CLV_POLICY_EXACT && !v->heavy && p->objective.goal == CLV_GOAL_LATENCY &&
           clv_promise_chain(v, &local, &chain) && clv_promise_keeps(p, &chain, &cost);
}

/* A switch that was carried out since the last look, or that requests make by themselves at the
 * cut; those before fade. */
static void count_switch(clv_chooser *c, const clv_promises *w)
{
    const clv_chooser_view *v = w->view;
    double gone_us = fmax((double)(v->now_us - c->restless_us), 0);
    bool stays = clv_promise_stays(w), moved = !clv_route_equal(&c->was, v->live);
    c->restless *= exp2(-gone_us / CLV_RESTLESS_HALF_US);
    if (moved) c->moved_us = v->now_us;
    if (c->settled && (moved || stays != c->stays))
        c->restless = fmin(c->restless + 1, CLV_RESTLESS_MAX);
    c->restless_us = v->now_us;
    c->was = *v->live;
    c->stays = stays;
}

/* Let the work functions say where to be. */
static void decide(clv_chooser *c, const clv_chooser_view *v, const clv_plan_problem *p, int live,
                   clv_chooser_answer *out)
{
    clv_prospect all[CLV_SWITCHING_PLANS] = {0};
    clv_switching_verdict verdict;
    double least = (double)INFINITY;
    clv_promises w = {.view = v, .problem = p, .may_stay = c->may_stay};
    count_switch(c, &w);
    w.restless = c->restless > CLV_RESTLESS_STAYS;
    if (live >= 0) clv_promise_learn(&w, &c->paces[live]);
    for (int i = 0; i < CLV_SWITCHING_PLANS; i++) {
        if (!c->switching.known[i]) continue;
        all[i] = clv_promise_of(&w, &c->routes[i], &c->paces[i]);
        least = fmin(least, all[i].cost);
    }
    if (v->heavy && live >= 0 && v->now_us - c->moved_us < TRIAL_US)
        all[live].own_sigma = hypot(all[live].own_sigma, TRIAL_SIGMA * all[live].cost);
    for (int i = 0; i < CLV_SWITCHING_PLANS; i++)
        if (c->switching.known[i] && isfinite(least))
            all[i].entry = least * entry_share(c, v, &c->routes[i]);
    clv_switching_moved(&c->switching, c->settled ? live : CLV_SWITCHING_NONE);
    clv_switching_step(&c->switching, all, v->tasks, &verdict);
    if (verdict.to >= 0) out->to = c->routes[verdict.to];
    out->second = verdict.second >= 0 ? c->routes[verdict.second] : out->to;
}

clv_status clv_chooser_look(clv_chooser *c, const clv_chooser_view *v, clv_chooser_answer *out,
                            clv_error *err)
{
    if (c->heavy != v->heavy || c->way != v->way) clv_chooser_init(c);
    c->heavy = v->heavy;
    c->way = v->way;
    clv_plan_problem p = *v->problem;
    clv_plan_cost cost = {0};
    clv_status status = choose(v, &p, &out->to, &cost, err);
    out->period_us = (double)cost.period_ns * 1e-3;
    out->latency_us = (double)cost.latency_ns * 1e-3;
    if (v->heavy && !status) {
        p.objective.goal = CLV_GOAL_THROUGHPUT;
        status = choose(v, &p, &out->to, NULL, err);
    }
    if (status) return status;
    out->second = out->to;
    unsigned keep = 0;
    const clv_route local = clv_route_local(p.cuts->n - 1);
    int live = follow(c, v->live, &keep);
    follow(c, &out->to, &keep);
    follow(c, &local, &keep);
    if (!v->heavy && clv_promise_piled_us(v, out->period_us) > 0) look_at_many(c, v, &keep);
    look_at_ends(c, v, &p, live, &keep);
    out->doubt = c->doubt;
    out->may_stay = c->may_stay = is_free_to_stay(v, &p);
    if (v->policy != CLV_POLICY_EXACT) return CLV_OK;
    decide(c, v, &p, live, out);
    c->settled = c->settled || clv_route_equal(&out->to, v->live);
    return CLV_OK;
}
