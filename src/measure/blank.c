/* clv_profiler_blank(): what is known of a network before anything is timed. */
#include "base/mem.h"
#include "measure/cut_choice.h"
#include "measure/profiler.h"

#include <stdio.h>

static clv_profile_cut blank_cut(const clv_graph *g, const clv_cuts *cuts, size_t i)
{
    const clv_cut *cut = &cuts->items[i];
    clv_profile_cut c = {.label = clv_cut_label(cuts, g, i),
                         .live = clv_alloc_array(cut->n_live, sizeof *c.live),
                         .n_live = cut->n_live,
                         .up_bytes = cut->bytes,
                         .down_bytes = i + 1 < cuts->n ? clv_cut_down_bytes(g, cut) : 0};
    for (size_t k = 0; k < cut->n_live; k++) c.live[k] = clv_strdup(g->tensors[cut->live[k]].name);
    return c;
}

clv_profile *clv_profiler_blank(const clv_network *network)
{
    const clv_graph *g = clv_network_graph(network);
    const clv_cuts *cuts = clv_network_cuts(network);
    clv_profile *p = clv_alloc(sizeof *p);
    snprintf(p->model, sizeof p->model, "%s", clv_network_path(network));
    snprintf(p->digest, sizeof p->digest, "%s", clv_network_digest(network));
    p->slowdown = 1;
    p->cuts = clv_alloc_array(cuts->n, sizeof *p->cuts);
    p->n_cuts = cuts->n;
    for (size_t i = 0; i < cuts->n; i++) p->cuts[i] = blank_cut(g, cuts, i);
    clv_profile_describe(p, g);
    return p;
}
