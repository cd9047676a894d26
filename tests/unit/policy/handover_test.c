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

/* Until it is known, but not for long. */
static void a_sign_that_is_due_is_waited_for(void **state)
{
    (void)state;
    clv_handover_question q = {.remote_us = 1000, .here_us = 100000, .rtt_us = 6000};
    assert_int_equal(clv_handover_wait_us(&q), 0); /* none is awaited */
    q.silent_us = 7000;
    int64_t left_us = clv_handover_wait_us(&q);
    assert_in_range(left_us, 1, CLV_HANDOVER_WAIT_US);
    q.silent_us += left_us;
    assert_int_equal(clv_handover_wait_us(&q), 0); /* now it is known */
    assert_false(clv_handover_wise(&q));
    q.silent_us = 1000; /* too long to wait for */
    assert_int_equal(clv_handover_wait_us(&q), 0);
    assert_true(clv_handover_wise(&q));
    q.silent_us = 7000;
    q.here_us = 0; /* it may not go on here, whatever the link says */
    assert_int_equal(clv_handover_wait_us(&q), 0);
    q.here_us = 500; /* it goes on here anyhow */
    assert_int_equal(clv_handover_wait_us(&q), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_quicker_side_has_it),
        cmocka_unit_test(what_is_not_known_changes_no_plan),
        cmocka_unit_test(a_link_that_does_not_answer_gets_nothing),
        cmocka_unit_test(a_sign_that_is_due_is_waited_for),
    };
    return cmocka_run_group_tests_name("handover", tests, NULL, NULL);
}
