/* Larger problems, 20 to 60 units, as 0/1 integer programmes: GLPK finds what the planners find. */
#include "graph/graph_maker.h"
#include "plan/planners.h"
#include "unit.h"

#include "base/rng.h"

#include <glpk.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    UNITS_MIN = 20,
    UNITS_MAX = 60,
    DEVICES_MAX = 3,
    CODECS = 2,
    CUTS_CAP = 5000,
    PIPELINES = 60
};

typedef struct large {
    clv_plan_problem p;
    clv_graph *graph;
    clv_cuts *cuts;
    clv_plan_time *times[DEVICES_MAX][2]; /* prefix (and progress), suffix */
    int64_t unit_ns[DEVICES_MAX][UNITS_MAX + 8];
    clv_plan_codec codecs[CODECS];
} large;

static int64_t below(clv_rng *r, int n)
{
    return (int64_t)clv_rng_below(r, (uint64_t)n);
}

/* Units in a row and blocks of two or three branches; now and then a skip over a block. */
static clv_graph *large_graph(clv_rng *r)
{
    clv_graph *g = graph_new();
    int last = add_input(g, "x"), n = UNITS_MIN + (int)below(r, UNITS_MAX - UNITS_MIN - 8);
    while ((int)g->n_units < n) {
        int before = last, ends[5], k = 0;
        int branches = below(r, 2) ? 1 : 2 + (int)below(r, 2);
        while (k < branches)
            ends[k++] = add_chain(g, last, 1 + (int)below(r, branches > 1 ? 2 : 1));
        if (below(r, 3) == 0 && branches > 1) ends[k++] = before;
        last = branches > 1 ? add_next(g, ends, (size_t)k) : ends[0];
    }
    g->tensors[last].is_output = true;
    for (size_t t = 0; t < g->n_tensors; t++) g->tensors[t].bytes = 4 * (size_t)(1 + below(r, 40));
    return g;
}

static void large_device(clv_rng *r, large *q, size_t d)
{
    clv_plan_device *device = &q->p.devices[d];
    for (size_t i = 0; i < 2; i++)
        q->times[d][i] = clv_alloc_array(q->cuts->n, sizeof *q->times[d][i]);
    for (size_t u = 0; u < q->graph->n_units; u++)
        q->unit_ns[d][u] = 1000 * below(r, d == 0 ? 40 : d == 1 ? 15 : 6);
    for (size_t c = 0; c < q->cuts->n; c++)
        for (size_t u = 0; u < q->graph->n_units; u++)
            q->times[d][!clv_cut_has(&q->cuts->items[c], (int)u)][c].ns += q->unit_ns[d][u];
    *device = (clv_plan_device){.prefix = q->times[d][0],
                                .suffix = q->times[d][1],
                                .progress = q->times[d][0],
                                .unit_ns = q->unit_ns[d],
                                .queue_ns = 1000 * below(r, 10),
                                .active_mw = 1 + below(r, 20),
                                .idle_mw = below(r, 5),
                                .price_pm_per_s = 1000000 * below(r, 20),
                                .memory_bytes_max = CLV_PLAN_NO_LIMIT};
    snprintf(device->name, sizeof device->name, "d%zu", d);
}

static clv_plan_hop large_hop(clv_rng *r)
{
    return (clv_plan_hop){.up = true,
                          .up_ps_per_byte = 1000000 * (1 + below(r, 3)),
                          .down_ps_per_byte = 1000000 * (1 + below(r, 3)),
                          .rtt_ns = 1000 * below(r, 30),
                          .overhead_ns = 1000 * below(r, 10),
                          .tx_mw = below(r, 10),
                          .rx_mw = below(r, 10),
                          .up_pj_per_byte = 1000 * below(r, 10),
                          .up_pm_per_byte = below(r, 4)};
}

