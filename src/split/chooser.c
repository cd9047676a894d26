#include "split/chooser.h"

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
/* Heavily loaded, a route that was just taken runs beside what the one before has left, on segments
 * that hardly ran: so long it is not judged by less than so much (a relative sigma). */
#define TRIAL_US    (2 * CLV_PROVEN_WINDOW_US)
#define TRIAL_SIGMA 0.12
/* By how much what a route shows may be off what is predicted for it, at the most. */
#define PACE_MOST 4.0

void clv_chooser_init(clv_chooser *c)
{
    *c = (clv_chooser){.ends_us = INT64_MIN};
    clv_switching_init(&c->switching);
}

/* The route as the planner has it; false: it is over another way, or in a codec that is not
 * offered. */
static bool chain_of(const clv_chooser_view *v, const clv_route *r, clv_plan_chain *out)
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
    const clv_policy_options o = {.previous = chain_of(v, v->live, &live) ? &live : NULL};
    clv_status status = clv_policy_choose(p, v->policy, &o, &chosen, err);
    if (status) return status;
    *out = route_of(v, &chosen.chain);
    if (cost) *cost = chosen.cost;
    clv_policy_choice_done(&chosen);
    return CLV_OK;
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
    bool known = chain_of(v, v->live, &live);
    double most = 0, flights = fmax(v->in_flight, 1);
    for (size_t k = 1; k < n; k++) {
        double run = run_us(p, chain, k), now = known ? run_us(p, &live, k) : 0;
        if (run <= 0) continue;
        if (now <= 0) now = run; /* nothing there is ours yet */
        most = fmax(most, (us(clv_plan_wait(p, k).ns) + now) / flights + run - now);
    }
    return most;
}

/* What requests wait for on average while they pile up: the route's longest stage is busy for `used`
 * of the time that they are apart. */
static double piled_us(const clv_chooser_view *v, double period_us)
{
    double used = v->rate_per_s * period_us * 1e-6;
    return fmax(used - 1, 0) * CLV_PILE_US / 2;
}

/* The longest that a stage of the route in use can take, as it answers so many. */
static double shown_us(const clv_chooser_view *v)
{
    return v->answered_per_s > 0 ? 1e6 / v->answered_per_s : (double)INFINITY;
}

static bool is_restless(const clv_chooser *c)
{
    return c->restless > CLV_RESTLESS_STAYS;
}

/* The link stepped, or was not looked at for long: who knows what it is. A request that goes on here
 * at the cut loses next to nothing by it. */
static bool is_open(const clv_plan_problem *p)
{
    return (double)p->hops[0].up_rel_ppm >= CLV_LINK_OPEN_SIGMA * 1e6;
}

/* What a request takes that goes on here at the cut; infinite: it may not, or that is not known. */
static double stay_us(const clv_chooser *c, const clv_chooser_view *v, const clv_plan_problem *p,
                      const clv_plan_chain *chain)
{
    size_t cut = (size_t)chain->cut[0], last = p->cuts->n - 1;
    clv_plan_amount head = clv_plan_segment(p, 0, 0, cut), rest = clv_plan_segment(p, 0, cut, last);
    if (!c->may_stay || head.ns == CLV_PLAN_UNKNOWN || rest.ns == CLV_PLAN_UNKNOWN)
        return (double)INFINITY;
    double here = us(head.ns + rest.ns);
    return here * (1 + CLV_STAY_SHARE) + piled_us(v, here);
}

/* Is this chain one that keeps the limits? Its cost. */
static bool keeps_limits(const clv_plan_problem *p, const clv_plan_chain *chain,
                         clv_plan_cost *cost)
{
    return clv_plan_weigh(p, chain, cost, NULL) == CLV_OK &&
           clv_plan_violated(p, chain, cost) == CLV_LIMIT_NONE;
}

/* The route's longest stage, as predicted. */
static double stage_us(const clv_chooser_view *v, const clv_plan_problem *p, const clv_route *r,
                       const clv_plan_chain *chain, const clv_plan_cost *cost)
{
    return fmax(us(cost->period_ns), shared_us(v, p, chain, r->n));
}

/* What is left of what the route has shown: 1 at first, 0 if it showed nothing. */
static double pace_memory(const clv_chooser_pace *pace, int64_t now_us)
{
    double gone_us = fmax((double)(now_us - pace->at_us), 0);
    return pace->at_us ? exp(-gone_us / (double)CLV_CORRECTION_FADE_US) : 0;
}

