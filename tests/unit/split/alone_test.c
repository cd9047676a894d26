/* A splitter without a peer: whole networks, requests that start at a cut, and requests that are wrong. */
#include "split/edge.h"

static char *folder;

static int start(void **state)
{
    (void)state;
    return clv_dir_temp("alone", &folder, NULL);
}

static int stop(void **state)
{
    (void)state;
    clv_dir_remove(folder);
    free(folder);
    return 0;
}

/* The cut at the one tensor `name`. */
static int cut_at(edge *e, const char *name)
{
    int cut = clv_cuts_find(clv_network_cuts(e->network), clv_network_graph(e->network), &name, 1);
    assert_true(cut > 0);
    return cut;
}

static void any_batch_is_answered_and_timed(void **state)
{
    (void)state;
    edge e;
    edge_start(&e, folder, NULL, 0);
    for (int rows = 1; rows <= 3; rows++) {
        clv_request *r = edge_ask(&e, rows);
        assert_right(&e, r, rows);
        assert_string_equal(r->plan, "local");
        assert_string_equal(r->recovered, "");
        assert_true(r->timing.total_us >= r->timing.edge_us + r->timing.wait_us);
        assert_int_equal(r->timing.link_us + r->timing.cloud_us + r->timing.lost_us, 0);
        clv_request_free(r);
    }
    assert_int_equal(e.engine->wholes, 3);
    char *plan = clv_splitter_plan(e.splitter);
    assert_string_equal(plan, "local");
    free(plan);
    edge_stop(&e);
}

static void only_wanted_outputs_come_back(void **state)
{
    (void)state;
    edge e;
    edge_start(&e, folder, NULL, 0);
    asked a;
    clv_request *r = question(&a, numbers("x", 2, 4));
    clv_text_list_add(&r->wanted, "b", 1);
    clv_splitter_run(e.splitter, r);
    r = answer_of(&a);
    assert_ok(r->error.status, r->error);
    assert_int_equal(r->outputs.n, 1);
    assert_string_equal(r->outputs.items[0].name, "b");
    clv_request_free(r);
    edge_stop(&e);
}

static void expect_error(edge *e, clv_request *question, asked *a, clv_status status,
                         const char *part)
{
    clv_splitter_run(e->splitter, question);
    clv_request *r = answer_of(a);
    if (r->error.status != status || !strstr(r->error.text, part))
        fail_msg("got %s '%s', not %s '%s'", clv_status_name(r->error.status), r->error.text,
                 clv_status_name(status), part);
    assert_int_equal(r->outputs.n, 0);
    clv_request_free(r);
}

static void wrong_requests_are_refused_by_name(void **state)
{
    (void)state;
    edge e;
    edge_start(&e, folder, NULL, 0);
    asked a;
    expect_error(&e, question(&a, numbers("nonsense", 1, 4)), &a, CLV_EINVAL,
                 "input 'x' (FP32 [?,4]) is missing");
    clv_request *r = question(&a, numbers("x", 1, 4));
    clv_text_list_add(&r->wanted, "z", 1);
    expect_error(&e, r, &a, CLV_EINVAL, "no output 'z'; its outputs are 'y', ...");
    expect_error(&e, question(&a, numbers("x", 1, 5)), &a, CLV_EINVAL, "'x'");
    r = question(&a, numbers("x", 1, 4));
    clv_tensors_done(&r->inputs);
    expect_error(&e, r, &a, CLV_EINVAL, "input 'x'");
    assert_int_equal(e.engine->prefixes + e.engine->tails, 0);
    edge_stop(&e);
}

static void a_passed_deadline_runs_nothing(void **state)
{
    (void)state;
    edge e;
    edge_start(&e, folder, NULL, 0);
    asked a;
    clv_request *r = question(&a, numbers("x", 1, 4));
    r->deadline_us = clv_now_us() - 1;
    expect_error(&e, r, &a, CLV_ETIMEOUT, "deadline passed");
    assert_int_equal(e.engine->wholes, 0);
    edge_stop(&e);
}

static void a_request_starts_at_its_cut(void **state)
{
    (void)state;
    edge e;
    edge_start(&e, folder, NULL, 0);
    int cut = cut_at(&e, "b");
    asked a;
    clv_splitter_run(e.splitter, question(&a, numbers("b", 2, 64)));
    clv_request *r = answer_of(&a);
    assert_ok(r->error.status, r->error);
    assert_string_equal(r->plan, "tail");
    assert_non_null(clv_tensors_find(&r->outputs, "y"));
    clv_request_free(r);
    assert_int_equal(e.engine->tails, 1);
    assert_int_equal(e.engine->wholes + e.engine->prefixes, 0);
    clv_segment *tail = clv_network_resident(e.network, (size_t)cut, e.last);
    assert_non_null(tail); /* the next one need not wait for the build */
    clv_segment_unref(tail);
    edge_stop(&e);
}

static void a_batch_of_three_starts_at_a_cut(void **state)
{
    (void)state;
    edge e;
    edge_start(&e, folder, NULL, 0);
    asked a;
    clv_splitter_run(e.splitter, question(&a, numbers("d", 3, 64)));
    clv_request *r = answer_of(&a);
    assert_ok(r->error.status, r->error);
    assert_int_equal(clv_tensors_find(&r->outputs, "y")->shape.dim[0], 3);
    clv_request_free(r);
    edge_stop(&e);
}

