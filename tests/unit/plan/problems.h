/* Seeded random planning problems with whole-number costs, and the slow and obvious solver that the
 * planners are checked against. It is written from the text of plan/problem.h and calls nothing of
 * plan/.
 *
 *     problem_options o = {.devices_max = 3, .limits = true};
 *     problem *q = problem_random(&rng, &o);
 *     naive_placement best;
 *     bool feasible = naive_solve(q, &best);      // best.cost.score
 *     problem_free(q);
 */
#ifndef CLV_TESTS_PLAN_PROBLEMS_H
#define CLV_TESTS_PLAN_PROBLEMS_H

#include "base/mem.h"
#include "base/rng.h"
#include "base/stats.h"
#include "graph/graph_maker.h"
#include "plan/problem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PROBLEM_UNITS_MAX = 10, PROBLEM_CODECS_MAX = 4, PROBLEM_DEVICES_MAX = 3 };

typedef struct problem_options {
    size_t units_max;   /* 0: 10 */
    size_t devices_max; /* 0: 2; devices are 2 to this many */
    size_t codecs_max;  /* 0: 4 */
    bool sums;          /* times are sums of units: prefix, suffix, progress and unit_ns agree */
    bool rough;     /* odd numbers, so that every part is rounded; else nothing is, but variances */
    bool limits;    /* deadline, energy, price, memory, pins and privacy, some of them */
    bool unknowns;  /* some times are not measured, some hops are down */
    bool any_goal;  /* else the goal is the latency's mean */
    bool quantiles; /* of the latency, often */
    bool chain;     /* every unit reads only the one before */
    bool measured; /* codecs with bytes and drops of their own for each cut, not offered everywhere;
                       with limits, one on accuracy */
} problem_options;

typedef struct problem {
    clv_plan_problem p;
    clv_graph *graph;
    clv_cuts *cuts;
    clv_plan_time *times[PROBLEM_DEVICES_MAX][3]; /* prefix, suffix, progress */
    int64_t unit_ns[PROBLEM_DEVICES_MAX][PROBLEM_UNITS_MAX];
    clv_plan_codec codecs[PROBLEM_CODECS_MAX];
    int64_t *codec_cuts[PROBLEM_CODECS_MAX][2]; /* bytes, drop */
    uint8_t unit_devices[PROBLEM_UNITS_MAX];
    bool stays[MAKER_TENSORS];
} problem;

static inline void problem_free(problem *q)
{
    for (size_t d = 0; d < PROBLEM_DEVICES_MAX; d++)
        for (size_t i = 0; i < 3; i++) free(q->times[d][i]);
    for (size_t k = 0; k < PROBLEM_CODECS_MAX; k++)
        for (size_t i = 0; i < 2; i++) free(q->codec_cuts[k][i]);
    clv_cuts_free(q->cuts);
    clv_graph_free(q->graph);
    free(q);
}

/* ---- the slow and obvious: a placement is a device for every unit ---- */

typedef struct naive_cost {
    bool known;
    int64_t ns, var_us2, nj, pm, drop_ppm;
    int64_t latency_ns, period_ns, score, wire_bytes;
} naive_cost;

typedef struct naive_placement {
    int device[PROBLEM_UNITS_MAX]; /* of each unit; never falls along an edge */
    int codec[PROBLEM_DEVICES_MAX];
    naive_cost cost;
} naive_placement;

__extension__ typedef __int128 naive_wide;

static inline int64_t naive_up(naive_wide a, int64_t divisor)
{
    return (int64_t)((a + divisor - 1) / divisor);
}

/* The cut whose ideal is the units on devices 0 to k; -1: the problem has none. */
static inline int naive_cut(const problem *q, const int *device, int k)
{
    for (size_t c = 0; c < q->cuts->n; c++) {
        bool same = true;
        for (size_t u = 0; u < q->graph->n_units; u++)
            same &= (q->cuts->items[c].units[0] >> u & 1) == (device[u] <= k);
        if (same) return (int)c;
    }
    return -1;
}

/* Is tensor t made on devices up to k, or given? */
static inline bool naive_made(const problem *q, const int *device, size_t t, int k)
{
    int by = q->graph->tensors[t].producer;
    return by == CLV_NO_UNIT || device[by] <= k;
}

