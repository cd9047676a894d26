/* What the policies of others see of a problem: the cuts that can be carried out, and sums. */
#include "plan/policies_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

int64_t clv_policy_bytes_ns(int64_t bytes, int64_t ps_per_byte)
{
    double ns = (double)bytes * (double)ps_per_byte / 1000;
    return ns < 4e18 ? llround(ns) : INT64_MAX / 4;
}

/* A sum of a few of these must not overflow. */
static int64_t capped(double ns)
{
    return ns < 1e18 ? llround(ns) : (int64_t)1e18;
}

int64_t clv_policy_weighted(const clv_policy_cut *c, int64_t alpha, int64_t gamma)
{
    double w = 1.0 / 64;
    return capped((double)c->edge_ns * (double)alpha * w) + capped((double)c->up_ns) +
           capped((double)c->cloud_ns * (double)gamma * w);
}

int64_t clv_policy_sum(const clv_policy_cut *c)
{
    return clv_policy_weighted(c, 64, 64);
}

/* Unlike deadline, energy and price, these make a placement impossible, not just unwanted. */
static clv_plan_problem without_wishes(const clv_plan_problem *p)
{
    clv_plan_problem q = *p;
    q.limits.deadline_ns = q.limits.energy_nj = CLV_PLAN_NO_LIMIT;
    q.limits.price_pm = q.limits.drop_ppm = CLV_PLAN_NO_LIMIT;
    return q;
}

static bool can_be_carried_out(const clv_plan_problem *p, int cut)
{
    clv_plan_chain chain = {.cut = {cut, (int)p->cuts->n - 1}};
    clv_plan_cost cost;
    clv_error err = {0};
    return clv_plan_weigh(p, &chain, &cost, &err) == CLV_OK &&
           clv_plan_violated(p, &chain, &cost) == CLV_LIMIT_NONE;
}

static void add_up(const clv_plan_problem *p, clv_policy_cut *c)
{
    const clv_cut *cut = &p->cuts->items[c->cut];
    for (size_t u = 0; u < p->graph->n_units; u++)
        if (clv_cut_has(cut, (int)u))
            c->edge_ns += p->devices[0].unit_ns[u];
        else
            c->cloud_ns += p->devices[1].unit_ns[u];
    if ((size_t)c->cut + 1 < p->cuts->n)
        c->up_ns = clv_policy_bytes_ns((int64_t)cut->bytes, p->hops[0].up_ps_per_byte);
}

clv_status clv_policy_view_init(const clv_plan_problem *p, const char *policy, bool sums,
                                clv_policy_view *out, clv_error *err)
{
    if (p->n_devices != 2)
        return clv_fail(err, CLV_EINVAL, "policy '%s' knows two devices, the problem has %zu",
                        policy, p->n_devices);
    if (sums && (!p->devices[0].unit_ns || !p->devices[1].unit_ns))
        return clv_fail(err, CLV_EINVAL,
                        "policy '%s' adds up times of units, and device '%s' has none", policy,
                        p->devices[p->devices[0].unit_ns ? 1 : 0].name);
    clv_plan_problem q = without_wishes(p);
    clv_policy_view v = {.p = p, .cuts = clv_alloc_array(p->cuts->n, sizeof *v.cuts)};
    for (size_t i = 0; i < p->cuts->n; i++) {
        if (!can_be_carried_out(&q, (int)i)) continue;
        v.cuts[v.n] = (clv_policy_cut){.cut = (int)i};
        if (sums) add_up(p, &v.cuts[v.n]);
        v.n++;
    }
    if (v.n == 0) {
        free(v.cuts);
        return clv_fail(err, CLV_EINFEASIBLE,
                        "policy '%s': none of the %zu cuts can be carried out: measured on both "
                        "sides, with the link up, and no pin, privacy or memory limit broken",
                        policy, p->cuts->n);
    }
    *out = v;
    return CLV_OK;
}

void clv_policy_view_done(clv_policy_view *v)
{
    free(v->cuts);
    *v = (clv_policy_view){0};
}
