/* How long planner D takes where the ideals pass the cap, or units may return: minimum cuts on made-up wide networks.
 *
 *     wide_bench [ROUNDS]
 *
 * Networks are blocks one behind the other, each some branches of one length and a unit that joins them; and one where each unit reads
 * two of the last twelve tensors. The times are made up, the edge eight times slower; the link is 190 Mbit/s with 20 ms. Each row is a network, a
 * goal and a form of the gadgets: the median time of one plan, which includes making the flow network, and the gap that is stated. What
 * the cuts' list holds has no part in it.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/stats.h"
#include "bench.h"
#include "plan/planners.h"

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

static void measure(const network *n, const clv_plan_problem *p, int rounds)
{
    double us[ROUNDS_MAX];
    clv_planner_answer a = {0};
    for (int i = 0; i < rounds; i++) {
        clv_error err = {0};
        clv_free(&a.unit_device);
        int64_t before = clv_now_ns();
        bench_check(clv_plan_min_cut(p, &a, &err), &err);
        us[i] = (double)(clv_now_ns() - before) / 1000;
    }
    size_t away = 0;
    for (size_t u = 0; u < p->graph->n_units; u++) away += a.unit_device[u];
    bool proven = a.bound == INT64_MIN;
    bench_row(json_pack("{s:s, s:I, s:I, s:s, s:b, s:f, s:I, s:f}", "network", n->name, "units",
                        (json_int_t)p->graph->n_units, "away", (json_int_t)away, "goal",
                        p->objective.goal == CLV_GOAL_LATENCY ? "latency" : "throughput", "returns",
                        p->may_return, "plan_us", clv_median(us, (size_t)rounds), "augmentations",
                        (json_int_t)a.considered, "gap",
                        proven ? 0 : (double)a.cost.score / (double)a.bound - 1));
    clv_free(&a.unit_device);
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 11;
    bench_need(rounds > 0 && rounds <= ROUNDS_MAX, "usage: wide_bench [ROUNDS, 1 to 101]");
    for (size_t i = 0; i < CLV_COUNT(networks); i++) {
        clv_rng r = clv_rng_seeded(i + 1);
        clv_graph *g = made(&networks[i], &r);
        clv_cuts few = {0};
        int64_t *unit_ns[2];
        for (size_t d = 0; d < 2; d++) unit_ns[d] = clv_alloc_array(g->n_units, sizeof *unit_ns[d]);
        clv_plan_problem p = problem_of(g, &few, unit_ns, &r);
        for (int form = 0; form < 4; form++) {
            p.may_return = form & 1;
            p.objective.goal = form & 2 ? CLV_GOAL_THROUGHPUT : CLV_GOAL_LATENCY;
            measure(&networks[i], &p, (int)rounds);
        }
        for (size_t d = 0; d < 2; d++) free(unit_ns[d]);
        clv_graph_free(g);
    }
    return 0;
}
