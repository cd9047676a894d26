/* How long planning takes: making the tables, choosing the best of all cuts, choosing again.
 *
 *     plan_bench MODELS NETWORK...
 *
 * A NETWORK is a name in the repository MODELS, or the path of a model. The cuts are the networks' own; the times in the profiles
 * are made up (they do not change the work): proportional to the multiply-accumulates, the edge four times slower. Every call is
 * timed by itself. `plan` starts from tables that were just made; `replan` is what a node does when its link has changed: the new
 * link into the tables, and a plan. Each with raw tensors, and with four codecs to choose from.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/stats.h"
#include "bench.h"
#include "engine/ort.h"
#include "measure/profiler.h"
#include "plan/plan.h"
#include "plan/tables.h"
#include "repo/locate.h"

#include <string.h>

enum { ROUNDS = 1000, ROUNDS_LEAST = 20 };
#define ROW_US     5000000 /* no more rounds after so long */
#define US_PER_MAC 1e-4
#define EDGE_SLOW  4.0

/* Times for every cut: its units' work, and a bit for starting. */
static clv_profile *made_up(const clv_network *net, double slow)
{
    const clv_graph *g = clv_network_graph(net);
    const clv_cuts *cuts = clv_network_cuts(net);
    clv_profile *p = clv_profiler_blank(net);
    uint64_t all = 0;
    for (size_t u = 0; u < g->n_units; u++) all += g->units[u].macs;
    for (size_t i = 0; i < cuts->n; i++) {
        uint64_t before = 0;
        for (size_t u = 0; u < g->n_units; u++)
            if (clv_cut_has(&cuts->items[i], (int)u)) before += g->units[u].macs;
        double head = 10 + US_PER_MAC * (double)before,
               tail = 10 + US_PER_MAC * (double)(all - before);
        p->cuts[i].prefix = (clv_time){i ? slow * head : 0, 1, 9};
        p->cuts[i].suffix = (clv_time){i + 1 < cuts->n ? slow * tail : 0, 1, 9};
    }
    p->slowdown = slow;
    return p;
}

static const clv_plan_codec codecs[] = {
    {.name = "raw", .bytes_per_kib = 1024},
    {.name = "f16",
     .bytes_per_kib = 512,
     .encode_ps_per_byte = {400, 100},
     .decode_ps_per_byte = {400, 100}},
    {.name = "q8",
     .bytes_per_kib = 260,
     .encode_ps_per_byte = {800, 200},
     .decode_ps_per_byte = {800, 200}},
    {.name = "q4",
     .bytes_per_kib = 132,
     .encode_ps_per_byte = {900, 220},
     .decode_ps_per_byte = {900, 220}},
};

typedef struct timing {
    double tables_us[ROUNDS], solve_us[ROUNDS], again_us[ROUNDS];
} timing;

static double since(int64_t start_ns)
{
    return (double)(clv_now_ns() - start_ns) / 1e3;
}

static void time_round(const clv_plan_sources *from, clv_plan_goal goal, clv_rng *rng, timing *t,
                       int i)
{
    clv_error err = {0};
    clv_plan plan;
    clv_plan_tables *tables;
    clv_link link = from->links[0];
    int64_t start_ns = clv_now_ns();
    bench_check(clv_plan_tables_new(from, &tables, &err), &err);
    t->tables_us[i] = since(start_ns);
    tables->problem.codecs = codecs;
    tables->problem.n_codecs = CLV_COUNT(codecs);
    tables->problem.objective.goal = goal;
    start_ns = clv_now_ns();
    bench_check(clv_plan_solve(&tables->problem, &plan, &err), &err);
    t->solve_us[i] = since(start_ns);
    clv_plan_done(&plan);
    link.up_bytes_per_s = link.down_bytes_per_s = 1e4 + 1e8 * clv_rng_unit(rng);
    start_ns = clv_now_ns();
    bench_check(clv_plan_tables_link(tables, 0, &link, &err), &err);
    clv_plan_tables_wait(tables, 1, 1000 * clv_rng_unit(rng));
    bench_check(clv_plan_solve(&tables->problem, &plan, &err), &err);
    t->again_us[i] = since(start_ns);
    clv_plan_done(&plan);
    clv_plan_tables_free(tables);
}

/* Four ways to write a tensor; what they cost is made up, too. */
static const clv_plan_codec codecs[] = {
    {.name = "raw", .bytes_per_kib = 1024},
    {.name = "f16",
     .bytes_per_kib = 512,
     .encode_ps_per_byte = {400, 100},
     .decode_ps_per_byte = {400, 100}},
    {.name = "q8",
     .bytes_per_kib = 256,
     .encode_ps_per_byte = {1200, 300},
     .decode_ps_per_byte = {800, 200}},
    {.name = "q4",
     .bytes_per_kib = 100,
     .encode_ps_per_byte = {3600, 900},
     .decode_ps_per_byte = {2400, 600}},
};

