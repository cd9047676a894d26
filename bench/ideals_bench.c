/* How planning grows with a network's ideals: planners A, B and C on made-up networks from a chain up to the cap.
 *
 *     ideals_bench [SECONDS]
 *
 * Networks are modules one behind the other, each some branches and a unit that joins them, as in
 * Inception: the first two have the branches of GoogLeNet and of InceptionV3 (about: branches that
 * fork again are counted as longer ones); the others are for the curve. The times are made up. Each
 * row is one kind of problem: `cold_us` is one plan with nothing known but the cuts, `warm_us` one
 * with the order on the cuts at hand, after a change of the link. SECONDS bounds what one row may
 * take (0.3).
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/stats.h"
#include "bench.h"
#include "plan/lattice.h"
#include "plan/planners.h"

#include <string.h>

enum { ROUNDS_MAX = 101, DEVICES = 3, CODECS = 4, PAIRS_IDEALS_MAX = 6000 };

typedef struct module {
    int branches[6];
    int times;
} module;

typedef struct network {
    const char *name;
    module modules[8];
} network;

static const network networks[] = {
    {"googlenet-like", {{{1}, 9}, {{1, 2, 2, 2}, 9}}},
    {"inception-like",
     {{{1}, 16},
      {{1, 2, 3, 2}, 3},
      {{1, 3, 1}, 1},
      {{1, 3, 5, 2}, 4},
      {{2, 4, 1}, 1},
      {{1, 4, 5, 2}, 2}}},
    {"chain", {{{1}, 40}}},
    {"grid", {{{2, 2, 2, 2}, 1}}},
    {"grid", {{{2, 2, 2, 2}, 4}}},
    {"grid", {{{2, 2, 2, 2}, 16}}},
    {"grid", {{{2, 2, 2, 2}, 64}}},
    {"grid", {{{3, 3, 3, 3, 3, 3}, 4}}},
    {"grid", {{{3, 3, 3, 3, 3, 3}, 12}}},
    {"grid", {{{3, 3, 3, 3, 3, 3}, 24}}},
};

static int add_unit(clv_graph *g, const int *inputs, size_t n, clv_rng *r)
{
    int u = (int)g->n_units++, t = (int)g->n_tensors++;
    clv_unit *unit = &g->units[u];
    unit->name = clv_format("u%d", u);
    unit->op = clv_strdup("Made");
    unit->inputs = clv_alloc_array(n, sizeof *unit->inputs);
    unit->outputs = clv_alloc_array(1, sizeof *unit->outputs);
    unit->outputs[unit->n_outputs++] = t;
    unit->weight_bytes = 1000 + clv_rng_below(r, 1000000);
    for (size_t i = 0; i < n; i++) {
        clv_graph_tensor *in = &g->tensors[inputs[i]];
        unit->inputs[unit->n_inputs++] = inputs[i];
        in->consumers = realloc(in->consumers, (in->n_consumers + 1) * sizeof *in->consumers);
        bench_need(in->consumers, "out of memory");
        in->consumers[in->n_consumers++] = u;
    }
    int elements = 1000 + (int)clv_rng_below(r, 100000);
    g->tensors[t] = (clv_graph_tensor){.name = clv_format("t%d", t),
                                       .dtype = CLV_F32,
                                       .shape = clv_shape_of(2, 1, elements),
                                       .bytes = 4 * (size_t)elements,
                                       .producer = u};
    return t;
}

static clv_graph *made(const network *n, clv_rng *r)
{
    clv_graph *g = clv_alloc(sizeof *g);
    g->units = clv_alloc_array(CLV_UNITS_MAX, sizeof *g->units);
    g->tensors = clv_alloc_array(CLV_GRAPH_TENSORS_MAX, sizeof *g->tensors);
    g->tensors[g->n_tensors++] = (clv_graph_tensor){.name = clv_strdup("x"),
                                                    .dtype = CLV_F32,
                                                    .shape = clv_shape_of(2, 1, 150528),
                                                    .bytes = 602112,
                                                    .producer = CLV_NO_UNIT,
                                                    .is_input = true};
    int at = 0;
    for (const module *m = n->modules; m->times; m++)
        for (int k = 0; k < m->times; k++) {
            int ends[6];
            size_t width = 0;
            for (; width < 6 && m->branches[width]; width++) {
                ends[width] = at;
                for (int i = 0; i < m->branches[width]; i++)
                    ends[width] = add_unit(g, &ends[width], 1, r);
            }
            at = width > 1 ? add_unit(g, ends, width, r) : ends[0];
        }
    g->tensors[at].is_output = true;
    return g;
}

/* Times near the sums of units; the second device four times, the third sixteen times as fast. */
static void give_times(clv_plan_device *d, const clv_graph *g, const clv_cuts *cuts, int64_t faster,
                       clv_rng *r)
{
    clv_plan_time *prefix = clv_alloc_array(cuts->n, sizeof *prefix),
                  *suffix = clv_alloc_array(cuts->n, sizeof *suffix),
                  *progress = clv_alloc_array(cuts->n, sizeof *progress);
    int64_t *unit_ns = clv_alloc_array(g->n_units, sizeof *unit_ns);
    for (size_t u = 0; u < g->n_units; u++)
        unit_ns[u] = (int64_t)(100000 + clv_rng_below(r, 3000000)) / faster;
    for (size_t c = 0; c < cuts->n; c++) {
        for (size_t u = 0; u < g->n_units; u++) {
            clv_plan_time *t = clv_cut_has(&cuts->items[c], (int)u) ? &prefix[c] : &suffix[c];
            t->ns += unit_ns[u];
            t->var_us2 += unit_ns[u] / 1000;
        }
        progress[c] = prefix[c];
        if (c) prefix[c].ns += (int64_t)clv_rng_below(r, 100000);
        if (c + 1 < cuts->n) suffix[c].ns += (int64_t)clv_rng_below(r, 100000);
    }
    *d = (clv_plan_device){.prefix = prefix, .suffix = suffix, .progress = progress};
    d->active_mw = 5000 / faster;
    d->idle_mw = 1000;
    d->price_pm_per_s = 1000000 * (faster - 1);
    d->memory_bytes_max = CLV_PLAN_NO_LIMIT;
    free(unit_ns);
}

