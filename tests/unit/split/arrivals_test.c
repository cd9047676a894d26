/* What comes in, on made-up time. */
#include "split/arrivals.h"
#include "unit.h"

#define SECOND INT64_C(1000000)

static void requests_are_counted_since_the_last_look(void **state)
{
    (void)state;
    clv_arrivals a;
    clv_arrivals_init(&a, SECOND);
    for (int i = 0; i < 3; i++) clv_arrivals_came(&a, SECOND + i, i);
    clv_load load = clv_arrivals_look(&a, SECOND + 3);
    assert_int_equal(load.came, 3);
    assert_true(load.rate_per_s > 0 && load.in_flight > 1);
    assert_int_equal(clv_arrivals_look(&a, SECOND + 4).came, 0);
    clv_arrivals_done(&a);
}

static void nobody_asks_for_long(void **state)
{
    (void)state;
    clv_arrivals a;
    int64_t end = SECOND + CLV_ARRIVALS_LATELY_US;
    clv_arrivals_init(&a, SECOND);
    assert_true(clv_arrivals_lately(&a, end - 1)); /* it only began */
    assert_false(clv_arrivals_lately(&a, end));
    clv_arrivals_came(&a, end, 0);
    assert_true(clv_arrivals_lately(&a, end + CLV_ARRIVALS_LATELY_US - 1));
    assert_false(clv_arrivals_lately(&a, end + CLV_ARRIVALS_LATELY_US));
    clv_arrivals_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_counted_since_the_last_look),
        cmocka_unit_test(nobody_asks_for_long),
    };
    return cmocka_run_group_tests_name("arrivals", tests, NULL, NULL);
}
