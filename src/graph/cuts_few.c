/* The fallback past the cap: cuts that are found without walking the ideals.
 *
 * Single tensor t. Let R be the units outside the ideal. Only t may pass from the ideal into R, so
 * R is closed both under successors and, apart from t, under predecessors: with t taken out of the
 * graph, R is a union of connected components, none of which holds t's producer or uses a graph
 * input. The larger ideal has the smaller R, so R is the smallest such component that uses t.
 *
 * Articulation point. In topological order a unit lies on every path from an input to an output
 * exactly if no edge of such a path jumps over it. */
#include "graph/cuts_priv.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* The live set of an ideal, given as a bitset, and the ideal into the draft. */
static void add_ideal(clv_cuts_draft *d, const uint64_t *units)
{
    const clv_graph *g = d->graph;
    CLV_AUTO(clv_free)
    uint64_t *live = clv_alloc_array(clv_bit_words(g->n_tensors), sizeof *live);
    size_t n_units = 0;
    bool silent = false;
    for (size_t i = 0; i < g->n_units; i++) n_units += clv_bit_has(units, i);
    for (size_t t = 0; t < g->n_tensors; t++) {
        const clv_graph_tensor *tensor = &g->tensors[t];
        if (tensor->producer != CLV_NO_UNIT && !clv_bit_has(units, (size_t)tensor->producer))
            continue;
        for (size_t k = 0; k < tensor->n_consumers; k++)
            if (!clv_bit_has(units, (size_t)tensor->consumers[k])) {
                clv_bit_set(live, t);
                silent |= !clv_may_cross(tensor);
                break;
            }
    }
    if (n_units == 0 || n_units == g->n_units || !silent)
        clv_cuts_draft_add(d, units, n_units, live);
}

/* Union-find over units; the extra node n_units stands for the graph inputs. */
static int root_of(int *parent, int i)
{
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
}

static void join(int *parent, int a, int b)
{
    a = root_of(parent, a);
    b = root_of(parent, b);
    parent[CLV_MAX(a, b)] = CLV_MIN(a, b);
}

static void join_all_but(const clv_graph *g, int *parent, size_t but)
{
    int outside = (int)g->n_units;
    for (int i = 0; i <= outside; i++) parent[i] = i;
    for (size_t t = 0; t < g->n_tensors; t++) {
        const clv_graph_tensor *tensor = &g->tensors[t];
        int from = tensor->producer == CLV_NO_UNIT ? outside : tensor->producer;
        if (t == but) continue;
        for (size_t k = 0; k < tensor->n_consumers; k++) join(parent, from, tensor->consumers[k]);
    }
}

/* The component to leave outside for a cut of `t` alone, or CLV_NO_UNIT. Of equally small ones the
 * one whose ideal comes first, which is the one that starts last. */
static int smallest_rest(const clv_graph *g, const clv_graph_tensor *t, int *parent, size_t *size)
{
    int inside = root_of(parent, (int)g->n_units), best = CLV_NO_UNIT;
    int maker = t->producer == CLV_NO_UNIT ? inside : root_of(parent, t->producer);
    memset(size, 0, (g->n_units + 1) * sizeof *size);
    for (size_t u = 0; u < g->n_units; u++) size[root_of(parent, (int)u)]++;
    for (size_t k = 0; k < t->n_consumers; k++) {
        int rest = root_of(parent, t->consumers[k]);
        if (rest == inside || rest == maker) continue;
        if (best == CLV_NO_UNIT || size[rest] < size[best] ||
            (size[rest] == size[best] && rest > best))
            best = rest;
    }
    return best;
}

static void add_single_tensors(clv_cuts_draft *d)
{
    const clv_graph *g = d->graph;
    CLV_AUTO(clv_free) int *parent = clv_alloc_array(g->n_units + 1, sizeof *parent);
    CLV_AUTO(clv_free) size_t *size = clv_alloc_array(g->n_units + 1, sizeof *size);
    CLV_AUTO(clv_free) uint64_t *units = clv_alloc_array(d->words, sizeof *units);
    for (size_t t = 0; t < g->n_tensors; t++) {
        if (!g->tensors[t].n_consumers || !clv_may_cross(&g->tensors[t])) continue;
        join_all_but(g, parent, t);
        int rest = smallest_rest(g, &g->tensors[t], parent, size);
        if (rest == CLV_NO_UNIT) continue;
        memset(units, 0, d->words * sizeof *units);
        for (size_t u = 0; u < g->n_units; u++)
            if (root_of(parent, (int)u) != rest) clv_bit_set(units, u);
        add_ideal(d, units);
    }
}