static void prepare_takes_legal_cuts_only(void **state)
{
    (void)state;
    edge e;
    edge_start(&e, folder, NULL, 0);
    const char *good = "d", *bad[] = {"a", "d"};
    edge_call c = {0};
    clv_splitter_prepare(e.splitter, &good, 1, NULL, edge_called, &c);
    await(atomic_load(&c.done) == 1);
    assert_ok(c.error.status, c.error);
    clv_segment *tail = clv_network_resident(e.network, (size_t)cut_at(&e, "d"), e.last);
    assert_non_null(tail);
    clv_segment_unref(tail);
    edge_call wrong = {0};
    clv_splitter_prepare(e.splitter, bad, 2, NULL, edge_called, &wrong);
    await(atomic_load(&wrong.done) == 1);
    assert_int_equal(wrong.error.status, CLV_EINVAL);
    assert_non_null(strstr(wrong.error.text, "2 tensors ('a', ...) are no legal cut"));
    edge_stop(&e);
}

static void a_cut_is_not_pinned_without_a_peer(void **state)
{
    (void)state;
    edge e;
    edge_start(&e, folder, NULL, 0);
    edge_call c = {.e = &e, .cut = 1};
    clv_loop_post(e.loop, edge_pin_step, &c);
    await(atomic_load(&c.done) == 1);
    assert_int_equal(c.error.status, CLV_EINVAL);
    edge_pin(&e, (int)e.last);
    assert_true(edge_settled(&e));
    edge_stop(&e);
}

/* Requests that are on their way when the node goes down are answered all the same. */
static void close_waits_for_what_was_accepted(void **state)
{
    (void)state;
    enum { N = 20 };
    edge e;
    edge_start(&e, folder, NULL, 0);
    atomic_store(&e.engine->run_us, 2000);
    asked all[N];
    for (int i = 0; i < N; i++) clv_splitter_run(e.splitter, question(&all[i], numbers("x", 1, 4)));
    edge_stop(&e);
    for (int i = 0; i < N; i++) {
        assert_int_equal(all[i].answers, 1);
        assert_ok(all[i].request->error.status, all[i].request->error);
        clv_request_free(all[i].request);
    }
}

/* Of those that wait here, those whose deadline is only how long their asker waits are served as they
 * came, before one that is due later than they may wait for others. */
static void how_long_an_asker_waits_orders_nothing(void **state)
{
    (void)state;
    enum { N = 4, S = 1000000 };
    static const struct {
        int64_t due_us;
        bool patient;
    } cases[N] = {{60 * S, true}, {30 * S, true}, {40 * S, false}, {35 * S, false}};
    static const int order[N] = {0, 1, 3, 2};
    edge e;
    edge_start(&e, folder, NULL, 0);
    asked first, all[N];
    int64_t now_us = clv_now_us();
    atomic_store(&e.engine->hold, true);
    clv_splitter_run(e.splitter, question(&first, numbers("x", 1, 4)));
    for (int i = 0; i < N; i++) {
        clv_request *r = question(&all[i], numbers("x", 1, 4));
        r->deadline_us = now_us + cases[i].due_us;
        r->patient = cases[i].patient;
        clv_splitter_run(e.splitter, r);
    }
    atomic_store(&e.engine->hold, false);
    clv_request_free(answer_of(&first));
    for (int i = 0; i < N; i++) {
        clv_request *r = answer_of(&all[i]);
        assert_right(&e, r, 1);
        clv_request_free(r);
    }
    for (int i = 1; i < N; i++) assert_true(all[order[i - 1]].place < all[order[i]].place);
    edge_stop(&e);
}

/* Two of these wait while what is running takes longer than was thought: then the first could not be in time any more, and would
 * make the second late. */
static void who_would_be_late_makes_nobody_else_late(void **state)
{
    (void)state;
    enum { RUN_US = 400000, DUE_US = 1500000, HELD_US = 1300000, LATER_US = 60000000 };
    edge e;
    edge_start(&e, folder, NULL, 0);
    e.engine->run_us = RUN_US;
    for (int i = 0; i < 4; i++) clv_request_free(edge_ask(&e, 1)); /* the first two are cold */
    asked running, late, next;
    atomic_store(&e.engine->hold, true);
    clv_splitter_run(e.splitter, question(&running, numbers("x", 1, 4)));
    await(e.engine->wholes == 5);
    clv_request *r = question(&late, numbers("x", 1, 4));
    r->deadline_us = clv_now_us() + DUE_US;
    clv_splitter_run(e.splitter, r);
    r = question(&next, numbers("x", 1, 4));
    r->deadline_us = clv_now_us() + LATER_US;
    clv_splitter_run(e.splitter, r);
    clv_sleep_us(HELD_US - RUN_US);
    atomic_store(&e.engine->hold, false);
    clv_request_free(answer_of(&running));
    r = answer_of(&late);
    assert_int_equal(r->error.status, CLV_ETIMEOUT);
    assert_non_null(strstr(r->error.text, "deadline"));
    clv_request_free(r);
    r = answer_of(&next);
    assert_right(&e, r, 1);
    clv_request_free(r);
    assert_int_equal(e.engine->wholes, 6);
    edge_stop(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_batch_is_answered_and_timed),
        cmocka_unit_test(only_wanted_outputs_come_back),
        cmocka_unit_test(wrong_requests_are_refused_by_name),
        cmocka_unit_test(a_passed_deadline_runs_nothing),
        cmocka_unit_test(a_request_starts_at_its_cut),
        cmocka_unit_test(a_batch_of_three_starts_at_a_cut),
        cmocka_unit_test(how_long_an_asker_waits_orders_nothing),
        cmocka_unit_test(who_would_be_late_makes_nobody_else_late),
        cmocka_unit_test(prepare_takes_legal_cuts_only),
        cmocka_unit_test(a_cut_is_not_pinned_without_a_peer),
        cmocka_unit_test(close_waits_for_what_was_accepted),
    };
    return cmocka_run_group_tests_name("alone", tests, start, stop);
}
