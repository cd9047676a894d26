#include "measure/cut_choice.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

size_t clv_cut_down_bytes(const clv_graph *g, const clv_cut *cut)
{
    size_t bytes = 0;
    for (size_t t = 0; t < g->n_tensors; t++) {
        const clv_graph_tensor *x = &g->tensors[t];
        if (x->is_output && x->producer != CLV_NO_UNIT && !clv_cut_has(cut, x->producer))
            bytes += x->bytes;
    }
    return bytes;
}

/* Appends the items to `order` spread out: those whose index is 1/2, 1/4, 3/4, 1/8, … of the way. */
static void append_spread(clv_cut_choice *c, const size_t *items, size_t n)
{
    unsigned bits = 0;
    while (((size_t)1 << bits) < n) bits++;
    for (size_t k = 1; k <= (size_t)1 << bits; k++) {
        size_t at = 0; /* the bits of k reversed; the first item comes last */
        for (unsigned b = 0; b < bits; b++)
            if (k >> b & 1) at |= (size_t)1 << (bits - 1 - b);
        if (at < n) c->order[c->n++] = items[at];
    }
}

/* The cuts that no useful cut before them beats. Dominance is transitive, so it is enough to compare
 * with the useful ones; a subset has fewer units and therefore a lower index. */
static size_t find_useful(const clv_graph *g, const clv_cuts *cuts, size_t *useful)
{
    CLV_AUTO(clv_free) size_t *down = clv_alloc_array(cuts->n, sizeof *down);
    size_t n = 0;
    for (size_t i = 0; i + 1 < cuts->n; i++) {
        down[i] = clv_cut_down_bytes(g, &cuts->items[i]);
        bool beaten = false;
        for (size_t k = 0; k < n && !beaten; k++) {
            size_t a = useful[k];
            beaten = cuts->items[a].bytes <= cuts->items[i].bytes && down[a] <= down[i] &&
                     clv_cut_within(cuts, a, i);
        }
        if (!beaten) useful[n++] = i;
    }
    return n;
}

static void find_chain(const clv_cuts *cuts, clv_cut_choice *c)
{
    size_t at = 0;
    c->chain[c->n_chain++] = 0;
    for (size_t i = 1; i < cuts->n; i++)
        if (cuts->items[i].n_units > cuts->items[at].n_units && clv_cut_within(cuts, at, i))
            c->chain[c->n_chain++] = at = i;
}

clv_cut_choice *clv_cut_choice_new(const clv_graph *g, const clv_cuts *cuts)
{
    clv_cut_choice *c = clv_alloc(sizeof *c);
    c->order = clv_alloc_array(cuts->n, sizeof *c->order);
    c->chain = clv_alloc_array(cuts->n, sizeof *c->chain);
    CLV_AUTO(clv_free) size_t *part = clv_alloc_array(cuts->n, sizeof *part);
    CLV_AUTO(clv_free) bool *taken = clv_alloc_array(cuts->n, sizeof *taken);
    size_t n = find_useful(g, cuts, part);
    taken[0] = taken[cuts->n - 1] = true;
    append_spread(c, part + 1, n - 1); /* the first useful one is cut 0 */
    c->n_useful = c->n;
    for (size_t i = 0; i < c->n; i++) taken[c->order[i]] = true;
    find_chain(cuts, c);
    n = 0;
    for (size_t i = 0; i < c->n_chain; i++)
        if (!taken[c->chain[i]]) taken[part[n++] = c->chain[i]] = true;
    append_spread(c, part, n);
    n = 0;
    for (size_t i = 0; i < cuts->n; i++)
        if (!taken[i]) part[n++] = i;
    append_spread(c, part, n);
    return c;
}

void clv_cut_choice_free(clv_cut_choice *c)
{
    if (!c) return;
    free(c->order);
    free(c->chain);
    free(c);
}
