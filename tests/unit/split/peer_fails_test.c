/* The peer fails at its part of a request, in every way that we know: the request is finished here
 * from the tensors at the cut, answered once and rightly, without running the prefix again, and
 * says so. */
#include "split/rig.h"
#include "split/splitter_priv.h"

#define PATIENCE_US 300000

static int start(void **state)
{
    rig *r = rig_new();
    edge_start(&r->e, r->folder, r->s.n.url, PATIENCE_US);
    edge_pin(&r->e, 3);
    *state = r;
    return 0;
}

static void a_split_request_runs_each_part_once(void **state)
{
    rig *r = *state;
    for (int rows = 1; rows <= 3; rows++) {
        clv_request *a = edge_ask(&r->e, rows);
        assert_right(&r->e, a, rows);
        assert_string_equal(a->recovered, "");
        assert_string_not_equal(a->plan, "local");
        assert_int_equal(a->timing.lost_us, 0);
        assert_true(a->timing.link_us + a->timing.cloud_us > 0);
        clv_request_free(a);
    }
    assert_int_equal(r->e.engine->prefixes, 3);
    assert_int_equal(r->e.engine->tails + r->e.engine->wholes, 0);
    assert_int_equal(r->s.engine->tails, 3);
    assert_int_equal(r->s.engine->prefixes + r->s.engine->wholes, 0);
}

/* One request with the peer doing `how`; `part` is in the reason that the answer gives. */
static void expect_recovery(rig *r, standin_answer how, const char *part)
{
    atomic_store(&r->s.answer, how);
    clv_request *a = edge_ask(&r->e, 3);
    assert_right(&r->e, a, 3);
    if (!strstr(a->recovered, part)) fail_msg("recovered: '%s', expected '%s'", a->recovered, part);
    assert_true(a->timing.lost_us > 0);
    assert_int_equal(a->timing.link_us + a->timing.cloud_us, 0);
    assert_true(a->timing.total_us >= a->timing.lost_us + a->timing.edge_us);
    assert_int_equal(r->e.engine->prefixes, 1);
    assert_int_equal(r->e.engine->tails, 1);
    assert_int_equal(r->e.engine->wholes, 0);
    assert_int_equal(r->s.infers, 1);
    clv_request_free(a);
}

static void an_error_is_recovered(void **state)
{
    expect_recovery(*state, ANSWER_ERROR, "told to fail");
}
static void a_full_queue_is_recovered(void **state)
{
    expect_recovery(*state, ANSWER_BUSY, "told to be busy");
}
static void a_stall_is_recovered(void **state)
{
    expect_recovery(*state, ANSWER_STALL, "no answer within");
}
static void a_death_is_recovered(void **state)
{
    expect_recovery(*state, ANSWER_DIE, "connection to http://127.0.0.1");
}
static void garbage_is_recovered(void **state)
{
    expect_recovery(*state, ANSWER_GARBAGE, "");
}
static void no_grpc_is_recovered(void **state)
{
    expect_recovery(*state, ANSWER_HTTP, "HTTP status 500");
}
static void an_answer_without_outputs_is_recovered(void **state)
{
    expect_recovery(*state, ANSWER_EMPTY, "lacks output 'y'");
}
static void an_answer_of_another_name_is_recovered(void **state)
{
    expect_recovery(*state, ANSWER_NAME, "lacks output 'y'");
}
static void a_wrong_shape_is_recovered(void **state)
{
    expect_recovery(*state, ANSWER_SHAPE, "output 'y' as FP32 [3,2], it should be FP32 [?,3]");
}
static void a_wrong_type_is_recovered(void **state)
{
    expect_recovery(*state, ANSWER_DTYPE, "output 'y' as INT32");
}

static void a_refusal_sends_everything_here_at_once(void **state)
{
    rig *r = *state;
    expect_recovery(r, ANSWER_ERROR, "told to fail");
    clv_loop_post(r->e.loop, clv_adapt_step, r->e.splitter); /* as when any news comes */
    (void)edge_settled(&r->e);                               /* it has been looked at */
    clv_request *a = edge_ask(&r->e, 1);
    assert_right(&r->e, a, 1);
    assert_string_equal(a->plan, "local");
    assert_int_equal(r->s.infers, 1);
    clv_request_free(a);
}

static void a_full_queue_changes_no_plan(void **state)
{
    rig *r = *state;
    expect_recovery(r, ANSWER_BUSY, "told to be busy");
    atomic_store(&r->s.answer, ANSWER_RIGHT);
    clv_request *a = edge_ask(&r->e, 1);
    assert_right(&r->e, a, 1);
    assert_string_equal(a->recovered, "");
    assert_string_not_equal(a->plan, "local");
    clv_request_free(a);
}