static inline bool naive_needed_behind(const problem *q, const int *device, size_t t, int k)
{
    const clv_graph_tensor *tensor = &q->graph->tensors[t];
    for (size_t i = 0; i < tensor->n_consumers; i++)
        if (device[tensor->consumers[i]] > k) return true;
    return false;
}

/* Raw bytes that go up, and that come down, over the hop behind device k. */
static inline void naive_bytes(const problem *q, const int *device, int k, int64_t *up,
                               int64_t *down)
{
    *up = *down = 0;
    for (size_t t = 0; t < q->graph->n_tensors; t++) {
        const clv_graph_tensor *tensor = &q->graph->tensors[t];
        bool made = naive_made(q, device, t, k);
        if (made && naive_needed_behind(q, device, t, k)) *up += (int64_t)tensor->bytes;
        if (!made && tensor->is_output) *down += (int64_t)tensor->bytes;
    }
}

static inline size_t naive_count(const problem *q, const int *device, int k)
{
    size_t n = 0;
    for (size_t u = 0; u < q->graph->n_units; u++) n += device[u] == k;
    return n;
}

static inline bool naive_crossed(const problem *q, const int *device, int k)
{
    for (size_t u = 0; u < q->graph->n_units; u++)
        if (device[u] > k) return true;
    return false;
}

/* Memory of device k: at each of its units, what is held by then is found anew. */
static inline int64_t naive_memory(const problem *q, const int *device, int k)
{
    int64_t weights = 0, peak = 0;
    for (int at = 0; at < (int)q->graph->n_units; at++) {
        if (device[at] != k) continue;
        weights += (int64_t)q->graph->units[at].weight_bytes;
        int64_t held = 0;
        for (size_t t = 0; t < q->graph->n_tensors; t++) {
            const clv_graph_tensor *tensor = &q->graph->tensors[t];
            bool mine = tensor->producer != CLV_NO_UNIT && device[tensor->producer] == k;
            bool received =
                naive_made(q, device, t, k - 1) && naive_needed_behind(q, device, t, k - 1);
            bool needed = naive_needed_behind(q, device, t, k) || (mine && tensor->is_output);
            for (size_t i = 0; i < tensor->n_consumers; i++)
                needed |= device[tensor->consumers[i]] == k && tensor->consumers[i] >= at;
            if (mine && tensor->producer == at) needed = true;
            if (((mine && tensor->producer <= at) || received) && needed)
                held += (int64_t)tensor->bytes;
        }
        peak = held > peak ? held : peak;
    }
    /* What was received is all there before the first unit runs. */
    return weights + peak;
}

static inline void naive_add(naive_cost *c, int64_t ns, int64_t var_us2, int64_t pj, int64_t pm)
{
    c->ns += ns;
    c->var_us2 += var_us2;
    c->nj += naive_up(pj, 1000);
    c->pm += pm;
}

static inline int64_t naive_price(const clv_plan_device *d, int64_t ns)
{
    return naive_up((naive_wide)d->price_pm_per_s * ns, 1000000000);
}

static inline void naive_compute(const problem *q, naive_cost *c, int k, clv_plan_time t)
{
    if (t.ns == CLV_PLAN_UNKNOWN) c->known = false;
    if (!c->known) return;
    int64_t mw = q->p.devices[k].active_mw + (k > 0 ? q->p.devices[0].idle_mw : 0);
    naive_add(c, t.ns, t.var_us2, mw * t.ns, naive_price(&q->p.devices[k], t.ns));
}

/* The units of device k. Returns their ns. */
static inline int64_t naive_segment(const problem *q, const int *device, int k, naive_cost *c)
{
    const clv_plan_device *d = &q->p.devices[k];
    int from = k ? naive_cut(q, device, k - 1) : 0, to = naive_cut(q, device, k);
    if (naive_count(q, device, k) == 0) return 0;
    int64_t before = c->ns;
    if (from == 0) {
        naive_compute(q, c, k, d->prefix[to]);
    } else if (to + 1 == (int)q->cuts->n) {
        naive_compute(q, c, k, d->suffix[from]);
    } else if (!d->progress) {
        c->known = false;
    } else {
        naive_cost a = {.known = true}, b = {.known = true};
        naive_compute(q, &a, k, d->progress[from]);
        naive_compute(q, &b, k, d->progress[to]);
        c->known = c->known && a.known && b.known;
        c->ns += CLV_MAX(b.ns - a.ns, 0);
        c->var_us2 += CLV_MAX(b.var_us2 - a.var_us2, 0);
        c->nj += CLV_MAX(b.nj - a.nj, 0);
        c->pm += CLV_MAX(b.pm - a.pm, 0);
    }
    return c->known ? c->ns - before : 0;
}

