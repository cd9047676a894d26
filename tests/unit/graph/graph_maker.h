/* Graphs for tests, tensor by tensor and unit by unit.
 *
 *     clv_graph *g = graph_new();
 *     int x = add_input(g, "x");
 *     int y = add_unit(g, "conv", (int[]){x}, 1);   // its output is named "conv.0"
 *     g->tensors[y].is_output = true;
 */
#ifndef CLV_TESTS_GRAPH_MAKER_H
#define CLV_TESTS_GRAPH_MAKER_H

#include "base/mem.h"
#include "graph/graph.h"

#include <stdlib.h>

enum { MAKER_UNITS = 600, MAKER_TENSORS = 1200 };

static inline clv_graph *graph_new(void)
{
    clv_graph *g = clv_alloc(sizeof *g);
    g->units = clv_alloc_array(MAKER_UNITS, sizeof *g->units);
    g->tensors = clv_alloc_array(MAKER_TENSORS, sizeof *g->tensors);
    return g;
}

static inline int add_tensor(clv_graph *g, char *take_name, int producer)
{
    int t = (int)g->n_tensors++;
    g->tensors[t] = (clv_graph_tensor){.name = take_name,
                                       .dtype = CLV_F32,
                                       .shape = clv_shape_of(2, 1, t + 1),
                                       .bytes = 4 * ((size_t)t + 1),
                                       .producer = producer,
                                       .is_input = producer == CLV_NO_UNIT};
    return t;
}

static inline int add_input(clv_graph *g, const char *name)
{
    return add_tensor(g, clv_strdup(name), CLV_NO_UNIT);
}

/* One more output of unit `u`. */
static inline int add_output(clv_graph *g, int u)
{
    clv_unit *unit = &g->units[u];
    int t = add_tensor(g, clv_format("%s.%zu", unit->name, unit->n_outputs), u);
    unit->outputs = realloc(unit->outputs, (unit->n_outputs + 1) * sizeof *unit->outputs);
    unit->outputs[unit->n_outputs++] = t;
    return t;
}

/* A unit with one output, whose tensor is returned. */
static inline int add_unit(clv_graph *g, const char *name, const int *inputs, size_t n)
{
    int u = (int)g->n_units++;
    clv_unit *unit = &g->units[u];
    unit->name = clv_strdup(name);
    unit->op = clv_strdup("Test");
    unit->inputs = clv_alloc_array(n, sizeof *unit->inputs);
    for (size_t i = 0; i < n; i++) {
        clv_graph_tensor *t = &g->tensors[inputs[i]];
        unit->inputs[unit->n_inputs++] = inputs[i];
        if (t->n_consumers && t->consumers[t->n_consumers - 1] == u) continue;
        t->consumers = realloc(t->consumers, (t->n_consumers + 1) * sizeof *t->consumers);
        t->consumers[t->n_consumers++] = u;
    }
    return add_output(g, u);
}

/* A unit of a generated name. */
static inline int add_next(clv_graph *g, const int *inputs, size_t n)
{
    char *name = clv_format("u%zu", g->n_units);
    int t = add_unit(g, name, inputs, n);
    free(name);
    return t;
}

/* `length` units in a row behind tensor `t`; returns the last tensor. */
static inline int add_chain(clv_graph *g, int t, int length)
{
    for (int i = 0; i < length; i++) t = add_next(g, &t, 1);
    return t;
}

#endif
