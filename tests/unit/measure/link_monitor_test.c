#include "measure/link_monitor.h"

#include "base/mem.h"
#include "base/rng.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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

/* In the middle of one long exchange, and whatever shares the link with it. */
static void what_a_busy_connection_carries_tells_a_step(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        rig r = rig_new(seed, WIFI, 5000, 0.05);
        ping(&r);
        for (int i = 0; i < 30; i++) send(&r, 43264, 4000);
        for (int i = 0; i < 3; i++) {
            double us = noisy(&r, 350e3);
            r.now_us += (int64_t)us;
            clv_link_monitor_carried(&r.m, r.now_us, (size_t)(G3 * 0.35), us);
        }
        near(link_now(&r).up_bytes_per_s, G3, 0.15);
        near(link_now(&r).rtt_us, 5000, 0.3); /* it says nothing of that */
        assert_true(link_now(&r).unseen_us < 1);
    }
}

/* Silence may be a stall or a step: it is asked which, at once, though nobody's plan waits for it: with a ping, as bytes tell nothing
 * while the round trip may be another, and then more bytes than a slow link would get. What was sent before the silence does not tell. */
static void a_stall_is_asked_about_at_once(void **state)
{
    (void)state;
    rig r = rig_new(6, WIFI, 5000, 0.02);
    ping(&r);
    for (int i = 0; i < 30; i++) send(&r, 43264, 4000);
    assert_int_equal(clv_link_monitor_probe(&r.m, r.now_us, false).kind, CLV_PROBE_NONE);
    r.now_us += 300000;
    clv_link_monitor_unanswered(&r.m, r.now_us, 43264, 300000);
    double slow = link_now(&r).up_bytes_per_s;
    assert_true(slow < WIFI / 10);
    r.now_us += 20000;
    clv_link_monitor_exchange(&r.m, r.now_us, 43264, 4000, 320000); /* it began before */
    assert_int_equal(clv_link_monitor_probe(&r.m, r.now_us, false).kind, CLV_PROBE_PING);
    assert_int_equal(clv_link_monitor_probe(&r.m, r.now_us, false).kind, CLV_PROBE_NONE);
    ping(&r);
    clv_link_probe p = clv_link_monitor_probe(&r.m, r.now_us, false);
    assert_int_equal(p.kind, CLV_PROBE_BYTES);
    assert_true((double)p.bytes > 2 * slow * 0.02 && (double)p.bytes < WIFI * 0.02);
    for (int i = 0; i < 3; i++) send(&r, p.bytes, 100); /* it was a stall */
    near(link_now(&r).up_bytes_per_s, WIFI, 0.3);
    r.now_us += CLV_LINK_PROBE_EVERY_US;
    assert_int_not_equal(clv_link_monitor_probe(&r.m, r.now_us, false).kind, CLV_PROBE_BYTES);
}

static void a_link_that_was_lost_may_be_what_it_was(void **state)
{
    (void)state;
    rig r = rig_new(5, WIFI, 5000, 0.02);
    ping(&r);
    for (int i = 0; i < 30; i++) send(&r, 43264, 4000);
    clv_link_monitor_failure(&r.m, r.now_us);
    assert_false(link_now(&r).up);
    ping(&r);
    send(&r, 16384, 100);
    assert_true(link_now(&r).up);
    near(link_now(&r).up_bytes_per_s, WIFI, 0.3);
    clv_link_monitor_failure(&r.m, r.now_us);
    r.rate_up = r.rate_down = G3; /* it is not */
    ping(&r);
    for (int i = 0; i < 3; i++) send(&r, 16384, 100);
    near(link_now(&r).up_bytes_per_s, G3, 0.25);
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
            if (clv_link_monitor_probe(&r.m, r.now_us, false).kind != CLV_PROBE_PING) continue;
            ping(&r);
            pings++;
        }
        assert_true(pings >= 1 && pings <= 4);
        near(link_now(&r).up_bytes_per_s, G3, 0.25);
        near(link_now(&r).rtt_us, 100000, 0.35);
    }
}

