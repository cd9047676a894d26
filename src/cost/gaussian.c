#include "cost/gaussian.h"
#include "base/mem.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct clv_gaussian {
    clv_gaussian_settings settings;
    size_t n, dims;
    double *x;                                                      /* n rows, scaled */
    double low[CLV_GAUSSIAN_DIMS_MAX], high[CLV_GAUSSIAN_DIMS_MAX]; /* of them, each number */
    double *lower;  /* Cholesky factor of the covariance, rows */
    double *weight; /* covariance^-1 y */
};

/* ---- small dense algebra: row-major lower triangles ---- */

/* Four sums at a time, which a compiler can keep in registers side by side. */
static double dot(const double *a, const double *b, size_t n)
{
    double s[4] = {0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t k = 0; k < 4; k++) s[k] += a[i + k] * b[i + k];
    for (; i < n; i++) s[0] += a[i] * b[i];
    return s[0] + s[1] + s[2] + s[3];
}

/* In place; false: not positive definite. */
static bool factorise(double *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double *row = a + i * n;
        for (size_t j = 0; j < i; j++) row[j] = (row[j] - dot(row, a + j * n, j)) / a[j * n + j];
        double rest = row[i] - dot(row, row, i);
        if (!(rest > 0) || !isfinite(rest)) return false;
        row[i] = sqrt(rest);
    }
    return true;
}

static void solve_lower(const double *lower, size_t n, double *b)
{
    for (size_t i = 0; i < n; i++) b[i] = (b[i] - dot(lower + i * n, b, i)) / lower[i * n + i];
}

static void solve_upper(const double *lower, size_t n, double *b)
{
    for (size_t i = n; i-- > 0;) {
        b[i] /= lower[i * n + i];
        for (size_t k = 0; k < i; k++) b[k] -= lower[i * n + k] * b[i];
    }
}

/* Rows of out: the columns of lower^-1, each from its diagonal on. */
static void invert(const double *lower, size_t n, double *out)
{
    for (size_t c = 0; c < n; c++) {
        double *column = out + c * n;
        for (size_t r = c; r < n; r++)
            column[r] =
                ((r == c ? 1 : 0) - dot(lower + r * n + c, column + c, r - c)) / lower[r * n + r];
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
static double *distances(const clv_gaussian_samples *s, const double *scale)
{
    CLV_AUTO(clv_free) double *rows = scaled(s->x, s->n, s->dims, scale);
    double *d = clv_alloc_array(s->n * s->n, sizeof *d);
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j <= i; j++)
            d[i * s->n + j] = distance(rows + i * s->dims, rows + j * s->dims, s->dims);
    return d;
}

static void covariance(const double *d, const clv_gaussian_samples *s,
                       const clv_gaussian_settings *set, double *k)
{
    for (size_t i = 0; i < s->n; i++) {
        for (size_t j = 0; j < i; j++) {
            bool together = s->group && s->group[i] == s->group[j];
            k[i * s->n + j] = set->signal * kernel(d[i * s->n + j]) + (together ? set->shared : 0);
        }
        k[i * s->n + i] = set->signal + set->shared + set->noise + (s->extra ? s->extra[i] : 0);
    }
}

/* ---- fitting ---- */

static void find_range(clv_gaussian *g)
{
    for (size_t k = 0; k < g->dims; k++) g->low[k] = g->high[k] = g->x[k];
    for (size_t i = 0; i < g->n * g->dims; i++) {
        g->low[i % g->dims] = fmin(g->low[i % g->dims], g->x[i]);
        g->high[i % g->dims] = fmax(g->high[i % g->dims], g->x[i]);
    }
}

clv_gaussian *clv_gaussian_new(const clv_gaussian_samples *s, const clv_gaussian_settings *settings)
{
    size_t n = s->n, dims = s->dims;
    if (n > CLV_GAUSSIAN_MAX || dims > CLV_GAUSSIAN_DIMS_MAX || n == 0) return NULL;
    clv_gaussian *g = clv_alloc(sizeof *g);
    *g = (clv_gaussian){.settings = *settings, .n = n, .dims = dims};
    g->x = scaled(s->x, n, dims, settings->scale);
    find_range(g);
    g->weight = clv_alloc_array(n, sizeof *g->weight);
    memcpy(g->weight, s->y, n * sizeof *s->y);
    g->lower = distances(s, settings->scale);
    covariance(g->lower, s, settings, g->lower);
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
    double here[CLV_GAUSSIAN_DIMS_MAX], inside[CLV_GAUSSIAN_DIMS_MAX], mean = 0;
    for (size_t i = 0; i < g->dims; i++) {
        here[i] = at[i] * g->settings.scale[i];
        inside[i] = fmin(fmax(here[i], g->low[i]), g->high[i]);
    }
    for (size_t i = 0; i < g->n; i++)
        mean += g->settings.signal * kernel(distance(inside, g->x + i * g->dims, g->dims)) *
                g->weight[i];
    if (!sigma) return mean;
    CLV_AUTO(clv_free) double *k = clv_alloc_array(g->n, sizeof *k);
    for (size_t i = 0; i < g->n; i++)
        k[i] = g->settings.signal * kernel(distance(here, g->x + i * g->dims, g->dims));
    solve_lower(g->lower, g->n, k);
    double least = g->settings.noise + g->settings.shared;
    *sigma = sqrt(fmax(g->settings.signal + least - dot(k, k, g->n), least));
    return mean;
}

/* Where tries are made: squared distances as they are, and room. */
typedef struct bench {
    const clv_gaussian_samples *s;
    double *d, *k, *a, *inverse, *block;
} bench;

static void bench_init(bench *b, const clv_gaussian_samples *s, const double *scale)
{
    size_t most = CLV_GAUSSIAN_GROUP_MAX;
    *b = (bench){.s = s, .d = distances(s, scale)};
    b->k = clv_alloc_array(s->n * s->n, sizeof *b->k);
    b->a = clv_alloc_array(s->n, sizeof *b->a);
    b->inverse = clv_alloc_array(s->n * s->n, sizeof *b->inverse);
    b->block = clv_alloc_array(most * most, sizeof *b->block);
}

static void bench_done(bench *b)
{
    free(b->d);
    free(b->k);
    free(b->a);
    free(b->inverse);
    free(b->block);
}

static size_t group_end(const clv_gaussian_samples *s, size_t from)
{
    size_t end = from + 1;
    while (s->group && end < s->n && s->group[end] == s->group[from] &&
           end - from < CLV_GAUSSIAN_GROUP_MAX)
        end++;
    return end;
}

/* Log density of the samples [from, end) given the others: their block of the inverse covariance is the
 * precision of what they are beyond what the others say. */
static double judge_group(bench *b, size_t from, size_t end, double *error)
{
    size_t n = b->s->n, m = end - from;
    double e[CLV_GAUSSIAN_GROUP_MAX], density = 0;
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j <= i; j++)
            b->block[i * m + j] = dot(b->inverse + (from + i) * n + from + i,
                                      b->inverse + (from + j) * n + from + i, n - from - i);
    if (!factorise(b->block, m)) return -INFINITY;
    memcpy(e, b->a + from, m * sizeof *e);
    solve_lower(b->block, m, e);
    for (size_t i = 0; i < m; i++) density += log(b->block[i * m + i]) - 0.5 * e[i] * e[i];
    solve_upper(b->block, m, e);
    for (size_t i = 0; error && i < m; i++) error[from + i] = e[i];
    return density;
}

