/* The planner's laws on real networks: their units and cuts as the engine makes them, with made-up
 * times, since laws hold whatever the times are. */
#include "base/file.h"
#include "engine/ort.h"
#include "plan/planners.h"
#include "problems.h"
#include "repo/network.h"
#include "unit.h"
#include "zoo/zoo.h"

enum { DEVICES = 3, CODECS = 4, RATES = 12 };

/* A network and all that a problem of it borrows. */
typedef struct real {
    clv_network *net;
    clv_plan_problem p;
    clv_plan_time *times[DEVICES][3];
    int64_t *unit_ns[DEVICES];
} real;

static const clv_plan_codec codecs[CODECS] = {
    {"raw", 1024, NULL, NULL, {0}, {0}},
    {"f16", 512, NULL, NULL, {400, 200, 100}, {400, 200, 100}},
    {"q8", 256, NULL, NULL, {900, 450, 225}, {700, 350, 175}},
    {"q4", 128, NULL, NULL, {1500, 750, 375}, {1100, 550, 275}},
};

/* A unit's time: its multiply-accumulates, its outputs' bytes, and something of its own. */
static int64_t unit_time(const clv_graph *g, size_t u, size_t device, clv_rng *r)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < g->units[u].n_outputs; i++)
        bytes += (int64_t)g->tensors[g->units[u].outputs[i]].bytes;
    int64_t ns = (int64_t)g->units[u].macs / 4 + bytes / 2 + problem_below(r, 20000);
    return 1 + ns / (device == 0 ? 1 : device == 1 ? 3 : 20);
}

static void fill_times(real *q, size_t d, clv_rng *r)
{
    const clv_graph *g = q->p.graph;
    const clv_cuts *cuts = q->p.cuts;
    q->unit_ns[d] = clv_alloc_array(g->n_units, sizeof *q->unit_ns[d]);
    for (size_t u = 0; u < g->n_units; u++) q->unit_ns[d][u] = unit_time(g, u, d, r);
    for (size_t k = 0; k < 3; k++) {
        q->times[d][k] = clv_alloc_array(cuts->n, sizeof *q->times[d][k]);
        for (size_t c = 0; c < cuts->n; c++)
            for (size_t u = 0; u < g->n_units; u++)
                if ((k == 1) != clv_cut_has(&cuts->items[c], (int)u)) {
                    q->times[d][k][c].ns += q->unit_ns[d][u];
                    q->times[d][k][c].var_us2 += 1 + q->unit_ns[d][u] / 1000000;
                }
    }
}

static real open_real(clv_engine *engine, const char *dir, const char *name)
{
    static const char *const names[DEVICES] = {"edge", "fog", "cloud"};
    const clv_zoo_network *network;
    clv_zoo_facts facts;
    clv_error err = {0};
    clv_rng r = clv_rng_seeded(5);
    real q = {0};
    assert_ok(clv_zoo_find(name, &network, &err), err);
    assert_ok(clv_zoo_write(network, 1, dir, &facts, &err), err);
    assert_ok(clv_network_open(facts.path, engine, &(clv_network_options){0}, &q.net, &err), err);
    clv_zoo_facts_done(&facts);
    q.p = (clv_plan_problem){.graph = clv_network_graph(q.net),
                             .cuts = clv_network_cuts(q.net),
                             .n_devices = 2,
                             .codecs = codecs,
                             .n_codecs = CODECS,
                             .limits = clv_plan_no_limits};
    for (size_t d = 0; d < DEVICES; d++) {
        fill_times(&q, d, &r);
        clv_plan_device *device = &q.p.devices[d];
        *device = (clv_plan_device){.prefix = q.times[d][0],
                                    .suffix = q.times[d][1],
                                    .progress = q.times[d][2],
                                    .unit_ns = q.unit_ns[d],
                                    .queue_ns = 50000,
                                    .active_mw = 4000 << d,
                                    .idle_mw = 1500,
                                    .price_pm_per_s = 30000000 * (int64_t)d,
                                    .memory_bytes_max = CLV_PLAN_NO_LIMIT};
        snprintf(device->name, sizeof device->name, "%s", names[d]);
    }
    for (size_t k = 0; k + 1 < DEVICES; k++)
        q.p.hops[k] = (clv_plan_hop){.up = true,
                                     .up_ps_per_byte = 423729,
                                     .down_ps_per_byte = 423729,
                                     .rtt_ns = 5000000,
                                     .rtt_var_us2 = 250000,
                                     .up_rel_ppm = 100000,
                                     .down_rel_ppm = 100000,
                                     .overhead_ns = 200000,
                                     .tx_mw = 1200,
                                     .rx_mw = 900,
                                     .up_pm_per_byte = 10};
    return q;
}

