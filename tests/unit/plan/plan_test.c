#include "plan/plan.h"
#include "plan/planners.h"
#include "problems.h"
#include "unit.h"

enum { PROBLEMS = 1000 };

static clv_status try_solve(const problem *q, clv_plan *plan)
{
    clv_error err = {0};
    clv_status status = clv_plan_solve(&q->p, plan, &err);
    if (status != CLV_OK && status != CLV_EINFEASIBLE) fail_msg("%s", err.text);
    return status;
}

static clv_plan solve(const problem *q)
{
    clv_plan plan;
    assert_int_equal(try_solve(q, &plan), CLV_OK);
    return plan;
}

/* The optimum's score; UNKNOWN when there is none. */
static int64_t optimum(const problem *q)
{
    clv_plan plan;
    if (try_solve(q, &plan) != CLV_OK) return CLV_PLAN_UNKNOWN;
    clv_plan_done(&plan);
    return plan.cost.score;
}

static void assert_adds_up(const problem *q, const clv_plan *plan)
{
    int64_t ns = 0, nj = 0, pm = 0, bytes = 0;
    size_t units = 0;
    for (size_t k = 0; k < plan->n_stages; k++) {
        const clv_plan_stage *s = &plan->stages[k];
        ns += s->wait_ns + s->decode_ns + s->compute_ns + s->encode_ns;
        ns += s->overhead_ns + s->rtt_ns + s->up_ns + s->down_ns;
        nj += s->nj;
        pm += s->pm;
        bytes += s->up_bytes + s->down_bytes;
        units += s->n_units;
        size_t here = 0;
        for (size_t u = 0; u < plan->n_units; u++) here += plan->unit_device[u] == k;
        assert_int_equal(here, s->n_units);
        if (!s->n_units) continue;
        int64_t max = q->p.devices[k].memory_bytes_max;
        assert_true(s->memory_bytes <= max);
    }
    assert_int_equal(units, q->graph->n_units);
    assert_int_equal(ns, plan->cost.total.ns);
    assert_int_equal(nj, plan->cost.total.nj);
    assert_int_equal(pm, plan->cost.total.pm);
    assert_int_equal(bytes, plan->cost.wire_bytes);
    assert_true(strlen(plan->why) > 10);
    assert_true(plan->bound <= plan->cost.score);
    assert_true(plan->gap >= 0);
}

static clv_planner expected(const problem *q)
{
    bool memory = false;
    for (size_t k = 0; k < q->p.n_devices; k++)
        memory |= q->p.devices[k].memory_bytes_max != CLV_PLAN_NO_LIMIT;
    if (q->p.may_return) return CLV_PLANNER_MIN_CUT;
    if (q->p.n_devices == 2) return CLV_PLANNER_ONE_CUT;
    return memory || q->p.objective.goal == CLV_GOAL_THROUGHPUT ? CLV_PLANNER_PIPELINE
                                                                : CLV_PLANNER_HOPS;
}

static void every_problem_finds_its_planner_and_its_optimum(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(1);
    problem_options o = {.units_max = 7,
                         .devices_max = 3,
                         .limits = true,
                         .any_goal = true,
                         .quantiles = true,
                         .measured = true};
    size_t ran[CLV_PLANNER_COUNT] = {0}, infeasible = 0;
    for (int i = 0; i < PROBLEMS; i++) {
        problem *q = problem_random(&r, &o);
        naive_placement best;
        clv_plan plan;
        bool found = naive_solve(q, &best);
        assert_int_equal(try_solve(q, &plan), found ? CLV_OK : CLV_EINFEASIBLE);
        infeasible += !found;
        if (found) {
            assert_int_equal(plan.planner, expected(q));
            assert_int_equal(plan.cost.score, best.cost.score);
            assert_int_equal(plan.bound, best.cost.score);
            assert_true(plan.gap <= 0);
            assert_adds_up(q, &plan);
            assert_int_equal(clv_plan_violated(&q->p, &plan.chain, &plan.cost), CLV_LIMIT_NONE);
            ran[plan.planner]++;
            clv_plan_done(&plan);
        }
        problem_free(q);
    }
    assert_true(ran[CLV_PLANNER_ONE_CUT] && ran[CLV_PLANNER_HOPS] && ran[CLV_PLANNER_PIPELINE]);
    assert_true(infeasible > 10);
}

