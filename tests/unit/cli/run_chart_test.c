/* The picture of a run: everything that happened has its mark. */
#include "cli/run_chart.h"

#include "base/mem.h"
#include "unit.h"

#include <string.h>

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, what)); p += strlen(what)) n++;
    return n;
}

/* A run of 10 s: the link falls, is down, is back; the plan follows; one of each kind of request at least. */
static clv_run sample(size_t n_good)
{
    clv_run t = {0};
    int model = clv_run_name(&t.models, "net <x>"), pool = clv_run_name(&t.plans, "pool&3"),
        local = clv_run_name(&t.plans, "local");
    clv_run_add_link(&t, &(clv_run_link){0, true, 2e6, 2e6, 5000, 0.1, 0.1, 10, 0});
    clv_run_add_link(&t, &(clv_run_link){4000000, true, 2e5, 2e5, 5000, 0.2, 0.1, 10, 0});
    clv_run_add_link(&t, &(clv_run_link){.at_us = 6000000});
    clv_run_add_link(&t, &(clv_run_link){8000000, true, 2e6, 2e6, 5000, 0.1, 0.1, 10, 0});
    clv_run_add_wire(&t, &(clv_run_wire){.up = {2.36e6, 0, 0, 0, 0}});
    clv_run_add_wire(&t, &(clv_run_wire){.at_us = 5900000, .up = {2.36e6, 0, 0, 1, 0}});
    clv_run_add_switch(&t, &(clv_run_switch){0, model, pool});
    clv_run_add_switch(&t, &(clv_run_switch){4200000, model, local});
    clv_run_add_switch(&t, &(clv_run_switch){8500000, model, pool});
    clv_run_add_load(&t, &(clv_run_load){0, 0, 1, 0});
    clv_run_add_load(&t, &(clv_run_load){5000000, 3, 2, 0});
    clv_run_request r = {.model = model, .plan = pool, .ended = true, .timing.total_us = 50000};
    for (size_t i = 0; i < n_good; i++) clv_run_add_request(&t, &r);
    r.at_us = r.sent_us = 6000000;
    r.timing.total_us = 4000000;
    r.recovered = true;
    clv_run_add_request(&t, &r);
    r.recovered = false;
    r.hedged = true;
    clv_run_add_request(&t, &r);
    r.hedged = false;
    r.status = CLV_ETIMEOUT;
    clv_run_add_request(&t, &r);
    clv_run_add_request(&t, &(clv_run_request){.at_us = 9000000, .model = model, .plan = -1});
    return t;
}

static void everything_has_its_mark(void **state)
{
    (void)state;
    clv_run t = sample(3);
    clv_buf svg = {0};
    clv_run_chart(&svg, &t);
    assert_int_equal(count(svg.data, "class=\"failed\""), 1);
    assert_int_equal(count(svg.data, "class=\"recovered\""), 1);
    assert_int_equal(count(svg.data, "class=\"hedged\""), 1);
    assert_int_equal(count(svg.data, "r=\"2\""), 3);
    assert_int_equal(count(svg.data, "class=\"plan\""), 3);
    assert_int_equal(count(svg.data, "class=\"switch\""), 2 * 4); /* in each of four panels */
    assert_int_equal(count(svg.data, "fill=\"#dddddd\""), 1);
    assert_non_null(strstr(svg.data, "net &lt;x&gt;"));
    assert_non_null(strstr(svg.data, "pool&amp;3"));
    assert_non_null(strstr(svg.data, ">6 requests, 1 failed, 1 finished here"));
    assert_null(strstr(svg.data, "nan"));
    assert_null(strstr(svg.data, "inf"));
    assert_string_equal(svg.data + svg.len - 7, "</svg>\n");
    clv_buf_done(&svg);
    clv_run_done(&t);
}

static void the_time_axis_is_common(void **state)
{
    (void)state;
    clv_run t = sample(1);
    clv_buf svg = {0};
    clv_run_chart(&svg, &t);
    /* 10 s over 860 from 150 on: the switch at 4.2 s in all panels, the outage from 6 to 8 s */
    assert_int_equal(count(svg.data, "x1=\"511.2\""), 4);
    assert_non_null(strstr(svg.data, "<rect x=\"666.0\""));
    assert_non_null(strstr(svg.data, "width=\"172.0\""));
    clv_buf_done(&svg);
    clv_run_done(&t);
}

static void good_requests_are_thinned_and_bad_ones_are_not(void **state)
{
    (void)state;
    clv_run t = sample(4 * CLV_RUN_CHART_DOTS);
    clv_buf svg = {0};
    clv_run_chart(&svg, &t);
    size_t dots = count(svg.data, "r=\"2\"");
    assert_true(dots > CLV_RUN_CHART_DOTS / 2 && dots <= CLV_RUN_CHART_DOTS);
    assert_int_equal(count(svg.data, "class=\"failed\""), 1);
    assert_non_null(strstr(svg.data, "a dot for every 5"));
    clv_buf_done(&svg);
    clv_run_done(&t);
}

static void an_empty_run_has_a_picture_too(void **state)
{
    (void)state;
    clv_run t = {0};
    clv_buf svg = {0};
    clv_run_chart(&svg, &t);
    assert_non_null(strstr(svg.data, ">0 requests"));
    clv_buf_done(&svg);
}

static void many_plans_share_the_last_row(void **state)
{
    (void)state;
    clv_run t = {0};
    clv_run_name(&t.models, "m");
    for (int i = 0; i < 40; i++) {
        char name[16];
        snprintf(name, sizeof name, "plan%d", i);
        clv_run_add_switch(&t, &(clv_run_switch){i, 0, clv_run_name(&t.plans, name)});
    }
    clv_buf svg = {0};
    clv_run_chart(&svg, &t);
    assert_int_equal(count(svg.data, ">plan"), CLV_RUN_CHART_ROWS - 1);
    assert_int_equal(count(svg.data, ">others<"), 1);
    clv_buf_done(&svg);
    clv_run_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_has_its_mark),
        cmocka_unit_test(the_time_axis_is_common),
        cmocka_unit_test(good_requests_are_thinned_and_bad_ones_are_not),
        cmocka_unit_test(an_empty_run_has_a_picture_too),
        cmocka_unit_test(many_plans_share_the_last_row),
    };
    return cmocka_run_group_tests_name("run_chart", tests, NULL, NULL);
}
