/* How long planning takes: making the tables from two profiles, the first plan, and planning again from warm tables
 * after a change of the link and the load.
 *
 *     plan_bench MODELS NETWORK...
 *
 * A NETWORK is a name in the repository MODELS, or the path of any model.
 * The cuts are the networks' own; the times in the profiles are made up (they do not change the work): proportional to the
 * multiply-accumulates, the edge four times slower. Every call is timed by itself; the link changes with each, as it does when a node
 * plans again. Codecs: raw, and three made-up ones, as a node with four choices on the wire has. Watts and prices are those of `asks`;
 * without watts all joules are equal, and the bytes on the wire decide.
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

enum { ROUNDS = 2000, ROUNDS_LEAST = 20 };
#define ROW_US     3000000 /* no more rounds of a network after so long */
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

typedef struct ask {
    const char *name, *power,
        *radio; /* power: of both devices (cost/power.h); radio: cost/radio.h */
    clv_plan_objective objective;
    double deadline; /* times what the edge takes alone; 0: none */
} ask;
#define WATTS "idle=1.5W,active=6W,price=0.5/h"
#define RADIO "wifi,price=0.09/GB"
static const ask asks[] = {
    {"latency", WATTS, RADIO, {CLV_GOAL_LATENCY, 0, 0, 0, 0}, 0},
    {"latency, 95 %", WATTS, RADIO, {CLV_GOAL_LATENCY, 950000, 0, 0, 0}, 0},
    {"energy", WATTS, RADIO, {CLV_GOAL_ENERGY, 0, 0, 0, 0}, 0},
    {"energy, no watts known", NULL, NULL, {CLV_GOAL_ENERGY, 0, 0, 0, 0}, 0},
    {"energy, deadline", WATTS, RADIO, {CLV_GOAL_ENERGY, 0, 0, 0, 0}, 1.1},
    {"price", WATTS, RADIO, {CLV_GOAL_PRICE, 0, 0, 0, 0}, 0},
    {"throughput", WATTS, RADIO, {CLV_GOAL_THROUGHPUT, 0, 0, 0, 0}, 0},
    {"weighted", WATTS, RADIO, {CLV_GOAL_WEIGHTED, 0, 1000, 2000, 500}, 0},
};

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

static void time_round(const clv_plan_sources *from, const ask *a, clv_rng *rng, timing *t,
                       size_t i)
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
    tables->problem.objective = a->objective;
    double alone_ns = (double)tables->problem.devices[0].prefix[from->cuts->n - 1].ns;
    if (a->deadline > 0) tables->problem.limits.deadline_ns = (int64_t)(a->deadline * alone_ns);
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

/* The profiles and the link of what is asked. */
static void provide(clv_plan_sources *from, clv_profile *const *profiles, const ask *a)
{
    clv_error err = {0};
    bench_check(clv_link_parse("wifi", &from->links[0], &err), &err);
    if (a->radio) bench_check(clv_radio_parse(a->radio, &from->links[0].radio, &err), &err);
    for (size_t k = 0; k < from->n_devices; k++) {
        clv_profile *p = profiles[k];
        p->power = (clv_power){0};
        p->price_per_s = 0;
        if (a->power)
            bench_check(clv_power_parse(a->power, 1, &p->power, &p->price_per_s, &err), &err);
        from->profiles[k] = p;
    }
}

static void measure(const char *name, const clv_plan_sources *from, const ask *a)
{
    static timing t;
    clv_rng rng = clv_rng_seeded(1);
    int64_t until = clv_now_us() + ROW_US;
    size_t n = 0;
    while (n < ROUNDS && (n < ROUNDS_LEAST || clv_now_us() < until))
        time_round(from, a, &rng, &t, n++);
    bench_row(json_pack(
        "{s:s, s:s, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:I}", "network", name, "objective", a->name,
        "cuts", (json_int_t)from->cuts->n, "codecs", (json_int_t)CLV_COUNT(codecs), "solve_us",
        clv_median(t.solve_us, n), "solve_us_p99", clv_quantile(t.solve_us, n, 0.99), "tables_us",
        clv_median(t.tables_us, n), "again_us", clv_median(t.again_us, n), "again_us_p99",
        clv_quantile(t.again_us, n, 0.99), "rounds", (json_int_t)n));
}

static void measure_all(const char *name, const clv_network *net)
{
    clv_profile *profiles[] = {made_up(net, EDGE_SLOW), made_up(net, 1)};
    clv_plan_sources from = {
        .graph = clv_network_graph(net), .cuts = clv_network_cuts(net), .n_devices = 2};
    for (size_t i = 0; i < CLV_COUNT(asks); i++) {
        provide(&from, profiles, &asks[i]);
        measure(name, &from, &asks[i]);
    }
    for (size_t k = 0; k < 2; k++) clv_profile_free(profiles[k]);
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
        measure_all(base_name(argv[i]), net);
        clv_network_unref(net);
        clv_located_done(&at);
    }
    clv_engine_free(engine);
    return 0;
}
