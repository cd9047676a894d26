/* A stream of requests: from a seed, into a trace, and back. */
#include "unit.h"

#include "base/file.h"
#include "base/mem.h"
#include "cli/tasks_report.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"alexnet", "lenet"};

static clv_workload make(double rate_per_s, uint64_t seed)
{
    clv_workload w;
    clv_workload_make(
        &(clv_workload_mix){
            .count = 400, .rate_per_s = rate_per_s, .models = names, .n_models = 2, .seed = seed},
        &w);
    return w;
}

static bool same(const clv_workload *a, const clv_workload *b)
{
    bool equal = a->n == b->n;
    for (size_t i = 0; equal && i < a->n; i++)
        equal = a->tasks[i].at_us == b->tasks[i].at_us && a->tasks[i].input == b->tasks[i].input &&
                strcmp(a->models[a->tasks[i].model], b->models[b->tasks[i].model]) == 0;
    return equal;
}

static void a_seed_makes_one_stream(void **state)
{
    (void)state;
    clv_workload a = make(50, 1), b = make(50, 1), c = make(50, 2), idle = make(0, 1);
    assert_true(same(&a, &b));
    assert_false(same(&a, &c));
    double took_s = (double)a.tasks[a.n - 1].at_us * 1e-6;
    assert_true(took_s > 6 && took_s < 10); /* 8 s, six sigma around */
    for (size_t i = 1; i < a.n; i++) assert_true(a.tasks[i].at_us >= a.tasks[i - 1].at_us);
    for (size_t i = 0; i < idle.n; i++) assert_int_equal(idle.tasks[i].at_us, 0);
    clv_workload_done(&a);
    clv_workload_done(&b);
    clv_workload_done(&c);
    clv_workload_done(&idle);
}

static void a_trace_gives_back_its_stream(void **state)
{
    (void)state;
    clv_error err = {0};
    char *folder;
    assert_ok(clv_dir_temp("trace", &folder, &err), err);
    char *path = clv_path_join(folder, "run.trace");
    double rates[] = {50, 0}; /* at 0 all are at the same time: the order must stay */
    for (int i = 0; i < 2; i++) {
        clv_workload w = make(rates[i], 3), back;
        clv_task_result *results = clv_alloc_array(w.n, sizeof *results);
        clv_tasks_report report = {.work = &w, .results = results, .n = w.n, .took_us = 1};
        assert_ok(clv_tasks_write_trace(path, &report, 3, &err), err);
        assert_ok(clv_workload_read(path, &back, &err), err);
        assert_true(same(&w, &back));
        free(results);
        clv_workload_done(&w);
        clv_workload_done(&back);
    }
    clv_dir_remove(folder);
    free(path);
    free(folder);
}

#define HEADER "{\"cleave_trace\": 1}\n"
#define LINE   "{\"t_us\": 5, \"model\": \"m\", \"input\": 0}\n"

static void expect_error(const char *text, clv_status status, const char *part)
{
    clv_workload w;
    clv_error err = {0};
    assert_int_equal(clv_workload_parse(text, strlen(text), &w, &err), status);
    if (!strstr(err.text, part)) fail_msg("'%s' lacks '%s'", err.text, part);
}

static void bad_lines_are_named(void **state)
{
    (void)state;
    expect_error("", CLV_EINVAL, "no requests");
    expect_error(HEADER, CLV_EINVAL, "no requests");
    expect_error(LINE, CLV_EINVAL, "line 1: {\"cleave_trace\": 1} is right");
    expect_error("{\"cleave_trace\": 2}\n" LINE, CLV_EINVAL, "line 1");
    expect_error("[]\n", CLV_EINVAL, "line 1");
    expect_error(HEADER LINE "nonsense\n", CLV_EINVAL, "trace line 3, column");
    expect_error(HEADER LINE "\n", CLV_EINVAL, "trace line 3");
    expect_error(HEADER "{\"t_us\": -1, \"model\": \"m\", \"input\": 0}", CLV_EINVAL, "'t_us'");
    expect_error(HEADER "{\"t_us\": 1.5, \"model\": \"m\", \"input\": 0}", CLV_EINVAL, "'t_us'");
    expect_error(HEADER "{\"t_us\": 604800000001, \"model\": \"m\", \"input\": 0}", CLV_EINVAL,
                 "to a week");
    expect_error(HEADER "{\"t_us\": 1, \"model\": \"m\", \"input\": 4}", CLV_EINVAL,
                 "'input' must be 0 to 3");
    expect_error(HEADER "{\"t_us\": 1, \"model\": \"\", \"input\": 0}", CLV_EINVAL, "'model'");
    expect_error(HEADER "{\"t_us\": 1, \"model\": 7, \"input\": 0}", CLV_EINVAL, "'model'");
    expect_error(HEADER LINE "{\"t_us\": 4, \"model\": \"m\", \"input\": 0}", CLV_EINVAL,
                 "line 3: 't_us' is less than in the line before");
}

static void models_have_a_limit(void **state)
{
    (void)state;
    clv_buf text = {0};
    clv_buf_printf(&text, HEADER);
    for (int i = 0; i <= 256; i++) {
        if (i == 256) {
            clv_workload w;
            clv_error err = {0};
            assert_ok(clv_workload_parse(text.data, text.len, &w, &err), err);
            assert_int_equal(w.n_models, 256);
            clv_workload_done(&w);
        }
        clv_buf_printf(&text, "{\"t_us\": 0, \"model\": \"m%d\", \"input\": 0}\n", i);
    }
    expect_error(text.data, CLV_EINVAL, "at most 256 models");
    clv_buf_done(&text);
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    clv_workload w;
    clv_error err = {0};
    assert_int_equal(clv_workload_read("/nowhere.trace", &w, &err), CLV_ENOTFOUND);
    assert_non_null(strstr(err.text, "/nowhere.trace"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_makes_one_stream), cmocka_unit_test(a_trace_gives_back_its_stream),
        cmocka_unit_test(bad_lines_are_named),     cmocka_unit_test(models_have_a_limit),
        cmocka_unit_test(a_missing_file_is_named),
    };
    return cmocka_run_group_tests_name("workload", tests, NULL, NULL);
}