/* Slow and known: a ping that is a step to a shorter round trip lets the link be hoped for, until
 * bytes tell, and whatever one late ping says. One to a longer does not. */
static void a_shorter_round_trip_is_a_hope(void **state)
{
    (void)state;
    rig r = rig_new(1, G3, 100000, 0);
    ping(&r);
    for (int i = 0; i < 10; i++) send(&r, 15000, 4000);
    r.rtt_us = 5000;
    ping(&r);
    assert_true(link_now(&r).up_sigma >= 1);
    assert_true(link_now(&r).up_bytes_per_s > 7 * G3);
    r.rtt_us = 15000;
    ping(&r);
    r.rtt_us = 5000;
    ping(&r);
    assert_true(link_now(&r).up_bytes_per_s > 7 * G3);
    assert_true(clv_link_monitor_carries(&r.m) < 0.5 * link_now(&r).up_bytes_per_s);
    send(&r, 15000, 4000);
    near(link_now(&r).up_bytes_per_s, G3, 0.25);
    r.rtt_us = 100000;
    ping(&r);
    ping(&r);
    assert_true(link_now(&r).up_bytes_per_s <= 1.01 * clv_link_monitor_carries(&r.m));
}

/* Both pings after a step were late: bytes that then tell nothing of the rate ask for another. */
static void bytes_that_tell_nothing_ask_for_the_round_trip(void **state)
{
    (void)state;
    rig r = rig_new(1, WIFI, 5000, 0);
    ping(&r);
    for (int i = 0; i < 10; i++) send(&r, 43264, 4000);
    r.rate_up = r.rate_down = G3;
    r.rtt_us = 125000;
    ping(&r);
    ping(&r);
    r.rtt_us = 100000;
    send(&r, 2000, 100);
    assert_int_equal(clv_link_monitor_probe(&r.m, r.now_us, true).kind, CLV_PROBE_PING);
    ping(&r);
    for (int i = 0; i < 10; i++) { /* once: what is small never tells */
        send(&r, 500, 100);
        assert_false(r.m.rtt_asked);
    }
}

/* A node that was busy saw a third of the link: one probe finds most of the rest. */
static void distrusted_rates_are_asked_for_anew(void **state)
{
    (void)state;
    rig r = rig_new(1, WIFI / 3, 5000, 0);
    clv_link_monitor_distrust(&r.m, r.now_us); /* nothing is known: nothing to doubt */
    assert_false(link_now(&r).up);
    ping(&r);
    for (int i = 0; i < 3; i++) send(&r, 16000, 4000);
    r.rate_up = r.rate_down = WIFI;
    r.now_us += CLV_LINK_DOWN_EVERY_US;
    assert_int_equal(clv_link_monitor_probe(&r.m, r.now_us, true).kind, CLV_PROBE_NONE);
    clv_link_monitor_distrust(&r.m, r.now_us);
    assert_true(link_now(&r).up_sigma > CLV_LINK_OPEN_SIGMA);
    clv_link_probe probe = clv_link_monitor_probe(&r.m, r.now_us, true);
    assert_int_equal(probe.kind, CLV_PROBE_BYTES);
    send(&r, probe.bytes, 100);
    near(link_now(&r).up_bytes_per_s, WIFI, 0.35);
    assert_true(link_now(&r).up_sigma < CLV_LINK_OPEN_SIGMA);
}

/* Asks as a node does that has nothing else to do; how many probes went out in so long. */
static int probes_in(rig *r, int64_t us)
{
    int n = 0;
    for (int64_t until_us = r->now_us + us; r->now_us < until_us; r->now_us += 50000) {
        clv_link_probe probe = clv_link_monitor_probe(&r->m, r->now_us, true);
        if (probe.kind == CLV_PROBE_PING) ping(r);
        if (probe.kind != CLV_PROBE_BYTES) continue;
        send(r, probe.bytes, 100);
        n++;
    }
    return n;
}

