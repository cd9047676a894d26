#include "split/told.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

#define SECOND 1000000

static void each_trouble_is_told_once(void **state)
{
    (void)state;
    clv_told t = {0};
    int told = 0;
    for (int i = 0; i < 100; i++) {
        told += clv_told_anew(&t, "peer refused: no", i * SECOND);
        told += clv_told_anew(&t, "peer does not share yet: it loads", i * SECOND);
    }
    assert_int_equal(told, 2);
    assert_true(clv_told_anew(&t, "another", 0));
}

/* All is well in between, each second: told once in a minute. */
static void a_trouble_that_comes_and_goes_is_told_now_and_then(void **state)
{
    (void)state;
    clv_told t = {0};
    int told = 0;
    for (int i = 0; i < 180; i++) {
        told += clv_told_anew(&t, "peer refused: no", i * SECOND);
        clv_told_over(&t);
    }
    assert_int_equal(told, 3);
    int64_t last_us = 120 * SECOND;
    assert_false(clv_told_anew(&t, "peer refused: no", last_us + CLV_TOLD_AGAIN_US - 1));
    assert_true(clv_told_anew(&t, "peer refused: no", last_us + CLV_TOLD_AGAIN_US));
}

static void the_oldest_is_forgotten_first(void **state)
{
    (void)state;
    clv_told t = {0};
    for (int i = 0; i <= CLV_TOLD_MAX; i++) {
        char text[] = {(char)('a' + i), 0};
        assert_true(clv_told_anew(&t, text, 0));
    }
    assert_false(clv_told_anew(&t, "b", 0));
    assert_true(clv_told_anew(&t, "a", 0));
}

static void long_texts_are_told_once_too(void **state)
{
    (void)state;
    clv_told t = {0};
    char text[2 * CLV_ERROR_TEXT_MAX];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    assert_true(clv_told_anew(&t, text, 0));
    assert_false(clv_told_anew(&t, text, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_trouble_is_told_once),
        cmocka_unit_test(a_trouble_that_comes_and_goes_is_told_now_and_then),
        cmocka_unit_test(the_oldest_is_forgotten_first),
        cmocka_unit_test(long_texts_are_told_once_too),
    };
    return cmocka_run_group_tests_name("told", tests, NULL, NULL);
}
