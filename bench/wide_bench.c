/* How long planner D takes where the ideals pass the cap, or units may return: minimum cuts on made-up wide networks.
 *
 *     wide_bench ROUNDS [MODELS NETWORK...]
 *
 * Networks are blocks one behind the other, each some branches of one length and a unit that joins
 * them; and one where each unit reads two of the last twelve tensors. The times are made up, the
 * edge eight times slower; the link is 190 Mbit/s with 20 ms. Each row is a network, a goal and a
 * form of the gadgets: the median time of one plan, which includes making the flow network, and the
 * gap that is stated. What the cuts' list holds has no part in it. A NETWORK is a name in the
 * repository MODELS, or the path of any model: its own graph, the times of units by their
 * multiply-accumulates and of segments as sums, so that planner A, over all its ideals, must find
 * the same; `a_us` is A's time.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/stats.h"
#include "bench.h"
#include "engine/ort.h"
#include "plan/planners.h"
#include "repo/locate.h"
#include "repo/network.h"

#include <string.h>

enum { ROUNDS_MAX = 101, EDGE_SLOW = 8 };

typedef struct network {
    const char *name;
    int blocks, branches, length; /* branches 0: each unit reads two of the last `length` tensors */
} network;

static const network networks[] = {
    {"20 branches of 3", 1, 20, 3},     {"20 branches of 20", 1, 20, 20},
    {"two of the last 12", 600, 0, 12}, {"60 branches of 60", 1, 60, 60},
    {"100 blocks of 5 x 7", 100, 5, 7}, {"a chain of 4096", 1, 1, 4094},
};

static int add_tensor(clv_graph *g, int producer, size_t bytes)
{
    int t = (int)g->n_tensors++;
    g->tensors[t] = (clv_graph_tensor){.name = clv_format("t%d", t),
                                       .dtype = CLV_F32,
                                       .shape = clv_shape_of(2, 1, (int)bytes / 4),
                                       .bytes = bytes,
                                       .producer = producer,
                                       .is_input = producer == CLV_NO_UNIT};
    return t;
}

static int add_unit(clv_graph *g, const int *inputs, size_t n, clv_rng *r)
{
    int u = (int)g->n_units++;
    clv_unit *unit = &g->units[u];
    unit->name = clv_format("u%d", u);
    unit->op = clv_strdup("Made");
    unit->inputs = clv_alloc_array(n, sizeof *unit->inputs);
    unit->outputs = clv_alloc_array(1, sizeof *unit->outputs);
    for (size_t i = 0; i < n; i++) {
        clv_graph_tensor *in = &g->tensors[inputs[i]];
        unit->inputs[unit->n_inputs++] = inputs[i];
        if (in->n_consumers && in->consumers[in->n_consumers - 1] == u) continue;
        in->consumers = realloc(in->consumers, (in->n_consumers + 1) * sizeof *in->consumers);
        bench_need(in->consumers, "out of memory");
        in->consumers[in->n_consumers++] = u;
    }
    return unit->outputs[unit->n_outputs++] =
               add_tensor(g, u, 4 * (1000 + clv_rng_below(r, 50000)));
}

static int add_block(clv_graph *g, int at, const network *n, clv_rng *r)
{
    int ends[64];
    at = add_unit(g, &at, 1, r);
    for (int b = 0; b < n->branches; b++) {
        ends[b] = at;
        for (int i = 0; i < n->length; i++) ends[b] = add_unit(g, &ends[b], 1, r);
    }
    return add_unit(g, ends, (size_t)n->branches, r);
}

