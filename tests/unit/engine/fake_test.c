#include "base/clock.h"
#include "engine/fake.h"
#include "engine/slow.h"
#include "unit.h"

#include <math.h>
#include <string.h>

static char x_name[] = "x", y_name[] = "y", ok_name[] = "ok";
static clv_tensor_spec in_specs[] = {
    {.name = x_name, .dtype = CLV_F32, .shape = {.rank = 2, .dim = {-1, 4}}}};
static clv_tensor_spec out_specs[] = {
    {.name = y_name, .dtype = CLV_F32, .shape = {.rank = 2, .dim = {-1, 3}}},
    {.name = ok_name, .dtype = CLV_BOOL, .shape = {.rank = 1, .dim = {-1}}}};

static clv_engine *fake(int64_t run_us)
{
    return clv_fake_engine_new(&(clv_fake_options){
        .inputs = in_specs, .n_inputs = 1, .outputs = out_specs, .n_outputs = 2, .run_us = run_us});
}

static void outputs_follow_from_inputs(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_engine *e = fake(0);
    clv_session *s;
    assert_ok(clv_engine_compile(e, &(clv_source){.name = "m"}, &s, &err), err);
    float x[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    clv_tensor in = clv_tensor_view("x", CLV_F32, clv_shape_of(2, 2, 4), x, sizeof x);
    clv_tensors a = {0}, b = {0}, c = {0};
    assert_ok(clv_session_run(s, &in, 1, &a, &err), err);
    assert_ok(clv_session_run(s, &in, 1, &b, &err), err);
    x[7] = 9;
    assert_ok(clv_session_run(s, &in, 1, &c, &err), err);
    assert_int_equal(a.n, 2);
    assert_int_equal(a.items[0].shape.dim[0], 2);
    assert_int_equal(a.items[0].bytes, 24);
    assert_memory_equal(a.items[0].data, b.items[0].data, 24);
    assert_memory_not_equal(a.items[0].data, c.items[0].data, 24);
    for (int i = 0; i < 6; i++) assert_true(isfinite(((float *)a.items[0].data)[i]));
    clv_tensors_done(&a), clv_tensors_done(&b), clv_tensors_done(&c);
    clv_tensor_done(&in);
    clv_session_free(s);
    clv_engine_free(e);
}

static void faults_come_when_told(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_engine *e = fake(0);
    clv_session *s;
    clv_fake_fail_compiles(e, 1, CLV_EENGINE);
    assert_int_equal(clv_engine_compile(e, &(clv_source){.name = "m"}, &s, &err), CLV_EENGINE);
    assert_string_equal(err.text, "m: fake engine: compiling was told to fail");
    assert_ok(clv_engine_compile(e, &(clv_source){.name = "m"}, &s, &err), err);
    assert_int_equal(clv_fake_compiles(e), 2);
    float x[4] = {0};
    clv_tensor in = clv_tensor_view("x", CLV_F32, clv_shape_of(2, 1, 4), x, sizeof x);
    clv_tensors out = {0};
    clv_fake_fail_runs(e, 1, CLV_ETIMEOUT);
    assert_int_equal(clv_session_run(s, &in, 1, &out, &err), CLV_ETIMEOUT);
    assert_int_equal(out.n, 0);
    assert_ok(clv_session_run(s, &in, 1, &out, &err), err);
    assert_int_equal(clv_fake_runs(e), 2);
    clv_tensors_done(&out);
    clv_tensor_done(&in);
    clv_session_free(s);
    clv_engine_free(e);
}

static void takes_its_factor(clv_slow_wait wait)
{
    clv_error err = {0};
    clv_engine *e;
    assert_ok(clv_slow_engine_new(fake(3000), 4, wait, &e, &err), err);
    assert_string_equal(e->description, "fake engine for tests, slowed 4x (emulated)");
    assert_true(clv_engine_slowdown(e) == 4);
    clv_session *s;
    assert_ok(clv_engine_compile(e, &(clv_source){.name = "m"}, &s, &err), err);
    float x[4] = {0};
    clv_tensor in = clv_tensor_view("x", CLV_F32, clv_shape_of(2, 1, 4), x, sizeof x);
    clv_tensors out = {0};
    for (int i = 0; i < 3; i++) {
        int64_t begin = clv_now_us();
        assert_ok(clv_session_run(s, &in, 1, &out, &err), err);
        assert_true(clv_now_us() - begin >= 12000); /* sleeps never return early */
        clv_tensors_done(&out);
    }
    clv_tensor_done(&in);
    clv_session_free(s);
    clv_engine_free(e);
}

static void a_slowed_engine_takes_its_factor(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_engine *e;
    takes_its_factor(CLV_SLOW_AWAKE);
    takes_its_factor(CLV_SLOW_ASLEEP);
    clv_engine *same = fake(0), *got;
    assert_ok(clv_slow_engine_new(same, 1, CLV_SLOW_AWAKE, &got, &err), err);
    assert_ptr_equal(got, same);
    assert_true(clv_engine_slowdown(got) == 1);
    assert_int_equal(clv_slow_engine_new(got, 0.5, CLV_SLOW_AWAKE, &e, &err), CLV_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_follow_from_inputs),
        cmocka_unit_test(faults_come_when_told),
        cmocka_unit_test(a_slowed_engine_takes_its_factor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