static inline int64_t naive_spread(int64_t ns, int64_t rel_ppm)
{
    int64_t sigma_ns = naive_up((naive_wide)ns * rel_ppm, 1000000);
    return naive_up((naive_wide)sigma_ns * sigma_ns, 1000000);
}

/* The hop behind device k, in a codec. */
static inline void naive_cross(const problem *q, const int *device, int k, int codec, naive_cost *c)
{
    const clv_plan_hop *h = &q->p.hops[k];
    if (!h->up) c->known = false;
    if (!c->known) return;
    int64_t raw, down;
    naive_bytes(q, device, k, &raw, &down);
    int64_t up = naive_up((naive_wide)raw * q->p.codecs[codec].bytes_per_kib, 1024);
    if (q->p.codecs[codec].cut_bytes) up = q->p.codecs[codec].cut_bytes[naive_cut(q, device, k)];
    if (up == CLV_PLAN_UNKNOWN) {
        c->known = false;
        return;
    }
    int64_t up_ns = naive_up((naive_wide)up * h->up_ps_per_byte, 1000);
    int64_t down_ns = naive_up((naive_wide)down * h->down_ps_per_byte, 1000);
    int64_t ns = h->overhead_ns + h->rtt_ns + up_ns + down_ns;
    int64_t pj = h->tx_mw * up_ns + h->rx_mw * down_ns + q->p.devices[0].idle_mw * ns +
                 up * h->up_pj_per_byte + down * h->down_pj_per_byte;
    naive_add(c, ns,
              h->rtt_var_us2 + naive_spread(up_ns, h->up_rel_ppm) +
                  naive_spread(down_ns, h->down_rel_ppm),
              pj, up * h->up_pm_per_byte + down * h->down_pm_per_byte);
    c->wire_bytes += up + down;
    c->period_ns = CLV_MAX(c->period_ns, CLV_MAX(up_ns, down_ns));
}

static inline int64_t naive_coding(const problem *q, const int *device, int hop, int k, bool encode,
                                   int codec, naive_cost *c)
{
    const clv_plan_codec *code = &q->p.codecs[codec];
    int64_t raw, down;
    naive_bytes(q, device, hop, &raw, &down);
    int64_t ps = encode ? code->encode_ps_per_byte[k] : code->decode_ps_per_byte[k];
    if (encode && code->cut_drop_ppm) c->drop_ppm += code->cut_drop_ppm[naive_cut(q, device, hop)];
    if (ps == CLV_PLAN_UNKNOWN) {
        c->known = false;
        return 0;
    }
    int64_t ns = naive_up((naive_wide)raw * ps, 1000);
    naive_compute(q, c, k, (clv_plan_time){.ns = ns});
    return ns;
}

static inline int64_t naive_score(const clv_plan_objective *o, const naive_cost *c)
{
    switch (o->goal) {
    case CLV_GOAL_LATENCY: return c->latency_ns;
    case CLV_GOAL_ENERGY: return c->nj;
    case CLV_GOAL_PRICE: return c->pm;
    case CLV_GOAL_THROUGHPUT: return c->period_ns;
    case CLV_GOAL_WEIGHTED:
        return o->second_weight * 1000 * c->latency_ns + o->joule_weight * 1000 * c->nj +
               o->money_weight * c->pm;
    case CLV_GOAL_COUNT: break;
    }
    return 0;
}

/* Weighs a placement, limits aside. cost.known: false when it is no chain of the problem's cuts,
 * passes tensors on in another codec, needs a time that was not measured, or a hop that is down. */
