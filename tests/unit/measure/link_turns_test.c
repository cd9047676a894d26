#include "measure/link_turns.h"

#include "base/mem.h"
#include "base/rng.h"
#include "measure/link_monitor.h"
#include "unit.h"

#include <math.h>

enum { FLIGHTS = 16 };

/* A link that carries one thing after the other each way, and a peer that computes one thing
 * after the other: when each exchange of a closed loop ends, by naive bookkeeping. */
typedef struct world {
    double rate, rtt_us, compute_us;
    size_t up_bytes, down_bytes;
    int64_t up_free, peer_free, down_free;
} world;

typedef struct flight {
    clv_link_turn turn;
    int64_t end_us, link_us;
} flight;

static void fly(world *w, flight *f, clv_link_turns *t, int64_t now)
{
    clv_link_turns_begin(t, &f->turn, w->up_bytes, now);
    w->up_free = CLV_MAX(w->up_free, now) + (int64_t)(1e6 * (double)w->up_bytes / w->rate);
    int64_t there = w->up_free + (int64_t)(w->rtt_us / 2);
    w->peer_free = CLV_MAX(w->peer_free, there) + (int64_t)w->compute_us;
    int64_t down = CLV_MAX(w->down_free, w->peer_free);
    w->down_free = down + (int64_t)(1e6 * (double)w->down_bytes / w->rate);
    f->end_us = w->down_free + (int64_t)(w->rtt_us / 2);
    f->link_us = f->end_us - now - (w->peer_free - there);
}

/* 400 exchanges, always so many in flight; how far the estimate of the rate is off. */
static double error_of(world w, int flights)
{
    clv_link_turns t = {.free_us = INT64_MIN};
    clv_link_monitor m;
    flight list[FLIGHTS];
    int64_t now = 1000000;
    clv_link_monitor_init(&m, now);
    clv_link_monitor_rtt(&m, now, w.rtt_us);
    for (int i = 0; i < flights; i++) fly(&w, &list[i], &t, now + 10 * i);
    for (int i = 0; i < 400; i++) {
        flight *next = &list[0];
        for (int k = 1; k < flights; k++)
            if (list[k].end_us < next->end_us) next = &list[k];
        now = next->end_us;
        clv_link link = clv_link_monitor_link(&m, now);
        double back = link.up ? clv_link_exchange_us(&link, 0, w.down_bytes) : 0;
        int64_t us = clv_link_turns_end(&t, &next->turn,
                                        &(clv_link_turn_end){.us = next->link_us,
                                                             .back_us = (int64_t)back,
                                                             .down_bytes = w.down_bytes});
        if (us) clv_link_monitor_exchange(&m, now, w.up_bytes, w.down_bytes, (double)us);
        fly(&w, next, &t, now);
    }
    return fabs(clv_link_monitor_link(&m, now).up_bytes_per_s / w.rate - 1);
}

static void many_in_flight_do_not_make_the_link_slow(void **state)
{
    (void)state;
    const double computes[] = {1000, 20000, 60000}; /* the link, or the peer, is the narrow place */
    for (size_t i = 0; i < CLV_COUNT(computes); i++)
        for (int flights = 1; flights <= FLIGHTS; flights *= 4) {
            double off = error_of((world){.rate = 2.36e6,
                                          .rtt_us = 5000,
                                          .compute_us = computes[i],
                                          .up_bytes = 72000,
                                          .down_bytes = 4300},
                                  flights);
            if (off > 0.1)
                fail_msg("compute %g us, %d in flight: the rate is %.0f %% off", computes[i],
                         flights, 100 * off);
        }
}

static int64_t end(clv_link_turns *t, clv_link_turn *turn, int64_t us, size_t down_bytes)
{
    return clv_link_turns_end(
        t, turn, &(clv_link_turn_end){.us = us, .back_us = 100, .down_bytes = down_bytes});
}

static void one_alone_counts_in_full(void **state)
{
    (void)state;
    clv_link_turns t = {.free_us = INT64_MIN};
    clv_link_turn a;
    clv_link_turns_begin(&t, &a, 10, 5000);
    assert_int_equal(clv_link_turns_at(&t, &a, 5400), 400);
    assert_int_equal(end(&t, &a, 700, 1000000),
                     700); /* also a large answer: nothing was before it */
    clv_link_turns_begin(&t, &a, 10, 9000);
    assert_int_equal(end(&t, &a, 0, 1), 1);
}

static void the_second_counts_from_when_the_first_had_gone(void **state)
{
    (void)state;
    clv_link_turns t = {.free_us = INT64_MIN};
    clv_link_turn a, b;
    clv_link_turns_begin(&t, &a, 10, 0);
    clv_link_turns_begin(&t, &b, 10, 10);
    assert_int_equal(clv_link_turns_bytes(&t), a.up_bytes + b.up_bytes);
    assert_int_equal(clv_link_turns_at(&t, &b, 500), 0);
    assert_int_equal(end(&t, &a, 600, 5), 600); /* its bytes had gone at 500 */
    assert_int_equal(clv_link_turns_at(&t, &b, 700), 200);
    assert_int_equal(end(&t, &b, 1090, 5), 600);
}

