#include "base/mem.h"
#include "base/unit.h"
#include "unit.h"

#include <math.h>
#include <string.h>

static void sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t bytes;
    } rows[] = {
        {"0", 0},       {"602112", 602112}, {"64MiB", 67108864},   {"1.5GB", 1500000000},
        {"8k", 8000},   {"8K", 8000},       {"8KiB", 8192},        {"1 kB", 1000},
        {"0.5Ki", 512}, {"7B", 7},          {"2T", 2000000000000}, {"1e3", 1000},
    };
    clv_error err = {0};
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        int64_t bytes = -1;
        assert_ok(clv_parse_size(rows[i].text, &bytes, &err), err);
        assert_int_equal(bytes, rows[i].bytes);
    }
}

static void rates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double bytes_per_s;
    } rows[] = {
        {"5.85Mbit", 731250}, {"1Gbit", 125e6}, {"1Gbit/s", 125e6},  {"2MB/s", 2e6},
        {"8Mbps", 1e6},       {"8Mb/s", 1e6},   {"1MiB/s", 1048576}, {"100B", 100},
        {"0.13 Mbit", 16250}, {"1kbitps", 125},
    };
    clv_error err = {0};
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        double rate = -1;
        assert_ok(clv_parse_rate(rows[i].text, &rate, &err), err);
        assert_true(fabs(rate - rows[i].bytes_per_s) < 1e-6);
    }
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } rows[] = {
        {"50ms", 50000},   {"1.5s", 1500000},   {"200us", 200},      {"200\u00b5s", 200},
        {"2m", 120000000}, {"2min", 120000000}, {"1h", 3600000000},  {"0", 0},
        {"0.4us", 0},      {"1 s", 1000000},    {"1d", 86400000000},
    };
    clv_error err = {0};
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        int64_t us = -1;
        assert_ok(clv_parse_duration(rows[i].text, &us, &err), err);
        assert_int_equal(us, rows[i].us);
    }
}

/* What is wrong everywhere. */
static const char *const bad_numbers[] = {
    "",
    " ",
    "x",
    "-",
    ".",
    "-1s",
    "+1s",
    " 1s",
    "1s ",
    "0x10",
    "nan",
    "inf",
    "infinity",
    "1e999s",
    "1..2s",
    "1,5s",
    "e5",
    "1e",
    "1  s",
    "1ss",
    "\xff\xfe",
    "--5",
    "1111111111111111111111111111111111111111111111111111111111111111s",
};

static void wrong_numbers_are_refused_and_touch_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < CLV_COUNT(bad_numbers); i++) {
        clv_error err = {0};
        int64_t whole = 77;
        double real = 77;
        assert_int_equal(clv_parse_size(bad_numbers[i], &whole, &err), CLV_EINVAL);
        assert_int_equal(clv_parse_rate(bad_numbers[i], &real, &err), CLV_EINVAL);
        assert_int_equal(clv_parse_duration(bad_numbers[i], &whole, &err), CLV_EINVAL);
        assert_int_equal(clv_parse_int(bad_numbers[i], &whole, &err), CLV_EINVAL);
        assert_int_equal(clv_parse_real(bad_numbers[i], &real, &err), CLV_EINVAL);
        assert_true(whole == 77 && real == 77);
    }
}

static void messages_name_the_text_and_a_right_one(void **state)
{
    (void)state;
    clv_error err = {0};
    int64_t whole;
    double real;
    assert_int_equal(clv_parse_duration("50", &whole, &err), CLV_EINVAL);
    assert_string_equal(err.text,
                        "'50' is not a duration, its unit is missing; e.g. 200us, 50ms or 1.5s");
    assert_int_equal(clv_parse_rate("5Mb", &real, &err), CLV_EINVAL);
    assert_string_equal(err.text, "'5Mb' is not a rate; e.g. 5.85Mbit, 1Gbit/s or 2MB/s");
    assert_int_equal(clv_parse_rate("5", &real, &err), CLV_EINVAL);
    assert_int_equal(clv_parse_size("-3", &whole, &err), CLV_EINVAL);
    assert_string_equal(err.text, "'-3' is negative, a size is not; e.g. 602112, 64MiB or 1.5GB");
    assert_int_equal(clv_parse_size("1.5", &whole, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "whole number of bytes"));
    assert_int_equal(clv_parse_int("1.5", &whole, &err), CLV_EINVAL);
    assert_int_equal(clv_parse_size(NULL, &whole, &err), CLV_EINVAL);
    assert_int_equal(clv_parse_size("1x", &whole, NULL), CLV_EINVAL);
}

