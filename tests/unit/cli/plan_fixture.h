/* A small network as profiles and devices, for the tests of `cleave plan`:
 *
 *     x 602112 B -> conv1 774400 B -> pool5 43264 B -> output 4000 B
 */
#ifndef CLV_TESTS_CLI_PLAN_FIXTURE_H
#define CLV_TESTS_CLI_PLAN_FIXTURE_H

#include "cli/plan_devices.h"
#include "graph/graph_maker.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline int fixture_sized(clv_graph *g, int tensor, int elements)
{
    g->tensors[tensor].shape = clv_shape_of(2, 1, elements);
    g->tensors[tensor].bytes = 4 * (size_t)elements;
    return tensor;
}

static inline clv_graph *fixture_graph(void)
{
    clv_graph *g = graph_new();
    int t = fixture_sized(g, add_input(g, "x"), 150528);
    t = fixture_sized(g, add_unit(g, "conv1", &t, 1), 193600);
    t = fixture_sized(g, add_unit(g, "pool5", &t, 1), 10816);
    t = fixture_sized(g, add_unit(g, "fc", &t, 1), 1000);
    g->tensors[t].is_output = true;
    for (size_t u = 0; u < g->n_units; u++) g->units[u].weight_bytes = 1000000;
    return g;
}

static inline clv_profile *fixture_profile(const clv_graph *g, const clv_cuts *cuts,
                                           const char *device, double us_a_unit)
{
    clv_profile *p = clv_alloc(sizeof *p);
    snprintf(p->model, sizeof p->model, "net");
    memset(p->digest, 'a', CLV_DIGEST_TEXT - 1);
    snprintf(p->device, sizeof p->device, "%s", device);
    snprintf(p->engine, sizeof p->engine, "test engine");
    p->threads = 1;
    p->slowdown = 1;
    clv_profile_describe(p, g);
    for (size_t u = 0; u < p->n_units; u++) p->units[u].us = us_a_unit;
    p->cuts = clv_alloc_array(cuts->n, sizeof *p->cuts);
    p->n_cuts = cuts->n;
    for (size_t i = 0; i < cuts->n; i++) {
        const clv_cut *cut = &cuts->items[i];
        clv_profile_cut *c = &p->cuts[i];
        c->label = clv_cut_label(cuts, g, i);
        c->live = clv_alloc_array(cut->n_live, sizeof *c->live);
        for (size_t k = 0; k < cut->n_live; k++)
            c->live[c->n_live++] = clv_strdup(g->tensors[cut->live[k]].name);
        c->up_bytes = cut->bytes;
        c->down_bytes = i + 1 < cuts->n ? 4000 : 0;
        if (i > 0) c->prefix = (clv_time){us_a_unit * (double)cut->n_units, 1, 9};
        if (i + 1 < cuts->n)
            c->suffix = (clv_time){us_a_unit * (double)(g->n_units - cut->n_units), 1, 9};
    }
    return p;
}

/* Devices "edge" (slow) and "cloud" (fast), or with three "hub" between them; all links alike. */
static inline clv_plan_devices fixture_devices(size_t n, const char *link_text)
{
    static const char *const names[] = {"edge", "hub", "cloud"};
    static const double us[] = {300000, 50000, 10000};
    clv_error err = {0};
    clv_plan_devices d = {.files = {.graph = fixture_graph(), .n = n}};
    clv_link link;
    assert_ok(clv_link_parse(link_text, &link, &err), err);
    assert_ok(clv_cuts_enumerate(d.files.graph, CLV_CUTS_CAP, &d.files.cuts, &err), err);
    clv_plan_sources from = {.graph = d.files.graph, .cuts = d.files.cuts, .n_devices = n};
    for (size_t k = 0; k < n; k++) {
        size_t which = k + 1 == n ? 2 : k;
        from.profiles[k] = d.files.profiles[k] =
            fixture_profile(d.files.graph, d.files.cuts, names[which], us[which]);
        if (k + 1 < n) from.links[k] = link;
    }
    assert_ok(clv_plan_tables_new(&from, &d.tables, &err), err);
    return d;
}

static inline void fixture_watts(clv_plan_devices *d)
{
    clv_plan_problem *p = &d->tables->problem;
    p->devices[0].active_mw = 7000;
    p->devices[0].idle_mw = 2000;
    for (size_t k = 0; k + 1 < d->files.n; k++) p->hops[k].tx_mw = 1200;
    p->devices[d->files.n - 1].price_pm_per_s = 1000000;
}

#endif