static large *large_random(clv_rng *r, size_t n_devices, size_t n_codecs)
{
    large *q = clv_alloc(sizeof *q);
    clv_error err = {0};
    q->graph = large_graph(r);
    assert_ok(clv_cuts_enumerate(q->graph, CUTS_CAP, &q->cuts, &err), err);
    q->p = (clv_plan_problem){.graph = q->graph, .cuts = q->cuts, .n_devices = n_devices};
    q->p.limits = clv_plan_no_limits;
    for (size_t d = 0; d < n_devices; d++) large_device(r, q, d);
    for (size_t k = 0; k + 1 < n_devices; k++) q->p.hops[k] = large_hop(r);
    q->codecs[0] = q->codecs[1] = clv_plan_raw;
    snprintf(q->codecs[1].name, sizeof q->codecs[1].name, "half");
    q->codecs[1].bytes_per_kib = 512;
    q->codecs[1].encode_ps_per_byte[0] = 250000 * below(r, 4);
    q->codecs[1].decode_ps_per_byte[1] = 250000 * below(r, 4);
    q->p.codecs = q->codecs;
    q->p.n_codecs = n_codecs;
    assert_ok(clv_plan_problem_check(&q->p, &err), err);
    return q;
}

static void large_free(large *q)
{
    for (size_t d = 0; d < DEVICES_MAX; d++)
        for (size_t i = 0; i < 2; i++) free(q->times[d][i]);
    clv_cuts_free(q->cuts);
    clv_graph_free(q->graph);
    free(q);
}

/* ---- the integer programme ---- */

/* Sums over a placement: the last are the stages of a pipeline, in us. */
enum {
    US,
    NJ,
    PM,
    WORK,
    UP = WORK + DEVICES_MAX,
    DOWN = UP + DEVICES_MAX,
    SUMS = DOWN + DEVICES_MAX
};
enum { COLUMNS_MAX = 400 * DEVICES_MAX };
typedef struct cost {
    double of[SUMS];
} cost;

typedef struct ilp {
    const large *q;
    glp_prob *lp;
    double coefficient[SUMS][COLUMNS_MAX], constant[SUMS];
    int column[COLUMNS_MAX], n;
} ilp;

/* `c` for each unit of variable j, besides what it has; or for each unit that it is short of 1. */
static void pay(ilp *m, int j, cost c, bool when_zero)
{
    for (int k = 0; k < SUMS; k++) {
        m->coefficient[k][j] += when_zero ? -c.of[k] : c.of[k];
        m->constant[k] += when_zero ? c.of[k] : 0;
    }
}

/* One more 0/1 variable, paid `c` times its value. */
static int variable(ilp *m, cost c)
{
    int j = glp_add_cols(m->lp, 1);
    glp_set_col_kind(m->lp, j, GLP_BV);
    m->column[++m->n] = j;
    pay(m, j, c, false);
    return j;
}

/* sum of +-variables >= low. A column of 0 is left out. */
static void at_least(ilp *m, int plus, int minus, int minus2, double low)
{
    int columns[4], n = 0;
    double values[4];
    const int given[] = {plus, minus, minus2};
    for (int i = 0; i < 3; i++) {
        if (!given[i]) continue;
        columns[++n] = given[i];
        values[n] = i == 1 ? -1 : 1;
    }
    int row = glp_add_rows(m->lp, 1);
    glp_set_row_bnds(m->lp, row, GLP_LO, low, 0);
    glp_set_mat_row(m->lp, row, n, columns, values);
}

static cost computing(const large *q, size_t d, int64_t ns)
{
    const clv_plan_device *device = &q->p.devices[d];
    double us = (double)ns / 1000, mw = (double)device->active_mw;
    if (d) mw += (double)q->p.devices[0].idle_mw;
    cost c = {.of = {[US] = us, [NJ] = mw * us, [PM] = (double)device->price_pm_per_s * us / 1e6}};
    c.of[WORK + d] = us;
    return c;
}

static cost plus(cost a, cost b)
{
    for (int k = 0; k < SUMS; k++) a.of[k] += b.of[k];
    return a;
}

