/* Planner C: a dynamic programme over nested pairs of ideals.
 *
 * What B cannot do: the longest part of a pipeline is no sum along a way, and the memory of a segment
 * is known for the whole segment only. So here each pair of cuts, one within the other, is a segment
 * of its own. O(devices × pairs) labels' work; the first and the last device have one pair for each
 * cut. Of more cuts than CUTS_MAX those with the fewest bytes are looked at, and the plan states a gap.
 *
 * Throughput is planned twice: first the shortest period, with the work of the device at hand as a
 * second number, because what it still has to encode counts with what it has computed; then, of all
 * placements that are as fast, the one with the fewest bytes and the lowest latency.
 *
 * Source: Tarnawski et al., NeurIPS 2020 (max-load by a programme over pairs of ideals). Our
 * differences: codecs, both ways of a link as stages of their own, limits, memory as peak activations.
 */
#include "plan/layers.h"

#include "base/mem.h"

#include <stdlib.h>

enum { CUTS_MAX = 4096 };

/* Of a segment's memory without running through its units: at least its weights, at most these and
 * all that it takes and makes. */
typedef struct volume {
    int64_t weights, made; /* bytes of the cut's ideal */
} volume;

typedef struct pairs {
    volume *volumes;  /* [cut] */
    clv_label *tolls; /* [cut] of the progress on the device at hand */
    bool *known;      /* [cut] */
    size_t *cuts;     /* those that are looked at, ascending */
    size_t n_cuts, tried;
} pairs;

static void pairs_done(pairs *c)
{
    clv_free(&c->volumes);
    clv_free(&c->tolls);
    clv_free(&c->known);
    clv_free(&c->cuts);
}

static int by_bytes(const void *a, const void *b, void *cuts)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    const clv_cut *items = ((const clv_cuts *)cuts)->items;
    if (items[x].bytes != items[y].bytes) return items[x].bytes < items[y].bytes ? -1 : 1;
    return x < y ? -1 : 1;
}

