/* The live line: what it says, and that trouble comes first. */
#include "cli/live.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

static void expect(const clv_live *l, const char *line)
{
    char *got = clv_live_line(l);
    assert_string_equal(got, line);
    free(got);
}

static void a_line_says_link_plan_queue_and_latency(void **state)
{
    (void)state;
    clv_live l = {.peer = true,
                  .link = {.up = true,
                           .up_bytes_per_s = 2360000,
                           .down_bytes_per_s = 2400000,
                           .rtt_us = 5100,
                           .up_sigma = 0.04},
                  .plan = "pool3",
                  .waiting = 2,
                  .in_flight = 4,
                  .p50_us = 118000,
                  .p95_us = 160000};
    expect(&l, "18.9 Mbit/s \u00b14 %, 5.10 ms | pool3 | 2 wait, 4 run | p50 118 ms, p95 160 ms");
    l.link.down_bytes_per_s = 12500000;
    l.link.up_sigma = 0;
    l.more_plans = 2;
    expect(&l,
           "18.9 Mbit/s up, 100 Mbit/s down, 5.10 ms | pool3 and 2 more | 2 wait, 4 run | p50 118 "
           "ms, p95 160 ms");
}

static void trouble_comes_first(void **state)
{
    (void)state;
    clv_live l = {.peer = true, .plan = "local", .failed = 3, .recovered = 1, .hedged = 2};
    expect(&l, "3 FAILED | 1 recovered | 2 hedged | link down | local | 0 wait, 0 run");
}

static void without_a_peer_there_is_no_link(void **state)
{
    (void)state;
    expect(&(clv_live){.in_flight = 1}, "0 wait, 1 run");
}

static void the_window_holds_the_latest(void **state)
{
    (void)state;
    clv_live_window w = {0};
    assert_float_equal(clv_live_window_quantile(&w, 0.5), 0, 0);
    for (int i = 0; i < CLV_LIVE_WINDOW; i++) clv_live_window_add(&w, 1000);
    for (int i = 0; i < CLV_LIVE_WINDOW; i++) {
        clv_live_window_add(&w, i);
        assert_true(clv_live_window_quantile(&w, 1) == (i + 1 < CLV_LIVE_WINDOW ? 1000 : i));
    }
    assert_float_equal(clv_live_window_quantile(&w, 0.5), (CLV_LIVE_WINDOW - 1) / 2.0, 1e-9);
    assert_float_equal(clv_live_window_quantile(&w, 0), 0,
                       0); /* the window itself stays as it was */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_says_link_plan_queue_and_latency),
        cmocka_unit_test(trouble_comes_first),
        cmocka_unit_test(without_a_peer_there_is_no_link),
        cmocka_unit_test(the_window_holds_the_latest),
    };
    return cmocka_run_group_tests_name("live", tests, NULL, NULL);
}
