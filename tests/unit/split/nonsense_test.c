/* A peer that computes rightly and tells nonsense of its times, on real sockets: what it computed is
 * the answer, or the rest is done here; nothing is learnt of its times; the node goes on with it. */
#include "split/rig.h"

#include "base/wire.h"
#include "split/peer_priv.h"
#include "split/splitter_priv.h"

enum { CUT = 3 };

static int start(void **state)
{
    *state = rig_new();
    return 0;
}

/* --- what was learnt of the peer --- */

typedef struct learnt {
    rig *r;
    atomic_bool done;
    size_t waits, sightings;
    int64_t timed_us;        /* until when exchanges told of the link */
    const char *disbelieved; /* NULL: nothing was told that cannot be */
    bool up, load_known;
} learnt;

static void look(void *arg)
{
    learnt *l = arg;
    clv_peer *p = l->r->e.peer;
    clv_way *w = &l->r->e.splitter->ways[0];
    clv_node_load load;
    int64_t at_us;
    l->waits = w->wait.n_met;
    pthread_mutex_lock(&w->learning.lock);
    l->sightings = w->learning.n_seen;
    pthread_mutex_unlock(&w->learning.lock);
    pthread_mutex_lock(&p->lock);
    l->timed_us = p->monitor.aged_us[1]; /* of the rate up */
    pthread_mutex_unlock(&p->lock);
    l->disbelieved = p->disbelieved;
    l->up = clv_peer_link(p).up;
    l->load_known = clv_peer_load(p, &load, &at_us);
    atomic_store(&l->done, true);
}

static learnt learnt_now(rig *r)
{
    learnt l = {.r = r};
    clv_loop_post(r->e.loop, look, &l);
    await(atomic_load(&l.done));
    return l;
}

static void expect_nothing_learnt(const learnt *before, const learnt *after)
{
    assert_int_equal(after->waits, before->waits);
    assert_int_equal(after->sightings, before->sightings);
    assert_true(after->timed_us == before->timed_us);
}

/* --- with every answer --- */

typedef enum said_kind {
    SAID_BOOL = 1,
    SAID_INT = 2,
    SAID_TEXT = 3,
    SAID_DOUBLE = 4,
    SAID_UINT = 5
} said_kind;

/* A parameter of the answer (InferParameter of src/api/oip.proto). */
typedef struct said {
    const char *key;
    said_kind kind;
    int64_t number;
    double real;
    const char *text;
} said;

static void put_said(clv_buf *b, const said *s)
{
    clv_buf value = {0}, entry = {0};
    if (s->kind == SAID_TEXT) {
        clv_wire_put_text(&value, SAID_TEXT, s->text);
    } else if (s->kind == SAID_DOUBLE) {
        clv_wire_put_tag(&value, SAID_DOUBLE, CLV_WIRE_FIXED64);
        clv_buf_add(&value, &s->real, sizeof s->real);
    } else {
        clv_wire_put_number(&value, (uint32_t)s->kind, (uint64_t)s->number);
    }
    clv_wire_put_text(&entry, 1, s->key);
    clv_wire_put_bytes(&entry, 2, value.data, value.len);
    clv_wire_put_bytes(b, 4, entry.data, entry.len);
    clv_buf_done(&value);
    clv_buf_done(&entry);
}

/* What the peer said in a test. It may still be saying it when the request has been answered here. */
enum { KEPT_MAX = 32 };
static clv_buf kept[KEPT_MAX];
static size_t n_kept;

static int stop_and_forget(void **state)
{
    int rc = stop(state);
    while (n_kept > 0) clv_buf_done(&kept[--n_kept]);
    return rc;
}

/* One request while the peer says this; NULL ends a list. The caller frees it. */
static clv_request *ask_while(rig *r, const said *all, size_t n)
{
    assert_true(n_kept < KEPT_MAX);
    clv_buf *more = &kept[n_kept++];
    for (size_t i = 0; i < n && all[i].key; i++) put_said(more, &all[i]);
    atomic_store(&r->s.more, more);
    clv_request *a = edge_ask(&r->e, 1);
    atomic_store(&r->s.more, NULL);
    assert_right(&r->e, a, 1);
    return a;
}

