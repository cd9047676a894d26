/* Neurosurgeon: every cut of the chain, with predicted times. */
#include "plan/policies_priv.h"

#include "base/mem.h"

#include <stdlib.h>

/* A cut of the units in a row: a prefix of their order with one tensor at the border (at the ends,
 * what there is). */
static bool on_chain(const clv_plan_problem *p, int index)
{
    const clv_cut *cut = &p->cuts->items[index];
    if (index == 0 || (size_t)index + 1 == p->cuts->n) return true;
    if (cut->n_live != 1) return false;
    for (size_t u = 0; u < cut->n_units; u++)
        if (!clv_cut_has(cut, (int)u)) return false;
    return true;
}

static int64_t predicted_of(const clv_policy_view *v, const clv_policy_cut *c, const int64_t *edge,
                            const int64_t *cloud)
{
    const clv_plan_device *device = &v->p->devices[0];
    const clv_plan_hop *hop = &v->p->hops[0];
    const clv_cut *cut = &v->p->cuts->items[c->cut];
    int64_t edge_ns = 0, cloud_ns = 0;
    for (size_t u = 0; u < v->p->graph->n_units; u++)
        if (clv_cut_has(cut, (int)u))
            edge_ns += edge[u];
        else
            cloud_ns += cloud[u];
    if (v->p->objective.goal != CLV_GOAL_ENERGY) return edge_ns + c->up_ns + cloud_ns;
    bool remote = (size_t)c->cut + 1 < v->p->cuts->n;
    double nj =
        ((double)edge_ns * (double)device->active_mw + (double)c->up_ns * (double)hop->tx_mw) / 1e3;
    if (remote) nj += (double)cut->bytes * (double)hop->up_pj_per_byte / 1e3;
    return nj < 1e18 ? (int64_t)(nj + 0.5) : (int64_t)1e18;
}

clv_policy_pick clv_policy_neurosurgeon(const clv_policy_view *v)
{
    size_t n = v->p->graph->n_units;
    CLV_AUTO(clv_free) int64_t *edge = clv_alloc_array(n, sizeof *edge);
    CLV_AUTO(clv_free) int64_t *cloud = clv_alloc_array(n, sizeof *cloud);
    clv_policy_regress(v->p->graph, v->p->devices[0].unit_ns, edge);
    clv_policy_regress(v->p->graph, v->p->devices[1].unit_ns, cloud);
    clv_policy_pick best = {.believed = INT64_MAX};
    for (size_t i = 0; i < v->n; i++) {
        if (!on_chain(v->p, v->cuts[i].cut)) continue;
        int64_t cost = predicted_of(v, &v->cuts[i], edge, cloud);
        best.considered++;
        if (cost >= best.believed) continue;
        best.believed = cost;
        best.index = i;
    }
    return best;
}
