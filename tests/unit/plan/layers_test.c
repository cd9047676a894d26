/* What B and C say when they may not look at everything. */
#include "chains.h"
#include "plan/climb.h"
#include "plan/pairs.h"
#include "unit.h"

static const problem_options narrow = {
    .devices_max = 3, .rough = true, .limits = true, .any_goal = true, .quantiles = true};

/* The answer keeps the limits, is no better than the best, and the bound no worse. */
static bool assert_between(const problem *q, const clv_layers *l)
{
    chain_best best;
    clv_planner_answer a;
    clv_error err = {0};
    chains_try(q, &best);
    clv_status st = clv_layers_answer(l, &a, &err);
    if (!best.n_kept) {
        assert_int_equal(st, l->thinned ? CLV_ELIMIT : CLV_EINFEASIBLE);
        return false;
    }
    assert_true(clv_climb_bound(&q->p) <= best.best.cost.score);
    if (st) {
        assert_int_equal(st, CLV_ELIMIT);
        assert_true(l->thinned);
        return true;
    }
    assert_true(a.cost.score >= best.best.cost.score);
    assert_int_equal(clv_plan_violated(&q->p, &a.chain, &a.cost), CLV_LIMIT_NONE);
    if (!l->thinned) assert_int_equal(a.cost.score, best.best.cost.score);
    return a.cost.score > best.best.cost.score;
}

static void few_labels_leave_a_gap_that_is_stated(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(1);
    size_t thinned = 0;
    for (int i = 0; i < 2000; i++) {
        problem *q = problem_random(&r, &narrow);
        if (q->p.objective.goal == CLV_GOAL_THROUGHPUT) q->p.objective.goal = CLV_GOAL_PRICE;
        for (size_t d = 0; d < q->p.n_devices; d++)
            q->p.devices[d].memory_bytes_max = CLV_PLAN_NO_LIMIT;
        clv_terms terms = clv_terms_of(&q->p);
        terms.set_max = 2;
        clv_layers l;
        clv_climb climb;
        clv_layers_init(&l, &q->p, terms);
        clv_climb_init(&climb, &q->p);
        clv_layers_search(&l, clv_climb_run, &climb);
        assert_between(q, &l);
        thinned += l.thinned;
        clv_layers_done(&l);
        clv_climb_done(&climb);
        problem_free(q);
    }
    assert_true(thinned > 100);
}

static void few_cuts_leave_a_gap_that_is_stated(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(2);
    size_t worse = 0, few = 0;
    for (int i = 0; i < 2000; i++) {
        problem *q = problem_random(&r, &narrow);
        if (q->p.objective.goal == CLV_GOAL_THROUGHPUT) q->p.objective.goal = CLV_GOAL_LATENCY;
        clv_layers l;
        clv_pairs pairs;
        clv_layers_init(&l, &q->p, clv_terms_of(&q->p));
        clv_pairs_init(&pairs, &q->p, 5);
        assert_true(pairs.n_cuts <= 6);
        clv_layers_search(&l, clv_pairs_run, &pairs);
        l.thinned |= pairs.n_cuts < q->cuts->n;
        worse += assert_between(q, &l);
        few += pairs.n_cuts < q->cuts->n;
        clv_layers_done(&l);
        clv_pairs_done(&pairs);
        problem_free(q);
    }
    assert_true(few > 100 && worse > 0);
}

static void the_bound_holds_for_any_goal_and_progress(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(3);
    for (int i = 0; i < 2000; i++) {
        problem *q = problem_random(&r, &narrow);
        if (i % 2) q->p.objective.goal = CLV_GOAL_THROUGHPUT;
        for (size_t c = 0; i % 3 == 0 && c < q->cuts->n; c++)
            q->times[1][2][c].ns = problem_below(&r, 200000); /* falls, often */
        chain_best best;
        chains_try(q, &best);
        int64_t bound = clv_climb_bound(&q->p);
        if (best.n_kept) assert_in_range(bound, 0, best.best.cost.score);
        problem_free(q);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_labels_leave_a_gap_that_is_stated),
        cmocka_unit_test(few_cuts_leave_a_gap_that_is_stated),
        cmocka_unit_test(the_bound_holds_for_any_goal_and_progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