static clv_graph *made(const network *n, clv_rng *r)
{
    clv_graph *g = clv_alloc(sizeof *g);
    g->units = clv_alloc_array(CLV_UNITS_MAX, sizeof *g->units);
    g->tensors = clv_alloc_array(CLV_GRAPH_TENSORS_MAX, sizeof *g->tensors);
    int at = add_tensor(g, CLV_NO_UNIT, 602112);
    for (int b = 0; b < n->blocks; b++) {
        size_t last = CLV_MIN(g->n_tensors, (size_t)n->length);
        int two[2] = {(int)(g->n_tensors - 1 - clv_rng_below(r, last)),
                      (int)(g->n_tensors - 1 - clv_rng_below(r, last))};
        at = n->branches ? add_block(g, at, n, r) : add_unit(g, two, 2, r);
    }
    g->tensors[at].is_output = true;
    g->tensors[at].bytes = 4000;
    return g;
}

static clv_plan_problem problem_of(const clv_graph *g, const clv_cuts *cuts, int64_t *unit_ns[2],
                                   clv_rng *r)
{
    clv_plan_problem p = {
        .graph = g, .cuts = cuts, .n_devices = 2, .codecs = &clv_plan_raw, .n_codecs = 1};
    p.limits = clv_plan_no_limits;
    p.hops[0] = (clv_plan_hop){
        .up = true, .up_ps_per_byte = 42000, .down_ps_per_byte = 42000, .rtt_ns = 20000000};
    for (size_t u = 0; u < g->n_units; u++) {
        unit_ns[0][u] = 100000 + (int64_t)clv_rng_below(r, 1000000);
        unit_ns[1][u] = unit_ns[0][u] / EDGE_SLOW;
    }
    for (size_t d = 0; d < 2; d++)
        p.devices[d] = (clv_plan_device){
            .name = "device", .unit_ns = unit_ns[d], .memory_bytes_max = CLV_PLAN_NO_LIMIT};
    return p;
}

typedef clv_status planner(const clv_plan_problem *p, clv_planner_answer *out, clv_error *err);

/* The median time of a plan, and the answer, whose unit_device the caller frees. */
static double time_plans(planner *plan, const clv_plan_problem *p, int rounds,
                         clv_planner_answer *a)
{
    double us[ROUNDS_MAX];
    a->unit_device = NULL;
    for (int i = 0; i < rounds; i++) {
        clv_error err = {0};
        clv_free(&a->unit_device);
        int64_t before = clv_now_ns();
        bench_check(plan(p, a, &err), &err);
        us[i] = (double)(clv_now_ns() - before) / 1000;
    }
    return clv_median(us, (size_t)rounds);
}

static json_t *row_of(const char *name, const clv_plan_problem *p, const clv_planner_answer *a,
                      double us)
{
    size_t away = 0;
    for (size_t u = 0; u < p->graph->n_units; u++) away += a->unit_device[u];
    bool proven = a->bound == INT64_MIN;
    return json_pack("{s:s, s:I, s:I, s:s, s:b, s:f, s:I, s:f}", "network", name, "units",
                     (json_int_t)p->graph->n_units, "away", (json_int_t)away, "goal",
                     p->objective.goal == CLV_GOAL_LATENCY ? "latency" : "throughput", "returns",
                     p->may_return, "plan_us", us, "augmentations", (json_int_t)a->considered,
                     "gap", proven ? 0 : (double)a->cost.score / (double)a->bound - 1);
}

static void measure_made(const network *n, clv_rng *r, int rounds)
{
    clv_graph *g = made(n, r);
    clv_cuts few = {0};
    int64_t *unit_ns[2];
    for (size_t d = 0; d < 2; d++) unit_ns[d] = clv_alloc_array(g->n_units, sizeof *unit_ns[d]);
    clv_plan_problem p = problem_of(g, &few, unit_ns, r);
    for (int form = 0; form < 4; form++) {
        clv_planner_answer a;
        p.may_return = form & 1;
        p.objective.goal = form & 2 ? CLV_GOAL_THROUGHPUT : CLV_GOAL_LATENCY;
        double us = time_plans(clv_plan_min_cut, &p, rounds, &a);
        bench_row(row_of(n->name, &p, &a, us));
        free(a.unit_device);
    }
    for (size_t d = 0; d < 2; d++) free(unit_ns[d]);
    clv_graph_free(g);
}

