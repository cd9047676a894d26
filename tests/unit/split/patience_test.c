/* Until when a peer is waited for. */
#include "split/patience.h"

#include "unit.h"

static int64_t until(int64_t now_us, int others)
{
    return clv_patience_until(&(clv_patience_question){
        .now_us = now_us, .patience_us = 50000, .expected_us = 10000, .others = others});
}

static void the_more_are_before_it_the_longer(void **state)
{
    (void)state;
    assert_int_equal(until(1000, 0), 1000 + 50000 + 30000);
    assert_int_equal(until(1000, 3), 1000 + 50000 + 120000);
}

static void without_a_patience_it_is_the_usual_one(void **state)
{
    (void)state;
    assert_int_equal(clv_patience_until(&(clv_patience_question){.now_us = 5}),
                     5 + CLV_PATIENCE_DEFAULT_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_more_are_before_it_the_longer),
        cmocka_unit_test(without_a_patience_it_is_the_usual_one),
    };
    return cmocka_run_group_tests_name("patience", tests, NULL, NULL);
}
