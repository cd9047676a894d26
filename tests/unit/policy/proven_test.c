#include "policy/proven.h"
#include "unit.h"

#define SECOND INT64_C(1000000)

static void what_was_answered_in_a_window_is_proven(void **state)
{
    (void)state;
    clv_proven p = {0};
    const int plan = 1, other = 2;
    assert_float_equal(clv_proven_look(&p, &plan, 7, SECOND), 0, 0); /* not its doing of now */
    assert_float_equal(clv_proven_look(&p, &plan, 60, 3 * SECOND - 1), 0, 0);
    assert_float_equal(clv_proven_look(&p, &plan, 87, 3 * SECOND), 40, 1e-9);
    assert_float_equal(clv_proven_look(&p, &plan, 500, 4 * SECOND), 40, 1e-9); /* no burst counts */
    assert_float_equal(clv_proven_look(&p, &plan, 500, 13 * SECOND), 41.3, 1e-9);
    assert_float_equal(clv_proven_look(&p, &plan, 500, 15 * SECOND), 0, 0);
    assert_float_equal(clv_proven_look(&p, &other, 500, 16 * SECOND), 0, 0);
}

static void another_plan_or_a_clock_that_jumps_begins_anew(void **state)
{
    (void)state;
    clv_proven p = {0};
    const int plan = 1, other = 2;
    clv_proven_look(&p, &plan, 0, 0);
    assert_float_equal(clv_proven_look(&p, &plan, 10, 2 * SECOND), 5, 1e-9);
    assert_float_equal(clv_proven_look(&p, &other, 10, 2 * SECOND), 0, 0);
    assert_float_equal(clv_proven_look(&p, &other, 20, 4 * SECOND), 5, 1e-9);
    assert_float_equal(clv_proven_look(&p, &other, 20, SECOND), 0, 0);
    assert_float_equal(clv_proven_look(&p, &other, 3, 9 * SECOND), 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_answered_in_a_window_is_proven),
        cmocka_unit_test(another_plan_or_a_clock_that_jumps_begins_anew),
    };
    return cmocka_run_group_tests_name("proven", tests, NULL, NULL);
}
