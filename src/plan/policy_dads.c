/* DADS, light and heavy load: the least weighted sum over the cuts. The cuts are all ideals of the
 * graph, so looking at each finds what the paper's minimum cut finds. */
#include "plan/policies_priv.h"

#include "base/mem.h"

enum { GRID_LEAST = 1, GRID_MOST = 64 * 64 }; /* weights in 64ths */

static size_t least(const clv_policy_view *v, int64_t alpha, int64_t gamma)
{
    size_t best = 0;
    int64_t best_cost = INT64_MAX;
    for (size_t i = 0; i < v->n; i++) {
        int64_t cost = clv_policy_weighted(&v->cuts[i], alpha, gamma);
        if (cost >= best_cost) continue;
        best_cost = cost;
        best = i;
    }
    return best;
}

clv_policy_pick clv_policy_dads_dsl(const clv_policy_view *v)
{
    size_t i = least(v, 64, 64);
    return (clv_policy_pick){i, clv_policy_sum(&v->cuts[i]), v->n};
}

static int64_t longest_stage(const clv_policy_cut *c)
{
    return CLV_MAX(c->edge_ns, CLV_MAX(c->up_ns, c->cloud_ns));
}

clv_policy_pick clv_policy_dads_dsh(const clv_policy_view *v)
{
    clv_policy_pick best = {.index = least(v, 64, 64), .considered = v->n};
    best.believed = longest_stage(&v->cuts[best.index]);
    for (int64_t alpha = GRID_LEAST; alpha <= GRID_MOST; alpha *= 2)
        for (int64_t gamma = GRID_LEAST; gamma <= GRID_MOST; gamma *= 2) {
            size_t i = least(v, alpha, gamma);
            int64_t stage = longest_stage(&v->cuts[i]);
            best.considered += v->n;
            if (stage >= best.believed) continue;
            best.believed = stage;
            best.index = i;
        }
    return best;
}
