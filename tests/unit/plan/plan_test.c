#include "plan/plan.h"
#include "problems.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

enum { PROBLEMS = 20000 };

static clv_plan solve(const clv_plan_problem *p, clv_policy policy)
{
    clv_error err = {0};
    clv_plan plan;
    assert_ok(clv_plan_solve(p, policy, &plan, &err), err);
    return plan;
}

static void exact_equals_brute_force(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(1);
    for (int k = 0; k < PROBLEMS; k++) {
        clv_plan_problem p = problem_random(&r);
        clv_plan plan = solve(&p, CLV_POLICY_EXACT);
        assert_int_equal(plan.cut, problem_best(&p));
        assert_int_equal(llround(plan.cost.latency_us * 1000), problem_ns(&p, plan.cut));
        double sum = plan.cost.edge_us + plan.cost.link_us + plan.cost.queue_us +
                     plan.cost.cloud_us + plan.cost.overhead_us;
        assert_float_equal(sum, plan.cost.latency_us, 1e-9);
        assert_true(strlen(plan.why) > 10);
        clv_plan_problem_done(&p);
    }
}

static void rank_is_sorted_and_complete(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(2);
    for (int k = 0; k < 2000; k++) {
        clv_plan_problem p = problem_random(&r);
        clv_plan_cost costs[PROBLEM_CUTS_MAX];
        clv_plan_rank(&p, costs);
        bool seen[PROBLEM_CUTS_MAX] = {0};
        for (size_t i = 0; i < p.n_cuts; i++) {
            assert_false(seen[costs[i].cut]);
            seen[costs[i].cut] = true;
            if (i == 0) continue;
            int64_t a = problem_ns(&p, costs[i - 1].cut), b = problem_ns(&p, costs[i].cut);
            assert_true(a < b || (a == b && costs[i - 1].cut > costs[i].cut));
        }
        assert_int_equal(costs[0].cut, solve(&p, CLV_POLICY_EXACT).cut);
        clv_plan_problem_done(&p);
    }
}

/* A problem whose every duration is `factor` times as long; rates as many times slower. */
static void scale(clv_plan_problem *p, double factor)
{
    for (size_t i = 0; i < p->n_cuts; i++) {
        p->cuts[i].edge_us *= factor;
        p->cuts[i].cloud_us *= factor;
    }
    p->queue_us *= factor;
    p->overhead_us *= factor;
    p->edge_queue_us *= factor;
    p->link.rtt_us *= factor;
    p->link.up_bytes_per_s /= factor;
    p->link.down_bytes_per_s /= factor;
}

static void scaling_all_times_keeps_the_plan(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(3);
    for (int k = 0; k < 5000; k++) {
        clv_plan_problem p = problem_random(&r);
        clv_plan before = solve(&p, CLV_POLICY_EXACT);
        scale(&p, 4);
        clv_plan after = solve(&p, CLV_POLICY_EXACT);
        assert_int_equal(before.cut, after.cut);
        assert_float_equal(after.cost.latency_us, 4 * before.cost.latency_us, 1e-9);
        clv_plan_problem_done(&p);
    }
}

static void more_bandwidth_never_costs_more(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(4);
    for (int k = 0; k < 5000; k++) {
        clv_plan_problem p = problem_random(&r);
        double slow = solve(&p, CLV_POLICY_EXACT).cost.latency_us;
        p.link.up_bytes_per_s *= 1 + clv_rng_unit(&r);
        double faster_up = solve(&p, CLV_POLICY_EXACT).cost.latency_us;
        p.link.down_bytes_per_s *= 1 + clv_rng_unit(&r);
        double faster = solve(&p, CLV_POLICY_EXACT).cost.latency_us;
        assert_true(faster_up <= slow + 1e-3 && faster <= faster_up + 1e-3);
        clv_plan_problem_done(&p);
    }
}

static void an_added_cut_never_hurts(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(5);
    for (int k = 0; k < 5000; k++) {
        clv_plan_problem p = problem_random(&r);
        double all = solve(&p, CLV_POLICY_EXACT).cost.latency_us;
        if (p.n_cuts > 2) { /* the same without one of the cuts in the middle */
            size_t gone = 1 + clv_rng_below(&r, p.n_cuts - 2);
            memmove(&p.cuts[gone], &p.cuts[gone + 1], (p.n_cuts - gone - 1) * sizeof *p.cuts);
            p.n_cuts--;
            assert_true(all <= solve(&p, CLV_POLICY_EXACT).cost.latency_us);
        }
        clv_plan_problem_done(&p);
    }
}

