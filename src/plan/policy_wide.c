/* DADS and QDMP where the ideals pass the cap: their minimum cuts by flow. */
#include "base/mem.h"
#include "plan/flow.h"
#include "plan/gadgets.h"
#include "plan/policies_priv.h"

#include <stdlib.h>
#include <string.h>

enum { GRID_LEAST = 1, GRID_MOST = 64 * 64 }; /* weights in 64ths, as in policy_dads.c */

typedef struct found {
    uint8_t *unit_device;
    clv_sums sums;
} found;

/* The peers see two computers and the way up. */
static int64_t cut(clv_gadgets *g, int64_t alpha, int64_t gamma, found *f)
{
    clv_sums weights = {
        .at = {[CLV_DIM_WORK0] = alpha, [CLV_DIM_WORK1] = gamma, [CLV_DIM_UP] = 64}};
    int64_t value = clv_gadgets_cut(g, &weights, f->unit_device);
    if (value < CLV_FLOW_INFINITE) f->sums = clv_gadgets_sums(g, f->unit_device);
    return value;
}

static int64_t sum(const clv_sums *s)
{
    return s->at[CLV_DIM_WORK0] + s->at[CLV_DIM_UP] + s->at[CLV_DIM_WORK1];
}

static int64_t longest(const clv_sums *s)
{
    return CLV_MAX(s->at[CLV_DIM_WORK0], CLV_MAX(s->at[CLV_DIM_UP], s->at[CLV_DIM_WORK1]));
}

static void heavy(clv_gadgets *g, size_t n_units, found *best)
{
    CLV_AUTO(clv_free) uint8_t *units = clv_alloc(n_units);
    found next = {.unit_device = units};
    for (int64_t alpha = GRID_LEAST; alpha <= GRID_MOST; alpha *= 2)
        for (int64_t gamma = GRID_LEAST; gamma <= GRID_MOST; gamma *= 2) {
            if (cut(g, alpha, gamma, &next) >= CLV_FLOW_INFINITE ||
                longest(&next.sums) >= longest(&best->sums))
                continue;
            memcpy(best->unit_device, units, n_units);
            best->sums = next.sums;
        }
}

/* Between two cuts: what the smaller holds is on device 0, what the larger lacks on device 1. */
static void pin_between(const clv_policy_view *v, uint8_t *pins)
{
    size_t low, high;
    (void)clv_policy_qdmp_range(v, &low, &high);
    const clv_cut *items = v->p->cuts->items, *in = &items[v->cuts[low].cut],
                  *within = &items[v->cuts[high].cut];
    for (size_t u = 0; u < v->p->graph->n_units; u++) {
        if (clv_cut_has(in, (int)u)) pins[u] &= 1u;
        if (!clv_cut_has(within, (int)u)) pins[u] &= 2u;
    }
}

/* The cut whose ideal is what device 0 runs, or -1. */
static int cut_of(const clv_plan_problem *p, const uint8_t *unit_device)
{
    for (size_t i = 0; i < p->cuts->n; i++) {
        size_t u = 0;
        while (u < p->graph->n_units &&
               clv_cut_has(&p->cuts->items[i], (int)u) == (unit_device[u] == 0))
            u++;
        if (u == p->graph->n_units) return (int)i;
    }
    return -1;
}

static bool is_candidate(const clv_policy_view *v, int c)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->cuts[i].cut == c) return true;
    return false;
}

clv_status clv_policy_wide(const clv_policy_view *v, clv_policy policy, clv_policy_choice *out,
                           clv_error *err)
{
    size_t n = v->p->graph->n_units;
    clv_plan_problem p = *v->p;
    p.may_return = false;
    CLV_AUTO(clv_free) uint8_t *pins = clv_alloc(n);
    for (size_t u = 0; u < n; u++) pins[u] = p.limits.unit_devices ? p.limits.unit_devices[u] : 3;
    if (policy == CLV_POLICY_QDMP) pin_between(v, pins);
    p.limits.unit_devices = pins;
    CLV_AUTO(clv_gadgets_release) clv_gadgets *g = clv_gadgets_new(&p, 0);
    clv_sums total = clv_gadgets_total(g);
    if (sum(&total) > CLV_FLOW_INFINITE / (2 * GRID_MOST))
        return clv_fail(err, CLV_ELIMIT, "policy '%s': times of %lld ns in all are too long for it",
                        clv_policy_name(policy), (long long)sum(&total));
    CLV_AUTO(clv_free) uint8_t *units = clv_alloc(n);
    found best = {.unit_device = units};
    if (!p.hops[0].up || cut(g, 64, 64, &best) >= CLV_FLOW_INFINITE)
        return clv_fail(err, CLV_EINFEASIBLE, "policy '%s': no placement is allowed",
                        clv_policy_name(policy));
    bool is_heavy = policy == CLV_POLICY_DADS_DSH;
    if (is_heavy) heavy(g, n, &best);
    int c = cut_of(&p, units), all = (int)p.cuts->n - 1;
    bool known = c >= 0 && is_candidate(v, c);
    *out = (clv_policy_choice){.goal = is_heavy ? CLV_GOAL_THROUGHPUT : CLV_GOAL_LATENCY,
                               .believed = is_heavy ? longest(&best.sums) : sum(&best.sums),
                               .considered = clv_gadgets_augmentations(g)};
    for (size_t d = 0; d < CLV_PLAN_DEVICES_MAX; d++)
        out->chain.cut[d] = !known ? CLV_PLAN_NO_CUT : d == 0 ? c : all;
    if (!known) {
        out->cost = clv_gadgets_weigh(g, units);
        out->unit_device = clv_steal(&units);
    }
    return CLV_OK;
}
