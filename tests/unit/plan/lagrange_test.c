/* Limits, quantiles and throughput of planner D against brute force: no placement is below the bound,
 * every answer keeps its limits, and nearly every answer is proven to be the best. */
#include "placements.h"
#include "plan/planners.h"
#include "unit.h"

enum { PROBLEMS = CASES(1700) };

typedef struct tally {
    int problems, feasible, missed, best, proven, mixed;
    double gap_stated, gap_true, gap_worst;
} tally;

static problem *limited_problem(clv_rng *r, const problem_options *o, bool returns)
{
    problem *q = problem_random(r, o);
    q->p.may_return = returns;
    if (problem_chance(r, 60)) placements_favour_sharing(q);
    if (!o->limits) return q;
    /* limits that some placement of this kind just meets */
    placements *all = placements_new(q);
    unsigned full = (1u << all->n_units) - 1;
    naive_cost some = placement_cost(all, (unsigned)clv_rng_next(r) & full, 0);
    clv_plan_limits *l = &q->p.limits;
    if (l->deadline_ns != CLV_PLAN_NO_LIMIT) l->deadline_ns = some.latency_ns;
    if (l->energy_nj != CLV_PLAN_NO_LIMIT) l->energy_nj = some.nj;
    if (l->price_pm != CLV_PLAN_NO_LIMIT) l->price_pm = some.pm;
    free(all);
    return q;
}

static void compare(const problem *q, tally *t)
{
    placements *all = placements_new(q);
    placement best = {0};
    clv_planner_answer a;
    clv_error err = {0};
    bool feasible = placements_best(all, &best);
    clv_status s = clv_plan_min_cut(&q->p, &a, &err);
    t->problems++;
    t->feasible += feasible;
    if (s == CLV_OK) {
        assert_true(feasible);
        unsigned away = 0;
        for (size_t u = 0; u < q->graph->n_units; u++) away |= (unsigned)a.unit_device[u] << u;
        naive_cost own = placement_cost(all, away, a.chain.codec[0]);
        assert_true(placement_legal(all, away) && placement_keeps(all, away, &own));
        assert_int_equal(a.cost.score, own.score);
        assert_true(a.cost.score >= best.cost.score);
        if (a.bound == INT64_MIN)
            assert_int_equal(a.cost.score, best.cost.score);
        else
            assert_true(a.bound <= best.cost.score && a.bound >= 0);
        t->best += a.cost.score == best.cost.score;
        t->proven += a.bound == INT64_MIN;
        t->mixed += away && away != (1u << q->graph->n_units) - 1;
        double score = (double)a.cost.score, least = (double)best.cost.score;
        double stated = a.bound == INT64_MIN ? 0 : score / CLV_MAX((double)a.bound, 1) - 1;
        t->gap_stated += CLV_MIN(stated, 1);
        t->gap_true += (score - least) / CLV_MAX(least, 1);
        t->gap_worst = fmax(t->gap_worst, (score - least) / CLV_MAX(least, 1));
        free(a.unit_device);
    } else {
        assert_int_equal(s, CLV_EINFEASIBLE);
        t->missed += feasible;
    }
    free(all);
}

static void compare_many(uint64_t seed, const problem_options *o, bool returns, int goal)
{
    clv_rng r = clv_rng_seeded(seed);
    tally t = {0};
    for (int i = 0; i < PROBLEMS; i++) {
        problem *q = limited_problem(&r, o, returns);
        if (goal >= 0) q->p.objective.goal = (clv_plan_goal)goal;
        compare(q, &t);
        problem_free(q);
    }
    int n = t.feasible - t.missed;
    print_message(
        "%d problems, %d feasible (%d missed), %d on both devices: best %.2f%%, proven %.2f%%\n",
        t.problems, t.feasible, t.missed, t.mixed, 100.0 * t.best / n, 100.0 * t.proven / n);
    print_message("    gaps: mean %.3f%%, worst %.1f%%, stated %.2f%%\n", 100 * t.gap_true / n,
                  100 * t.gap_worst, 100 * t.gap_stated / n);
    assert_true(t.best > 0.99 * n && t.proven > 0.98 * n);
    assert_int_equal(t.missed, 0);
}

static void limits(void **state)
{
    (void)state;
    const problem_options o = {.units_max = 8,
                               .measured = true,
                               .sums = true,
                               .rough = true,
                               .limits = true,
                               .any_goal = true,
                               .quantiles = true};
    compare_many(41, &o, false, -1);
    compare_many(42, &o, true, -1);
}

static void throughput(void **state)
{
    (void)state;
    const problem_options o = {.units_max = 8, .sums = true, .rough = true};
    compare_many(43, &o, false, CLV_GOAL_THROUGHPUT);
    compare_many(44, &o, true, CLV_GOAL_THROUGHPUT);
}

static void quantiles(void **state)
{
    (void)state;
    const problem_options o = {.units_max = 8, .sums = true, .rough = true, .quantiles = true};
    compare_many(45, &o, false, CLV_GOAL_LATENCY);
    compare_many(46, &o, true, CLV_GOAL_LATENCY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits),
        cmocka_unit_test(throughput),
        cmocka_unit_test(quantiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