static void ask_honestly(rig *r)
{
    clv_request *a = edge_ask(&r->e, 1);
    assert_right(&r->e, a, 1);
    assert_string_equal(a->recovered, "");
    assert_string_not_equal(a->plan, "local");
    clv_request_free(a);
}

/* With so many requests done that each that is believed teaches. */
static void begin(rig *r)
{
    edge_start(&r->e, r->folder, r->s.n.url, 60000000);
    edge_pin(&r->e, CUT);
    for (int i = 0; i < 3; i++) ask_honestly(r);
    learnt before = learnt_now(r);
    ask_honestly(r);
    learnt after = learnt_now(r);
    assert_int_equal(after.waits, before.waits + 1);
    assert_int_equal(after.sightings, before.sightings + 1);
    assert_true(after.timed_us > before.timed_us);
    assert_null(after.disbelieved);
}

#define HOUR_US INT64_C(3600000000)

static void times_that_cannot_be_teach_nothing(void **state)
{
    rig *r = *state;
    static const struct {
        said all[3];
        const char *why;
    } cases[] = {
        {{{"cleave_total_us", SAID_INT, .number = HOUR_US}}, "longer than the whole exchange"},
        {{{"cleave_total_us", SAID_INT, .number = INT64_MAX}}, "longer than the whole exchange"},
        {{{"cleave_wait_us", SAID_INT, .number = HOUR_US}}, "waited longer"},
        {{{"cleave_total_us", SAID_UINT, .number = INT64_MAX},
          {"cleave_wait_us", SAID_UINT, .number = INT64_MAX},
          {"cleave_decode_us", SAID_UINT, .number = INT64_MAX}},
         "longer than the whole exchange"},
    };
    begin(r);
    for (size_t i = 0; i < CLV_COUNT(cases); i++) {
        learnt before = learnt_now(r);
        clv_request *a = ask_while(r, cases[i].all, CLV_COUNT(cases[i].all));
        learnt after = learnt_now(r);
        expect_nothing_learnt(&before, &after);
        assert_string_equal(a->recovered, "");
        assert_string_not_equal(a->plan, "local");
        assert_non_null(after.disbelieved);
        if (!strstr(after.disbelieved, cases[i].why))
            fail_msg("'%s' is not '%s'", after.disbelieved, cases[i].why);
        const clv_timing *t = &a->timing;
        int64_t there_us = t->link_us + t->queue_us + t->cloud_us + t->relay_us;
        assert_true(t->link_us >= 0 && t->queue_us >= 0 && t->cloud_us >= 0 && t->relay_us >= 0);
        assert_true(there_us <= t->total_us);
        clv_request_free(a);
    }
    ask_honestly(r);
    assert_int_equal(r->e.engine->tails, 0);
}

