/* The table of policies. */
#include "plan/policies.h"

#include "base/mem.h"
#include "base/rng.h"
#include "plan/gadgets.h"
#include "plan/planners.h"
#include "plan/policies_priv.h"

#include <math.h>
#include <stdlib.h>

static const struct {
    const char *name, *about;
} texts[CLV_POLICY_COUNT] = {
#define X(name, text, about) [CLV_POLICY_##name] = {text, about},
    CLV_POLICY_MAP(X)
#undef X
};

const char *clv_policy_name(clv_policy policy)
{
    return (unsigned)policy < CLV_POLICY_COUNT ? texts[policy].name : "?";
}

const char *clv_policy_about(clv_policy policy)
{
    return (unsigned)policy < CLV_POLICY_COUNT ? texts[policy].about : "?";
}

/* The best of the cuts that there are, where the best placement is none of them. */
static clv_status choose_listed(const clv_plan_problem *p, clv_policy_choice *out, clv_error *err)
{
    clv_planner_answer answer;
    clv_status status = clv_plan_one_cut(p, &answer, err);
    if (status) return status;
    *out = (clv_policy_choice){.chain = answer.chain,
                               .goal = p->objective.goal,
                               .believed = answer.cost.score,
                               .considered = answer.considered,
                               .cost = answer.cost};
    return CLV_OK;
}

static clv_status choose_exact(const clv_plan_problem *p, bool unlisted, clv_policy_choice *out,
                               clv_error *err)
{
    clv_plan plan;
    clv_status status = clv_plan_solve(p, &plan, err);
    if (status) return status;
    bool no_cut = plan.chain.cut[0] == CLV_PLAN_NO_CUT;
    if (no_cut && !unlisted) {
        clv_plan_done(&plan);
        return choose_listed(p, out, err);
    }
    *out = (clv_policy_choice){.chain = plan.chain,
                               .goal = p->objective.goal,
                               .believed = plan.cost.score,
                               .considered = plan.considered,
                               .cost = plan.cost};
    if (no_cut) out->unit_device = clv_steal(&plan.unit_device);
    clv_plan_done(&plan);
    return CLV_OK;
}

/* One device runs it all; the tensors cross raw. */
static clv_status choose_side(const clv_plan_problem *p, clv_policy policy, clv_policy_choice *out,
                              clv_error *err)
{
    int all = (int)p->cuts->n - 1;
    clv_policy_choice c = {.goal = CLV_GOAL_LATENCY, .believed = CLV_PLAN_UNKNOWN, .considered = 1};
    for (size_t d = 0; d < CLV_PLAN_DEVICES_MAX; d++)
        c.chain.cut[d] = policy == CLV_POLICY_EDGE || d + 1 >= p->n_devices ? all : 0;
    clv_status status = clv_plan_weigh(p, &c.chain, &c.cost, err);
    if (status) return clv_within(err, "policy '%s'", clv_policy_name(policy));
    clv_plan_limit broken = clv_plan_violated(p, &c.chain, &c.cost);
    if (broken >= CLV_LIMIT_MEMORY)
        return clv_fail(err, CLV_EINFEASIBLE, "policy '%s' breaks the limit '%s'",
                        clv_policy_name(policy), clv_plan_limit_name(broken));
    *out = c;
    return CLV_OK;
}

static int previous_cut(const clv_policy_options *o)
{
    return o->previous && o->previous->cut[0] != CLV_PLAN_NO_CUT ? o->previous->cut[0] : 0;
}