/* One look more may be off, too: it is asked until the rate is known, and no longer. */
static void distrusted_rates_are_asked_for_until_known(void **state)
{
    (void)state;
    double square = 0;
    enum { LINKS = 100 };
    for (uint64_t seed = 1; seed <= LINKS; seed++) {
        rig r = rig_new(seed, WIFI, 5000, 0.1);
        ping(&r);
        for (int i = 0; i < 3; i++) send(&r, 16000, 4000);
        clv_link_monitor_distrust(&r.m, r.now_us);
        int n = probes_in(&r, CLV_LINK_DOUBTED_US);
        assert_in_range(n, 4, 10);
        double error = log(link_now(&r).up_bytes_per_s / WIFI);
        square += error * error / LINKS;
        assert_in_range(probes_in(&r, CLV_LINK_DOUBTED_US), 0, 2); /* as one of any link */
    }
    assert_true(sqrt(square) < CLV_LINK_SURE_SIGMA);
}

static bool is_greeted(rig *r)
{
    r->now_us += 2 * CLV_LINK_GREET_EVERY_US;
    return clv_link_monitor_greets(&r->m, r->now_us);
}

/* A sign of life that is late sends a request home: a link that only wavers is not asked for one. */
static void a_link_that_became_another_is_greeted(void **state)
{
    (void)state;
    rig r = rig_new(1, WIFI, 5000, 0);
    ping(&r);
    for (int i = 0; i < 20; i++) send(&r, 43264, 4000);
    r.rate_up = r.rate_down = 1.8 * WIFI;
    send(&r, 43264, 4000);
    assert_true(clv_link_monitor_surprised(&r.m));
    ping(&r);
    for (int i = 0; i < 3; i++) send(&r, 43264, 4000);
    assert_false(is_greeted(&r));
    r.rate_up = r.rate_down = G3;
    send(&r, 43264, 4000);
    assert_true(is_greeted(&r));
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

/* Pings of a node that computes come late now and then, one alone, by a third or by two: that is not
 * the link. */
static void late_pings_move_nothing(void **state)
{
    (void)state;
    double worst_rtt = 0, worst_rate = 0;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        rig r = rig_new(seed, WIFI, 5000, 0.02);
        double late = 1;
        ping(&r);
        for (int i = 0; i < 100; i++) {
            send(&r, 15000, 1000);
            r.now_us += SECOND / 4;
            uint64_t chance = late > 1 ? 2 : clv_rng_below(&r.rng, 5);
            late = chance == 0 ? 1.65 : chance == 1 ? 1.33 : 1;
            double us = late * noisy(&r, 5000);
            clv_link_monitor_rtt(&r.m, r.now_us, us);
            if (i < 10) continue;
            worst_rtt = fmax(worst_rtt, fabs(link_now(&r).rtt_us / 5000 - 1));
            worst_rate = fmax(worst_rate, fabs(link_now(&r).up_bytes_per_s / WIFI - 1));
        }
    }
    if (worst_rtt > 0.2 || worst_rate > 0.1)
        fail_msg("round trip %g off, rate %g off", worst_rtt, worst_rate);
}

/* But where each is late, the round trip is that long. */
static void a_round_trip_that_stays_longer_is_believed(void **state)
{
    (void)state;
    rig r = rig_new(1, WIFI, 5000, 0.02);
    for (int i = 0; i < 20; i++) {
        send(&r, 15000, 1000);
        ping(&r);
    }
    for (double longer = 5500; longer < 12000; longer *= 1.2) {
        r.rtt_us = longer;
        for (int i = 0; i < 30; i++) ping(&r);
        near(link_now(&r).rtt_us, longer, 0.05);
    }
}

/* On a slow link hardly any of an exchange is the round trip: those that come between agree with any. */
static void slow_pings_are_believed_at_the_second(void **state)
{
    (void)state;
    rig r = rig_new(1, G3, 10000, 0.02);
    ping(&r);
    for (int i = 0; i < 10; i++) {
        send(&r, 200000, 1000);
        ping(&r);
    }
    r.rtt_us = 100000;
    ping(&r);
    near(link_now(&r).rtt_us, 10000, 0.2); /* one may be a scheduler's doing */
    r.rtt_us = 10000;
    send(&r, 200000, 1000);
    r.rtt_us = 100000;
    ping(&r);
    near(link_now(&r).rtt_us, 100000, 0.2);
}

