#include "cli/chart.h"

#include "unit.h"

#include <string.h>

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, what)); p += strlen(what)) n++;
    return n;
}

/* Every element that is opened is closed, in order; attributes hold no '<'. Enough of XML for what
 * the writer writes. */
static void assert_nested(const char *svg)
{
    char open[16][16];
    size_t depth = 0;
    for (const char *p = strchr(svg, '<'); p; p = strchr(p + 1, '<')) {
        const char *end = strchr(p, '>');
        assert_non_null(end);
        size_t name = strcspn(p + 1 + (p[1] == '/'), " />");
        assert_true(name > 0 && name < sizeof open[0]);
        if (p[1] == '/') {
            assert_true(depth > 0);
            assert_memory_equal(open[--depth], p + 2, name);
        } else if (end[-1] != '/') {
            assert_true(depth < CLV_COUNT(open));
            memcpy(open[depth], p + 1, name);
            open[depth++][name] = 0;
        }
    }
    assert_int_equal(depth, 0);
}

static void bars_have_the_height_of_their_value(void **state)
{
    (void)state;
    clv_buf svg = {0};
    const double values[] = {1, 2, 4};
    const char *labels[] = {"a<b", "c&d", "\"e\""};
    const clv_chart_panel panel = {.title = "Latency",
                                   .unit = "ms",
                                   .values = values,
                                   .marks = values,
                                   .marks_text = "cut",
                                   .level = 3,
                                   .level_text = "input"};
    clv_chart_bars(&svg, &(clv_chart_text){"title <x>", NULL}, labels, 3, &panel, 1);
    assert_nested(svg.data);
    assert_non_null(strstr(svg.data, "a&lt;b"));
    assert_non_null(strstr(svg.data, "c&amp;d"));
    assert_non_null(strstr(svg.data, "title &lt;x&gt;"));
    /* 190 high, the largest value and 6 % more at the top */
    assert_non_null(strstr(svg.data, "height=\"179.25\""));
    assert_non_null(strstr(svg.data, "height=\"89.62\""));
    assert_non_null(strstr(svg.data, "height=\"44.81\""));
    for (const char *tick = "01234"; *tick; tick++) {
        char text[] = {'>', *tick, '<', '/', 0};
        assert_non_null(strstr(svg.data, text));
    }
    clv_buf_done(&svg);
}

static void an_empty_chart_is_sound(void **state)
{
    (void)state;
    clv_buf svg = {0};
    const double zero = 0;
    const clv_chart_panel panel = {.title = "t", .unit = "u", .values = &zero};
    clv_chart_bars(&svg, &(clv_chart_text){0}, NULL, 0, &panel, 1);
    assert_nested(svg.data);
    assert_null(strstr(svg.data, "nan"));
    assert_null(strstr(svg.data, "inf"));
    clv_buf_done(&svg);
}

static void lines_span_their_axes(void **state)
{
    (void)state;
    clv_buf svg = {0};
    const double x[] = {0.1, 10, 1000}, y[] = {500, 50, 5};
    const clv_chart_mark marks[] = {{.x = 1, .text = "a <crossing>"}};
    const clv_chart_line lines[] = {{.name = "best", .x = x, .y = y, .n = 3, .strong = true},
                                    {.name = "cut", .x = x, .y = y, .n = 3, .kind = 1}};
    clv_chart_lines(
        &svg, &(clv_chart_text){"sweep", "of rates"},
        &(clv_chart_axes){.x_title = "rate", .y_title = "latency", .marks = marks, .n_marks = 1},
        lines, 2);
    assert_nested(svg.data);
    assert_non_null(strstr(svg.data, "a &lt;crossing&gt;"));
    assert_int_equal(count(svg.data, "<polyline"), 2);
    assert_non_null(strstr(svg.data, "points=\"72.0,")); /* from the left edge ... */
    assert_non_null(strstr(svg.data, " 692.0,"));        /* ... to the right one */
    assert_non_null(strstr(svg.data, ">1000</text>"));
    clv_buf_done(&svg);
}

static void stacks_stand_on_each_other(void **state)
{
    (void)state;
    clv_buf svg = {0};
    const double edge[] = {1, 2}, cloud[] = {3, 1};
    const double *const stacks[] = {edge, cloud};
    const char *labels[] = {"a", "b"}, *kinds[] = {"edge", "cloud"};
    const clv_chart_panel panel = {.title = "Latency",
                                   .unit = "ms",
                                   .stacks = stacks,
                                   .n_stacks = 2,
                                   .kind_names = kinds,
                                   .n_kinds = 2,
                                   .marked = 2,
                                   .marked_text = "the plan"};
    clv_chart_bars(&svg, &(clv_chart_text){"t", NULL}, labels, 2, &panel, 1);
    assert_nested(svg.data);
    assert_int_equal(count(svg.data, "<path"), 1);
    assert_non_null(strstr(svg.data, "the plan"));
    /* 190 high, the largest sum (4) and 6 % more at the top: 44.81 for each ms */
    assert_int_equal(count(svg.data, "height=\"44.81\""), 2);
    assert_int_equal(count(svg.data, "height=\"134.43\""), 1);
    assert_int_equal(count(svg.data, "height=\"89.62\""), 1);
    clv_buf_done(&svg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stacks_stand_on_each_other),
        cmocka_unit_test(bars_have_the_height_of_their_value),
        cmocka_unit_test(an_empty_chart_is_sound),
        cmocka_unit_test(lines_span_their_axes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