static clv_policy_pick pick_of(const clv_policy_view *v, clv_policy policy,
                               const clv_policy_options *o)
{
    clv_policy_pick none = {.believed = CLV_PLAN_UNKNOWN, .considered = 1};
    clv_rng rng = clv_rng_seeded(o->seed);
    switch (policy) {
    case CLV_POLICY_RANDOM: none.index = clv_rng_below(&rng, v->n); return none;
    case CLV_POLICY_NEUROSURGEON: return clv_policy_neurosurgeon(v);
    case CLV_POLICY_DADS_DSL: return clv_policy_dads_dsl(v);
    case CLV_POLICY_DADS_DSH: return clv_policy_dads_dsh(v);
    case CLV_POLICY_QDMP: return clv_policy_qdmp(v);
    case CLV_POLICY_CAS: return clv_policy_cas(v, previous_cut(o));
    case CLV_POLICY_EXACT:
    case CLV_POLICY_EDGE:
    case CLV_POLICY_CLOUD:
    case CLV_POLICY_GREEDY:
    case CLV_POLICY_COUNT: break;
    }
    return none;
}

static clv_plan_goal goal_of(const clv_plan_problem *p, clv_policy policy)
{
    if (policy == CLV_POLICY_DADS_DSH) return CLV_GOAL_THROUGHPUT;
    bool energy = policy == CLV_POLICY_NEUROSURGEON && p->objective.goal == CLV_GOAL_ENERGY;
    return energy ? CLV_GOAL_ENERGY : CLV_GOAL_LATENCY;
}

/* Minimum cuts over more ideals than the problem lists. */
static bool is_wide(const clv_plan_problem *p, clv_policy policy)
{
    bool by_flow =
        policy == CLV_POLICY_DADS_DSL || policy == CLV_POLICY_DADS_DSH || policy == CLV_POLICY_QDMP;
    return by_flow && p->cuts->capped && p->hops[0].up;
}

static clv_status choose_cut(const clv_plan_problem *p, clv_policy policy,
                             const clv_policy_options *o, clv_policy_choice *out, clv_error *err)
{
    CLV_AUTO(clv_policy_view_done) clv_policy_view view = {0};
    bool sums = policy != CLV_POLICY_RANDOM;
    clv_status status = clv_policy_view_init(p, clv_policy_name(policy), sums, &view, err);
    if (status) return status;
    clv_policy_choice c = {0};
    if (o->unlisted && is_wide(p, policy)) {
        status = clv_policy_wide(&view, policy, &c, err);
        if (status) return status;
    } else {
        clv_policy_pick pick = pick_of(&view, policy, o);
        c = (clv_policy_choice){.chain = {.cut = {view.cuts[pick.index].cut}},
                                .goal = goal_of(p, policy),
                                .believed = pick.believed,
                                .considered = pick.considered};
        for (size_t d = 1; d < CLV_PLAN_DEVICES_MAX; d++) c.chain.cut[d] = (int)p->cuts->n - 1;
    }
    if (!c.unit_device && clv_plan_weigh(p, &c.chain, &c.cost, err)) return err->status;
    *out = c;
    return CLV_OK;
}

clv_status clv_policy_choose(const clv_plan_problem *p, clv_policy policy,
                             const clv_policy_options *options, clv_policy_choice *out,
                             clv_error *err)
{
    clv_status status = clv_plan_problem_check(p, err);
    if (status) return status;
    switch (policy) {
    case CLV_POLICY_EXACT:
    case CLV_POLICY_GREEDY: return choose_exact(p, options->unlisted, out, err);
    case CLV_POLICY_EDGE:
    case CLV_POLICY_CLOUD: return choose_side(p, policy, out, err);
    case CLV_POLICY_RANDOM:
    case CLV_POLICY_NEUROSURGEON:
    case CLV_POLICY_DADS_DSL:
    case CLV_POLICY_DADS_DSH:
    case CLV_POLICY_QDMP:
    case CLV_POLICY_CAS: return choose_cut(p, policy, options, out, err);
    case CLV_POLICY_COUNT: break;
    }
    return clv_fail(err, CLV_EINVAL, "policy %d is not known", (int)policy);
}

static double regret_of(int64_t score, int64_t best)
{
    if (score == best) return 0;
    return best > 0 ? (double)score / (double)best - 1 : (double)INFINITY;
}

