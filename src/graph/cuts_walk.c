#include "graph/cuts_priv.h"

#include "base/mem.h"

#include <string.h>

/* The tree of ideals: a node is an ideal, its candidates are units whose predecessors are all in.
 * The child that takes candidate k keeps the candidates behind k and adds those that k made ready;
 * the ones before k stay out of its whole subtree. So each ideal is met exactly once, and there are
 * no nodes that are not ideals. */

typedef struct level {
    size_t begin, next, end; /* of its candidates */
    int unit;                /* taken to get here */
} level;

typedef struct walk {
    const clv_graph *g;
    uint64_t *units, *live;
    int *missing;  /* a unit: input tensors that are not made yet */
    size_t *left;  /* a tensor: consumers that are not in the ideal */
    size_t silent; /* live tensors that may not cross */
    int *candidates;
    size_t n_candidates, candidates_cap;
    level *levels;
    size_t depth;
} walk;

static void walk_done(walk *w)
{
    clv_free(&w->units);
    clv_free(&w->live);
    clv_free(&w->missing);
    clv_free(&w->left);
    clv_free(&w->candidates);
    clv_free(&w->levels);
}

static void set_live(walk *w, int t)
{
    clv_bit_set(w->live, (size_t)t);
    w->silent += !clv_may_cross(&w->g->tensors[t]);
}

static void clear_live(walk *w, int t)
{
    clv_bit_clear(w->live, (size_t)t);
    w->silent -= !clv_may_cross(&w->g->tensors[t]);
}

static void candidate_add(walk *w, int unit)
{
    clv_grow(&w->candidates, &w->candidates_cap, w->n_candidates + 1, sizeof *w->candidates);
    w->candidates[w->n_candidates++] = unit;
}

/* Is inputs[i] the first mention of its tensor? */
static bool first_mention(const clv_unit *u, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (u->inputs[k] == u->inputs[i]) return false;
    return true;
}

static void enter(walk *w, int unit)
{
    const clv_unit *u = &w->g->units[unit];
    clv_bit_set(w->units, (size_t)unit);
    for (size_t i = 0; i < u->n_inputs; i++)
        if (first_mention(u, i) && --w->left[u->inputs[i]] == 0) clear_live(w, u->inputs[i]);
    for (size_t i = 0; i < u->n_outputs; i++) {
        const clv_graph_tensor *t = &w->g->tensors[u->outputs[i]];
        if (t->n_consumers) set_live(w, u->outputs[i]);
        for (size_t k = 0; k < t->n_consumers; k++)
            if (--w->missing[t->consumers[k]] == 0) candidate_add(w, t->consumers[k]);
    }
}

static void leave(walk *w, int unit)
{
    const clv_unit *u = &w->g->units[unit];
    clv_bit_clear(w->units, (size_t)unit);
    for (size_t i = 0; i < u->n_inputs; i++)
        if (first_mention(u, i) && w->left[u->inputs[i]]++ == 0) set_live(w, u->inputs[i]);
    for (size_t i = 0; i < u->n_outputs; i++) {
        const clv_graph_tensor *t = &w->g->tensors[u->outputs[i]];
        if (t->n_consumers) clear_live(w, u->outputs[i]);
        for (size_t k = 0; k < t->n_consumers; k++) w->missing[t->consumers[k]]++;
    }
}

static void walk_init(walk *w, const clv_graph *g)
{
    *w = (walk){.g = g};
    w->units = clv_alloc_array(clv_bit_words(g->n_units), sizeof *w->units);
    w->live = clv_alloc_array(clv_bit_words(g->n_tensors), sizeof *w->live);
    w->missing = clv_alloc_array(g->n_units, sizeof *w->missing);
    w->left = clv_alloc_array(g->n_tensors, sizeof *w->left);
    w->levels = clv_alloc_array(g->n_units + 1, sizeof *w->levels);
    for (size_t t = 0; t < g->n_tensors; t++) {
        const clv_graph_tensor *tensor = &g->tensors[t];
        w->left[t] = tensor->n_consumers;
        if (tensor->is_input && tensor->n_consumers) set_live(w, (int)t);
        if (tensor->producer == CLV_NO_UNIT) continue;
        for (size_t k = 0; k < tensor->n_consumers; k++) w->missing[tensor->consumers[k]]++;
    }
    for (size_t u = 0; u < g->n_units; u++)
        if (!w->missing[u]) candidate_add(w, (int)u);
    w->levels[0] = (level){.end = w->n_candidates, .unit = CLV_NO_UNIT};
}

/* Take the next candidate of the deepest level, or go up one. False at the end. */
static bool step(walk *w, bool *down)
{
    level *here = &w->levels[w->depth];
    *down = here->next < here->end;
    if (!*down) {
        if (!w->depth) return false;
        leave(w, here->unit);
        w->n_candidates = here->begin;
        w->depth--;
        return true;
    }
    level below = {.begin = w->n_candidates, .next = w->n_candidates};
    below.unit = w->candidates[here->next++];
    for (size_t i = here->next; i < here->end; i++) candidate_add(w, w->candidates[i]);
    enter(w, below.unit);
    below.end = w->n_candidates;
    w->levels[++w->depth] = below;
    return true;
}

bool clv_cuts_walk(clv_cuts_draft *d, size_t cap)
{
    CLV_AUTO(walk_done) walk w;
    walk_init(&w, d->graph);
    size_t met = 0;
    bool down = true; /* the root is the empty ideal */
    do {
        if (!down) continue;
        if (++met > cap) return false;
        bool always = w.depth == 0 || w.depth == d->graph->n_units;
        if (always || !w.silent) clv_cuts_draft_add(d, w.units, w.depth, w.live);
    } while (step(&w, &down));
    return true;
}
