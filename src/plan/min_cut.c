/* Planner D: the minimum cut of the network's flow graph, of each codec. */
#include "plan/planners.h"

#include "base/mem.h"
#include "plan/branch.h"
#include "plan/flow.h"

#include <inttypes.h>
#include <string.h>

__extension__ typedef __int128 wide;

static bool is_linear(const clv_plan_objective *o)
{
    return o->goal == CLV_GOAL_ENERGY || o->goal == CLV_GOAL_PRICE ||
           (o->goal != CLV_GOAL_THROUGHPUT && !o->quantile_ppm);
}

static clv_sums of_parts(int64_t ns, int64_t nj, int64_t pm)
{
    return (clv_sums){.at = {[CLV_DIM_WORK0] = ns,
                             [CLV_DIM_WORK1] = ns,
                             [CLV_DIM_UP] = ns,
                             [CLV_DIM_DOWN] = ns,
                             [CLV_DIM_NJ] = nj,
                             [CLV_DIM_PM] = pm}};
}

/* What clv_plan_score() makes of a sum, as weights. */
static clv_sums goal_weights(const clv_plan_objective *o)
{
    switch (o->goal) {
    case CLV_GOAL_LATENCY: return of_parts(1, 0, 0);
    case CLV_GOAL_ENERGY: return of_parts(0, 1, 0);
    case CLV_GOAL_PRICE: return of_parts(0, 0, 1);
    case CLV_GOAL_WEIGHTED:
        return of_parts(1000 * o->second_weight, 1000 * o->joule_weight, o->money_weight);
    case CLV_GOAL_THROUGHPUT:
    case CLV_GOAL_COUNT: break;
    }
    return (clv_sums){0};
}

/* Weights whose least sum has the least score and, of those, the fewest bytes on the wire; without
 * the bytes when the sums would be too large. False: even then they are. */
static bool exact_weights(const clv_plan_problem *p, const clv_gadgets *g, clv_sums *weights)
{
    clv_sums total = clv_gadgets_total(g);
    *weights = goal_weights(&p->objective);
    wide most = 0;
    for (size_t k = 0; k < CLV_DIM_COUNT; k++) most += (wide)weights->at[k] * total.at[k];
    if (most >= CLV_FLOW_INFINITE) return false;
    wide unit = (wide)total.at[CLV_DIM_WIRE] + 1;
    if ((most + 1) * unit >= CLV_FLOW_INFINITE) return true;
    for (size_t k = 0; k < CLV_DIM_COUNT; k++) weights->at[k] *= (int64_t)unit;
    weights->at[CLV_DIM_WIRE] += 1;
    return true;
}

/* The best placement when there are no limits, if it is a minimum cut. With what is paid once there
 * are three to compare: all on device 0, all on device 1, and the cut. If the cut itself is one of the
 * first two, no placement on both devices is better than that one. */
static bool try_cut(const clv_plan_problem *p, clv_gadgets *g, size_t codec,
                    const uint8_t *one_device, clv_choice *choice, bool *keeps)
{
    size_t n = p->graph->n_units;
    clv_sums weights;
    if (!is_linear(&p->objective) || !exact_weights(p, g, &weights)) return false;
    CLV_AUTO(clv_free) uint8_t *cut = clv_alloc_array(n + 1, 1);
    if (clv_gadgets_cut(g, &weights, cut) == CLV_FLOW_INFINITE) return *keeps = true;
    const uint8_t *best = NULL, *tried[] = {cut, one_device, one_device + n};
    clv_plan_cost best_cost = {0};
    for (size_t i = 0; i < CLV_COUNT(tried); i++) {
        if (!clv_gadgets_legal(g, tried[i])) continue;
        clv_plan_cost cost = clv_gadgets_weigh(g, tried[i]);
        if (best && !clv_plan_better(&cost, &best_cost)) continue;
        best = tried[i];
        best_cost = cost;
    }
    *keeps = clv_gadgets_excess(g, best, &best_cost) == 0;
    clv_choice_offer(choice, g, codec, best);
    return true;
}

