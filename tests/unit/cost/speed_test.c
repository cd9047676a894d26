#include "cost/speed.h"
#include "unit.h"

static void two_speeds_of_one_network_make_a_factor(void **state)
{
    (void)state;
    const clv_speed calm = {"a", 2000, 50, 30}, busy = {"a", 2500, 400, 12};
    assert_float_equal(clv_speed_factor(&busy, &calm), 1.25, 1e-12);
    assert_float_equal(clv_speed_factor(&calm, &busy), 0.8, 1e-12);
    assert_float_equal(clv_speed_factor(&calm, &calm), 1, 0);
}

static void what_cannot_be_compared_is_left_alone(void **state)
{
    (void)state;
    const clv_speed known = {"a", 2000, 50, 30}, other = {"b", 2500, 400, 12}, none = {0},
                    never_run = {"a", 0, 0, 0};
    assert_float_equal(clv_speed_factor(&other, &known), 1, 0);
    assert_float_equal(clv_speed_factor(&none, &known), 1, 0);
    assert_float_equal(clv_speed_factor(&known, &none), 1, 0);
    assert_float_equal(clv_speed_factor(&never_run, &known), 1, 0);
    assert_float_equal(clv_speed_factor(&none, &none), 1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_speeds_of_one_network_make_a_factor),
        cmocka_unit_test(what_cannot_be_compared_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
