#include "onnx/onnx_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- numbering ---- */

static clv_status add_value(clv_onnx *m, const char *name, clv_value_kind kind, size_t source,
                            clv_error *err)
{
    int other = clv_names_get(&m->value_of, name);
    if (other >= 0) return clv_fail(err, CLV_EINVAL, "two things make the tensor '%s'", name);
    clv_grow(&m->values, &m->cap_values, m->n_values + 1, sizeof *m->values);
    m->values[m->n_values] = (clv_value){.name = name,
                                         .kind = kind,
                                         .source = (int)source,
                                         .constant = kind == CLV_VALUE_INITIALIZER};
    clv_names_set(&m->value_of, name, (int)m->n_values++);
    return CLV_OK;
}

static clv_status number_values(clv_onnx *m, clv_error *err)
{
    const Onnx__GraphProto *g = m->proto->graph;
    clv_status status = CLV_OK;
    for (size_t i = 0; i < g->n_input && !status; i++)
        status = add_value(m, g->input[i]->name, CLV_VALUE_INPUT, i, err);
    for (size_t i = 0; i < g->n_initializer && !status; i++)
        status = add_value(m, g->initializer[i]->name, CLV_VALUE_INITIALIZER, i, err);
    for (size_t i = 0; i < g->n_sparse_initializer && !status; i++) {
        const Onnx__TensorProto *t = g->sparse_initializer[i]->values;
        if (!t || !t->name)
            return clv_fail(err, CLV_EINVAL, "sparse stored tensor %zu has no name", i);
        status = add_value(m, t->name, CLV_VALUE_INITIALIZER, g->n_initializer + i, err);
    }
    for (size_t i = 0; i < g->n_node && !status; i++)
        for (size_t k = 0; k < g->node[i]->n_output && !status; k++)
            if (*g->node[i]->output[k])
                status = add_value(m, g->node[i]->output[k], CLV_VALUE_NODE, i, err);
    return status;
}

/* ---- what a node reads ---- */

typedef struct reads {
    clv_onnx *m;
    int *items;
    size_t n, cap;
    int *seen, mark; /* for each value, the last node that reads it */
} reads;

static const char *node_text(const Onnx__NodeProto *node)
{
    if (node->name && *node->name) return node->name;
    return node->n_output ? node->output[0] : "?";
}

static clv_status add_read(reads *r, const Onnx__NodeProto *node, const char *name, clv_error *err)
{
    int value = clv_names_get(&r->m->value_of, name);
    if (value < 0)
        return clv_fail(err, CLV_EINVAL, "node '%s' reads the tensor '%s', which nothing makes",
                        node_text(node), name);
    if (r->seen[value] == r->mark) return CLV_OK;
    r->seen[value] = r->mark;
    clv_grow(&r->items, &r->cap, r->n + 1, sizeof *r->items);
    r->items[r->n++] = value;
    return CLV_OK;
}

/* Names that are defined in the sub-graphs around a place, innermost last. */
typedef struct scope {
    const struct scope *outer;
    clv_names names;
} scope;

static bool is_local(const scope *s, const char *name)
{
    for (; s; s = s->outer)
        if (clv_names_get(&s->names, name) >= 0) return true;
    return false;
}

static void define_all(const Onnx__GraphProto *g, clv_names *names)
{
    for (size_t i = 0; i < g->n_input; i++)
        if (g->input[i]->name) clv_names_set(names, g->input[i]->name, 0);
    for (size_t i = 0; i < g->n_initializer; i++)
        if (g->initializer[i]->name) clv_names_set(names, g->initializer[i]->name, 0);
    for (size_t i = 0; i < g->n_sparse_initializer; i++)
        if (g->sparse_initializer[i]->values && g->sparse_initializer[i]->values->name)
            clv_names_set(names, g->sparse_initializer[i]->values->name, 0);
    for (size_t i = 0; i < g->n_node; i++)
        for (size_t k = 0; k < g->node[i]->n_output; k++)
            clv_names_set(names, g->node[i]->output[k], 0);
}

static clv_status read_node(reads *r, const Onnx__NodeProto *top, const Onnx__NodeProto *node,
                            const scope *s, clv_error *err);

/* What a sub-graph captures from outside is read by the node that holds it. */
static clv_status read_subgraph(reads *r, const Onnx__NodeProto *top, const Onnx__GraphProto *g,
                                const scope *outer, clv_error *err)
{
    scope s = {.outer = outer};
    define_all(g, &s.names);
    clv_status status = CLV_OK;
    for (size_t i = 0; i < g->n_node && !status; i++)
        status = read_node(r, top, g->node[i], &s, err);
    for (size_t i = 0; i < g->n_output && !status; i++)
        if (g->output[i]->name && !is_local(&s, g->output[i]->name))
            status = add_read(r, top, g->output[i]->name, err);
    clv_names_done(&s.names);
    return status;
}

static clv_status read_node(reads *r, const Onnx__NodeProto *top, const Onnx__NodeProto *node,
                            const scope *s, clv_error *err)
{
    clv_status status = CLV_OK;
    for (size_t i = 0; i < node->n_input && !status; i++)
        if (*node->input[i] && !is_local(s, node->input[i]))
            status = add_read(r, top, node->input[i], err);
    for (size_t i = 0; i < node->n_attribute && !status; i++) {
        const Onnx__AttributeProto *a = node->attribute[i];
        if (a->g) status = read_subgraph(r, top, a->g, s, err);
        for (size_t k = 0; k < a->n_graphs && !status; k++)
            status = read_subgraph(r, top, a->graphs[k], s, err);
    }
    return status;
}

