#include "plan/relax.h"
#include "problems.h"
#include "unit.h"

enum { PROBLEMS = 3000 };

static const problem_options tight = {.units_max = 6,
                                      .devices_max = 3,
                                      .codecs_max = 2,
                                      .limits = true,
                                      .unknowns = true,
                                      .any_goal = true,
                                      .quantiles = true,
                                      .measured = true};

/* The naive optimum of a problem that is `p` instead of its own. */
static bool naive_of(problem *q, const clv_plan_problem *p, naive_placement *best)
{
    clv_plan_problem own = q->p;
    q->p = *p;
    bool found = naive_solve(q, best);
    q->p = own;
    return found;
}

/* The same without one limit. */
static clv_plan_problem dropped(const clv_plan_problem *p, clv_plan_limit limit, int device)
{
    clv_plan_problem x = *p;
    if (limit == CLV_LIMIT_DEADLINE) x.limits.deadline_ns = CLV_PLAN_NO_LIMIT;
    if (limit == CLV_LIMIT_ENERGY) x.limits.energy_nj = CLV_PLAN_NO_LIMIT;
    if (limit == CLV_LIMIT_PRICE) x.limits.price_pm = CLV_PLAN_NO_LIMIT;
    if (limit == CLV_LIMIT_DROP) x.limits.drop_ppm = CLV_PLAN_NO_LIMIT;
    if (limit == CLV_LIMIT_PINS) x.limits.unit_devices = NULL;
    if (limit == CLV_LIMIT_PRIVACY) x.limits.stays = NULL;
    for (int k = 0; limit == CLV_LIMIT_MEMORY && k < (int)x.n_devices; k++)
        if (device < 0 || k == device) x.devices[k].memory_bytes_max = CLV_PLAN_NO_LIMIT;
    return x;
}

static void assert_least(problem *q, clv_plan_problem x, clv_plan_limit limit, int64_t value)
{
    naive_placement best;
    x.objective.goal = limit == CLV_LIMIT_DEADLINE ? CLV_GOAL_LATENCY
                       : limit == CLV_LIMIT_ENERGY ? CLV_GOAL_ENERGY
                                                   : CLV_GOAL_PRICE;
    bool found = naive_of(q, &x, &best);
    assert_int_equal(found, value != CLV_PLAN_UNKNOWN);
    if (found) assert_int_equal(best.cost.score, value);
}

static void assert_memory(problem *q, clv_plan_problem x, const clv_plan_relief *r)
{
    naive_placement best;
    int64_t *max = &x.devices[r->device].memory_bytes_max;
    *max = r->needed;
    assert_int_equal(naive_of(q, &x, &best), r->enough);
    if (!r->enough || x.n_devices > 2) return;
    *max = r->needed - 1;
    assert_false(naive_of(q, &x, &best));
}

static void assert_drop(problem *q, clv_plan_problem x, int64_t needed)
{
    naive_placement best;
    x.limits.drop_ppm = needed;
    bool enough = needed != CLV_PLAN_UNKNOWN;
    assert_int_equal(naive_of(q, &x, &best), enough);
    if (!enough || !needed) return;
    x.limits.drop_ppm = needed - 1;
    assert_false(naive_of(q, &x, &best));
}

static void assert_relief(problem *q, const clv_plan_relief *r)
{
    clv_plan_problem x = dropped(&q->p, r->limit, (int)r->device), alone = q->p;
    naive_placement best;
    if (r->limit == CLV_LIMIT_MEMORY) {
        assert_int_equal(r->now, q->p.devices[r->device].memory_bytes_max);
        assert_memory(q, x, r);
        return;
    }
    if (r->limit == CLV_LIMIT_LINK) return;
    if (r->limit == CLV_LIMIT_DROP) {
        assert_int_equal(r->now, q->p.limits.drop_ppm);
        assert_drop(q, x, r->needed);
        return;
    }
    if (r->limit == CLV_LIMIT_PINS || r->limit == CLV_LIMIT_PRIVACY) {
        assert_int_equal(naive_of(q, &x, &best), r->enough);
        return;
    }
    assert_least(q, x, r->limit, r->needed);
    for (int l = CLV_LIMIT_NONE; l < CLV_LIMIT_COUNT; l++)
        alone = dropped(&alone, (clv_plan_limit)l, -1);
    assert_least(q, alone, r->limit, r->least);
}