static inline void naive_weigh(const problem *q, naive_placement *m)
{
    naive_cost c = {.known = true};
    int n = (int)q->p.n_devices;
    for (int k = 0; k < n; k++) c.known = c.known && naive_cut(q, m->device, k) >= 0;
    for (int k = 0; k < n && c.known; k++) {
        bool runs = naive_count(q, m->device, k) > 0, crossed = naive_crossed(q, m->device, k);
        if (!runs && k > 0 && crossed && m->codec[k] != m->codec[k - 1]) c.known = false;
        int64_t work = 0;
        if (runs) {
            int64_t idle = k > 0 ? q->p.devices[0].idle_mw : 0;
            int64_t wait = q->p.devices[k].queue_ns;
            naive_add(&c, wait, 0, idle * wait, 0);
            if (k > 0) work += naive_coding(q, m->device, k - 1, k, false, m->codec[k - 1], &c);
            work += naive_segment(q, m->device, k, &c);
        }
        if (crossed && (runs || k == 0))
            work += naive_coding(q, m->device, k, k, true, m->codec[k], &c);
        if (crossed) naive_cross(q, m->device, k, m->codec[k], &c);
        c.period_ns = CLV_MAX(c.period_ns, work);
    }
    const clv_plan_objective *o = &q->p.objective;
    c.latency_ns = c.ns;
    if (o->quantile_ppm) {
        long long z_ppm = llround(1e6 * clv_normal_quantile(o->quantile_ppm / 1e6));
        c.latency_ns += llround((double)z_ppm * sqrt((double)c.var_us2) * 1e-3);
    }
    c.score = naive_score(o, &c);
    m->cost = c;
}

/* Pins and privacy. */
static inline bool naive_allowed(const problem *q, const int *device)
{
    const clv_plan_limits *l = &q->p.limits;
    bool ok = true;
    for (size_t u = 0; u < q->graph->n_units; u++) {
        const clv_unit *unit = &q->graph->units[u];
        if (l->unit_devices) ok &= l->unit_devices[u] >> device[u] & 1;
        if (!l->stays || device[u] == 0) continue;
        for (size_t i = 0; i < unit->n_inputs; i++) ok &= !l->stays[unit->inputs[i]];
        for (size_t i = 0; i < unit->n_outputs; i++) ok &= !l->stays[unit->outputs[i]];
    }
    return ok;
}

/* All limits. */
static inline bool naive_keeps(const problem *q, const naive_placement *m)
{
    const clv_plan_limits *l = &q->p.limits;
    bool ok = m->cost.latency_ns <= l->deadline_ns && m->cost.nj <= l->energy_nj &&
              m->cost.pm <= l->price_pm && m->cost.drop_ppm <= l->drop_ppm &&
              naive_allowed(q, m->device);
    for (int k = 0; k < (int)q->p.n_devices && ok; k++)
        ok = q->p.devices[k].memory_bytes_max == CLV_PLAN_NO_LIMIT ||
             naive_count(q, m->device, k) == 0 ||
             naive_memory(q, m->device, k) <= q->p.devices[k].memory_bytes_max;
    return ok;
}

static inline bool naive_better(const naive_cost *a, const naive_cost *b)
{
    if (a->score != b->score) return a->score < b->score;
    if (a->wire_bytes != b->wire_bytes) return a->wire_bytes < b->wire_bytes;
    return a->latency_ns < b->latency_ns;
}

/* Every codec for every hop; keeps the best. */
static inline void naive_codecs(const problem *q, naive_placement *m, int hop,
                                naive_placement *best, bool *found)
{
    if (hop + 1 < (int)q->p.n_devices && naive_crossed(q, m->device, hop)) {
        for (m->codec[hop] = 0; m->codec[hop] < (int)q->p.n_codecs; m->codec[hop]++)
            naive_codecs(q, m, hop + 1, best, found);
        return;
    }
    naive_weigh(q, m);
    if (!m->cost.known || !naive_keeps(q, m)) return;
    if (*found && !naive_better(&m->cost, &best->cost)) return;
    *best = *m;
    *found = true;
}

static inline void naive_units(const problem *q, naive_placement *m, size_t u,
                               naive_placement *best, bool *found)
{
    if (u == q->graph->n_units) {
        naive_codecs(q, m, 0, best, found);
        return;
    }
    const clv_unit *unit = &q->graph->units[u];
    int least = 0;
    for (size_t i = 0; i < unit->n_inputs; i++) {
        int by = q->graph->tensors[unit->inputs[i]].producer;
        if (by != CLV_NO_UNIT) least = CLV_MAX(least, m->device[by]);
    }
    for (m->device[u] = least; m->device[u] < (int)q->p.n_devices; m->device[u]++)
        naive_units(q, m, u + 1, best, found);
}

/* The best of all placements whose ideals are cuts of the problem; false: none keeps the limits. */
static inline bool naive_solve(const problem *q, naive_placement *best)
{
    naive_placement m = {0};
    bool found = false;
    naive_units(q, &m, 0, best, &found);
    return found;
}