/* Times by work, and segments that are sums of them. */
static void give_times(clv_plan_problem *p, int64_t *unit_ns[2], clv_plan_time *times[2][2])
{
    const clv_graph *g = p->graph;
    for (size_t u = 0; u < g->n_units; u++) {
        unit_ns[1][u] = 2000 + (int64_t)(g->units[u].macs / 10);
        unit_ns[0][u] = EDGE_SLOW * unit_ns[1][u];
    }
    for (size_t d = 0; d < 2; d++) {
        for (size_t c = 0; c < p->cuts->n; c++)
            for (size_t u = 0; u < g->n_units; u++)
                times[d][!clv_cut_has(&p->cuts->items[c], (int)u)][c].ns += unit_ns[d][u];
        p->devices[d].prefix = times[d][0];
        p->devices[d].suffix = times[d][1];
    }
}

static void measure_real(const char *name, const clv_network *net, clv_rng *r, int rounds)
{
    const clv_graph *g = clv_network_graph(net);
    const clv_cuts *cuts = clv_network_cuts(net);
    int64_t *unit_ns[2];
    clv_plan_time *times[2][2];
    for (size_t d = 0; d < 2; d++) {
        unit_ns[d] = clv_alloc_array(g->n_units, sizeof *unit_ns[d]);
        for (size_t i = 0; i < 2; i++) times[d][i] = clv_alloc_array(cuts->n, sizeof *times[d][i]);
    }
    clv_plan_problem p = problem_of(g, cuts, unit_ns, r);
    give_times(&p, unit_ns, times);
    p.hops[0].up_ps_per_byte = 420000; /* 19 Mbit/s: neither side alone is the best */
    for (int goal = 0; goal < 2; goal++) {
        clv_planner_answer d, a;
        p.objective.goal = goal ? CLV_GOAL_THROUGHPUT : CLV_GOAL_LATENCY;
        double us = time_plans(clv_plan_min_cut, &p, rounds, &d);
        json_t *row = row_of(name, &p, &d, us);
        us = time_plans(clv_plan_one_cut, &p, rounds, &a);
        json_object_set_new(row, "ideals", json_integer((json_int_t)cuts->n));
        json_object_set_new(row, "a_us", json_real(us));
        json_object_set_new(row, "over_a",
                            json_real((double)d.cost.score / (double)a.cost.score - 1));
        bench_row(row);
        free(d.unit_device);
    }
    for (size_t d = 0; d < 2; d++) {
        free(unit_ns[d]);
        for (size_t i = 0; i < 2; i++) free(times[d][i]);
    }
}

static void measure_models(char **args, int n, int rounds)
{
    clv_error err = {0};
    clv_engine *engine;
    clv_rng r = clv_rng_seeded(1);
    bench_check(clv_ort_engine_new(&(clv_ort_options){.threads = 1}, &engine, &err), &err);
    for (int i = 1; i < n; i++) {
        clv_located at;
        clv_network *net;
        const char *slash = strrchr(args[i], '/');
        bench_check(clv_locate(args[i], args[0], &at, &err), &err);
        bench_check(clv_network_open(at.path, engine, &(clv_network_options){0}, &net, &err), &err);
        measure_real(slash && slash[1] ? slash + 1 : args[i], net, &r, rounds);
        clv_network_unref(net);
        clv_located_done(&at);
    }
    clv_engine_free(engine);
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    bench_need(rounds > 0 && rounds <= ROUNDS_MAX,
               "usage: wide_bench ROUNDS [MODELS NETWORK...], ROUNDS 1 to 101");
    for (size_t i = 0; i < CLV_COUNT(networks); i++) {
        clv_rng r = clv_rng_seeded(i + 1);
        measure_made(&networks[i], &r, (int)rounds);
    }
    if (argc > 2) measure_models(argv + 2, argc - 2, (int)rounds);
    return 0;
}
