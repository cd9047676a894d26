/* What must stay is never sent: not by a plan, not by a pin, and not when both are bypassed. The
 * chain's cut i is behind its first i units: 0 at x, 1 at a, ... 5 at e, 6 all here. */
#include "split/splitter_priv.h"
#include "split/tapped.h"

#define PATIENCE_US 2000000

static int start(void **state)
{
    tapped *s = tapped_new();
    *state = s;
    return 0;
}

static void follow(tapped *s, const char *policy)
{
    edge_start_private(&s->r->e, s->r->folder, s->t.url, PATIENCE_US, policy);
}

/* A question that meets a cut which was deployed behind the planner's back, as a fault of the
 * program might; on the loop's thread, so that the planner does not come in between. */
typedef struct forced {
    edge *e;
    clv_deployment *take;
    clv_request *question;
} forced;

static void force_step(void *arg)
{
    forced *f = arg;
    clv_splitter_deploy(f->e->splitter, f->take);
    clv_splitter_run(f->e->splitter, f->question);
}

static clv_request *ask_forced(edge *e, size_t cut, int rows)
{
    asked a;
    forced f = {.e = e, .question = question(&a, numbers("x", rows, 4))};
    clv_error err = {0};
    clv_route route = clv_route_at(cut, (clv_codec){0}, e->last);
    assert_ok(clv_deployment_new(e->network, 0, &route, &f.take, &err), err);
    f.take->expected_remote_us = 10000000; /* nobody hurries it */
    clv_loop_post(e->loop, force_step, &f);
    return answer_of(&a);
}

static bool plan_is(edge *e, const char *label)
{
    char *plan = clv_splitter_plan(e->splitter);
    bool is = strcmp(plan, label) == 0;
    free(plan);
    return is;
}

static void the_planner_does_not_propose_it(void **state)
{
    tapped *s = *state;
    edge *e = &s->r->e;
    follow(s, "tensor:d"); /* cut 3, the best, would let the peer make d */
    edge_set_profile(e, profile_for(e->network, true, s->r->s.best));
    await(edge_settled(e));
    for (int i = 0; i < 3; i++) {
        clv_request *a = edge_ask(e, 1);
        assert_right(e, a, 1);
        assert_string_equal(a->plan, "local");
        assert_string_equal(a->recovered, "");
        clv_request_free(a);
    }
    assert_int_equal(s->r->s.infers + s->r->s.prepares, 0);
    assert_int_equal(clv_splitter_withheld(e->splitter), 0);
}

static void what_may_leave_still_does(void **state)
{
    tapped *s = *state;
    edge *e = &s->r->e;
    follow(s, "input,tensor:b");
    edge_set_profile(e, profile_for(e->network, true, s->r->s.best));
    char *label = clv_cut_label(clv_network_cuts(e->network), clv_network_graph(e->network), 3);
    await(plan_is(e, label));
    clv_request *a = edge_ask(e, 2);
    assert_right(e, a, 2);
    assert_string_equal(a->plan, label);
    assert_string_equal(a->recovered, "");
    assert_int_equal(s->r->s.infers, 1);
    clv_request_free(a);
    free(label);
}

static void a_pin_is_refused(void **state)
{
    tapped *s = *state;
    follow(s, "tensor:d");
    for (int cut = 0; cut <= 4; cut++) {
        clv_error err = edge_try_pin(&s->r->e, cut);
        assert_int_equal(err.status, CLV_EDENIED);
        assert_non_null(strstr(err.text, "privacy keeps what is behind it here"));
    }
    edge_pin(&s->r->e, 5);
    clv_request *a = edge_ask(&s->r->e, 1);
    assert_right(&s->r->e, a, 1);
    assert_string_equal(a->recovered, "");
    assert_int_equal(s->r->s.infers, 1);
    clv_request_free(a);
    edge_pin(&s->r->e, 6);
}

static void the_sender_stops_what_a_fault_would_send(void **state)
{
    tapped *s = *state;
    edge *e = &s->r->e;
    follow(s, "tensor:d");
    for (size_t cut = 0; cut <= 4; cut++) {
        clv_request *a = ask_forced(e, cut, 3);
        assert_right(e, a, 3);
        if (!strstr(a->recovered, "must stay on this device"))
            fail_msg("cut %zu: '%s'", cut, a->recovered);
        assert_int_equal(a->timing.link_us + a->timing.cloud_us + a->timing.lost_us, 0);
        clv_request_free(a);
        assert_int_equal(clv_splitter_withheld(e->splitter), cut + 1);
        await(plan_is(e, "local")); /* and from then on */
    }
    assert_int_equal(s->r->s.infers, 0);
    assert_int_equal(e->engine->prefixes, 4); /* none of them twice; cut 0 has none */
    clv_request *a = ask_forced(e, 5, 1);
    assert_right(e, a, 1);
    assert_string_equal(a->recovered, "");
    assert_int_equal(s->r->s.infers, 1);
    clv_request_free(a);
}

static void a_policy_that_does_not_fit_keeps_everything(void **state)
{
    tapped *s = *state;
    edge *e = &s->r->e;
    follow(s, "tensor:nobody");
    for (int cut = 0; cut < 6; cut++) assert_int_equal(edge_try_pin(e, cut).status, CLV_EDENIED);
    edge_set_profile(e, profile_for(e->network, true, s->r->s.best));
    await(edge_settled(e));
    assert_true(plan_is(e, "local"));
    clv_request *a = ask_forced(e, 5, 1);
    assert_right(e, a, 1);
    assert_int_equal(s->r->s.infers, 0);
    clv_request_free(a);
}