/* ---- the problems ---- */

static inline int64_t problem_below(clv_rng *r, int64_t n)
{
    return (int64_t)clv_rng_below(r, (uint64_t)n);
}

static inline bool problem_chance(clv_rng *r, int percent)
{
    return problem_below(r, 100) < percent;
}

/* 0 to n - 1 thousands, or anything up to n thousands. */
static inline int64_t problem_ns(clv_rng *r, const problem_options *o, int64_t n)
{
    return o->rough ? problem_below(r, n * 1000) : 1000 * problem_below(r, n);
}

static inline void problem_size_tensor(clv_graph_tensor *t, int64_t elements)
{
    t->shape = clv_shape_of(2, 1, (int)elements);
    t->bytes = 4 * (size_t)elements;
}

static inline clv_graph *problem_graph(clv_rng *r, const problem_options *o)
{
    clv_graph *g = graph_new();
    size_t max = o->units_max ? o->units_max : PROBLEM_UNITS_MAX;
    size_t n = 3 + clv_rng_below(r, max - 2);
    add_input(g, "x");
    if (!o->chain && problem_chance(r, 20)) add_input(g, "y");
    for (size_t u = 0; u < n; u++) {
        int inputs[3];
        size_t n_inputs = o->chain ? 1 : 1 + clv_rng_below(r, 3);
        for (size_t i = 0; i < n_inputs; i++) {
            int64_t back = 1 + problem_below(r, CLV_MIN((int64_t)g->n_tensors, 4));
            inputs[i] = (int)((int64_t)g->n_tensors - (o->chain || (i == 0 && u) ? 1 : back));
        }
        add_next(g, inputs, n_inputs);
        if (!o->chain && problem_chance(r, 15)) add_output(g, (int)u);
        g->units[u].weight_bytes = clv_rng_below(r, 100);
    }
    for (size_t t = 0; t < g->n_tensors; t++) {
        clv_graph_tensor *tensor = &g->tensors[t];
        problem_size_tensor(tensor, 1 + problem_below(r, 20));
        bool unused = tensor->n_consumers == 0 && !tensor->is_input;
        tensor->is_output = !tensor->is_input && problem_chance(r, unused ? 80 : 5);
    }
    g->tensors[g->n_tensors - 1].is_output = true;
    return g;
}

/* Times of one device: near the sums of its units, or exactly these. */
static inline void problem_times(clv_rng *r, const problem_options *o, problem *q, size_t d)
{
    int64_t var[PROBLEM_UNITS_MAX];
    for (size_t u = 0; u < q->graph->n_units; u++) {
        q->unit_ns[d][u] = problem_ns(r, o, d ? 20 : 50);
        var[u] = o->quantiles ? problem_below(r, 400) : 0;
    }
    for (size_t i = 0; i < 3; i++)
        q->times[d][i] = clv_alloc_array(q->cuts->n, sizeof *q->times[d][i]);
    clv_plan_time *prefix = q->times[d][0], *suffix = q->times[d][1], *progress = q->times[d][2];
    for (size_t c = 0; c < q->cuts->n; c++) {
        for (size_t u = 0; u < q->graph->n_units; u++) {
            clv_plan_time *t = q->cuts->items[c].units[0] >> u & 1 ? prefix : suffix;
            t[c].ns += q->unit_ns[d][u];
            t[c].var_us2 += var[u];
        }
        progress[c] = prefix[c];
        if (o->sums) continue;
        if (c > 0) prefix[c].ns += problem_ns(r, o, 30);
        if (c + 1 < q->cuts->n) suffix[c].ns += problem_ns(r, o, 30);
        if (o->unknowns && c > 0 && problem_chance(r, 10)) prefix[c].ns = CLV_PLAN_UNKNOWN;
        if (o->unknowns && c + 1 < q->cuts->n && problem_chance(r, 10))
            suffix[c].ns = CLV_PLAN_UNKNOWN;
        if (o->unknowns && problem_chance(r, 5)) progress[c].ns = CLV_PLAN_UNKNOWN;
    }
    clv_plan_device *device = &q->p.devices[d];
    device->prefix = prefix;
    device->suffix = suffix;
    device->progress = o->unknowns && problem_chance(r, 10) ? NULL : progress;
    device->unit_ns = q->unit_ns[d];
}