static void what_cannot_be_known_is_not_told(void **state)
{
    (void)state;
    clv_link_turns t = {.free_us = INT64_MIN};
    clv_link_turn a, b, c;
    clv_link_turns_begin(&t, &a, 10, 0);
    clv_link_turns_begin(&t, &b, 10, 10);
    clv_link_turns_begin(&t, &c, 10, 20);
    assert_int_equal(end(&t, &b, 500, 5), 0); /* a is still under way */
    clv_link_turns_drop(&t, &a);
    assert_int_equal(end(&t, &c, 1000, 11), 0); /* answers that may have waited for each other */
    assert_null(t.last);
}

/* What is there waits for the other side; the link is at what comes behind it. */
static void what_is_acknowledged_is_not_on_the_link_any_more(void **state)
{
    (void)state;
    clv_link_turns t = {.free_us = INT64_MIN};
    clv_link_turn a, b;
    clv_link_turns_begin(&t, &a, 1000, 10);
    clv_link_turns_line(&t, &a, 50000);
    clv_link_turns_begin(&t, &b, 1000, 20);
    clv_link_turns_line(&t, &b, 50000);
    assert_ptr_equal(clv_link_turns_look(&t, 50999, 100), &a);
    assert_int_equal(clv_link_turns_at(&t, &a, 100), 90);
    assert_int_equal(clv_link_turns_at(&t, &b, 100), 0);
    assert_ptr_equal(clv_link_turns_look(&t, 51000, 200), &b);
    assert_ptr_equal(clv_link_turns_look(&t, 51999, 300), &b);
    assert_int_equal(clv_link_turns_at(&t, &b, 300), 100); /* since a was seen to have gone */
    assert_null(clv_link_turns_look(&t, 52000, 400));
    assert_true(a.gone_us == 200 && b.gone_us == 400);
    end(&t, &a, 500, 5);
    clv_link_turns_drop(&t, &b);
    assert_null(clv_link_turns_look(&t, 52000, 500));
}

/* Cancelled bytes may never go: those behind them count as on their way until all is over. */
static void what_was_cancelled_makes_nothing_seem_to_be_there(void **state)
{
    (void)state;
    clv_link_turns t = {.free_us = INT64_MIN};
    clv_link_turn a, b;
    clv_link_turns_begin(&t, &a, 1000, 10);
    clv_link_turns_line(&t, &a, 0);
    clv_link_turns_begin(&t, &b, 1000, 20);
    clv_link_turns_line(&t, &b, 0);
    clv_link_turns_drop(&t, &a);
    assert_ptr_equal(clv_link_turns_look(&t, 1000, 100), &b);
    clv_link_turns_drop(&t, &b);
    clv_link_turns_begin(&t, &a, 1000, 200);
    clv_link_turns_line(&t, &a, 1000);
    assert_ptr_equal(clv_link_turns_look(&t, 1999, 300), &a);
    assert_null(clv_link_turns_look(&t, 2000, 300));
    clv_link_turns_begin(&t, &b, 1000, 300); /* nobody said where its bytes end */
    assert_ptr_equal(clv_link_turns_look(&t, 1000000, 400), &b);
}

/* TCP takes a connection for busy until all is acknowledged: that the link had gone idle before is
 * seen from here. */
static void the_link_was_idle_before_what_began_late(void **state)
{
    (void)state;
    clv_link_turns t = {.free_us = INT64_MIN};
    clv_link_turn a, b, c;
    clv_link_turns_begin(&t, &a, 10, 1000);
    assert_int_equal(t.idle_us, 1000);
    clv_link_turns_begin(&t, &b, 10, 1400);
    assert_int_equal(t.idle_us, 1000); /* nobody knows yet */
    end(&t, &a, 600, 5);               /* its bytes had gone at 1500 */
    assert_int_equal(t.idle_us, 1000);
    clv_link_turns_begin(&t, &c, 10, 2300);
    end(&t, &b, 900, 5); /* at 2200 */
    assert_int_equal(t.idle_us, 2300);
    end(&t, &c, 900, 5);
    clv_link_turns_begin(&t, &a, 10, 9000);
    assert_int_equal(t.idle_us, 9000);
    clv_link_turns_drop(&t, &a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_in_flight_do_not_make_the_link_slow),
        cmocka_unit_test(one_alone_counts_in_full),
        cmocka_unit_test(the_second_counts_from_when_the_first_had_gone),
        cmocka_unit_test(what_is_acknowledged_is_not_on_the_link_any_more),
        cmocka_unit_test(what_was_cancelled_makes_nothing_seem_to_be_there),
        cmocka_unit_test(what_cannot_be_known_is_not_told),
        cmocka_unit_test(the_link_was_idle_before_what_began_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