/* Does the wire carry a row of the input that edge_ask() asks about? */
static bool wire_has_input(tapped *s, int rows)
{
    clv_tensor x = numbers("x", rows, 4);
    bool saw = false;
    for (int i = 0; i < rows; i++) saw = saw || tap_saw(&s->t, (const char *)x.data + 16 * i, 16);
    clv_tensor_done(&x);
    return saw;
}

static void ask_at(tapped *s, int cut, int rows)
{
    edge_pin(&s->r->e, cut);
    clv_request *a = edge_ask(&s->r->e, rows);
    assert_right(&s->r->e, a, rows);
    assert_string_equal(a->recovered, "");
    clv_request_free(a);
}

/* The tap is worth something: without a policy it sees the input. */
static void without_a_policy_the_input_is_on_the_wire(void **state)
{
    tapped *s = *state;
    follow(s, "none");
    ask_at(s, 3, 3);
    assert_false(wire_has_input(s, 3));
    ask_at(s, 0, 3);
    assert_true(wire_has_input(s, 3));
}

/* The model is pushed, plans, pins and faults come and go: other tensors cross, the input never does. */
static void with_a_policy_the_input_never_is(void **state)
{
    tapped *s = *state;
    edge *e = &s->r->e;
    s->r->s.has_model = false;
    s->r->s.takes_push = s->r->s.keeps_push = true;
    follow(s, "input");
    edge_set_profile(e, profile_for(e->network, true, s->r->s.best));
    await(s->r->s.pushes == 1);
    for (int cut = 1; cut <= 5; cut++) ask_at(s, cut, 3);
    assert_int_equal(s->r->s.infers, 5);
    assert_true(tap_saw(&s->t, "chain", 5));
    assert_int_equal(edge_try_pin(e, 0).status, CLV_EDENIED);
    edge_pin(e, 6);
    for (int i = 0; i < 3; i++) {
        clv_request *a = ask_forced(e, 0, 3);
        assert_right(e, a, 3);
        assert_non_null(strstr(a->recovered, "tensor 'x' must stay on this device"));
        clv_request_free(a);
    }
    assert_int_equal(clv_splitter_withheld(e->splitter), 3);
    assert_int_equal(s->r->s.infers, 5);
    assert_false(wire_has_input(s, 3));
}

static void the_guard_knows_tensors_and_cuts(void **state)
{
    tapped *s = *state;
    edge *e = &s->r->e;
    follow(s, "none");
    clv_error err = {0};
    clv_privacy privacy = {.first_units = 2};
    clv_guard g, open;
    clv_guard_init(&open, e->network, NULL);
    clv_guard_init(&g, e->network, &privacy);
    clv_tensor x = numbers("x", 1, 4), a = numbers("a", 1, 64), b = numbers("b", 1, 64),
               other = numbers("photo", 1, 64);
    assert_null(open.stays);
    assert_int_equal(clv_guard_check(&open, 0, &x, 1, &err), CLV_OK);
    for (size_t cut = 0; cut <= 6; cut++) {
        assert_true(clv_guard_allows(&open, cut));
        assert_int_equal(clv_guard_allows(&g, cut), cut >= 2);
    }
    assert_int_equal(clv_guard_check(&g, 2, &b, 1, &err), CLV_OK);
    assert_int_equal(clv_guard_check(&g, 6, NULL, 0, &err), CLV_OK);
    assert_int_equal(g.withheld, 0);
    assert_int_equal(clv_guard_check(&g, 2, &a, 1, &err), CLV_EDENIED);
    assert_string_equal(err.text, "tensor 'a' must stay on this device");
    assert_int_equal(clv_guard_check(&g, 2, (clv_tensor[]){b, x}, 2, &err), CLV_EDENIED);
    assert_int_equal(clv_guard_check(&g, 2, &other, 1, &err), CLV_EDENIED);
    assert_non_null(strstr(err.text, "the network does not have it"));
    assert_int_equal(clv_guard_check(&g, 1, &b, 1, &err),
                     CLV_EDENIED); /* the peer would make what stays */
    assert_non_null(strstr(err.text, "behind cut 1"));
    assert_int_equal(g.withheld, 4);
    clv_tensor_done(&x);
    clv_tensor_done(&a);
    clv_tensor_done(&b);
    clv_tensor_done(&other);
    clv_guard_done(&g);
    clv_guard_done(&open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_planner_does_not_propose_it, start, tapped_stop),
        cmocka_unit_test_setup_teardown(what_may_leave_still_does, start, tapped_stop),
        cmocka_unit_test_setup_teardown(a_pin_is_refused, start, tapped_stop),
        cmocka_unit_test_setup_teardown(the_sender_stops_what_a_fault_would_send, start,
                                        tapped_stop),
        cmocka_unit_test_setup_teardown(a_policy_that_does_not_fit_keeps_everything, start,
                                        tapped_stop),
        cmocka_unit_test_setup_teardown(without_a_policy_the_input_is_on_the_wire, start,
                                        tapped_stop),
        cmocka_unit_test_setup_teardown(with_a_policy_the_input_never_is, start, tapped_stop),
        cmocka_unit_test_setup_teardown(the_guard_knows_tensors_and_cuts, start, tapped_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
