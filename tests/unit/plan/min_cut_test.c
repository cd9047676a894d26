#include "placements.h"
#include "plan/planners.h"
#include "unit.h"

enum { PROBLEMS = CASES(10000) };

static void drop_sums_limits(problem *q)
{
    q->p.limits.deadline_ns = q->p.limits.energy_nj = q->p.limits.price_pm = CLV_PLAN_NO_LIMIT;
    for (size_t d = 0; d < 2; d++) q->p.devices[d].memory_bytes_max = CLV_PLAN_NO_LIMIT;
}

static problem *linear_problem(clv_rng *r, const problem_options *o, bool returns)
{
    problem *q = problem_random(r, o);
    drop_sums_limits(q); /* pins, privacy and accuracy stay */
    q->p.may_return = returns;
    q->p.hops[0].up = !problem_chance(r, 5);
    if (q->p.objective.goal == CLV_GOAL_THROUGHPUT) q->p.objective.goal = CLV_GOAL_LATENCY;
    if (o->rough && problem_chance(r, 60)) placements_favour_sharing(q);
    return q;
}

static unsigned away_of(const problem *q, const uint8_t *unit_device)
{
    unsigned away = 0;
    for (size_t u = 0; u < q->graph->n_units; u++) away |= (unsigned)unit_device[u] << u;
    return away;
}

static void assert_cost(const clv_plan_cost *a, const naive_cost *b)
{
    assert_int_equal(a->total.ns, b->ns);
    assert_int_equal(a->total.var_us2, b->var_us2);
    assert_int_equal(a->total.nj, b->nj);
    assert_int_equal(a->total.pm, b->pm);
    assert_int_equal(a->total.drop_ppm, b->drop_ppm);
    assert_int_equal(a->latency_ns, b->latency_ns);
    assert_int_equal(a->period_ns, b->period_ns);
    assert_int_equal(a->wire_bytes, b->wire_bytes);
    assert_int_equal(a->score, b->score);
}

/* Returns whether the answer uses both devices. */
static bool assert_best(const problem *q)
{
    placements *all = placements_new(q);
    placement best = {0};
    bool feasible = placements_best(all, &best), mixed = false;
    clv_planner_answer a;
    clv_error err = {0};
    clv_status s = clv_plan_min_cut(&q->p, &a, &err);
    assert_int_equal(s, feasible ? CLV_OK : CLV_EINFEASIBLE);
    if (feasible) {
        unsigned away = away_of(q, a.unit_device);
        assert_true(placement_legal(all, away));
        assert_int_equal(a.cost.score, best.cost.score);
        assert_int_equal(a.cost.wire_bytes, best.cost.wire_bytes);
        naive_cost own = placement_cost(all, away, a.chain.codec[0]);
        assert_cost(&a.cost, &own);
        assert_true(a.bound == INT64_MIN);
        mixed = away && away != (1u << q->graph->n_units) - 1;
        free(a.unit_device);
    }
    free(all);
    return mixed;
}

static void assert_all_best(uint64_t seed, bool returns)
{
    problem_options o = {.sums = true, .rough = true, .limits = true, .any_goal = true};
    clv_rng r = clv_rng_seeded(seed);
    int mixed = 0;
    for (int i = 0; i < PROBLEMS; i++) {
        o.measured = i % 4 == 0;
        problem *q = linear_problem(&r, &o, returns);
        mixed += assert_best(q);
        problem_free(q);
    }
    print_message("both devices in %d of %d answers\n", mixed, PROBLEMS);
    assert_true(mixed > PROBLEMS / 10);
}

static void no_placement_without_return_is_better(void **state)
{
    (void)state;
    assert_all_best(31, false);
}

static void no_placement_with_return_is_better(void **state)
{
    (void)state;
    assert_all_best(32, true);
}

