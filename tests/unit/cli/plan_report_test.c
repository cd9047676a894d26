#include "cli/plan_report.h"

#include "cli/plan_fixture.h"

#include <jansson.h>

static clv_plan_report report(const clv_plan_devices *d)
{
    clv_plan_report r = {.devices = d, .planning_us = 1.5};
    clv_error err = {0};
    const clv_plan_problem *p = &d->tables->problem;
    assert_ok(clv_plan_solve(p, &r.plan, &err), err);
    clv_plan_report_rank(&r);
    bool sweeps = p->n_devices == 2 && p->hops[0].up && !p->objective.quantile_ppm;
    if (sweeps) assert_ok(clv_plan_sweep(p, 1e4, 1e8, &r.spans, &r.n_spans, &err), err);
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

static json_t *as_json(const clv_plan_report *r)
{
    char *text = printed(r, clv_plan_report_json);
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    free(text);
    return root;
}

static double number(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_number(v)) fail_msg("no number '%s'", key);
    return json_number_value(v);
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *t = json_string_value(json_object_get(o, key));
    if (!t) fail_msg("no text '%s'", key);
    return t;
}

static double sum_of_parts(const json_t *o)
{
    return number(o, "edge_us") + number(o, "link_us") + number(o, "queue_us") +
           number(o, "cloud_us") + number(o, "overhead_us") + number(o, "coding_us");
}

static void json_has_the_documented_fields(void **state)
{
    (void)state;
    clv_plan_devices d = fixture_devices(2, "lte");
    clv_plan_report r = report(&d);
    json_t *root = as_json(&r);
    const json_t *plan = json_object_get(root, "plan");
    assert_float_equal(sum_of_parts(plan), number(plan, "latency_us"), 0.01);
    assert_string_equal(text_of(plan, "label"), "pool5.0");
    assert_string_equal(text_of(plan, "policy"), "exact");
    assert_string_equal(text_of(plan, "objective"), "latency");
    assert_true(strlen(text_of(plan, "why")) > 20);
    assert_true(json_is_true(json_object_get(plan, "optimal")));
    const json_t *stages = json_object_get(plan, "stages");
    assert_int_equal(json_array_size(stages), 2);
    assert_float_equal(number(json_array_get(stages, 0), "compute_us"), 600000, 0.01);
    assert_int_equal(number(json_array_get(stages, 0), "up_bytes"), 43264);
    assert_float_equal(number(root, "planning_us"), 1.5, 0);
    const json_t *candidates = json_object_get(root, "candidates");
    assert_int_equal(json_array_size(candidates), 4);
    for (size_t i = 0; i < 4; i++) {
        const json_t *c = json_array_get(candidates, i);
        assert_float_equal(sum_of_parts(c), number(c, "latency_us"), 0.01);
        if (i)
            assert_true(number(c, "latency_us") >=
                        number(json_array_get(candidates, i - 1), "latency_us"));
    }
    assert_true(json_array_size(json_object_get(root, "sweep")) >= 2);
    json_decref(root);
    clv_plan_report_done(&r);
    clv_plan_devices_close(&d);
}

static void without_a_link_only_the_edge_is_a_candidate(void **state)
{
    (void)state;
    clv_plan_devices d = fixture_devices(2, "down");
    clv_plan_report r = report(&d);
    json_t *root = as_json(&r);
    assert_int_equal(json_array_size(json_object_get(root, "candidates")), 1);
    assert_true(json_is_false(json_object_get(json_object_get(root, "link"), "up")));
    json_decref(root);
    char *text = printed(&r, clv_plan_report_print);
    assert_null(strstr(text, "inf"));
    assert_non_null(strstr(text, "down"));
    free(text);
    clv_plan_report_done(&r);
    clv_plan_devices_close(&d);
}

static void people_csv_and_svg_tell_the_same(void **state)
{
    (void)state;
    clv_plan_devices d = fixture_devices(2, "lte");
    clv_plan_report r = report(&d);
    char *text = printed(&r, clv_plan_report_print);
    assert_non_null(strstr(text, "cut 2, after pool5.0"));
    assert_non_null(strstr(text, "43.3 kB"));
    assert_non_null(strstr(text, "proven optimal"));
    assert_non_null(strstr(text, "the best cut at every rate"));
    free(text);
    clv_buf csv = {0}, svg = {0};
    clv_plan_report_csv(&r, &csv);
    assert_memory_equal(csv.data, "cut,label,from_bytes_per_s", 26);
    assert_non_null(strstr(csv.data, "\n2,\"pool5.0\","));
    clv_plan_report_svg_sweep(&r, &svg);
    assert_non_null(strstr(svg.data, "pool5.0, from"));
    assert_null(strstr(svg.data, "nan"));
    clv_buf_clear(&svg);
    clv_buf_clear(&csv);
    free(r.spans);
    r.spans = NULL;
    clv_plan_report_csv(&r, &csv);
    assert_non_null(strstr(csv.data, "codec,accuracy_drop\n2,\"pool5.0\",43264,4000,"));
    clv_buf_done(&csv);
    clv_buf_done(&svg);
    clv_plan_report_done(&r);
    clv_plan_devices_close(&d);
}