static void a_longer_round_trip_never_favours_the_cloud(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(6);
    for (int k = 0; k < 5000; k++) {
        clv_plan_problem p = problem_random(&r);
        clv_plan before = solve(&p, CLV_POLICY_EXACT);
        p.link.rtt_us += 1 + (double)clv_rng_below(&r, 50);
        clv_plan after = solve(&p, CLV_POLICY_EXACT);
        assert_true(after.cost.latency_us >= before.cost.latency_us);
        /* All remote cuts pay the same round trip: only staying home can become better. */
        assert_true(after.cut == before.cut || after.cut + 1 == p.n_cuts);
        clv_plan_problem_done(&p);
    }
}

static void a_dead_link_keeps_everything_here(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(7);
    clv_plan_problem p = problem_random(&r);
    p.link = (clv_link){0};
    clv_plan plan = solve(&p, CLV_POLICY_EXACT);
    assert_int_equal(plan.cut, p.n_cuts - 1);
    assert_true(isfinite(plan.cost.latency_us));
    assert_non_null(strstr(plan.why, "link is down"));
    assert_int_equal(solve(&p, CLV_POLICY_EDGE).cut, p.n_cuts - 1);
    clv_error err = {0};
    plan.cut = 77;
    assert_int_equal(clv_plan_solve(&p, CLV_POLICY_CLOUD, &plan, &err), CLV_EUNAVAIL);
    assert_non_null(strstr(err.text, "cloud"));
    assert_int_equal(plan.cut, 77);
    p.n_cuts = 1;
    assert_int_equal(clv_plan_solve(&p, CLV_POLICY_EXACT, &plan, &err), CLV_EINVAL);
    clv_plan_problem_done(&p);
}

/* One second of computing here, a tenth there; 600 kB in, 43 kB in the middle; 1 MB/s. */
static clv_plan_problem story(void)
{
    clv_plan_problem p = {.cuts = clv_alloc_array(3, sizeof *p.cuts), .n_cuts = 3};
    p.link = (clv_link){.up_bytes_per_s = 1e6, .down_bytes_per_s = 1e6, .rtt_us = 5000, .up = true};
    p.cuts[0] = (clv_plan_cut){
        .label = "input", .cloud_us = 100000, .up_bytes = 602112, .down_bytes = 4000};
    p.cuts[1] = (clv_plan_cut){.label = "pool5",
                               .edge_us = 100000,
                               .cloud_us = 90000,
                               .up_bytes = 43264,
                               .down_bytes = 4000};
    p.cuts[2] = (clv_plan_cut){.label = "output", .edge_us = 1000000};
    return p;
}

static void the_sentence_tells_what_was_saved(void **state)
{
    (void)state;
    clv_plan_problem p = story();
    clv_plan plan = solve(&p, CLV_POLICY_EXACT);
    assert_int_equal(plan.cut, 1);
    assert_string_equal(plan.why,
                        "cutting after pool5 sends 43.3 kB instead of 602 kB and takes 242 ms, 758 "
                        "ms less than running all here and 469 ms less than sending the input");
    plan = solve(&p, CLV_POLICY_CLOUD);
    assert_int_equal(plan.cut, 0);
    assert_non_null(strstr(plan.why, "sending the input (602 kB) takes 611 ms on this link"));
    assert_non_null(strstr(plan.why, "469 ms more than cutting after pool5"));
    plan = solve(&p, CLV_POLICY_EDGE);
    assert_non_null(strstr(plan.why, "running all here takes 1.00 s, 758 ms more than"));
    char longest[400];
    memset(longest, 'a', sizeof longest - 1);
    memcpy(longest + 46, "\xc3\xa4\xc3\xa4", 4); /* two letters of two bytes around the cut */
    longest[sizeof longest - 1] = 0;
    p.cuts[1].label = longest;
    plan = solve(&p, CLV_POLICY_EXACT);
    assert_non_null(strstr(plan.why, "a\xc3\xa4... sends"));
    clv_plan_problem_done(&p);
}

static void policies_have_names(void **state)
{
    (void)state;
    assert_string_equal(clv_policy_name(CLV_POLICY_EXACT), "exact");
    assert_string_equal(clv_policy_name(CLV_POLICY_CLOUD), "cloud");
    assert_string_equal(clv_policy_name(CLV_POLICY_COUNT), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_equals_brute_force),
        cmocka_unit_test(rank_is_sorted_and_complete),
        cmocka_unit_test(scaling_all_times_keeps_the_plan),
        cmocka_unit_test(more_bandwidth_never_costs_more),
        cmocka_unit_test(an_added_cut_never_hurts),
        cmocka_unit_test(a_longer_round_trip_never_favours_the_cloud),
        cmocka_unit_test(a_dead_link_keeps_everything_here),
        cmocka_unit_test(the_sentence_tells_what_was_saved),
        cmocka_unit_test(policies_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
