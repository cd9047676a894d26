/* What requests teach the planner's times: here, there, only what ran, and no more than fits. */
#include "split/learning.h"

#include "../graph/graph_maker.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A chain of three units: cuts 0 to 3, a millisecond a unit here, 0.1 there. */
typedef struct rig {
    clv_graph *g;
    clv_cuts *cuts;
    clv_plan_tables *t;
    clv_learning l;
} rig;

static clv_profile *profile_of(const rig *r, double us)
{
    clv_profile *p = clv_alloc(sizeof *p);
    snprintf(p->digest, sizeof p->digest, "%064d", 7);
    clv_profile_describe(p, r->g);
    for (size_t u = 0; u < p->n_units; u++) p->units[u].us = us;
    p->cuts = clv_alloc_array(r->cuts->n, sizeof *p->cuts);
    p->n_cuts = r->cuts->n;
    for (size_t i = 0; i < p->n_cuts; i++) {
        clv_profile_cut *c = &p->cuts[i];
        const clv_cut *cut = &r->cuts->items[i];
        c->label = clv_cut_label(r->cuts, r->g, i);
        c->live = clv_alloc_array(cut->n_live, sizeof *c->live);
        for (size_t k = 0; k < cut->n_live; k++)
            c->live[c->n_live++] = clv_strdup(r->g->tensors[cut->live[k]].name);
        if (i > 0) c->prefix = (clv_time){us * (double)i, 0, 9};
        if (i + 1 < p->n_cuts) c->suffix = (clv_time){us * (double)(p->n_cuts - 1 - i), 0, 9};
    }
    return p;
}

static int start(void **state)
{
    rig *r = clv_alloc(sizeof *r);
    clv_error err = {0};
    r->g = graph_new();
    int x = add_input(r->g, "x");
    r->g->tensors[add_chain(r->g, x, 3)].is_output = true;
    assert_ok(clv_cuts_enumerate(r->g, CLV_CUTS_CAP, &r->cuts, &err), err);
    clv_profile *here = profile_of(r, 1000), *there = profile_of(r, 100);
    clv_plan_sources from = {
        .graph = r->g, .cuts = r->cuts, .profiles = {here, there}, .n_devices = 2};
    assert_ok(clv_plan_tables_new(&from, &r->t, &err), err);
    clv_profile_free(here);
    clv_profile_free(there);
    clv_learning_init(&r->l, r->cuts->n);
    *state = r;
    return 0;
}

static int stop(void **state)
{
    rig *r = *state;
    clv_learning_done(&r->l);
    clv_plan_tables_free(r->t);
    clv_cuts_free(r->cuts);
    clv_graph_free(r->g);
    free(r);
    return 0;
}

static void saw(rig *r, size_t cut, clv_timing t)
{
    clv_route route = clv_route_at(cut, (clv_codec){0}, 3);
    clv_learning_saw(&r->l, &route, &t, &(clv_trip){0});
}

static double here_us(const rig *r, size_t cut)
{
    return (double)r->t->problem.devices[0].prefix[cut].ns / 1000;
}

static double there_us(const rig *r, size_t cut)
{
    return (double)r->t->problem.devices[1].suffix[cut].ns / 1000;
}

static void both_sides_are_corrected_apart(void **state)
{
    rig *r = *state;
    for (int i = 0; i < 60; i++) {
        saw(r, 1, (clv_timing){.edge_us = 1300, .cloud_us = 180});
        clv_learning_apply(&r->l, r->t);
    }
    assert_true(fabs(here_us(r, 1) / 1300 - 1) < 0.03);
    assert_true(fabs(there_us(r, 1) / 180 - 1) < 0.03);
    assert_true(fabs(here_us(r, 3) / 3900 - 1) < 0.07); /* a third of it ran */
    assert_true(fabs(there_us(r, 0) / 270 - 1) < 0.05);
}

static void what_did_not_run_teaches_nothing(void **state)
{
    rig *r = *state;
    for (int i = 0; i < 20; i++) saw(r, 3, (clv_timing){.edge_us = 6000});
    clv_learning_apply(&r->l, r->t);
    assert_true(here_us(r, 3) > 5000);
    assert_true(there_us(r, 0) == 300);
}

static void more_than_fits_is_left_out(void **state)
{
    rig *r = *state;
    for (int i = 0; i < 10 * CLV_SIGHTINGS_MAX; i++)
        saw(r, 1, (clv_timing){.edge_us = 1000, .cloud_us = 200});
    clv_learning_apply(&r->l, r->t);
    assert_true(fabs(here_us(r, 1) / 1000 - 1) < 0.01);
    double before = here_us(r, 2);
    clv_learning_apply(&r->l, r->t); /* nothing new */
    assert_true(here_us(r, 2) == before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_sides_are_corrected_apart, start, stop),
        cmocka_unit_test_setup_teardown(what_did_not_run_teaches_nothing, start, stop),
        cmocka_unit_test_setup_teardown(more_than_fits_is_left_out, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
