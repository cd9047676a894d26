#include "split/choice.h"

#include "base/mem.h"

/* A new cut must promise this share of the present one's latency, or less, to be worth a switch. */
#define CLV_SWITCH_GAIN 0.97

/* The problem's number of a codec; raw's if it is not offered any more. */
static int codec_number(const clv_way *w, clv_codec codec)
{
    size_t i = w->tables->problem.n_codecs - 1;
    while (i > 0 && clv_codec_index(w->tables->named[i]) != clv_codec_index(codec)) i--;
    return (int)i;
}

/* What is deployed, as the planner has it. */
static clv_plan_chain live_chain(const clv_splitter *s, const clv_way *w)
{
    const clv_route *r = &s->live->route;
    clv_plan_chain chain = {0};
    for (size_t k = 0; k < CLV_PLAN_DEVICES_MAX; k++)
        chain.cut[k] = (int)(k < r->n ? r->cut[k] : s->last);
    for (size_t k = 0; k + 1 < r->n; k++) chain.codec[k] = codec_number(w, r->codec[k]);
    return chain;
}

clv_status clv_choice_route(const clv_splitter *s, const clv_way *w, const clv_plan_problem *p,
                            clv_route *route, clv_error *err)
{
    size_t way = (size_t)(w - s->ways);
    bool same_way = clv_route_equal(&s->live->route, &s->local->route) || s->live->route.way == way;
    clv_plan_chain live = live_chain(s, w);
    clv_plan_cost best, now;
    clv_policy_choice chosen;
    clv_status status =
        clv_policy_choose(p, s->o.policy, &(clv_policy_options){.previous = &live}, &chosen, err);
    if (status) return status;
    bool keep = same_way && s->o.policy == CLV_POLICY_EXACT &&
                clv_plan_weigh(p, &live, &now, NULL) == CLV_OK &&
                clv_plan_weigh(p, &chosen.chain, &best, NULL) == CLV_OK &&
                (double)best.score > CLV_SWITCH_GAIN * (double)now.score;
    *route = keep ? s->live->route : clv_route_of(&chosen.chain, w->tables->named, s->last);
    if (!keep && route->n > 1) route->way = way;
    clv_policy_choice_done(&chosen);
    return CLV_OK;
}

clv_expectation clv_choice_expect(const clv_way *w, const clv_plan_problem *p,
                                  const clv_route *route)
{
    size_t last = p->cuts->n - 1, cut = route->cut[0];
    size_t codec = (size_t)codec_number(w, route->codec[0]);
    const clv_plan_amount parts[] = {clv_plan_cross(p, 0, cut, codec), clv_plan_wait(p, 1),
                                     clv_plan_decode(p, 1, cut, codec),
                                     clv_plan_segment(p, 1, cut, last)};
    clv_plan_amount remote = {0};
    for (size_t i = 0; i < CLV_COUNT(parts); i++) remote = clv_plan_add(remote, parts[i]);
    int64_t whole_ns = p->devices[0].prefix[last].ns, head_ns = p->devices[0].prefix[cut].ns;
    if (cut == last || remote.ns == CLV_PLAN_UNKNOWN || head_ns == CLV_PLAN_UNKNOWN)
        return (clv_expectation){0};
    return (clv_expectation){.remote_us = (remote.ns - p->hops[0].overhead_ns) / 1000,
                             .tail_us = CLV_MAX(whole_ns - head_ns, 0) / 1000};
}
