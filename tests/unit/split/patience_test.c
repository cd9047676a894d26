/* Until when a peer is waited for. */
#include "split/patience.h"

#include "unit.h"

static int64_t until(clv_patience *p, int64_t now_us, int others)
{
    return clv_patience_until(
        p, &(clv_patience_question){
               .now_us = now_us, .patience_us = 50000, .expected_us = 10000, .others = others});
}

static void the_more_are_before_it_the_longer(void **state)
{
    (void)state;
    clv_patience p = {0};
    assert_int_equal(until(&p, 1000, 0), 1000 + 50000 + 30000);
    assert_int_equal(until(&p, 1000, 3), 1000 + 50000 + 120000);
}

/* Whoever was asked first is due first: a peer that serves the earliest first keeps the order. */
static void later_ones_are_never_due_earlier(void **state)
{
    (void)state;
    clv_patience p = {0};
    int64_t before = 0, now = 0;
    for (int others = 16; others > 0; others--) {
        int64_t due = until(&p, now += 1000, others);
        assert_true(due >= before);
        before = due;
    }
    assert_true(before >= 17 * 30000);
    assert_int_equal(until(&p, now, 0), now + 80000); /* all others are through */
    assert_int_equal(until(&p, now, 1), now + 110000);
}

static void without_a_patience_it_is_the_usual_one(void **state)
{
    (void)state;
    clv_patience p = {0};
    assert_int_equal(clv_patience_until(&p, &(clv_patience_question){.now_us = 5}),
                     5 + CLV_PATIENCE_DEFAULT_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_more_are_before_it_the_longer),
        cmocka_unit_test(later_ones_are_never_due_earlier),
        cmocka_unit_test(without_a_patience_it_is_the_usual_one),
    };
    return cmocka_run_group_tests_name("patience", tests, NULL, NULL);
}
