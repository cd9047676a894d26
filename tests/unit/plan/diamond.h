/* A small network with two branches, and profiles of it that are made up.
 *
 *     net n = diamond();
 *     clv_profile *p = profile_of(&n, "pi", 10);       // 10 us a unit
 *     clv_profile_free(p);
 *     net_done(&n);
 */
#ifndef CLV_TESTS_PLAN_DIAMOND_H
#define CLV_TESTS_PLAN_DIAMOND_H

#include "../graph/graph_maker.h"
#include "cost/profile.h"
#include "graph/cuts.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

typedef struct net {
    clv_graph *g;
    clv_cuts *cuts;
} net;

/* Two branches of two units that join: nine cuts. */
static inline net diamond(void)
{
    clv_error err = {0};
    net n = {.g = graph_new()};
    int x = add_input(n.g, "x"), a = add_chain(n.g, x, 2), b = add_chain(n.g, x, 2);
    int y = add_next(n.g, (int[]){a, b}, 2);
    n.g->tensors[y].is_output = true;
    assert_ok(clv_cuts_enumerate(n.g, CLV_CUTS_CAP, &n.cuts, &err), err);
    return n;
}

static inline void net_done(net *n)
{
    clv_cuts_free(n->cuts);
    clv_graph_free(n->g);
}

/* All cuts measured: a prefix takes `us` a unit, and so does a suffix. */
static inline clv_profile *profile_of(const net *n, const char *device, double us)
{
    clv_profile *p = clv_alloc(sizeof *p);
    memcpy(p->digest, DIGEST, sizeof DIGEST);
    snprintf(p->device, sizeof p->device, "%s", device);
    snprintf(p->model, sizeof p->model, "diamond");
    clv_profile_describe(p, n->g);
    for (size_t u = 0; u < p->n_units; u++) p->units[u].us = us;
    p->cuts = clv_alloc_array(n->cuts->n, sizeof *p->cuts);
    p->n_cuts = n->cuts->n;
    for (size_t i = 0; i < p->n_cuts; i++) {
        const clv_cut *cut = &n->cuts->items[i];
        clv_profile_cut *c = &p->cuts[i];
        c->label = clv_cut_label(n->cuts, n->g, i);
        c->live = clv_alloc_array(cut->n_live, sizeof *c->live);
        for (size_t k = 0; k < cut->n_live; k++) /* in another order than the graph's */
            c->live[c->n_live++] = clv_strdup(n->g->tensors[cut->live[cut->n_live - 1 - k]].name);
        double before = us * (double)cut->n_units, all = us * (double)n->g->n_units;
        if (i > 0) c->prefix = (clv_time){before, 2, 9};
        if (i + 1 < p->n_cuts) c->suffix = (clv_time){all - before, 3.5, 9};
    }
    return p;
}

#endif