static clv_plan_codec codec_of(const char *name, int64_t kib, int64_t ps)
{
    clv_plan_codec c = {.bytes_per_kib = kib};
    memcpy(c.name, name, strlen(name) + 1);
    for (int d = 0; d < DEVICES; d++)
        c.encode_ps_per_byte[d] = c.decode_ps_per_byte[d] = ps >> 2 * d;
    return c;
}

static clv_plan_hop link_of(clv_rng *r)
{
    return (clv_plan_hop){.up = true,
                          .up_ps_per_byte = 50000 + (int64_t)clv_rng_below(r, 500000),
                          .down_ps_per_byte = 100000,
                          .rtt_ns = 5000000,
                          .rtt_var_us2 = 1000000,
                          .up_rel_ppm = 100000,
                          .down_rel_ppm = 100000,
                          .overhead_ns = 200000,
                          .tx_mw = 900,
                          .rx_mw = 600};
}

typedef struct task {
    const char *what;
    clv_status (*plan)(const clv_plan_problem *, clv_planner_answer *, clv_error *);
    clv_plan_goal goal;
    int quantile_ppm;
    size_t devices;
    bool energy_limit, memory_limit, pairs;
} task;

static const task tasks[] = {
    {"one cut: latency", clv_plan_one_cut, CLV_GOAL_LATENCY, 0, 2, false, false, false},
    {"hops, 2 devices: latency", clv_plan_hops, CLV_GOAL_LATENCY, 0, 2, false, false, false},
    {"hops: latency", clv_plan_hops, CLV_GOAL_LATENCY, 0, DEVICES, false, false, false},
    {"hops: latency, energy limit", clv_plan_hops, CLV_GOAL_LATENCY, 0, DEVICES, true, false,
     false},
    {"hops: p99 latency", clv_plan_hops, CLV_GOAL_LATENCY, 990000, DEVICES, false, false, false},
    {"pipeline: throughput", clv_plan_pipeline, CLV_GOAL_THROUGHPUT, 0, DEVICES, false, false,
     true},
    {"pipeline: latency, memory limit", clv_plan_pipeline, CLV_GOAL_LATENCY, 0, DEVICES, false,
     true, true},
};

