/* The plan that is likeliest to be wanted next, made ready before it is wanted. */
#include "split/rig.h"

#include "split/splitter_priv.h"

/* The peer's link is slow: 20 kB/s. At cut C_AT 256 bytes cross it, at cut E_AT 12, but behind another 21 ms here. So C_AT is the
 * better one, and E_AT would be if the link were less than half as fast. */
enum { C_AT = 3, E_AT = 5, BYTE_NS = 50000, DEARER_US = 21000 };

static int start(void **state)
{
    rig *r = rig_new();
    r->s.byte_ns = BYTE_NS;
    edge_start(&r->e, r->folder, r->s.n.url, 2000000);
    clv_profile *p = profile_for(r->e.network, true, C_AT);
    p->cuts[C_AT + 1].prefix.us = p->cuts[E_AT].prefix.us = DEARER_US;
    edge_set_profile(&r->e, p);
    *state = r;
    return 0;
}

static bool plan_is(rig *r, size_t cut)
{
    char *plan = clv_splitter_plan(r->e.splitter);
    char *label =
        clv_cut_label(clv_network_cuts(r->e.network), clv_network_graph(r->e.network), cut);
    bool is = strcmp(plan, label) == 0;
    free(label);
    free(plan);
    return is;
}

static bool is_warm(rig *r, size_t cut)
{
    const clv_route route = clv_route_at(cut, (clv_codec){CLV_QUANT_RAW, CLV_PACK_NONE}, r->e.last);
    clv_deployment *d = clv_splitter_warm(r->e.splitter, &route);
    clv_deployment_unref(d);
    return d != NULL;
}

static void a_likelier_next_plan_is_kept_warm(void **state)
{
    rig *r = *state;
    await(plan_is(r, C_AT));
    await(is_warm(r, E_AT)); /* nobody asked, and nothing was ever run there */
    assert_true(plan_is(r, C_AT));
    assert_true(r->s.prepares >= 2);
    assert_int_equal(r->s.infers, 0);
    int compiled = r->e.engine->compiles;
    atomic_store(&r->e.engine->hold_compiles, true);
    edge_pin(&r->e, E_AT);
    clv_request *a = edge_ask(&r->e, 1);
    assert_int_equal(r->e.engine->compiles, compiled);
    atomic_store(&r->e.engine->hold_compiles, false); /* assert_right() compiles */
    assert_right(&r->e, a, 1);
    assert_true(plan_is(r, E_AT));
    assert_true(is_warm(r, C_AT)); /* the way back */
    assert_int_equal(r->s.infers, 1);
    clv_request_free(a);
}

/* Of the routes that were, the last ones stay; what goes back to one compiles nothing. */
static void some_plans_before_stay_warm(void **state)
{
    rig *r = *state;
    await(plan_is(r, C_AT));
    enum { FIRST = 1, LAST = FIRST + CLV_WARM_MAX + 1 };
    for (size_t cut = FIRST; cut <= LAST; cut++) edge_pin(&r->e, cut);
    assert_false(is_warm(r, FIRST));
    for (size_t cut = FIRST + 1; cut < LAST; cut++) assert_true(is_warm(r, cut));
    int compiled = r->e.engine->compiles;
    for (size_t cut = FIRST + 1; cut < LAST; cut++) edge_pin(&r->e, cut);
    assert_int_equal(r->e.engine->compiles, compiled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_likelier_next_plan_is_kept_warm, start, stop),
        cmocka_unit_test_setup_teardown(some_plans_before_stay_warm, start, stop),
    };
    return cmocka_run_group_tests_name("spare", tests, NULL, NULL);
}
