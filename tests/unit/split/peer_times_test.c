/* Peers that report nonsense times, and clocks that jump: clamped, with a reason. */
#include "split/peer_times.h"

#include "base/rng.h"
#include "unit.h"

#include <string.h>

static clv_peer_times of(int64_t total_us, int64_t wait_us, int64_t exchange_us)
{
    return clv_peer_times_of(&(clv_timing){.total_us = total_us, .wait_us = wait_us}, exchange_us);
}

static void honest_times_are_taken_apart(void **state)
{
    (void)state;
    clv_peer_times t = of(30000, 5000, 80000);
    assert_null(t.fault);
    assert_int_equal(t.link_us, 50000);
    assert_int_equal(t.queue_us, 5000);
    assert_int_equal(t.cloud_us, 25000);
    assert_null(of(0, 0, 80000).fault); /* it tells nothing */
    assert_null(of(80000, 0, 80000).fault);
    assert_null(of(80000 + CLV_PEER_TIMES_GRACE_US, 0, 80000).fault);
}

static void nonsense_has_a_name(void **state)
{
    (void)state;
    static const struct {
        int64_t total_us, wait_us, exchange_us;
        const char *why;
    } cases[] = {
        {-1, 0, 1000, "below 0"},
        {5, -7, 1000, "below 0"},
        {INT64_MIN, INT64_MIN, 1000, "below 0"},
        {10, 20, 1000, "waited longer"},
        {1001 + CLV_PEER_TIMES_GRACE_US, 0, 1000, "longer than the whole exchange"},
        {INT64_MAX, INT64_MAX, 1000, "longer than the whole exchange"},
        {10, 5, -3, "clock went back"},
        {INT64_MAX, 0, INT64_MIN, "clock went back"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why = of(cases[i].total_us, cases[i].wait_us, cases[i].exchange_us).fault;
        assert_non_null(why);
        if (!strstr(why, cases[i].why)) fail_msg("'%s' is not '%s'", why, cases[i].why);
    }
}

/* Whatever is said, the parts are 0 or more and add up to what this node saw. */
static void parts_always_add_up(void **state)
{
    (void)state;
    clv_rng rng = clv_rng_seeded(1);
    for (int i = 0; i < 100000; i++) {
        int shift = (int)clv_rng_below(&rng, 60);
        int64_t exchange = (int64_t)(clv_rng_next(&rng) >> 30);
        clv_peer_times t = of((int64_t)clv_rng_next(&rng) >> shift,
                              (int64_t)clv_rng_next(&rng) >> shift, exchange);
        assert_true(t.link_us >= 0 && t.queue_us >= 0 && t.cloud_us >= 0);
        assert_int_equal(t.link_us + t.queue_us + t.cloud_us, exchange);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(honest_times_are_taken_apart),
        cmocka_unit_test(nonsense_has_a_name),
        cmocka_unit_test(parts_always_add_up),
    };
    return cmocka_run_group_tests_name("peer times", tests, NULL, NULL);
}