static void close_real(real *q)
{
    for (size_t d = 0; d < DEVICES; d++) {
        free(q->unit_ns[d]);
        for (size_t k = 0; k < 3; k++) free(q->times[d][k]);
    }
    clv_network_unref(q->net);
}

static int64_t optimum(const clv_plan_problem *p)
{
    clv_error err = {0};
    clv_plan plan;
    assert_ok(clv_plan_solve(p, &plan, &err), err);
    assert_true(plan.gap <= 0);
    clv_plan_done(&plan);
    return plan.cost.score;
}

/* Every cut with every codec, one chain at a time. */
static int64_t weigh_all(const clv_plan_problem *p)
{
    int64_t best = CLV_PLAN_UNKNOWN;
    for (int cut = 0; cut < (int)p->cuts->n; cut++)
        for (int codec = 0; codec < (int)p->n_codecs; codec++) {
            clv_plan_chain chain = {.cut = {cut, (int)p->cuts->n - 1}, .codec = {codec}};
            clv_plan_cost cost;
            clv_error err = {0};
            assert_ok(clv_plan_weigh(p, &chain, &cost, &err), err);
            best = CLV_MIN(best, cost.score);
        }
    return best;
}

static const clv_plan_objective objectives[] = {
    {.goal = CLV_GOAL_LATENCY},
    {.goal = CLV_GOAL_LATENCY, .quantile_ppm = 950000},
    {.goal = CLV_GOAL_ENERGY},
    {.goal = CLV_GOAL_PRICE},
    {.goal = CLV_GOAL_THROUGHPUT},
    {.goal = CLV_GOAL_WEIGHTED, .second_weight = 1000, .joule_weight = 300, .money_weight = 5},
};

static int64_t planner_score(clv_status (*ask)(const clv_plan_problem *, clv_planner_answer *,
                                               clv_error *),
                             const clv_plan_problem *p)
{
    clv_planner_answer a;
    clv_error err = {0};
    assert_ok(ask(p, &a, &err), err);
    assert_true(a.bound == INT64_MIN);
    free(a.unit_device);
    return a.cost.score;
}

static void planners_agree(clv_plan_problem p)
{
    for (size_t i = 0; i < CLV_COUNT(objectives); i++) {
        p.objective = objectives[i];
        int64_t best = optimum(&p);
        assert_int_equal(best, weigh_all(&p));
        if (p.objective.goal == CLV_GOAL_THROUGHPUT)
            assert_int_equal(best, planner_score(clv_plan_pipeline, &p));
        else
            assert_int_equal(best, planner_score(clv_plan_hops, &p));
    }
}

/* The minimum cut rounds unit by unit and tensor by tensor: with times and rates that leave nothing to
 * round it finds what the tables say. */
static void the_minimum_cut_agrees(clv_plan_problem p)
{
    p.n_codecs = 1;
    p.objective = objectives[0];
    for (int64_t ps = 1000; ps <= 10000000; ps *= 10) {
        p.hops[0].up_ps_per_byte = p.hops[0].down_ps_per_byte = ps;
        assert_int_equal(planner_score(clv_plan_min_cut, &p), optimum(&p));
    }
}

