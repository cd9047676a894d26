#include "base/mem.h"
#include "base/rng.h"
#include "base/stats.h"
#include "policy/hedge.h"
#include "unit.h"

#include <math.h>

static void the_budget_holds_whatever_happens(void **state)
{
    (void)state;
    clv_rng rng = clv_rng_seeded(1);
    clv_hedge h;
    clv_hedge_init(&h);
    int sent = 0, hedged = 0;
    for (int i = 0; i < 20000; i++) {
        if (clv_rng_below(&rng, 2)) {
            clv_hedge_sent(&h);
            sent++;
        } else {
            hedged += clv_hedge_take(&h);
        }
        assert_true(hedged <= CLV_HEDGE_SHARE * sent + CLV_HEDGE_BURST + 1e-6);
    }
    assert_true(hedged >= 0.9 * CLV_HEDGE_SHARE * sent); /* and it is there when it is wanted */
}

/* A link that stalls again and again: what the peer never had whole was not done twice. */
static void a_spared_hedge_costs_no_budget(void **state)
{
    (void)state;
    clv_hedge h;
    clv_hedge_init(&h);
    for (int i = 0; i < 100; i++) {
        assert_true(clv_hedge_take(&h));
        clv_hedge_spared(&h);
    }
    int left = 0;
    while (clv_hedge_take(&h)) left++;
    assert_int_equal(left, (int)CLV_HEDGE_BURST);
}

static void a_deadline_leaves_time_for_the_part_here(void **state)
{
    (void)state;
    clv_hedge h;
    clv_hedge_init(&h);
    clv_hedge_question q = {
        .sent_us = 1000, .expected_us = 500, .here_us = 4000, .deadline_us = 100000};
    assert_int_equal(clv_hedge_at_us(&h, &q), 95000);
    q.here_us = 0; /* nobody knows */
    assert_true(clv_hedge_at_us(&h, &q) == INT64_MAX);
}

/* What cannot be made here is left to the peer: else a queue here would draw in all that follows. */
static void what_would_be_late_here_stays_with_the_peer(void **state)
{
    (void)state;
    clv_hedge h;
    clv_hedge_init(&h);
    clv_hedge_question q = {
        .sent_us = 1000, .expected_us = 0, .here_us = 4000, .deadline_us = 6000};
    assert_int_equal(clv_hedge_at_us(&h, &q), 6000 - (int64_t)(CLV_HEDGE_MARGIN * 4000)); /* just */
    q.deadline_us--;
    assert_true(clv_hedge_at_us(&h, &q) == INT64_MAX);
    q.deadline_us = 9000;
    assert_true(clv_hedge_helps(&q, 5000));
    assert_false(clv_hedge_helps(&q, 5001)); /* others came first meanwhile */
    q.deadline_us = 0;
    assert_true(clv_hedge_helps(&q, 1000000));
}

/* The last moment comes before the answer is due, which is in time: nothing is wrong. */
static void an_answer_that_is_due_in_time_is_waited_for(void **state)
{
    (void)state;
    clv_hedge h;
    clv_hedge_init(&h);
    clv_hedge_question q = {
        .sent_us = 0, .expected_us = 60000, .here_us = 40000, .deadline_us = 100000};
    assert_true(clv_hedge_at_us(&h, &q) == INT64_MAX); /* 50000 is the last moment */
    q.expected_us = 50000;
    assert_int_equal(clv_hedge_at_us(&h, &q), 50000);
    q.expected_us = 100001; /* it will be late */
    assert_int_equal(clv_hedge_at_us(&h, &q), 50000);
}

static void without_a_deadline_the_tail_decides(void **state)
{
    (void)state;
    clv_rng rng = clv_rng_seeded(2);
    clv_hedge h;
    clv_hedge_init(&h);
    double ratio[4000];
    for (size_t i = 0; i < CLV_COUNT(ratio); i++) {
        ratio[i] = exp(0.1 + 0.3 * clv_rng_normal(&rng));
        clv_hedge_saw(&h, 10000, (int64_t)(10000 * ratio[i]));
    }
    double tail = clv_quantile(ratio, CLV_COUNT(ratio), CLV_HEDGE_QUANTILE);
    clv_hedge_question q = {.sent_us = 7, .expected_us = 20000, .here_us = 1};
    double far = (double)(clv_hedge_at_us(&h, &q) - 7) / 20000;
    assert_true(fabs(far / (CLV_HEDGE_FAR * tail) - 1) < 0.25);
    q.expected_us = 0;
    assert_true(clv_hedge_at_us(&h, &q) == INT64_MAX);
}

