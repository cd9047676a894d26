#include "measure/link_monitor.h"

#include "base/rng.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>

#define SECOND 1000000
#define WIFI   (18.88e6 / 8)
#define G3     (1.1e6 / 8)

/* A link that is known, with its own clock. */
typedef struct rig {
    clv_rng rng;
    double rate_up, rate_down, rtt_us, noise;
    int64_t now_us;
    clv_link_monitor m;
} rig;

static rig rig_new(uint64_t seed, double rate, double rtt_us, double noise)
{
    rig r = {.rng = clv_rng_seeded(seed),
             .rate_up = rate,
             .rate_down = rate,
             .rtt_us = rtt_us,
             .noise = noise,
             .now_us = SECOND};
    clv_link_monitor_init(&r.m, r.now_us);
    return r;
}

static double noisy(rig *r, double us)
{
    return us * fmax(1 + r->noise * clv_rng_normal(&r->rng), 0.5);
}

static void ping(rig *r)
{
    double us = noisy(r, r->rtt_us);
    r->now_us += (int64_t)us;
    clv_link_monitor_rtt(&r->m, r->now_us, us);
}

static void send(rig *r, size_t up, size_t down)
{
    double us =
        noisy(r, r->rtt_us + 1e6 * (double)up / r->rate_up + 1e6 * (double)down / r->rate_down);
    r->now_us += (int64_t)us;
    clv_link_monitor_exchange(&r->m, r->now_us, up, down, us);
}

static clv_link link_now(const rig *r)
{
    return clv_link_monitor_link(&r->m, r->now_us);
}

static void near(double got, double want, double share)
{
    if (fabs(got - want) > share * want) fail_msg("%g is not within %g of %g", got, share, want);
}

static void traffic_tells_rate_and_round_trip(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        rig r = rig_new(seed, WIFI, 5000, 0.10);
        assert_false(link_now(&r).up);
        ping(&r);
        assert_false(link_now(&r).up); /* no rate yet */
        for (int i = 0; i < 20; i++) {
            send(&r, 20000 + clv_rng_below(&r.rng, 200000), 4000);
            ping(&r);
        }
        clv_link link = link_now(&r);
        assert_true(link.up);
        near(link.up_bytes_per_s, WIFI, 0.2);
        near(link.rtt_us, 5000, 0.25);
        assert_true(link.up_sigma > 0 && link.up_sigma < 0.15);
        /* Hardly measured: a guess, and said to be one. */
        assert_true(link.down_sigma > 0.2 && link.down_sigma > 2 * link.up_sigma);
        assert_true(fabs(log(link.down_bytes_per_s / WIFI)) < log(3));
    }
}

static void directions_are_told_apart(void **state)
{
    (void)state;
    rig r = rig_new(7, 1e6, 20000, 0.05);
    r.rate_down = 5e6;
    ping(&r);
    for (int i = 0; i < 40; i++) {
        send(&r, 100000, 1000);
        send(&r, 1000, 400000);
    }
    near(link_now(&r).up_bytes_per_s, 1e6, 0.1);
    near(link_now(&r).down_bytes_per_s, 5e6, 0.15);
    assert_true(link_now(&r).down_sigma < 0.2);
}

/* Both ways: the link falls from wifi to 3g and later comes back. */
static void a_step_is_followed_within_three_transfers(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        rig r = rig_new(seed, WIFI, 5000, 0.05);
        ping(&r);
        for (int i = 0; i < 30; i++) send(&r, 43264 + clv_rng_below(&r.rng, 100000), 4000);
        near(link_now(&r).up_bytes_per_s, WIFI, 0.15);
        r.rate_up = r.rate_down = G3;
        for (int i = 0; i < 3; i++) send(&r, 43264, 4000);
        near(link_now(&r).up_bytes_per_s, G3, 0.2);
        for (int i = 0; i < 20; i++) send(&r, 43264, 4000);
        near(link_now(&r).up_bytes_per_s, G3, 0.2);
        r.rate_up = r.rate_down = WIFI;
        for (int i = 0; i < 3; i++) send(&r, 150528, 4000);
        near(link_now(&r).up_bytes_per_s, WIFI, 0.25);
    }
}

