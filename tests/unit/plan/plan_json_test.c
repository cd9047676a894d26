#include "plan/plan_json.h"
#include "problems.h"
#include "unit.h"

enum { PROBLEMS = 500 };

static void assert_same(const clv_plan *a, const clv_plan *b)
{
    assert_int_equal(a->planner, b->planner);
    assert_int_equal(a->binding, b->binding);
    assert_memory_equal(&a->chain, &b->chain, sizeof a->chain);
    assert_int_equal(a->n_units, b->n_units);
    assert_memory_equal(a->unit_device, b->unit_device, a->n_units);
    assert_int_equal(a->n_stages, b->n_stages);
    for (size_t k = 0; k < a->n_stages; k++)
        assert_memory_equal(&a->stages[k], &b->stages[k], sizeof a->stages[k]);
    assert_memory_equal(&a->cost, &b->cost, sizeof a->cost);
    assert_int_equal(a->n_rivals, b->n_rivals);
    for (size_t i = 0; i < a->n_rivals; i++)
        assert_memory_equal(&a->rivals[i], &b->rivals[i], sizeof a->rivals[i]);
    assert_int_equal(a->bound, b->bound);
    assert_memory_equal(&a->gap, &b->gap, sizeof a->gap);
    assert_int_equal(a->considered, b->considered);
    assert_string_equal(a->why, b->why);
}

static void a_plan_comes_back_as_it_was(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(1);
    problem_options o = {.units_max = 6,
                         .devices_max = 3,
                         .sums = true,
                         .limits = true,
                         .any_goal = true,
                         .measured = true};
    int plans = 0;
    for (int i = 0; i < PROBLEMS; i++) {
        problem *q = problem_random(&r, &o);
        q->p.may_return = q->p.n_devices == 2 && i % 4 == 0;
        clv_plan plan, again;
        clv_error err = {0};
        if (clv_plan_solve(&q->p, &plan, &err) == CLV_OK) {
            if (i % 7 == 0) plan.gap = 1.0 / 3;
            if (i % 11 == 0) plan.gap = (double)INFINITY;
            char *text = clv_plan_json(&plan);
            assert_ok(clv_plan_parse(text, strlen(text), &again, &err), err);
            assert_same(&plan, &again);
            clv_plan_done(&plan);
            clv_plan_done(&again);
            free(text);
            plans++;
        }
        problem_free(q);
    }
    assert_true(plans > PROBLEMS / 4);
}

static char *some_plan(void)
{
    clv_rng r = clv_rng_seeded(2);
    problem *q = problem_random(&r, &(problem_options){.units_max = 4});
    clv_plan plan;
    clv_error err = {0};
    assert_ok(clv_plan_solve(&q->p, &plan, &err), err);
    snprintf(plan.why, sizeof plan.why, "as \xff says");
    char *text = clv_plan_json(&plan);
    clv_plan_done(&plan);
    problem_free(q);
    return text;
}

/* The text with the first `from` replaced by `to`. */
static char *changed(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    if (!at) fail_msg("no %s in %s", from, text);
    return clv_format("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *error;
        clv_status status;
    } rows[] = {
        {"\"schema\":2", "\"schema\":1", "schema 1", CLV_EMISMATCH},
        {"\"one-cut\"", "\"two-cuts\"", "'planner': 'two-cuts'", CLV_EINVAL},
        {"\"binding\":\"none\"", "\"binding\":7", "'binding'", CLV_EINVAL},
        {"\"cuts\":[", "\"cuts\":[0,", "'cuts'", CLV_ELIMIT},
        {"\"cuts\":[", "\"cats\":[", "'cuts'", CLV_EINVAL},
        {"\"codecs\":[", "\"codecs\":[], \"x\":[", "'codecs'", CLV_EINVAL},
        {"\"gap\":0.0", "\"gap\":-0.5", "'gap'", CLV_EINVAL},
        {"\"bound\":", "\"bound\":-", "'bound'", CLV_EINVAL},
        {"\"bound\":", "\"bound\":1.5, \"x\":", "'bound'", CLV_EINVAL},
        {"\"wait_ns\":", "\"wait_ns\":9223372036854775807, \"x\":", "stages[0].wait_ns",
         CLV_EINVAL},
        {"\"stages\":[", "\"stages\":[7,", "stages[0]", CLV_EINVAL},
        {"\"unit_devices\":[", "\"unit_devices\":[8,", "'unit_devices'", CLV_EINVAL},
        {"\"rivals\":[", "\"rivals\":[{},", "rivals[0].cuts", CLV_EINVAL},
        {"{", "[", "line 1", CLV_EINVAL},
        {"\"cost\":", "\"bound\":1,\"cost\":", "duplicate", CLV_EINVAL},
    };
    CLV_AUTO(clv_text_free) char *text = some_plan();
    assert_non_null(strstr(text, "as ? says"));
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        CLV_AUTO(clv_text_free) char *bad = changed(text, rows[i].from, rows[i].to);
        clv_plan plan = {.n_units = 77};
        clv_error err = {0};
        assert_int_equal(clv_plan_parse(bad, strlen(bad), &plan, &err), rows[i].status);
        if (!strstr(err.text, rows[i].error)) fail_msg("%s: %s", rows[i].error, err.text);
        assert_int_equal(plan.n_units, 77);
    }
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    CLV_AUTO(clv_text_free) char *text = some_plan();
    clv_plan plan;
    clv_error err = {0};
    for (size_t n = 0; n < strlen(text); n++) assert_true(clv_plan_parse(text, n, &plan, &err));
    assert_int_equal(clv_plan_parse(text, CLV_PLAN_TEXT_MAX + 1, &plan, &err), CLV_ELIMIT);
    assert_int_equal(clv_plan_parse("7", 1, &plan, &err), CLV_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_comes_back_as_it_was),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(every_truncation_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
