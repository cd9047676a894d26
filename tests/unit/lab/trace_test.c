#include "lab/trace.h"
#include "unit.h"

#include <string.h>

static clv_status parse(const char *text, clv_lab_trace *t, clv_error *err)
{
    return clv_lab_trace_parse(text, strlen(text), t, err);
}

static void steps_are_read_in_order(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_lab_trace t;
    assert_ok(
        parse("# a drive\n\n0s,lte\r\n  500ms, 1Mbit/2Mbit,10ms  \n500ms,down\n2m,wifi", &t, &err),
        err);
    assert_int_equal(t.n, 4);
    assert_int_equal(t.steps[1].at_us, 500000);
    assert_true(t.steps[1].link.up_bytes_per_s == 125000);
    assert_true(t.steps[1].link.down_bytes_per_s == 250000);
    assert_true(t.steps[1].link.rtt_us == 10000);
    assert_false(t.steps[2].link.up);
    assert_int_equal(t.steps[3].at_us, 120000000);
    clv_lab_trace_done(&t);
}

static void a_bad_line_is_named(void **state)
{
    (void)state;
    const struct {
        const char *text, *place;
    } bad[] = {
        {"", "no step"},
        {"# nothing\n", "no step"},
        {"0s,lte\n5,wifi\n", "line 2: "},
        {"0s,lte\n\n10s\n", "line 3: "},
        {"10s,lte\n9s,wifi\n", "line 2: time '9s' is before"},
        {"0s,5furlong,1ms\n", "line 1: "},
        {"-1s,lte\n", "line 1: "},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        clv_error err = {0};
        clv_lab_trace t;
        assert_int_not_equal(parse(bad[i].text, &t, &err), CLV_OK);
        if (!strstr(err.text, bad[i].place)) fail_msg("'%s': %s", bad[i].text, err.text);
    }
    char lengthy[400];
    memset(lengthy, 'x', sizeof lengthy);
    clv_lab_trace t;
    assert_int_equal(clv_lab_trace_parse(lengthy, sizeof lengthy, &t, NULL), CLV_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_read_in_order),
        cmocka_unit_test(a_bad_line_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