static void a_tail_that_fails_too_is_an_error(void **state)
{
    rig *r = *state;
    atomic_store(&r->s.answer, ANSWER_ERROR);
    atomic_store(&r->e.engine->fail_tails, 1);
    clv_request *a = edge_ask(&r->e, 1);
    assert_int_equal(a->error.status, CLV_EENGINE);
    assert_int_equal(a->outputs.n, 0);
    assert_int_equal(r->e.engine->prefixes, 1);
    clv_request_free(a);
}

static void a_deadline_leaves_time_for_the_tail(void **state)
{
    rig *r = *state;
    edge_set_profile(&r->e, profile_for(r->e.network, true, 3)); /* the tail takes 1 s here */
    await(r->s.profiles > 0);
    atomic_store(&r->s.answer, ANSWER_STALL);
    asked a;
    clv_request *q = question(&a, numbers("x", 1, 4));
    q->deadline_us = clv_now_us() + PATIENCE_US / 2; /* shorter than the patience */
    clv_splitter_run(r->e.splitter, q);
    q = answer_of(&a);
    if (q->error.status != CLV_ETIMEOUT) assert_right(&r->e, q, 1); /* a slow machine may be late */
    assert_true(q->recovered[0] || q->hedged[0]);
    assert_int_equal(r->e.engine->prefixes, 1);
    clv_request_free(q);
}

static void wanted_outputs_alone_cross_the_link(void **state)
{
    rig *r = *state;
    asked a;
    clv_request *q = question(&a, numbers("x", 1, 4));
    clv_text_list_add(&q->wanted, "y", 1);
    clv_splitter_run(r->e.splitter, q);
    q = answer_of(&a);
    assert_ok(q->error.status, q->error);
    assert_int_equal(q->outputs.n, 1);
    assert_int_equal(r->s.wanted, 1);
    clv_request_free(q);
    q = question(&a, numbers("x", 1, 4));
    clv_text_list_add(&q->wanted, "b", 1); /* the head makes it */
    clv_splitter_run(r->e.splitter, q);
    q = answer_of(&a);
    assert_ok(q->error.status, q->error);
    assert_int_equal(q->outputs.n, 1);
    assert_string_equal(q->outputs.items[0].name, "b");
    assert_int_equal(r->s.infers, 1);
    clv_request_free(q);
}

static void what_came_from_a_node_stays_here(void **state)
{
    rig *r = *state;
    asked a;
    clv_request *q = question(&a, numbers("x", 1, 4));
    q->local_only = true;
    clv_splitter_run(r->e.splitter, q);
    q = answer_of(&a);
    assert_right(&r->e, q, 1);
    assert_string_equal(q->plan, "local");
    assert_int_equal(r->s.infers, 0);
    clv_request_free(q);
}

/* The peer stalls, and the node goes down meanwhile. */
static void closing_answers_what_is_on_the_wire(void **state)
{
    rig *r = *state;
    enum { N = 5 };
    atomic_store(&r->s.answer, ANSWER_STALL);
    asked all[N];
    for (int i = 0; i < N; i++)
        clv_splitter_run(r->e.splitter, question(&all[i], numbers("x", 1, 4)));
    await(r->s.infers > 0);
    edge_stop(&r->e);
    for (int i = 0; i < N; i++) {
        assert_int_equal(all[i].answers, 1);
        assert_ok(all[i].request->error.status, all[i].request->error);
        assert_true(all[i].request->recovered[0]);
        clv_request_free(all[i].request);
    }
    edge_start(&r->e, r->folder, NULL, 0); /* for stop() */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_split_request_runs_each_part_once),
        TEST(an_error_is_recovered),
        TEST(a_full_queue_is_recovered),
        TEST(a_stall_is_recovered),
        TEST(a_death_is_recovered),
        TEST(garbage_is_recovered),
        TEST(no_grpc_is_recovered),
        TEST(an_answer_without_outputs_is_recovered),
        TEST(an_answer_of_another_name_is_recovered),
        TEST(a_wrong_shape_is_recovered),
        TEST(a_wrong_type_is_recovered),
        TEST(a_refusal_sends_everything_here_at_once),
        TEST(a_full_queue_changes_no_plan),
        TEST(a_tail_that_fails_too_is_an_error),
        TEST(a_deadline_leaves_time_for_the_tail),
        TEST(wanted_outputs_alone_cross_the_link),
        TEST(what_came_from_a_node_stays_here),
        TEST(closing_answers_what_is_on_the_wire),
    };
#undef TEST
    return cmocka_run_group_tests_name("peer_fails", tests, NULL, NULL);
}