static void reliefs_equal_brute_force(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(1);
    int infeasible = 0, enough = 0, hopeless = 0;
    for (int i = 0; i < PROBLEMS; i++) {
        problem *q = problem_random(&r, &tight);
        naive_placement best;
        if (!naive_solve(q, &best)) {
            clv_plan_relaxation x = clv_plan_relax(&q->p);
            bool any = false;
            for (size_t k = 0; k < x.n; k++) assert_relief(q, &x.items[k]);
            for (size_t k = 0; k < x.n; k++) any |= x.items[k].enough;
            clv_error err = {0};
            clv_plan plan;
            assert_int_equal(clv_plan_solve(&q->p, &plan, &err), CLV_EINFEASIBLE);
            assert_non_null(strstr(err.text, any ? "enough alone would be" : "no single limit"));
            assert_null(strchr(err.text, '\n'));
            enough += any;
            hopeless += !any;
            infeasible++;
        }
        problem_free(q);
    }
    assert_true(infeasible > 250 && enough > 200 && hopeless > 0);
}

static void the_binding_limit_is_the_one_that_costs_most(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(2);
    problem_options o = tight;
    o.unknowns = false;
    int bound = 0;
    for (int i = 0; i < PROBLEMS; i++) {
        problem *q = problem_random(&r, &o);
        clv_plan plan;
        clv_error err = {0};
        if (clv_plan_solve(&q->p, &plan, &err) == CLV_OK) {
            int64_t least = plan.cost.score, freed = least;
            for (int l = CLV_LIMIT_NONE; l < CLV_LIMIT_COUNT; l++) {
                clv_plan_problem x = dropped(&q->p, (clv_plan_limit)l, -1);
                naive_placement best;
                assert_true(naive_of(q, &x, &best));
                least = CLV_MIN(least, best.cost.score);
                if (l == (int)plan.binding) freed = best.cost.score;
            }
            assert_int_equal(freed, least);
            assert_int_equal(plan.binding != CLV_LIMIT_NONE, least < plan.cost.score);
            bound += plan.binding != CLV_LIMIT_NONE;
            clv_plan_done(&plan);
        }
        problem_free(q);
    }
    assert_true(bound > 100);
}

/* Two units: 10 ms each here, 1 ms there; 8 bytes in, 4 in between; 1 ms a byte; 2 ms round trip. */
static problem *story(void)
{
    clv_rng r = clv_rng_seeded(1);
    problem *q = problem_random(
        &r, &(problem_options){.units_max = 3, .codecs_max = 1, .chain = true, .sums = true});
    for (size_t t = 0; t < q->graph->n_tensors; t++)
        problem_size_tensor(&q->graph->tensors[t], t ? 1 : 2);
    for (size_t u = 0; u < 3; u++) q->graph->units[u].weight_bytes = 1000;
    for (size_t d = 0; d < 2; d++) {
        for (size_t c = 0; c < 4; c++) {
            int64_t unit_ns = d ? 1000000 : 10000000;
            q->times[d][0][c].ns = (int64_t)c * unit_ns;
            q->times[d][1][c].ns = (int64_t)(3 - c) * unit_ns;
        }
        q->p.devices[d].queue_ns = 0;
    }
    clv_cuts_free(q->cuts);
    clv_error err = {0};
    assert_ok(clv_cuts_enumerate(q->graph, CLV_CUTS_CAP, &q->cuts, &err), err);
    assert_int_equal(q->cuts->n, 4);
    q->p.cuts = q->cuts;
    q->p.hops[0] = (clv_plan_hop){.up = true,
                                  .up_ps_per_byte = 1000000000,
                                  .down_ps_per_byte = 1000000000,
                                  .rtt_ns = 2000000};
    snprintf(q->p.devices[1].name, sizeof q->p.devices[1].name, "cloud");
    return q;
}

