#include "split/guard.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

/* Does a unit outside of the ideal read or make what stays? */
static bool leaks(const clv_graph *g, const clv_cut *cut, const bool *stays)
{
    for (size_t u = 0; u < g->n_units; u++) {
        const clv_unit *unit = &g->units[u];
        if (clv_cut_has(cut, (int)u)) continue;
        for (size_t i = 0; i < unit->n_inputs; i++)
            if (stays[unit->inputs[i]]) return true;
        for (size_t i = 0; i < unit->n_outputs; i++)
            if (stays[unit->outputs[i]]) return true;
    }
    return false;
}

void clv_guard_init(clv_guard *g, const clv_network *network, const clv_privacy *privacy)
{
    const clv_graph *graph = clv_network_graph(network);
    const clv_cuts *cuts = clv_network_cuts(network);
    clv_error err = {0};
    *g = (clv_guard){.network = network};
    atomic_init(&g->withheld, 0);
    if (!privacy || !clv_privacy_any(privacy)) return;
    g->stays = clv_alloc_array(graph->n_tensors, sizeof *g->stays);
    g->allowed = clv_alloc_array(cuts->n, sizeof *g->allowed);
    if (clv_privacy_tensors(privacy, graph, g->stays, &err)) {
        snprintf(g->misfit, sizeof g->misfit, "%s", err.text);
        for (size_t t = 0; t < graph->n_tensors; t++) g->stays[t] = true;
    }
    for (size_t i = 0; i < cuts->n; i++) g->allowed[i] = !leaks(graph, &cuts->items[i], g->stays);
}

void clv_guard_done(clv_guard *g)
{
    free(g->stays);
    free(g->allowed);
    g->stays = g->allowed = NULL;
}

bool clv_guard_allows(const clv_guard *g, size_t cut)
{
    return !g->allowed || g->allowed[cut];
}

clv_status clv_guard_check(clv_guard *g, size_t cut, const clv_tensor *tensors, size_t n,
                           clv_error *err)
{
    if (!g->stays) return CLV_OK;
    const clv_graph *graph = clv_network_graph(g->network);
    clv_status s = CLV_OK;
    for (size_t i = 0; i < n && s == CLV_OK; i++) {
        int t = clv_graph_tensor_index(graph, tensors[i].name);
        if (t < 0 || g->stays[t])
            s = clv_fail(err, CLV_EDENIED, "tensor '%.200s' must stay on this device%s",
                         tensors[i].name, t < 0 ? ": the network does not have it" : "");
    }
    if (s == CLV_OK && !clv_guard_allows(g, cut))
        s = clv_fail(err, CLV_EDENIED, "the part behind cut %zu must stay on this device", cut);
    if (s != CLV_OK) atomic_fetch_add(&g->withheld, 1);
    return s;
}