static void a_ping_behind_bytes_tells_of_those(void **state)
{
    (void)state;
    rig r = rig_new(1, WIFI, 5000, 0.02);
    ping(&r);
    for (int i = 0; i < 10; i++) send(&r, 100000, 1000);
    const double rtt_us = link_now(&r).rtt_us, rate = link_now(&r).up_bytes_per_s;
    clv_link_monitor_behind(&r.m, r.now_us, 4000, 400000); /* too few to tell */
    assert_true(link_now(&r).rtt_us == rtt_us && link_now(&r).up_bytes_per_s == rate);
    for (int i = 0; i < 3; i++)
        clv_link_monitor_behind(&r.m, r.now_us += SECOND, 100000, 1e6 * 100000 / G3);
    near(link_now(&r).up_bytes_per_s, G3, 0.2);
    near(link_now(&r).rtt_us, rtt_us, 0.01);
    clv_link_monitor_failure(&r.m, r.now_us);
    clv_link_monitor_behind(&r.m, r.now_us, 100000, 42000);
    assert_false(link_now(&r).up);
}

/* An answer, too, may come late by chance: what came after a step is corrected by the next ones. */
static void a_late_answer_after_a_step_is_soon_corrected(void **state)
{
    (void)state;
    rig r = rig_new(1, WIFI, 5000, 0.01);
    for (int i = 0; i < 30; i++) {
        send(&r, 15000, 1000);
        ping(&r);
    }
    for (int i = 0; i < 30; i++) { /* some are late on such a device */
        r.now_us += 12000;
        clv_link_monitor_exchange(&r.m, r.now_us, 15000, 1000, i % 3 ? 11780 : 13500);
    }
    r.rate_up = r.rate_down = G3;
    r.rtt_us = 100000;
    for (int i = 0; i < 6; i++) {
        ping(&r);
        send(&r, 15000, 1000);
    }
    near(link_now(&r).up_bytes_per_s, G3, 0.1);
    r.rate_up = r.rate_down = WIFI;
    r.rtt_us = 5000;
    ping(&r);
    clv_link_monitor_exchange(&r.m, r.now_us += 15000, 10264, 18, 13000);
    assert_true(link_now(&r).up_bytes_per_s < 0.75 * WIFI);
    for (int i = 0; i < 3; i++) send(&r, 15000, 1000);
    near(link_now(&r).up_bytes_per_s, WIFI, 0.1);
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

/* A link that dies looks slow before it is given up; what comes back must not be asked about in sips that tell nothing. */
static void a_link_that_looked_slow_before_it_was_lost_comes_back(void **state)
{
    (void)state;
    rig r = rig_new(1, WIFI, 5000, 0.02);
    ping(&r);
    for (int i = 0; i < 5; i++) send(&r, 100000, 1000);
    for (int i = 1; i <= 4; i++) {
        r.now_us += SECOND;
        clv_link_monitor_unanswered(&r.m, r.now_us, 100000, 1e6 * (1 << i));
    }
    assert_true(link_now(&r).up_bytes_per_s < WIFI / 10);
    clv_link_monitor_failure(&r.m, r.now_us);
    for (int i = 0; i < 3 && !link_now(&r).up; i++) {
        r.now_us += SECOND;
        ping(&r);
        clv_link_probe p = clv_link_monitor_probe(&r.m, r.now_us, true);
        if (p.kind == CLV_PROBE_BYTES) send(&r, p.bytes, 100);
    }
    assert_true(link_now(&r).up);
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
    assert_int_equal(clv_link_monitor_probe(&r.m, r.now_us, true).kind, CLV_PROBE_PING);
    ping(&r);
    assert_false(link_now(&r).up); /* it may be another link now: its rate is asked for */
    clv_link_probe p = clv_link_monitor_probe(&r.m, r.now_us, true);
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
    const clv_link link = link_now(&r);
    const double usual = clv_link_exchange_us(&link, 100000, 0);
    const double too_soon[] = {10000, usual, 1.1 * usual};
    for (size_t i = 0; i < CLV_COUNT(too_soon); i++)
        clv_link_monitor_unanswered(&r.m, r.now_us, 100000, too_soon[i]);
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
    assert_int_equal(clv_link_monitor_probe(&r.m, r.now_us, false).kind, CLV_PROBE_PING);
    assert_int_equal(clv_link_monitor_probe(&r.m, r.now_us, false).kind, CLV_PROBE_NONE);
    ping(&r);
    /* The rate is not known: at once, whoever wants to know. */
    clv_link_probe p = clv_link_monitor_probe(&r.m, r.now_us, false);
    assert_int_equal(p.kind, CLV_PROBE_BYTES);
    assert_int_equal(p.bytes, 8192);
    assert_int_equal(clv_link_monitor_probe(&r.m, r.now_us, true).kind, CLV_PROBE_NONE);
    send(&r, p.bytes, 100);
    assert_true(link_now(&r).up);
    int pings = 0;
    int64_t from_us = r.now_us;
    for (int i = 0; i < 1000; i++) { /* traffic: never bytes, and a ping every two seconds */
        r.now_us += 100000;
        send(&r, 50000, 4000);
        p = clv_link_monitor_probe(&r.m, r.now_us, true);
        assert_int_not_equal(p.kind, CLV_PROBE_BYTES);
        if (p.kind == CLV_PROBE_PING) ping(&r);
        pings += p.kind == CLV_PROBE_PING;
    }
    assert_in_range(pings, (r.now_us - from_us) / 3000000, (r.now_us - from_us) / 2000000);
}

/* A minute of silence: pings, but no bytes as long as nobody's plan could change. */
static void bytes_are_sent_only_if_they_matter(void **state)
{
    (void)state;
    for (int matters = 0; matters < 2; matters++) {
        rig r = rig_new(5, WIFI, 5000, 0.05);
        ping(&r);
        for (int i = 0; i < 20; i++) send(&r, 50000, 4000);
        int pings = 0, bulk = 0;
        for (int i = 0; i < 600; i++) {
            r.now_us += 100000;
            clv_link_probe p = clv_link_monitor_probe(&r.m, r.now_us, matters);
            pings += p.kind == CLV_PROBE_PING;
            bulk += p.kind == CLV_PROBE_BYTES;
            if (p.kind == CLV_PROBE_PING) ping(&r);
            if (p.kind == CLV_PROBE_BYTES) send(&r, p.bytes, 100);
        }
        assert_true(matters ? bulk >= 10 : bulk == 0);
        assert_true(matters || pings >= 40);
    }
}

enum { SENT_MAX = 100000 };

typedef struct sent {
    int64_t at_us;
    double bytes;
} sent;

/* Someone always wants to know, nobody ever sends anything else, and the link fails now and then: still no more than 1 % of what it
 * can carry, in whatever window of five minutes. */
static void probes_stay_within_their_share(void **state)
{
    (void)state;
    static const double mbits[] = {0.13, 1.1, 5.85, 18.88, 100, 1000};
    sent *all = calloc(SENT_MAX, sizeof *all);
    for (size_t k = 0; k < sizeof mbits / sizeof *mbits; k++) {
        double rate = mbits[k] * 1e6 / 8;
        rig r = rig_new(k + 1, rate, 30000, 0.05);
        size_t n = 0;
        for (int64_t tick = 0; tick < 20000 && n < SENT_MAX; tick++) {
            r.now_us = CLV_MAX(r.now_us, tick * 100000);
            if (tick % 3000 == 2999) clv_link_monitor_failure(&r.m, r.now_us);
            bool alive = r.m.alive;
            clv_link_probe p = clv_link_monitor_probe(&r.m, r.now_us, true);
            if (p.kind == CLV_PROBE_NONE) continue;
            if (alive) all[n++] = (sent){r.now_us, (double)p.bytes + CLV_LINK_PING_BYTES};
            if (p.kind == CLV_PROBE_PING) ping(&r);
            if (p.kind == CLV_PROBE_BYTES) send(&r, p.bytes, 100);
        }
        assert_true(n > 100);
        double most = 0, inside = 0;
        for (size_t first = 0, last = 0; last < n; last++) {
            inside += all[last].bytes;
            while (all[last].at_us - all[first].at_us > CLV_LINK_PROBE_WINDOW_US)
                inside -= all[first++].bytes;
            most = fmax(most, inside);
        }
        double share = most / (rate * CLV_LINK_PROBE_WINDOW_US * 1e-6);
        if (share > CLV_LINK_PROBE_SHARE)
            fail_msg("%g Mbit/s: probes took %.2f %% of five minutes", mbits[k], 100 * share);
    }
    free(all);
}

/* A node looks ten times a second, for `us` or until the link looks as fast as that. How long it took. */
static int64_t watch(rig *r, int64_t us, double until_rate)
{
    int64_t begin_us = r->now_us;
    while (r->now_us < begin_us + us && link_now(r).up_bytes_per_s < until_rate) {
        clv_link_probe p = clv_link_monitor_probe(&r->m, r->now_us, true);
        if (p.kind == CLV_PROBE_PING) ping(r);
        if (p.kind == CLV_PROBE_BYTES) send(r, p.bytes, 100);
        r->now_us += 100000;
    }
    return r->now_us - begin_us;
}

/* The way down cost probes; the link is back two seconds later, and seen by a busy device, which adds to every answer. */
static void a_link_that_is_back_is_seen_though_probes_are_owed(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        rig r = rig_new(seed, WIFI, 5000, 0.05);
        ping(&r);
        for (int i = 0; i < 20; i++) send(&r, 70000, 4000);
        r.rate_up = r.rate_down = G3;
        r.rtt_us = 100000;
        r.now_us += 300000;
        clv_link_monitor_unanswered(&r.m, r.now_us, 70000, 300000);
        watch(&r, 2 * SECOND, INFINITY);
        r.rate_up = r.rate_down = WIFI;
        r.rtt_us = 15000;
        int64_t took_us = watch(&r, 20 * SECOND, WIFI / 4);
        if (took_us > 5 * SECOND) fail_msg("seed %d: %g s", (int)seed, (double)took_us * 1e-6);
    }
}

