/* The peer's part begun here as well, requests that nobody waits for any more, and requests that
 * cannot be in time: each is answered exactly once, and the side that lost is told. */
#include "split/carry.h"
#include "split/rig.h"
#include "split/splitter_priv.h"

#include "policy/fair.h"
#include "policy/hedge.h"

#define PATIENCE_US 30000000

static int start(void **state)
{
    rig *r = rig_new();
    edge_start(&r->e, r->folder, r->s.n.url, PATIENCE_US);
    *state = r;
    return 0;
}

/* The edge knows what the peer takes, and shares the work. */
static void follow(rig *r)
{
    edge_set_profile(&r->e, profile_for(r->e.network, true, r->s.best));
    char *label =
        clv_cut_label(clv_network_cuts(r->e.network), clv_network_graph(r->e.network), r->s.best);
    for (bool is = false; !is; clv_sleep_us(1000)) {
        char *plan = clv_splitter_plan(r->e.splitter);
        is = strcmp(plan, label) == 0;
        free(plan);
    }
    free(label);
}

static void assert_cancelled(const clv_request *r)
{
    assert_int_equal(r->error.status, CLV_ECANCELED);
    assert_string_equal(r->error.text, "model 'chain': whoever asked has gone");
}

static void a_late_answer_is_not_waited_for(void **state)
{
    rig *r = *state;
    follow(r);
    atomic_store(&r->s.answer, ANSWER_STALL);
    clv_request *a = edge_ask(&r->e, 2);
    assert_right(&r->e, a, 2);
    assert_string_equal(a->hedged, "here");
    assert_string_equal(a->recovered, "");
    assert_true(a->timing.lost_us > 0);
    assert_true(a->timing.total_us >= a->timing.lost_us + a->timing.edge_us);
    assert_int_equal(a->timing.cloud_us, 0);
    assert_int_equal(r->e.engine->tails, 1);
    assert_int_equal(r->e.engine->prefixes, 1);
    await(r->s.gone == 1); /* the peer was told */
    clv_request_free(a);
}

static void the_peer_may_still_be_first(void **state)
{
    rig *r = *state;
    follow(r);
    atomic_store(&r->s.answer, ANSWER_STALL);
    atomic_store(&r->e.engine->hold_tails, true);
    asked a;
    clv_splitter_run(r->e.splitter, question(&a, numbers("x", 1, 4)));
    await(r->s.infers == 1 && r->e.engine->tails == 1); /* both are at it */
    standin_release(&r->s);
    clv_request *q = answer_of(&a);
    assert_right(&r->e, q, 1);
    assert_string_equal(q->hedged, "peer");
    assert_string_equal(q->recovered, "");
    assert_int_equal(q->timing.lost_us, 0);
    clv_request_free(q);
    atomic_store(&r->e.engine->hold_tails, false); /* the loser ends, and is not heard of */
    assert_int_equal(a.answers, 1);
    assert_int_equal(r->s.gone, 0);
}

/* The peer's error comes while the hedge runs: the hedge is the answer, and the tail runs once. */
static void a_failing_peer_leaves_it_to_the_hedge(void **state)
{
    rig *r = *state;
    follow(r);
    atomic_store(&r->s.answer, ANSWER_STALL);
    atomic_store(&r->e.engine->hold_tails, true);
    asked a;
    clv_splitter_run(r->e.splitter, question(&a, numbers("x", 1, 4)));
    await(r->s.infers == 1 && r->e.engine->tails == 1);
    standin_fail_held(&r->s);
    clv_sleep_us(20000);
    assert_int_equal(a.answers, 0);
    atomic_store(&r->e.engine->hold_tails, false);
    clv_request *q = answer_of(&a);
    assert_right(&r->e, q, 1);
    assert_string_equal(q->hedged, "here");
    assert_int_equal(r->e.engine->tails, 1);
    clv_request_free(q);
}

