#include "plan/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const policy_names[CLV_POLICY_COUNT] = {
#define X(name, text, about) [CLV_POLICY_##name] = text,
    CLV_POLICY_MAP(X)
#undef X
};

const char *clv_policy_name(clv_policy p)
{
    return (unsigned)p < CLV_POLICY_COUNT ? policy_names[p] : "?";
}

clv_plan_cost clv_plan_cost_of(const clv_plan_problem *p, size_t cut)
{
    const clv_plan_cut *c = &p->cuts[cut];
    clv_plan_cost cost = {.cut = cut, .edge_us = c->edge_us};
    bool remote = cut + 1 < p->n_cuts;
    if (cut > 0 || !remote) cost.queue_us += p->edge_queue_us;
    if (remote) {
        cost.link_us = p->link.up ? clv_link_exchange_us(&p->link, c->up_bytes, c->down_bytes)
                                  : (double)INFINITY;
        cost.queue_us += p->queue_us;
        cost.cloud_us = c->cloud_us;
        cost.overhead_us = p->overhead_us;
    }
    cost.latency_us =
        cost.edge_us + cost.link_us + cost.queue_us + cost.cloud_us + cost.overhead_us;
    return cost;
}

/* Whole nanoseconds: sums of doubles differ in their last bits with the order of their terms, and a
 * tie must not be decided by that. Beyond 292 years everything is equally bad. */
static int64_t key_ns(double us)
{
    double ns = us * 1000;
    return ns < 9e18 ? llround(ns) : INT64_MAX;
}

static bool better(const clv_plan_cost *a, const clv_plan_cost *b)
{
    int64_t ka = key_ns(a->latency_us), kb = key_ns(b->latency_us);
    return ka != kb ? ka < kb : a->cut > b->cut;
}

static clv_plan_cost best_of(const clv_plan_problem *p)
{
    clv_plan_cost best = clv_plan_cost_of(p, p->n_cuts - 1);
    for (size_t i = p->n_cuts - 1; i-- > 0;) {
        clv_plan_cost c = clv_plan_cost_of(p, i);
        if (better(&c, &best)) best = c;
    }
    return best;
}

static int by_rank(const void *a, const void *b)
{
    const clv_plan_cost *x = a, *y = b;
    return better(x, y) ? -1 : better(y, x) ? 1 : 0;
}

void clv_plan_rank(const clv_plan_problem *p, clv_plan_cost *costs)
{
    for (size_t i = 0; i < p->n_cuts; i++) costs[i] = clv_plan_cost_of(p, i);
    qsort(costs, p->n_cuts, sizeof *costs, by_rank);
}

clv_status clv_plan_solve(const clv_plan_problem *p, clv_policy policy, clv_plan *out,
                          clv_error *err)
{
    if (p->n_cuts < 2)
        return clv_fail(err, CLV_EINVAL, "a plan chooses among two cuts or more, got %zu",
                        p->n_cuts);
    clv_plan plan = {.policy = policy};
    switch (policy) {
    case CLV_POLICY_EXACT: plan.cost = best_of(p); break;
    case CLV_POLICY_EDGE: plan.cost = clv_plan_cost_of(p, p->n_cuts - 1); break;
    case CLV_POLICY_CLOUD:
        if (!p->link.up)
            return clv_fail(err, CLV_EUNAVAIL,
                            "policy 'cloud': the link is down; policies 'exact' and 'edge' run "
                            "without it");
        plan.cost = clv_plan_cost_of(p, 0);
        break;
    case CLV_POLICY_COUNT: return clv_fail(err, CLV_EINVAL, "policy %d is not known", (int)policy);
    }
    plan.cut = plan.cost.cut;
    clv_plan_explain(p, &plan, plan.why, sizeof plan.why);
    *out = plan;
    return CLV_OK;
}