static int by_index(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* All cuts, or those in the middle with the fewest bytes; the last always. */
static void choose_cuts(const clv_plan_problem *p, size_t cuts_max, pairs *c)
{
    clv_cuts cuts = *p->cuts;
    size_t all = cuts.n - 1;
    c->cuts = clv_alloc_array(cuts.n, sizeof *c->cuts);
    for (size_t i = 0; i < all; i++) c->cuts[i] = i;
    c->n_cuts = all;
    if (all > cuts_max) {
        qsort_r(c->cuts, all, sizeof *c->cuts, by_bytes, &cuts);
        c->n_cuts = cuts_max;
        qsort(c->cuts, c->n_cuts, sizeof *c->cuts, by_index);
    }
    c->cuts[c->n_cuts++] = all;
}

static void measure_volumes(const clv_plan_problem *p, pairs *c)
{
    const clv_graph *g = p->graph;
    c->volumes = clv_alloc_array(p->cuts->n, sizeof *c->volumes);
    for (size_t i = 0; i < p->cuts->n; i++)
        for (size_t u = 0; u < g->n_units; u++) {
            if (!clv_cut_has(&p->cuts->items[i], (int)u)) continue;
            c->volumes[i].weights += (int64_t)g->units[u].weight_bytes;
            for (size_t k = 0; k < g->units[u].n_outputs; k++)
                c->volumes[i].made += (int64_t)g->tensors[g->units[u].outputs[k]].bytes;
        }
}

static bool fits(const clv_plan_problem *p, const pairs *c, size_t device, size_t from, size_t to)
{
    int64_t max = p->devices[device].memory_bytes_max;
    int64_t least = c->volumes[to].weights - c->volumes[from].weights;
    int64_t most =
        least + c->volumes[to].made - c->volumes[from].made + (int64_t)p->cuts->items[from].bytes;
    if (most <= max || least > max) return most <= max;
    return clv_plan_memory(p, from, to) <= max;
}

/* The segment between two cuts, whatever was there before. */
static void run_pair(clv_layers *l, pairs *c, size_t device, size_t from, size_t to,
                     const clv_label *toll)
{
    c->tried++;
    bool asked = l->p->devices[device].memory_bytes_max == CLV_PLAN_NO_LIMIT;
    for (size_t i = l->ready.first[from]; i < l->ready.first[from + 1]; i++) {
        clv_label label = l->ready.items[i];
        clv_label_add(&label, toll);
        if (!clv_labels_want(&l->set, &l->terms, &label)) continue;
        if (!asked && !fits(l->p, c, device, from, to)) return;
        asked = true;
        clv_labels_offer(&l->set, &l->terms, &label);
    }
}

static void run_from_nothing(clv_layers *l, pairs *c, size_t device, size_t to)
{
    clv_label toll;
    if (l->ready.first[1] == 0 || !clv_layers_may_run(l, 0, to)) return;
    if (clv_layers_work(l, device, &l->p->devices[device].prefix[to], &toll))
        run_pair(l, c, device, 0, to, &toll);
}

static bool falls(const clv_label *toll)
{
    return toll->v[CLV_AXIS_NS] < 0 || toll->v[CLV_AXIS_VAR] < 0;
}

/* Where progress falls, nothing is counted. */
static clv_label middle(const clv_layers *l, size_t device, size_t from, size_t to)
{
    clv_plan_amount a = clv_part_middle(l->p, device, from, to, l->terms.needs);
    return clv_terms_toll(&l->terms, &a, 0, a.ns);
}

static void run_from_cuts(clv_layers *l, pairs *c, size_t device, size_t to)
{
    const clv_cuts *cuts = l->p->cuts;
    for (size_t i = 0; i < c->n_cuts && c->cuts[i] < to; i++) {
        size_t from = c->cuts[i];
        if (!from || !c->known[from] || l->ready.first[from] == l->ready.first[from + 1] ||
            !clv_cut_within(cuts, from, to) || !clv_layers_may_run(l, from, to))
            continue;
        clv_label toll = c->tolls[to];
        clv_label_subtract(&toll, &c->tolls[from]);
        if (falls(&toll)) toll = middle(l, device, from, to);
        run_pair(l, c, device, from, to, &toll);
    }
}

static void run(clv_layers *l, size_t device, void *context)
{
    pairs *c = context;
    const clv_plan_time *times = l->p->devices[device].progress;
    size_t all = l->p->cuts->n - 1;
    for (size_t i = 0; i < all; i++)
        c->known[i] = times && clv_layers_work(l, device, &times[i], &c->tolls[i]);
    size_t next = 0;
    for (size_t to = 0; to < all; to++) {
        while (c->cuts[next] < to) next++;
        if (to && c->cuts[next] == to) {
            run_from_nothing(l, c, device, to);
            if (c->known[to]) run_from_cuts(l, c, device, to);
        }
        clv_layers_reach(l, &l->reached);
    }
}

static bool any_memory_limit(const clv_plan_problem *p)
{
    bool any = false;
    for (size_t k = 0; k < p->n_devices; k++)
        any |= p->devices[k].memory_bytes_max != CLV_PLAN_NO_LIMIT;
    return any;
}

/* Of the placements that are as fast, the one that is to be preferred. */
static clv_status settle_tie(const clv_plan_problem *p, pairs *c, clv_planner_answer *out,
                             clv_error *err)
{
    CLV_AUTO(clv_layers_done) clv_layers l;
    clv_layers_init(&l, p, clv_terms_within(p, out->cost.period_ns));
    clv_layers_search(&l, run, c);
    int last = clv_layers_best(&l);
    if (last < 0) return CLV_OK; /* labels were dropped: the first will do */
    clv_plan_chain chain = clv_layers_chain(&l, (size_t)last);
    clv_plan_cost cost;
    clv_status st = clv_plan_weigh(p, &chain, &cost, err);
    if (st || !clv_plan_better(&cost, &out->cost)) return st;
    out->chain = chain;
    out->cost = cost;
    return CLV_OK;
}

clv_status clv_plan_pipeline(const clv_plan_problem *p, clv_planner_answer *out, clv_error *err)
{
    CLV_AUTO(pairs_done) pairs c = {0};
    CLV_AUTO(clv_layers_done) clv_layers l;
    clv_planner_answer answer;
    choose_cuts(p, CUTS_MAX, &c);
    c.tolls = clv_alloc_array(p->cuts->n, sizeof *c.tolls);
    c.known = clv_alloc_array(p->cuts->n, sizeof *c.known);
    if (any_memory_limit(p)) measure_volumes(p, &c);
    clv_layers_init(&l, p, clv_terms_of(p));
    clv_layers_search(&l, run, &c);
    l.thinned |= c.n_cuts < p->cuts->n;
    clv_status st = clv_layers_answer(&l, &answer, err);
    if (!st && p->objective.goal == CLV_GOAL_THROUGHPUT) st = settle_tie(p, &c, &answer, err);
    if (st) return st;
    answer.considered = c.tried;
    if (l.thinned) answer.bound = clv_layers_bound(p);
    *out = answer;
    return CLV_OK;
}
