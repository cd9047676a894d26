/* The process against a naive one: the same equations by Gauss elimination. */
#include "base/rng.h"
#include "cost/gaussian.h"
#include "unit.h"

#include <math.h>

enum { N = 24, D = 2 };

typedef struct samples {
    double x[N * D], y[N], extra[N];
    int group[N];
} samples;

static clv_gaussian_samples view(const samples *s)
{
    return (clv_gaussian_samples){
        .x = s->x, .y = s->y, .extra = s->extra, .group = s->group, .n = N, .dims = D};
}

static samples draw(uint64_t seed)
{
    clv_rng rng = clv_rng_seeded(seed);
    samples s;
    for (int i = 0; i < N; i++) {
        s.x[i * D] = 4 * clv_rng_unit(&rng);
        s.x[i * D + 1] = 4 * clv_rng_unit(&rng);
        s.y[i] = sin(s.x[i * D]) + 0.3 * s.x[i * D + 1];
        s.extra[i] = 0.01 * clv_rng_unit(&rng);
        s.group[i] = i * i / 60; /* of different sizes */
    }
    return s;
}

static const clv_gaussian_settings settings = {
    .scale = {0.8, 0.3}, .signal = 1.5, .noise = 0.01, .shared = 0.1};

static double kernel(const double *a, const double *b)
{
    double d = 0;
    for (int i = 0; i < D; i++)
        d += settings.scale[i] * settings.scale[i] * (a[i] - b[i]) * (a[i] - b[i]);
    double r = sqrt(3) * sqrt(d);
    return settings.signal * (1 + r) * exp(-r);
}

/* K w = b, leaving out the group `gone` (-1: none), by elimination. */
static void solve(const samples *s, int gone, const double *b, double *w)
{
    double a[N][N + 1];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = kernel(&s->x[i * D], &s->x[j * D]);
            if (s->group[i] == s->group[j]) a[i][j] += settings.shared;
            if (i == j) a[i][j] += settings.noise + s->extra[i];
            if ((s->group[i] == gone) != (s->group[j] == gone)) a[i][j] = 0;
        }
    for (int i = 0; i < N; i++) a[i][N] = s->group[i] == gone ? 0 : b[i];
    for (int c = 0; c < N; c++)
        for (int r = 0; r < N; r++) {
            if (r == c) continue;
            double f = a[r][c] / a[c][c];
            for (int k = 0; k <= N; k++) a[r][k] -= f * a[c][k];
        }
    for (int i = 0; i < N; i++) w[i] = a[i][N] / a[i][i];
}

static void values_and_intervals_are_the_textbook_s(void **state)
{
    (void)state;
    samples s = draw(1);
    clv_gaussian_samples all = view(&s);
    clv_gaussian *g = clv_gaussian_new(&all, &settings);
    assert_non_null(g);
    for (int t = 0; t < 20; t++) {
        double at[D] = {0.8 + 0.12 * t, 3.2 - 0.12 * t}, k[N], w[N], v[N], mean = 0, sigma;
        for (int i = 0; i < N; i++) k[i] = kernel(at, &s.x[i * D]);
        solve(&s, -1, s.y, w);
        solve(&s, -1, k, v);
        double var = settings.signal + settings.shared + settings.noise;
        for (int i = 0; i < N; i++) {
            mean += k[i] * w[i];
            var -= k[i] * v[i];
        }
        assert_true(fabs(clv_gaussian_predict(g, at, &sigma) - mean) < 1e-8);
        assert_true(fabs(sigma - sqrt(var)) < 1e-7);
    }
    clv_gaussian_free(g);
}

static void leaving_a_group_out_is_fitting_without_it(void **state)
{
    (void)state;
    samples s = draw(2);
    clv_gaussian_samples all = view(&s);
    double error[N], w[N];
    assert_true(isfinite(clv_gaussian_leave_out(&all, &settings, error)));
    for (int i = 0; i < N; i++) {
        double mean = 0;
        solve(&s, s.group[i], s.y, w);
        for (int j = 0; j < N; j++)
            if (s.group[j] != s.group[i]) mean += kernel(&s.x[i * D], &s.x[j * D]) * w[j];
        assert_true(fabs(error[i] - (s.y[i] - mean)) < 1e-7);
    }
}

