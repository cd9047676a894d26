/* What measured segments teach, against conditioning the whole covariance at once. */
#include "base/mem.h"
#include "cost/belief.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>

enum { N = 5, WORDS = 1 };

/* Five units without tensors; kinds conv, pool, conv, linear, conv. */
typedef struct rig {
    clv_unit units[N];
    clv_graph graph;
    clv_prediction us[2 * N];
    uint64_t bits[N + 1];
    clv_cut cuts[N + 1]; /* the first k units */
} rig;

static void make(rig *r)
{
    static const clv_unit_kind kinds[N] = {CLV_UNIT_CONV, CLV_UNIT_MAX_POOL, CLV_UNIT_CONV,
                                           CLV_UNIT_LINEAR, CLV_UNIT_CONV};
    static const double us[N] = {400, 50, 300, 200, 100};
    *r = (rig){0};
    for (int u = 0; u < N; u++) {
        r->units[u].features = (clv_unit_features){.kind = kinds[u], .weight_bytes = 1000};
        r->us[u] = (clv_prediction){us[u], 0.1 * us[u] * (1 + u % 3)};
        r->us[N + u] = (clv_prediction){us[u] / 2, 0}; /* with a quarter beside it: half the time */
    }
    r->graph = (clv_graph){.units = r->units, .n_units = N};
    for (int k = 0; k <= N; k++) {
        r->bits[k] = ((uint64_t)1 << k) - 1;
        r->cuts[k] = (clv_cut){.units = &r->bits[k], .n_units = (size_t)k};
    }
}

static double prefix(const clv_belief *b, const rig *r, int k, double border, double *parts)
{
    return clv_belief_parts(b, &r->cuts[k], true, border, parts);
}

static void nothing_learnt_is_what_was_predicted(void **state)
{
    (void)state;
    rig r;
    double parts[N + 1];
    make(&r);
    clv_belief *b = clv_belief_new(&r.graph, r.us, 1);
    assert_float_equal(prefix(b, &r, 3, 7, parts), 757, 1e-9);
    assert_float_equal(parts[1], 50, 1e-9);
    assert_float_equal(parts[3], 0, 0);
    assert_float_equal(parts[N], 7, 1e-9);
    assert_float_equal(clv_belief_parts(b, &r.cuts[3], false, 0, parts), 300, 1e-9);
    assert_true(clv_belief_sigma(b, parts) > 0.1);
    clv_belief_free(b);
    clv_belief_free(NULL);
}

/* All five units have as many bytes: two of them have 0.4 of the whole's beside them, log(2.5) / log(4) of a
 * step of half the time. */
static void small_segments_find_their_weights_in_the_caches(void **state)
{
    (void)state;
    rig r;
    double parts[N + 1];
    make(&r);
    clv_belief *b = clv_belief_new(&r.graph, r.us, 2);
    assert_float_equal(prefix(b, &r, N, 0, parts), 1050, 1e-9);
    double two = 450 * pow(0.5, log(2.5) / log(4));
    assert_true(fabs(prefix(b, &r, 2, 0, parts) / two - 1) < 1e-3);
    assert_true(fabs(prefix(b, &r, 1, 0, parts) / 200 - 1) <
                1e-3); /* no further than there are levels */
    clv_belief_free(b);
}

/* The oracle: z by conditioning on both measurements in one go, on the linearised sums. */
static void learning_is_conditioning(void **state)
{
    (void)state;
    rig r;
    double parts[N + 1], g[2][N + 1], cov[N + 1][N + 1], own[N + 1];
    make(&r);
    clv_belief *b = clv_belief_new(&r.graph, r.us, 1);
    for (int i = 0; i < N; i++) own[i] = fmax(r.us[i].sigma_us / r.us[i].us, 0.12);
    own[N] = 0.3;
    for (int i = 0; i <= N; i++)
        for (int k = 0; k <= N; k++) {
            bool kin = i < N && k < N && r.units[i].features.kind == r.units[k].features.kind;
            cov[i][k] = 0.15 * 0.15 + own[i] * own[k] * (0.3 * (kin || i == k) + 0.7 * (i == k));
        }
    static const int seen[2] = {N, 2};
    const double noise = 1e-4, off = 1e-3; /* small, so that sums are linear */
    double s[2][2], y[2] = {off, -2 * off};
    for (int m = 0; m < 2; m++) {
        double sum = prefix(b, &r, seen[m], 0, parts);
        for (int i = 0; i <= N; i++) g[m][i] = parts[i] / sum;
    }
    for (int m = 0; m < 2; m++)
        for (int n = 0; n < 2; n++) {
            s[m][n] = m == n ? noise : 0;
            for (int i = 0; i <= N; i++)
                for (int k = 0; k <= N; k++) s[m][n] += g[m][i] * cov[i][k] * g[n][k];
        }
    double det = s[0][0] * s[1][1] - s[0][1] * s[1][0];
    double w[2] = {(s[1][1] * y[0] - s[0][1] * y[1]) / det,
                   (s[0][0] * y[1] - s[1][0] * y[0]) / det};
    for (int m = 0; m < 2; m++) {
        double before = 0;
        for (int i = 0; i < seen[m]; i++) before += r.us[i].us;
        double worth, sigma;
        prefix(b, &r, seen[m], 0, parts);
        sigma = clv_belief_sigma(b, parts);
        worth = clv_belief_worth(b, parts, noise, parts);
        clv_belief_learn(b, parts, before * exp(y[m]), noise);
        prefix(b, &r, seen[m], 0, parts);
        double after = clv_belief_sigma(b, parts);
        assert_true(fabs(sigma * sigma - worth - after * after) < 1e-4);
    }
    prefix(b, &r, N, 0, parts);
    for (int i = 0; i < N; i++) {
        double z = 0;
        for (int m = 0; m < 2; m++)
            for (int k = 0; k <= N; k++) z += cov[i][k] * g[m][k] * w[m];
        assert_true(fabs(log(parts[i] / r.us[i].us) - z) < 0.02 * off);
    }
    clv_belief_free(b);
}

static void what_is_no_time_teaches_nothing(void **state)
{
    (void)state;
    rig r;
    double parts[N + 1];
    make(&r);
    clv_belief *b = clv_belief_new(&r.graph, r.us, 1);
    prefix(b, &r, 3, 0, parts);
    clv_belief_learn(b, parts, 0, 1e-4);
    clv_belief_learn(b, parts, -1, 1e-4);
    clv_belief_learn(b, parts, NAN, 1e-4);
    clv_belief_learn(b, parts, INFINITY, 1e-4);
    assert_float_equal(prefix(b, &r, 3, 0, parts), 750, 1e-9);
    clv_belief_learn(b, parts, 1e12, 1e-6); /* and no time is beyond all sense */
    assert_true(prefix(b, &r, 3, 0, parts) <= 6.001 * 750);
    clv_belief_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_learnt_is_what_was_predicted),
        cmocka_unit_test(small_segments_find_their_weights_in_the_caches),
        cmocka_unit_test(learning_is_conditioning),
        cmocka_unit_test(what_is_no_time_teaches_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