clv_status clv_policy_plan(const clv_plan_problem *p, clv_policy policy,
                           const clv_policy_options *options, clv_plan *out, clv_error *err)
{
    if (policy == CLV_POLICY_EXACT || policy == CLV_POLICY_GREEDY)
        return clv_plan_solve(p, out, err);
    clv_policy_options listed = *options;
    listed.unlisted = false;
    clv_policy_choice choice;
    clv_plan plan, best;
    clv_status status = clv_policy_choose(p, policy, &listed, &choice, err);
    if (!status) status = clv_plan_detail(p, &choice.chain, CLV_PLANNER_ONE_CUT, &plan, err);
    if (status) return status;
    clv_error ignored = {0};
    if (clv_plan_solve(p, &best, &ignored) == CLV_OK) {
        plan.bound = best.cost.score;
        plan.gap = regret_of(plan.cost.score, best.cost.score);
        clv_plan_done(&best);
    }
    *out = plan;
    return CLV_OK;
}

/* The cost by sums of units, for a choice that has a cut. */
static clv_plan_cost by_sums(const clv_gadgets *g, const clv_policy_choice *c)
{
    const clv_plan_problem *p = clv_gadgets_problem(g);
    if (c->unit_device) return clv_gadgets_weigh(g, c->unit_device);
    CLV_AUTO(clv_free) uint8_t *units = clv_alloc(p->graph->n_units);
    for (size_t u = 0; u < p->graph->n_units; u++)
        units[u] = !clv_cut_has(&p->cuts->items[c->chain.cut[0]], (int)u);
    return clv_gadgets_weigh(g, units);
}

static void weigh_by_sums(const clv_plan_problem *p, clv_policy_row *rows)
{
    if (!p->devices[0].unit_ns || !p->devices[1].unit_ns || p->n_devices != 2) return;
    CLV_AUTO(clv_gadgets_release) clv_gadgets *g = clv_gadgets_new(p, 0);
    for (size_t i = 0; i < CLV_POLICY_COUNT; i++)
        if (rows[i].error.status == CLV_OK && i != CLV_POLICY_EXACT && i != CLV_POLICY_GREEDY)
            rows[i].choice.cost = by_sums(g, &rows[i].choice);
}

clv_status clv_policies_compare(const clv_plan_problem *p, const clv_policy_options *options,
                                clv_policy_row rows[CLV_POLICY_COUNT], clv_error *err)
{
    clv_policy_options any = *options;
    any.unlisted = true;
    clv_status status = clv_plan_problem_check(p, err);
    if (status) return status;
    for (size_t i = 0; i < CLV_POLICY_COUNT; i++) {
        rows[i] = (clv_policy_row){.policy = (clv_policy)i, .regret = (double)NAN};
        clv_policy_row *r = &rows[i];
        if (clv_policy_choose(p, r->policy, &any, &r->choice, &r->error)) continue;
        if (!r->choice.unit_device)
            r->violated = clv_plan_violated(p, &r->choice.chain, &r->choice.cost);
    }
    const clv_policy_row *exact = &rows[CLV_POLICY_EXACT];
    if (exact->choice.unit_device) weigh_by_sums(p, rows);
    for (size_t i = 0; i < CLV_POLICY_COUNT && exact->error.status == CLV_OK; i++)
        if (rows[i].error.status == CLV_OK)
            rows[i].regret = regret_of(rows[i].choice.cost.score, exact->choice.cost.score);
    return CLV_OK;
}

void clv_policy_choice_done(clv_policy_choice *c)
{
    free(c->unit_device);
    *c = (clv_policy_choice){0};
}

void clv_policy_rows_done(clv_policy_row rows[CLV_POLICY_COUNT])
{
    for (size_t i = 0; i < CLV_POLICY_COUNT; i++) clv_policy_choice_done(&rows[i].choice);
}
