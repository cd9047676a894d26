/* The exact policy over three real nodes (serve/trio.h): it uses all three, or passes one by, as their profiles and the links
 * between them say; whoever is lost is planned around and gets its work back; all answers are the uncut network's. Each node really takes
 * what its profile says (split/counting.h), so that what requests teach confirms it. */
#include "serve/trio.h"

#include "measure/profile_cache.h"

/* What making a tensor of the chain takes, in microseconds. */
enum { FAST = 300, FAIR = 30000, SLOW = 60000 };

/* a b c d e y */
typedef int64_t steps[COUNTING_STEPS];
static const steps until_b = {FAST, FAST, SLOW, SLOW, SLOW, SLOW};
static const steps until_d = {SLOW, SLOW, FAST, FAST, FAIR, FAIR};
static const steps behind_b = {SLOW, SLOW, FAST, FAST, FAST, FAST};
static const steps behind_d = {SLOW, SLOW, FAIR, FAIR, FAST, FAST};
static const steps nothing = {SLOW, SLOW, SLOW, SLOW, SLOW, SLOW};

/* Where the node finds it when it starts. */
static void keep_profile(const rig *r, const char *folder, const int64_t *step_us, double sigma_us)
{
    clv_error err = {0};
    counting *engine = counting_new();
    clv_network *network = open_chain(folder, engine);
    clv_profile *p = profile_of_steps(network, step_us, sigma_us);
    snprintf(p->device, sizeof p->device, "%s", engine->base.device);
    snprintf(p->engine, sizeof p->engine, "%s", engine->base.description);
    assert_ok(clv_profile_cache_put(r->profiles, p, &err), err);
    clv_profile_free(p);
    clv_network_unref(network);
    clv_engine_free(&engine->base);
}

static void set_steps(counting *engine, const int64_t *step_us)
{
    for (int k = 0; k < COUNTING_STEPS; k++) engine->step_us[k] = step_us[k];
}

/* The edge is fast until b. */
static int start_with(void **state, const int64_t *of_gateway, const int64_t *of_cloud,
                      double sigma_us)
{
    trio *t = trio_new();
    *state = t;
    t->gateway.r.step_us = of_gateway;
    t->cloud.r.step_us = of_cloud;
    keep_profile(&t->gateway.r, t->edge_folder, of_gateway, sigma_us);
    keep_profile(&t->cloud.r, t->edge_folder, of_cloud, sigma_us);
    trio_begin(t);
    node_begin(&t->gateway);
    start_edge(t, CLV_POLICY_EXACT);
    set_steps(t->e.engine, until_b);
    edge_set_profile(&t->e, profile_of_steps(t->e.network, until_b, sigma_us));
    await(edge_settled(&t->e));
    return 0;
}

static int start_all_good(void **state)
{
    return start_with(state, until_d, behind_d, 0);
}

/* So unsure that no gain is beyond the noise. */
static int start_unsure(void **state)
{
    return start_with(state, until_d, behind_d, 1e6);
}

static int start_poor_gateway(void **state)
{
    return start_with(state, nothing, behind_b, 0);
}

static int start_poor_cloud(void **state)
{
    return start_with(state, behind_b, nothing, 0);
}

/* The right answer is made without taking long. */
static void check(trio *t, const clv_request *r)
{
    set_steps(t->e.engine, (const steps){0});
    assert_right(&t->e, r, 1);
    set_steps(t->e.engine, until_b);
}

/* Asks until a request runs as this plan says, on so many nodes besides the edge, and nobody was lost; NULL: none did in time. Every
 * answer is right. */
static clv_request *soon_on(trio *t, const char *plan, size_t nodes, int64_t wait_us)
{
    for (int64_t until = clv_now_us() + wait_us; clv_now_us() < until;) {
        clv_request *r = edge_ask(&t->e, 1);
        check(t, r);
        if (strcmp(r->plan, plan) == 0 && r->trip.n == nodes && !r->recovered[0]) return r;
        clv_request_free(r);
        clv_sleep_us(2000);
    }
    return NULL;
}

static clv_request *settled_on(trio *t, const char *plan, size_t nodes)
{
    clv_request *r = soon_on(t, plan, nodes, 3 * EDGE_WAIT_US);
    if (!r) fail_msg("no request ran as '%s'", plan);
    return r;
}

static void it_uses_all_three(void **state)
{
    trio *t = *state;
    clv_request *r = settled_on(t, "b > d", 2);
    const clv_trip_node *first = &r->trip.nodes[0], *second = &r->trip.nodes[1];
    assert_true(first->compute_us >= 2 * FAST && second->compute_us >= 2 * FAST);
    assert_true(r->predicted.us.total_us > 0);
    clv_request_free(r);
}

static void it_has_a_poor_gateway_hand_on(void **state)
{
    trio *t = *state;
    clv_request *r = settled_on(t, "b > b", 2);
    assert_int_equal(r->trip.nodes[0].compute_us, 0);
    assert_int_equal(t->gateway.r.engine->tails, 0);
    clv_request_free(r);
}

static void it_ends_before_a_poor_cloud(void **state)
{
    trio *t = *state;
    int before = t->cloud.r.engine->tails;
    clv_request_free(settled_on(t, "b", 1));
    assert_int_equal(t->cloud.r.engine->tails, before);
}

static void a_lost_gateway_is_planned_around(void **state)
{
    trio *t = *state;
    clv_request_free(settled_on(t, "b > d", 2));
    cloud_stop(&t->gateway);
    clv_request_free(settled_on(t, "b", 1));
    cloud_start(&t->gateway);
    clv_request_free(settled_on(t, "b > d", 2));
}

/* The gateway finishes for it, and its answers say so: the edge plans anew at its next look, not when the next look at a chain is due. */
static void a_lost_cloud_is_planned_without(void **state)
{
    trio *t = *state;
    clv_request_free(settled_on(t, "b > d", 2));
    cloud_stop(&t->cloud);
    clv_request_free(settled_on(t, "b", 1));
    cloud_start(&t->cloud);
    clv_request_free(settled_on(t, "b > d", 2));
}

/* Who comes back is chosen afresh, by the best guess: on a busy machine its link may seem too slow at first, so it may come back again. */
static void a_cloud_that_came_back_is_used_however_unsure(void **state)
{
    trio *t = *state;
    clv_request *r = NULL;
    for (int tries = 0; tries < 10 && !r; tries++) {
        cloud_stop(&t->cloud);
        clv_request_free(settled_on(t, "b", 1));
        cloud_start(&t->cloud);
        r = soon_on(t, "b > d", 2, 5000000);
    }
    assert_non_null(r);
    clv_request_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_uses_all_three, start_all_good, stop_trio),
        cmocka_unit_test_setup_teardown(it_has_a_poor_gateway_hand_on, start_poor_gateway,
                                        stop_trio),
        cmocka_unit_test_setup_teardown(it_ends_before_a_poor_cloud, start_poor_cloud, stop_trio),
        cmocka_unit_test_setup_teardown(a_lost_gateway_is_planned_around, start_all_good,
                                        stop_trio),
        cmocka_unit_test_setup_teardown(a_lost_cloud_is_planned_without, start_all_good, stop_trio),
        cmocka_unit_test_setup_teardown(a_cloud_that_came_back_is_used_however_unsure, start_unsure,
                                        stop_trio),
    };
    return cmocka_run_group_tests_name("exact_chain", tests, NULL, NULL);
}
