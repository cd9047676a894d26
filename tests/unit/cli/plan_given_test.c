#include "cli/plan_given.h"

#include "base/file.h"
#include "cli/plan_fixture.h"
#include "cli/plan_report.h"

#include <jansson.h>
#include <math.h>

static const char digest[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

static clv_plan_report given(const clv_plan_devices *d, const char *text)
{
    clv_plan_report r = {.devices = d};
    clv_plan_chain chain;
    clv_error err = {0};
    const clv_plan_problem *p = &d->tables->problem;
    assert_ok(clv_plan_given_read(text, digest, p, &chain, &err), err);
    assert_ok(clv_plan_given_weigh(p, &chain, &r.plan, &r.given, &err), err);
    clv_plan_report_rank(&r);
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

static void the_best_plan_given_back_has_no_regret(void **state)
{
    (void)state;
    for (size_t n = 2; n <= 3; n++) {
        clv_plan_devices d = fixture_devices(n, "20Mbit,5ms");
        clv_plan_report best = {.devices = &d};
        clv_error err = {0};
        assert_ok(clv_plan_solve(&d.tables->problem, &best.plan, &err), err);
        char *json = printed(&best, clv_plan_report_json), *dir = NULL, path[400];
        assert_ok(clv_dir_temp("given", &dir, &err), err);
        snprintf(path, sizeof path, "%s/plan.json", dir);
        assert_ok(clv_file_write(path, json, strlen(json), &err), err);
        clv_plan_report r = given(&d, path);
        assert_memory_equal(r.plan.chain.cut, best.plan.chain.cut, n * sizeof *r.plan.chain.cut);
        assert_memory_equal(r.plan.chain.codec, best.plan.chain.codec, n * sizeof(int));
        assert_true(r.given.regret == 0 && r.plan.gap == 0);
        char *text = printed(&r, clv_plan_report_print);
        assert_non_null(strstr(text, "policy given"));
        assert_non_null(strstr(text, "proven optimal"));
        assert_non_null(strstr(text, "as text: edge "));
        clv_plan_chain chain;
        assert_int_equal(clv_plan_given_read(path, "bbbb", &d.tables->problem, &chain, &err),
                         CLV_EMISMATCH);
        clv_dir_remove(dir);
        free(dir);
        free(json);
        free(text);
        clv_plan_report_done(&r);
        clv_plan_report_done(&best);
        clv_plan_devices_close(&d);
    }
}

static void a_worse_one_has_its_regret(void **state)
{
    (void)state;
    clv_plan_devices d = fixture_devices(2, "20Mbit,5ms");
    clv_plan_report r = given(&d, "edge ..output");
    const clv_plan_candidate *best = &r.candidates[0];
    double regret = (double)r.plan.cost.score / (double)best->cost.score - 1;
    assert_true(regret > 0);
    assert_float_equal(r.given.regret, regret, 0);
    assert_float_equal(r.plan.gap, regret, 0);
    assert_non_null(strstr(r.plan.why, "above the best; it keeps all limits"));
    clv_plan_report_done(&r);
    clv_plan_devices_close(&d);
}

/* A gap that is not known is null, and nothing is called proven. */
static void a_broken_limit_is_told(void **state)
{
    (void)state;
    clv_plan_devices d = fixture_devices(2, "20Mbit,5ms");
    d.tables->problem.limits.deadline_ns = 1;
    clv_plan_report r = given(&d, "edge ..output");
    assert_int_equal(r.given.violated, CLV_LIMIT_DEADLINE);
    assert_false(isfinite(r.plan.gap) || isfinite(r.given.regret));
    char *text = printed(&r, clv_plan_report_json);
    json_t *root = json_loads(text, 0, NULL), *plan = json_object_get(root, "plan");
    assert_string_equal(json_string_value(json_object_get(plan, "policy")), "given");
    assert_string_equal(json_string_value(json_object_get(plan, "breaks")), "deadline");
    assert_true(json_is_null(json_object_get(plan, "gap")));
    assert_true(json_is_null(json_object_get(plan, "regret")));
    assert_true(json_is_false(json_object_get(plan, "optimal")));
    json_decref(root);
    free(text);
    text = printed(&r, clv_plan_report_print);
    assert_null(strstr(text, "proven"));
    assert_non_null(strstr(text, "breaks a limit: deadline"));
    assert_non_null(strstr(text, "is not known"));
    free(text);
    clv_plan_report_done(&r);
    clv_plan_devices_close(&d);
}

static void what_cannot_be_weighed_is_refused(void **state)
{
    (void)state;
    clv_plan_devices d = fixture_devices(2, "down");
    const clv_plan_problem *p = &d.tables->problem;
    clv_plan_chain chain;
    clv_plan plan;
    clv_plan_given g;
    clv_error err = {0};
    assert_int_equal(clv_plan_given_read("fog ..output", digest, p, &chain, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "--given"));
    assert_ok(clv_plan_given_read("edge - | raw | cloud ..output", digest, p, &chain, &err), err);
    assert_int_equal(clv_plan_given_weigh(p, &chain, &plan, &g, &err), CLV_EUNAVAIL);
    clv_plan_devices_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_plan_given_back_has_no_regret),
        cmocka_unit_test(a_worse_one_has_its_regret),
        cmocka_unit_test(a_broken_limit_is_told),
        cmocka_unit_test(what_cannot_be_weighed_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
