#include "cost/gaussian.h"
#include "base/mem.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct clv_gaussian {
    clv_gaussian_settings settings;
    size_t n, dims;
    double *x;      /* n rows, scaled */
    double *lower;  /* Cholesky factor of the covariance, rows */
    double *weight; /* covariance^-1 y */
};

/* ---- small dense algebra: row-major lower triangles ---- */

/* In place; false: not positive definite. */
static bool factorise(double *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double *row = a + i * n;
        for (size_t j = 0; j <= i; j++) {
            const double *other = a + j * n;
            double sum = row[j];
            for (size_t k = 0; k < j; k++) sum -= row[k] * other[k];
            if (j < i)
                row[j] = sum / other[j];
            else if (sum > 0 && isfinite(sum))
                row[j] = sqrt(sum);
            else
                return false;
        }
    }
    return true;
}

static void solve_lower(const double *lower, size_t n, double *b)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) b[i] -= lower[i * n + k] * b[k];
        b[i] /= lower[i * n + i];
    }
}

static void solve_upper(const double *lower, size_t n, double *b)
{
    for (size_t i = n; i-- > 0;) {
        b[i] /= lower[i * n + i];
        for (size_t k = 0; k < i; k++) b[k] -= lower[i * n + k] * b[i];
    }
}

/* diagonal[i] of the inverse: column i of lower^-1, squared. */
static void inverse_diagonal(const double *lower, size_t n, double *column, double *diagonal)
{
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t r = i; r < n; r++) {
            double v = r == i ? 1 : 0;
            const double *row = lower + r * n;
            for (size_t k = i; k < r; k++) v -= row[k] * column[k];
            column[r] = v / row[r];
            sum += column[r] * column[r];
        }
        diagonal[i] = sum;
    }
}

/* ---- the kernel ---- */

static double kernel(double squared)
{
    double r = sqrt(3 * fmax(squared, 0));
    return (1 + r) * exp(-r);
}

/* Of rows that are scaled already. */
static double distance(const double *a, const double *b, size_t dims)
{
    double sum = 0;
    for (size_t i = 0; i < dims; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

static double *scaled(const double *x, size_t n, size_t dims, const double *scale)
{
    double *out = clv_alloc_array(n * dims, sizeof *out);
    for (size_t i = 0; i < n * dims; i++) out[i] = x[i] * scale[i % dims];
    return out;
}

/* Lower triangle of squared distances. */
static double *distances(const double *x, size_t n, size_t dims, const double *scale)
{
    CLV_AUTO(clv_free) double *rows = scaled(x, n, dims, scale);
    double *d = clv_alloc_array(n * n, sizeof *d);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            d[i * n + j] = distance(rows + i * dims, rows + j * dims, dims);
    return d;
}

static void covariance(const double *d, const double *extra, size_t n, double signal, double noise,
                       double *k)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) k[i * n + j] = signal * kernel(d[i * n + j]);
        k[i * n + i] = signal + noise + (extra ? extra[i] : 0);
    }
}

/* ---- fitting ---- */

clv_gaussian *clv_gaussian_new(const double *x, const double *y, const double *extra, size_t n,
                               size_t dims, const clv_gaussian_settings *settings)
{
    if (n > CLV_GAUSSIAN_MAX || dims > CLV_GAUSSIAN_DIMS_MAX || n == 0) return NULL;
    clv_gaussian *g = clv_alloc(sizeof *g);
    *g = (clv_gaussian){.settings = *settings, .n = n, .dims = dims};
    g->x = scaled(x, n, dims, settings->scale);
    g->weight = clv_alloc_array(n, sizeof *g->weight);
    memcpy(g->weight, y, n * sizeof *y);
    g->lower = distances(x, n, dims, settings->scale);
    covariance(g->lower, extra, n, settings->signal, settings->noise, g->lower);
    if (!factorise(g->lower, n)) {
        clv_gaussian_free(g);
        return NULL;
    }
    solve_lower(g->lower, n, g->weight);
    solve_upper(g->lower, n, g->weight);
    return g;
}

void clv_gaussian_free(clv_gaussian *g)
{
    if (!g) return;
    free(g->x);
    free(g->lower);
    free(g->weight);
    free(g);
}

double clv_gaussian_predict(const clv_gaussian *g, const double *at, double *sigma)
{
    double here[CLV_GAUSSIAN_DIMS_MAX], mean = 0;
    CLV_AUTO(clv_free) double *k = clv_alloc_array(g->n, sizeof *k);
    for (size_t i = 0; i < g->dims; i++) here[i] = at[i] * g->settings.scale[i];
    for (size_t i = 0; i < g->n; i++) {
        k[i] = g->settings.signal * kernel(distance(here, g->x + i * g->dims, g->dims));
        mean += k[i] * g->weight[i];
    }
    if (!sigma) return mean;
    solve_lower(g->lower, g->n, k);
    double var = g->settings.signal + g->settings.noise;
    for (size_t i = 0; i < g->n; i++) var -= k[i] * k[i];
    *sigma = sqrt(fmax(var, g->settings.noise));
    return mean;
}

