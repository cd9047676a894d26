/* What a node asks its link, and when; over real sockets, of which a tap holds the bytes back. */
#include "split/peer_priv.h"
#include "split/splitter_priv.h"
#include "split/tapped.h"

/* Of a row 256 bytes cross at the cut: 256 kB, of which the tap's socket takes few. */
enum { CUT = 3, ROWS = 1000, LOOKS_US = 300000 };

#define NEVER (INT64_MAX / 2)

static int start(void **state)
{
    tapped *s = tapped_new();
    edge_start(&s->r->e, s->r->folder, s->t.url, 60000000);
    *state = s;
    return 0;
}

/* What is known of the link, as it is now. */
static clv_link_monitor known(tapped *s)
{
    clv_peer *p = s->r->e.peer;
    pthread_mutex_lock(&p->lock);
    clv_link_monitor m = p->monitor;
    pthread_mutex_unlock(&p->lock);
    return m;
}

/* ---- the rates, once the first plan is in use ---- */

static void look_for_probes(void *arg)
{
    edge_call *c = arg;
    c->settled = !c->e->peer->pinging;
    atomic_fetch_add(&c->done, 1);
}

/* Nothing that was asked of the link is still to be answered. */
static bool is_quiet(tapped *s)
{
    edge_call c = {.e = &s->r->e};
    clv_loop_post(s->r->e.loop, look_for_probes, &c);
    await(atomic_load(&c.done) == 1);
    return c.settled;
}

/* It asks for nothing by itself from now on. */
static void ask_no_more(tapped *s)
{
    clv_peer *p = s->r->e.peer;
    await(clv_peer_link(p).up);
    pthread_mutex_lock(&p->lock);
    p->monitor.pinged_us = p->monitor.probed_us = NEVER;
    p->monitor.rtt_asked = false;
    p->monitor.surprises = 0;
    pthread_mutex_unlock(&p->lock);
    await(is_quiet(s));
}

/* As a node is that has built its segments: it knows the rate of its link, 5 kB/s here, to a quarter,
 * has known it for some seconds, and asks for it no more; nor pings, which could surprise. */
static void know_rate(tapped *s)
{
    clv_peer *p = s->r->e.peer;
    atomic_store(&s->r->s.byte_ns, 200000);
    ask_no_more(s);
    pthread_mutex_lock(&p->lock);
    clv_link_monitor *m = &p->monitor;
    for (int i = 1; i < CLV_LINK_STATES; i++) {
        m->filter.state[i] = log(200);
        for (int k = 0; k < CLV_LINK_STATES; k++) m->filter.var[i][k] = m->filter.var[k][i] = 0;
        m->filter.var[i][i] = 0.25 * 0.25;
        m->aged_us[i] = clv_now_us();
    }
    m->rated_us = clv_now_us() - 5000000;
    m->surprises = 0;
    m->rtt_asked = false;
    m->pinged_us = m->probed_us = NEVER;
    pthread_mutex_unlock(&p->lock);
    await(clv_peer_link(p).unseen_us >= 5e6); /* it has been looked at since */
}

/* The peer's part takes next to nothing. All of it here takes about as long as the bytes at the cut:
 * which is better is the link's to say. */
static clv_profile *profile_of_doubt(const tapped *s)
{
    clv_profile *p = profile_for(s->r->e.network, true, s->r->s.best);
    p->cuts[p->n_cuts - 1].prefix.us = 40000;
    return p;
}

static void rates_are_asked_for_anew_where_the_first_plan_depends_on_them(void **state)
{
    tapped *s = *state;
    know_rate(s);
    edge_set_profile(&s->r->e, profile_of_doubt(s));
    uint64_t bytes = clv_peer_asked_bytes(s->r->e.peer);
    await(known(s).probed_us != NEVER);
    await(clv_peer_asked_bytes(s->r->e.peer) > bytes + CLV_LINK_PING_BYTES);
    atomic_store(&s->r->s.byte_ns, 0);
    await(edge_settled(&s->r->e)); /* not before that is known */
    assert_true(clv_peer_link(s->r->e.peer).up_bytes_per_s > 0);
}

static void rates_that_change_no_plan_are_not(void **state)
{
    tapped *s = *state;
    know_rate(s);
    edge_set_profile(&s->r->e, profile_for(s->r->e.network, true, s->r->s.best));
    await(edge_settled(&s->r->e) && s->r->e.splitter->live->route.n > 1);
    clv_sleep_us(LOOKS_US);
    assert_true(known(s).probed_us == NEVER);
}

