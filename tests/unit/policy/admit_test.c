#include "base/mem.h"
#include "base/rng.h"
#include "policy/admit.h"
#include "unit.h"

#include <stdbool.h>

static clv_status ask(int64_t deadline_us, int64_t ahead_us, int64_t run_us, clv_error *err)
{
    *err = (clv_error){0};
    return clv_admit(&(clv_admit_question){1000000, deadline_us, ahead_us, run_us}, "model 'm'",
                     err);
}

static void refuses_with_the_numbers(void **state)
{
    (void)state;
    clv_error err;
    assert_int_equal(ask(1030000, 20000, 10001, &err), CLV_EBUSY);
    assert_string_equal(err.text, "model 'm': 20.000 ms of work are ahead of it, it takes about "
                                  "10.001 ms, and its deadline is in 30.000 ms");
    assert_int_equal(ask(1030000, 0, 30001, &err), CLV_ETIMEOUT);
    assert_string_equal(err.text,
                        "model 'm': it takes about 30.001 ms and its deadline is in 30.000 ms");
    assert_int_equal(ask(999000, 0, 0, &err), CLV_ETIMEOUT);
    assert_string_equal(err.text, "model 'm': the deadline passed 1.000 ms ago");
}

static void admits_what_ends_in_time(void **state)
{
    (void)state;
    clv_error err;
    assert_int_equal(ask(1030000, 20000, 10000, &err), CLV_OK);   /* just so */
    assert_int_equal(ask(0, INT64_MAX, INT64_MAX, &err), CLV_OK); /* no deadline */
    assert_int_equal(ask(1000001, 0, 0, &err), CLV_OK);           /* nothing is known */
    assert_int_equal(ask(1000001, -5, -5, &err), CLV_OK);
    assert_int_equal(ask(1000001, INT64_MAX, 0, &err), CLV_EBUSY);
}

/* The oracle serves microsecond by microsecond. */
static void is_the_clocks_verdict(void **state)
{
    (void)state;
    clv_rng rng = clv_rng_seeded(3);
    for (int i = 0; i < 20000; i++) {
        int64_t ahead = (int64_t)clv_rng_below(&rng, 60), run = (int64_t)clv_rng_below(&rng, 60),
                left = (int64_t)clv_rng_below(&rng, 120) - 10, ended = 0;
        for (int64_t us = 0; us < ahead; us++) ended++;
        for (int64_t us = 0; us < run; us++) ended++;
        clv_error err;
        clv_status got = ask(1000000 + left, ahead, run, &err);
        bool late = left <= 0 || ended > left;
        assert_int_equal(got != CLV_OK, late);
        if (late) assert_int_equal(got == CLV_ETIMEOUT, left <= 0 || run > left);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_with_the_numbers),
        cmocka_unit_test(admits_what_ends_in_time),
        cmocka_unit_test(is_the_clocks_verdict),
    };
    return cmocka_run_group_tests_name("admit", tests, NULL, NULL);
}
