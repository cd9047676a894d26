#include "tensor/random.h"
#include "unit.h"

#include <math.h>
#include <string.h>

static void values_are_normal_and_follow_the_seed(void **state)
{
    (void)state;
    char x[] = "x", k[] = "k";
    clv_tensor_spec specs[] = {{x, CLV_F32, clv_shape_of(2, -1, 5000)},
                               {k, CLV_I64, clv_shape_of(1, 64)}};
    clv_tensors a = {0}, b = {0};
    clv_error err = {0};
    clv_rng r = clv_rng_seeded(7), again = clv_rng_seeded(7);
    assert_ok(clv_tensors_random(specs, 2, 2, &r, &a, &err), err);
    assert_ok(clv_tensors_random(specs, 2, 2, &again, &b, &err), err);
    assert_int_equal(a.items[0].shape.dim[0], 2);
    assert_memory_equal(a.items[0].data, b.items[0].data, a.items[0].bytes);
    const float *f = a.items[0].data;
    double sum = 0, squares = 0;
    for (int i = 0; i < 10000; i++) {
        sum += f[i];
        squares += f[i] * f[i];
    }
    assert_true(fabs(sum / 10000) < 0.05);
    assert_true(fabs(squares / 10000 - 1) < 0.05);
    const int64_t *n = a.items[1].data;
    for (int i = 0; i < 64; i++) assert_in_range(n[i], 0, 1);
    clv_tensors_done(&a);
    clv_tensors_done(&b);
}

static void text_has_no_random_values(void **state)
{
    (void)state;
    char x[] = "words";
    clv_tensor_spec spec = {x, CLV_TEXT, clv_shape_of(1, 0)};
    clv_tensors out = {0};
    clv_error err = {0};
    clv_rng r = clv_rng_seeded(1);
    assert_int_equal(clv_tensors_random(&spec, 1, 1, &r, &out, &err), CLV_EUNSUPPORTED);
    assert_non_null(strstr(err.text, "words"));
    assert_int_equal(out.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_normal_and_follow_the_seed),
        cmocka_unit_test(text_has_no_random_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