/* Lost again and again, so that what may be spent on probes is spent: it counts as what it was, but hardly known. */
static void comes_back_without_a_probe(double rtt_us)
{
    rig r = rig_new(3, G3, rtt_us, 0.05);
    ping(&r);
    for (int i = 0; i < 20; i++) send(&r, 20000, 4000);
    bool denied = false;
    for (int i = 0; i < 200 && !denied; i++) {
        clv_link_monitor_failure(&r.m, r.now_us);
        r.now_us += CLV_LINK_QUIET_US;
        ping(&r);
        denied = clv_link_monitor_probe(&r.m, r.now_us, true).kind != CLV_PROBE_BYTES;
    }
    assert_true(denied && link_now(&r).up);
    near(link_now(&r).up_bytes_per_s, G3, 0.3);
    assert_true(link_now(&r).up_sigma == 1);
}

static void a_link_that_comes_back_without_a_probe_is_what_it_was(void **state)
{
    (void)state;
    comes_back_without_a_probe(50000);
    comes_back_without_a_probe(5000);
}

/* ---- TCP as a witness ---- */

static rig known(double rate)
{
    rig r = rig_new(9, rate, 20000, 0.02);
    ping(&r);
    for (int i = 0; i < 6; i++) send(&r, 100000, 4000);
    return r;
}

