#include "measure/unit_times.h"

#include "base/mem.h"

#include <math.h>

void clv_isotonic(double *y, const double *w, size_t n)
{
    /* Blocks of equal value: mean, weight, length. A new value joins the block before it for as long
     * as it would fall below it. */
    CLV_AUTO(clv_free) double *mean = clv_alloc_array(n, sizeof *mean);
    CLV_AUTO(clv_free) double *weight = clv_alloc_array(n, sizeof *weight);
    CLV_AUTO(clv_free) size_t *len = clv_alloc_array(n, sizeof *len);
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        mean[k] = y[i];
        weight[k] = w[i];
        len[k++] = 1;
        while (k > 1 && mean[k - 2] > mean[k - 1]) {
            double sum = weight[k - 2] + weight[k - 1];
            mean[k - 2] = (mean[k - 2] * weight[k - 2] + mean[k - 1] * weight[k - 1]) / sum;
            weight[k - 2] = sum;
            len[k - 2] += len[k - 1];
            k--;
        }
    }
    size_t at = 0;
    for (size_t b = 0; b < k; b++)
        for (size_t i = 0; i < len[b]; i++) y[at++] = mean[b];
}

/* Variance of a median of n runs; a measurement that never varied is as sure as the clock is. */
static double variance(const clv_time *t)
{
    double sigma = fmax(t->sigma_us, 0.5);
    return 1.57 * sigma * sigma / t->n;
}

/* When a cut is reached: the time of its prefix, of the whole less its suffix, or the mean of both. */
static bool reached(const clv_profile *p, size_t cut, double whole_us, double *us, double *weight)
{
    const clv_profile_cut *c = &p->cuts[cut];
    bool prefix = c->prefix.n > 0, suffix = c->suffix.n > 0;
    if (!prefix && !suffix) return false;
    double front = c->prefix.us, back = whole_us - c->suffix.us;
    *us = prefix && suffix ? (front + back) / 2 : prefix ? front : back;
    double var = (prefix ? variance(&c->prefix) : 0) + (suffix ? variance(&c->suffix) : 0);
    *weight = (prefix && suffix ? 4 : 1) / var;
    return true;
}

static double work(const clv_graph *g, size_t unit)
{
    double w = 1 + (double)g->units[unit].macs;
    for (size_t i = 0; i < g->units[unit].n_outputs; i++)
        w += 4 * (double)g->tensors[g->units[unit].outputs[i]].bytes;
    return w;
}

/* Share `us` out among the units of `to` that are not in `from`. */
static void share_out(const clv_graph *g, const clv_cut *from, const clv_cut *to, double us,
                      clv_profile *p)
{
    double sum = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t u = 0; u < g->n_units; u++) {
            if (clv_cut_has(from, (int)u) || !clv_cut_has(to, (int)u)) continue;
            if (pass == 0)
                sum += work(g, u);
            else
                p->units[u].us = us * work(g, u) / sum;
        }
}

/* Keeps, of cuts that ended up at the same time, the middle one, and none at either end: they were
 * pooled because noise had put them in the wrong order, so where the time went between them is not
 * known. Returns how many are left. */
static size_t drop_pooled(double *us, size_t *at, size_t n, double whole_us)
{
    size_t kept = 0;
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && us[end] <= us[i];) end++;
        if (us[i] <= 0 || us[i] >= whole_us) continue;
        us[kept] = us[i];
        at[kept++] = at[(i + end - 1) / 2];
    }
    return kept;
}

void clv_unit_times(const clv_graph *g, const clv_cuts *cuts, const size_t *chain, size_t n_chain,
                    clv_profile *p)
{
    const clv_time *whole = &p->cuts[cuts->n - 1].prefix;
    CLV_AUTO(clv_free) double *us = clv_alloc_array(n_chain + 1, sizeof *us);
    CLV_AUTO(clv_free) double *weight = clv_alloc_array(n_chain + 1, sizeof *weight);
    CLV_AUTO(clv_free) size_t *at = clv_alloc_array(n_chain + 1, sizeof *at);
    size_t n = 0;
    for (size_t i = 1; i + 1 < n_chain; i++)
        if (reached(p, chain[i], whole->us, &us[n], &weight[n])) {
            us[n] = fmin(fmax(us[n], 0), whole->us); /* the ends are fixed: 0 and the whole */
            at[n++] = chain[i];
        }
    clv_isotonic(us, weight, n);
    n = drop_pooled(us, at, n, whole->us);
    size_t from = 0;
    double before = 0;
    us[n] = whole->us;
    at[n++] = cuts->n - 1;
    for (size_t i = 0; i < n; i++) {
        share_out(g, &cuts->items[from], &cuts->items[at[i]], us[i] - before, p);
        before = us[i];
        from = at[i];
    }
}