/* Into `from_input` and `to_output`: which units lie on a path from an input, to an output. */
static void find_paths(const clv_graph *g, uint64_t *from_input, uint64_t *to_output)
{
    for (size_t u = 0; u < g->n_units; u++)
        for (size_t i = 0; i < g->units[u].n_inputs; i++) {
            int p = g->tensors[g->units[u].inputs[i]].producer;
            if (p == CLV_NO_UNIT || clv_bit_has(from_input, (size_t)p)) clv_bit_set(from_input, u);
        }
    for (size_t u = g->n_units; u-- > 0;)
        for (size_t i = 0; i < g->units[u].n_outputs; i++) {
            const clv_graph_tensor *t = &g->tensors[g->units[u].outputs[i]];
            if (t->is_output) clv_bit_set(to_output, u);
            for (size_t k = 0; k < t->n_consumers; k++)
                if (clv_bit_has(to_output, (size_t)t->consumers[k])) clv_bit_set(to_output, u);
        }
}

/* How far the paths reach from tensor `t`: the last consumer on one, n_units for an output. */
static int reach_of(const clv_graph *g, const clv_graph_tensor *t, const uint64_t *to_output)
{
    if (t->is_output) return (int)g->n_units;
    for (size_t k = t->n_consumers; k-- > 0;)
        if (clv_bit_has(to_output, (size_t)t->consumers[k])) return t->consumers[k];
    return -1;
}

/* Units that do not depend on `u`, and `u` itself if asked for. */
static void ideal_around(const clv_graph *g, size_t u, bool after, uint64_t *units)
{
    for (size_t i = 0; i < g->n_units; i++) {
        bool depends = i == u;
        for (size_t k = 0; k < g->units[i].n_inputs; k++) {
            int p = g->tensors[g->units[i].inputs[k]].producer;
            if (p >= (int)u && !clv_bit_has(units, (size_t)p)) depends = true;
        }
        if (!depends) clv_bit_set(units, i);
    }
    if (after) clv_bit_set(units, u);
}

static void add_articulations(clv_cuts_draft *d)
{
    const clv_graph *g = d->graph;
    CLV_AUTO(clv_free) uint64_t *from_input = clv_alloc_array(d->words, sizeof *from_input);
    CLV_AUTO(clv_free) uint64_t *to_output = clv_alloc_array(d->words, sizeof *to_output);
    CLV_AUTO(clv_free) uint64_t *units = clv_alloc_array(d->words, sizeof *units);
    find_paths(g, from_input, to_output);
    int reach = -1;
    for (size_t t = 0; t < g->n_tensors; t++)
        if (g->tensors[t].is_input) reach = CLV_MAX(reach, reach_of(g, &g->tensors[t], to_output));
    for (size_t u = 0; u < g->n_units; u++) {
        if (!clv_bit_has(from_input, u) || !clv_bit_has(to_output, u)) continue;
        for (int after = 0; reach <= (int)u && after < 2; after++) {
            memset(units, 0, d->words * sizeof *units);
            ideal_around(g, u, after, units);
            add_ideal(d, units);
        }
        for (size_t i = 0; i < g->units[u].n_outputs; i++)
            reach = CLV_MAX(reach, reach_of(g, &g->tensors[g->units[u].outputs[i]], to_output));
    }
}

void clv_cuts_few(clv_cuts_draft *d)
{
    CLV_AUTO(clv_free) uint64_t *units = clv_alloc_array(d->words, sizeof *units);
    add_ideal(d, units);
    for (size_t u = 0; u < d->graph->n_units; u++) clv_bit_set(units, u);
    add_ideal(d, units);
    add_single_tensors(d);
    add_articulations(d);
}
