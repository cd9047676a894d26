#include "plan/planners.h"
#include "problems.h"
#include "unit.h"

enum { PROBLEMS = CASES(3000) };

static naive_placement placement_of(const problem *q, const clv_plan_chain *chain)
{
    naive_placement m = {0};
    for (size_t u = 0; u < q->graph->n_units; u++)
        while (!clv_cut_has(&q->cuts->items[chain->cut[m.device[u]]], (int)u)) m.device[u]++;
    for (size_t k = 0; k + 1 < q->p.n_devices; k++) m.codec[k] = chain->codec[k];
    naive_weigh(q, &m);
    return m;
}

static void assert_cost(const clv_plan_cost *a, const naive_cost *b)
{
    assert_true(b->known);
    assert_int_equal(a->score, b->score);
    assert_int_equal(a->wire_bytes, b->wire_bytes);
    assert_int_equal(a->latency_ns, b->latency_ns);
    assert_int_equal(a->period_ns, b->period_ns);
    assert_int_equal(a->total.ns, b->ns);
    assert_int_equal(a->total.var_us2, b->var_us2);
    assert_int_equal(a->total.nj, b->nj);
    assert_int_equal(a->total.pm, b->pm);
    assert_int_equal(a->total.drop_ppm, b->drop_ppm);
}

/* Rivals are other cuts, in order, keep all limits, and the last is no worse than what was left out. */
static void assert_rivals(const problem *q, const clv_planner_answer *a)
{
    const clv_plan_cost *before = &a->cost;
    for (size_t i = 0; i < a->n_rivals; i++) {
        const clv_plan_rival *rival = &a->rivals[i];
        naive_placement m = placement_of(q, &rival->chain);
        assert_cost(&rival->cost, &m.cost);
        assert_true(naive_keeps(q, &m));
        assert_false(clv_plan_better(&rival->cost, before));
        assert_int_not_equal(rival->chain.cut[0], a->chain.cut[0]);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(rival->chain.cut[0], a->rivals[j].chain.cut[0]);
        before = &rival->cost;
    }
}

/* Returns how many of the problems had an answer. */
static int against_brute_force(uint64_t seed, const problem_options *o)
{
    clv_rng r = clv_rng_seeded(seed);
    int feasible = 0;
    for (int i = 0; i < PROBLEMS; i++) {
        problem *q = problem_random(&r, o);
        naive_placement best;
        bool found = naive_solve(q, &best);
        clv_planner_answer a;
        clv_error err = {0};
        clv_status status = clv_plan_one_cut(&q->p, &a, &err);
        if (!found) {
            assert_int_equal(status, CLV_EINFEASIBLE);
        } else {
            assert_ok(status, err);
            assert_cost(&a.cost, &best.cost);
            naive_placement mine = placement_of(q, &a.chain);
            assert_cost(&a.cost, &mine.cost);
            assert_true(naive_keeps(q, &mine));
            assert_true(a.bound == INT64_MIN);
            assert_null(a.unit_device);
            assert_rivals(q, &a);
        }
        feasible += found;
        problem_free(q);
    }
    return feasible;
}

static void mean_latency_equals_brute_force(void **state)
{
    (void)state;
    assert_int_equal(against_brute_force(1, &(problem_options){.codecs_max = 4}), PROBLEMS);
}

static void every_objective_equals_brute_force(void **state)
{
    (void)state;
    problem_options o = {.any_goal = true, .quantiles = true, .rough = true};
    assert_int_equal(against_brute_force(2, &o), PROBLEMS);
}

static void limits_equal_brute_force(void **state)
{
    (void)state;
    problem_options o = {.any_goal = true, .quantiles = true, .limits = true};
    int feasible = against_brute_force(3, &o);
    assert_true(feasible > PROBLEMS / 4 && feasible < PROBLEMS);
}

static void limits_and_unknown_times_equal_brute_force(void **state)
{
    (void)state;
    problem_options o = {
        .any_goal = true, .quantiles = true, .rough = true, .limits = true, .unknowns = true};
    int feasible = against_brute_force(4, &o);
    assert_true(feasible > PROBLEMS / 5 && feasible < PROBLEMS);
}

static void a_chain_network_equals_brute_force(void **state)
{
    (void)state;
    problem_options o = {.chain = true, .sums = true, .any_goal = true, .limits = true};
    assert_true(against_brute_force(5, &o) > PROBLEMS / 4);
}

static void measured_codecs_equal_brute_force(void **state)
{
    (void)state;
    problem_options o = {.any_goal = true, .quantiles = true, .rough = true, .measured = true};
    assert_int_equal(against_brute_force(6, &o), PROBLEMS); /* raw is always there */
    o.limits = o.unknowns = true;
    int feasible = against_brute_force(7, &o);
    assert_true(feasible > PROBLEMS / 5 && feasible < PROBLEMS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean_latency_equals_brute_force),
        cmocka_unit_test(every_objective_equals_brute_force),
        cmocka_unit_test(limits_equal_brute_force),
        cmocka_unit_test(limits_and_unknown_times_equal_brute_force),
        cmocka_unit_test(a_chain_network_equals_brute_force),
        cmocka_unit_test(measured_codecs_equal_brute_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