static double plan_us(const task *t, clv_plan_problem *p, clv_rng *r, double seconds,
                      clv_planner_answer *out)
{
    double us[ROUNDS_MAX];
    size_t n = 0;
    int64_t until = clv_now_ns() + (int64_t)(seconds * 1e9);
    clv_error err = {0};
    while (n < 3 || (n < ROUNDS_MAX && clv_now_ns() < until)) {
        for (size_t k = 0; k + 1 < p->n_devices; k++) p->hops[k] = link_of(r);
        int64_t begin = clv_now_ns();
        bench_check(t->plan(p, out, &err), &err);
        us[n++] = (double)(clv_now_ns() - begin) / 1e3;
    }
    return clv_median(us, n);
}

static void run_task(const task *t, const char *name, clv_plan_problem p,
                     const clv_lattice *lattice, double seconds)
{
    clv_planner_answer answer;
    clv_error err = {0};
    clv_rng r = clv_rng_seeded(3);
    p.n_devices = t->devices;
    p.objective = (clv_plan_objective){.goal = t->goal, .quantile_ppm = t->quantile_ppm};
    if (t->energy_limit) { /* halfway between the least energy and that of the lowest latency */
        clv_planner_answer least;
        clv_rng same = r;
        for (size_t k = 0; k + 1 < p.n_devices; k++) p.hops[k] = link_of(&same);
        bench_check(clv_plan_hops(&p, &answer, &err), &err);
        p.objective.goal = CLV_GOAL_ENERGY;
        bench_check(clv_plan_hops(&p, &least, &err), &err);
        p.objective.goal = t->goal;
        p.limits.energy_nj = 2 * (least.cost.total.nj + answer.cost.total.nj);
    }
    if (t->memory_limit) p.devices[0].memory_bytes_max = p.devices[1].memory_bytes_max = 20000000;
    double cold_us = plan_us(t, &p, &r, seconds, &answer);
    p.lattice = lattice;
    double warm_us = plan_us(t, &p, &r, seconds, &answer);
    bench_row(json_pack("{s:s, s:s, s:I, s:I, s:I, s:f, s:f, s:I, s:b}", "network", name, "plan",
                        t->what, "ideals", (json_int_t)p.cuts->n, "devices",
                        (json_int_t)p.n_devices, "codecs", (json_int_t)p.n_codecs, "cold_us",
                        cold_us, "warm_us", warm_us, "considered", (json_int_t)answer.considered,
                        "exact", answer.bound == INT64_MIN));
}

static void measure(const network *n, const clv_plan_codec *codecs, double seconds)
{
    clv_rng r = clv_rng_seeded(1);
    clv_error err = {0};
    clv_graph *g = made(n, &r);
    clv_cuts *cuts;
    int64_t t0 = clv_now_ns();
    bench_check(clv_cuts_enumerate(g, CLV_CUTS_CAP, &cuts, &err), &err);
    int64_t t1 = clv_now_ns();
    clv_lattice *lattice = clv_lattice_new(g, cuts);
    int64_t t2 = clv_now_ns();
    bench_row(json_pack("{s:s, s:s, s:I, s:f, s:f, s:b}", "network", n->name, "plan",
                        "cuts, and the order on them", "ideals", (json_int_t)cuts->n, "cuts_us",
                        (double)(t1 - t0) / 1e3, "lattice_us", (double)(t2 - t1) / 1e3, "capped",
                        cuts->capped));
    clv_plan_problem p = {.graph = g,
                          .cuts = cuts,
                          .codecs = codecs,
                          .n_codecs = CODECS,
                          .n_devices = DEVICES,
                          .limits = clv_plan_no_limits};
    for (int d = 0; d < DEVICES; d++) give_times(&p.devices[d], g, cuts, 1 << 2 * d, &r);
    for (size_t i = 0; i < CLV_COUNT(tasks); i++)
        if (!tasks[i].pairs || cuts->n <= PAIRS_IDEALS_MAX)
            run_task(&tasks[i], n->name, p, lattice, seconds);
    for (int d = 0; d < DEVICES; d++) {
        clv_free(&p.devices[d].prefix);
        clv_free(&p.devices[d].suffix);
        clv_free(&p.devices[d].progress);
    }
    clv_lattice_free(lattice);
    clv_cuts_free(cuts);
    clv_graph_free(g);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.3;
    const clv_plan_codec codecs[CODECS] = {clv_plan_raw, codec_of("f16", 512, 300),
                                           codec_of("q8", 256, 600), codec_of("q4", 128, 1200)};
    for (size_t i = 0; i < CLV_COUNT(networks); i++) measure(&networks[i], codecs, seconds);
    return 0;
}
