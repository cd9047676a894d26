/* A stream of requests: from a seed, into a trace, and back. */
#include "cli/workload.h"

#include "base/file.h"
#include "base/mem.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"alexnet", "lenet"};

static clv_run make(double rate_per_s, uint64_t seed)
{
    clv_run w;
    clv_error err = {0};
    assert_ok(clv_workload_make(&(clv_workload_mix){.count = 400,
                                                    .rate_per_s = rate_per_s,
                                                    .models = names,
                                                    .n_models = 2,
                                                    .seed = seed},
                                &w, &err),
              err);
    return w;
}

static bool same(const clv_run *a, const clv_run *b)
{
    bool equal = a->n_requests == b->n_requests;
    for (size_t i = 0; equal && i < a->n_requests; i++) {
        const clv_run_request *x = &a->requests[i], *y = &b->requests[i];
        equal = x->at_us == y->at_us && x->input == y->input &&
                strcmp(a->models.items[x->model], b->models.items[y->model]) == 0;
    }
    return equal;
}

static void a_seed_makes_one_stream(void **state)
{
    (void)state;
    clv_run a = make(50, 1), b = make(50, 1), c = make(50, 2), idle = make(0, 1);
    assert_true(same(&a, &b));
    assert_false(same(&a, &c));
    double took_s = (double)a.requests[a.n_requests - 1].at_us * 1e-6;
    assert_true(took_s > 6 && took_s < 10); /* 8 s, six sigma around */
    for (size_t i = 1; i < a.n_requests; i++)
        assert_true(a.requests[i].at_us >= a.requests[i - 1].at_us);
    for (size_t i = 0; i < idle.n_requests; i++) assert_int_equal(idle.requests[i].at_us, 0);
    clv_run_done(&a);
    clv_run_done(&b);
    clv_run_done(&c);
    clv_run_done(&idle);
}

static void a_recorded_run_gives_back_its_stream(void **state)
{
    (void)state;
    clv_error err = {0};
    char *folder;
    assert_ok(clv_dir_temp("trace", &folder, &err), err);
    char *path = clv_path_join(folder, "run.jsonl");
    double rates[] = {50, 0}; /* at 0 all are at the same time: the order must stay */
    for (int i = 0; i < 2; i++) {
        clv_run w = make(rates[i], 3), back, again;
        for (size_t k = 0; k < w.n_requests; k++) {
            w.requests[k].ended = true;
            w.requests[k].timing.total_us = 7;
        }
        assert_ok(clv_run_write(path, &w, &err), err);
        assert_ok(clv_run_read(path, &back, &err), err);
        assert_true(same(&w, &back));
        clv_workload_again(&back, &again);
        assert_true(same(&w, &again));
        assert_int_equal(clv_run_ended(&back), 400);
        assert_int_equal(clv_run_ended(&again), 0);
        assert_int_equal(again.seed, 3);
        clv_run_done(&w);
        clv_run_done(&back);
        clv_run_done(&again);
    }
    clv_dir_remove(folder);
    free(path);
    free(folder);
}

static void a_name_that_no_trace_can_hold_is_named(void **state)
{
    (void)state;
    char name[CLV_RUN_NAME_MAX + 1];
    memset(name, 'x', sizeof name);
    const char *models[] = {name};
    clv_workload_mix mix = {.count = 1, .models = models, .n_models = 1};
    clv_run w;
    clv_error err = {0};
    name[CLV_RUN_NAME_MAX] = 0;
    assert_int_equal(clv_workload_make(&mix, &w, &err), CLV_ELIMIT);
    assert_non_null(strstr(err.text, "xxx"));
    name[CLV_RUN_NAME_MAX - 1] = 0;
    assert_ok(clv_workload_make(&mix, &w, &err), err);
    clv_run_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_makes_one_stream),
        cmocka_unit_test(a_recorded_run_gives_back_its_stream),
        cmocka_unit_test(a_name_that_no_trace_can_hold_is_named),
    };
    return cmocka_run_group_tests_name("workload", tests, NULL, NULL);
}
