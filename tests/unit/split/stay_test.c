/* A request that goes on here at the cut, because the link does not answer just then; over real
 * sockets, of which a tap holds the bytes back. */
#include "split/peer_priv.h"
#include "split/splitter_priv.h"
#include "split/tapped.h"

enum { TRIES = 50, SILENT_US = 20000 };

static int start(void **state)
{
    tapped *s = tapped_new();
    edge_start(&s->r->e, s->r->folder, s->t.url, 60000000);
    *state = s;
    return 0;
}

static bool is_planned(tapped *s)
{
    char *plan = clv_splitter_plan(s->r->e.splitter);
    bool is = strcmp(plan, "local") != 0;
    free(plan);
    return is;
}

/* The edge shares the work, and knows a link that has just stepped. */
static void share(tapped *s)
{
    if (!s->r->e.splitter->adapt.own)
        edge_set_profile(&s->r->e, profile_for(s->r->e.network, true, s->r->s.best));
    await(is_planned(s));
    clv_peer *p = s->r->e.peer;
    pthread_mutex_lock(&p->lock);
    p->monitor.shaken_us = p->monitor.now_us;
    pthread_mutex_unlock(&p->lock);
}

/* One request during which the link falls silent, and comes to the cut when it has been so for so
 * long: true if it went on here at the cut. Nothing else than a ping that is out tells it. */
static bool ask_over_silence(tapped *s, int64_t silent_us, int64_t *lost_us)
{
    share(s);
    atomic_store(&s->t.hold, true);
    int infers = s->r->s.infers, tails = s->r->e.engine->tails, heads = s->r->e.engine->prefixes;
    clv_peer *p = s->r->e.peer;
    asked a;
    atomic_store(&s->r->e.engine->hold, true); /* the head, so long */
    clv_splitter_run(s->r->e.splitter, question(&a, numbers("x", 1, 4)));
    await(clv_peer_silent_us(p) > silent_us || !is_planned(s));
    atomic_store(&s->r->e.engine->hold, false);
    clv_request *q = answer_of(&a);
    assert_right(&s->r->e, q, 1);
    bool stayed = q->stayed;
    *lost_us = q->timing.lost_us;
    if (stayed) {
        assert_string_equal(q->plan, "local");
        assert_string_equal(q->recovered, "");
        assert_string_equal(q->hedged, "");
        assert_int_equal(q->up_bytes, 0);
        assert_int_equal(q->timing.link_us, 0);
        assert_true(q->timing.edge_us > 0);
        assert_int_equal(s->r->e.engine->prefixes,
                         heads + 1); /* the tensors at the cut were used */
        assert_int_equal(s->r->e.engine->tails, tails + 1);
        assert_int_equal(s->r->s.infers, infers);
    }
    clv_request_free(q);
    atomic_store(&s->t.hold, false);
    return stayed;
}

static void a_silent_link_gets_nothing(void **state)
{
    tapped *s = *state;
    int tries = 0;
    int64_t lost_us;
    /* the plan may have gone home before the request came */
    while (!ask_over_silence(s, SILENT_US, &lost_us))
        if (++tries == TRIES) fail_msg("none of %d requests went on here at the cut", TRIES);
    assert_int_equal(lost_us, 0); /* the sign was long due */
    await(is_planned(s));         /* the link answers: the next ones cross again */
    for (bool crossed = false; !crossed;) {
        clv_request *q = edge_ask(&s->r->e, 1);
        assert_right(&s->r->e, q, 1);
        crossed = strcmp(q->plan, "local") != 0 && !q->recovered[0] && !q->hedged[0];
        if (crossed) assert_false(q->stayed);
        clv_request_free(q);
    }
}

/* What was only just asked for may still come: that is waited for, and told as lost. */
static void a_sign_that_is_due_is_waited_for(void **state)
{
    tapped *s = *state;
    int64_t lost_us = 0;
    for (int tries = 0; !ask_over_silence(s, 0, &lost_us) || lost_us == 0;)
        if (++tries == TRIES) fail_msg("none of %d requests waited for a sign", TRIES);
}

/* A pinned cut is what was asked for, whatever the link says. */
static void a_pinned_cut_is_kept(void **state)
{
    tapped *s = *state;
    share(s);
    edge_pin(&s->r->e, s->r->s.best);
    await(!s->r->e.splitter->live->may_stay);
    atomic_store(&s->t.hold, true);
    clv_peer *p = s->r->e.peer;
    await(clv_peer_silent_us(p) > SILENT_US || !is_planned(s));
    clv_request *q = edge_ask(&s->r->e, 1);
    assert_right(&s->r->e, q, 1);
    assert_false(q->stayed);
    clv_request_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_silent_link_gets_nothing, start, tapped_stop),
        cmocka_unit_test_setup_teardown(a_sign_that_is_due_is_waited_for, start, tapped_stop),
        cmocka_unit_test_setup_teardown(a_pinned_cut_is_kept, start, tapped_stop),
    };
    return cmocka_run_group_tests_name("stay", tests, NULL, NULL);
}
