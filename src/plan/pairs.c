#include "plan/pairs.h"

#include "base/mem.h"

#include <stdlib.h>

void clv_pairs_done(clv_pairs *c)
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
static void choose_cuts(const clv_plan_problem *p, size_t cuts_max, clv_pairs *c)
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

static void measure_volumes(const clv_plan_problem *p, clv_pairs *c)
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

static bool fits(const clv_plan_problem *p, const clv_pairs *c, size_t device, size_t from,
                 size_t to)
{
    int64_t max = p->devices[device].memory_bytes_max;
    int64_t least = c->volumes[to].weights - c->volumes[from].weights;
    int64_t most =
        least + c->volumes[to].made - c->volumes[from].made + (int64_t)p->cuts->items[from].bytes;
    if (most <= max || least > max) return most <= max;
    return clv_plan_memory(p, from, to) <= max;
}

/* The segment between two cuts, whatever was there before. */
static void run_pair(clv_layers *l, clv_pairs *c, size_t device, size_t from, size_t to,
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
        clv_layers_offer(l, &label);
    }
}

static void run_from_nothing(clv_layers *l, clv_pairs *c, size_t device, size_t to)
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
static void toll_of_fall(const clv_layers *l, size_t device, size_t from, size_t to, clv_label *out)
{
    clv_plan_amount a = clv_part_middle(l->p, device, from, to, l->terms.needs);
    clv_terms_toll(&l->terms, &a, 0, a.ns, out);
}

static void run_from_cuts(clv_layers *l, clv_pairs *c, size_t device, size_t to)
{
    const clv_cuts *cuts = l->p->cuts;
    for (size_t i = 0; i < c->n_cuts && c->cuts[i] < to; i++) {
        size_t from = c->cuts[i];
        if (!from || !c->known[from] || l->ready.first[from] == l->ready.first[from + 1] ||
            !clv_cut_within(cuts, from, to) || !clv_layers_may_run(l, from, to))
            continue;
        clv_label toll = c->tolls[to];
        clv_label_subtract(&toll, &c->tolls[from]);
        if (falls(&toll)) toll_of_fall(l, device, from, to, &toll);
        run_pair(l, c, device, from, to, &toll);
    }
}

void clv_pairs_run(clv_layers *l, size_t device, void *context)
{
    clv_pairs *c = context;
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

void clv_pairs_init(clv_pairs *c, const clv_plan_problem *p, size_t cuts_max)
{
    *c = (clv_pairs){0};
    choose_cuts(p, cuts_max, c);
    c->tolls = clv_alloc_array(p->cuts->n, sizeof *c->tolls);
    c->known = clv_alloc_array(p->cuts->n, sizeof *c->known);
    measure_volumes(p, c);
}
