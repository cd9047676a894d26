/* The link model with exact expected times. 1500 bytes at 1.5e6 bytes/s take 1 ms. */
#include "lab/shape.h"
#include "unit.h"

#include <stdbool.h>

#define MS INT64_C(1000000)

static clv_shaper shaped(clv_shape_values v)
{
    clv_shaper s;
    clv_shape_init(&s, &v, 7);
    return s;
}

static clv_shape_packet full_packet(void)
{
    return (clv_shape_packet){.wire_bytes = 1500, .wire_packets = 1};
}

static void packets_follow_each_other_on_the_wire(void **state)
{
    (void)state;
    clv_shaper s = shaped((clv_shape_values){.rate_bytes_per_s = 1.5e6, .delay_us = 10000});
    for (int i = 1; i <= 5; i++) {
        clv_shape_packet p = full_packet();
        assert_int_equal(clv_shape_push(&s, 5 * MS, &p), CLV_SHAPE_PASS);
        assert_int_equal(p.sent_ns, (5 + i) * MS);
        assert_int_equal(p.deliver_ns, (15 + i) * MS);
    }
    assert_int_equal(clv_shape_backlog_bytes(&s, 6 * MS), 4 * 1500);
    clv_shape_packet later = full_packet();
    clv_shape_push(&s, 100 * MS, &later);
    assert_int_equal(later.deliver_ns, 111 * MS);
}

static void fractions_of_a_nanosecond_add_up(void **state)
{
    (void)state;
    clv_shaper s = shaped((clv_shape_values){.rate_bytes_per_s = 3e9, .queue_bytes = 1 << 20});
    clv_shape_packet p = {.wire_bytes = 40, .wire_packets = 1};
    for (int i = 0; i < 3000; i++) assert_int_equal(clv_shape_push(&s, 0, &p), CLV_SHAPE_PASS);
    assert_int_equal(p.deliver_ns,
                     40000); /* 120000 bytes at 3 bytes/ns; 13 ns each would be 39000 */
}

static void a_full_queue_drops_the_tail_until_it_drains(void **state)
{
    (void)state;
    clv_shaper s = shaped((clv_shape_values){.rate_bytes_per_s = 1.5e6, .queue_bytes = 3000});
    clv_shape_packet p = full_packet();
    assert_int_equal(clv_shape_push(&s, 0, &p), CLV_SHAPE_PASS);
    assert_int_equal(clv_shape_push(&s, 0, &p), CLV_SHAPE_PASS);
    assert_int_equal(clv_shape_push(&s, 0, &p), CLV_SHAPE_FULL);
    assert_int_equal(clv_shape_push(&s, MS - 1000, &p), CLV_SHAPE_FULL);
    assert_int_equal(clv_shape_push(&s, MS, &p), CLV_SHAPE_PASS);
    assert_int_equal(p.deliver_ns, 3 * MS);
}

static void an_idle_wire_takes_a_packet_larger_than_the_queue(void **state)
{
    (void)state;
    clv_shaper s = shaped((clv_shape_values){.rate_bytes_per_s = 1.5e6, .queue_bytes = 100});
    clv_shape_packet p = full_packet();
    assert_int_equal(clv_shape_push(&s, 0, &p), CLV_SHAPE_PASS);
    assert_int_equal(clv_shape_push(&s, 0, &p), CLV_SHAPE_FULL);
}

static void without_a_rate_only_the_delay_counts(void **state)
{
    (void)state;
    clv_shaper s = shaped((clv_shape_values){.delay_us = 300});
    for (int i = 0; i < 1000; i++) {
        clv_shape_packet p = full_packet();
        assert_int_equal(clv_shape_push(&s, 9, &p), CLV_SHAPE_PASS);
        assert_int_equal(p.deliver_ns, 300009);
    }
}

static void a_faster_rate_releases_what_waits(void **state)
{
    (void)state;
    clv_shaper s = shaped((clv_shape_values){.rate_bytes_per_s = 1.5e6, .delay_us = 10000});
    clv_shape_packet p[4];
    for (int i = 0; i < 4; i++) {
        p[i] = full_packet();
        clv_shape_push(&s, 0, &p[i]);
    }
    /* At 1.5 ms the first has left, the second is half sent. Ten times the rate, no delay. */
    clv_shape_change c =
        clv_shape_set(&s, 3 * MS / 2, &(clv_shape_values){.rate_bytes_per_s = 15e6});
    for (int i = 0; i < 4; i++) clv_shape_reschedule(&s, &c, &p[i]);
    assert_int_equal(p[0].deliver_ns, 11 * MS); /* as promised */
    assert_int_equal(p[1].sent_ns, 1550000);
    assert_int_equal(p[2].sent_ns, 1650000);
    assert_int_equal(p[3].sent_ns, 1750000);
    assert_int_equal(p[3].deliver_ns, 11 * MS); /* order is kept */
    clv_shape_packet next = full_packet();
    clv_shape_push(&s, 3 * MS / 2, &next);
    assert_int_equal(next.sent_ns, 1850000);
}

static void a_slower_rate_and_none_at_all(void **state)
{
    (void)state;
    clv_shaper s = shaped((clv_shape_values){.rate_bytes_per_s = 1.5e6});
    clv_shape_packet p = full_packet();
    clv_shape_push(&s, 0, &p);
    clv_shape_change c = clv_shape_set(&s, 0, &(clv_shape_values){.rate_bytes_per_s = 1.5e5});
    clv_shape_reschedule(&s, &c, &p);
    assert_int_equal(p.deliver_ns, 10 * MS);
    c = clv_shape_set(&s, MS, &(clv_shape_values){0});
    clv_shape_reschedule(&s, &c, &p);
    assert_int_equal(p.deliver_ns, MS);
}