static void a_hedge_that_fails_leaves_it_to_the_peer(void **state)
{
    rig *r = *state;
    follow(r);
    atomic_store(&r->s.answer, ANSWER_STALL);
    atomic_store(&r->e.engine->fail_tails, 1);
    asked a;
    clv_splitter_run(r->e.splitter, question(&a, numbers("x", 1, 4)));
    await(r->e.engine->tails == 1);
    clv_sleep_us(20000);
    assert_int_equal(a.answers, 0);
    standin_release(&r->s);
    clv_request *q = answer_of(&a);
    assert_right(&r->e, q, 1);
    assert_string_equal(q->hedged, "peer");
    clv_request_free(q);
}

/* Forty requests and a peer that never answers: hedges stay within their budget, the others have
 * patience, and all are answered once and rightly. */
static void hedges_keep_to_their_budget(void **state)
{
    enum { N = 40, ACKNOWLEDGED_US = 300000 }; /* a kernel may take 200 ms to say that bytes came */
    rig *r = *state;
    follow(r);
    atomic_store(&r->s.answer, ANSWER_STALL);
    atomic_store(&r->e.engine->hold_tails, true); /* what is not there yet costs no budget */
    asked all[N];
    for (int i = 0; i < N; i++)
        clv_splitter_run(r->e.splitter, question(&all[i], numbers("x", 1, 4)));
    await(r->s.infers == N);
    clv_sleep_us(ACKNOWLEDGED_US);
    atomic_store(&r->e.engine->hold_tails, false);
    await(r->e.engine->tails > 0);
    standin_fail_held(&r->s);
    int here = 0;
    for (int i = 0; i < N; i++) {
        clv_request *q = answer_of(&all[i]);
        assert_right(&r->e, q, 1);
        here += strcmp(q->hedged, "here") == 0;
        assert_true(q->hedged[0] || q->recovered[0]);
        clv_request_free(q);
    }
    assert_in_range(here, 1, (int)(CLV_HEDGE_BURST + CLV_HEDGE_SHARE * N));
    assert_int_equal(r->e.engine->prefixes, N);
    assert_int_equal(r->e.engine->tails, N);
}

/* ---- nobody waits any more ---- */

static clv_request *recallable(asked *a, clv_recall **recall)
{
    clv_request *q = question(a, numbers("x", 1, 4));
    q->recall = clv_recall_new();
    *recall = clv_recall_ref(q->recall);
    return q;
}

static void recalled_work_leaves_the_queue(void **state)
{
    rig *r = *state;
    asked first, second;
    clv_recall *recall;
    atomic_store(&r->e.engine->hold, true);
    clv_splitter_run(r->e.splitter, question(&first, numbers("x", 1, 4)));
    await(r->e.engine->wholes == 1);
    clv_splitter_run(r->e.splitter, recallable(&second, &recall));
    assert_int_equal(clv_lane_look(r->e.compute).waiting, 1);
    clv_recall_ask(recall);
    clv_request *q = answer_of(&second); /* while the first still runs */
    assert_cancelled(q);
    assert_int_equal(first.answers, 0);
    assert_int_equal(clv_lane_look(r->e.compute).withdrawn, 1);
    atomic_store(&r->e.engine->hold, false);
    clv_request *p = answer_of(&first);
    assert_right(&r->e, p, 1);
    assert_int_equal(r->e.engine->wholes, 1);
    clv_recall_ask(recall); /* once more, long after: nothing */
    clv_recall_unref(recall);
    clv_request_free(q);
    clv_request_free(p);
}

static void a_recall_goes_on_to_the_peer(void **state)
{
    rig *r = *state;
    asked a;
    clv_recall *recall;
    edge_pin(&r->e, 3);
    atomic_store(&r->s.answer, ANSWER_STALL);
    clv_splitter_run(r->e.splitter, recallable(&a, &recall));
    await(r->s.infers == 1);
    clv_recall_ask(recall);
    clv_request *q = answer_of(&a);
    assert_cancelled(q);
    await(r->s.gone == 1);
    assert_int_equal(r->e.engine->tails, 0);
    clv_recall_unref(recall);
    clv_request_free(q);
}

