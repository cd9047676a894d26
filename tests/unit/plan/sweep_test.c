#include "plan/sweep.h"
#include "problems.h"
#include "unit.h"

#include <stdlib.h>

static clv_plan_cost at_rate(clv_plan_problem p, double rate, double down_share)
{
    p.link.up_bytes_per_s = rate;
    p.link.down_bytes_per_s = rate * down_share;
    clv_plan plan;
    clv_error err = {0};
    assert_ok(clv_plan_solve(&p, CLV_POLICY_EXACT, &plan, &err), err);
    return plan.cost;
}

static void spans_agree_with_the_planner_at_every_rate(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(11);
    for (int k = 0; k < 3000; k++) {
        clv_plan_problem p = problem_random(&r);
        p.link.up = true;
        double share = p.link.down_bytes_per_s / p.link.up_bytes_per_s, lo = 1e4, hi = 1e8;
        clv_plan_span *spans;
        size_t n;
        clv_error err = {0};
        assert_ok(clv_plan_sweep(&p, lo, hi, &spans, &n, &err), err);
        assert_true(n >= 1 && n <= p.n_cuts);
        assert_float_equal(spans[0].from_bytes_per_s, lo, lo * 1e-9);
        assert_float_equal(spans[n - 1].to_bytes_per_s, hi, hi * 1e-9);
        for (size_t i = 0; i < n; i++) {
            if (i) {
                assert_float_equal(spans[i].from_bytes_per_s, spans[i - 1].to_bytes_per_s, 0);
                assert_int_not_equal(spans[i].cut, spans[i - 1].cut);
            }
            for (int s = 0; s < 5; s++) { /* somewhere within the span */
                double rate =
                    spans[i].from_bytes_per_s +
                    clv_rng_unit(&r) * (spans[i].to_bytes_per_s - spans[i].from_bytes_per_s);
                clv_plan_cost best = at_rate(p, rate, share);
                clv_plan_problem here = p;
                here.link.up_bytes_per_s = rate;
                here.link.down_bytes_per_s = rate * share;
                double mine = clv_plan_cost_of(&here, spans[i].cut).latency_us;
                assert_float_equal(mine, best.latency_us, 1e-6 * best.latency_us + 2e-3);
            }
        }
        free(spans);
        clv_plan_problem_done(&p);
    }
}

static void slow_links_keep_the_work_here(void **state)
{
    (void)state;
    clv_plan_cut cuts[] = {
        {.label = "input", .cloud_us = 10, .up_bytes = 1000},
        {.label = "m", .edge_us = 50, .cloud_us = 5, .up_bytes = 100},
        {.label = "output", .edge_us = 155},
    };
    clv_plan_problem p = {.cuts = cuts, .n_cuts = 3};
    p.link = (clv_link){.up_bytes_per_s = 1, .down_bytes_per_s = 1, .up = true};
    clv_plan_span *spans;
    size_t n;
    clv_error err = {0};
    assert_ok(clv_plan_sweep(&p, 1e4, 1e9, &spans, &n, &err), err);
    assert_int_equal(n, 3);
    assert_int_equal(spans[0].cut, 2);
    assert_int_equal(spans[1].cut, 1);
    assert_int_equal(spans[2].cut, 0);
    /* 55 + 100 x = 155 at x = 1 us a byte; 10 + 1000 x = 55 + 100 x at x = 0.05 */
    assert_float_equal(spans[0].to_bytes_per_s, 1e6, 1);
    assert_float_equal(spans[1].to_bytes_per_s, 2e7, 20);
    assert_float_equal(spans[1].to_us, 60, 1e-9);
    free(spans);
    assert_int_equal(clv_plan_sweep(&p, 5, 5, &spans, &n, &err), CLV_EINVAL);
    assert_int_equal(clv_plan_sweep(&p, 0, 5, &spans, &n, &err), CLV_EINVAL);
    p.link.up = false;
    assert_int_equal(clv_plan_sweep(&p, 1, 5, &spans, &n, &err), CLV_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_agree_with_the_planner_at_every_rate),
        cmocka_unit_test(slow_links_keep_the_work_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