/* Milliseconds late are the machine's doing, not the peer's, however short the request is. */
static void a_short_request_is_given_the_least_delay(void **state)
{
    (void)state;
    clv_hedge h;
    clv_hedge_init(&h);
    for (int i = 0; i < 1000; i++) clv_hedge_saw(&h, 3000, 3000); /* never late so far */
    clv_hedge_question q = {.sent_us = 7, .expected_us = 3000, .here_us = 3000};
    assert_true(clv_hedge_at_us(&h, &q) == 7 + 3000 + CLV_HEDGE_LEAST_US);
    q.expected_us = 2000000; /* a long one waits for its tail */
    assert_true(clv_hedge_at_us(&h, &q) >= 7 + (int64_t)(CLV_HEDGE_FAR * 2000000));
    q.expected_us = 3000; /* a deadline knows no least delay */
    q.deadline_us = 9000;
    assert_true(clv_hedge_at_us(&h, &q) == 9000 - (int64_t)(CLV_HEDGE_MARGIN * 3000));
}

/* Its bytes are looked at when the upload should be over, then less and less often. */
static void the_upload_is_looked_at_when_it_should_be_over(void **state)
{
    (void)state;
    clv_hedge_question q = {
        .sent_us = 1000, .expected_us = 70000, .here_us = 100000, .upload_us = 35000};
    int64_t first = clv_hedge_look_us(&q, 1000);
    assert_int_equal(first, 1000 + 1.25 * (35000 + CLV_HEDGE_LEAST_US / 2));
    assert_int_equal(clv_hedge_look_us(&q, first), 1000 + (int64_t)(1.25 * (double)(first - 1000)));
    q.upload_us = 0; /* not known */
    assert_true(clv_hedge_look_us(&q, 1000) == INT64_MAX);
    q.upload_us = 35000;
    q.deadline_us = 1000000; /* which decides alone */
    assert_true(clv_hedge_look_us(&q, 1000) == INT64_MAX);
}

/* At the pace so far, is the answer later than to begin here now? */
static void bytes_that_do_not_get_there_are_not_waited_for(void **state)
{
    (void)state;
    clv_hedge_question q = {
        .sent_us = 0, .expected_us = 70000, .here_us = 100000, .upload_us = 35000};
    static const struct {
        size_t gone;
        bool stuck;
    } cases[] = {
        {0, true},                       /* nothing got there */
        {30000, true},                   /* 117 ms to go, and 35 ms of computing */
        {43000, true},                   /* 66 and 35: later than 100 ms */
        {44000, false},                  /* 63.6 and 35 */
        {99999, false}, {100000, false}, /* all of it: the peer is at it */
    };
    for (size_t i = 0; i < CLV_COUNT(cases); i++) {
        const clv_hedge_progress p = {cases[i].gone, 100000};
        bool stuck = clv_hedge_stuck(&q, &p, 50000);
        if (stuck != cases[i].stuck) fail_msg("%zu of 100000 bytes: %d", cases[i].gone, stuck);
    }
    q.here_us = 0; /* nobody knows */
    assert_false(clv_hedge_stuck(&q, &(clv_hedge_progress){0, 100000}, 50000));
}

static void nonsense_teaches_nothing(void **state)
{
    (void)state;
    clv_hedge h, before;
    clv_hedge_init(&h);
    before = h;
    clv_hedge_saw(&h, 0, 5);
    clv_hedge_saw(&h, 5, 0);
    clv_hedge_saw(&h, -5, 7);
    assert_memory_equal(&h, &before, sizeof h);
    for (int i = 0; i < 1000; i++) clv_hedge_saw(&h, 1, INT64_MAX);
    clv_hedge_question q = {.sent_us = 0, .expected_us = INT64_MAX};
    assert_true(clv_hedge_at_us(&h, &q) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_budget_holds_whatever_happens),
        cmocka_unit_test(a_spared_hedge_costs_no_budget),
        cmocka_unit_test(a_deadline_leaves_time_for_the_part_here),
        cmocka_unit_test(what_would_be_late_here_stays_with_the_peer),
        cmocka_unit_test(an_answer_that_is_due_in_time_is_waited_for),
        cmocka_unit_test(without_a_deadline_the_tail_decides),
        cmocka_unit_test(a_short_request_is_given_the_least_delay),
        cmocka_unit_test(the_upload_is_looked_at_when_it_should_be_over),
        cmocka_unit_test(bytes_that_do_not_get_there_are_not_waited_for),
        cmocka_unit_test(nonsense_teaches_nothing),
    };
    return cmocka_run_group_tests_name("hedge", tests, NULL, NULL);
}