static clv_status check_domain(const clv_onnx *m, const Onnx__NodeProto *node, clv_error *err)
{
    const char *domain = node->domain ? node->domain : "";
    if (strcmp(domain, "ai.onnx") == 0) domain = "";
    for (size_t i = 0; i < m->proto->n_opset_import; i++) {
        const char *known = m->proto->opset_import[i]->domain;
        if (!known || strcmp(known, "ai.onnx") == 0) known = "";
        if (strcmp(known, domain) == 0) return CLV_OK;
    }
    return clv_fail(
        err, CLV_EINVAL, "node '%s': operator %s of domain '%s', which the model does not import",
        node_text(node), node->op_type ? node->op_type : "?", *domain ? domain : "ai.onnx");
}

static clv_status read_node_values(clv_onnx *m, size_t i, int *seen, clv_error *err)
{
    const Onnx__NodeProto *node = m->proto->graph->node[i];
    if (!node->op_type || !*node->op_type)
        return clv_fail(err, CLV_EINVAL, "node '%s' has no operator", node_text(node));
    clv_status status = check_domain(m, node, err);
    if (status) return status;
    reads r = {.m = m, .seen = seen, .mark = (int)i + 1};
    status = read_node(&r, node, node, NULL, err);
    clv_node_values *v = &m->nodes[i];
    v->inputs = r.items;
    v->n_inputs = r.n;
    v->outputs = clv_alloc_array(node->n_output, sizeof *v->outputs);
    for (size_t k = 0; k < node->n_output; k++)
        if (*node->output[k])
            v->outputs[v->n_outputs++] = clv_names_get(&m->value_of, node->output[k]);
    return status;
}

/* ---- order ---- */

typedef struct visit {
    int node;
    size_t next; /* input to look at */
} visit;

enum { UNSEEN, OPEN, DONE };

/* The next unfinished node that `v` needs; -1: none. */
static int next_needed(const clv_onnx *m, const char *state, visit *v)
{
    const clv_node_values *node = &m->nodes[v->node];
    while (v->next < node->n_inputs) {
        const clv_value *value = &m->values[node->inputs[v->next++]];
        if (value->kind == CLV_VALUE_NODE && state[value->source] != DONE) return value->source;
    }
    return -1;
}

/* Depth first with an own stack; a file that is sorted, as ONNX wants it, keeps its order. */
static clv_status sort_nodes(clv_onnx *m, clv_error *err)
{
    size_t n = m->proto->graph->n_node, done = 0;
    m->order = clv_alloc_array(n, sizeof *m->order);
    CLV_AUTO(clv_free) char *state = clv_alloc_array(n, 1);
    CLV_AUTO(clv_free) visit *stack = clv_alloc_array(n + 1, sizeof *stack);
    for (size_t i = 0; i < n; i++) {
        size_t depth = 0;
        if (state[i] == UNSEEN) stack[depth++] = (visit){.node = (int)i};
        while (depth) {
            visit *top = &stack[depth - 1];
            state[top->node] = OPEN;
            int needed = next_needed(m, state, top);
            if (needed >= 0 && state[needed] == OPEN)
                return clv_fail(err, CLV_EINVAL, "the graph has a cycle through node '%s'",
                                node_text(m->proto->graph->node[needed]));
            if (needed >= 0) {
                stack[depth++] = (visit){.node = needed};
                continue;
            }
            state[top->node] = DONE;
            m->order[done++] = top->node;
            depth--;
        }
    }
    return CLV_OK;
}

bool clv_node_is_random(const Onnx__NodeProto *node)
{
    static const char *const random[] = {"RandomNormal",      "RandomNormalLike", "RandomUniform",
                                         "RandomUniformLike", "Multinomial",      "Bernoulli"};
    for (size_t i = 0; i < CLV_COUNT(random); i++)
        if (strcmp(node->op_type, random[i]) == 0) return true;
    return false;
}

static void mark_constants(clv_onnx *m)
{
    for (size_t i = 0; i < m->proto->graph->n_node; i++) {
        const clv_node_values *v = &m->nodes[m->order[i]];
        bool constant = !clv_node_is_random(m->proto->graph->node[m->order[i]]);
        for (size_t k = 0; k < v->n_inputs && constant; k++)
            constant = m->values[v->inputs[k]].constant;
        for (size_t k = 0; k < v->n_outputs; k++) m->values[v->outputs[k]].constant = constant;
    }
}

clv_status clv_onnx_read_values(clv_onnx *m, clv_error *err)
{
    const Onnx__GraphProto *g = m->proto->graph;
    clv_status status = number_values(m, err);
    m->nodes = clv_alloc_array(g->n_node, sizeof *m->nodes);
    CLV_AUTO(clv_free) int *seen = clv_alloc_array(m->n_values, sizeof *seen);
    for (size_t i = 0; i < g->n_node && !status; i++) status = read_node_values(m, i, seen, err);
    for (size_t i = 0; i < g->n_output && !status; i++)
        if (clv_names_get(&m->value_of, g->output[i]->name) < 0)
            status = clv_fail(err, CLV_EINVAL, "nothing makes the output '%s'", g->output[i]->name);
    if (!status) status = sort_nodes(m, err);
    if (!status) mark_constants(m);
    return status;
}
