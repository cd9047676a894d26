/* Shares and regrets of small profiles, counted by hand. */
#include "base/mem.h"
#include "cost/accuracy.h"
#include "unit.h"

#include <math.h>

enum { CUTS = 4 };

/* Chain of three units; a cut in the middle sends `bytes`. */
static clv_profile *profile(const double *prefix, const double *suffix, size_t bytes)
{
    clv_profile *p = clv_alloc(sizeof *p);
    p->cuts = clv_alloc_array(CUTS, sizeof *p->cuts);
    p->n_cuts = CUTS;
    for (int i = 0; i < CUTS; i++) {
        p->cuts[i].label = clv_strdup("x");
        p->cuts[i].up_bytes = i == 0 ? 400000 : i + 1 < CUTS ? bytes : 0;
        p->cuts[i].prefix = (clv_time){prefix[i], 0, prefix[i] > 0 ? 9 : 0};
        p->cuts[i].suffix = (clv_time){suffix[i], 0, suffix[i] > 0 ? 9 : 0};
    }
    return p;
}

static const double prefix[CUTS] = {0, 100, 200, 400}, suffix[CUTS] = {400, 300, 200, 0};

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-12;
}

static void what_is_right_has_no_error(void **state)
{
    (void)state;
    clv_profile *m = profile(prefix, suffix, 5000);
    clv_accuracy a = clv_accuracy_of(m, m, NULL);
    assert_int_equal(a.n, 5); /* three prefixes, two suffixes: the whole once */
    assert_true(near(clv_accuracy_hit_10(&a), 1) && near(clv_accuracy_mape(&a), 0));
    assert_true(near(clv_accuracy_rank_error(&a), 0) && near(clv_accuracy_regret(&a), 0));
    assert_int_equal(a.n_plans, 12); /* four links, three edges */
    clv_profile_free(m);
}

static void errors_are_counted_by_their_size(void **state)
{
    (void)state;
    const double front[CUTS] = {0, 109, 230, 412}, back[CUTS] = {412, 345, 0, 0};
    clv_profile *m = profile(prefix, suffix, 5000), *p = profile(front, back, 5000);
    m->cuts[2].suffix.n = 0; /* not measured: does not count */
    clv_accuracy a = clv_accuracy_of(m, p, NULL);
    assert_int_equal(a.n, 4); /* 9 %, 15 %, 3 %, 15 % */
    assert_true(near(clv_accuracy_hit_10(&a), 0.5) && near(clv_accuracy_hit_20(&a), 1));
    assert_true(near(clv_accuracy_mape(&a), (0.09 + 0.15 + 0.03 + 0.15) / 4));
    const bool told[CUTS] = {false, true, false, true};
    a = clv_accuracy_of(m, p, told);
    assert_int_equal(a.n, 2);
    assert_true(near(clv_accuracy_hit_10(&a), 0));
    clv_profile_free(m);
    clv_profile_free(p);
}

/* Whoever believes that the device is a thousand times faster stays home, at the measured price. */
static void regret_is_what_the_wrong_choice_costs(void **state)
{
    (void)state;
    const double slow[CUTS] = {0, 1e6, 2e6, 4e6}, cloud[CUTS] = {4e6, 3e6, 2e6, 0};
    const double wish[CUTS] = {0, 1, 2, 3}, same[CUTS] = {3, 2, 1, 0};
    clv_profile *m = profile(slow, cloud, 100), *p = profile(wish, same, 100);
    clv_accuracy a = clv_accuracy_of(m, p, NULL);
    /* The best measured: at edge 1 stay (4 s) unless ...; at 4 and 10 send all (about 4 s and the link). */
    double sum = 0, worst = 0;
    const double rates[] = {1.1e6 / 8, 5.85e6 / 8, 18.88e6 / 8, 1e9 / 8},
                 rtts[] = {100e3, 60e3, 5e3, 1e3};
    const double edges[] = {1, 4, 10};
    for (int l = 0; l < 4; l++)
        for (int e = 0; e < 3; e++) {
            double best = INFINITY;
            for (int i = 0; i < CUTS; i++) {
                double bytes = i == 0 ? 400000 : 100;
                double us = edges[e] * slow[i];
                if (i + 1 < CUTS) us += rtts[l] + bytes / rates[l] * 1e6 + cloud[i];
                best = fmin(best, us);
            }
            double regret = edges[e] * slow[CUTS - 1] / best - 1;
            sum += regret;
            worst = fmax(worst, regret);
        }
    assert_true(fabs(clv_accuracy_regret(&a) - sum / 12) < 1e-6);
    assert_true(fabs(a.regret_worst - worst) < 1e-6 && worst > 5);
    clv_accuracy twice = a;
    clv_accuracy_add(&twice, &a);
    assert_true(near(clv_accuracy_regret(&twice), clv_accuracy_regret(&a)));
    assert_int_equal(twice.n, 2 * a.n);
    clv_profile_free(m);
    clv_profile_free(p);
}

/* A standard error of 5 %: within two of it lie 95 % of all. */
static void noise_of_what_was_measured_is_a_ceiling(void **state)
{
    (void)state;
    clv_profile *m = profile(prefix, suffix, 5000);
    clv_accuracy a = clv_accuracy_of(m, m, NULL);
    assert_true(near(clv_accuracy_ceiling_10(&a), 1));
    for (int i = 0; i < CUTS; i++) {
        m->cuts[i].prefix.sigma_us = m->cuts[i].prefix.us * 0.05 * 3 / 1.2533;
        m->cuts[i].suffix.sigma_us = m->cuts[i].suffix.us * 0.05 * 3 / 1.2533;
    }
    a = clv_accuracy_of(m, m, NULL);
    assert_true(fabs(clv_accuracy_ceiling_10(&a) - 0.9545) < 1e-4);
    clv_profile_free(m);
}

static void nothing_measured_is_no_crash(void **state)
{
    (void)state;
    const double none[CUTS] = {0};
    clv_profile *m = profile(none, none, 1), *p = profile(prefix, suffix, 1);
    clv_accuracy a = clv_accuracy_of(m, p, NULL);
    assert_int_equal(a.n, 0);
    assert_true(near(clv_accuracy_hit_10(&a), 0) && near(clv_accuracy_regret(&a), 0));
    clv_profile_free(m);
    clv_profile_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_right_has_no_error),
        cmocka_unit_test(errors_are_counted_by_their_size),
        cmocka_unit_test(regret_is_what_the_wrong_choice_costs),
        cmocka_unit_test(noise_of_what_was_measured_is_a_ceiling),
        cmocka_unit_test(nothing_measured_is_no_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