static void the_report_says_how_far_and_what_would_do(void **state)
{
    (void)state;
    problem *q =
        story(); /* all there: 8 + 4 + 2 + 3 = 17 ms, behind the first unit 10 + 4 + 4 + 2 + 2 */
    q->p.limits.deadline_ns = 12000000;
    q->p.devices[1].memory_bytes_max = 2500;
    clv_plan plan;
    clv_error err = {0};
    assert_int_equal(clv_plan_solve(&q->p, &plan, &err), CLV_EINFEASIBLE);
    assert_string_equal(err.text,
                        "no placement keeps all limits: deadline 12.000 ms (17.000 ms at best), "
                        "memory of 'cloud' 2500 bytes (0 bytes at best); enough alone would be "
                        "deadline 22.000 ms");
    q->p.limits.deadline_ns = 18000000;
    assert_int_equal(clv_plan_solve(&q->p, &plan, &err), CLV_EINFEASIBLE);
    assert_non_null(strstr(err.text, "deadline 22.000 ms or memory of 'cloud' 3012 bytes"));
    q->p.limits.deadline_ns = CLV_PLAN_NO_LIMIT;
    assert_ok(clv_plan_solve(&q->p, &plan, &err), err);
    assert_int_equal(plan.chain.cut[0], 1);
    assert_int_equal(plan.binding, CLV_LIMIT_MEMORY);
    assert_string_equal(plan.why,
                        "cutting after u0.0 sends 4 B instead of 8 B and takes 22.0 ms, 8.00 "
                        "ms less than running all on edge and 5.00 ms more than sending "
                        "the input; but for the limit 'memory' it could be better");
    clv_plan_done(&plan);
    q->p.hops[0].up = false;
    q->p.limits.deadline_ns = 18000000;
    assert_int_equal(clv_plan_solve(&q->p, &plan, &err), CLV_EINFEASIBLE);
    assert_non_null(strstr(err.text, "deadline 30.000 ms"));
    problem_free(q);
}

static void the_sentence_fits_the_plan(void **state)
{
    (void)state;
    problem *q = story();
    clv_plan plan;
    clv_error err = {0};
    assert_ok(clv_plan_solve(&q->p, &plan, &err), err);
    assert_string_equal(plan.why, "sending the input (8 B) to cloud takes 17.0 ms (14.0 ms on the "
                                  "link), 13.0 ms less than running all on edge, 5.00 ms less than "
                                  "cutting after u0.0");
    clv_plan_done(&plan);
    q->p.objective.goal = CLV_GOAL_THROUGHPUT;
    assert_ok(clv_plan_solve(&q->p, &plan, &err), err);
    assert_non_null(
        strstr(plan.why, "serves 125 requests/s, 3.75 times the rate of running all on"));
    clv_plan_done(&plan);
    q->p.objective = (clv_plan_objective){.goal = CLV_GOAL_LATENCY, .quantile_ppm = 990000};
    assert_ok(clv_plan_solve(&q->p, &plan, &err), err);
    assert_non_null(strstr(plan.why, "takes 17.0 ms in 99% of cases"));
    clv_plan_done(&plan);
    q->p.objective = (clv_plan_objective){.goal = CLV_GOAL_LATENCY};
    q->p.hops[0].up = false;
    assert_ok(clv_plan_solve(&q->p, &plan, &err), err);
    assert_string_equal(
        plan.why, "the link to cloud is down, so everything runs on edge, which takes 30.0 ms");
    clv_plan_done(&plan);
    problem_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reliefs_equal_brute_force),
        cmocka_unit_test(the_binding_limit_is_the_one_that_costs_most),
        cmocka_unit_test(the_report_says_how_far_and_what_would_do),
        cmocka_unit_test(the_sentence_fits_the_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
