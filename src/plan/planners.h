/* The four planners behind clv_plan_solve(). Private to plan/ and its tests.
 *
 * Each takes a checked problem that is its kind, and gives the best chain, or CLV_EINFEASIBLE (a
 * plain status: clv_plan_solve() writes the report). None asks a clock or keeps state. B leaves
 * problems in which progress falls to C. B and C: CLV_ELIMIT when candidates were dropped and none of
 * the others keeps all limits. */
#ifndef CLV_PLAN_PLANNERS_H
#define CLV_PLAN_PLANNERS_H

#include "plan/plan.h"

typedef struct clv_planner_answer {
    clv_plan_chain chain;
    /* owned by the caller; D only (NULL else): its ideal may be none of the cuts */
    uint8_t *unit_device;
    clv_plan_cost cost; /* of D: of its unit_device, by sums of units */
    int64_t bound;      /* INT64_MIN: the answer is proven optimal */
    clv_plan_rival rivals[CLV_PLAN_RIVALS_MAX];
    size_t n_rivals, considered;
} clv_planner_answer;

CLV_MUST
clv_status clv_plan_one_cut(const clv_plan_problem *p, clv_planner_answer *out,
                            clv_error *err); /* A */
CLV_MUST
clv_status clv_plan_hops(const clv_plan_problem *p, clv_planner_answer *out,
                         clv_error *err); /* B */
CLV_MUST
clv_status clv_plan_pipeline(const clv_plan_problem *p, clv_planner_answer *out,
                             clv_error *err); /* C */
CLV_MUST
clv_status clv_plan_min_cut(const clv_plan_problem *p, clv_planner_answer *out,
                            clv_error *err); /* D */

/* Which of them a problem is for. */
clv_planner clv_planner_for(const clv_plan_problem *p);
/* Asks that one. Of a checked problem. */
CLV_MUST
clv_status clv_planner_ask(const clv_plan_problem *p, clv_planner *planner, clv_planner_answer *out,
                           clv_error *err);

/* A plan from D's answer, whose parts are sums of units: as clv_plan_detail(), with the cost and the
 * unit_device of the answer, which it takes. */
void clv_plan_detail_units(const clv_plan_problem *p, clv_planner_answer *answer, clv_plan *out);
/* Writes the plan's sentence, plan->why. */
void clv_plan_explain(const clv_plan_problem *p, clv_plan *plan);

#endif