static void witness(rig *r, double delivery, bool app_limited, double rtt_us)
{
    clv_link_monitor_witness(&r->m, r->now_us,
                             &(clv_link_witness){.rtt_us = rtt_us,
                                                 .min_rtt_us = r->rtt_us,
                                                 .delivery_bytes_per_s = delivery,
                                                 .app_limited = app_limited});
}

/* The path was full: the rate is known better, and moves towards what was delivered. */
static void a_full_path_tells_the_rate(void **state)
{
    (void)state;
    rig r = known(1e6);
    r.m.filter.var[1][1] = 0.25;
    double before = link_now(&r).up_bytes_per_s, sigma = link_now(&r).up_sigma;
    witness(&r, 0.7e6, false, 60000);
    double after = link_now(&r).up_bytes_per_s;
    assert_true(after < 0.9 * before && after > 0.69e6);
    assert_true(link_now(&r).up_sigma < sigma);
    witness(&r, 0.7e6, false, 60000); /* the same sample: it was counted */
    assert_true(link_now(&r).up_bytes_per_s == after);
    for (int i = 0; i < 100; i++) /* now it is known better than TCP knows it */
        witness(&r, 0.5e6 + i, false, 60000);
    assert_true(link_now(&r).up_bytes_per_s > 0.6e6);
}