static void units_may_return_by_the_minimum_cut(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(2);
    problem_options o = {.sums = true};
    for (int i = 0; i < PROBLEMS; i++) {
        problem *q = problem_random(&r, &o);
        int64_t without = optimum(q);
        q->p.may_return = true;
        clv_plan plan = solve(q);
        assert_int_equal(plan.planner, CLV_PLANNER_MIN_CUT);
        assert_adds_up(q, &plan);
        if (q->p.n_codecs == 1) assert_true(plan.cost.score <= without);
        clv_plan_done(&plan);
        problem_free(q);
    }
}

/* Two devices and sums of units: the one cut, the path, the pairs and the minimum cut are all exact. */
static void all_planners_agree_where_all_are_exact(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(3);
    problem_options o = {.sums = true, .codecs_max = 1};
    for (int i = 0; i < PROBLEMS; i++) {
        problem *q = problem_random(&r, &o);
        clv_planner_answer a, b, c, d;
        clv_error err = {0};
        assert_ok(clv_plan_one_cut(&q->p, &a, &err), err);
        assert_ok(clv_plan_hops(&q->p, &b, &err), err);
        assert_ok(clv_plan_pipeline(&q->p, &c, &err), err);
        assert_ok(clv_plan_min_cut(&q->p, &d, &err), err);
        assert_int_equal(a.cost.score, b.cost.score);
        assert_int_equal(a.cost.score, c.cost.score);
        assert_int_equal(a.cost.score, d.cost.score);
        free(d.unit_device);
        problem_free(q);
    }
}

/* ---- laws ---- */

static void scale_times(clv_plan_time *times, size_t n, int64_t factor)
{
    for (size_t i = 0; i < n; i++) {
        times[i].ns *= factor;
        times[i].var_us2 *= factor * factor;
    }
}

static void scale(problem *q, int64_t factor)
{
    for (size_t d = 0; d < q->p.n_devices; d++) {
        for (size_t i = 0; i < 3; i++) scale_times(q->times[d][i], q->cuts->n, factor);
        q->p.devices[d].queue_ns *= factor;
        for (size_t k = 0; k < q->p.n_codecs; k++) {
            q->codecs[k].encode_ps_per_byte[d] *= factor;
            q->codecs[k].decode_ps_per_byte[d] *= factor;
        }
    }
    for (size_t k = 0; k + 1 < q->p.n_devices; k++) {
        clv_plan_hop *h = &q->p.hops[k];
        h->up_ps_per_byte *= factor;
        h->down_ps_per_byte *= factor;
        h->rtt_ns *= factor;
        h->overhead_ns *= factor;
    }
}

static void scaling_all_times_keeps_the_plan(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(4);
    problem_options o = {.units_max = 7, .devices_max = 3};
    for (int i = 0; i < PROBLEMS; i++) {
        problem *q = problem_random(&r, &o);
        if (i % 2) q->p.objective.goal = CLV_GOAL_THROUGHPUT;
        clv_plan before = solve(q);
        scale(q, 3);
        clv_plan after = solve(q);
        assert_int_equal(after.cost.score, 3 * before.cost.score);
        assert_int_equal(after.cost.wire_bytes, before.cost.wire_bytes);
        assert_memory_equal(after.unit_device, before.unit_device, after.n_units);
        clv_plan_done(&before);
        clv_plan_done(&after);
        problem_free(q);
    }
}

