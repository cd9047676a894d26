#include "graph/graph.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void clv_graph_free(clv_graph *g)
{
    if (!g) return;
    for (size_t i = 0; g->units && i < g->n_units; i++) {
        free(g->units[i].name);
        free(g->units[i].op);
        free(g->units[i].inputs);
        free(g->units[i].outputs);
    }
    for (size_t i = 0; g->tensors && i < g->n_tensors; i++) {
        free(g->tensors[i].name);
        free(g->tensors[i].consumers);
    }
    free(g->units);
    free(g->tensors);
    free(g);
}

static int by_text(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

/* Sorts `names` in place. */
static clv_status check_unique(const char **names, size_t n, const char *what, clv_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (!names[i]) return clv_fail(err, CLV_EINVAL, "a %s has no name", what);
    qsort(names, n, sizeof *names, by_text);
    for (size_t i = 1; i < n; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            return clv_fail(err, CLV_EINVAL, "two %ss are named '%s'", what, names[i]);
    return CLV_OK;
}

static clv_status check_names(const clv_graph *g, clv_error *err)
{
    CLV_AUTO(clv_free)
    const char **names = clv_alloc_array(CLV_MAX(g->n_units, g->n_tensors), sizeof *names);
    for (size_t i = 0; i < g->n_units; i++) names[i] = g->units[i].name;
    clv_status st = check_unique(names, g->n_units, "unit", err);
    if (st) return st;
    for (size_t i = 0; i < g->n_tensors; i++) names[i] = g->tensors[i].name;
    return check_unique(names, g->n_tensors, "tensor", err);
}

static bool holds(const int *items, size_t n, int value)
{
    for (size_t i = 0; i < n; i++)
        if (items[i] == value) return true;
    return false;
}

static clv_status check_unit(const clv_graph *g, int u, clv_error *err)
{
    const clv_unit *unit = &g->units[u];
    for (size_t i = 0; i < unit->n_inputs; i++) {
        int t = unit->inputs[i];
        if (t < 0 || (size_t)t >= g->n_tensors)
            return clv_fail(err, CLV_EINVAL, "unit '%s': input %d of %zu tensors", unit->name, t,
                            g->n_tensors);
        if (g->tensors[t].producer >= u)
            return clv_fail(err, CLV_EINVAL, "unit '%s' needs '%s', which is made later",
                            unit->name, g->tensors[t].name);
        if (!holds(g->tensors[t].consumers, g->tensors[t].n_consumers, u))
            return clv_fail(err, CLV_EINVAL, "tensor '%s' does not know its consumer '%s'",
                            g->tensors[t].name, unit->name);
    }
    for (size_t i = 0; i < unit->n_outputs; i++) {
        int t = unit->outputs[i];
        if (t < 0 || (size_t)t >= g->n_tensors)
            return clv_fail(err, CLV_EINVAL, "unit '%s': output %d of %zu tensors", unit->name, t,
                            g->n_tensors);
        if (g->tensors[t].producer != u)
            return clv_fail(err, CLV_EINVAL, "tensor '%s' does not know its producer '%s'",
                            g->tensors[t].name, unit->name);
    }
    return CLV_OK;
}

static clv_status check_tensor(const clv_graph *g, int t, clv_error *err)
{
    const clv_graph_tensor *tensor = &g->tensors[t];
    int p = tensor->producer;
    if (p < CLV_NO_UNIT || (p >= 0 && (size_t)p >= g->n_units))
        return clv_fail(err, CLV_EINVAL, "tensor '%s': producer %d of %zu units", tensor->name, p,
                        g->n_units);
    if (p != CLV_NO_UNIT && !holds(g->units[p].outputs, g->units[p].n_outputs, t))
        return clv_fail(err, CLV_EINVAL, "unit '%s' does not make '%s'", g->units[p].name,
                        tensor->name);
    if (tensor->is_input != (p == CLV_NO_UNIT))
        return clv_fail(err, CLV_EINVAL, "tensor '%s' is %s", tensor->name,
                        tensor->is_input ? "an input and made inside" : "made by nobody");
    if (tensor->shape.rank < 0 && tensor->bytes)
        return clv_fail(err, CLV_EINVAL, "tensor '%s': %zu bytes of unknown shape", tensor->name,
                        tensor->bytes);
    int last = -1;
    for (size_t i = 0; i < tensor->n_consumers; i++) {
        int c = tensor->consumers[i];
        if (c <= last || (size_t)c >= g->n_units)
            return clv_fail(err, CLV_EINVAL, "tensor '%s': consumers are not ascending units",
                            tensor->name);
        if (!holds(g->units[c].inputs, g->units[c].n_inputs, t))
            return clv_fail(err, CLV_EINVAL, "unit '%s' does not use '%s'", g->units[c].name,
                            tensor->name);
        last = c;
    }
    return CLV_OK;
}

clv_status clv_graph_check(const clv_graph *g, clv_error *err)
{
    if (g->n_units > CLV_UNITS_MAX)
        return clv_fail(err, CLV_ELIMIT, "%zu units, at most %d", g->n_units, CLV_UNITS_MAX);
    if (g->n_tensors > CLV_GRAPH_TENSORS_MAX)
        return clv_fail(err, CLV_ELIMIT, "%zu tensors, at most %d", g->n_tensors,
                        CLV_GRAPH_TENSORS_MAX);
    clv_status st = check_names(g, err);
    for (size_t i = 0; !st && i < g->n_units; i++) st = check_unit(g, (int)i, err);
    for (size_t i = 0; !st && i < g->n_tensors; i++) st = check_tensor(g, (int)i, err);
    return st;
}

int clv_graph_tensor_index(const clv_graph *g, const char *name)
{
    for (size_t i = 0; i < g->n_tensors; i++)
        if (strcmp(g->tensors[i].name, name) == 0) return (int)i;
    return -1;
}

uint64_t clv_graph_macs(const clv_graph *g)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < g->n_units; i++) sum += g->units[i].macs;
    return sum;
}

uint64_t clv_graph_params(const clv_graph *g)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < g->n_units; i++) sum += g->units[i].params;
    return sum;
}