/* A handover changes the round trip too. Traffic alone cannot tell the two apart: a ping is asked
 * for, although there is traffic, and with it both are right. */
static void after_a_handover_the_round_trip_is_asked_for(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        rig r = rig_new(seed, WIFI, 5000, 0.05);
        ping(&r);
        for (int i = 0; i < 30; i++) send(&r, 43264, 4000);
        r.rate_up = r.rate_down = G3;
        r.rtt_us = 100000;
        int pings = 0;
        for (int i = 0; i < 12; i++) {
            send(&r, 43264, 4000);
            if (clv_link_monitor_probe(&r.m, r.now_us).kind != CLV_PROBE_PING) continue;
            ping(&r);
            pings++;
        }
        assert_true(pings >= 1 && pings <= 4);
        near(link_now(&r).up_bytes_per_s, G3, 0.25);
        near(link_now(&r).rtt_us, 100000, 0.35);
    }
}

static void noise_alone_does_not_move_the_estimate_far(void **state)
{
    (void)state;
    double worst = 0;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        rig r = rig_new(seed, 5.85e6 / 8, 60000, 0.10);
        ping(&r);
        for (int i = 0; i < 200; i++) {
            send(&r, 150528, 4000);
            if (i % 5 == 0) ping(&r);
            if (i > 20) worst = fmax(worst, fabs(link_now(&r).up_bytes_per_s / (5.85e6 / 8) - 1));
        }
    }
    if (worst > 0.3) fail_msg("moved by %g", worst);
}

static void one_stall_does_not_stay(void **state)
{
    (void)state;
    rig r = rig_new(3, WIFI, 5000, 0.05);
    ping(&r);
    for (int i = 0; i < 30; i++) send(&r, 100000, 4000);
    clv_link_monitor_exchange(&r.m, r.now_us, 100000, 4000, 2e6); /* a retransmission timeout */
    for (int i = 0; i < 3; i++) send(&r, 100000, 4000);
    near(link_now(&r).up_bytes_per_s, WIFI, 0.25);
}

static void a_failure_downs_the_link_until_the_next_answer(void **state)
{
    (void)state;
    rig r = rig_new(3, WIFI, 5000, 0.05);
    ping(&r);
    for (int i = 0; i < 10; i++) send(&r, 100000, 4000);
    clv_link_monitor_failure(&r.m, r.now_us);
    assert_false(link_now(&r).up);
    r.now_us += CLV_LINK_QUIET_US;
    assert_int_equal(clv_link_monitor_probe(&r.m, r.now_us).kind, CLV_PROBE_PING);
    ping(&r);
    assert_false(link_now(&r).up); /* it may be another link now: its rate is asked for */
    clv_link_probe p = clv_link_monitor_probe(&r.m, r.now_us);
    assert_int_equal(p.kind, CLV_PROBE_BYTES);
    send(&r, p.bytes, 100);
    assert_true(link_now(&r).up);
    near(link_now(&r).up_bytes_per_s, WIFI, 0.3);
}

static void silence_tells_of_a_slower_link(void **state)
{
    (void)state;
    rig r = rig_new(4, WIFI, 5000, 0.05);
    ping(&r);
    for (int i = 0; i < 10; i++) send(&r, 100000, 4000);
    double before = link_now(&r).up_bytes_per_s;
    clv_link_monitor_unanswered(&r.m, r.now_us, 100000, 10000); /* too soon to tell */
    assert_true(link_now(&r).up_bytes_per_s == before);
    for (int i = 0; i < 2; i++) clv_link_monitor_unanswered(&r.m, r.now_us, 100000, 2000000);
    assert_true(link_now(&r).up);
    assert_true(link_now(&r).up_bytes_per_s < before / 10);
    clv_link_monitor_failure(&r.m, r.now_us);
    clv_link_monitor_unanswered(&r.m, r.now_us, 100000, 2000000); /* a dead link stays dead */
    assert_false(link_now(&r).up);
}

