#include "measure/complement.h"

#include "base/mem.h"
#include "base/rng.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>

enum { CUTS = 42, WHOLE_US = 10000, COST_US = 200 };

/* What the prefix of a cut truly takes; its suffix takes the rest, and the cut its cost. */
static double truth(size_t cut)
{
    return WHOLE_US * (double)cut / (CUTS - 1);
}

static clv_time timed(clv_rng *r, double us, double spread, int n)
{
    clv_time t = {.us = us * (1 + 1.2533 * spread / sqrt(n) * clv_rng_normal(r)),
                  .sigma_us = us * spread,
                  .n = n};
    return t;
}

static clv_profile profile_with(clv_rng *r, double spread, int n)
{
    clv_profile p = {.n_cuts = CUTS, .cuts = clv_alloc_array(CUTS, sizeof *p.cuts)};
    p.cuts[0].suffix = p.cuts[CUTS - 1].prefix = (clv_time){WHOLE_US, 1, 100};
    for (size_t i = 1; i + 1 < CUTS; i++) {
        p.cuts[i].prefix = timed(r, truth(i) + COST_US / 2.0, spread, n);
        p.cuts[i].suffix = timed(r, WHOLE_US - truth(i) + COST_US / 2.0, spread, n);
    }
    return p;
}

static double error_of(const clv_profile *p)
{
    double sum = 0;
    for (size_t i = 1; i + 1 < CUTS; i++) {
        double front = p->cuts[i].prefix.us - truth(i) - COST_US / 2.0;
        double back = p->cuts[i].suffix.us - (WHOLE_US - truth(i)) - COST_US / 2.0;
        sum += front * front + back * back;
    }
    return sqrt(sum / (2 * (CUTS - 2)));
}

static void noise_becomes_less(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(5);
    double before = 0, after = 0, last_before = 0, last_after = 0;
    for (int k = 0; k < 50; k++) {
        clv_profile p = profile_with(&r, 0.1, 4);
        const clv_time *last = &p.cuts[CUTS - 2].prefix; /* its suffix takes next to nothing */
        const double is = truth(CUTS - 2) + COST_US / 2.0;
        before += error_of(&p);
        last_before += fabs(last->us - is);
        clv_complement_settle(&p);
        after += error_of(&p);
        last_after += fabs(last->us - is);
        free(p.cuts);
    }
    assert_true(after < 0.75 * before);
    assert_true(last_after < 0.35 * last_before);
}

static void what_adds_up_stays(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(6);
    clv_profile p = profile_with(&r, 0, 4);
    clv_complement_settle(&p);
    assert_true(error_of(&p) < 1e-6);
    free(p.cuts);
}

/* Cuts that cost more than others, as sure as can be, keep what they cost. */
static void what_is_sure_stays(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(7);
    clv_profile p = profile_with(&r, 0.001, 100);
    for (size_t i = 1; i + 1 < CUTS; i += 2) p.cuts[i].suffix.us += 500;
    const double was = p.cuts[21].suffix.us;
    clv_complement_settle(&p);
    assert_float_equal(p.cuts[21].suffix.us, was, 25);
    free(p.cuts);
}

static void one_side_alone_stays(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(8);
    clv_profile p = profile_with(&r, 0.1, 4);
    for (size_t i = 1; i + 1 < CUTS; i++) p.cuts[i].suffix.n = 0;
    p.cuts[7].suffix.n = p.cuts[9].suffix.n = 3; /* two are too few to tell what a cut costs */
    double was[CUTS];
    for (size_t i = 0; i < CUTS; i++) was[i] = p.cuts[i].prefix.us;
    clv_complement_settle(&p);
    for (size_t i = 0; i < CUTS; i++) assert_true(p.cuts[i].prefix.us == was[i]);
    free(p.cuts);
}

/* Whatever is measured, times stay above 0 and what they were by a third. */
static void nothing_gets_wild(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(9);
    for (int k = 0; k < 200; k++) {
        clv_profile p = profile_with(&r, 2, 3);
        double was[CUTS][2];
        for (size_t i = 1; i + 1 < CUTS; i++) {
            p.cuts[i].prefix.us = was[i][0] = 1e6 * clv_rng_unit(&r);
            p.cuts[i].suffix.us = was[i][1] = 1e6 * clv_rng_unit(&r);
        }
        clv_complement_settle(&p);
        for (size_t i = 1; i + 1 < CUTS; i++) {
            assert_true(fabs(p.cuts[i].prefix.us - was[i][0]) <= 0.3001 * was[i][0]);
            assert_true(fabs(p.cuts[i].suffix.us - was[i][1]) <= 0.3001 * was[i][1]);
        }
        free(p.cuts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_becomes_less), cmocka_unit_test(what_adds_up_stays),
        cmocka_unit_test(what_is_sure_stays), cmocka_unit_test(one_side_alone_stays),
        cmocka_unit_test(nothing_gets_wild),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
