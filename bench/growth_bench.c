/* How the cost of planning grows with the number of ideals.
 *
 *     growth_bench [FILE.svg]
 *
 * Random wide networks: a first unit, some branches of random lengths side by side, a last unit, so
 * that the number of ideals is about the product of the lengths; from ten up to the cap, and one
 * past it, which the minimum cut plans. Times of units are made up at random, those of segments are
 * 0.8 of their units' sums. For each network, medians of: finding the ideals (once a model), a plan
 * with one and with four codecs, and a plan with four after the link has changed. The picture shows
 * the plans.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/stats.h"
#include "bench.h"
#include "cli/chart.h"
#include "plan/plan.h"

#include <math.h>
#include <string.h>

enum { UNITS_MAX = 512, BRANCHES_MAX = 24, GRAPHS = 2, ROUNDS_MOST = 200, ROUNDS_LEAST = 5 };

typedef struct wide {
    clv_graph *g;
    clv_cuts *cuts;
    int64_t unit_ns[2][UNITS_MAX];
    clv_plan_time *times[4];
    clv_plan_problem p;
} wide;

static int add_tensor(clv_graph *g, int producer, size_t bytes)
{
    int t = (int)g->n_tensors++;
    g->tensors[t] = (clv_graph_tensor){.name = clv_format("t%d", t),
                                       .dtype = CLV_F32,
                                       .shape = clv_shape_of(2, 1, (int)bytes / 4),
                                       .bytes = bytes,
                                       .producer = producer,
                                       .consumers = clv_alloc_array(BRANCHES_MAX, sizeof(int)),
                                       .is_input = producer == CLV_NO_UNIT};
    return t;
}

/* A unit with one output, which is returned. */
static int add_unit(clv_graph *g, const int *inputs, size_t n, size_t bytes)
{
    int u = (int)g->n_units++;
    clv_unit *unit = &g->units[u];
    *unit = (clv_unit){.name = clv_format("u%d", u),
                       .op = clv_strdup("Conv"),
                       .inputs = clv_alloc_array(n, sizeof(int)),
                       .outputs = clv_alloc(sizeof(int)),
                       .n_inputs = n,
                       .n_outputs = 1};
    for (size_t i = 0; i < n; i++) {
        clv_graph_tensor *t = &g->tensors[inputs[i]];
        unit->inputs[i] = inputs[i];
        t->consumers[t->n_consumers++] = u;
    }
    unit->outputs[0] = add_tensor(g, u, bytes);
    return unit->outputs[0];
}

static size_t bytes_of(clv_rng *r)
{
    return 4 * (1000 + clv_rng_below(r, 200000));
}

/* Branches side by side: the product of their lengths, each one more, is about `ideals`, and not more. */
static clv_graph *draw(clv_rng *r, double ideals)
{
    clv_graph *g = clv_alloc(sizeof *g);
    g->units = clv_alloc_array(UNITS_MAX, sizeof *g->units);
    g->tensors = clv_alloc_array(UNITS_MAX + 1, sizeof *g->tensors);
    int x = add_tensor(g, CLV_NO_UNIT, 602112), ends[BRANCHES_MAX];
    int first = add_unit(g, &x, 1, bytes_of(r));
    size_t n = 0;
    for (double left = CLV_MAX(ideals - 3, 2); left >= 2 && n < BRANCHES_MAX; n++) {
        int most = (int)CLV_MIN(left, 12) - 1;
        int length = 1 + (int)clv_rng_below(r, (uint64_t)most);
        if (left < 4) length = (int)left - 1;
        ends[n] = first;
        for (int i = 0; i < length; i++) ends[n] = add_unit(g, &ends[n], 1, bytes_of(r));
        left /= length + 1;
    }
    int last = add_unit(g, ends, n, 4000);
    g->tensors[last].is_output = true;
    return g;
}

/* Sums over the ideal, and over the rest. */
static void time_segments(wide *w)
{
    for (size_t i = 0; i < w->cuts->n; i++)
        for (int d = 0; d < 2; d++) {
            int64_t in = 0, out = 0;
            for (size_t u = 0; u < w->g->n_units; u++)
                *(clv_cut_has(&w->cuts->items[i], (int)u) ? &in : &out) += w->unit_ns[d][u];
            w->times[2 * d][i].ns = in * 4 / 5;
            w->times[2 * d + 1][i].ns = out * 4 / 5;
        }
}

static const clv_plan_codec codecs[] = {
    {.name = "raw", .bytes_per_kib = 1024},
    {.name = "f16",
     .bytes_per_kib = 512,
     .encode_ps_per_byte = {100, 50},
     .decode_ps_per_byte = {100, 50}},
    {.name = "q8",
     .bytes_per_kib = 256,
     .encode_ps_per_byte = {300, 150},
     .decode_ps_per_byte = {200, 100}},
    {.name = "q4",
     .bytes_per_kib = 100,
     .encode_ps_per_byte = {900, 400},
     .decode_ps_per_byte = {600, 300}},
};