static void the_figure_has_a_bar_for_every_cut_and_points_at_the_plan(void **state)
{
    (void)state;
    clv_plan_devices d = fixture_devices(2, "lte");
    fixture_watts(&d);
    clv_plan_report r = report(&d);
    clv_buf svg = {0};
    clv_plan_report_svg_cuts(&r, &svg);
    const char *const words[] = {"Latency (ms)", "Energy (mJ)", "the plan", "pool5.0",
                                 "conv1.0",      "input",       "output"};
    for (size_t i = 0; i < CLV_COUNT(words); i++)
        if (!strstr(svg.data, words[i])) fail_msg("no '%s'", words[i]);
    assert_null(strstr(svg.data, "nan"));
    clv_buf_done(&svg);
    clv_plan_report_done(&r);
    clv_plan_devices_close(&d);
}

static void three_devices_have_stages_and_rivals(void **state)
{
    (void)state;
    clv_plan_devices d = fixture_devices(3, "lan");
    fixture_watts(&d);
    d.tables->problem.objective.quantile_ppm = 950000;
    clv_plan_report r = report(&d);
    json_t *root = as_json(&r);
    const json_t *plan = json_object_get(root, "plan");
    assert_int_equal(json_array_size(json_object_get(plan, "cuts")), 2);
    assert_int_equal(json_array_size(json_object_get(root, "links")), 2);
    assert_int_equal(json_array_size(json_object_get(root, "devices")), 3);
    assert_true(number(plan, "quantile_us") > number(plan, "latency_us"));
    assert_float_equal(sum_of_parts(plan), number(plan, "latency_us"), 0.01);
    double joules = 0;
    size_t n = json_array_size(json_object_get(plan, "stages"));
    for (size_t i = 0; i < n; i++)
        joules += number(json_array_get(json_object_get(plan, "stages"), i), "energy_j");
    assert_float_equal(joules, number(plan, "energy_j"), 1e-9);
    assert_true(json_array_size(json_object_get(root, "candidates")) >= 1);
    json_decref(root);
    char *text = printed(&r, clv_plan_report_print);
    assert_non_null(strstr(text, "objective p95"));
    assert_non_null(strstr(text, "placement"));
    free(text);
    clv_plan_report_done(&r);
    clv_plan_devices_close(&d);
}

static void policies_stand_side_by_side(void **state)
{
    (void)state;
    clv_plan_devices d = fixture_devices(2, "lte");
    clv_error err = {0};
    clv_plan_report r = report(&d);
    r.policies = clv_alloc_array(CLV_POLICY_COUNT, sizeof *r.policies);
    assert_ok(clv_policies_compare(&d.tables->problem, &(clv_policy_options){.seed = 1}, r.policies,
                                   &err),
              err);
    json_t *root = as_json(&r);
    const json_t *list = json_object_get(root, "policies");
    assert_int_equal(json_array_size(list), CLV_POLICY_COUNT);
    assert_string_equal(text_of(json_array_get(list, 0), "policy"), "exact");
    assert_float_equal(number(json_array_get(list, 0), "regret"), 0, 0);
    for (size_t i = 0; i < CLV_POLICY_COUNT; i++) {
        assert_true(number(json_array_get(list, i), "regret") >= 0);
        assert_true(number(json_array_get(list, i), "latency_us") > 0);
    }
    json_decref(root);
    char *text = printed(&r, clv_plan_report_print);
    assert_non_null(strstr(text, "neurosurgeon"));
    free(text);
    clv_plan_report_done(&r);
    clv_plan_devices_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_has_the_documented_fields),
        cmocka_unit_test(without_a_link_only_the_edge_is_a_candidate),
        cmocka_unit_test(people_csv_and_svg_tell_the_same),
        cmocka_unit_test(the_figure_has_a_bar_for_every_cut_and_points_at_the_plan),
        cmocka_unit_test(three_devices_have_stages_and_rivals),
        cmocka_unit_test(policies_stand_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