/* All that one codec has to offer. Returns the bound of what was not met. */
static int64_t try_codec(const clv_plan_problem *p, size_t codec, clv_choice *best,
                         size_t *considered)
{
    CLV_AUTO(clv_choice_done) clv_choice choice = clv_choice_new(p);
    size_t n = p->graph->n_units;
    CLV_AUTO(clv_gadgets_release) clv_gadgets *g = clv_gadgets_new(p, codec);
    CLV_AUTO(clv_free) uint8_t *one_device = clv_alloc_array(2 * n + 1, 1);
    memset(one_device + n, 1, n);
    int64_t bound = CLV_PLAN_UNKNOWN;
    bool keeps = false;
    clv_choice_offer(&choice, g, codec, one_device);
    if (p->hops[0].up) {
        int64_t enough = best->found ? best->cost.score : CLV_PLAN_UNKNOWN;
        clv_choice_offer(&choice, g, codec, one_device + n);
        if (!try_cut(p, g, codec, one_device, &choice, &keeps) || !keeps)
            bound = clv_branch_search(g, codec, enough, &choice);
    }
    if (choice.found) clv_choice_offer(best, g, codec, choice.unit_device);
    *considered += clv_gadgets_augmentations(g);
    return bound;
}

/* Is device 0's part one of the problem's cuts? */
static int cut_of(const clv_plan_problem *p, const uint8_t *unit_device)
{
    const clv_graph *graph = p->graph;
    size_t n = 0;
    for (size_t u = 0; u < graph->n_units; u++) n += !unit_device[u];
    for (size_t c = 0; c < p->cuts->n; c++) {
        if (p->cuts->items[c].n_units != n) continue;
        size_t u = 0;
        while (u < graph->n_units && clv_cut_has(&p->cuts->items[c], (int)u) == !unit_device[u])
            u++;
        if (u == graph->n_units) return (int)c;
    }
    return CLV_PLAN_NO_CUT;
}

static clv_plan_chain chain_of(const clv_plan_problem *p, const clv_choice *choice)
{
    clv_plan_chain chain = {.codec = {(int)choice->codec}};
    chain.cut[0] = cut_of(p, choice->unit_device);
    bool none = chain.cut[0] == CLV_PLAN_NO_CUT;
    for (size_t d = 1; d < CLV_PLAN_DEVICES_MAX; d++)
        chain.cut[d] = none ? CLV_PLAN_NO_CUT : (int)p->cuts->n - 1;
    return chain;
}

static clv_status check(const clv_plan_problem *p, clv_error *err)
{
    if (p->n_devices != 2)
        return clv_fail(err, CLV_EUNSUPPORTED, "min-cut plans for two devices, not for %zu",
                        p->n_devices);
    for (size_t d = 0; d < 2; d++)
        if (!p->devices[d].unit_ns)
            return clv_fail(err, CLV_EUNSUPPORTED,
                            "device '%s' has no times of single units, which min-cut adds up",
                            p->devices[d].name);
    return CLV_OK;
}

clv_status clv_plan_min_cut(const clv_plan_problem *p, clv_planner_answer *out, clv_error *err)
{
    clv_status s = check(p, err);
    if (s != CLV_OK) return s;
    CLV_AUTO(clv_choice_done) clv_choice choice = clv_choice_new(p);
    int64_t bound = CLV_PLAN_UNKNOWN;
    size_t considered = 0, n_codecs = p->hops[0].up ? p->n_codecs : 1;
    for (size_t c = 0; c < n_codecs; c++)
        if (c == 0 || clv_gadgets_offered(p, c))
            bound = CLV_MIN(bound, try_codec(p, c, &choice, &considered));
    if (!choice.found)
        return clv_fail(err, CLV_EINFEASIBLE, "min-cut met no placement that keeps all limits");
    *out = (clv_planner_answer){.chain = chain_of(p, &choice),
                                .cost = choice.cost,
                                .bound = bound < choice.cost.score ? bound : INT64_MIN,
                                .considered = considered};
    out->unit_device = clv_steal(&choice.unit_device);
    return CLV_OK;
}