static inline void problem_device(clv_rng *r, const problem_options *o, problem *q, size_t d)
{
    static const char *const names[PROBLEM_DEVICES_MAX] = {"edge", "fog", "cloud"};
    clv_plan_device *device = &q->p.devices[d];
    *device = (clv_plan_device){.queue_ns = problem_ns(r, o, 20),
                                .active_mw = problem_below(r, 20),
                                .idle_mw = problem_chance(r, 50) ? problem_below(r, 5) : 0,
                                .price_pm_per_s = 1000000 * problem_below(r, 20),
                                .memory_bytes_max = CLV_PLAN_NO_LIMIT};
    snprintf(device->name, sizeof device->name, "%s", names[d]);
    problem_times(r, o, q, d);
}

static inline clv_plan_hop problem_hop(clv_rng *r, const problem_options *o)
{
    int64_t least = o->rough ? 1 : 1000000;
    return (clv_plan_hop){.up = !o->unknowns || problem_chance(r, 90),
                          .up_ps_per_byte = least * (1 + problem_below(r, o->rough ? 4000000 : 4)),
                          .down_ps_per_byte =
                              least * (1 + problem_below(r, o->rough ? 4000000 : 4)),
                          .rtt_ns = problem_ns(r, o, 30),
                          .rtt_var_us2 = o->quantiles ? problem_below(r, 400) : 0,
                          .up_rel_ppm = o->quantiles ? problem_below(r, 300000) : 0,
                          .down_rel_ppm = o->quantiles ? problem_below(r, 300000) : 0,
                          .overhead_ns = problem_ns(r, o, 10),
                          .tx_mw = problem_below(r, 20),
                          .rx_mw = problem_below(r, 20),
                          .up_pj_per_byte = 1000 * problem_below(r, 50),
                          .down_pj_per_byte = 1000 * problem_below(r, 50),
                          .up_pm_per_byte = problem_below(r, 20),
                          .down_pm_per_byte = problem_below(r, 20)};
}

static inline void problem_codecs(clv_rng *r, const problem_options *o, problem *q)
{
    q->p.codecs = q->codecs;
    q->p.n_codecs = 1 + clv_rng_below(r, o->codecs_max ? o->codecs_max : PROBLEM_CODECS_MAX);
    for (size_t k = 0; k < q->p.n_codecs; k++) {
        clv_plan_codec *codec = &q->codecs[k];
        *codec = (clv_plan_codec){.name = "raw", .bytes_per_kib = 1024};
        if (k == 0) continue;
        snprintf(codec->name, sizeof codec->name, "q%u", (unsigned)(k % 10));
        codec->bytes_per_kib = o->rough ? problem_below(r, 1024) : 256 * (1 + problem_below(r, 3));
        for (size_t d = 0; d < q->p.n_devices; d++) {
            codec->encode_ps_per_byte[d] = 100 * problem_below(r, 5000);
            codec->decode_ps_per_byte[d] = 100 * problem_below(r, 5000);
            if (o->rough) continue;
            codec->encode_ps_per_byte[d] -= codec->encode_ps_per_byte[d] % 250000;
            codec->decode_ps_per_byte[d] -= codec->decode_ps_per_byte[d] % 250000;
        }
    }
}

/* Bytes and drops of each cut; some codecs keep one or both from the ratio, and cost nothing. */
static inline void problem_measured_codecs(clv_rng *r, problem *q)
{
    for (size_t k = 1; k < q->p.n_codecs; k++) {
        int64_t *bytes = clv_alloc_array(q->cuts->n, sizeof *bytes);
        int64_t *drops = clv_alloc_array(q->cuts->n, sizeof *drops);
        for (size_t c = 0; c < q->cuts->n; c++) {
            bytes[c] = problem_below(r, 1 + (int64_t)q->cuts->items[c].bytes);
            if (problem_chance(r, 15)) bytes[c] = CLV_PLAN_UNKNOWN;
            drops[c] = problem_chance(r, 70) ? problem_below(r, 2000) : 0;
        }
        q->codec_cuts[k][0] = bytes;
        q->codec_cuts[k][1] = drops;
        if (problem_chance(r, 80)) q->codecs[k].cut_bytes = bytes;
        if (problem_chance(r, 80)) q->codecs[k].cut_drop_ppm = drops;
        for (size_t d = 0; d < q->p.n_devices; d++) {
            if (problem_chance(r, 5)) q->codecs[k].encode_ps_per_byte[d] = CLV_PLAN_UNKNOWN;
            if (problem_chance(r, 5)) q->codecs[k].decode_ps_per_byte[d] = CLV_PLAN_UNKNOWN;
        }
    }
}