/* The route in use has shown all that it gets through. */
static void learn_pace(clv_chooser *c, const clv_chooser_view *v, const clv_plan_problem *p,
                       int live)
{
    clv_plan_chain chain;
    clv_plan_cost cost;
    if (!v->heavy || !v->shows_all || live < 0 || !chain_of(v, v->live, &chain) ||
        !keeps_limits(p, &chain, &cost))
        return;
    double ln = log(shown_us(v) / stage_us(v, p, v->live, &chain, &cost));
    if (!isfinite(ln)) return;
    c->paces[live] = (clv_chooser_pace){fmax(-log(PACE_MOST), fmin(ln, log(PACE_MOST))), v->now_us};
}

/* What the route takes as it is. */
static double carried_us(const clv_chooser_view *v, const clv_plan_problem *p, const clv_route *r,
                         const clv_chooser_pace *pace, const clv_plan_chain *chain,
                         const clv_plan_cost *cost)
{
    double shown = clv_route_equal(r, v->live) ? shown_us(v) : (double)INFINITY;
    if (!v->heavy) return us(cost->score) + piled_us(v, fmin(us(cost->period_ns), shown));
    double known = pace_memory(pace, v->now_us);
    double stage = stage_us(v, p, r, chain, cost) * exp(pace->ln * known);
    return fmin(stage, shown) * (1 - BENEFIT * (1 - known));
}

/* What a part's time is uncertain by, as far as it counts: of a route for many, if it may be the
 * longest stage. */
static double part_var(const clv_chooser_view *v, clv_plan_amount part, const clv_plan_cost *cost)
{
    bool counts = !v->heavy || (double)part.ns >= LONGEST * (double)cost->period_ns;
    return counts ? (double)part.var_us2 : 0;
}

static clv_prospect promise(const clv_chooser *c, const clv_chooser_view *v,
                            const clv_plan_problem *p, int slot)
{
    const clv_route *r = &c->routes[slot];
    const clv_chooser_pace *pace = &c->paces[slot];
    clv_prospect out = {.cost = (double)INFINITY};
    clv_plan_chain chain;
    clv_plan_cost cost;
    if (!chain_of(v, r, &chain) || !keeps_limits(p, &chain, &cost)) return out;
    bool open = is_open(p), may = r->n > 1 && (open || is_restless(c));
    double stay = may ? stay_us(c, v, p, &chain) : (double)INFINITY;
    out.cost = fmin(carried_us(v, p, r, pace, &chain, &cost), stay);
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
    double slower =
        live < 0 ? 0 : fmax(c->paces[live].ln * pace_memory(&c->paces[live], v->now_us), 0);
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
           chain_of(v, &local, &chain) && keeps_limits(p, &chain, &cost);
}

/* Do requests on the route in use go on here, as the link is now? */
static bool stays_now(const clv_chooser *c, const clv_chooser_view *v, const clv_plan_problem *p)
{
    const clv_chooser_pace unseen = {0};
    clv_plan_chain chain;
    clv_plan_cost cost;
    return v->live->n > 1 && chain_of(v, v->live, &chain) && keeps_limits(p, &chain, &cost) &&
           stay_us(c, v, p, &chain) < carried_us(v, p, v->live, &unseen, &chain, &cost);
}

/* A switch that was carried out since the last look, or that requests make by themselves at the
 * cut; those before fade. */
static void count_switch(clv_chooser *c, const clv_chooser_view *v, const clv_plan_problem *p)
{
    double gone_us = fmax((double)(v->now_us - c->restless_us), 0);
    bool stays = stays_now(c, v, p), moved = !clv_route_equal(&c->was, v->live);
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
    count_switch(c, v, p);
    learn_pace(c, v, p, live);
    for (int i = 0; i < CLV_SWITCHING_PLANS; i++) {
        if (!c->switching.known[i]) continue;
        all[i] = promise(c, v, p, i);
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
    out->period_us = us(cost.period_ns);
    out->latency_us = us(cost.latency_ns);
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
    if (!v->heavy && piled_us(v, out->period_us) > 0) look_at_many(c, v, &keep);
    look_at_ends(c, v, &p, live, &keep);
    out->doubt = c->doubt;
    out->may_stay = c->may_stay = is_free_to_stay(v, &p);
    if (v->policy != CLV_POLICY_EXACT) return CLV_OK;
    decide(c, v, &p, live, out);
    c->settled = c->settled || clv_route_equal(&out->to, v->live);
    return CLV_OK;
}