static void a_recall_may_come_first_or_last(void **state)
{
    rig *r = *state;
    for (int i = 0; i < 50; i++) { /* at any moment: answered once, by this or that */
        asked a;
        clv_recall *recall;
        clv_request *q = recallable(&a, &recall);
        if (i == 0) clv_recall_ask(recall);
        clv_splitter_run(r->e.splitter, q);
        clv_sleep_us(i * 20);
        clv_recall_ask(recall);
        q = answer_of(&a);
        assert_true(q->error.status == CLV_OK || q->error.status == CLV_ECANCELED);
        if (i == 0) assert_cancelled(q);
        clv_recall_unref(recall);
        clv_request_free(q);
    }
}

/* ---- what cannot be in time ---- */

static clv_request *ask_within(rig *r, asked *a, int64_t us)
{
    clv_request *q = question(a, numbers("x", 1, 4));
    q->deadline_us = clv_now_us() + us;
    clv_splitter_run(r->e.splitter, q);
    return q;
}

static void what_would_be_late_is_refused_at_once(void **state)
{
    enum { RUN_US = 60000, WAITING = 20 };
    rig *r = *state;
    asked a, before[WAITING];
    r->e.engine->run_us = RUN_US;
    for (int i = 0; i < 4; i++) clv_request_free(edge_ask(&r->e, 1)); /* the first two are cold */
    int runs = r->e.engine->wholes;
    ask_within(r, &a, RUN_US / 2);
    assert_int_equal(a.answers, 1); /* it is there already */
    assert_int_equal(a.request->error.status, CLV_ETIMEOUT);
    assert_non_null(strstr(a.request->error.text, "model 'chain': it takes about"));
    assert_non_null(strstr(a.request->error.text, "and its deadline is in"));
    clv_request_free(a.request);
    assert_int_equal(r->e.engine->wholes, runs);
    /* Twenty wait: 1.2 s of work. A deadline in little more than a second is missed for that alone,
     * one in an hour is not. */
    asked patient;
    atomic_store(&r->e.engine->hold, true);
    for (int i = 0; i < WAITING; i++)
        clv_splitter_run(r->e.splitter, question(&before[i], numbers("x", 1, 4)));
    await(r->e.engine->wholes == runs + 1);
    ask_within(r, &patient, 3600000000);
    clv_sleep_us(
        1); /* those before count as due in a second: this one is due later, and would need 20 ms more */
    ask_within(r, &a, CLV_FAIR_PATIENCE_US + 20000);
    assert_int_equal(a.answers, 1);
    assert_int_equal(a.request->error.status, CLV_EBUSY);
    assert_non_null(strstr(a.request->error.text, "ms of work are ahead of it"));
    clv_request_free(a.request);
    atomic_store(&r->e.engine->hold, false);
    for (int i = 0; i < WAITING; i++) clv_request_free(answer_of(&before[i]));
    clv_request *q = answer_of(&patient);
    assert_right(&r->e, q, 1);
    clv_request_free(q);
}

/* Thirty requests in a moment, remembered for a second: what takes 15 ms could be done for all of them, what takes
 * 150 ms could not; and after a quiet while it could. */
static void work_that_all_would_want_is_not_afforded(void **state)
{
    rig *r = *state;
    clv_splitter *s = r->e.splitter;
    const clv_carry c = {.s = s};
    assert_true(clv_carry_affords(&c, 3600000000));
    for (int i = 0; i < 30; i++) clv_arrivals_came(&s->arrivals, clv_now_us(), i);
    assert_true(clv_carry_affords(&c, 15000));
    assert_false(clv_carry_affords(&c, 150000));
    await(clv_carry_affords(&c, 150000));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_late_answer_is_not_waited_for),       TEST(the_peer_may_still_be_first),
        TEST(a_failing_peer_leaves_it_to_the_hedge), TEST(a_hedge_that_fails_leaves_it_to_the_peer),
        TEST(hedges_keep_to_their_budget),           TEST(recalled_work_leaves_the_queue),
        TEST(a_recall_goes_on_to_the_peer),          TEST(a_recall_may_come_first_or_last),
        TEST(what_would_be_late_is_refused_at_once), TEST(work_that_all_would_want_is_not_afforded),
    };
#undef TEST
    return cmocka_run_group_tests_name("hedge", tests, NULL, NULL);
}