static cost going_up(const large *q, size_t hop, size_t codec, size_t raw)
{
    const clv_plan_hop *h = &q->p.hops[hop];
    const clv_plan_codec *c = &q->p.codecs[codec];
    double bytes = (double)raw * (double)c->bytes_per_kib / 1024;
    double us = bytes * (double)h->up_ps_per_byte / 1e6;
    double mw = (double)(h->tx_mw + q->p.devices[0].idle_mw);
    cost sum = {.of = {[US] = us,
                       [NJ] = mw * us + bytes * (double)h->up_pj_per_byte / 1000,
                       [PM] = bytes * (double)h->up_pm_per_byte}};
    sum.of[UP + hop] = us;
    int64_t encode = (int64_t)raw * c->encode_ps_per_byte[hop] / 1000;
    int64_t decode = (int64_t)raw * c->decode_ps_per_byte[hop + 1] / 1000;
    return plus(sum, plus(computing(q, hop, encode), computing(q, hop + 1, decode)));
}

static cost coming_down(const large *q, size_t hop, size_t bytes)
{
    const clv_plan_hop *h = &q->p.hops[hop];
    double us = (double)bytes * (double)h->down_ps_per_byte / 1e6;
    cost c = {.of = {[US] = us, [NJ] = (double)(h->rx_mw + q->p.devices[0].idle_mw) * us}};
    c.of[DOWN + hop] = us;
    return c;
}

static cost waiting(const large *q, int64_t ns, bool idle)
{
    double us = (double)ns / 1000;
    return (cost){.of = {[US] = us, [NJ] = idle ? (double)q->p.devices[0].idle_mw * us : 0}};
}

/* in[u][k]: unit u is on device k or before. */
typedef int ideals[UNITS_MAX + 8][DEVICES_MAX];

static void charge_units(ilp *m, ideals in)
{
    const large *q = m->q;
    size_t n_hops = q->p.n_devices - 1;
    for (size_t u = 0; u < q->graph->n_units; u++)
        for (size_t k = 0; k < n_hops; k++) {
            in[u][k] = variable(m, computing(q, k, q->unit_ns[k][u]));
            if (k) pay(m, in[u][k - 1], computing(q, k, -q->unit_ns[k][u]), false);
            if (k + 1 == n_hops) pay(m, in[u][k], computing(q, k + 1, q->unit_ns[k + 1][u]), true);
            if (k) at_least(m, in[u][k], in[u][k - 1], 0, 0);
        }
}

/* What a hop costs as such: a variable that is 1 when any unit is behind it. */
static void charge_hop(ilp *m, ideals in, size_t k)
{
    const clv_plan_hop *h = &m->q->p.hops[k];
    int crossed = variable(m, waiting(m->q, h->rtt_ns + h->overhead_ns, true));
    for (size_t u = 0; u < m->q->graph->n_units; u++) at_least(m, crossed, 0, in[u][k], 1);
}

static void charge_wait(ilp *m, ideals in, size_t d)
{
    size_t last = m->q->p.n_devices - 1;
    int runs = variable(m, waiting(m->q, m->q->p.devices[d].queue_ns, d > 0));
    for (size_t u = 0; u < m->q->graph->n_units; u++) /* runs >= in[u][d] - in[u][d - 1] */
        at_least(m, runs, d < last ? in[u][d] : 0, d ? in[u][d - 1] : 0, d < last ? 0 : 1);
}

static void charge_tensor(ilp *m, ideals in, size_t t, size_t k, size_t codec)
{
    const clv_graph_tensor *tensor = &m->q->graph->tensors[t];
    int by = tensor->producer, up = 0;
    if (tensor->n_consumers) up = variable(m, going_up(m->q, k, codec, tensor->bytes));
    for (size_t i = 0; i < tensor->n_consumers; i++) {
        int reader = tensor->consumers[i]; /* up >= in[by] - in[reader]; in[by] >= in[reader] */
        at_least(m, up, by < 0 ? 0 : in[by][k], in[reader][k], by < 0 ? 1 : 0);
        if (by >= 0) at_least(m, in[by][k], in[reader][k], 0, 0);
    }
    if (tensor->is_output) pay(m, in[by][k], coming_down(m->q, k, tensor->bytes), true);
}