static void probes_are_rare_and_passive_first(void **state)
{
    (void)state;
    rig r = rig_new(5, WIFI, 5000, 0.05);
    assert_int_equal(clv_link_monitor_probe(&r.m, r.now_us).kind, CLV_PROBE_PING);
    assert_int_equal(clv_link_monitor_probe(&r.m, r.now_us).kind, CLV_PROBE_NONE);
    ping(&r);
    clv_link_probe p = clv_link_monitor_probe(&r.m, r.now_us); /* the rate is not known: at once */
    assert_int_equal(p.kind, CLV_PROBE_BYTES);
    assert_true(p.bytes >= 16384 && p.bytes <= 262144);
    assert_int_equal(clv_link_monitor_probe(&r.m, r.now_us).kind, CLV_PROBE_NONE);
    send(&r, p.bytes, 100);
    assert_true(link_now(&r).up);
    for (int i = 0; i < 1000; i++) { /* traffic: never a probe */
        r.now_us += 100000;
        send(&r, 50000, 4000);
        assert_int_equal(clv_link_monitor_probe(&r.m, r.now_us).kind, CLV_PROBE_NONE);
    }
    int pings = 0, bulk = 0;
    size_t bytes = 0;
    for (int i = 0; i < 600; i++) { /* a minute of silence */
        r.now_us += 100000;
        p = clv_link_monitor_probe(&r.m, r.now_us);
        pings += p.kind == CLV_PROBE_PING;
        if (p.kind == CLV_PROBE_PING) ping(&r);
        bulk += p.kind == CLV_PROBE_BYTES;
        bytes += p.bytes;
        if (p.kind == CLV_PROBE_BYTES) send(&r, p.bytes, 100);
    }
    assert_true(pings >= 40 && pings <= 60);
    assert_true(bulk <= 12);
    assert_true((double)bytes < 0.03 * 60 * WIFI);
}

static void knowledge_ages(void **state)
{
    (void)state;
    rig r = rig_new(5, WIFI, 5000, 0.05);
    ping(&r);
    for (int i = 0; i < 20; i++) send(&r, 100000, 4000);
    double fresh = link_now(&r).up_sigma;
    r.now_us += 60 * (int64_t)SECOND;
    assert_true(link_now(&r).up_sigma > 3 * fresh);
    assert_true(link_now(&r).up_sigma <= 1);
}

static void nonsense_is_ignored(void **state)
{
    (void)state;
    rig r = rig_new(5, WIFI, 5000, 0.05);
    ping(&r);
    send(&r, 100000, 4000);
    clv_link before = link_now(&r);
    clv_link_monitor_rtt(&r.m, r.now_us, -1);
    clv_link_monitor_rtt(&r.m, r.now_us, (double)NAN);
    clv_link_monitor_exchange(&r.m, r.now_us, 1000, 0, 0);
    clv_link_monitor_exchange(&r.m, r.now_us, 1000, 0, (double)INFINITY);
    clv_link after = link_now(&r);
    assert_float_equal(before.up_bytes_per_s, after.up_bytes_per_s, 0);
    assert_float_equal(before.down_bytes_per_s, after.down_bytes_per_s, 0);
    assert_float_equal(before.rtt_us, after.rtt_us, 0);
    assert_float_equal(before.up_sigma, after.up_sigma, 0);
    assert_true(after.up);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traffic_tells_rate_and_round_trip),
        cmocka_unit_test(directions_are_told_apart),
        cmocka_unit_test(a_step_is_followed_within_three_transfers),
        cmocka_unit_test(after_a_handover_the_round_trip_is_asked_for),
        cmocka_unit_test(noise_alone_does_not_move_the_estimate_far),
        cmocka_unit_test(one_stall_does_not_stay),
        cmocka_unit_test(a_failure_downs_the_link_until_the_next_answer),
        cmocka_unit_test(silence_tells_of_a_slower_link),
        cmocka_unit_test(probes_are_rare_and_passive_first),
        cmocka_unit_test(knowledge_ages),
        cmocka_unit_test(nonsense_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
