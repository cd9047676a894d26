#include "cli/plan_report.h"

#include "unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Four cuts of a network that shrinks: 600, 600, 43, 0 kB. */
static clv_profile *profile(double us_a_unit)
{
    static const size_t bytes[] = {602112, 774400, 43264, 0};
    static const char *const names[] = {"x", "conv1", "pool5", ""};
    clv_profile *p = clv_alloc(sizeof *p);
    memcpy(p->model, "net", 4);
    memset(p->digest, 'a', CLV_DIGEST_TEXT - 1);
    memcpy(p->engine, "test engine", 12);
    p->cuts = clv_alloc_array(4, sizeof *p->cuts);
    p->n_cuts = 4;
    for (size_t i = 0; i < 4; i++) {
        clv_profile_cut *c = &p->cuts[i];
        c->label = clv_strdup(i == 0 ? "input" : i == 3 ? "output" : names[i]);
        c->live = clv_alloc_array(1, sizeof *c->live);
        if (i < 3) c->live[c->n_live++] = clv_strdup(names[i]);
        c->up_bytes = bytes[i];
        c->down_bytes = i < 3 ? 4000 : 0;
        c->prefix = (clv_time){us_a_unit * (double)i, 1, i ? 9 : 0};
        c->suffix = (clv_time){us_a_unit * (double)(3 - i), 1, i < 3 ? 9 : 0};
    }
    return p;
}

static clv_plan_report report(const char *link_text)
{
    clv_plan_report r = {.edge = profile(300000), .cloud = profile(10000), .planning_us = 1.5};
    clv_error err = {0};
    clv_link link;
    assert_ok(clv_link_parse(link_text, &link, &err), err);
    assert_ok(clv_plan_problem_join(r.edge, r.cloud, &link, &r.problem, &err), err);
    assert_ok(clv_plan_solve(&r.problem, CLV_POLICY_EXACT, &r.plan, &err), err);
    r.ranked = clv_alloc_array(r.problem.n_cuts, sizeof *r.ranked);
    clv_plan_rank(&r.problem, r.ranked);
    if (link.up) assert_ok(clv_plan_sweep(&r.problem, 1e4, 1e8, &r.spans, &r.n_spans, &err), err);
    return r;
}

static char *printed(const clv_plan_report *r, void (*print)(const clv_plan_report *, FILE *))
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    print(r, out);
    fclose(out);
    return text;
}

static double number(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_number(v)) fail_msg("no number '%s'", key);
    return json_number_value(v);
}

static void json_has_the_documented_fields(void **state)
{
    (void)state;
    clv_plan_report r = report("lte");
    char *text = printed(&r, clv_plan_report_json);
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    const json_t *plan = json_object_get(root, "plan");
    double sum = number(plan, "edge_us") + number(plan, "link_us") + number(plan, "queue_us") +
                 number(plan, "cloud_us") + number(plan, "overhead_us");
    assert_float_equal(sum, number(plan, "latency_us"), 0.01);
    assert_string_equal(json_string_value(json_object_get(plan, "label")), "pool5");
    assert_string_equal(json_string_value(json_object_get(plan, "policy")), "exact");
    assert_true(strlen(json_string_value(json_object_get(plan, "why"))) > 20);
    assert_float_equal(number(root, "planning_us"), 1.5, 0);
    const json_t *candidates = json_object_get(root, "candidates");
    assert_int_equal(json_array_size(candidates), 4);
    for (size_t i = 1; i < 4; i++)
        assert_true(number(json_array_get(candidates, i), "latency_us") >=
                    number(json_array_get(candidates, i - 1), "latency_us"));
    assert_true(json_array_size(json_object_get(root, "sweep")) >= 2);
    json_decref(root);
    free(text);
    clv_plan_report_done(&r);
}

static void without_a_link_only_the_edge_is_a_candidate(void **state)
{
    (void)state;
    clv_plan_report r = report("down");
    char *text = printed(&r, clv_plan_report_json);
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    assert_int_equal(json_array_size(json_object_get(root, "candidates")), 1);
    assert_true(json_is_false(json_object_get(json_object_get(root, "link"), "up")));
    json_decref(root);
    free(text);
    text = printed(&r, clv_plan_report_print);
    assert_null(strstr(text, "inf"));
    assert_non_null(strstr(text, "link is down"));
    free(text);
    clv_plan_report_done(&r);
}

static void people_csv_and_svg_tell_the_same(void **state)
{
    (void)state;
    clv_plan_report r = report("lte");
    char *text = printed(&r, clv_plan_report_print);
    assert_non_null(strstr(text, "cutting after pool5 sends 43.3 kB instead of 602 kB"));
    assert_non_null(strstr(text, "conv1"));
    free(text);
    clv_buf csv = {0}, svg = {0};
    clv_plan_report_csv(&r, &csv);
    assert_memory_equal(csv.data, "cut,label,from_bytes_per_s", 26);
    assert_non_null(strstr(csv.data, "\n2,\"pool5\","));
    clv_plan_report_svg(&r, &svg);
    assert_non_null(strstr(svg.data, "pool5, from"));
    assert_null(strstr(svg.data, "nan"));
    clv_buf_done(&svg);
    clv_buf_clear(&csv);
    free(r.spans);
    r.spans = NULL;
    clv_plan_report_csv(&r, &csv);
    assert_non_null(strstr(csv.data, "latency_us\n2,\"pool5\",43264,4000,"));
    clv_buf_done(&csv);
    clv_plan_report_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_has_the_documented_fields),
        cmocka_unit_test(without_a_link_only_the_edge_is_a_candidate),
        cmocka_unit_test(people_csv_and_svg_tell_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