/* ---- the round trip, while requests are under way ---- */

/* As after a surprise. */
static void wonder_at_rtt(tapped *s)
{
    clv_peer *p = s->r->e.peer;
    pthread_mutex_lock(&p->lock);
    p->monitor.rtt_asked = true;
    pthread_mutex_unlock(&p->lock);
}

/* A link that always has something to do is asked all the same. */
static void a_ping_does_not_wait_for_answers(void **state)
{
    tapped *s = *state;
    asked a;
    edge_pin(&s->r->e, CUT);
    atomic_store(&s->r->s.answer, ANSWER_STALL);
    clv_splitter_run(s->r->e.splitter, question(&a, numbers("x", 1, 4)));
    await(s->r->s.infers == 1);
    wonder_at_rtt(s);
    await(!known(s).rtt_asked); /* the ping was answered, the request was not */
    assert_int_equal(a.answers, 0);
    standin_release(&s->r->s);
    clv_request *q = answer_of(&a);
    assert_right(&s->r->e, q, 1);
    clv_request_free(q);
}

/* But it does not go behind what is on its way up: that would tell of those bytes. */
static void a_ping_waits_for_what_goes_up(void **state)
{
    tapped *s = *state;
    asked a;
    edge_pin(&s->r->e, CUT);
    clv_request_free(edge_ask(&s->r->e, 1));
    await(clv_peer_link(s->r->e.peer).up && !clv_peer_silent_us(s->r->e.peer));
    atomic_store(&s->t.hold, true);
    clv_splitter_run(s->r->e.splitter, question(&a, numbers("x", ROWS, 4)));
    await(s->t.held_bytes > TAP_HELD_BYTES / 4);
    uint64_t bytes = clv_peer_asked_bytes(s->r->e.peer);
    wonder_at_rtt(s);
    clv_sleep_us(LOOKS_US);
    if (s->r->e.peer->link.up) assert_true(clv_peer_asked_bytes(s->r->e.peer) == bytes);
    atomic_store(&s->t.hold, false);
    clv_request *q = answer_of(&a);
    assert_right(&s->r->e, q, ROWS);
    clv_request_free(q);
    await(!known(s).rtt_asked);
}

static void ping_now(void *arg)
{
    edge_call *c = arg;
    clv_peer_probe(c->e->peer, 0);
    atomic_fetch_add(&c->done, 1);
}

/* One that has to go there all the same, for a sign of life, tells no round trip. */
static void a_ping_behind_bytes_tells_no_round_trip(void **state)
{
    tapped *s = *state;
    asked a;
    edge_pin(&s->r->e, CUT);
    clv_request_free(edge_ask(&s->r->e, 1));
    ask_no_more(s);
    const int64_t told_us = known(s).told_us;
    const uint64_t bytes = clv_peer_asked_bytes(s->r->e.peer);
    atomic_store(&s->t.hold, true);
    clv_splitter_run(s->r->e.splitter, question(&a, numbers("x", ROWS, 4)));
    await(s->t.held_bytes > TAP_HELD_BYTES / 4);
    edge_call c = {.e = &s->r->e};
    clv_loop_post(s->r->e.loop, ping_now, &c);
    await(atomic_load(&c.done) == 1);
    assert_true(clv_peer_asked_bytes(s->r->e.peer) > bytes);
    clv_sleep_us(LOOKS_US);
    atomic_store(&s->t.hold, false);
    clv_request *q = answer_of(&a);
    assert_right(&s->r->e, q, ROWS);
    clv_request_free(q);
    await(!clv_peer_silent_us(s->r->e.peer));
    assert_true(known(s).told_us == told_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            rates_are_asked_for_anew_where_the_first_plan_depends_on_them, start, tapped_stop),
        cmocka_unit_test_setup_teardown(rates_that_change_no_plan_are_not, start, tapped_stop),
        cmocka_unit_test_setup_teardown(a_ping_does_not_wait_for_answers, start, tapped_stop),
        cmocka_unit_test_setup_teardown(a_ping_waits_for_what_goes_up, start, tapped_stop),
        cmocka_unit_test_setup_teardown(a_ping_behind_bytes_tells_no_round_trip, start,
                                        tapped_stop),
    };
    return cmocka_run_group_tests_name("asked", tests, NULL, NULL);
}