static void prepare(wide *w, clv_rng *r, double ideals, double *enumerate_us)
{
    clv_error err = {0};
    *w = (wide){.g = draw(r, ideals)};
    int64_t begin = clv_now_ns();
    bench_check(clv_cuts_enumerate(w->g, CLV_CUTS_CAP, &w->cuts, &err), &err);
    *enumerate_us = (double)(clv_now_ns() - begin) / 1e3;
    for (size_t u = 0; u < w->g->n_units; u++) {
        w->unit_ns[1][u] = 10000 + (int64_t)clv_rng_below(r, 500000);
        w->unit_ns[0][u] = 5 * w->unit_ns[1][u];
    }
    w->p = (clv_plan_problem){.graph = w->g,
                              .cuts = w->cuts,
                              .n_devices = 2,
                              .codecs = codecs,
                              .n_codecs = 1,
                              .limits = clv_plan_no_limits};
    for (int k = 0; k < 4; k++) w->times[k] = clv_alloc_array(w->cuts->n, sizeof *w->times[k]);
    for (int d = 0; d < 2; d++)
        w->p.devices[d] = (clv_plan_device){.name = "device",
                                            .prefix = w->times[2 * d],
                                            .suffix = w->times[2 * d + 1],
                                            .unit_ns = w->unit_ns[d],
                                            .memory_bytes_max = CLV_PLAN_NO_LIMIT};
    w->p.hops[0] = (clv_plan_hop){
        .up = true, .up_ps_per_byte = 423729, .down_ps_per_byte = 423729, .rtt_ns = 5000000};
    time_segments(w);
}

static void done(wide *w)
{
    for (int k = 0; k < 4; k++) free(w->times[k]);
    clv_cuts_free(w->cuts);
    clv_graph_free(w->g);
}

/* Median time of a plan; with `change` the link is another each time. */
static double plan_us(wide *w, size_t n_codecs, bool change, clv_rng *r, const char **planner)
{
    size_t rounds = CLV_MAX(CLV_MIN(ROUNDS_MOST, 2000000 / w->cuts->n), ROUNDS_LEAST);
    double us[ROUNDS_MOST];
    w->p.n_codecs = n_codecs;
    for (size_t i = 0; i < rounds; i++) {
        clv_error err = {0};
        clv_plan plan;
        if (change) w->p.hops[0].up_ps_per_byte = 10000 + (int64_t)clv_rng_below(r, 2000000);
        int64_t begin = clv_now_ns();
        bench_check(clv_plan_solve(&w->p, &plan, &err), &err);
        us[i] = (double)(clv_now_ns() - begin) / 1e3;
        *planner = clv_planner_name(plan.planner);
        clv_plan_done(&plan);
    }
    return clv_median(us, rounds);
}

typedef struct point {
    double ideals, one_us, four_us;
} point;

static point measure(clv_rng *r, double ideals)
{
    wide w;
    double enumerate_us;
    const char *planner;
    prepare(&w, r, ideals, &enumerate_us);
    double one_us = plan_us(&w, 1, false, r, &planner),
           four_us = plan_us(&w, 4, false, r, &planner),
           again_us = plan_us(&w, 4, true, r, &planner);
    bench_row(json_pack("{s:I, s:b, s:I, s:s, s:f, s:f, s:f, s:f}", "ideals", (json_int_t)w.cuts->n,
                        "capped", (int)w.cuts->capped, "units", (json_int_t)w.g->n_units, "planner",
                        planner, "enumerate_us", enumerate_us, "plan_us", one_us, "plan_codecs_us",
                        four_us, "replan_us", again_us));
    point at = {(double)w.cuts->n, one_us, four_us};
    if (w.cuts->capped) at.ideals = 0;
    done(&w);
    return at;
}

static int by_ideals(const void *a, const void *b)
{
    const point *x = a, *y = b;
    return (x->ideals > y->ideals) - (x->ideals < y->ideals);
}

static void draw_svg(const char *path, point *points, size_t n)
{
    double *xs = clv_alloc_array(n, sizeof *xs), *one = clv_alloc_array(n, sizeof *one),
           *four = clv_alloc_array(n, sizeof *four);
    qsort(points, n, sizeof *points, by_ideals);
    for (size_t i = 0; i < n; i++) {
        xs[i] = points[i].ideals;
        one[i] = points[i].one_us;
        four[i] = points[i].four_us;
    }
    const clv_chart_line lines[] = {
        {.name = "one codec", .x = xs, .y = one, .n = n, .kind = 0, .strong = true},
        {.name = "four codecs", .x = xs, .y = four, .n = n, .kind = 1, .strong = true}};
    clv_buf svg = {0};
    clv_chart_lines(&svg,
                    &(clv_chart_text){.title = "Time of an exact plan",
                                      .subtitle = "two devices, every ideal a cut"},
                    &(clv_chart_axes){.x_title = "ideals", .y_title = "µs"}, lines,
                    CLV_COUNT(lines));
    clv_error err = {0};
    bench_check(clv_file_write(path, svg.data, svg.len, &err), &err);
    clv_buf_done(&svg);
    free(xs);
    free(one);
    free(four);
}

int main(int argc, char **argv)
{
    bench_need(argc < 3, "usage: growth_bench [FILE.svg]");
    static const double targets[] = {10, 30, 100, 300, 1000, 3000, 10000, 30000, 99000};
    point points[CLV_COUNT(targets) * GRAPHS];
    size_t n = 0;
    clv_rng r = clv_rng_seeded(1);
    for (size_t i = 0; i < CLV_COUNT(targets); i++)
        for (int k = 0; k < GRAPHS; k++) points[n++] = measure(&r, targets[i]);
    (void)measure(&r, 1e7); /* past the cap */
    if (argc == 2) draw_svg(argv[1], points, n);
    return 0;
}