/* There was not enough to send, or no queue had formed: the link is at least so fast. */
static void an_idle_path_bounds_the_rate_from_below(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        rig r = known(1e6);
        r.m.filter.var[1][1] = 0.25;
        bool limited = kind == 0;
        double rtt = limited ? 60000 : 21000;
        double before = link_now(&r).up_bytes_per_s;
        witness(&r, 0.2e6, limited, rtt);
        near(link_now(&r).up_bytes_per_s, before, 0.01);
        witness(&r, 1.6e6, limited, rtt);
        assert_true(link_now(&r).up_bytes_per_s > 1.1 * before);
    }
}

static void a_witness_alone_overturns_nothing(void **state)
{
    (void)state;
    rig r = known(1e6);
    double before = link_now(&r).up_bytes_per_s;
    const double nonsense[] = {1e12, 1, (double)NAN, (double)INFINITY, -5, 0};
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++)
        witness(&r, nonsense[i], false, 60000);
    near(link_now(&r).up_bytes_per_s, before, 0.001);
}

/* The kernel's least round trip is of the last five minutes: after a handover it is that of the old path. */
static void an_old_least_round_trip_does_not_hold_the_estimate(void **state)
{
    (void)state;
    rig r = rig_new(9, 1e6, 5000, 0.02);
    const clv_link_witness old = {.rtt_us = 5500, .min_rtt_us = 5000};
    for (int i = 0; i < 50; i++) {
        clv_link_monitor_witness(&r.m, r.now_us, &old);
        send(&r, 50000, 4000);
    }
    near(link_now(&r).rtt_us, 5000, 0.05);
    r.rtt_us = 60000;
    for (int i = 0; i < 20; i++) {
        clv_link_monitor_witness(&r.m, r.now_us, &(clv_link_witness){65000, 5000, 0, false});
        send(&r, 50000, 4000);
        if (clv_link_monitor_probe(&r.m, r.now_us, false).kind == CLV_PROBE_PING) ping(&r);
    }
    near(link_now(&r).rtt_us, 60000, 0.15);
}

/* Transfers that are steady to 2 %, as those of the emulated links are. */
static void three_transfers_tell_the_rate_to_ten_percent(void **state)
{
    (void)state;
    static const double mbits[] = {0.13, 1.1, 5.85, 18.88};
    for (uint64_t seed = 1; seed <= 25; seed++)
        for (int from = 0; from < 4; from++)
            for (int to = 0; to < 4; to++) {
                rig r = rig_new(seed, mbits[from] * 1e6 / 8, 20000, 0.02);
                ping(&r);
                for (int i = 0; i < 20; i++) send(&r, 60000, 4000);
                r.rate_up = r.rate_down = mbits[to] * 1e6 / 8;
                for (int i = 0; i < 3; i++) {
                    witness(&r, 0, false, 20500); /* as there is before each transfer */
                    send(&r, 60000, 4000);
                }
                double got = link_now(&r).up_bytes_per_s / r.rate_up - 1;
                if (fabs(got) > 0.10)
                    fail_msg("from %g to %g Mbit/s, seed %d: off by %.0f %%", mbits[from],
                             mbits[to], (int)seed, 100 * got);
            }
}

