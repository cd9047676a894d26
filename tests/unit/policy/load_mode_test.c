/* The two modes on made-up time: a pipeline of stages that takes requests as they come. */
#include "policy/load_mode.h"

#include "base/rng.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>

#define SECOND 1000000

/* Two stages in a row, each for one request at a time. */
typedef struct shape {
    int64_t stage_us[2];
} shape;

static const shape quick = {{10000, 50000}};  /* 60 ms alone, 20 a second */
static const shape steady = {{40000, 40000}}; /* 80 ms alone, 25 a second */

static int64_t period_of(const shape *s)
{
    return s->stage_us[0] > s->stage_us[1] ? s->stage_us[0] : s->stage_us[1];
}

enum { IN_FLIGHT = 4096 };

typedef struct node {
    clv_load_mode mode;
    int64_t now_us, free_us[2];
    int64_t ends[IN_FLIGHT]; /* of the latest requests, in a ring */
    size_t n;
    int changes, fixed; /* fixed: 0 follows the mode, 1 always quick, 2 always steady */
    double total_us;
} node;

static node node_new(int fixed)
{
    node d = {.fixed = fixed, .now_us = SECOND};
    clv_load_mode_init(&d.mode, d.now_us);
    clv_load_mode_plan(&d.mode, (double)period_of(&quick), 60000);
    return d;
}

static int in_flight(const node *d)
{
    int n = 0;
    for (size_t i = d->n > IN_FLIGHT ? d->n - IN_FLIGHT : 0; i < d->n; i++)
        n += d->ends[i % IN_FLIGHT] > d->now_us;
    return n;
}

/* One request, now. */
static void arrive(node *d)
{
    d->changes += clv_load_mode_arrived(&d->mode, d->now_us, in_flight(d));
    bool heavy = d->fixed ? d->fixed == 2 : d->mode.heavy;
    const shape *s = heavy ? &steady : &quick;
    int64_t at = d->now_us;
    for (int i = 0; i < 2; i++) {
        at = (at > d->free_us[i] ? at : d->free_us[i]) + s->stage_us[i];
        d->free_us[i] = at;
    }
    d->ends[d->n++ % IN_FLIGHT] = at;
    d->total_us += (double)(at - d->now_us);
}

/* Requests at random times, so many a second. */
static void run(node *d, clv_rng *rng, double rate_per_s, int64_t for_us)
{
    int64_t until = d->now_us + for_us;
    for (;;) {
        int64_t gap = (int64_t)(1e6 / rate_per_s * clv_rng_exponential(rng));
        if (d->now_us + gap >= until) break;
        d->now_us += gap;
        arrive(d);
    }
    d->now_us = until;
    d->changes += clv_load_mode_look(&d->mode, d->now_us);
}

static void light_load_stays_light(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        clv_rng rng = clv_rng_seeded(seed);
        node d = node_new(0);
        run(&d, &rng, 8, 120 * SECOND); /* 40 % of what it can */
        assert_false(d.mode.heavy);
        assert_int_equal(d.changes, 0);
    }
}

static void more_than_the_latency_plan_can_take_is_heavy_and_back(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        clv_rng rng = clv_rng_seeded(seed);
        node d = node_new(0);
        run(&d, &rng, 8, 20 * SECOND);
        run(&d, &rng, 40, 5 * SECOND);
        assert_true(d.mode.heavy);
        run(&d, &rng, 40, 20 * SECOND);
        assert_true(d.mode.heavy);
        run(&d, &rng, 4, 40 * SECOND); /* what has piled up is worked off first */
        assert_false(d.mode.heavy);
        assert_int_equal(d.changes, 2);
    }
}

/* Around one threshold the other one keeps it from going to and fro. */
static void a_load_at_the_edge_does_not_flap(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        clv_rng rng = clv_rng_seeded(seed);
        node d = node_new(0);
        run(&d, &rng, 0.92 * 20, 600 * SECOND);
        if (d.changes > 30) fail_msg("seed %d: %d changes in ten minutes", (int)seed, d.changes);
    }
}

/* One that waits for the answer before it asks again drives the plan at its period, and nobody waits. */
static void a_single_caller_is_no_heavy_load(void **state)
{
    (void)state;
    node d = node_new(0);
    clv_load_mode_plan(&d.mode, 60000, 60000); /* as if all of it were one stage */
    for (int i = 0; i < 2000; i++) {
        arrive(&d);
        d.now_us = d.ends[(d.n - 1) % IN_FLIGHT];
    }
    assert_false(d.mode.heavy);
    assert_int_equal(d.changes, 0);
}

/* Callers that wait for answers ask no faster than they are served, here half as fast as the
 * latency plan could: they queue all the same. When most have gone it is light again. */
static void a_crowd_is_a_heavy_load_however_slowly_it_asks(void **state)
{
    (void)state;
    clv_load_mode m;
    int64_t now = SECOND;
    clv_load_mode_init(&m, now);
    clv_load_mode_plan(&m, 50000, 100000); /* works at two at once */
    for (int i = 0; i < 100; i++) clv_load_mode_arrived(&m, now += 100000, 7);
    assert_false(m.heavy || clv_load_mode_queues(&m));
    for (int i = 0; i < 100; i++) clv_load_mode_arrived(&m, now += 100000, 9);
    assert_true(m.heavy && clv_load_mode_queues(&m));
    for (int i = 0; i < 100; i++) clv_load_mode_arrived(&m, now += 100000, 5);
    assert_true(m.heavy);
    assert_false(clv_load_mode_queues(&m));
    for (int i = 0; i < 100; i++) clv_load_mode_arrived(&m, now += 100000, 3);
    assert_false(m.heavy);
}

