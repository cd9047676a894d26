/* Which nodes of the optimised graph are one unit, and what each unit reads in the original graph. */
#include "onnx/units_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- joining nodes of the optimised graph ---- */

static int root(int *parent, int i)
{
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
}

/* The smaller index wins: it is the earlier node. */
static void join(int *parent, int a, int b)
{
    a = root(parent, a);
    b = root(parent, b);
    parent[a > b ? a : b] = a > b ? b : a;
}

typedef struct joining {
    const clv_units *u;
    clv_names hidden; /* tensors that only the optimised graph knows -> their node */
    int *parent;
} joining;

/* Names are looked up without regard to scopes: a clash joins too much, never too little. */
static void join_reads(joining *j, int top, const Onnx__NodeProto *node)
{
    for (size_t i = 0; i < node->n_input; i++) {
        int producer = clv_names_get(&j->hidden, node->input[i]);
        if (producer >= 0) join(j->parent, producer, top);
    }
    for (size_t i = 0; i < node->n_attribute; i++) {
        const Onnx__GraphProto *g = node->attribute[i]->g;
        for (size_t k = 0; g && k < g->n_node; k++) join_reads(j, top, g->node[k]);
        for (size_t k = 0; g && k < g->n_output; k++) {
            int producer = clv_names_get(&j->hidden, g->output[k]->name);
            if (producer >= 0) join(j->parent, producer, top);
        }
    }
}

static int *join_nodes(const clv_units *u)
{
    const Onnx__GraphProto *g = u->optimised->graph;
    joining j = {.u = u, .parent = clv_alloc_array(g->n_node, sizeof(int))};
    for (size_t i = 0; i < g->n_node; i++) {
        j.parent[i] = (int)i;
        for (size_t k = 0; k < g->node[i]->n_output; k++)
            if (*g->node[i]->output[k] && clv_names_get(&u->m->value_of, g->node[i]->output[k]) < 0)
                clv_names_set(&j.hidden, g->node[i]->output[k], (int)i);
    }
    for (size_t i = 0; i < g->n_node; i++) join_reads(&j, (int)i, g->node[i]);
    clv_names_done(&j.hidden);
    return j.parent;
}

/* Groups that make at least one value which the original model has and which depends on an input. */
static void collect_groups(clv_units *u, int *parent)
{
    const Onnx__GraphProto *g = u->optimised->graph;
    CLV_AUTO(clv_free) int *group_of = clv_alloc_array(g->n_node, sizeof *group_of);
    u->groups = clv_alloc_array(g->n_node, sizeof *u->groups);
    for (size_t i = 0; i < g->n_node; i++) group_of[i] = -1;
    for (size_t i = 0; i < g->n_node; i++) {
        int r = root(parent, (int)i);
        for (size_t k = 0; k < g->node[i]->n_output; k++) {
            int value = clv_names_get(&u->m->value_of, g->node[i]->output[k]);
            if (value < 0 || u->m->values[value].constant ||
                u->m->values[value].kind != CLV_VALUE_NODE)
                continue;
            if (group_of[r] < 0) {
                group_of[r] = (int)u->n_groups;
                u->groups[u->n_groups++].first = r;
            }
            clv_group *group = &u->groups[group_of[r]];
            clv_push(&group->outputs, &group->n_outputs, &group->cap_outputs, value);
            u->info[value].group = group_of[r];
        }
    }
    for (size_t i = 0; i < g->n_node; i++)
        if (group_of[root(parent, (int)i)] >= 0)
            u->groups[group_of[root(parent, (int)i)]].n_optimised++;
}

/* ---- what a group reads ---- */

typedef struct walk {
    clv_units *u;
    clv_group *group;
    int self;
    int *seen_value, *seen_node; /* last group that met it, plus one */
    int *stack;
    size_t n, cap;
} walk;

/* Where the walk ends, or goes on: constants and folded values end it, so do other groups' values and inputs. */
static void meet(walk *w, int value)
{
    if (w->seen_value[value] == w->self + 1) return;
    w->seen_value[value] = w->self + 1;
    const clv_value *v = &w->u->m->values[value];
    const clv_value_info *info = &w->u->info[value];
    if (v->constant || info->folded) return;
    if (v->kind == CLV_VALUE_INPUT || (info->group >= 0 && info->group != w->self))
        clv_push(&w->group->inputs, &w->group->n_inputs, &w->group->cap_inputs, value);
    else
        clv_push(&w->stack, &w->n, &w->cap, v->source);
}

static void walk_group(walk *w, int self)
{
    w->self = self;
    w->group = &w->u->groups[self];
    w->group->n_inputs = w->group->n_nodes = 0;
    for (size_t i = 0; i < w->group->n_outputs; i++) {
        int value = w->group->outputs[i];
        w->seen_value[value] = self + 1;
        clv_push(&w->stack, &w->n, &w->cap, w->u->m->values[value].source);
    }
    while (w->n) {
        int node = w->stack[--w->n];
        if (w->seen_node[node] == self + 1) continue;
        w->seen_node[node] = self + 1;
        clv_push(&w->group->nodes, &w->group->n_nodes, &w->group->cap_nodes, node);
        for (size_t i = 0; i < w->u->m->nodes[node].n_inputs; i++)
            meet(w, w->u->m->nodes[node].inputs[i]);
    }
}

