#include "cost/correction.h"

#include "base/rng.h"
#include "unit.h"

#include <math.h>

#define SECOND INT64_C(1000000)

/* A run of the whole network. */
static void saw(clv_correction *c, size_t cut, double predicted_us, double measured_us,
                int64_t now_us)
{
    const clv_correction_run run = {predicted_us, predicted_us, measured_us};
    clv_correction_observe(c, cut, &run, now_us);
}

static void nothing_is_corrected_before_the_first_run(void **state)
{
    (void)state;
    clv_correction c;
    clv_correction_init(&c, 3);
    for (size_t i = 0; i < 5; i++) assert_true(clv_correction_factor(&c, i, SECOND) == 1);
    saw(&c, 0, 0, 100, SECOND);
    saw(&c, 0, 100, 0, SECOND);
    saw(&c, 9, 100, 300, SECOND);
    saw(&c, 1, NAN, 300, SECOND);
    assert_true(clv_correction_factor(&c, 0, SECOND) == 1);
    clv_correction_done(&c);
}

/* A device 1.4 times slower than its profile, known from one cut; the other cuts follow. */
static void one_cut_teaches_about_all(void **state)
{
    (void)state;
    clv_correction c;
    clv_correction_init(&c, 4);
    clv_rng r = clv_rng_seeded(7);
    int64_t now = 4 * SECOND;
    for (int i = 1; i <= 40; i++)
        saw(&c, 2, 1000, 1400 * exp(0.05 * clv_rng_normal(&r)), i * SECOND / 10);
    assert_true(fabs(clv_correction_factor(&c, 2, now) - 1.4) < 0.05);
    assert_true(fabs(clv_correction_factor(&c, 0, now) - 1.4) < 0.08);
    clv_correction_done(&c);
}

/* One cut that is 15 % dearer than the profile says, the others as profiled. */
static void a_cut_keeps_what_is_its_own(void **state)
{
    (void)state;
    clv_correction c;
    clv_correction_init(&c, 3);
    int64_t now = 60 * SECOND;
    for (int i = 1; i <= 60; i++) {
        saw(&c, 0, 1000, 1000, i * SECOND);
        saw(&c, 1, 1000, 1150, i * SECOND);
        saw(&c, 2, 1000, 1000, i * SECOND);
    }
    assert_true(clv_correction_factor(&c, 1, now) / clv_correction_factor(&c, 0, now) > 1.08);
    assert_true(clv_correction_factor(&c, 1, now) / clv_correction_factor(&c, 0, now) < 1.16);
    assert_true(fabs(clv_correction_factor(&c, 0, now) - 1) < 0.06);
    clv_correction_done(&c);
}

static void an_outlier_teaches_nothing_and_five_do(void **state)
{
    (void)state;
    clv_correction c;
    clv_correction_init(&c, 1);
    int64_t now = 20 * SECOND;
    for (int i = 1; i <= 20; i++) saw(&c, 0, 1000, 1000, i * SECOND);
    double before = clv_correction_factor(&c, 0, now);
    saw(&c, 0, 1000, 9000, now);
    saw(&c, 0, 1000, 100, now); /* another side: the count starts anew */
    for (int i = 0; i < CLV_CORRECTION_STRIKES - 1; i++) saw(&c, 0, 1000, 9000, now);
    assert_true(clv_correction_factor(&c, 0, now) == before);
    saw(&c, 0, 1000, 4000, now); /* the nearest of them counts */
    assert_true(fabs(clv_correction_factor(&c, 0, now) - 4) < 0.2);
    clv_correction_done(&c);
}

/* A plan that was left in a slow spell is tried again some minutes later. */
static void what_was_learnt_fades(void **state)
{
    (void)state;
    clv_correction c;
    clv_correction_init(&c, 2);
    int64_t now = 10 * SECOND;
    for (int i = 1; i <= 100; i++) saw(&c, 0, 1000, 1500, now * i / 100);
    double at_once = clv_correction_factor(&c, 0, now);
    double later = clv_correction_factor(&c, 0, now + CLV_CORRECTION_FADE_US);
    assert_true(at_once > 1.45);
    assert_true(fabs(log(later) / log(at_once) - exp(-1)) < 1e-9);
    assert_true(clv_correction_factor(&c, 0, now + 20 * CLV_CORRECTION_FADE_US) < 1.0001);
    clv_correction_done(&c);
}

