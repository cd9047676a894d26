#include "measure/throughput.h"

#include "base/mem.h"
#include "unit.h"

#define MS      1000
#define LOOK_US (100 * MS)
#define RATE    137500.0 /* bytes a second: 1.1 Mbit/s */

static const clv_throughput_counters quiet = {.rtt_us = 5000, .min_rtt_us = 5000};

/* A connection that is busy from 0 on, with a queue before it. */
static clv_throughput_counters busy(int64_t us)
{
    return (clv_throughput_counters){.delivered_bytes = (uint64_t)(RATE * 1e-6 * (double)us),
                                     .busy_us = us / 4000 * 4000, /* as the kernel counts */
                                     .rtt_us = 60000,
                                     .min_rtt_us = 5000};
}

static void a_busy_full_path_tells_its_rate(void **state)
{
    (void)state;
    clv_throughput f = {0};
    int told = 0;
    for (int64_t us = 0; us <= 3000 * MS; us += LOOK_US) {
        clv_throughput_counters c = busy(us);
        clv_throughput_carried got = clv_throughput_look(&f, us, &c);
        if (got.us <= 0) continue;
        assert_true(got.us >= CLV_THROUGHPUT_LEAST_US && got.us <= CLV_THROUGHPUT_MOST_US);
        assert_float_equal((double)got.bytes * 1e6 / got.us, RATE, 0.01 * RATE);
        told++;
    }
    assert_in_range(told, 6, 8);
}

static void a_slow_path_takes_longer_windows(void **state)
{
    (void)state;
    clv_throughput f = {0};
    int told = 0;
    for (int64_t us = 0; us <= 3000 * MS; us += LOOK_US) {
        clv_throughput_counters c = busy(us);
        c.delivered_bytes /= 10;
        clv_throughput_carried got = clv_throughput_look(&f, us, &c);
        if (got.us <= 0) continue;
        assert_true(got.us == CLV_THROUGHPUT_MOST_US);
        assert_float_equal((double)got.bytes * 1e6 / got.us, RATE / 10, 0.01 * RATE);
        told++;
    }
    assert_int_equal(told, 3);
}

/* What `spoil` makes of the counters tells nothing. */
static void tells_nothing(void (*spoil)(clv_throughput_counters *c, int look))
{
    clv_throughput f = {0};
    int look = 0;
    for (int64_t us = 0; us <= 5000 * MS; us += LOOK_US) {
        clv_throughput_counters c = busy(us);
        spoil(&c, look++);
        assert_true(clv_throughput_look(&f, us, &c).us == 0);
    }
}

static void idle_half_of_the_time(clv_throughput_counters *c, int look)
{
    (void)look;
    c->busy_us /= 2;
}

static void without_a_queue(clv_throughput_counters *c, int look)
{
    (void)look;
    c->rtt_us = 1.1 * c->min_rtt_us;
}

static void never_known(clv_throughput_counters *c, int look)
{
    (void)look;
    c->rtt_us = c->min_rtt_us = 0;
}

static void nothing_arrives(clv_throughput_counters *c, int look)
{
    (void)look;
    c->delivered_bytes = 77;
}

static void a_new_connection_each_time(clv_throughput_counters *c, int look)
{
    c->delivered_bytes = (uint64_t)(1000000 - 1000 * look);
}

static void other_times_tell_nothing(void **state)
{
    (void)state;
    tells_nothing(idle_half_of_the_time);
    tells_nothing(without_a_queue);
    tells_nothing(never_known);
    tells_nothing(nothing_arrives);
    tells_nothing(a_new_connection_each_time);
}

/* What lies before an idle time is not counted with what comes behind it. */
static void an_idle_time_begins_anew(void **state)
{
    (void)state;
    clv_throughput f = {0};
    clv_throughput_counters c = busy(0);
    assert_true(clv_throughput_look(&f, 0, &c).us == 0);
    c = busy(100 * MS);
    assert_true(clv_throughput_look(&f, 100 * MS, &c).us == 0);
    clv_throughput_counters idle = quiet;
    idle.delivered_bytes = c.delivered_bytes;
    idle.busy_us = c.busy_us;
    assert_true(clv_throughput_look(&f, 200 * MS, &idle).us == 0);
    for (int64_t us = 100 * MS; us <= 500 * MS; us += LOOK_US) {
        c = busy(us); /* the clock of looks is 200 ms ahead */
        clv_throughput_carried got = clv_throughput_look(&f, us + 200 * MS, &c);
        if (got.us <= 0) continue;
        assert_float_equal((double)got.bytes * 1e6 / got.us, RATE, 0.01 * RATE);
        return;
    }
    fail_msg("nothing was told");
}

/* Idle though TCP took it for busy, as who sends knows: a window that began before tells nothing, the
 * next one does. */
static void an_idle_time_that_tcp_does_not_see_begins_anew(void **state)
{
    (void)state;
    clv_throughput f = {0};
    int64_t told_us = 0;
    for (int64_t us = 0; us <= 3000 * MS && !told_us; us += LOOK_US) {
        clv_throughput_counters c = busy(us);
        c.idle_us = CLV_MIN(us, (int64_t)(750 * MS));
        if (clv_throughput_look(&f, us, &c).us > 0) told_us = us;
    }
    assert_in_range(told_us, 800 * MS + CLV_THROUGHPUT_LEAST_US, 800 * MS + CLV_THROUGHPUT_MOST_US);
}

/* A clock that was set back. */
static void a_clock_may_jump(void **state)
{
    (void)state;
    clv_throughput f = {0};
    clv_throughput_counters c = busy(0);
    clv_throughput_look(&f, 10000 * MS, &c);
    c = busy(900 * MS);
    assert_true(clv_throughput_look(&f, 100 * MS, &c).us == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_busy_full_path_tells_its_rate),
        cmocka_unit_test(a_slow_path_takes_longer_windows),
        cmocka_unit_test(other_times_tell_nothing),
        cmocka_unit_test(an_idle_time_begins_anew),
        cmocka_unit_test(an_idle_time_that_tcp_does_not_see_begins_anew),
        cmocka_unit_test(a_clock_may_jump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