/* sum k <= most, or, with a column for it, <= that column. */
static void at_most(ilp *m, int k, double most, int column)
{
    int row = glp_add_rows(m->lp, 1);
    int n = m->n;
    if (column) {
        m->column[++n] = column;
        m->coefficient[k][n] = -1;
    }
    glp_set_row_bnds(m->lp, row, GLP_UP, 0, most - m->constant[k]);
    glp_set_mat_row(m->lp, row, n, m->column, m->coefficient[k]);
}

/* The longest of all stages. */
static void aim_at_period(ilp *m)
{
    int period = glp_add_cols(m->lp, 1);
    glp_set_col_bnds(m->lp, period, GLP_LO, 0, 0);
    glp_set_obj_coef(m->lp, period, 1);
    for (int k = WORK; k < SUMS; k++) at_most(m, k, 0, period);
}

static void aim_at_sum(ilp *m, int k)
{
    for (int j = 1; j <= m->n; j++) glp_set_obj_coef(m->lp, j, m->coefficient[k][j]);
    glp_set_obj_coef(m->lp, 0, m->constant[k]);
}

/* The least cost with this codec; INFINITY when the deadline cannot be kept. */
static double solve(const large *q, double deadline_us, size_t codec)
{
    static const int sum_of[CLV_GOAL_COUNT] = {
        [CLV_GOAL_LATENCY] = US, [CLV_GOAL_ENERGY] = NJ, [CLV_GOAL_PRICE] = PM};
    ideals in;
    ilp *m = clv_alloc(sizeof *m);
    m->q = q;
    m->lp = glp_create_prob();
    charge_units(m, in);
    for (size_t d = 0; d < q->p.n_devices; d++) charge_wait(m, in, d);
    for (size_t k = 0; k + 1 < q->p.n_devices; k++) {
        charge_hop(m, in, k);
        for (size_t t = 0; t < q->graph->n_tensors; t++) charge_tensor(m, in, t, k, codec);
    }
    if (deadline_us >= 0) at_most(m, US, deadline_us, 0);
    if (q->p.objective.goal == CLV_GOAL_THROUGHPUT)
        aim_at_period(m);
    else
        aim_at_sum(m, sum_of[q->p.objective.goal]);
    glp_iocp how;
    glp_init_iocp(&how);
    how.presolve = GLP_ON;
    how.msg_lev = GLP_MSG_OFF;
    int failed = glp_intopt(m->lp, &how);
    bool solved = !failed && glp_mip_status(m->lp) == GLP_OPT;
    double value = solved ? glp_mip_obj_val(m->lp) : INFINITY;
    glp_delete_prob(m->lp);
    free(m);
    return value;
}

static double solve_all(const large *q, double deadline_us)
{
    double best = INFINITY;
    for (size_t c = 0; c < q->p.n_codecs; c++) best = fmin(best, solve(q, deadline_us, c));
    return best;
}

static double in_ilp_units(const large *q, int64_t score)
{
    bool time =
        q->p.objective.goal == CLV_GOAL_LATENCY || q->p.objective.goal == CLV_GOAL_THROUGHPUT;
    return time ? (double)score / 1000 : (double)score;
}

static void assert_same(const large *q, int64_t score, double want)
{
    if (fabs(in_ilp_units(q, score) - want) > 1e-6 * (1 + fabs(want)))
        fail_msg("planner %.3f, integer programme %.3f", in_ilp_units(q, score), want);
}

static const clv_plan_goal goals[] = {CLV_GOAL_LATENCY, CLV_GOAL_ENERGY, CLV_GOAL_PRICE};

static void sums_on_two_devices(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(51);
    int mixed = 0;
    for (int i = 0; i < 400; i++) {
        large *q = large_random(&r, 2, CODECS);
        q->p.objective.goal = goals[i % 3];
        double want = solve_all(q, -1);
        clv_planner_answer cut, every;
        clv_error err = {0};
        assert_ok(clv_plan_min_cut(&q->p, &cut, &err), err);
        assert_ok(clv_plan_one_cut(&q->p, &every, &err), err);
        assert_same(q, cut.cost.score, want);
        assert_same(q, every.cost.score, want);
        mixed += every.chain.cut[0] > 0 && every.chain.cut[0] + 1 < (int)q->cuts->n;
        free(cut.unit_device);
        large_free(q);
    }
    print_message("sums: both devices in %d of 400\n", mixed);
}