static void limits_of_the_types(void **state)
{
    (void)state;
    clv_error err = {0};
    int64_t whole = 0;
    double real = 0;
    assert_ok(clv_parse_int("9223372036854775807", &whole, &err), err);
    assert_true(whole == INT64_MAX);
    assert_int_equal(clv_parse_int("9223372036854775808", &whole, &err), CLV_EINVAL);
    assert_ok(clv_parse_size("9.2e18", &whole, &err), err);
    assert_int_equal(clv_parse_size("9.3e18", &whole, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "too large"));
    assert_int_equal(clv_parse_duration("1e15d", &whole, &err), CLV_EINVAL);
    assert_ok(clv_parse_real("1e-3", &real, &err), err);
    assert_true(real == 1e-3);
    assert_int_equal(clv_parse_rate("1e308Tbit", &real, &err), CLV_EINVAL);
}

static void a_caller_may_bring_its_units(void **state)
{
    (void)state;
    static const clv_unit_row rows[] = {{"", 1}, {"W", 1}, {"mW", 1e-3}, {"huge", 1e300}};
    const clv_quantity_kind power = {"power", "2.5W", rows, CLV_COUNT(rows)};
    clv_error err = {0};
    double w = 77;
    assert_ok(clv_parse_unit("250mW", &power, &w, &err), err);
    assert_true(fabs(w - 0.25) < 1e-12);
    assert_ok(clv_parse_unit("3", &power, &w, &err), err);
    assert_true(w == 3);
    assert_ok(clv_parse_unit("4 W", &power, &w, &err), err);
    assert_true(w == 4);
    for (size_t i = 0; i < CLV_COUNT(bad_numbers); i++)
        assert_int_equal(clv_parse_unit(bad_numbers[i], &power, &w, &err), CLV_EINVAL);
    assert_int_equal(clv_parse_unit("1e200huge", &power, &w, &err), CLV_EINVAL);
    assert_string_equal(err.text, "'1e200huge' is not a power; e.g. 2.5W");
    assert_int_equal(clv_parse_unit("-1W", &power, &w, &err), CLV_EINVAL);
    assert_string_equal(err.text, "'-1W' is negative, a power is not; e.g. 2.5W");
    assert_true(w == 4);
}

static void shown_with_three_digits(void **state)
{
    (void)state;
    assert_string_equal(clv_show_size(0).s, "0 B");
    assert_string_equal(clv_show_size(812).s, "812 B");
    assert_string_equal(clv_show_size(602112).s, "602 kB");
    assert_string_equal(clv_show_size(1200000).s, "1.20 MB");
    assert_string_equal(clv_show_size(999999).s, "1.00 MB");
    assert_string_equal(clv_show_rate(731250).s, "5.85 Mbit/s");
    assert_string_equal(clv_show_duration(812).s, "812 \u00b5s");
    assert_string_equal(clv_show_duration(12345).s, "12.3 ms");
    assert_string_equal(clv_show_duration(999700).s, "1.00 s");
    assert_string_equal(clv_show_duration(1200000).s, "1.20 s");
    assert_string_equal(clv_show_duration(150e6).s, "2.50 min");
    assert_string_equal(clv_show_duration(-12345).s, "-12.3 ms");
    assert_string_equal(clv_show_count(823).s, "823");
    assert_string_equal(clv_show_count(61.1e6).s, "61.1 M");
    assert_string_equal(clv_show_count(1.814e9).s, "1.81 G");
    assert_string_equal(clv_show_power(0).s, "0 W");
    assert_string_equal(clv_show_power(0.35).s, "350 mW");
    assert_string_equal(clv_show_power(7.5).s, "7.50 W");
    assert_string_equal(clv_show_energy(0.0123).s, "12.3 mJ");
    assert_string_equal(clv_show_energy(0.000812).s, "812 \u00b5J");
    assert_string_equal(clv_show_energy(0).s, "0 J");
    assert_string_equal(clv_show_duration(NAN).s, "?");
    assert_string_equal(clv_show_duration(INFINITY).s, "inf");
    assert_string_equal(clv_show_size(INFINITY).s, "inf");
    assert_true(strlen(clv_show_size(1e300).s) < CLV_UNIT_TEXT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(rates),
        cmocka_unit_test(durations),
        cmocka_unit_test(wrong_numbers_are_refused_and_touch_nothing),
        cmocka_unit_test(messages_name_the_text_and_a_right_one),
        cmocka_unit_test(limits_of_the_types),
        cmocka_unit_test(a_caller_may_bring_its_units),
        cmocka_unit_test(shown_with_three_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
