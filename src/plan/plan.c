#include "plan/plan.h"

#include "base/mem.h"
#include "plan/lattice.h"
#include "plan/planners.h"
#include "plan/relax.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const planner_names[CLV_PLANNER_COUNT] = {
#define X(name, text, about) [CLV_PLANNER_##name] = text,
    CLV_PLANNER_MAP(X)
#undef X
};
static const char *const limit_names[CLV_LIMIT_COUNT] = {
#define X(name, text) [CLV_LIMIT_##name] = text,
    CLV_PLAN_LIMIT_MAP(X)
#undef X
};
static const char *const goal_names[CLV_GOAL_COUNT] = {
#define X(name, text, about) [CLV_GOAL_##name] = text,
    CLV_PLAN_GOAL_MAP(X)
#undef X
};

const char *clv_planner_name(clv_planner p)
{
    return (unsigned)p < CLV_PLANNER_COUNT ? planner_names[p] : "?";
}

const char *clv_plan_limit_name(clv_plan_limit l)
{
    return (unsigned)l < CLV_LIMIT_COUNT ? limit_names[l] : "?";
}

const char *clv_plan_goal_name(clv_plan_goal g)
{
    return (unsigned)g < CLV_GOAL_COUNT ? goal_names[g] : "?";
}

void clv_plan_done(clv_plan *plan)
{
    clv_free(&plan->unit_device);
    plan->n_units = 0;
}

static bool has_unit_times(const clv_plan_problem *p)
{
    bool all = true;
    for (size_t k = 0; k < p->n_devices; k++) all = all && p->devices[k].unit_ns;
    return all;
}

clv_planner clv_planner_for(const clv_plan_problem *p)
{
    if (p->may_return) return CLV_PLANNER_MIN_CUT;
    if (p->n_devices == 2)
        return p->cuts->capped && has_unit_times(p) ? CLV_PLANNER_MIN_CUT : CLV_PLANNER_ONE_CUT;
    bool pairs =
        p->objective.goal == CLV_GOAL_THROUGHPUT || clv_plan_has_limit(p, CLV_LIMIT_MEMORY);
    return pairs ? CLV_PLANNER_PIPELINE : CLV_PLANNER_HOPS;
}

clv_status clv_planner_ask(const clv_plan_problem *p, clv_planner *planner, clv_planner_answer *out,
                           clv_error *err)
{
    switch (*planner = clv_planner_for(p)) {
    case CLV_PLANNER_ONE_CUT: return clv_plan_one_cut(p, out, err);
    case CLV_PLANNER_HOPS: return clv_plan_hops(p, out, err);
    case CLV_PLANNER_PIPELINE: return clv_plan_pipeline(p, out, err);
    case CLV_PLANNER_MIN_CUT: return clv_plan_min_cut(p, out, err);
    case CLV_PLANNER_COUNT: break;
    }
    return clv_fail(err, CLV_EINTERNAL, "planner %d is not known", (int)*planner);
}

/* What the problem would cost without its hops, each unit on its best device, as a sum of units; of a
 * pipeline, shared evenly. 0 when the units' times are not known: nothing is below that. */
static int64_t bound_without_hops(const clv_plan_problem *p)
{
    clv_plan_amount total = {0};
    if (!has_unit_times(p)) return 0;
    for (size_t u = 0; u < p->graph->n_units; u++) {
        clv_plan_amount best = {.ns = CLV_PLAN_UNKNOWN, .nj = INT64_MAX, .pm = INT64_MAX};
        for (size_t k = 0; k < p->n_devices; k++) {
            const clv_plan_device *d = &p->devices[k];
            double ns = (double)d->unit_ns[u];
            best.ns = CLV_MIN(best.ns, d->unit_ns[u]);
            best.nj = CLV_MIN(best.nj, (int64_t)(ns * (double)d->active_mw * 1e-3));
            best.pm = CLV_MIN(best.pm, (int64_t)(ns * (double)d->price_pm_per_s * 1e-9));
        }
        total = clv_plan_add(total, best);
    }
    if (p->objective.goal == CLV_GOAL_THROUGHPUT) return total.ns / (int64_t)p->n_devices;
    return clv_plan_score(&p->objective, &total);
}

/* Fills bound and gap. A, B and C know only the cuts that there are. */
static void prove(const clv_plan_problem *p, int64_t bound, clv_plan *plan)
{
    bool some_cuts = p->cuts->capped && plan->planner != CLV_PLANNER_MIN_CUT;
    int64_t score = plan->cost.score;
    if (bound == INT64_MIN) bound = score;
    if (some_cuts) bound = CLV_MIN(bound, bound_without_hops(p));
    plan->bound = CLV_MIN(bound, score);
    plan->gap = plan->bound == score ? 0
                : plan->bound > 0    ? (double)score / (double)plan->bound - 1
                                     : (double)INFINITY;
}

/* The limit without which the plan would be better, and most so. */
static clv_plan_limit binding_of(const clv_plan_problem *p, int64_t score)
{
    clv_plan_limit binding = CLV_LIMIT_NONE;
    for (int l = CLV_LIMIT_NONE; l < CLV_LIMIT_COUNT; l++) {
        clv_plan_limit limit = (clv_plan_limit)l;
        if (!clv_plan_has_limit(p, limit)) continue;
        clv_plan_problem freed = clv_plan_without(p, limit);
        clv_planner planner;
        clv_planner_answer a;
        clv_error ignored = {0};
        if (clv_planner_ask(&freed, &planner, &a, &ignored) != CLV_OK) continue;
        if (a.cost.score < score) binding = limit;
        score = CLV_MIN(score, a.cost.score);
        free(a.unit_device);
    }
    return binding;
}

static clv_status infeasible(const clv_plan_problem *p, clv_error *err)
{
    char text[CLV_ERROR_TEXT_MAX];
    clv_plan_relaxation r = clv_plan_relax(p);
    clv_plan_relax_text(p, &r, text, sizeof text);
    return clv_fail(err, CLV_EINFEASIBLE, "%s", text);
}

clv_status clv_plan_solve(const clv_plan_problem *p, clv_plan *out, clv_error *err)
{
    clv_status status = clv_plan_problem_check(p, err);
    if (status != CLV_OK) return status;
    CLV_AUTO(clv_free) clv_lattice *lattice = NULL;
    clv_plan_problem ordered = *p; /* by a lattice that is made once for all that is asked below */
    if (p->n_devices > 2 && !p->lattice)
        ordered.lattice = lattice = clv_lattice_new(p->graph, p->cuts);
    p = &ordered;
    clv_planner planner;
    clv_planner_answer answer;
    status = clv_planner_ask(p, &planner, &answer, err);
    if (status == CLV_EINFEASIBLE) return infeasible(p, err);
    if (status != CLV_OK) return status;
    if (answer.cost.score >= INT64_MAX - 1) {
        free(answer.unit_device);
        return clv_fail(err, CLV_ELIMIT,
                        "the weighted sum is beyond %" PRId64
                        ": divide all weights by the same number",
                        INT64_MAX);
    }
    clv_plan plan;
    if (answer.unit_device)
        clv_plan_detail_units(p, &answer, &plan);
    else
        status = clv_plan_detail(p, &answer.chain, planner, &plan, err);
    if (status != CLV_OK) return status;
    plan.n_rivals = answer.n_rivals;
    plan.considered = answer.considered;
    memcpy(plan.rivals, answer.rivals, sizeof plan.rivals);
    prove(p, answer.bound, &plan);
    plan.binding = binding_of(p, plan.cost.score);
    clv_plan_explain(p, &plan);
    *out = plan;
    return CLV_OK;
}