static void jitter_stays_in_bounds_and_keeps_order(void **state)
{
    (void)state;
    clv_shaper s = shaped((clv_shape_values){.delay_us = 5000, .jitter_us = 2000});
    int64_t before = 0, low = INT64_MAX, high = 0;
    for (int64_t i = 0; i < 2000; i++) {
        clv_shape_packet p = full_packet();
        clv_shape_push(&s, i * 10 * MS, &p); /* far apart: no packet waits for the one before */
        int64_t took = p.deliver_ns - i * 10 * MS;
        low = took < low ? took : low;
        high = took > high ? took : high;
        assert_true(p.deliver_ns >= before);
        before = p.deliver_ns;
    }
    assert_in_range(low, 3 * MS, 3 * MS + MS / 10);
    assert_in_range(high, 7 * MS - MS / 10, 7 * MS);
    for (int i = 0; i < 1000; i++) { /* close together: order matters */
        clv_shape_packet p = full_packet();
        clv_shape_push(&s, 30000 * MS + i, &p);
        assert_true(p.deliver_ns >= before);
        before = p.deliver_ns;
    }
}

static int lost_of(clv_shape_values v, int64_t packets, int n)
{
    clv_shaper s = shaped(v);
    int lost = 0;
    for (int i = 0; i < n; i++) {
        clv_shape_packet p = {.wire_bytes = 1500 * packets, .wire_packets = packets};
        lost += clv_shape_push(&s, i * MS * 100, &p) == CLV_SHAPE_LOST;
    }
    return lost;
}

static void loss_has_the_stated_probability(void **state)
{
    (void)state;
    clv_shape_values v = {.rate_bytes_per_s = 1.5e6, .loss = 0.02};
    assert_in_range(lost_of(v, 1, 50000), 900, 1100);   /* 1000 ± 3 sigma */
    assert_in_range(lost_of(v, 10, 50000), 8800, 9500); /* 1 - 0.98^10 = 18.3 % */
    assert_int_equal(lost_of(v, 1, 500), lost_of(v, 1, 500));
    v.loss = 1;
    assert_int_equal(lost_of(v, 1, 100), 100);
    v.loss = 0;
    assert_int_equal(lost_of(v, 1, 100), 0);
}

static void a_lost_packet_has_used_the_wire(void **state)
{
    (void)state;
    clv_shaper s = shaped((clv_shape_values){.rate_bytes_per_s = 1.5e6, .loss = 1});
    clv_shape_packet p = full_packet();
    assert_int_equal(clv_shape_push(&s, 0, &p), CLV_SHAPE_LOST);
    assert_int_equal(clv_shape_backlog_bytes(&s, 0), 1500);
}

static void the_default_queue_fits_the_link(void **state)
{
    (void)state;
    assert_int_equal(clv_shape_queue_default(16250, 50000), 48000);    /* cat1: 32 packets */
    assert_int_equal(clv_shape_queue_default(731250, 30000), 87750);   /* lte: 2 BDP */
    assert_int_equal(clv_shape_queue_default(2360000, 2500), 236000);  /* wifi: 100 ms */
    assert_int_equal(clv_shape_queue_default(125e6, 500), 262144);     /* lan: 256 KiB */
    assert_int_equal(clv_shape_queue_default(125e6, 50000), 25000000); /* long and fat: 2 BDP */
    assert_int_equal(clv_shape_queue_default(125e9, 500000), 64 << 20);
}

static void values_out_of_range_are_named(void **state)
{
    (void)state;
    clv_error err = {0};
    assert_ok(clv_shape_check(&(clv_shape_values){0}, &err), err);
    assert_ok(clv_shape_check(&(clv_shape_values){1e12, CLV_SHAPE_DELAY_US_MAX, 0, 1, 0}, &err),
              err);
    const clv_shape_values bad[] = {
        {.rate_bytes_per_s = -1},
        {.rate_bytes_per_s = 0.5},
        {.rate_bytes_per_s = 2e12},
        {.rate_bytes_per_s = 0.0 / 0.0},
        {.delay_us = -1},
        {.delay_us = CLV_SHAPE_DELAY_US_MAX + 1},
        {.jitter_us = -1},
        {.loss = 1.01},
        {.loss = -0.01},
        {.loss = 0.0 / 0.0},
        {.queue_bytes = CLV_SHAPE_QUEUE_MAX + 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(clv_shape_check(&bad[i], &err), CLV_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_follow_each_other_on_the_wire),
        cmocka_unit_test(fractions_of_a_nanosecond_add_up),
        cmocka_unit_test(a_full_queue_drops_the_tail_until_it_drains),
        cmocka_unit_test(an_idle_wire_takes_a_packet_larger_than_the_queue),
        cmocka_unit_test(without_a_rate_only_the_delay_counts),
        cmocka_unit_test(a_faster_rate_releases_what_waits),
        cmocka_unit_test(a_slower_rate_and_none_at_all),
        cmocka_unit_test(jitter_stays_in_bounds_and_keeps_order),
        cmocka_unit_test(loss_has_the_stated_probability),
        cmocka_unit_test(a_lost_packet_has_used_the_wire),
        cmocka_unit_test(the_default_queue_fits_the_link),
        cmocka_unit_test(values_out_of_range_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
