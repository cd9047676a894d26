#include "plan/flow.h"

#include <stdlib.h>

/* Arcs come in pairs: 2k as given, 2k + 1 its reverse. */
typedef struct arc {
    int to, next; /* next of the same node, -1: none */
    int64_t capacity, left;
} arc;

typedef struct node {
    int first;   /* arc, -1: none */
    int current; /* the arc to try next in this phase */
    int level; /* steps to the sink through arcs that have something left; -1: it cannot be reached */
} node;

struct clv_flow {
    node *nodes;
    arc *arcs;
    size_t n_nodes, nodes_cap, n_arcs, arcs_cap, augmentations, steps;
    int *queue, *path; /* [n_nodes] */
    size_t queue_cap, path_cap;
};

clv_flow *clv_flow_new(void)
{
    return clv_alloc(sizeof(clv_flow));
}

void clv_flow_free(clv_flow *f)
{
    if (!f) return;
    free(f->nodes);
    free(f->arcs);
    free(f->queue);
    free(f->path);
    free(f);
}

void clv_flow_release(clv_flow **f)
{
    clv_flow_free(*f);
    *f = NULL;
}

int clv_flow_add_node(clv_flow *f)
{
    clv_grow(&f->nodes, &f->nodes_cap, f->n_nodes + 1, sizeof *f->nodes);
    clv_grow(&f->queue, &f->queue_cap, f->n_nodes + 1, sizeof *f->queue);
    clv_grow(&f->path, &f->path_cap, f->n_nodes + 1, sizeof *f->path);
    f->nodes[f->n_nodes] = (node){.first = -1, .current = -1, .level = -1};
    return (int)f->n_nodes++;
}

static int add_half(clv_flow *f, int from, int to, int64_t capacity)
{
    clv_grow(&f->arcs, &f->arcs_cap, f->n_arcs + 1, sizeof *f->arcs);
    f->arcs[f->n_arcs] = (arc){.to = to, .next = f->nodes[from].first, .capacity = capacity};
    f->nodes[from].first = (int)f->n_arcs;
    return (int)f->n_arcs++;
}

int clv_flow_add_arc(clv_flow *f, int from, int to, int64_t capacity)
{
    int forward = add_half(f, from, to, capacity);
    add_half(f, to, from, 0);
    return forward;
}

void clv_flow_set(clv_flow *f, int at, int64_t capacity)
{
    f->arcs[at].capacity = capacity;
}

/* Levels from the sink backwards. Can the source still reach it? */
static bool find_levels(clv_flow *f, int source, int sink)
{
    for (size_t i = 0; i < f->n_nodes; i++) {
        f->nodes[i].level = -1;
        f->nodes[i].current = f->nodes[i].first;
    }
    size_t n = 0;
    f->nodes[sink].level = 0;
    f->queue[n++] = sink;
    for (size_t i = 0; i < n; i++) {
        const node *at = &f->nodes[f->queue[i]];
        for (int a = at->first; a >= 0; a = f->arcs[a].next) {
            node *before = &f->nodes[f->arcs[a].to];
            f->steps++;
            if (before->level >= 0 || !f->arcs[a ^ 1].left) continue;
            before->level = at->level + 1;
            f->queue[n++] = f->arcs[a].to;
        }
    }
    return f->nodes[source].level >= 0;
}

/* An arc that leads from a node one step nearer to the sink, -1 if none is left in this phase. */
static int admissible(clv_flow *f, int from)
{
    node *n = &f->nodes[from];
    while (n->current >= 0) {
        const arc *a = &f->arcs[n->current];
        if (a->left && f->nodes[a->to].level >= 0 && f->nodes[a->to].level == n->level - 1) break;
        n->current = a->next;
        f->steps++;
    }
    return n->current;
}

/* Fills the path of `n` arcs; returns what went through and, in *full, its first arc that has
 * nothing left (n: none, the path is infinite). */
static int64_t fill_path(clv_flow *f, size_t n, size_t *full)
{
    int64_t amount = CLV_FLOW_INFINITE;
    for (size_t i = 0; i < n; i++) amount = CLV_MIN(amount, f->arcs[f->path[i]].left);
    *full = n;
    if (amount == CLV_FLOW_INFINITE) return amount;
    for (size_t i = n; i-- > 0;) {
        arc *a = &f->arcs[f->path[i]], *back = &f->arcs[f->path[i] ^ 1];
        if (a->capacity != CLV_FLOW_INFINITE) a->left -= amount;
        if (back->capacity != CLV_FLOW_INFINITE) back->left += amount;
        if (!a->left) *full = i;
    }
    f->augmentations++;
    f->steps += n;
    return amount;
}

/* Shortest paths until none is left. */
static int64_t fill_phase(clv_flow *f, int source, int sink)
{
    int64_t total = 0;
    size_t depth = 0;
    for (int at = source;;) {
        if (at == sink) {
            size_t full;
            int64_t amount = fill_path(f, depth, &full);
            if (full == depth) return CLV_FLOW_INFINITE;
            total += amount;
            depth = full;
            at = f->arcs[f->path[depth] ^ 1].to;
            continue;
        }
        int a = admissible(f, at);
        if (a >= 0) {
            f->path[depth++] = a;
            at = f->arcs[a].to;
        } else if (depth) {
            f->nodes[at].level = -1; /* a dead end in this phase */
            at = f->arcs[f->path[--depth] ^ 1].to;
        } else {
            return total;
        }
    }
}

int64_t clv_flow_max(clv_flow *f, int source, int sink)
{
    int64_t total = 0;
    for (size_t a = 0; a < f->n_arcs; a++) f->arcs[a].left = f->arcs[a].capacity;
    while (find_levels(f, source, sink)) {
        int64_t more = fill_phase(f, source, sink);
        if (more == CLV_FLOW_INFINITE) return CLV_FLOW_INFINITE;
        total += more;
    }
    return total;
}

bool clv_flow_source_side(const clv_flow *f, int at)
{
    return f->nodes[at].level < 0;
}

size_t clv_flow_augmentations(const clv_flow *f)
{
    return f->augmentations;
}

size_t clv_flow_steps(const clv_flow *f)
{
    return f->steps;
}
