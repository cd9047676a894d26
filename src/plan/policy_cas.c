/* CAS: breadth first from the last plan through the partition states. */
#include "plan/policies_priv.h"

#include "base/mem.h"

#include <stdlib.h>

enum { PATIENCE = 3 }; /* rings without anything better, then it stops */

typedef struct search {
    const clv_policy_view *v;
    bool *seen;
    size_t *queue, n;
} search;

static size_t units_of(const search *s, size_t i)
{
    return s->v->p->cuts->items[s->v->cuts[i].cut].n_units;
}

static void visit(search *s, size_t i)
{
    if (s->seen[i]) return;
    s->seen[i] = true;
    s->queue[s->n++] = i;
}

/* The next larger states that hold `i`: all of the least size that any has. The views' cuts stand in
 * order of their units. */
static void grow(search *s, size_t i)
{
    size_t size = SIZE_MAX;
    for (size_t j = i + 1; j < s->v->n && units_of(s, j) <= size; j++) {
        if (!clv_cut_within(s->v->p->cuts, (size_t)s->v->cuts[i].cut, (size_t)s->v->cuts[j].cut))
            continue;
        size = units_of(s, j);
        visit(s, j);
    }
}

/* The next smaller states that `i` holds. */
static void shrink(search *s, size_t i)
{
    size_t size = 0;
    for (size_t j = i; j-- > 0 && units_of(s, j) >= size;) {
        if (!clv_cut_within(s->v->p->cuts, (size_t)s->v->cuts[j].cut, (size_t)s->v->cuts[i].cut))
            continue;
        size = units_of(s, j);
        visit(s, j);
    }
}

/* The last plan, or the nearest later cut that can still be carried out, or the last that can. */
static size_t start_at(const clv_policy_view *v, int previous_cut)
{
    size_t i = 0;
    while (i + 1 < v->n && v->cuts[i].cut < previous_cut) i++;
    return i;
}

clv_policy_pick clv_policy_cas(const clv_policy_view *v, int previous_cut)
{
    CLV_AUTO(clv_free) bool *seen = clv_alloc_array(v->n, sizeof *seen);
    CLV_AUTO(clv_free) size_t *queue = clv_alloc_array(v->n, sizeof *queue);
    search s = {v, seen, queue, 0};
    size_t start = start_at(v, previous_cut);
    clv_policy_pick best = {start, clv_policy_sum(&v->cuts[start]), 0};
    visit(&s, start);
    size_t ring = 0;
    for (int quiet = 0; quiet < PATIENCE && ring < s.n;) {
        size_t end = s.n;
        for (size_t k = ring; k < end; k++) {
            grow(&s, queue[k]);
            shrink(&s, queue[k]);
        }
        ring = end;
        quiet++;
        for (size_t k = ring; k < s.n; k++) {
            int64_t cost = clv_policy_sum(&v->cuts[queue[k]]);
            if (cost >= best.believed) continue;
            best.believed = cost;
            best.index = queue[k];
            quiet = 0;
        }
    }
    best.considered = s.n;
    return best;
}
