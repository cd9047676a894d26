#include "measure/unit_times.h"

#include "../graph/graph_maker.h"
#include "base/rng.h"
#include "unit.h"

#include <math.h>

static double loss(const double *a, const double *b, const double *w, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += w[i] * (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

/* Against all rising sequences of small whole numbers. */
static void isotonic_is_the_nearest_that_never_falls(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(31);
    for (int k = 0; k < 200; k++) {
        double y[4], fit[4], w[4];
        for (int i = 0; i < 4; i++) {
            fit[i] = y[i] = (double)clv_rng_below(&r, 6);
            w[i] = 1 + (double)clv_rng_below(&r, 3);
        }
        clv_isotonic(fit, w, 4);
        double mine = loss(fit, y, w, 4);
        for (int i = 1; i < 4; i++) assert_true(fit[i] >= fit[i - 1]);
        for (int code = 0; code < 11 * 11 * 11 * 11; code++) { /* halves from 0 to 5 */
            double z[] = {code % 11 / 2.0, code / 11 % 11 / 2.0, code / 121 % 11 / 2.0,
                          code / 1331 / 2.0};
            if (z[0] <= z[1] && z[1] <= z[2] && z[2] <= z[3])
                assert_true(mine <= loss(z, y, w, 4) + 1e-9);
        }
    }
}

typedef struct rig {
    clv_graph *g;
    clv_cuts *cuts;
    clv_profile *p;
    size_t chain[8];
} rig;

/* A chain of four units that take 10, 20, 30 and 40 us, all cuts measured with noise. */
static rig rig_new(clv_rng *r, double noise_us)
{
    rig k = {.g = graph_new(), .p = clv_alloc(sizeof *k.p)};
    int t = add_input(k.g, "x");
    for (int i = 0; i < 4; i++) t = add_next(k.g, &t, 1);
    k.g->tensors[t].is_output = true;
    clv_error err = {0};
    assert_ok(clv_cuts_enumerate(k.g, CLV_CUTS_CAP, &k.cuts, &err), err);
    k.p->n_cuts = k.cuts->n;
    k.p->cuts = clv_alloc_array(k.cuts->n, sizeof *k.p->cuts);
    k.p->n_units = 4;
    k.p->units = clv_alloc_array(4, sizeof *k.p->units);
    double done = 0;
    for (size_t i = 0; i <= 4; done += 10 * (double)++i) {
        k.chain[i] = i;
        if (i > 0)
            k.p->cuts[i].prefix = (clv_time){done + noise_us * clv_rng_normal(r), noise_us, 9};
        if (i < 4)
            k.p->cuts[i].suffix =
                (clv_time){100 - done + noise_us * clv_rng_normal(r), noise_us, 9};
    }
    k.p->cuts[0].suffix.us = k.p->cuts[4].prefix.us = 100;
    return k;
}

static void rig_done(rig *k)
{
    clv_profile_free(k->p);
    clv_cuts_free(k->cuts);
    clv_graph_free(k->g);
}

static void steps_become_the_times_of_units(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(1);
    rig k = rig_new(&r, 0);
    for (size_t i = 1; i < 4; i++) { /* what a segment costs besides its units cancels out */
        k.p->cuts[i].prefix.us += 3;
        k.p->cuts[i].suffix.us += 3;
    }
    clv_unit_times(k.g, k.cuts, k.chain, 5, k.p);
    for (size_t u = 0; u < 4; u++) assert_float_equal(k.p->units[u].us, 10 * (double)(u + 1), 1e-9);
    rig_done(&k);
}

static void noise_never_makes_a_time_negative_nor_changes_the_sum(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(2);
    for (int n = 0; n < 500; n++) {
        rig k = rig_new(&r, 30);
        clv_unit_times(k.g, k.cuts, k.chain, 5, k.p);
        double sum = 0;
        for (size_t u = 0; u < 4; u++) {
            assert_true(k.p->units[u].us >= 0);
            sum += k.p->units[u].us;
        }
        assert_float_equal(sum, 100, 1e-6);
        rig_done(&k);
    }
}

static void a_step_of_several_units_is_shared_by_their_work(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(3);
    rig k = rig_new(&r, 0);
    k.p->cuts[1].prefix.n = k.p->cuts[1].suffix.n =
        0; /* not measured: units 0 and 1 are one step */
    k.g->units[0].macs = 1000000;
    k.g->units[1].macs = 2000000;
    clv_unit_times(k.g, k.cuts, k.chain, 5, k.p);
    assert_float_equal(k.p->units[0].us, 10, 0.01);
    assert_float_equal(k.p->units[1].us, 20, 0.01);
    assert_float_equal(k.p->units[3].us, 40, 1e-9);
    rig_done(&k);
}

static void cuts_in_the_wrong_order_leave_no_unit_without_time(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(4);
    rig k = rig_new(&r, 0);
    k.p->cuts[1].prefix.us = 35; /* a slow moment: the second cut seems to come before the first */
    k.p->cuts[1].suffix.us = 65;
    clv_unit_times(k.g, k.cuts, k.chain, 5, k.p);
    assert_true(k.p->units[0].us > 5 && k.p->units[1].us > 5);
    assert_float_equal(k.p->units[3].us, 40, 1e-9);
    rig_done(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(isotonic_is_the_nearest_that_never_falls),
        cmocka_unit_test(steps_become_the_times_of_units),
        cmocka_unit_test(noise_never_makes_a_time_negative_nor_changes_the_sum),
        cmocka_unit_test(a_step_of_several_units_is_shared_by_their_work),
        cmocka_unit_test(cuts_in_the_wrong_order_leave_no_unit_without_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
