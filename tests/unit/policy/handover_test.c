#include "policy/handover.h"

#include "unit.h"

static void the_quicker_side_has_it(void **state)
{
    (void)state;
    clv_handover_question q = {.remote_us = 100000, .here_us = 100000, .rtt_us = 5000};
    assert_true(clv_handover_wise(&q)); /* as it was planned */
    q.remote_us++;
    assert_false(clv_handover_wise(&q));
}

static void what_is_not_known_changes_no_plan(void **state)
{
    (void)state;
    clv_handover_question q = {.remote_us = 900000, .here_us = 0, .rtt_us = 5000};
    assert_true(clv_handover_wise(&q));
    q.silent_us = 900000; /* the peer is silent, but nobody knows what it takes here */
    assert_true(clv_handover_wise(&q));
    q = (clv_handover_question){.remote_us = 0, .here_us = 5000, .rtt_us = 5000};
    assert_true(clv_handover_wise(&q));
}

static void a_link_that_does_not_answer_gets_nothing(void **state)
{
    (void)state;
    clv_handover_question q = {.remote_us = 1000, .here_us = 100000, .rtt_us = 60000};
    q.silent_us = (int64_t)(CLV_HANDOVER_TIMES * 60000) + CLV_HANDOVER_SLACK_US;
    assert_true(clv_handover_wise(&q)); /* it may still come */
    q.silent_us++;
    assert_false(clv_handover_wise(&q));
    q.rtt_us = 0; /* a scheduler's hiccup is not silence */
    q.silent_us = CLV_HANDOVER_SLACK_US;
    assert_true(clv_handover_wise(&q));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_quicker_side_has_it),
        cmocka_unit_test(what_is_not_known_changes_no_plan),
        cmocka_unit_test(a_link_that_does_not_answer_gets_nothing),
    };
    return cmocka_run_group_tests_name("handover", tests, NULL, NULL);
}