/* Where tries are made: squared distances as they are, and room. */
typedef struct bench {
    const double *x, *y, *extra;
    size_t n, dims;
    double *d, *k, *a, *column, *diagonal;
} bench;

static void bench_init(bench *b, const double *x, const double *y, const double *extra, size_t n,
                       size_t dims, const double *scale)
{
    *b = (bench){.x = x, .y = y, .extra = extra, .n = n, .dims = dims};
    b->d = distances(x, n, dims, scale);
    b->k = clv_alloc_array(n * n, sizeof *b->k);
    b->a = clv_alloc_array(n, sizeof *b->a);
    b->column = clv_alloc_array(n, sizeof *b->column);
    b->diagonal = clv_alloc_array(n, sizeof *b->diagonal);
}

static void bench_done(bench *b)
{
    free(b->d);
    free(b->k);
    free(b->a);
    free(b->column);
    free(b->diagonal);
}

/* Mean log density of each sample given the others. */
static double judge(bench *b, double signal, double noise, double *error)
{
    size_t n = b->n;
    covariance(b->d, b->extra, n, signal, noise, b->k);
    if (!factorise(b->k, n)) return -INFINITY;
    memcpy(b->a, b->y, n * sizeof *b->a);
    solve_lower(b->k, n, b->a);
    solve_upper(b->k, n, b->a);
    inverse_diagonal(b->k, n, b->column, b->diagonal);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double e = b->a[i] / b->diagonal[i], precision = b->diagonal[i];
        sum += 0.5 * log(precision) - 0.5 * e * e * precision;
        if (error) error[i] = e;
    }
    return sum / (double)n;
}

/* Change what number `at` adds to the distances. */
static void rescale(bench *b, size_t at, double from, double to)
{
    double change = to * to - from * from;
    for (size_t i = 0; i < b->n; i++)
        for (size_t j = 0; j < i; j++) {
            double step = b->x[i * b->dims + at] - b->x[j * b->dims + at];
            b->d[i * b->n + j] += change * step * step;
        }
}

static bool varies(const bench *b, size_t at)
{
    for (size_t i = 1; i < b->n; i++)
        if (fabs(b->x[i * b->dims + at] - b->x[at]) > 1e-9) return true;
    return false;
}

#define ENOUGH 1e-3 /* a better log density than by this is an improvement */

static void settle_scale(bench *b, clv_gaussian_settings *s, size_t at, double *best)
{
    static const double tries[] = {0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6};
    double now = s->scale[at];
    for (size_t i = 0; i < CLV_COUNT(tries); i++) {
        rescale(b, at, now, tries[i]);
        now = tries[i];
        double score = judge(b, s->signal, s->noise, NULL);
        if (score <= *best + ENOUGH) continue;
        *best = score;
        s->scale[at] = tries[i];
    }
    rescale(b, at, now, s->scale[at]);
}

static void settle_variances(bench *b, clv_gaussian_settings *s, double *best)
{
    static const double tries[] = {0.25, 0.5, 2, 4};
    double *const both[] = {&s->signal, &s->noise};
    for (size_t v = 0; v < CLV_COUNT(both); v++) {
        double at = *both[v], chosen = at;
        for (size_t i = 0; i < CLV_COUNT(tries); i++) {
            *both[v] = fmax(at * tries[i], 1e-4);
            double score = judge(b, s->signal, s->noise, NULL);
            if (score <= *best + ENOUGH) continue;
            *best = score;
            chosen = *both[v];
        }
        *both[v] = chosen;
    }
}

clv_gaussian_settings clv_gaussian_settle(const double *x, const double *y, const double *extra,
                                          size_t n, size_t dims, const clv_gaussian_settings *start)
{
    clv_gaussian_settings s = *start;
    bench b;
    bench_init(&b, x, y, extra, n, dims, s.scale);
    for (size_t i = 0; i < dims; i++)
        if (!varies(&b, i)) s.scale[i] = 0;
    double best = judge(&b, s.signal, s.noise, NULL);
    for (int round = 0; round < 2; round++) {
        settle_variances(&b, &s, &best);
        for (size_t i = 0; i < dims; i++)
            if (varies(&b, i)) settle_scale(&b, &s, i, &best);
    }
    settle_variances(&b, &s, &best);
    bench_done(&b);
    return s;
}

double clv_gaussian_leave_one_out(const double *x, const double *y, const double *extra, size_t n,
                                  size_t dims, const clv_gaussian_settings *settings, double *error)
{
    bench b;
    bench_init(&b, x, y, extra, n, dims, settings->scale);
    double score = judge(&b, settings->signal, settings->noise, error);
    bench_done(&b);
    return score;
}
