#include "chains.h"
#include "plan/lattice.h"
#include "plan/planners.h"
#include "two_devices.h"
#include "unit.h"

/* A kind of problem for planner B, and how many of it. */
typedef struct kind {
    problem_options options;
    int n;
} kind;

static const kind kinds[] = {
    {{.devices_max = 3}, 2000},
    {{.devices_max = 3, .rough = true, .any_goal = true, .unknowns = true}, 2000},
    {{.devices_max = 3, .rough = true, .limits = true, .any_goal = true}, 2000},
    {{.devices_max = 3, .limits = true, .unknowns = true, .any_goal = true}, 1500},
    {{.devices_max = 3, .rough = true, .any_goal = true, .quantiles = true}, 1500},
    {{.devices_max = 3, .limits = true, .unknowns = true, .any_goal = true, .quantiles = true},
     1500},
    {{.devices_max = 3, .chain = true, .limits = true, .any_goal = true}, 500},
    {{.devices_max = 3, .rough = true, .measured = true, .any_goal = true}, 1000},
    {{.devices_max = 3, .limits = true, .unknowns = true, .measured = true, .any_goal = true},
     1500},
};

/* B's kind: no throughput, no limit on memory. */
static problem *problem_for_hops(clv_rng *r, const problem_options *o)
{
    problem *q = problem_random(r, o);
    if (q->p.objective.goal == CLV_GOAL_THROUGHPUT) q->p.objective.goal = CLV_GOAL_ENERGY;
    for (size_t d = 0; d < q->p.n_devices; d++)
        q->p.devices[d].memory_bytes_max = CLV_PLAN_NO_LIMIT;
    return q;
}

static void assert_best(const problem *q, const chain_best *best)
{
    clv_planner_answer a = {.considered = 77};
    clv_error err = {0};
    clv_status st = clv_plan_hops(&q->p, &a, &err);
    if (!best->n_kept) {
        assert_int_equal(st, CLV_EINFEASIBLE);
        assert_int_equal(a.considered, 77);
        return;
    }
    assert_ok(st, err);
    assert_int_equal(a.cost.score, best->best.cost.score);
    assert_true(a.bound == INT64_MIN);
    if (!q->p.objective.quantile_ppm)
        assert_int_equal(a.cost.wire_bytes, best->best.cost.wire_bytes);
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
        clv_rng r = clv_rng_seeded(k + 1);
        for (int i = 0; i < kinds[k].n; i++) {
            problem *q = problem_for_hops(&r, &kinds[k].options);
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

/* The tables of chains.h say what a device for every unit says. */
static void the_oracle_is_the_naive_solver(void **state)
{
    (void)state;
    const problem_options o = {.units_max = 5,
                               .devices_max = 3,
                               .codecs_max = 2,
                               .rough = true,
                               .limits = true,
                               .unknowns = true,
                               .any_goal = true,
                               .quantiles = true};
    clv_rng r = clv_rng_seeded(99);
    for (int i = 0; i < 300; i++) {
        problem *q = problem_random(&r, &o);
        chain_best best;
        naive_placement naive;
        chains_try(q, &best);
        bool found = naive_solve(q, &naive);
        assert_int_equal(found, best.n_kept > 0);
        if (found) {
            assert_int_equal(best.best.cost.score, naive.cost.score);
            assert_int_equal(best.best.cost.wire_bytes, naive.cost.wire_bytes);
            assert_int_equal(best.best.cost.latency_ns, naive.cost.latency_ns);
        }
        problem_free(q);
    }
}

static void a_lattice_made_before_changes_nothing(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(5);
    for (int i = 0; i < 500; i++) {
        problem *q = problem_for_hops(&r, &kinds[3].options);
        clv_planner_answer cold, warm;
        clv_error err = {0};
        clv_status st = clv_plan_hops(&q->p, &cold, &err);
        clv_lattice *l = clv_lattice_new(q->graph, q->cuts);
        q->p.lattice = l;
        assert_int_equal(clv_plan_hops(&q->p, &warm, &err), st);
        if (!st) assert_memory_equal(&cold.chain, &warm.chain, sizeof cold.chain);
        clv_lattice_free(l);
        problem_free(q);
    }
}

/* Some of the cuts go, as those do that nobody measured, or that are too many. */
static void leave_out(clv_rng *r, problem *q)
{
    size_t n = 0;
    for (size_t c = 0; c < q->cuts->n; c++) {
        if (c > 0 && c + 1 < q->cuts->n && problem_chance(r, 40)) continue;
        for (size_t d = 0; d < q->p.n_devices; d++)
            for (size_t i = 0; i < 3; i++) q->times[d][i][n] = q->times[d][i][c];
        q->cuts->items[n++] = q->cuts->items[c];
    }
    q->cuts->n = n;
    q->cuts->capped = problem_chance(r, 50);
}

static void a_list_with_gaps_is_planned_over(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(6);
    const problem_options o = {.devices_max = 3, .rough = true, .limits = true, .any_goal = true};
    for (int i = 0; i < 2000; i++) {
        problem *q = problem_for_hops(&r, &o);
        leave_out(&r, q);
        chain_best best;
        chains_try(q, &best);
        assert_best(q, &best);
        problem_free(q);
    }
}

/* Where progress falls, 0 is counted: no difference any more. */
static void progress_that_falls_is_planned_too(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(9);
    const problem_options o = {.devices_max = 3, .rough = true, .quantiles = true};
    for (int i = 0; i < 500; i++) {
        problem *q = problem_for_hops(&r, &o);
        for (size_t d = 0; d < q->p.n_devices; d++)
            for (size_t c = 0; c < q->cuts->n; c++)
                q->times[d][2][c].ns = problem_below(&r, 200000);
        chain_best best;
        chains_try(q, &best);
        clv_planner_answer a;
        clv_error err = {0};
        assert_ok(clv_plan_hops(&q->p, &a, &err), err);
        assert_int_equal(a.cost.score, best.best.cost.score);
        problem_free(q);
    }
}

static void with_two_devices_it_is_as_good_as_one_cut(void **state)
{
    (void)state;
    expect_one_cut(clv_plan_hops, problem_for_hops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_every_chain_tried),
        cmocka_unit_test(the_oracle_is_the_naive_solver),
        cmocka_unit_test(a_lattice_made_before_changes_nothing),
        cmocka_unit_test(a_list_with_gaps_is_planned_over),
        cmocka_unit_test(progress_that_falls_is_planned_too),
        cmocka_unit_test(with_two_devices_it_is_as_good_as_one_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
