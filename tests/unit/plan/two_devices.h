/* With two devices there is one cut, and planner A tries them all: so must be as good any planner of more.
 *
 *     expect_one_cut(clv_plan_hops, problem_random);
 */
#ifndef CLV_TESTS_PLAN_TWO_DEVICES_H
#define CLV_TESTS_PLAN_TWO_DEVICES_H

#include "plan/planners.h"
#include "problems.h"
#include "unit.h"

static inline void expect_one_cut(clv_status (*planner)(const clv_plan_problem *,
                                                        clv_planner_answer *, clv_error *),
                                  problem *(*make)(clv_rng *, const problem_options *))
{
    clv_rng r = clv_rng_seeded(8);
    const problem_options o = {.rough = true,
                               .limits = true,
                               .unknowns = true,
                               .any_goal = true,
                               .quantiles = true,
                               .measured = true};
    for (int i = 0; i < 1000; i++) {
        problem *q = make(&r, &o);
        clv_planner_answer a, b;
        clv_error err = {0};
        clv_status st = clv_plan_one_cut(&q->p, &a, &err);
        assert_int_equal(planner(&q->p, &b, &err), st);
        if (!st) assert_int_equal(a.cost.score, b.cost.score);
        problem_free(q);
    }
}

#endif
