#include "plan/bounds.h"

#include "plan/plan.h"
#include "problems.h"
#include "unit.h"

enum { PROBLEMS = CASES(2000) };

static naive_placement placement_at(const problem *q, size_t cut, size_t codec)
{
    naive_placement m = {.codec = {(int)codec}};
    for (size_t u = 0; u < q->graph->n_units; u++)
        m.device[u] = !clv_cut_has(&q->cuts->items[cut], (int)u);
    naive_weigh(q, &m);
    return m;
}

/* The least score of a cut over its codecs; INT64_MAX: none is known and keeps the limits. */
static int64_t least_score(const problem *q, size_t cut)
{
    int64_t least = INT64_MAX;
    for (size_t k = 0; k < q->p.n_codecs; k++) {
        naive_placement m = placement_at(q, cut, k);
        if (m.cost.known && naive_keeps(q, &m) && m.cost.score < least) least = m.cost.score;
    }
    return least;
}

/* The same by the planner's own sums, which end where the naive ones overflow. */
static int64_t least_weighed(const problem *q, size_t cut)
{
    int64_t least = INT64_MAX;
    for (size_t k = 0; k < q->p.n_codecs; k++) {
        clv_plan_chain chain = {.cut = {(int)cut, (int)q->cuts->n - 1}, .codec = {(int)k}};
        clv_plan_cost cost;
        clv_error err = {0};
        assert_ok(clv_plan_weigh(&q->p, &chain, &cost, &err), err);
        least = CLV_MIN(least, cost.score);
    }
    return least;
}

/* A score's parts are rounded up, some tens of them. */
static double rounding(const clv_plan_objective *o)
{
    if (o->goal != CLV_GOAL_WEIGHTED) return 100;
    return 1e5 * (double)(o->second_weight + o->joule_weight + o->money_weight);
}

typedef struct seen {
    int compared, close, left_out;
} seen;

static void compare(const problem *q, int64_t (*least_of)(const problem *, size_t), seen *sum)
{
    if (!q->p.hops[0].up) return;
    int64_t *bounds = clv_alloc_array(q->cuts->n, sizeof *bounds);
    clv_bounds_make(&q->p, bounds);
    assert_true(bounds[q->cuts->n - 1] == CLV_PLAN_UNKNOWN);
    for (size_t i = 0; i + 1 < q->cuts->n; i++) {
        int64_t least = least_of(q, i);
        if (bounds[i] == CLV_PLAN_UNKNOWN) assert_true(least == INT64_MAX);
        sum->left_out += bounds[i] == CLV_PLAN_UNKNOWN;
        if (least == INT64_MAX) continue;
        assert_true(bounds[i] >= 0 && bounds[i] <= least);
        sum->compared++;
        sum->close +=
            (double)(least - bounds[i]) <= rounding(&q->p.objective) + 0.001 * (double)least;
    }
    free(bounds);
}

static seen compare_random(uint64_t seed, const problem_options *o)
{
    clv_rng r = clv_rng_seeded(seed);
    seen sum = {0};
    for (int i = 0; i < PROBLEMS; i++) {
        problem *q = problem_random(&r, o);
        compare(q, least_score, &sum);
        problem_free(q);
    }
    assert_true(sum.compared > PROBLEMS);
    return sum;
}

static void bounds_are_the_scores_but_for_rounding(void **state)
{
    (void)state;
    problem_options o = {.any_goal = true, .rough = true, .measured = true};
    seen sum = compare_random(1, &o);
    assert_int_equal(sum.left_out, 0);
    /* Not quite all: tensors of a few bytes are coded into whole bytes. */
    assert_true(sum.close > sum.compared * 9 / 10);
}

static void no_cut_that_keeps_the_limits_is_left_out(void **state)
{
    (void)state;
    problem_options o = {.any_goal = true,
                         .quantiles = true,
                         .rough = true,
                         .measured = true,
                         .limits = true,
                         .unknowns = true};
    seen sum = compare_random(2, &o);
    assert_true(sum.left_out > PROBLEMS);
}

/* Every number as large as it may be: parts end at a number below what doubles make of them. */
static void huge_problems_are_bounded_too(void **state)
{
    (void)state;
    problem_options o = {.any_goal = true, .rough = true};
    clv_rng r = clv_rng_seeded(3);
    for (int i = 0; i < 50; i++) {
        seen sum = {0};
        problem *q = problem_random(&r, &o);
        clv_plan_hop *h = &q->p.hops[0];
        h->up_ps_per_byte = h->down_ps_per_byte = h->up_pj_per_byte = CLV_PLAN_PS_MAX;
        h->tx_mw = h->rx_mw = q->p.devices[0].idle_mw = q->p.devices[1].active_mw = CLV_PLAN_MW_MAX;
        h->up_pm_per_byte = h->down_pm_per_byte = CLV_PLAN_PRICE_MAX;
        h->rtt_ns = q->p.devices[1].queue_ns = CLV_PLAN_NS_MAX;
        compare(q, least_weighed, &sum);
        assert_true(sum.compared > 0);
        problem_free(q);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_are_the_scores_but_for_rounding),
        cmocka_unit_test(no_cut_that_keeps_the_limits_is_left_out),
        cmocka_unit_test(huge_problems_are_bounded_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
