#include "plan/lattice.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

typedef struct node {
    uint64_t hash; /* the sum without carry of its units' keys */
    size_t n_units;
    int cut;
} node;

typedef struct link {
    int to;
    clv_lattice_step step;
} link;

typedef struct draft {
    const clv_graph *g;
    const clv_cuts *cuts;
    node *nodes;
    uint64_t *bits; /* their ideals, cuts->words each */
    int *table;     /* node + 1, by hash */
    link *links;
    int *leaves; /* units that no other reads */
    size_t n, n_links, n_leaves, slots, nodes_cap, bits_cap, links_cap, nodes_max;
} draft;

static void draft_done(draft *d)
{
    free(d->nodes);
    free(d->bits);
    free(d->table);
    free(d->links);
    free(d->leaves);
}

static bool has(const uint64_t *bits, size_t i)
{
    return bits[i / 64] >> (i % 64) & 1;
}

/* splitmix64's finish: a key for each unit without a table. */
static uint64_t key_of(size_t unit)
{
    uint64_t z = (unit + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void table_put(draft *d, int at)
{
    size_t slot = d->nodes[at].hash & (d->slots - 1);
    while (d->table[slot]) slot = (slot + 1) & (d->slots - 1);
    d->table[slot] = at + 1;
}

static void table_grow(draft *d)
{
    free(d->table);
    d->slots = CLV_MAX(2 * d->slots, (size_t)64);
    while (d->slots < 4 * d->n) d->slots *= 2;
    d->table = clv_alloc_array(d->slots, sizeof *d->table);
    for (size_t i = 0; i < d->n; i++) table_put(d, (int)i);
}

/* Its bits are set by the caller. */
static int node_add(draft *d, node value)
{
    clv_grow(&d->nodes, &d->nodes_cap, d->n + 1, sizeof *d->nodes);
    clv_grow(&d->bits, &d->bits_cap, (d->n + 1) * d->cuts->words, sizeof *d->bits);
    d->nodes[d->n] = value;
    return (int)d->n++;
}

static void link_add(draft *d, int from, int to, int unit)
{
    clv_grow(&d->links, &d->links_cap, d->n_links + 1, sizeof *d->links);
    d->links[d->n_links++] = (link){.to = to, .step = {.from = from, .unit = unit}};
}

static void add_cuts(draft *d)
{
    for (size_t i = 0; i < d->cuts->n; i++) {
        const clv_cut *c = &d->cuts->items[i];
        node value = {.n_units = c->n_units, .cut = (int)i};
        for (size_t w = 0; w < d->cuts->words; w++)
            for (uint64_t rest = c->units[w]; rest; rest &= rest - 1)
                value.hash ^= key_of(64 * w + (size_t)__builtin_ctzll(rest));
        int at = node_add(d, value);
        memcpy(d->bits + (size_t)at * d->cuts->words, c->units, d->cuts->words * sizeof *d->bits);
    }
}

/* Is `b` the ideal `a` without `unit`? */
static bool is_without(const uint64_t *a, const uint64_t *b, size_t unit, size_t words)
{
    for (size_t w = 0; w < words; w++)
        if (b[w] != (w == unit / 64 ? a[w] & ~((uint64_t)1 << unit % 64) : a[w])) return false;
    return true;
}

/* The node of ideal `at` without `unit`; a new one when there was none. */
static int node_without(draft *d, int at, int unit)
{
    size_t words = d->cuts->words, u = (size_t)unit;
    uint64_t hash = d->nodes[at].hash ^ key_of(u);
    for (size_t s = hash & (d->slots - 1); d->table[s]; s = (s + 1) & (d->slots - 1)) {
        int i = d->table[s] - 1;
        if (d->nodes[i].hash == hash &&
            is_without(d->bits + (size_t)at * words, d->bits + (size_t)i * words, u, words))
            return i;
    }
    int fresh = node_add(
        d, (node){.hash = hash, .n_units = d->nodes[at].n_units - 1, .cut = CLV_LATTICE_GAP});
    uint64_t *bits = d->bits + (size_t)fresh * words;
    memcpy(bits, d->bits + (size_t)at * words, words * sizeof *bits);
    bits[u / 64] &= ~((uint64_t)1 << u % 64);
    if (2 * d->n > d->slots)
        table_grow(d);
    else
        table_put(d, fresh);
    return fresh;
}

/* A step that takes `unit` away, if it is in the ideal and nothing there reads it. `begin`: the
 * node's first step, to tell a unit that comes up twice. */
static void step_without(draft *d, int at, int unit, size_t begin)
{
    const uint64_t *ideal = d->bits + (size_t)at * d->cuts->words;
    const clv_unit *u = &d->g->units[unit];
    if (!has(ideal, (size_t)unit)) return;
    for (size_t i = begin; i < d->n_links; i++)
        if (d->links[i].step.unit == unit) return;
    for (size_t i = 0; i < u->n_outputs; i++) {
        const clv_graph_tensor *t = &d->g->tensors[u->outputs[i]];
        for (size_t k = 0; k < t->n_consumers; k++)
            if (has(ideal, (size_t)t->consumers[k])) return;
    }
    link_add(d, node_without(d, at, unit), at, unit);
}

/* What can be taken away from a cut's ideal has an output that is live or that nobody reads; a gap's
 * live tensors are not known, so all its units are tried. */
static void steps_into(draft *d, int at)
{
    size_t begin = d->n_links;
    int cut = d->nodes[at].cut;
    if (cut == CLV_LATTICE_GAP) {
        for (size_t u = 0; u < d->g->n_units; u++) step_without(d, at, (int)u, begin);
        return;
    }
    const clv_cut *c = &d->cuts->items[cut];
    for (size_t i = 0; i < c->n_live; i++) {
        int maker = d->g->tensors[c->live[i]].producer;
        if (maker != CLV_NO_UNIT) step_without(d, at, maker, begin);
    }
    for (size_t i = 0; i < d->n_leaves; i++) step_without(d, at, d->leaves[i], begin);
}

static void find_leaves(draft *d)
{
    d->leaves = clv_alloc_array(CLV_MAX(d->g->n_units, (size_t)1), sizeof *d->leaves);
    for (size_t u = 0; u < d->g->n_units; u++) {
        size_t readers = 0;
        for (size_t i = 0; i < d->g->units[u].n_outputs; i++)
            readers += d->g->tensors[d->g->units[u].outputs[i]].n_consumers;
        if (!readers) d->leaves[d->n_leaves++] = (int)u;
    }
}

/* False when there are too many gaps. */
static bool unit_steps(draft *d)
{
    find_leaves(d);
    table_grow(d);
    for (size_t i = 0; i < d->n; i++) {
        if (d->n > d->nodes_max) return false;
        steps_into(d, (int)i);
    }
    return true;
}

/* From the largest cut within each cut down: those that are within none of the found ones. */
static void wide_steps(draft *d)
{
    d->n = d->cuts->n;
    d->n_links = 0;
    for (size_t to = 1; to < d->n; to++) {
        size_t begin = d->n_links;
        for (size_t from = to; from-- > 0;) {
            if (!clv_cut_within(d->cuts, from, to)) continue;
            bool between = false;
            for (size_t k = begin; !between && k < d->n_links; k++)
                between = clv_cut_within(d->cuts, from, (size_t)d->links[k].step.from);
            if (!between) link_add(d, (int)from, (int)to, CLV_LATTICE_SEVERAL);
        }
    }
}

/* place[i]: where node i comes when they stand by size; equal ones stay as they are. */
static void order(const draft *d, int *place)
{
    size_t sizes = d->g->n_units + 2;
    CLV_AUTO(clv_free) size_t *begin = clv_alloc_array(sizes, sizeof *begin);
    for (size_t i = 0; i < d->n; i++) begin[d->nodes[i].n_units + 1]++;
    for (size_t s = 1; s < sizes; s++) begin[s] += begin[s - 1];
    for (size_t i = 0; i < d->n; i++) place[i] = (int)begin[d->nodes[i].n_units]++;
}

static clv_lattice *lattice_of(const draft *d)
{
    CLV_AUTO(clv_free) int *place = clv_alloc_array(d->n, sizeof *place);
    order(d, place);
    size_t first_bytes = (d->n + 1) * sizeof(size_t), cut_bytes = d->n * sizeof(int);
    clv_lattice *l =
        clv_alloc(sizeof *l + first_bytes + d->n_links * sizeof(clv_lattice_step) + cut_bytes);
    l->n = d->n;
    l->first = (size_t *)(l + 1);
    l->steps = (clv_lattice_step *)(l->first + d->n + 1);
    l->cut = (int *)(l->steps + d->n_links);
    for (size_t i = 0; i < d->n; i++) l->cut[place[i]] = d->nodes[i].cut;
    for (size_t i = 0; i < d->n_links; i++) l->first[place[d->links[i].to] + 1]++;
    for (size_t i = 0; i < d->n; i++) l->first[i + 1] += l->first[i];
    CLV_AUTO(clv_free) size_t *next = clv_alloc_array(d->n, sizeof *next);
    for (size_t i = 0; i < d->n_links; i++) {
        size_t to = (size_t)place[d->links[i].to];
        l->steps[l->first[to] + next[to]++] =
            (clv_lattice_step){place[d->links[i].step.from], d->links[i].step.unit};
    }
    return l;
}

clv_lattice *clv_lattice_new_within(const clv_graph *g, const clv_cuts *cuts, size_t nodes_max)
{
    CLV_AUTO(draft_done) draft d = {.g = g, .cuts = cuts, .nodes_max = nodes_max};
    add_cuts(&d);
    if (cuts->capped || !unit_steps(&d)) wide_steps(&d);
    return lattice_of(&d);
}

clv_lattice *clv_lattice_new(const clv_graph *g, const clv_cuts *cuts)
{
    return clv_lattice_new_within(g, cuts, CLV_LATTICE_NODES_MAX);
}

void clv_lattice_free(clv_lattice *l)
{
    free(l);
}