/* A head of 6 % of the network that takes 15 % longer: about as much as any run takes besides. The
 * network as a whole is hardly slower for that; one as long that takes 15 % longer is. */
static void a_short_segment_says_little_of_long_ones(void **state)
{
    (void)state;
    clv_correction c;
    double factor[2][2];
    for (int is_long = 0; is_long < 2; is_long++) {
        clv_correction_init(&c, 2);
        double us = is_long ? 57000 : 7200;
        const clv_correction_run run = {us, 114000, 1.15 * us};
        for (int i = 1; i <= 50; i++) clv_correction_observe(&c, 0, &run, i * SECOND / 10);
        for (size_t cut = 0; cut < 2; cut++)
            factor[is_long][cut] = clv_correction_factor(&c, cut, 5 * SECOND);
        clv_correction_done(&c);
    }
    assert_true(factor[0][0] > 1.14 && factor[0][0] < 1.16);
    assert_true(factor[0][1] < 1.04);
    assert_true(factor[1][0] > 1.14 && factor[1][0] < 1.16);
    assert_true(factor[1][1] > 1.12);
}

/* Nor does one that was believed to take next to nothing; a whole that is not known is no longer. */
static void a_share_has_limits(void **state)
{
    (void)state;
    clv_correction c;
    clv_correction_init(&c, 2);
    for (int i = 1; i <= 50; i++) {
        const clv_correction_run run = {1, 1e9, 4};
        clv_correction_observe(&c, 0, &run, i * SECOND / 10);
    }
    assert_true(clv_correction_factor(&c, 1, 5 * SECOND) < 1.1);
    assert_true(fabs(clv_correction_factor(&c, 0, 5 * SECOND) - 4) < 0.1);
    const clv_correction_run bad[] = {{1000, INFINITY, 2000}, {1000, NAN, 2000}};
    double before = clv_correction_factor(&c, 1, 5 * SECOND);
    for (size_t i = 0; i < 2; i++) clv_correction_observe(&c, 1, &bad[i], 5 * SECOND);
    assert_true(clv_correction_factor(&c, 1, 5 * SECOND) == before);
    for (int i = 1; i <= 50; i++) {
        const clv_correction_run run = {1000, 0, 1300};
        clv_correction_observe(&c, 1, &run, 5 * SECOND + i * SECOND / 10);
    }
    assert_true(fabs(clv_correction_factor(&c, 1, 10 * SECOND) - 1.3) < 0.05);
    clv_correction_done(&c);
}

static void the_factor_has_limits(void **state)
{
    (void)state;
    clv_correction c;
    clv_correction_init(&c, 1);
    int64_t now = 10 * SECOND;
    for (int i = 1; i <= 10; i++) saw(&c, 0, 1, 1e9, now);
    assert_true(clv_correction_factor(&c, 0, now) <= CLV_CORRECTION_MAX * 1.0000001);
    for (int i = 1; i <= 10; i++) saw(&c, 0, 1e9, 1, now);
    assert_true(clv_correction_factor(&c, 0, now) >= 0.9999999 / CLV_CORRECTION_MAX);
    clv_correction_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_corrected_before_the_first_run),
        cmocka_unit_test(one_cut_teaches_about_all),
        cmocka_unit_test(a_cut_keeps_what_is_its_own),
        cmocka_unit_test(an_outlier_teaches_nothing_and_five_do),
        cmocka_unit_test(what_was_learnt_fades),
        cmocka_unit_test(a_short_segment_says_little_of_long_ones),
        cmocka_unit_test(a_share_has_limits),
        cmocka_unit_test(the_factor_has_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