typedef struct times {
    double us[ROUNDS];
    size_t n;
} times;

/* A plan; `link` not NULL: with this link from now on. */
static void plan_once(clv_plan_tables *t, const clv_link *link, times *out, const char **planner)
{
    clv_error err = {0};
    clv_plan plan;
    int64_t begin = clv_now_ns();
    if (link) bench_check(clv_plan_tables_link(t, 0, link, &err), &err);
    bench_check(clv_plan_solve(&t->problem, &plan, &err), &err);
    out->us[out->n++] = (double)(clv_now_ns() - begin) / 1e3;
    *planner = clv_planner_name(plan.planner);
    clv_plan_done(&plan);
}

static void measure(const char *name, const clv_network *net)
{
    static times tables, plan, plan_codecs, replan, replan_codecs;
    times *all[] = {&tables, &plan, &plan_codecs, &replan, &replan_codecs};
    for (size_t i = 0; i < CLV_COUNT(all); i++) all[i]->n = 0;
    clv_error err = {0};
    clv_profile *edge = made_up(net, EDGE_SLOW), *cloud = made_up(net, 1);
    clv_plan_sources from = {.graph = clv_network_graph(net),
                             .cuts = clv_network_cuts(net),
                             .n_devices = 2,
                             .profiles = {edge, cloud}};
    bench_check(clv_link_parse("wifi", &from.links[0], &err), &err);
    clv_rng rng = clv_rng_seeded(1);
    const char *planner = "";
    int64_t until = clv_now_us() + ROW_US;
    for (int i = 0; i < ROUNDS && (i < ROUNDS_LEAST || clv_now_us() < until); i++) {
        clv_plan_tables *t;
        clv_link link = from.links[0];
        int64_t begin = clv_now_ns();
        bench_check(clv_plan_tables_new(&from, &t, &err), &err);
        tables.us[tables.n++] = (double)(clv_now_ns() - begin) / 1e3;
        plan_once(t, NULL, &plan, &planner);
        link.up_bytes_per_s = link.down_bytes_per_s = 1e4 + 1e8 * clv_rng_unit(&rng);
        plan_once(t, &link, &replan, &planner);
        t->problem.codecs = codecs;
        t->problem.n_codecs = CLV_COUNT(codecs);
        plan_once(t, NULL, &plan_codecs, &planner);
        link.up_bytes_per_s = link.down_bytes_per_s = 1e4 + 1e8 * clv_rng_unit(&rng);
        plan_once(t, &link, &replan_codecs, &planner);
        clv_plan_tables_free(t);
    }
    bench_row(json_pack(
        "{s:s, s:s, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:I}", "network", name, "planner",
        planner, "cuts", (json_int_t)from.cuts->n, "units", (json_int_t)from.graph->n_units,
        "tables_us", clv_median(tables.us, tables.n), "plan_us", clv_median(plan.us, plan.n),
        "plan_us_p99", clv_quantile(plan.us, plan.n, 0.99), "plan_codecs_us",
        clv_median(plan_codecs.us, plan_codecs.n), "replan_us", clv_median(replan.us, replan.n),
        "replan_codecs_us", clv_median(replan_codecs.us, replan_codecs.n), "replan_codecs_us_p99",
        clv_quantile(replan_codecs.us, replan_codecs.n, 0.99), "rounds", (json_int_t)tables.n));
    clv_profile_free(edge);
    clv_profile_free(cloud);
}

/* The last part of a path: what people call the model. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

int main(int argc, char **argv)
{
    bench_need(argc > 2, "usage: plan_bench MODELS NETWORK...");
    clv_error err = {0};
    clv_engine *engine;
    bench_check(clv_ort_engine_new(&(clv_ort_options){.threads = 1}, &engine, &err), &err);
    for (int i = 2; i < argc; i++) {
        clv_located at;
        clv_network *net;
        bench_check(clv_locate(argv[i], argv[1], &at, &err), &err);
        bench_check(clv_network_open(at.path, engine, &(clv_network_options){0}, &net, &err), &err);
        measure(argv[i], net, CLV_GOAL_LATENCY, "latency");
        measure(argv[i], net, CLV_GOAL_ENERGY, "energy");
        clv_network_unref(net);
        clv_located_done(&at);
    }
    clv_engine_free(engine);
    return 0;
}