/* These are no times at all: the answer is not read further, and the rest is done here. */
static void what_is_no_time_is_refused(void **state)
{
    rig *r = *state;
    static const struct {
        said lie;
        const char *why;
    } cases[] = {
        {{"cleave_total_us", SAID_INT, .number = -1}, "'cleave_total_us' is not a count"},
        {{"cleave_wait_us", SAID_INT, .number = INT64_MIN}, "'cleave_wait_us' is not a count"},
        {{"cleave_wait_us", SAID_UINT, .number = -1}, "'cleave_wait_us' is not a count"},
        {{"cleave_total_us", SAID_TEXT, .text = "NaN"}, "'cleave_total_us' is not a count"},
        {{"cleave_total_us", SAID_DOUBLE, .real = NAN}, "'cleave_total_us' is not a count"},
        {{"cleave_wait_us", SAID_DOUBLE, .real = INFINITY}, "'cleave_wait_us' is not a count"},
        {{"cleave_edge_us", SAID_DOUBLE, .real = -1e300}, "'cleave_edge_us' is not a count"},
        {{"cleave_trip", SAID_TEXT, .text = "nan,0,0,0,0,0"}, "no time in a trip"},
        {{"cleave_trip", SAID_TEXT, .text = "-5,0,0,0,0,0"}, "no time in a trip"},
        {{"cleave_trip", SAID_TEXT, .text = "3600000001,0,0,0,0,0"}, "a time of a trip is beyond"},
    };
    begin(r);
    for (size_t i = 0; i < CLV_COUNT(cases); i++) {
        learnt before = learnt_now(r);
        clv_request *a = ask_while(r, &cases[i].lie, 1);
        learnt after = learnt_now(r);
        expect_nothing_learnt(&before, &after);
        if (!strstr(a->recovered, cases[i].why))
            fail_msg("'%s' is not '%s'", a->recovered, cases[i].why);
        clv_request_free(a);
        edge_pin(&r->e, CUT); /* it would be left alone for a while */
    }
    ask_honestly(r);
    assert_int_equal(r->e.engine->tails, CLV_COUNT(cases));
}

/* A trip within its limits, but of longer than there was time for. */
static void a_trip_that_is_too_long_is_not_taken(void **state)
{
    rig *r = *state;
    static const said trip = {"cleave_trip", SAID_TEXT, .text = "0,9,0,0,0,0;0,0,0,3600000000,0,0"};
    begin(r);
    clv_request *a = ask_while(r, &trip, 1);
    assert_string_equal(a->recovered, "");
    assert_int_equal(a->trip.n, 0);
    assert_int_equal(a->timing.relay_us, 0);
    clv_request_free(a);
}

/* No nonsense, but nothing to learn from either: it took so long for all of them. The wait is known as ever. */
static void what_ran_with_others_teaches_no_time(void **state)
{
    rig *r = *state;
    static const said shared = {"cleave_shared", SAID_BOOL, .number = 1};
    begin(r);
    learnt before = learnt_now(r);
    clv_request *a = ask_while(r, &shared, 1);
    learnt after = learnt_now(r);
    assert_true(a->shared);
    assert_string_equal(a->recovered, "");
    assert_int_equal(after.sightings, before.sightings);
    assert_int_equal(after.waits, before.waits + 1);
    assert_true(after.timed_us > before.timed_us);
    clv_request_free(a);
}

/* --- with its load --- */

static void a_load_that_cannot_be_is_not_heard(void **state)
{
    rig *r = *state;
    static const char *const lies[] = {
        "{\"queue\":-5,\"ahead_us\":0,\"wait_us\":0}",
        "{\"queue\":1,\"ahead_us\":0,\"wait_us\":-1}",
        "{\"queue\":1,\"ahead_us\":0,\"wait_us\":NaN}",
        "{\"queue\":1,\"ahead_us\":1e999,\"wait_us\":0}",
        "{\"queue\":1,\"ahead_us\":0,\"wait_us\":9223372036854775807}",
    };
    for (size_t i = 0; i <= CLV_COUNT(lies); i++) {
        bool honest = i == CLV_COUNT(lies);
        atomic_store(&r->s.load, honest ? "{\"queue\":1,\"ahead_us\":0,\"wait_us\":7}" : lies[i]);
        edge_start(&r->e, r->folder, r->s.n.url, 60000000);
        edge_pin(&r->e, CUT);
        ask_honestly(r);
        await(learnt_now(r).up); /* so it has answered a ping */
        assert_int_equal(learnt_now(r).load_known, honest);
        if (!honest) edge_stop(&r->e);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop_and_forget)
    const struct CMUnitTest tests[] = {
        TEST(times_that_cannot_be_teach_nothing),   TEST(what_is_no_time_is_refused),
        TEST(a_trip_that_is_too_long_is_not_taken), TEST(what_ran_with_others_teaches_no_time),
        TEST(a_load_that_cannot_be_is_not_heard),
    };
#undef TEST
    return cmocka_run_group_tests_name("nonsense", tests, NULL, NULL);
}