static void walk_all(clv_units *u)
{
    walk w = {.u = u,
              .seen_value = clv_alloc_array(u->m->n_values, sizeof(int)),
              .seen_node = clv_alloc_array(u->m->proto->graph->n_node, sizeof(int))};
    for (size_t i = 0; i < u->n_groups; i++) walk_group(&w, (int)i);
    free(w.seen_value);
    free(w.seen_node);
    free(w.stack);
}

/* ---- order, and cycles ---- */

typedef struct frame {
    int group;
    size_t next;
} frame;

/* Tarjan's strongly connected components with an own stack. Components come out in topological
 * order (what a group reads comes before it), which is the order that units need. */
typedef struct tarjan {
    const clv_units *u;
    int *index, *low, *component;
    bool *open;
    int *pending;
    frame *frames;
    size_t n_pending, n_frames;
    int counter, n_components;
} tarjan;

static void enter(tarjan *t, int group)
{
    t->index[group] = t->low[group] = ++t->counter;
    t->open[group] = true;
    t->pending[t->n_pending++] = group;
    t->frames[t->n_frames++] = (frame){.group = group};
}

static void leave(tarjan *t)
{
    int group = t->frames[--t->n_frames].group;
    if (t->n_frames) {
        int above = t->frames[t->n_frames - 1].group;
        t->low[above] = CLV_MIN(t->low[above], t->low[group]);
    }
    if (t->low[group] != t->index[group]) return;
    for (int member = -1; member != group;) {
        member = t->pending[--t->n_pending];
        t->open[member] = false;
        t->component[member] = t->n_components;
    }
    t->n_components++;
}

static void visit_from(tarjan *t, int start)
{
    enter(t, start);
    while (t->n_frames) {
        frame *f = &t->frames[t->n_frames - 1];
        const clv_group *g = &t->u->groups[f->group];
        if (f->next == g->n_inputs) {
            leave(t);
            continue;
        }
        int needed = t->u->info[g->inputs[f->next++]].group;
        if (needed < 0) continue; /* an input of the network */
        if (!t->index[needed])
            enter(t, needed);
        else if (t->open[needed])
            t->low[f->group] = CLV_MIN(t->low[f->group], t->index[needed]);
    }
}

static void merge_into(clv_group *to, clv_group *from)
{
    for (size_t i = 0; i < from->n_outputs; i++)
        clv_push(&to->outputs, &to->n_outputs, &to->cap_outputs, from->outputs[i]);
    to->first = to->n_optimised ? CLV_MIN(to->first, from->first) : from->first;
    to->n_optimised += from->n_optimised;
    free(from->outputs);
    free(from->inputs);
    free(from->nodes);
}

/* Every component becomes one group, in topological order. */
static void merge_components(clv_units *u, const int *component, int n)
{
    clv_group *merged = clv_alloc_array((size_t)n, sizeof *merged);
    for (size_t i = 0; i < u->n_groups; i++) merge_into(&merged[component[i]], &u->groups[i]);
    free(u->groups);
    u->groups = merged;
    u->n_groups = (size_t)n;
    for (size_t i = 0; i < u->n_groups; i++)
        for (size_t k = 0; k < merged[i].n_outputs; k++)
            u->info[merged[i].outputs[k]].group = (int)i;
}

static void order_groups(clv_units *u)
{
    size_t n = u->n_groups;
    tarjan t = {.u = u,
                .index = clv_alloc_array(n, sizeof(int)),
                .low = clv_alloc_array(n, sizeof(int)),
                .component = clv_alloc_array(n, sizeof(int)),
                .open = clv_alloc_array(n, sizeof(bool)),
                .pending = clv_alloc_array(n, sizeof(int)),
                .frames = clv_alloc_array(n, sizeof(frame))};
    for (size_t i = 0; i < n; i++)
        if (!t.index[i]) visit_from(&t, (int)i);
    merge_components(u, t.component, t.n_components);
    free(t.index);
    free(t.low);
    free(t.component);
    free(t.open);
    free(t.pending);
    free(t.frames);
}

clv_status clv_units_group(clv_units *u, clv_error *err)
{
    int *parent = join_nodes(u);
    collect_groups(u, parent);
    free(parent);
    walk_all(u);
    order_groups(u);
    walk_all(u); /* the numbers, and for merged groups the borders, are new */
    if (u->n_groups > CLV_UNITS_MAX)
        return clv_fail(err, CLV_EUNSUPPORTED, "it has %zu units, the limit is %d", u->n_groups,
                        CLV_UNITS_MAX);
    if (!u->n_groups) return clv_fail(err, CLV_EUNSUPPORTED, "no operator depends on an input");
    for (size_t i = 0; i < u->n_groups; i++)
        for (size_t k = 0; k < u->groups[i].n_nodes; k++) u->in_unit[u->groups[i].nodes[k]] = true;
    return CLV_OK;
}