/* Where nothing is rounded, sums of units are what the chain of segments costs. */
static void a_chain_costs_what_its_segments_cost(void **state)
{
    (void)state;
    const problem_options o = {.sums = true, .any_goal = true};
    clv_rng r = clv_rng_seeded(33);
    int compared = 0;
    for (int i = 0; i < CASES(3000); i++) {
        problem *q = linear_problem(&r, &o, false);
        clv_planner_answer a;
        clv_error err = {0};
        q->p.hops[0].up = true;
        assert_ok(clv_plan_min_cut(&q->p, &a, &err), err);
        naive_placement chain = {.codec = {a.chain.codec[0]}}, best;
        for (size_t u = 0; u < q->graph->n_units; u++) chain.device[u] = a.unit_device[u];
        int cut = naive_cut(q, chain.device, 0);
        assert_int_equal(a.chain.cut[0], cut);
        assert_int_equal(a.chain.cut[1], cut < 0 ? CLV_PLAN_NO_CUT : (int)q->cuts->n - 1);
        if (cut >= 0) { /* else the problem's cuts count it as a larger one */
            naive_weigh(q, &chain);
            assert_cost(&a.cost, &chain.cost);
            compared++;
        }
        assert_true(naive_solve(q, &best));
        assert_true(a.cost.score <= best.cost.score);
        if (cut >= 0) assert_int_equal(a.cost.score, best.cost.score);
        free(a.unit_device);
        problem_free(q);
    }
    assert_true(compared > CASES(2000));
}

/* The mistake of charging each edge: the least placement by such sums, weighed rightly. */
static int64_t by_edges(const placements *all, unsigned away, int codec)
{
    int64_t ns = placement_cost(all, away, codec).ns;
    for (size_t t = 0; t < all->n_tensors; t++) {
        int readers = __builtin_popcount(all->read[t] & away);
        if (all->made[t] & away || readers < 2) continue;
        const placed_part *up = &all->up[codec][t];
        ns += (readers - 1) * (up->work[0] + up->work[1] + up->up_ns);
    }
    return ns;
}

static void charging_each_edge_would_be_wrong(void **state)
{
    (void)state;
    const problem_options o = {.sums = true, .rough = true, .codecs_max = 1};
    clv_rng r = clv_rng_seeded(34);
    int wrong = 0;
    for (int i = 0; i < CASES(1000); i++) {
        problem *q = linear_problem(&r, &o, false);
        placements *all = placements_new(q);
        placement best;
        assert_true(placements_best(all, &best));
        unsigned choice = 0;
        for (unsigned away = 1; away < 1u << all->n_units; away++)
            if (placement_legal(all, away) && by_edges(all, away, 0) < by_edges(all, choice, 0))
                choice = away;
        wrong += placement_cost(all, choice, 0).score > best.cost.score;
        free(all);
        problem_free(q);
    }
    print_message("charging each edge misses the best in %d of %d\n", wrong, CASES(1000));
    assert_true(wrong > CASES(20));
}

/* x -> fork -> `k` chains of `m` units -> join, on an edge that is slow but starts at the input. */
typedef struct wide {
    clv_graph *graph;
    clv_cuts *cuts;
    int64_t *unit_ns[2];
    clv_plan_time *zero;
    clv_plan_problem p;
} wide;

static wide wide_problem(int k, int m)
{
    wide w = {.graph = graph_new()};
    int ends[64], x = add_input(w.graph, "x");
    int fork = add_next(w.graph, &x, 1);
    for (int i = 0; i < k; i++) ends[i] = add_chain(w.graph, fork, m);
    w.graph->tensors[add_next(w.graph, ends, (size_t)k)].is_output = true;
    clv_error err = {0};
    assert_ok(clv_cuts_enumerate(w.graph, CLV_CUTS_CAP, &w.cuts, &err), err);
    for (size_t d = 0; d < 2; d++)
        w.unit_ns[d] = clv_alloc_array(w.graph->n_units, sizeof *w.unit_ns[d]);
    w.zero = clv_alloc_array(w.cuts->n, sizeof *w.zero);
    w.p = (clv_plan_problem){.graph = w.graph, .cuts = w.cuts, .n_devices = 2};
    w.p.codecs = &clv_plan_raw;
    w.p.n_codecs = 1;
    w.p.limits = clv_plan_no_limits;
    w.p.hops[0] = (clv_plan_hop){.up = true, .up_ps_per_byte = 1000, .down_ps_per_byte = 1000};
    for (size_t d = 0; d < 2; d++)
        w.p.devices[d] = (clv_plan_device){.name = "device",
                                           .prefix = w.zero,
                                           .suffix = w.zero,
                                           .unit_ns = w.unit_ns[d],
                                           .memory_bytes_max = CLV_PLAN_NO_LIMIT};
    return w;
}