static const problem_options law_options = {.units_max = 7,
                                            .devices_max = 3,
                                            .rough = true,
                                            .limits = true,
                                            .unknowns = true,
                                            .any_goal = true,
                                            .quantiles = true,
                                            .measured = true};

static void an_added_option_never_hurts(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(5);
    for (int i = 0; i < PROBLEMS; i++) {
        problem *q = problem_random(&r, &law_options);
        int64_t all = optimum(q);
        size_t n_codecs = q->p.n_codecs;
        q->p.n_codecs = 1;
        assert_true(all <= optimum(q));
        q->p.n_codecs = n_codecs;
        q->p.hops[q->p.n_devices - 2].up = false;
        assert_true(all <= optimum(q));
        problem_free(q);
    }
}

static void more_bandwidth_never_costs_more(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(6);
    for (int i = 0; i < PROBLEMS; i++) {
        problem *q = problem_random(&r, &law_options);
        int64_t slow = optimum(q);
        for (size_t k = 0; k + 1 < q->p.n_devices; k++) {
            clv_plan_hop *h = &q->p.hops[k];
            h->up_ps_per_byte = 1 + problem_below(&r, h->up_ps_per_byte);
            h->down_ps_per_byte = 1 + problem_below(&r, h->down_ps_per_byte);
        }
        assert_true(optimum(q) <= slow);
        problem_free(q);
    }
}

static void a_loosened_limit_never_hurts(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(7);
    for (int i = 0; i < PROBLEMS; i++) {
        problem *q = problem_random(&r, &law_options);
        int64_t tight = optimum(q);
        q->p.limits = clv_plan_no_limits;
        assert_true(optimum(q) <= tight);
        problem_free(q);
    }
}

/* A unit that takes no time, is behind the last one, and makes what the last one made. */
static void a_unit_that_costs_nothing_changes_nothing(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(8);
    problem_options o = {.units_max = 6, .devices_max = 3, .sums = true, .chain = true};
    for (int i = 0; i < PROBLEMS; i++) {
        problem *q = problem_random(&r, &o);
        int64_t before = optimum(q);
        int last = (int)q->graph->n_tensors - 1;
        int made = add_next(q->graph, &last, 1);
        problem_size_tensor(&q->graph->tensors[made], (int64_t)q->graph->tensors[last].bytes / 4);
        q->graph->tensors[made].is_output = true;
        q->graph->tensors[last].is_output = false;
        clv_cuts_free(q->cuts);
        clv_error err = {0};
        assert_ok(clv_cuts_enumerate(q->graph, CLV_CUTS_CAP, &q->cuts, &err), err);
        q->p.cuts = q->cuts;
        for (size_t d = 0; d < q->p.n_devices; d++) {
            for (size_t k = 0; k < 3; k++) {
                clv_plan_time *t = q->times[d][k] = realloc(q->times[d][k], q->cuts->n * sizeof *t);
                memset(t, 0, q->cuts->n * sizeof *t);
                for (size_t c = 0; c < q->cuts->n; c++)
                    for (size_t u = 0; u + 1 < q->graph->n_units; u++)
                        if ((k == 1) != clv_cut_has(&q->cuts->items[c], (int)u))
                            t[c].ns += q->unit_ns[d][u];
            }
            q->p.devices[d].prefix = q->times[d][0];
            q->p.devices[d].suffix = q->times[d][1];
            q->p.devices[d].progress = q->times[d][2];
        }
        assert_int_equal(optimum(q), before);
        problem_free(q);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_problem_finds_its_planner_and_its_optimum),
        cmocka_unit_test(units_may_return_by_the_minimum_cut),
        cmocka_unit_test(all_planners_agree_where_all_are_exact),
        cmocka_unit_test(scaling_all_times_keeps_the_plan),
        cmocka_unit_test(an_added_option_never_hurts),
        cmocka_unit_test(more_bandwidth_never_costs_more),
        cmocka_unit_test(a_loosened_limit_never_hurts),
        cmocka_unit_test(a_unit_that_costs_nothing_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
