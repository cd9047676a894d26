#include "plan/sweep.h"

#include "plan/problems.h"
#include "unit.h"

#include <stdlib.h>

/* How far rounded parts may be from the lines. */
static double rounding(const clv_plan_objective *o)
{
    double seconds = 8, joules = 16, money = 16;
    if (o->goal == CLV_GOAL_LATENCY) return seconds;
    if (o->goal != CLV_GOAL_WEIGHTED) return joules;
    return (double)o->second_weight * 1000 * seconds + (double)o->joule_weight * 1000 * joules +
           (double)o->money_weight * money;
}

static const clv_plan_span *span_at(const clv_plan_span *spans, size_t n, double rate)
{
    for (size_t i = 0; i < n; i++)
        if (rate <= spans[i].to_bytes_per_s) return &spans[i];
    return &spans[n - 1];
}

/* The naive solver's best at a rate, and what the span's placement costs there. */
static void agrees_at(problem *q, const clv_plan_span *spans, size_t n, int64_t ps, int64_t ratio,
                      size_t *doubtful)
{
    q->p.hops[0].up_ps_per_byte = ps;
    q->p.hops[0].down_ps_per_byte = ps * ratio;
    naive_placement best;
    bool feasible = naive_solve(q, &best);
    const clv_plan_span *s = span_at(spans, n, 1e12 / (double)ps);
    if (feasible != (s->cut != CLV_PLAN_NO_CUT)) {
        ++*doubtful; /* next to a limit, by rounding */
        return;
    }
    if (!feasible) return;
    naive_placement mine = {0};
    for (size_t u = 0; u < q->graph->n_units; u++)
        mine.device[u] = !clv_cut_has(&q->cuts->items[s->cut], (int)u);
    mine.codec[0] = s->codec < 0 ? 0 : s->codec;
    naive_weigh(q, &mine);
    assert_true(mine.cost.known);
    clv_plan_point at = clv_plan_at_rate(&q->p, s->cut, s->codec, 1e12 / (double)ps);
    assert_float_equal(at.us, (double)mine.cost.ns / 1e3, 0.01);
    assert_float_equal(at.j, (double)mine.cost.nj / 1e9, 16e-9);
    if (!naive_keeps(q, &mine)) {
        ++*doubtful;
        return;
    }
    double slack = rounding(&q->p.objective);
    if ((double)mine.cost.score > (double)best.cost.score + slack)
        fail_msg("cut %d scores %lld, the best %lld", s->cut, (long long)mine.cost.score,
                 (long long)best.cost.score);
}

static void spans_agree_with_brute_force_at_every_rate(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(11);
    size_t doubtful = 0, asked = 0, spans_seen = 0;
    for (int k = 0; k < 1500; k++) {
        problem_options o = {.units_max = 6,
                             .limits = k % 2,
                             .rough = k % 3 == 0,
                             .unknowns = k % 5 == 0,
                             .any_goal = k % 4 > 0};
        problem *q = problem_random(&r, &o);
        int64_t ratio = 1 + (int64_t)clv_rng_below(&r, 4);
        q->p.hops[0].up = true;
        q->p.hops[0].up_ps_per_byte = 1000;
        q->p.hops[0].down_ps_per_byte = 1000 * ratio;
        q->p.objective.quantile_ppm = 0;
        if (q->p.objective.goal == CLV_GOAL_THROUGHPUT) q->p.objective.goal = CLV_GOAL_ENERGY;
        clv_plan_span *spans;
        size_t n;
        clv_error err = {0};
        assert_ok(clv_plan_sweep(&q->p, 1e4, 1e9, &spans, &n, &err), err);
        assert_true(n >= 1);
        spans_seen += n;
        assert_float_equal(spans[0].from_bytes_per_s, 1e4, 1e-5);
        assert_float_equal(spans[n - 1].to_bytes_per_s, 1e9, 1);
        for (size_t i = 1; i < n; i++) {
            assert_float_equal(spans[i].from_bytes_per_s, spans[i - 1].to_bytes_per_s, 0);
            assert_true(spans[i].cut != spans[i - 1].cut || spans[i].codec != spans[i - 1].codec);
        }
        for (int s = 0; s < 8; s++, asked++) {
            double decades = 3 + 5 * clv_rng_unit(&r); /* of picoseconds a byte */
            agrees_at(q, spans, n, llround(pow(10, decades)), ratio, &doubtful);
        }
        free(spans);
        problem_free(q);
    }
    assert_true(spans_seen > 2000);
    if (doubtful * 200 > asked) fail_msg("%zu of %zu rates disagree on limits", doubtful, asked);
}

