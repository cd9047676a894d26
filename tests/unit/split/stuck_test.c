/* The peer's part begun here as well because its bytes do not get there; over real sockets, of which
 * a tap holds the bytes back. Nobody knows here how long the peer takes, so no other hedge comes. */
#include "split/splitter_priv.h"
#include "split/tapped.h"

/* Of a row 256 bytes cross at the cut: 256 kB, of which the tap's socket takes few. */
enum { CUT = 3, ROWS = 1000 };

static int start(void **state)
{
    tapped *s = tapped_new();
    edge_start(&s->r->e, s->r->folder, s->t.url, 60000000);
    edge_pin(&s->r->e, CUT);
    *state = s;
    return 0;
}

/* One request; was the work shared? */
static bool crosses(tapped *s)
{
    clv_request *q = edge_ask(&s->r->e, ROWS);
    assert_right(&s->r->e, q, ROWS);
    bool crossed = strcmp(q->plan, "local") != 0 && !q->recovered[0];
    clv_request_free(q);
    return crossed;
}

/* The edge knows what the part takes here, and the link. */
static void get_known(tapped *s, int64_t here_us)
{
    clv_profile *p = profile_blank(s->r->e.network);
    p->cuts[CUT].suffix = (clv_time){(double)here_us, 0, 9};
    clv_pace_seed(&s->r->e.splitter->pace, p);
    clv_profile_free(p);
    await(crosses(s) && clv_peer_link(s->r->e.peer).up);
    assert_int_equal(atomic_load(&s->r->e.splitter->live->expected_remote_us), 0);
}

static void what_does_not_get_there_is_done_here(void **state)
{
    tapped *s = *state;
    get_known(s, 1000);
    int infers = s->r->s.infers, tails = s->r->e.engine->tails;
    atomic_store(&s->t.hold, true);
    clv_request *q = edge_ask(&s->r->e, ROWS);
    assert_right(&s->r->e, q, ROWS);
    assert_string_equal(q->hedged, "here");
    assert_string_equal(q->recovered, "");
    assert_true(q->timing.lost_us > 0);
    assert_int_equal(s->r->e.engine->tails, tails + 1);
    assert_int_equal(s->r->s.infers, infers);
    clv_request_free(q);
}

/* What the peer has, it is at: its bytes are no reason, however long it takes. */
static void what_is_there_is_left_to_the_peer(void **state)
{
    tapped *s = *state;
    get_known(s, 200000); /* longer than any hiccup of the upload */
    int infers = s->r->s.infers, tails = s->r->e.engine->tails;
    asked a;
    atomic_store(&s->r->s.answer, ANSWER_STALL);
    clv_splitter_run(s->r->e.splitter, question(&a, numbers("x", ROWS, 4)));
    await(s->r->s.infers == infers + 1);
    clv_sleep_us(500000); /* many looks */
    assert_int_equal(a.answers, 0);
    standin_release(&s->r->s);
    clv_request *q = answer_of(&a);
    assert_right(&s->r->e, q, ROWS);
    assert_string_equal(q->hedged, "");
    assert_int_equal(s->r->e.engine->tails, tails);
    clv_request_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_does_not_get_there_is_done_here, start, tapped_stop),
        cmocka_unit_test_setup_teardown(what_is_there_is_left_to_the_peer, start, tapped_stop),
    };
    return cmocka_run_group_tests_name("stuck", tests, NULL, NULL);
}