static void far_away_it_goes_on_as_at_the_border_and_is_unsure(void **state)
{
    (void)state;
    samples s = draw(3);
    clv_gaussian_samples all = view(&s);
    all.extra = NULL;
    all.group = NULL;
    clv_gaussian *g = clv_gaussian_new(&all, &settings);
    double far[D] = {1e4, -1e4}, border[D] = {s.x[0], s.x[1]}, sigma;
    for (size_t i = 0; i < N; i++) {
        border[0] = fmax(border[0], s.x[i * D]);
        border[1] = fmin(border[1], s.x[i * D + 1]);
    }
    assert_float_equal(clv_gaussian_predict(g, far, &sigma), clv_gaussian_predict(g, border, NULL),
                       1e-9);
    assert_float_equal(sigma, sqrt(settings.signal + settings.shared + settings.noise), 1e-9);
    clv_gaussian_free(g);
    clv_gaussian_free(NULL);
}

static void settling_never_makes_it_worse(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        samples s = draw(seed);
        clv_gaussian_samples all = view(&s);
        double before = clv_gaussian_leave_out(&all, &settings, NULL);
        clv_gaussian_settings t = clv_gaussian_settle(&all, &settings);
        double after = clv_gaussian_leave_out(&all, &t, NULL);
        assert_true(after >= before - 1e-9);
        assert_true(t.signal > 0 && t.noise > 0 && t.shared > 0);
    }
}

/* A number that only tells which group a sample is of, and what is off for each group: as useful as can be
 * for the group itself, of no use for another. */
static void a_number_that_names_the_group_is_no_help(void **state)
{
    (void)state;
    samples s = draw(6);
    clv_rng rng = clv_rng_seeded(8);
    double off = 0;
    for (int i = 0; i < N; i++) {
        s.group[i] = i / 4;
        if (i % 4 == 0) off = 2 * clv_rng_unit(&rng) - 1;
        s.x[i * D + 1] = 3 * clv_rng_unit(&rng) * (i % 4 == 0) + (i % 4 ? s.x[(i - 1) * D + 1] : 0);
        s.y[i] = sin(s.x[i * D]) + off;
    }
    clv_gaussian_samples all = view(&s);
    clv_gaussian_settings grouped = clv_gaussian_settle(&all, &settings);
    all.group = NULL;
    clv_gaussian_settings alone = clv_gaussian_settle(&all, &settings);
    assert_true(grouped.scale[1] < alone.scale[1]);
    assert_true(grouped.shared > settings.shared);
}

static void a_number_that_says_nothing_is_left_out(void **state)
{
    (void)state;
    samples s = draw(4);
    for (int i = 0; i < N; i++) s.x[i * D + 1] = 7;
    clv_gaussian_samples all = view(&s);
    clv_gaussian_settings t = clv_gaussian_settle(&all, &settings);
    assert_float_equal(t.scale[1], 0, 0);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    samples s = draw(5);
    clv_gaussian_samples all = view(&s), none = all, many = all, wide = all;
    clv_gaussian_settings bad = settings;
    bad.signal = NAN;
    assert_null(clv_gaussian_new(&all, &bad));
    none.n = 0;
    assert_null(clv_gaussian_new(&none, &settings));
    many.n = CLV_GAUSSIAN_MAX + 1;
    assert_null(clv_gaussian_new(&many, &settings));
    wide.dims = CLV_GAUSSIAN_DIMS_MAX + 1;
    assert_null(clv_gaussian_new(&wide, &settings));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_intervals_are_the_textbook_s),
        cmocka_unit_test(leaving_a_group_out_is_fitting_without_it),
        cmocka_unit_test(a_number_that_names_the_group_is_no_help),
        cmocka_unit_test(far_away_it_goes_on_as_at_the_border_and_is_unsure),
        cmocka_unit_test(settling_never_makes_it_worse),
        cmocka_unit_test(a_number_that_says_nothing_is_left_out),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