static void a_faster_link_never_costs_more(clv_plan_problem p)
{
    for (size_t i = 0; i < CLV_COUNT(objectives); i++) {
        int64_t before = CLV_PLAN_UNKNOWN;
        p.objective = objectives[i];
        for (int rate = 0; rate < RATES; rate++) {
            p.hops[0].up_ps_per_byte = p.hops[0].down_ps_per_byte = (int64_t)64000000 >> (2 * rate);
            p.hops[0].up_ps_per_byte += p.hops[0].up_ps_per_byte == 0;
            p.hops[0].down_ps_per_byte = p.hops[0].up_ps_per_byte;
            int64_t now = optimum(&p);
            assert_true(now <= before);
            before = now;
        }
    }
}

static void an_option_never_costs_more(clv_plan_problem p)
{
    for (size_t i = 0; i < CLV_COUNT(objectives); i++) {
        p.objective = objectives[i];
        int64_t before = CLV_PLAN_UNKNOWN;
        for (p.n_codecs = 1; p.n_codecs <= CODECS; p.n_codecs++) {
            int64_t now = optimum(&p);
            assert_true(now <= before);
            before = now;
        }
        p.n_codecs = CODECS;
        p.hops[0].up = false;
        assert_true(before <= optimum(&p));
        p.hops[0].up = true;
    }
}

/* Three devices can do all that the first two of them can. */
static void a_device_more_never_costs_more_than_one_less(clv_plan_problem p)
{
    clv_plan_problem three = p;
    three.n_devices = 3;
    p.objective = three.objective = objectives[0];
    p.n_codecs = three.n_codecs = 2;
    assert_true(optimum(&three) <= optimum(&p));
}

static void scaling_keeps_the_plan(real *q)
{
    clv_plan_problem p = q->p;
    clv_error err = {0};
    clv_plan before, after;
    p.n_codecs = 1;
    p.hops[0].up_ps_per_byte = p.hops[0].down_ps_per_byte = 423000;
    assert_ok(clv_plan_solve(&p, &before, &err), err);
    for (size_t d = 0; d < 2; d++) {
        p.devices[d].queue_ns *= 3;
        for (size_t c = 0; c < p.cuts->n; c++) {
            q->times[d][0][c].ns *= 3;
            q->times[d][1][c].ns *= 3;
        }
    }
    p.hops[0].up_ps_per_byte *= 3;
    p.hops[0].down_ps_per_byte *= 3;
    p.hops[0].rtt_ns *= 3;
    p.hops[0].overhead_ns *= 3;
    assert_ok(clv_plan_solve(&p, &after, &err), err);
    assert_int_equal(after.chain.cut[0], before.chain.cut[0]);
    assert_int_equal(after.cost.score, 3 * before.cost.score);
    clv_plan_done(&before);
    clv_plan_done(&after);
}

static void laws_hold_on_real_networks(void **state)
{
    (void)state;
    static const char *const names[] = {"lenet", "mobilenet_v2", "resnet18", "googlenet"};
    clv_error err = {0};
    clv_engine *engine;
    char *dir;
    assert_ok(clv_ort_engine_new(&(clv_ort_options){.threads = 1}, &engine, &err), err);
    assert_ok(clv_dir_temp("laws", &dir, &err), err);
    for (size_t i = 0; i < CLV_COUNT(names); i++) {
        real q = open_real(engine, dir, names[i]);
        assert_null(clv_network_uncut_reason(q.net));
        planners_agree(q.p);
        the_minimum_cut_agrees(q.p);
        a_faster_link_never_costs_more(q.p);
        an_option_never_costs_more(q.p);
        a_device_more_never_costs_more_than_one_less(q.p);
        scaling_keeps_the_plan(&q);
        close_real(&q);
    }
    clv_dir_remove(dir);
    free(dir);
    clv_engine_free(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(laws_hold_on_real_networks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