/* The least energy within a deadline that lies between the fastest and the thriftiest placement. */
static void a_deadline_on_two_devices(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(52);
    int best = 0, between = 0;
    double gap = 0;
    for (int i = 0; i < 200; i++) {
        large *q = large_random(&r, 2, 1);
        clv_planner_answer fast, thrifty, cut, every;
        clv_error err = {0};
        assert_ok(clv_plan_one_cut(&q->p, &fast, &err), err);
        q->p.objective.goal = CLV_GOAL_ENERGY;
        assert_ok(clv_plan_one_cut(&q->p, &thrifty, &err), err);
        int64_t slack = thrifty.cost.latency_ns - fast.cost.latency_ns;
        between += slack > 0;
        q->p.limits.deadline_ns = fast.cost.latency_ns + (slack > 0 ? slack / 2000 * 1000 : 0);
        double want = solve_all(q, (double)q->p.limits.deadline_ns / 1000);
        assert_ok(clv_plan_one_cut(&q->p, &every, &err), err);
        assert_same(q, every.cost.score, want);
        assert_ok(clv_plan_min_cut(&q->p, &cut, &err), err);
        assert_true(cut.cost.latency_ns <= q->p.limits.deadline_ns);
        assert_true((double)cut.cost.score >= want - 0.5);
        assert_true((double)cut.bound <= want + 0.5);
        best += fabs((double)cut.cost.score - want) < 0.5;
        gap += ((double)cut.cost.score - want) / fmax(want, 1);
        free(cut.unit_device);
        large_free(q);
    }
    print_message("deadlines, %d that bind: min-cut had the best in %d of 200, mean gap %.3f%%\n",
                  between, best, 100 * gap / 200);
    assert_true(best >= 180);
}

static void sums_on_three_devices(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(53);
    for (int i = 0; i < 150; i++) {
        large *q = large_random(&r, 3, 1);
        q->p.objective.goal = goals[i % 3];
        double want = solve_all(q, -1);
        clv_planner_answer hops;
        clv_error err = {0};
        assert_ok(clv_plan_hops(&q->p, &hops, &err), err);
        assert_same(q, hops.cost.score, want);
        large_free(q);
    }
}

/* The period of a pipeline on two and on three devices: all ideals' pairs, and min-cut's bound. */
static void pipelines(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(54);
    int best = 0, two = 0;
    for (int i = 0; i < PIPELINES; i++) {
        large *q = large_random(&r, 2 + (size_t)(i % 2), 1);
        q->p.objective.goal = CLV_GOAL_THROUGHPUT;
        double want = solve_all(q, -1);
        clv_planner_answer pairs, cut;
        clv_error err = {0};
        assert_ok(clv_plan_pipeline(&q->p, &pairs, &err), err);
        assert_same(q, pairs.cost.score, want);
        if (q->p.n_devices == 2) {
            assert_ok(clv_plan_min_cut(&q->p, &cut, &err), err);
            assert_true((double)cut.cost.score / 1000 >= want - 1e-6);
            assert_true(cut.bound == INT64_MIN || (double)cut.bound / 1000 <= want + 1e-6);
            two++;
            best += (double)cut.cost.score / 1000 <= want + 1e-6;
            free(cut.unit_device);
        }
        large_free(q);
    }
    print_message("throughput: min-cut had the best in %d of %d\n", best, two);
    assert_true(best > 0.9 * two);
}

int main(void)
{
    glp_term_out(GLP_OFF);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_on_two_devices),
        cmocka_unit_test(a_deadline_on_two_devices),
        cmocka_unit_test(sums_on_three_devices),
        cmocka_unit_test(pipelines),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    glp_free_env();
    return failed;
}
