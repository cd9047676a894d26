#include "policy/proven.h"
#include "unit.h"

#define SECOND INT64_C(1000000)

/* A look while nothing queues: what is shown then. */
static double shown(clv_proven *p, const void *plan, uint64_t answered, int64_t now_us)
{
    assert_false(clv_proven_look(p, plan, answered, false, now_us));
    return p->per_s;
}

static void what_was_answered_in_a_window_is_proven(void **state)
{
    (void)state;
    clv_proven p = {0};
    const int plan = 1, other = 2;
    assert_float_equal(shown(&p, &plan, 7, SECOND), 0, 0); /* not its doing of now */
    assert_float_equal(shown(&p, &plan, 60, 3 * SECOND - 1), 0, 0);
    assert_float_equal(shown(&p, &plan, 87, 3 * SECOND), 40, 1e-9);
    assert_float_equal(shown(&p, &plan, 500, 4 * SECOND), 40, 1e-9); /* no burst counts */
    assert_float_equal(shown(&p, &plan, 500, 13 * SECOND), 41.3, 1e-9);
    assert_float_equal(shown(&p, &plan, 500, 15 * SECOND), 0, 0);
    assert_float_equal(shown(&p, &other, 500, 16 * SECOND), 0, 0);
}

static void another_plan_or_a_clock_that_jumps_begins_anew(void **state)
{
    (void)state;
    clv_proven p = {0};
    const int plan = 1, other = 2;
    shown(&p, &plan, 0, 0);
    assert_float_equal(shown(&p, &plan, 10, 2 * SECOND), 5, 1e-9);
    assert_float_equal(shown(&p, &other, 10, 2 * SECOND), 0, 0);
    assert_float_equal(shown(&p, &other, 20, 4 * SECOND), 5, 1e-9);
    assert_float_equal(shown(&p, &other, 20, SECOND), 0, 0);
    assert_float_equal(shown(&p, &other, 3, 9 * SECOND), 0, 0);
}

/* Requests queue from the 4th second on, but for a moment in the 11th; who is new shows less at first. */
static void all_that_a_plan_gets_through_is_shown_while_requests_queue(void **state)
{
    (void)state;
    clv_proven p = {0};
    const int plan = 1, other = 2;
    int all[24] = {0};
    for (int i = 0; i < 48; i++) {
        int64_t now_us = i * SECOND / 2;
        bool queue = now_us >= 4 * SECOND && now_us != 11 * SECOND;
        const int *live = now_us < 16 * SECOND ? &plan : &other;
        if (clv_proven_look(&p, live, (uint64_t)i * 5, queue, now_us)) {
            all[i / 2]++;
            assert_float_equal(p.per_s, 10, 1e-9);
        }
    }
    for (int s = 0; s < 24; s++) assert_int_equal(all[s], s == 8 || s == 10 || s == 20 || s == 22);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_answered_in_a_window_is_proven),
        cmocka_unit_test(all_that_a_plan_gets_through_is_shown_while_requests_queue),
        cmocka_unit_test(another_plan_or_a_clock_that_jumps_begins_anew),
    };
    return cmocka_run_group_tests_name("proven", tests, NULL, NULL);
}
