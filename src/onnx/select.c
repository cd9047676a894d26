/* Which nodes, inputs and constants a segment needs. */
#include "onnx/extract_priv.h"

#include <stdlib.h>
#include <string.h>

static void allocate(clv_selection *s, const clv_units *u)
{
    size_t values = u->m->n_values, nodes = u->m->proto->graph->n_node;
    *s = (clv_selection){.u = u, .any_batch = u->batch_known && clv_onnx_has_batch(u->m)};
    s->in_segment = clv_alloc_array(u->n_groups, 1);
    s->own_node = clv_alloc_array(nodes, 1);
    s->needed = clv_alloc_array(nodes, 1);
    bool **flags[] = {&s->live_from, &s->wanted, &s->available, &s->met, &s->input, &s->folded};
    for (size_t i = 0; i < CLV_COUNT(flags); i++) *flags[i] = clv_alloc_array(values, 1);
}

void clv_selection_done(clv_selection *s)
{
    bool *all[] = {s->in_segment, s->own_node, s->needed, s->live_from, s->wanted,
                   s->available,  s->met,      s->input,  s->folded};
    for (size_t i = 0; i < CLV_COUNT(all); i++) free(all[i]);
    *s = (clv_selection){0};
}

static int value_of_tensor(const clv_units *u, int tensor)
{
    return clv_names_get(&u->m->value_of, u->graph->tensors[tensor].name);
}

static void mark_units(clv_selection *s, const clv_cut *from, const clv_cut *to)
{
    const clv_units *u = s->u;
    for (size_t i = 0; i < u->n_groups; i++) {
        s->in_segment[i] = clv_cut_has(to, (int)i) && !clv_cut_has(from, (int)i);
        for (size_t k = 0; s->in_segment[i] && k < u->groups[i].n_nodes; k++)
            s->own_node[u->groups[i].nodes[k]] = true;
    }
}

static size_t mark_borders(clv_selection *s, const clv_cut *from, const clv_cut *to)
{
    const clv_graph *g = s->u->graph;
    size_t n = 0;
    for (size_t i = 0; i < from->n_live; i++)
        s->live_from[value_of_tensor(s->u, from->live[i])] = true;
    for (size_t i = 0; i < g->n_tensors; i++) {
        const clv_graph_tensor *t = &g->tensors[i];
        if (t->producer < 0 || !s->in_segment[t->producer]) continue;
        bool live = t->is_output;
        for (size_t k = 0; k < to->n_live && !live; k++) live = to->live[k] == (int)i;
        if (live) s->wanted[value_of_tensor(s->u, (int)i)] = true;
        n += live;
    }
    return n;
}

/* Can this value be made inside the segment without another unit's work, at any batch? In topological order. */
static bool can_be_made(const clv_selection *s, int value)
{
    const clv_value *v = &s->u->m->values[value];
    const clv_value_info *info = &s->u->info[value];
    if (v->constant || s->live_from[value] || (info->folded && !info->follows)) return true;
    if (v->kind != CLV_VALUE_NODE) return false;
    if (info->group >= 0) return s->in_segment[info->group];
    if (s->u->in_unit[v->source] && !s->own_node[v->source]) return false;
    const clv_node_values *node = &s->u->m->nodes[v->source];
    for (size_t i = 0; i < node->n_inputs; i++)
        if (!s->available[node->inputs[i]]) return false;
    return true;
}

static void mark_available(clv_selection *s)
{
    const clv_onnx *m = s->u->m;
    for (size_t i = 0; i < m->n_values; i++)
        if (m->values[i].kind != CLV_VALUE_NODE) s->available[i] = can_be_made(s, (int)i);
    for (size_t i = 0; i < m->proto->graph->n_node; i++) {
        const clv_node_values *node = &m->nodes[m->order[i]];
        for (size_t k = 0; k < node->n_outputs; k++)
            s->available[node->outputs[k]] = can_be_made(s, node->outputs[k]);
    }
}

typedef struct pending {
    int *nodes;
    size_t n, cap;
} pending;

static clv_status need(clv_selection *s, int value, pending *p, clv_error *err)
{
    const clv_value *v = &s->u->m->values[value];
    const clv_value_info *info = &s->u->info[value];
    if (s->met[value]) return CLV_OK;
    s->met[value] = true;
    if (v->kind == CLV_VALUE_INITIALIZER) return CLV_OK;
    if (s->live_from[value]) {
        s->input[value] = true;
        return CLV_OK;
    }
    if (info->folded && !(info->follows && s->available[value])) {
        s->folded[value] = true;
        s->any_batch = s->any_batch && !info->follows;
        return CLV_OK;
    }
    if (v->kind == CLV_VALUE_INPUT || (info->group >= 0 && !s->in_segment[info->group]))
        return clv_fail(err, CLV_EINTERNAL,
                        "the segment needs '%s', which is not live at its start", v->name);
    if (!s->needed[v->source]) clv_push(&p->nodes, &p->n, &p->cap, v->source);
    s->needed[v->source] = true;
    return CLV_OK;
}

static clv_status walk_back(clv_selection *s, clv_error *err)
{
    const clv_onnx *m = s->u->m;
    pending p = {0};
    clv_status status = CLV_OK;
    for (size_t i = 0; i < m->n_values && !status; i++)
        if (s->wanted[i]) status = need(s, (int)i, &p, err);
    while (p.n && !status) {
        const clv_node_values *node = &m->nodes[p.nodes[--p.n]];
        for (size_t i = 0; i < node->n_inputs && !status; i++)
            status = need(s, node->inputs[i], &p, err);
    }
    free(p.nodes);
    return status;
}

clv_status clv_selection_make(clv_selection *s, const clv_units *u, const clv_cuts *cuts,
                              size_t from, size_t to, clv_error *err)
{
    if (from >= cuts->n || to >= cuts->n || from == to || !clv_cut_within(cuts, from, to))
        return clv_fail(
            err, CLV_EINVAL,
            "segment from cut %zu to cut %zu of %zu: the first must lie before the second", from,
            to, cuts->n);
    allocate(s, u);
    mark_units(s, &cuts->items[from], &cuts->items[to]);
    clv_status status = CLV_OK;
    if (!mark_borders(s, &cuts->items[from], &cuts->items[to]))
        status = clv_fail(err, CLV_EINVAL,
                          "segment from cut %zu to cut %zu makes nothing that is needed", from, to);
    mark_available(s);
    if (!status) status = walk_back(s, err);
    if (status) clv_selection_done(s);
    return status;
}