static void wide_done(wide *w)
{
    clv_graph_free(w->graph);
    clv_cuts_free(w->cuts);
    free(w->unit_ns[0]);
    free(w->unit_ns[1]);
    free(w->zero);
}

/* Every branch has its own best place for the cut: the tensor behind its unit `i % 3` is small. The
 * problem's cuts, capped, have no such ideal, so only sums can find it. */
static void a_graph_with_too_many_ideals_is_planned(void **state)
{
    (void)state;
    enum { BRANCHES = 20, LENGTH = 3 };
    wide w = wide_problem(BRANCHES, LENGTH);
    assert_true(w.cuts->capped);
    for (size_t u = 0; u < w.graph->n_units; u++) {
        w.unit_ns[0][u] = 1000;
        w.unit_ns[1][u] = 10;
    }
    for (size_t t = 0; t < w.graph->n_tensors; t++) w.graph->tensors[t].bytes = 100000;
    unsigned want[BRANCHES];
    for (size_t i = 0; i < BRANCHES; i++) {
        want[i] = i % LENGTH;
        w.graph->tensors[w.graph->units[1 + i * LENGTH + want[i]].outputs[0]].bytes = 100;
    }
    w.graph->tensors[w.graph->n_tensors - 1].bytes = 100; /* the answer */
    clv_planner_answer a;
    clv_error err = {0};
    assert_ok(clv_plan_min_cut(&w.p, &a, &err), err);
    assert_int_equal(a.chain.cut[0], CLV_PLAN_NO_CUT);
    assert_int_equal(a.unit_device[0], 0);
    for (size_t i = 0; i < BRANCHES; i++)
        for (size_t k = 0; k < LENGTH; k++)
            assert_int_equal(a.unit_device[1 + i * LENGTH + k], k > want[i]);
    assert_int_equal(a.unit_device[w.graph->n_units - 1], 1);
    assert_true(a.bound == INT64_MIN);
    free(a.unit_device);
    wide_done(&w);
}

/* A unit in the middle that must run away: without return the rest must follow it, with return the
 * rest comes home if the way down is worth it. */
static void a_return_is_taken_when_it_pays(void **state)
{
    (void)state;
    wide w = wide_problem(1, 3); /* units 0 fork, 1, 2, 3, 4 join; tensor u + 1 is made by unit u */
    uint8_t may[] = {255, 255, 2, 255, 255};
    w.p.limits.unit_devices = may;
    for (size_t u = 0; u < 5; u++) {
        w.unit_ns[0][u] = 10;
        w.unit_ns[1][u] = 1000;
    }
    for (size_t t = 0; t < w.graph->n_tensors; t++) w.graph->tensors[t].bytes = 100;
    clv_planner_answer a;
    clv_error err = {0};
    assert_ok(clv_plan_min_cut(&w.p, &a, &err), err);
    assert_memory_equal(a.unit_device, ((uint8_t[]){0, 0, 1, 1, 1}), 5);
    assert_int_equal(a.cost.total.ns, 20 + 3000 + 200);
    free(a.unit_device);
    w.p.may_return = true;
    assert_ok(clv_plan_min_cut(&w.p, &a, &err), err);
    assert_memory_equal(a.unit_device, ((uint8_t[]){0, 0, 1, 0, 0}), 5);
    assert_int_equal(a.cost.total.ns, 40 + 1000 + 200);
    assert_int_equal(a.chain.cut[0], CLV_PLAN_NO_CUT);
    free(a.unit_device);
    w.graph->tensors[3].bytes = 2500; /* coming home there costs more than staying */
    w.graph->tensors[4].bytes = 2500;
    assert_ok(clv_plan_min_cut(&w.p, &a, &err), err);
    assert_memory_equal(a.unit_device, ((uint8_t[]){0, 0, 1, 1, 1}), 5);
    free(a.unit_device);
    wide_done(&w);
}