/* Many callers make the load heavy; when one of them is left, it is light again. */
static void the_last_caller_is_served_fast_again(void **state)
{
    (void)state;
    node d = node_new(0);
    for (int i = 0; i < 400; i++) { /* eight at a time */
        arrive(&d);
        d.now_us = d.n < 8 ? d.now_us : d.ends[(d.n - 8) % IN_FLIGHT];
    }
    assert_true(d.mode.heavy);
    for (int i = 0; i < 400; i++) {
        arrive(&d);
        d.now_us = d.ends[(d.n - 1) % IN_FLIGHT];
    }
    assert_false(d.mode.heavy);
}

typedef struct means {
    double light_us, heavy_us;
} means;

static means on_a_load_that_comes_and_goes(int fixed, double heavy_per_s)
{
    clv_rng rng = clv_rng_seeded(7);
    node d = node_new(fixed);
    double us[2] = {0};
    size_t n[2] = {0};
    for (int i = 0; i < 20; i++) {
        double before = d.total_us;
        size_t asked = d.n;
        run(&d, &rng, i % 2 ? heavy_per_s : 4, 60 * (int64_t)SECOND);
        us[i % 2] += d.total_us - before;
        n[i % 2] += d.n - asked;
    }
    return (means){us[0] / (double)n[0], us[1] / (double)n[1]};
}

/* At light load it is about as fast as the latency plan, at a load that this could not take about
 * as the throughput plan. */
static void each_load_gets_its_plan(void **state)
{
    (void)state;
    means ours = on_a_load_that_comes_and_goes(0, 22.5);
    means many = on_a_load_that_comes_and_goes(2, 22.5);
    means fast = on_a_load_that_comes_and_goes(1, 4); /* alone: its queue lasts into the calm */
    fast.heavy_us = on_a_load_that_comes_and_goes(1, 22.5).heavy_us;
    assert_true(fast.light_us < 0.9 * many.light_us && many.heavy_us < 0.3 * fast.heavy_us);
    if (ours.light_us > 1.1 * fast.light_us || ours.heavy_us > 1.35 * many.heavy_us)
        fail_msg("light %g us (latency plan %g), heavy %g us (throughput plan %g)", ours.light_us,
                 fast.light_us, ours.heavy_us, many.heavy_us);
}

static void the_rate_is_that_of_arrivals(void **state)
{
    (void)state;
    clv_load_mode m;
    clv_load_mode_init(&m, SECOND);
    int64_t now = SECOND;
    for (int i = 0; i < 500; i++) clv_load_mode_arrived(&m, now += 20000, 0);
    assert_float_equal(clv_load_mode_rate(&m, now), 50, 1);
    assert_float_equal(clv_load_mode_rate(&m, now + (int64_t)clv_load_mode_memory_us(&m)),
                       50 / exp(1), 1);
}

static void clocks_may_jump(void **state)
{
    (void)state;
    clv_load_mode m;
    clv_load_mode_init(&m, 100 * (int64_t)SECOND);
    clv_load_mode_plan(&m, 50000, 60000);
    int64_t now = 100 * (int64_t)SECOND;
    for (int i = 0; i < 100; i++) clv_load_mode_arrived(&m, now += 10000, 5);
    assert_true(m.heavy);
    clv_load_mode_look(&m, now = SECOND); /* back */
    assert_true(clv_load_mode_rate(&m, now) > 0 && isfinite(clv_load_mode_rate(&m, now)));
    for (int i = 0; i < 100; i++) clv_load_mode_arrived(&m, now += 10000, 5);
    assert_true(m.heavy);
    clv_load_mode_look(&m, now += INT64_C(1) << 60); /* and far on */
    clv_load_mode_look(&m, now + (int64_t)(3 * clv_load_mode_memory_us(&m)));
    assert_false(m.heavy);
    assert_float_equal(clv_load_mode_rate(&m, now), 0, 1e-9);
}

static void nonsense_periods_are_no_load(void **state)
{
    (void)state;
    const double nonsense[] = {(double)NAN, (double)INFINITY, -1, 0};
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        clv_load_mode m;
        clv_load_mode_init(&m, SECOND);
        clv_load_mode_plan(&m, nonsense[i], nonsense[i]);
        for (int k = 0; k < 1000; k++) clv_load_mode_arrived(&m, SECOND + 1000 * k, 9);
        assert_false(m.heavy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(light_load_stays_light),
        cmocka_unit_test(more_than_the_latency_plan_can_take_is_heavy_and_back),
        cmocka_unit_test(a_load_at_the_edge_does_not_flap),
        cmocka_unit_test(a_single_caller_is_no_heavy_load),
        cmocka_unit_test(a_crowd_is_a_heavy_load_however_slowly_it_asks),
        cmocka_unit_test(the_last_caller_is_served_fast_again),
        cmocka_unit_test(each_load_gets_its_plan),
        cmocka_unit_test(the_rate_is_that_of_arrivals),
        cmocka_unit_test(clocks_may_jump),
        cmocka_unit_test(nonsense_periods_are_no_load),
    };
    return cmocka_run_group_tests_name("load mode", tests, NULL, NULL);
}