static inline clv_plan_objective problem_objective(clv_rng *r, const problem_options *o)
{
    clv_plan_objective out = {0};
    if (o->any_goal) out.goal = (clv_plan_goal)clv_rng_below(r, CLV_GOAL_COUNT);
    if (o->quantiles && problem_chance(r, 70))
        out.quantile_ppm = 500000 + (int)clv_rng_below(r, 500000);
    if (out.goal != CLV_GOAL_WEIGHTED) return out;
    out.second_weight = problem_below(r, 3) * 500;
    out.joule_weight = problem_below(r, 3) * 500;
    out.money_weight = 1 + problem_below(r, 3) * 500;
    return out;
}

/* A placement of which one cost becomes a limit: then the limit is met exactly, and often decides. */
static inline naive_placement problem_some_placement(clv_rng *r, const problem *q)
{
    naive_placement m = {0};
    int device = 0, last = (int)q->p.n_devices - 1;
    for (size_t u = 0; u < q->graph->n_units; u++) {
        if (device < last && problem_chance(r, 25)) device++;
        m.device[u] = device;
    }
    naive_weigh(q, &m);
    return m;
}

static inline void problem_limits(clv_rng *r, problem *q)
{
    clv_plan_limits *l = &q->p.limits;
    naive_placement m = problem_some_placement(r, q);
    if (m.cost.known && problem_chance(r, 30)) l->deadline_ns = m.cost.latency_ns;
    m = problem_some_placement(r, q);
    if (m.cost.known && problem_chance(r, 30)) l->energy_nj = m.cost.nj;
    m = problem_some_placement(r, q);
    if (m.cost.known && problem_chance(r, 30)) l->price_pm = m.cost.pm;
    for (size_t d = 0; d < q->p.n_devices; d++) {
        m = problem_some_placement(r, q);
        if (naive_count(q, m.device, (int)d) && problem_chance(r, 20))
            q->p.devices[d].memory_bytes_max = naive_memory(q, m.device, (int)d);
    }
    if (problem_chance(r, 30)) {
        l->unit_devices = q->unit_devices;
        int64_t all = (1 << q->p.n_devices) - 1;
        for (size_t u = 0; u < q->graph->n_units; u++)
            q->unit_devices[u] = (uint8_t)(problem_chance(r, 20) ? 1 + problem_below(r, all) : 255);
    }
    if (problem_chance(r, 30)) {
        l->stays = q->stays;
        for (size_t t = 0; t < q->graph->n_tensors; t++)
            q->stays[t] = problem_chance(r, t ? 10 : 40);
    }
}

static inline problem *problem_random(clv_rng *r, const problem_options *o)
{
    problem *q = clv_alloc(sizeof *q);
    q->graph = problem_graph(r, o);
    clv_error err = {0};
    if (clv_cuts_enumerate(q->graph, CLV_CUTS_CAP, &q->cuts, &err) != CLV_OK) abort();
    q->p = (clv_plan_problem){.graph = q->graph,
                              .cuts = q->cuts,
                              .n_devices = 2,
                              .limits = {.deadline_ns = CLV_PLAN_NO_LIMIT,
                                         .energy_nj = CLV_PLAN_NO_LIMIT,
                                         .price_pm = CLV_PLAN_NO_LIMIT,
                                         .drop_ppm = CLV_PLAN_NO_LIMIT}};
    if (o->devices_max > 2) q->p.n_devices += clv_rng_below(r, o->devices_max - 1);
    problem_codecs(r, o, q);
    for (size_t d = 0; d < q->p.n_devices; d++) problem_device(r, o, q, d);
    for (size_t k = 0; k + 1 < q->p.n_devices; k++) q->p.hops[k] = problem_hop(r, o);
    q->p.objective = problem_objective(r, o);
    if (o->limits) problem_limits(r, q);
    if (o->measured) problem_measured_codecs(r, q);
    if (o->measured && o->limits && problem_chance(r, 60))
        q->p.limits.drop_ppm = problem_below(r, 2500);
    return q;
}

#endif
