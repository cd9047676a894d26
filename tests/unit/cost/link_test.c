#include "cost/link.h"
#include "unit.h"

#include <string.h>

static void presets_are_the_published_rates(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_link link;
    assert_ok(clv_link_parse("wifi", &link, &err), err);
    assert_true(link.up);
    assert_float_equal(link.up_bytes_per_s, 18.88e6 / 8, 1e-6);
    assert_float_equal(link.down_bytes_per_s, 18.88e6 / 8, 1e-6);
    assert_float_equal(link.rtt_us, 5000, 0);
    assert_ok(clv_link_parse("cat1", &link, &err), err);
    assert_float_equal(link.up_bytes_per_s, 16250, 1e-6);
    assert_int_equal(clv_link_presets_n, 5);
}

static void rates_may_differ_in_each_direction(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_link link;
    assert_ok(clv_link_parse("5.85Mbit,60ms", &link, &err), err);
    assert_float_equal(link.up_bytes_per_s, 731250, 1e-6);
    assert_float_equal(link.down_bytes_per_s, 731250, 1e-6);
    assert_float_equal(link.rtt_us, 60000, 0);
    assert_ok(clv_link_parse("5.85Mbit/s/20Mbit/s,1.5ms", &link, &err), err);
    assert_float_equal(link.up_bytes_per_s, 731250, 1e-6);
    assert_float_equal(link.down_bytes_per_s, 2.5e6, 1e-6);
    assert_float_equal(link.rtt_us, 1500, 0);
    assert_ok(clv_link_parse("down", &link, &err), err);
    assert_false(link.up);
}

static void what_does_not_parse_is_named_with_a_right_one(void **state)
{
    (void)state;
    const char *bad[] = {"",  "wlan",   "5.85Mbit",   "0Mbit,1ms",       "5,1ms",     "1Mbit,60",
                         ",", "1Mbit,", "1Mbit/,1ms", "1Mbit/0Mbit,1ms", "-1Mbit,1ms"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        clv_error err = {0};
        clv_link link = {.rtt_us = 7};
        assert_int_equal(clv_link_parse(bad[i], &link, &err), CLV_EINVAL);
        assert_non_null(strstr(err.text, "5.85Mbit,60ms"));
        assert_non_null(strstr(err.text, bad[i]));
        assert_float_equal(link.rtt_us, 7, 0); /* untouched */
    }
}

static void an_exchange_is_round_trip_and_both_ways(void **state)
{
    (void)state;
    clv_link link = {.up_bytes_per_s = 1e6, .down_bytes_per_s = 4e6, .rtt_us = 5000, .up = true};
    assert_float_equal(clv_link_exchange_us(&link, 1000, 4000), 5000 + 1000 + 1000, 1e-9);
    assert_float_equal(clv_link_exchange_us(&link, 0, 0), 5000, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_are_the_published_rates),
        cmocka_unit_test(rates_may_differ_in_each_direction),
        cmocka_unit_test(what_does_not_parse_is_named_with_a_right_one),
        cmocka_unit_test(an_exchange_is_round_trip_and_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
