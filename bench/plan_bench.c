/* How long planning takes: joining two profiles, choosing the best of all cuts, ranking them.
 *
 *     plan_bench MODELS NETWORK...
 *
 * The cuts are the networks' own; the times in the profiles are made up (they do not change the work): proportional to the
 * multiply-accumulates, the edge four times slower. Every call is timed by itself; the link changes with each, as it does when a node
 * plans again.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/stats.h"
#include "bench.h"
#include "engine/ort.h"
#include "measure/profiler.h"
#include "plan/plan.h"
#include "repo/locate.h"

enum { ROUNDS = 2000 };
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

static void measure(const char *name, const clv_network *net)
{
    clv_error err = {0};
    clv_profile *edge = made_up(net, EDGE_SLOW), *cloud = made_up(net, 1);
    clv_link link;
    bench_check(clv_link_parse("wifi", &link, &err), &err);
    double join_us[ROUNDS], solve_us[ROUNDS], rank_us[ROUNDS];
    clv_rng rng = clv_rng_seeded(1);
    size_t n_cuts = 0;
    for (int i = 0; i < ROUNDS; i++) {
        clv_plan_problem p = {0};
        clv_plan plan;
        link.up_bytes_per_s = link.down_bytes_per_s = 1e4 + 1e8 * clv_rng_unit(&rng);
        int64_t t0 = clv_now_ns();
        bench_check(clv_plan_problem_join(edge, cloud, &link, &p, &err), &err);
        int64_t t1 = clv_now_ns();
        bench_check(clv_plan_solve(&p, CLV_POLICY_EXACT, &plan, &err), &err);
        int64_t t2 = clv_now_ns();
        clv_plan_cost *costs = clv_alloc_array(p.n_cuts, sizeof *costs);
        int64_t t3 = clv_now_ns();
        clv_plan_rank(&p, costs);
        int64_t t4 = clv_now_ns();
        join_us[i] = (double)(t1 - t0) / 1e3;
        solve_us[i] = (double)(t2 - t1) / 1e3;
        rank_us[i] = (double)(t4 - t3) / 1e3;
        n_cuts = p.n_cuts;
        free(costs);
        clv_plan_problem_done(&p);
    }
    bench_row(json_pack("{s:s, s:I, s:f, s:f, s:f, s:f, s:I}", "network", name, "cuts",
                        (json_int_t)n_cuts, "solve_us", clv_median(solve_us, ROUNDS),
                        "solve_us_p99", clv_quantile(solve_us, ROUNDS, 0.99), "join_us",
                        clv_median(join_us, ROUNDS), "rank_us", clv_median(rank_us, ROUNDS),
                        "rounds", (json_int_t)ROUNDS));
    clv_profile_free(edge);
    clv_profile_free(cloud);
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
        measure(argv[i], net);
        clv_network_unref(net);
        clv_located_done(&at);
    }
    clv_engine_free(engine);
    return 0;
}