/* x, m, y: 100 us everywhere, 1000 bytes in, 100 in the middle. */
static problem *narrow_middle(void)
{
    clv_error err = {0};
    problem *q = clv_alloc(sizeof *q);
    q->graph = graph_new();
    int x = add_input(q->graph, "x"), m = add_next(q->graph, &x, 1), y = add_next(q->graph, &m, 1);
    q->graph->tensors[x].bytes = 1000;
    q->graph->tensors[m].bytes = 100;
    q->graph->tensors[y].bytes = 0;
    q->graph->tensors[y].is_output = true;
    assert_ok(clv_cuts_enumerate(q->graph, CLV_CUTS_CAP, &q->cuts, &err), err);
    static const int64_t edge_ns[] = {0, 50000, 155000}, cloud_ns[] = {10000, 5000, 0};
    q->p = (clv_plan_problem){.graph = q->graph,
                              .cuts = q->cuts,
                              .n_devices = 2,
                              .codecs = &clv_plan_raw,
                              .n_codecs = 1,
                              .limits = clv_plan_no_limits};
    for (size_t d = 0; d < 2; d++) {
        for (size_t i = 0; i < 2; i++) q->times[d][i] = clv_alloc_array(3, sizeof *q->times[d][i]);
        for (size_t c = 0; c < 3; c++) {
            q->times[d][0][c].ns = d ? 10000 - cloud_ns[c] : edge_ns[c];
            q->times[d][1][c].ns = d ? cloud_ns[c] : 155000 - edge_ns[c];
        }
        q->p.devices[d] = (clv_plan_device){.name = "d",
                                            .prefix = q->times[d][0],
                                            .suffix = q->times[d][1],
                                            .memory_bytes_max = CLV_PLAN_NO_LIMIT};
    }
    q->p.hops[0] = (clv_plan_hop){.up = true, .up_ps_per_byte = 1, .down_ps_per_byte = 1};
    return q;
}

static void slow_links_keep_the_work_here(void **state)
{
    (void)state;
    problem *q = narrow_middle();
    clv_plan_span *spans;
    size_t n;
    clv_error err = {0};
    assert_ok(clv_plan_sweep(&q->p, 1e4, 1e9, &spans, &n, &err), err);
    assert_int_equal(n, 3);
    assert_int_equal(spans[0].cut, 2);
    assert_int_equal(spans[0].codec, -1);
    assert_int_equal(spans[1].cut, 1);
    assert_int_equal(spans[2].cut, 0);
    /* 55 + 100 x = 155 at x = 1 us a byte; 10 + 1000 x = 55 + 100 x at x = 0.05 */
    assert_float_equal(spans[0].to_bytes_per_s, 1e6, 1);
    assert_float_equal(spans[1].to_bytes_per_s, 2e7, 20);
    assert_float_equal(spans[1].to_us, 60, 1e-9);
    free(spans);
    problem_free(q);
}

static void a_deadline_ends_a_span(void **state)
{
    (void)state;
    problem *q = narrow_middle();
    clv_plan_span *spans;
    size_t n;
    clv_error err = {0};
    q->p.limits.deadline_ns = 85000;
    assert_ok(clv_plan_sweep(&q->p, 1e4, 1e9, &spans, &n, &err), err);
    assert_int_equal(n, 3);
    assert_int_equal(spans[0].cut, CLV_PLAN_NO_CUT); /* 155 us here are too many, … */
    assert_int_equal(spans[1].cut, 1);
    assert_float_equal(spans[1].from_us, 85, 1e-9); /* … and so is 55 + 100 x from x = 0.3 on */
    assert_float_equal(spans[1].from_bytes_per_s, 1e6 / 0.3, 1);
    free(spans);
    problem_free(q);
}

static void what_is_no_line_is_refused(void **state)
{
    (void)state;
    problem *q = narrow_middle();
    clv_plan_span *spans;
    size_t n;
    clv_error err = {0};
    assert_int_equal(clv_plan_sweep(&q->p, 5, 5, &spans, &n, &err), CLV_EINVAL);
    assert_int_equal(clv_plan_sweep(&q->p, 0, 5, &spans, &n, &err), CLV_EINVAL);
    assert_int_equal(clv_plan_sweep(&q->p, (double)NAN, 5, &spans, &n, &err), CLV_EINVAL);
    q->p.objective.quantile_ppm = 950000;
    assert_int_equal(clv_plan_sweep(&q->p, 1, 5, &spans, &n, &err), CLV_EINVAL);
    q->p.objective = (clv_plan_objective){.goal = CLV_GOAL_THROUGHPUT};
    assert_int_equal(clv_plan_sweep(&q->p, 1, 5, &spans, &n, &err), CLV_EINVAL);
    q->p.objective.goal = CLV_GOAL_LATENCY;
    q->p.hops[0].up = false;
    assert_int_equal(clv_plan_sweep(&q->p, 1, 5, &spans, &n, &err), CLV_EINVAL);
    problem_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_agree_with_brute_force_at_every_rate),
        cmocka_unit_test(slow_links_keep_the_work_here),
        cmocka_unit_test(a_deadline_ends_a_span),
        cmocka_unit_test(what_is_no_line_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