/* A clock that was set, and one that stood still for a day. */
static void clocks_may_jump(void **state)
{
    (void)state;
    rig r = known(1e6);
    clv_link before = link_now(&r);
    r.now_us -= 3600 * (int64_t)SECOND;
    assert_int_equal(clv_link_monitor_probe(&r.m, r.now_us, true).kind, CLV_PROBE_NONE);
    near(link_now(&r).up_sigma, before.up_sigma, 0.01); /* no older than it was */
    r.now_us += 2 * SECOND;
    assert_int_not_equal(clv_link_monitor_probe(&r.m, r.now_us, true).kind, CLV_PROBE_NONE);
    send(&r, 100000, 4000);
    near(link_now(&r).up_bytes_per_s, 1e6, 0.1);
    r.now_us += 86400 * (int64_t)SECOND;
    assert_true(link_now(&r).up_sigma == 1);
    for (int i = 0; i < 3; i++) send(&r, 100000, 4000);
    near(link_now(&r).up_bytes_per_s, 1e6, 0.1);
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
    clv_link_monitor_exchange(&r.m, r.now_us, 1000, 0, 1e18);
    clv_link_monitor_unanswered(&r.m, r.now_us, 1000, (double)NAN);
    clv_link_monitor_witness(&r.m, r.now_us, &(clv_link_witness){-1, (double)NAN, -1, false});
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
        cmocka_unit_test(what_a_busy_connection_carries_tells_a_step),
        cmocka_unit_test(a_stall_is_asked_about_at_once),
        cmocka_unit_test(a_link_that_was_lost_may_be_what_it_was),
        cmocka_unit_test(after_a_handover_the_round_trip_is_asked_for),
        cmocka_unit_test(a_shorter_round_trip_is_a_hope),
        cmocka_unit_test(bytes_that_tell_nothing_ask_for_the_round_trip),
        cmocka_unit_test(distrusted_rates_are_asked_for_anew),
        cmocka_unit_test(distrusted_rates_are_asked_for_until_known),
        cmocka_unit_test(a_link_that_became_another_is_greeted),
        cmocka_unit_test(noise_alone_does_not_move_the_estimate_far),
        cmocka_unit_test(one_stall_does_not_stay),
        cmocka_unit_test(a_late_answer_after_a_step_is_soon_corrected),
        cmocka_unit_test(late_pings_move_nothing),
        cmocka_unit_test(a_round_trip_that_stays_longer_is_believed),
        cmocka_unit_test(slow_pings_are_believed_at_the_second),
        cmocka_unit_test(a_ping_behind_bytes_tells_of_those),
        cmocka_unit_test(a_failure_downs_the_link_until_the_next_answer),
        cmocka_unit_test(silence_tells_of_a_slower_link),
        cmocka_unit_test(probes_are_rare_and_passive_first),
        cmocka_unit_test(bytes_are_sent_only_if_they_matter),
        cmocka_unit_test(probes_stay_within_their_share),
        cmocka_unit_test(a_link_that_is_back_is_seen_though_probes_are_owed),
        cmocka_unit_test(a_link_that_comes_back_without_a_probe_is_what_it_was),
        cmocka_unit_test(a_full_path_tells_the_rate),
        cmocka_unit_test(an_idle_path_bounds_the_rate_from_below),
        cmocka_unit_test(a_witness_alone_overturns_nothing),
        cmocka_unit_test(an_old_least_round_trip_does_not_hold_the_estimate),
        cmocka_unit_test(three_transfers_tell_the_rate_to_ten_percent),
        cmocka_unit_test(a_link_that_looked_slow_before_it_was_lost_comes_back),
        cmocka_unit_test(clocks_may_jump),
        cmocka_unit_test(knowledge_ages),
        cmocka_unit_test(nonsense_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
