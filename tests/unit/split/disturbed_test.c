/* What was given up and is on its way still, when the next exchange begins, is not that exchange's
 * doing: its time tells nothing of the link. Over real sockets, which hold the bytes back. */
#include "split/peer_priv.h"
#include "split/splitter_priv.h"
#include "split/tapped.h"

/* Of a row 256 bytes cross at the cut: 256 kB, of which the tap's socket takes few. */
enum { CUT = 3, ROWS = 1000, TRIES = 20 };

static int start(void **state)
{
    tapped *s = tapped_new();
    edge_start(&s->r->e, s->r->folder, s->t.url, 60000000);
    edge_pin(&s->r->e, CUT);
    *state = s;
    return 0;
}

typedef struct known {
    int64_t timed_us;   /* until when exchanges told of the link */
    int64_t carried_us; /* when TCP's counters last did */
} known;

static known known_now(tapped *s)
{
    clv_peer *p = s->r->e.peer;
    pthread_mutex_lock(&p->lock);
    known k = {p->monitor.aged_us[1] /* of the rate up */, p->carried_us};
    pthread_mutex_unlock(&p->lock);
    return k;
}

static void finished_there(clv_request *take, tapped *s)
{
    assert_right(&s->r->e, take, 1);
    assert_string_equal(take->recovered, "");
    assert_string_not_equal(take->plan, "local");
    clv_request_free(take);
}

/* A large request is on its way, and given up. */
static void leave_bytes_behind(tapped *s)
{
    asked a;
    clv_recall *recall = clv_recall_new();
    clv_request *q = question(&a, numbers("x", ROWS, 4));
    q->recall = clv_recall_ref(recall);
    clv_splitter_run(s->r->e.splitter, q);
    await(s->t.held_bytes > TAP_HELD_BYTES / 4);
    clv_recall_ask(recall);
    q = answer_of(&a);
    assert_int_equal(q->error.status, CLV_ECANCELED);
    clv_request_free(q);
    clv_recall_unref(recall);
}

static void an_exchange_behind_what_was_given_up_tells_nothing(void **state)
{
    tapped *s = *state;
    for (int i = 0; i < TRIES; i++) {
        asked a;
        finished_there(edge_ask(&s->r->e, 1), s);
        atomic_store(&s->t.hold, true);
        leave_bytes_behind(s);
        known before = known_now(s);
        clv_splitter_run(s->r->e.splitter, question(&a, numbers("x", 1, 4)));
        clv_sleep_us(30000); /* so much longer it takes than it should */
        atomic_store(&s->t.hold, false);
        finished_there(answer_of(&a), s);
        known after = known_now(s);
        finished_there(edge_ask(&s->r->e, 1), s);
        assert_true(known_now(s).timed_us > after.timed_us); /* the next one tells again */
        if (after.carried_us != before.carried_us) continue; /* TCP told, which is another matter */
        assert_true(after.timed_us == before.timed_us);
        return;
    }
    fail_msg("TCP told of the link at each of %d tries", TRIES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_exchange_behind_what_was_given_up_tells_nothing, start,
                                        tapped_stop),
    };
    return cmocka_run_group_tests_name("disturbed", tests, NULL, NULL);
}
