#include "measure/link_regimes.h"

#include "measure/link_monitor.h"
#include "unit.h"

#include <math.h>

#define SECOND 1000000

static clv_link_regime regime(double rtt_us, double up, int64_t seen_us)
{
    return (clv_link_regime){.rtt = log(rtt_us), .up = up, .down = up, .seen_us = seen_us};
}

static void note(clv_link_regimes *r, double rtt_us, double up, int64_t seen_us)
{
    const clv_link_regime now = regime(rtt_us, up, seen_us);
    clv_link_regimes_note(r, &now);
}

static void the_nearest_round_trip_is_recalled(void **state)
{
    (void)state;
    clv_link_regimes r = {0};
    assert_null(clv_link_regimes_recall(&r, log(5000)));
    note(&r, 5000, -1, 1);
    note(&r, 8000, -2, 2);
    note(&r, 100000, -3, 3);
    assert_float_equal(clv_link_regimes_recall(&r, log(5500))->up, -1, 0);
    assert_float_equal(clv_link_regimes_recall(&r, log(7500))->up, -2, 0);
    assert_float_equal(clv_link_regimes_recall(&r, log(120000))->up, -3, 0);
    assert_null(clv_link_regimes_recall(&r, log(30000)));
    assert_null(clv_link_regimes_recall(&r, log(3000)));
}

/* One regime for each round trip: the newest rates; and the one unseen for the longest makes room. */
static void few_are_kept(void **state)
{
    (void)state;
    clv_link_regimes r = {0};
    note(&r, 5000, -1, 1);
    note(&r, 5500, -1.5, 2);
    assert_int_equal(r.n, 1);
    assert_float_equal(clv_link_regimes_recall(&r, log(5000))->up, -1.5, 0);
    double rtt_us = 5000;
    for (int i = 1; i <= CLV_LINK_REGIMES; i++) note(&r, rtt_us *= 2, i, 10 + i);
    assert_int_equal(r.n, CLV_LINK_REGIMES);
    assert_null(clv_link_regimes_recall(&r, log(5500)));
    assert_float_equal(clv_link_regimes_recall(&r, log(10000))->up, 1, 0);
    assert_float_equal(clv_link_regimes_recall(&r, log(rtt_us))->up, CLV_LINK_REGIMES, 0);
}

static void bytes_judge_once_for_each_recall(void **state)
{
    (void)state;
    clv_link_regimes r = {0};
    clv_link_regimes_judge(&r, false); /* nothing was recalled */
    note(&r, 5000, -1, 1);
    for (int i = 0; i < 2 * CLV_LINK_REGIME_SURE; i++) {
        clv_link_regimes_recall(&r, log(5000));
        clv_link_regimes_judge(&r, true);
        clv_link_regimes_judge(&r, true);
        int want = i + 1 < CLV_LINK_REGIME_SURE ? i + 1 : CLV_LINK_REGIME_SURE;
        assert_int_equal(r.known[0].right, want);
    }
    note(&r, 5000, -1.1, 2); /* what it takes now; how good a guess it was stays */
    assert_int_equal(r.known[0].right, CLV_LINK_REGIME_SURE);
    int wrong = 0;
    for (; r.n && wrong < 100; wrong++) {
        clv_link_regimes_recall(&r, log(5000));
        clv_link_regimes_judge(&r, false);
    }
    assert_int_equal(wrong, 5); /* 8, 4, 2, 1, 0, and it is forgotten */
    assert_null(clv_link_regimes_recall(&r, log(5000)));
}

/* ---- in the monitor ---- */

typedef struct link {
    double rate, rtt_us;
} link;
static const link wifi = {18.88e6 / 8, 5000}, g3 = {1.1e6 / 8, 100000};

static void transfer(clv_link_monitor *m, int64_t *now_us, const link *l, size_t up)
{
    double us = l->rtt_us + 1e6 * ((double)up + 4000) / l->rate;
    *now_us += (int64_t)us;
    clv_link_monitor_exchange(m, *now_us, up, 4000, us);
}

static void pings(clv_link_monitor *m, int64_t *now_us, const link *l, int n)
{
    for (int i = 0; i < n; i++) {
        *now_us += (int64_t)l->rtt_us;
        clv_link_monitor_rtt(m, *now_us, l->rtt_us);
    }
}

static double up(const clv_link_monitor *m, int64_t now_us)
{
    return clv_link_monitor_link(m, now_us).up_bytes_per_s;
}

/* A monitor that knows the first link well. */
static clv_link_monitor known(int64_t *now_us)
{
    clv_link_monitor m;
    *now_us = SECOND;
    clv_link_monitor_init(&m, *now_us);
    pings(&m, now_us, &wifi, 1);
    for (int i = 0; i < 10; i++) transfer(&m, now_us, &wifi, 70000);
    return m;
}

/* From the second time on pings are enough, both ways, and it is said that little is certain. */
static void a_known_round_trip_brings_its_rates_back(void **state)
{
    (void)state;
    int64_t now;
    clv_link_monitor m = known(&now);
    pings(&m, &now, &g3, 2);
    double once = up(&m, now); /* slower, surely; how much is a guess */
    assert_true(once < 0.6 * wifi.rate && once > 1.3 * g3.rate);
    for (int i = 0; i < 5; i++) transfer(&m, &now, &g3, 20000);
    double sigma = clv_link_monitor_link(&m, now).up_sigma;
    for (int i = 0; i < 3; i++) {
        pings(&m, &now, &wifi, 2);
        assert_true(fabs(up(&m, now) / wifi.rate - 1) < 0.1);
        assert_true(clv_link_monitor_link(&m, now).up_sigma > 2 * sigma);
        pings(&m, &now, &g3, 2);
        assert_true(fabs(up(&m, now) / g3.rate - 1) < 0.1);
    }
}

/* The round trip is as it was and the rate is not: bytes overrule what was recalled, and it is not
 * recalled for ever. */
static void what_was_recalled_is_overruled(void **state)
{
    (void)state;
    const link busy = {wifi.rate / 8, wifi.rtt_us};
    int64_t now;
    clv_link_monitor m = known(&now);
    pings(&m, &now, &g3, 2);
    pings(&m, &now, &busy, 2);
    assert_true(up(&m, now) > wifi.rate / 2);
    for (int i = 0; i < 3; i++) transfer(&m, &now, &busy, 70000);
    assert_true(fabs(up(&m, now) / busy.rate - 1) < 0.1);
    for (int i = 0; i < 6; i++) transfer(&m, &now, &busy, 70000);
    pings(&m, &now, &g3, 2);
    pings(&m, &now, &busy, 2);
    assert_true(fabs(up(&m, now) / busy.rate - 1) < 0.2);
}

/* A single slow answer is a hiccup of somebody's: the rates stay. */
static void one_late_ping_recalls_nothing_else(void **state)
{
    (void)state;
    int64_t now;
    clv_link_monitor m = known(&now);
    const link late = {wifi.rate, 15000};
    pings(&m, &now, &late, 1);
    pings(&m, &now, &wifi, 1);
    assert_true(fabs(up(&m, now) / wifi.rate - 1) < 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_round_trip_is_recalled),
        cmocka_unit_test(few_are_kept),
        cmocka_unit_test(bytes_judge_once_for_each_recall),
        cmocka_unit_test(a_known_round_trip_brings_its_rates_back),
        cmocka_unit_test(what_was_recalled_is_overruled),
        cmocka_unit_test(one_late_ping_recalls_nothing_else),
    };
    return cmocka_run_group_tests_name("link_regimes", tests, NULL, NULL);
}