static void what_has_no_shape_does_not_cross(void **state)
{
    (void)state;
    wide w = wide_problem(2, 1); /* units 0 fork, 1 and 2, 3 join */
    for (size_t u = 0; u < 4; u++) w.unit_ns[0][u] = 1000;
    for (size_t t = 0; t < w.graph->n_tensors; t++) w.graph->tensors[t].bytes = 10;
    w.graph->tensors[0].bytes = 1000000;
    clv_planner_answer a;
    clv_error err = {0};
    for (int returns = 0; returns < 2; returns++) {
        w.p.may_return = returns;
        w.graph->tensors[1].shape.rank = 4;
        assert_ok(clv_plan_min_cut(&w.p, &a, &err), err);
        assert_memory_equal(a.unit_device, ((uint8_t[]){0, 1, 1, 1}), 4);
        free(a.unit_device);
        w.graph->tensors[1].shape.rank = -1; /* what the fork makes */
        assert_ok(clv_plan_min_cut(&w.p, &a, &err), err);
        assert_memory_equal(a.unit_device, ((uint8_t[]){0, 0, 0, 1}), 4);
        free(a.unit_device);
    }
    wide_done(&w);
}

/* All at its largest, for every goal and with limits: sums end below what would overflow. */
static void the_largest_numbers_are_planned(void **state)
{
    (void)state;
    wide w = wide_problem(8, 12);
    clv_plan_hop *h = &w.p.hops[0];
    *h = (clv_plan_hop){.up = true,
                        .up_ps_per_byte = CLV_PLAN_PS_MAX,
                        .down_ps_per_byte = CLV_PLAN_PS_MAX,
                        .rtt_ns = CLV_PLAN_NS_MAX,
                        .rtt_var_us2 = CLV_PLAN_VAR_MAX,
                        .up_rel_ppm = 1000000,
                        .overhead_ns = CLV_PLAN_NS_MAX,
                        .tx_mw = CLV_PLAN_MW_MAX,
                        .up_pj_per_byte = CLV_PLAN_PS_MAX,
                        .up_pm_per_byte = CLV_PLAN_PRICE_MAX};
    for (size_t d = 0; d < 2; d++) {
        for (size_t u = 0; u < w.graph->n_units; u++)
            w.unit_ns[d][u] = CLV_PLAN_NS_MAX - (int64_t)u;
        w.p.devices[d].queue_ns = CLV_PLAN_NS_MAX;
        w.p.devices[d].active_mw = w.p.devices[d].idle_mw = CLV_PLAN_MW_MAX;
        w.p.devices[d].price_pm_per_s = CLV_PLAN_PRICE_MAX;
    }
    for (size_t t = 0; t < w.graph->n_tensors; t++) w.graph->tensors[t].bytes = (size_t)1 << 40;
    for (int i = 0; i < 4 * CLV_GOAL_COUNT; i++) {
        clv_planner_answer a;
        clv_error err = {0};
        w.p.may_return = i & 1;
        w.p.limits.energy_nj = i & 2 ? INT64_MAX - 1 : CLV_PLAN_NO_LIMIT;
        w.p.objective = (clv_plan_objective){.goal = (clv_plan_goal)(i / 4),
                                             .quantile_ppm = i & 2 ? 999999 : 0,
                                             .second_weight = CLV_PLAN_WEIGHT_MAX,
                                             .joule_weight = CLV_PLAN_WEIGHT_MAX,
                                             .money_weight = CLV_PLAN_WEIGHT_MAX};
        assert_ok(clv_plan_min_cut(&w.p, &a, &err), err);
        assert_true(a.cost.score > 0 && a.bound <= a.cost.score);
        free(a.unit_device);
    }
    wide_done(&w);
}

static void what_it_cannot_plan_is_refused(void **state)
{
    (void)state;
    wide w = wide_problem(1, 1);
    clv_planner_answer a;
    clv_error err = {0};
    w.p.devices[1].unit_ns = NULL;
    assert_int_equal(clv_plan_min_cut(&w.p, &a, &err), CLV_EUNSUPPORTED);
    w.p.devices[1].unit_ns = w.unit_ns[1];
    w.p.n_devices = 3;
    assert_int_equal(clv_plan_min_cut(&w.p, &a, &err), CLV_EUNSUPPORTED);
    wide_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_placement_without_return_is_better),
        cmocka_unit_test(no_placement_with_return_is_better),
        cmocka_unit_test(a_chain_costs_what_its_segments_cost),
        cmocka_unit_test(charging_each_edge_would_be_wrong),
        cmocka_unit_test(a_graph_with_too_many_ideals_is_planned),
        cmocka_unit_test(a_return_is_taken_when_it_pays),
        cmocka_unit_test(what_has_no_shape_does_not_cross),
        cmocka_unit_test(the_largest_numbers_are_planned),
        cmocka_unit_test(what_it_cannot_plan_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
