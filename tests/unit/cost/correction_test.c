#include "cost/correction.h"

#include "base/rng.h"
#include "unit.h"

#include <math.h>

#define SECOND INT64_C(1000000)

static void nothing_is_corrected_before_the_first_run(void **state)
{
    (void)state;
    clv_correction c;
    clv_correction_init(&c, 3);
    for (size_t i = 0; i < 5; i++) assert_true(clv_correction_factor(&c, i) == 1);
    clv_correction_observe(&c, 0, 0, 100, SECOND);
    clv_correction_observe(&c, 0, 100, 0, SECOND);
    clv_correction_observe(&c, 9, 100, 300, SECOND);
    clv_correction_observe(&c, 1, NAN, 300, SECOND);
    assert_true(clv_correction_factor(&c, 0) == 1);
    clv_correction_done(&c);
}

/* A device 1.4 times slower than its profile, known from one cut; the other cuts follow. */
static void one_cut_teaches_about_all(void **state)
{
    (void)state;
    clv_correction c;
    clv_correction_init(&c, 4);
    clv_rng r = clv_rng_seeded(7);
    for (int i = 1; i <= 40; i++)
        clv_correction_observe(&c, 2, 1000, 1400 * exp(0.05 * clv_rng_normal(&r)), i * SECOND / 10);
    assert_true(fabs(clv_correction_factor(&c, 2) - 1.4) < 0.05);
    assert_true(fabs(clv_correction_factor(&c, 0) - 1.4) < 0.08);
    clv_correction_done(&c);
}

/* One cut that is 15 % dearer than the profile says, the others as profiled. */
static void a_cut_keeps_what_is_its_own(void **state)
{
    (void)state;
    clv_correction c;
    clv_correction_init(&c, 3);
    for (int i = 1; i <= 60; i++) {
        clv_correction_observe(&c, 0, 1000, 1000, i * SECOND);
        clv_correction_observe(&c, 1, 1000, 1150, i * SECOND);
        clv_correction_observe(&c, 2, 1000, 1000, i * SECOND);
    }
    assert_true(clv_correction_factor(&c, 1) / clv_correction_factor(&c, 0) > 1.08);
    assert_true(clv_correction_factor(&c, 1) / clv_correction_factor(&c, 0) < 1.16);
    assert_true(fabs(clv_correction_factor(&c, 0) - 1) < 0.06);
    clv_correction_done(&c);
}

static void a_single_outlier_teaches_nothing_and_three_do(void **state)
{
    (void)state;
    clv_correction c;
    clv_correction_init(&c, 1);
    for (int i = 1; i <= 20; i++) clv_correction_observe(&c, 0, 1000, 1000, i * SECOND);
    double before = clv_correction_factor(&c, 0);
    clv_correction_observe(&c, 0, 1000, 9000, 21 * SECOND);
    clv_correction_observe(&c, 0, 1000, 100, 22 * SECOND); /* another side: the count starts anew */
    clv_correction_observe(&c, 0, 1000, 9000, 23 * SECOND);
    clv_correction_observe(&c, 0, 1000, 9000, 24 * SECOND);
    assert_true(clv_correction_factor(&c, 0) == before);
    clv_correction_observe(&c, 0, 1000, 9000, 25 * SECOND);
    assert_true(fabs(clv_correction_factor(&c, 0) - 9) < 0.5);
    clv_correction_done(&c);
}

static void the_factor_has_limits(void **state)
{
    (void)state;
    clv_correction c;
    clv_correction_init(&c, 1);
    for (int i = 1; i <= 10; i++) clv_correction_observe(&c, 0, 1, 1e9, i * SECOND);
    assert_true(clv_correction_factor(&c, 0) <= CLV_CORRECTION_MAX * 1.0000001);
    for (int i = 1; i <= 10; i++) clv_correction_observe(&c, 0, 1e9, 1, i * SECOND);
    assert_true(clv_correction_factor(&c, 0) >= 0.9999999 / CLV_CORRECTION_MAX);
    clv_correction_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_corrected_before_the_first_run),
        cmocka_unit_test(one_cut_teaches_about_all),
        cmocka_unit_test(a_cut_keeps_what_is_its_own),
        cmocka_unit_test(a_single_outlier_teaches_nothing_and_three_do),
        cmocka_unit_test(the_factor_has_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
