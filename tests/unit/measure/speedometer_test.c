/* The speedometer on an engine that only waits, and on the real one. */
#include "measure/speedometer.h"

#include "engine/fake.h"
#include "engine_rig.h"
#include "unit.h"

#include <string.h>

enum { RUN_US = 2000 };

static char in_name[] = "input", out_name[] = "OUTPUT";

static clv_engine *waiting(void)
{
    clv_tensor_spec in = {
        .name = in_name, .dtype = CLV_F32, .shape = clv_shape_of(4, 1, 3, 112, 112)};
    clv_tensor_spec out = {.name = out_name, .dtype = CLV_F32, .shape = clv_shape_of(2, 1, 100)};
    return clv_fake_engine_new(&(clv_fake_options){
        .inputs = &in, .n_inputs = 1, .outputs = &out, .n_outputs = 1, .run_us = RUN_US});
}

static void it_tells_what_the_reference_took_since(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_engine *fake = waiting();
    clv_speedometer *m;
    assert_ok(clv_speedometer_new(fake, 4, &m, &err), err);
    assert_int_equal(clv_speedometer_runs(m), 0);
    assert_int_equal(clv_speedometer_speed(m, 0).n, 0);
    assert_ok(clv_speedometer_visit(m, &err), err);
    size_t first = clv_speedometer_runs(m);
    assert_true(first > 0);
    assert_int_equal(clv_speedometer_speed(m, first).n, 0);
    assert_ok(clv_speedometer_visit(m, &err), err);
    clv_speed later = clv_speedometer_speed(m, first), all = clv_speedometer_speed(m, 0);
    assert_true(later.n > 0 && all.n > later.n);
    assert_true(later.us >= RUN_US / 4.0); /* without the slowdown that it was told */
    assert_int_equal(strlen(all.network), 64);
    clv_stopwatch *w = clv_speedometer_watch(m);
    for (size_t i = 0; i < w->n; i++) w->laps[i].us = 4000;
    assert_float_equal(clv_speedometer_speed(m, 0).us, 1000, 1e-9);
    clv_speedometer_free(m);
    clv_engine_free(fake);
}

static void it_looks_when_it_never_has_and_says_what_failed(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_engine *fake = waiting();
    clv_speedometer *m;
    assert_ok(clv_speedometer_new(fake, 0, &m, &err), err);
    assert_ok(clv_speedometer_look(m, &err), err); /* never yet */
    assert_true(clv_speedometer_runs(m) > 0);
    clv_fake_fail_runs(fake, 1, CLV_EENGINE);
    assert_int_equal(clv_speedometer_visit(m, &err), CLV_EENGINE);
    assert_non_null(strstr(err.text, "reference network"));
    clv_speedometer_free(m);
    clv_engine_free(fake);
}

static void an_engine_that_fails_is_told(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_engine *fake = waiting();
    clv_speedometer *m = NULL;
    clv_fake_fail_compiles(fake, 1, CLV_EENGINE);
    assert_int_equal(clv_speedometer_new(fake, 1, &m, &err), CLV_EENGINE);
    assert_non_null(strstr(err.text, "reference network"));
    assert_null(m);
    clv_engine_free(fake);
}

static void none_knows_nothing(void **state)
{
    (void)state;
    clv_error err = {0};
    assert_ok(clv_speedometer_visit(NULL, &err), err);
    assert_ok(clv_speedometer_look(NULL, &err), err);
    assert_int_equal(clv_speedometer_runs(NULL), 0);
    assert_int_equal(clv_speedometer_speed(NULL, 0).n, 0);
    assert_null(clv_speedometer_watch(NULL));
    clv_speedometer_free(NULL);
}

/* Files of one machine and of another can be compared: the network is the same everywhere. */
static void the_reference_runs_and_is_always_the_same(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_speedometer *a, *b;
    assert_ok(clv_speedometer_new(engine, 1, &a, &err), err);
    assert_ok(clv_speedometer_new(engine, 1, &b, &err), err);
    assert_ok(clv_speedometer_visit(a, &err), err);
    clv_speed x = clv_speedometer_speed(a, 0), y = clv_speedometer_speed(b, 0);
    assert_true(x.us > CLV_SPEED_US_MIN && x.n > 0 && y.n == 0);
    assert_string_equal(x.network, y.network);
    clv_speedometer_free(a);
    clv_speedometer_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_tells_what_the_reference_took_since),
        cmocka_unit_test(it_looks_when_it_never_has_and_says_what_failed),
        cmocka_unit_test(an_engine_that_fails_is_told),
        cmocka_unit_test(none_knows_nothing),
        cmocka_unit_test(the_reference_runs_and_is_always_the_same),
    };
    return cmocka_run_group_tests(tests, engine_rig_start, engine_rig_stop);
}
