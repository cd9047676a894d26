#include "cost/belief.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COMMON     0.15 /* deviation of what all units share */
#define KIN        0.3  /* share of a unit's variance that is its kind's */
#define OWN_MIN    0.12 /* no unit is surer than this in a network that nobody has run, … */
#define OWN_MAX    0.35 /* … nor so unsure that one bad measurement may go into it alone */
#define BORDER     0.3
#define FACTOR_MAX 6.0 /* nothing measured makes a unit slower or faster than by this */
#define US_MIN     1e-6

struct clv_belief {
    size_t n, levels; /* units; the border is one more */
    double *ln_us;    /* levels * n */
    double *bytes;    /* n: what passes through the caches for it */
    double *own, *z;
    clv_unit_kind *kind; /* of units; the border's is of none */
    double *learnt;      /* rows of n + 1, whose squares are no longer in the covariance */
    size_t n_learnt, cap_learnt;
};

clv_belief *clv_belief_new(const clv_graph *g, const clv_prediction *units, size_t levels)
{
    size_t n = g->n_units;
    clv_belief *b = clv_alloc(sizeof *b);
    *b = (clv_belief){.n = n,
                      .levels = levels,
                      .ln_us = clv_alloc_array(levels * n, sizeof *b->ln_us),
                      .bytes = clv_alloc_array(n + 1, sizeof *b->bytes),
                      .own = clv_alloc_array(n + 1, sizeof *b->own),
                      .z = clv_alloc_array(n + 1, sizeof *b->z),
                      .kind = clv_alloc_array(n + 1, sizeof *b->kind)};
    for (size_t i = 0; i < levels * n; i++) b->ln_us[i] = log(fmax(units[i].us, US_MIN));
    for (size_t u = 0; u < n; u++) {
        const clv_unit_features *f = &g->units[u].features;
        double sigma = units[u].us > 0 ? units[u].sigma_us / units[u].us : 0;
        b->own[u] = fmin(fmax(sigma, OWN_MIN), OWN_MAX);
        b->kind[u] = f->kind;
        b->bytes[u] = (double)(f->weight_bytes + f->out_bytes);
    }
    b->own[n] = BORDER;
    b->kind[n] = CLV_UNIT_KIND_COUNT;
    return b;
}

void clv_belief_free(clv_belief *b)
{
    if (!b) return;
    free(b->ln_us);
    free(b->bytes);
    free(b->own);
    free(b->z);
    free(b->kind);
    free(b->learnt);
    free(b);
}

/* How many steps less than the whole network a segment has, 0 to levels - 1. */
static double level_of(const clv_belief *b, const clv_cut *cut, bool prefix)
{
    double all = 1, here = 1;
    for (size_t u = 0; u < b->n; u++) {
        all += b->bytes[u];
        if (clv_cut_has(cut, (int)u) == prefix) here += b->bytes[u];
    }
    return fmin(log(all / here) / log(CLV_BELIEF_STEP), (double)(b->levels - 1));
}

double clv_belief_parts(const clv_belief *b, const clv_cut *cut, bool prefix, double border_us,
                        double *parts)
{
    double level = level_of(b, cut, prefix), sum = 0;
    size_t low = (size_t)level, high = CLV_MIN(low + 1, b->levels - 1);
    const double *from = b->ln_us + low * b->n, *to = b->ln_us + high * b->n;
    for (size_t u = 0; u < b->n; u++) {
        parts[u] = 0;
        if (clv_cut_has(cut, (int)u) != prefix) continue;
        parts[u] = exp(from[u] + (level - (double)low) * (to[u] - from[u]) + b->z[u]);
        sum += parts[u];
    }
    parts[b->n] = border_us * exp(b->z[b->n]);
    return sum + parts[b->n];
}

/* How far ln sum(parts) goes when z goes by `step`. */
static double along(const clv_belief *b, const double *parts, const double *step)
{
    double sum = 0, by = 0;
    for (size_t i = 0; i <= b->n; i++) {
        sum += parts[i];
        by += parts[i] * step[i];
    }
    return by / sum;
}

/* C times the gradient of ln sum(parts), which is parts / sum, into out[n + 1]. */
static void spread(const clv_belief *b, const double *parts, double *out)
{
    double sum = 0, of_kind[CLV_UNIT_KIND_COUNT + 1] = {0};
    for (size_t i = 0; i <= b->n; i++) sum += parts[i];
    for (size_t i = 0; i <= b->n; i++) of_kind[b->kind[i]] += b->own[i] * parts[i] / sum;
    for (size_t i = 0; i <= b->n; i++)
        out[i] = COMMON * COMMON +
                 b->own[i] * (KIN * of_kind[b->kind[i]] + (1 - KIN) * b->own[i] * parts[i] / sum);
    for (size_t k = 0; k < b->n_learnt; k++) {
        const double *v = b->learnt + k * (b->n + 1);
        double gone = along(b, parts, v);
        for (size_t i = 0; i <= b->n; i++) out[i] -= gone * v[i];
    }
}

double clv_belief_sigma(const clv_belief *b, const double *parts)
{
    CLV_AUTO(clv_free) double *moved = clv_alloc_array(b->n + 1, sizeof *moved);
    spread(b, parts, moved);
    return sqrt(fmax(along(b, parts, moved), 0));
}

void clv_belief_learn(clv_belief *b, const double *parts, double measured_us, double variance)
{
    double sum = 0, limit = log(FACTOR_MAX);
    for (size_t i = 0; i <= b->n; i++) sum += parts[i];
    if (!(sum > 0) || !(measured_us > 0) || !isfinite(measured_us)) return;
    clv_grow(&b->learnt, &b->cap_learnt, (b->n_learnt + 1) * (b->n + 1), sizeof *b->learnt);
    double *v = b->learnt + b->n_learnt * (b->n + 1);
    spread(b, parts, v);
    double var = fmax(along(b, parts, v), 0) + variance, off = log(measured_us / sum);
    for (size_t i = 0; i <= b->n; i++) {
        b->z[i] = fmin(fmax(b->z[i] + v[i] * off / var, -limit), limit);
        v[i] /= sqrt(var);
    }
    b->n_learnt++;
}

double clv_belief_worth(const clv_belief *b, const double *seen, double variance, const double *of)
{
    CLV_AUTO(clv_free) double *moved = clv_alloc_array(b->n + 1, sizeof *moved);
    spread(b, seen, moved);
    double shared = along(b, of, moved);
    return shared * shared / (fmax(along(b, seen, moved), 0) + variance);
}
