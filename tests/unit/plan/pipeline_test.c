#include "chains.h"
#include "plan/planners.h"
#include "two_devices.h"
#include "unit.h"

/* A kind of problem for planner C, and how many of it. */
typedef struct kind {
    problem_options options;
    bool throughput;
    int n;
} kind;

static const kind kinds[] = {
    {{.devices_max = 3}, true, 2000},
    {{.devices_max = 3, .rough = true, .unknowns = true}, true, 2000},
    {{.devices_max = 3, .rough = true, .limits = true}, true, 2000},
    {{.devices_max = 3, .limits = true, .unknowns = true, .quantiles = true}, true, 1500},
    {{.devices_max = 3, .rough = true, .limits = true, .any_goal = true}, false, 1500},
    {{.devices_max = 3, .limits = true, .unknowns = true, .any_goal = true, .quantiles = true},
     false,
     1500},
    {{.devices_max = 3, .chain = true, .limits = true, .any_goal = true}, false, 500},
    {{.devices_max = 3, .rough = true, .limits = true, .measured = true}, true, 1500},
    {{.devices_max = 3, .limits = true, .unknowns = true, .measured = true, .any_goal = true},
     false,
     1000},
};

static void assert_best(const problem *q, const chain_best *best)
{
    clv_planner_answer a = {.considered = 77};
    clv_error err = {0};
    clv_status st = clv_plan_pipeline(&q->p, &a, &err);
    if (!best->n_kept) {
        assert_int_equal(st, CLV_EINFEASIBLE);
        assert_int_equal(a.considered, 77);
        return;
    }
    assert_ok(st, err);
    assert_int_equal(a.cost.score, best->best.cost.score);
    assert_true(a.bound == INT64_MIN);
    bool throughput = q->p.objective.goal == CLV_GOAL_THROUGHPUT;
    if (throughput || !q->p.objective.quantile_ppm)
        assert_int_equal(a.cost.wire_bytes, best->best.cost.wire_bytes);
    if (throughput && !q->p.objective.quantile_ppm)
        assert_int_equal(a.cost.latency_ns, best->best.cost.latency_ns);
    clv_plan_cost cost;
    assert_ok(clv_plan_weigh(&q->p, &a.chain, &cost, &err), err);
    assert_int_equal(cost.score, a.cost.score);
    assert_int_equal(clv_plan_violated(&q->p, &a.chain, &cost), CLV_LIMIT_NONE);
    int64_t rivals[PROBLEM_DEVICES_MAX];
    assert_int_equal(a.n_rivals, chain_rivals(q, best, rivals));
    for (size_t i = 0; i < a.n_rivals; i++) assert_int_equal(a.rivals[i].cost.score, rivals[i]);
}

static void equals_every_chain_tried(void **state)
{
    (void)state;
    size_t solved = 0, feasible = 0;
    for (size_t k = 0; k < CLV_COUNT(kinds); k++) {
        clv_rng r = clv_rng_seeded(100 + k);
        for (int i = 0; i < kinds[k].n; i++) {
            problem *q = problem_random(&r, &kinds[k].options);
            if (kinds[k].throughput) q->p.objective.goal = CLV_GOAL_THROUGHPUT;
            chain_best best;
            chains_try(q, &best);
            assert_best(q, &best);
            feasible += best.n_kept > 0;
            solved++;
            problem_free(q);
        }
    }
    assert_true(solved >= 10000);
    assert_in_range(feasible, solved / 2, solved - 100); /* both happen */
}

static void without_limits_on_memory_it_is_as_good_as_hops(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(7);
    const problem_options o = {.devices_max = 3, .rough = true, .any_goal = true};
    for (int i = 0; i < 1000; i++) {
        problem *q = problem_random(&r, &o);
        if (q->p.objective.goal == CLV_GOAL_THROUGHPUT) q->p.objective.goal = CLV_GOAL_LATENCY;
        clv_planner_answer b, c;
        clv_error err = {0};
        assert_ok(clv_plan_hops(&q->p, &b, &err), err);
        assert_ok(clv_plan_pipeline(&q->p, &c, &err), err);
        assert_int_equal(b.cost.score, c.cost.score);
        assert_int_equal(b.cost.wire_bytes, c.cost.wire_bytes);
        assert_int_equal(b.n_rivals, c.n_rivals);
        for (size_t k = 0; k < b.n_rivals; k++)
            assert_int_equal(b.rivals[k].cost.score, c.rivals[k].cost.score);
        problem_free(q);
    }
}

static void with_two_devices_it_is_as_good_as_one_cut(void **state)
{
    (void)state;
    expect_one_cut(clv_plan_pipeline, problem_random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_every_chain_tried),
        cmocka_unit_test(without_limits_on_memory_it_is_as_good_as_hops),
        cmocka_unit_test(with_two_devices_it_is_as_good_as_one_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
