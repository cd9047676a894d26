/* QDMP: the cut vertices first, then the minimum cut between two of them. */
#include "plan/policies_priv.h"

#include "base/mem.h"

/* Does only one unit's result cross this cut? Then every path from the inputs to what is outside goes
 * through that unit: it is a cut vertex, and the cut lies behind it. The ends count as such. */
static bool behind_cut_vertex(const clv_policy_view *v, size_t i)
{
    const clv_plan_problem *p = v->p;
    const clv_cut *cut = &p->cuts->items[v->cuts[i].cut];
    if (cut->n_units == 0 || cut->n_units == p->graph->n_units) return true;
    if (cut->n_live == 0) return false;
    int producer = p->graph->tensors[cut->live[0]].producer;
    for (size_t k = 0; k < cut->n_live; k++)
        if (p->graph->tensors[cut->live[k]].producer != producer || producer == CLV_NO_UNIT)
            return false;
    return true;
}

/* The cheaper of the nearest such cuts before and behind `at`, among those that are nested with it. */
static size_t better_neighbour(const clv_policy_view *v, const size_t *vertices, size_t n,
                               size_t at)
{
    if (n == 1) return at;
    if (at == 0) return 1;
    if (at + 1 == n) return at - 1;
    int64_t before = clv_policy_sum(&v->cuts[vertices[at - 1]]),
            after = clv_policy_sum(&v->cuts[vertices[at + 1]]);
    return before <= after ? at - 1 : at + 1;
}

size_t clv_policy_qdmp_range(const clv_policy_view *v, size_t *low, size_t *high)
{
    const clv_cuts *cuts = v->p->cuts;
    CLV_AUTO(clv_free) size_t *vertices = clv_alloc_array(v->n, sizeof *vertices);
    size_t n = 0, best = 0;
    for (size_t i = 0; i < v->n; i++) {
        if (!behind_cut_vertex(v, i)) continue;
        /* A chain: each holds the one before. */
        if (n &&
            !clv_cut_within(cuts, (size_t)v->cuts[vertices[n - 1]].cut, (size_t)v->cuts[i].cut))
            continue;
        if (n == 0 || clv_policy_sum(&v->cuts[i]) < clv_policy_sum(&v->cuts[vertices[best]]))
            best = n;
        vertices[n++] = i;
    }
    size_t other = n ? better_neighbour(v, vertices, n, best) : 0;
    *low = n ? vertices[CLV_MIN(best, other)] : 0;
    *high = n ? vertices[CLV_MAX(best, other)] : v->n - 1;
    return n;
}

clv_policy_pick clv_policy_qdmp(const clv_policy_view *v)
{
    const clv_cuts *cuts = v->p->cuts;
    size_t low, high;
    clv_policy_pick pick = {.believed = INT64_MAX,
                            .considered = clv_policy_qdmp_range(v, &low, &high)};
    for (size_t i = low; i <= high; i++) {
        size_t cut = (size_t)v->cuts[i].cut;
        if (!clv_cut_within(cuts, (size_t)v->cuts[low].cut, cut) ||
            !clv_cut_within(cuts, cut, (size_t)v->cuts[high].cut))
            continue;
        int64_t cost = clv_policy_sum(&v->cuts[i]);
        pick.considered++;
        if (cost >= pick.believed) continue;
        pick.believed = cost;
        pick.index = i;
    }
    return pick;
}