/* Mean log density of each group given the others. */
static double judge(bench *b, const clv_gaussian_settings *set, double *error)
{
    size_t n = b->s->n;
    double sum = 0;
    covariance(b->d, b->s, set, b->k);
    if (!factorise(b->k, n)) return -INFINITY;
    memcpy(b->a, b->s->y, n * sizeof *b->a);
    solve_lower(b->k, n, b->a);
    solve_upper(b->k, n, b->a);
    invert(b->k, n, b->inverse);
    for (size_t from = 0, end; from < n; from = end) {
        end = group_end(b->s, from);
        sum += judge_group(b, from, end, error);
    }
    return sum / (double)n;
}

/* Change what number `at` adds to the distances. */
static void rescale(bench *b, size_t at, double from, double to)
{
    double change = to * to - from * from;
    size_t n = b->s->n, dims = b->s->dims;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            double step = b->s->x[i * dims + at] - b->s->x[j * dims + at];
            b->d[i * n + j] += change * step * step;
        }
}

static bool varies(const bench *b, size_t at)
{
    for (size_t i = 1; i < b->s->n; i++)
        if (fabs(b->s->x[i * b->s->dims + at] - b->s->x[at]) > 1e-9) return true;
    return false;
}

#define VARIANCE_MIN 1e-4
#define VARIANCE_MAX 4.0
#define ENOUGH       1e-3 /* a better log density than by this is an improvement */

/* Up the list for as long as that helps, else down it. */
static void settle_scale(bench *b, clv_gaussian_settings *s, size_t at, double *best)
{
    static const double tries[] = {0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6};
    enum { N = sizeof tries / sizeof *tries };
    int now = 0;
    while (now + 1 < N && tries[now] < s->scale[at]) now++;
    for (int step = 1; step >= -1; step -= 2) {
        double before = *best;
        for (int next = now + step; next >= 0 && next < N; next += step) {
            double old = s->scale[at];
            rescale(b, at, old, tries[next]);
            s->scale[at] = tries[next];
            double score = judge(b, s, NULL);
            if (score > *best + ENOUGH) {
                *best = score;
                continue;
            }
            rescale(b, at, tries[next], old);
            s->scale[at] = old;
            break;
        }
        if (*best > before) return;
    }
}

static void settle_variances(bench *b, clv_gaussian_settings *s, double *best)
{
    static const double tries[] = {0.25, 0.5, 2, 4};
    double *const all[] = {&s->signal, &s->noise, &s->shared};
    for (size_t v = 0; v < CLV_COUNT(all); v++) {
        double at = *all[v], chosen = at;
        for (size_t i = 0; i < CLV_COUNT(tries); i++) {
            *all[v] = fmin(fmax(at * tries[i], VARIANCE_MIN), VARIANCE_MAX);
            double score = judge(b, s, NULL);
            if (score <= *best + ENOUGH) continue;
            *best = score;
            chosen = *all[v];
        }
        *all[v] = chosen;
    }
}

clv_gaussian_settings clv_gaussian_settle(const clv_gaussian_samples *samples,
                                          const clv_gaussian_settings *start)
{
    clv_gaussian_settings s = *start;
    bench b;
    bench_init(&b, samples, s.scale);
    for (size_t i = 0; i < samples->dims; i++)
        if (!varies(&b, i)) s.scale[i] = 0;
    double best = judge(&b, &s, NULL);
    for (int round = 0; round < 2; round++) {
        settle_variances(&b, &s, &best);
        for (size_t i = 0; i < samples->dims; i++)
            if (varies(&b, i)) settle_scale(&b, &s, i, &best);
    }
    settle_variances(&b, &s, &best);
    bench_done(&b);
    return s;
}

double clv_gaussian_leave_out(const clv_gaussian_samples *s, const clv_gaussian_settings *settings,
                              double *error)
{
    bench b;
    bench_init(&b, s, settings->scale);
    double score = judge(&b, settings, error);
    bench_done(&b);
    return score;
}
