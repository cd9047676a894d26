#include "measure/complement.h"

#include "base/mem.h"
#include "base/stats.h"

#include <math.h>

enum { CUTS_FEW = 3 }; /* fewer do not tell what a cut costs */
/* Cuts differ in what they cost by this share of the whole at least, however alike they look. */
#define DIFFER_LEAST 0.003
/* Nothing is changed by more than this share of it: what is further off is no error of measurement. */
#define CHANGE_MAX 0.3

typedef struct sides {
    clv_time *prefix, *suffix;
    double excess_us; /* of their sum over the whole */
} sides;

static double variance(const clv_time *t, double spread)
{
    double us = spread * t->us;
    return us * us / t->n;
}

static size_t both_timed(clv_profile *p, double whole_us, sides *out)
{
    size_t n = 0;
    for (size_t i = 1; i + 1 < p->n_cuts; i++) {
        clv_profile_cut *c = &p->cuts[i];
        if (c->prefix.n > 0 && c->suffix.n > 0)
            out[n++] = (sides){&c->prefix, &c->suffix, c->prefix.us + c->suffix.us - whole_us};
    }
    return n;
}

/* How much single runs vary, relative to their median, as a rule. 1.2533: the error of a median is so
 * much more than that of a mean. */
static double spread_of(const sides *s, size_t n, double *x)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        const clv_time *both[] = {s[i].prefix, s[i].suffix};
        for (int side = 0; side < 2; side++)
            if (both[side]->n > 2 && both[side]->us > 0)
                x[k++] = both[side]->sigma_us / both[side]->us;
    }
    return k ? 1.2533 * clv_median(x, k) : 0;
}

/* The variance of what cuts cost, beyond what errors of measurement make of it. */
static double differ_var(const sides *s, size_t n, double cost_us, double spread, double whole_us,
                         double *x)
{
    for (size_t i = 0; i < n; i++) {
        double off = s[i].excess_us - cost_us;
        x[i] = off * off - variance(s[i].prefix, spread) - variance(s[i].suffix, spread);
    }
    double least = DIFFER_LEAST * whole_us;
    return fmax(clv_median(x, n), least * least);
}

static void change(clv_time *t, double by_us)
{
    t->us += fmin(fmax(by_us, -CHANGE_MAX * t->us), CHANGE_MAX * t->us);
}

void clv_complement_settle(clv_profile *p)
{
    const double whole_us = p->cuts[p->n_cuts - 1].prefix.us;
    CLV_AUTO(clv_free) sides *s = clv_alloc_array(p->n_cuts, sizeof *s);
    CLV_AUTO(clv_free) double *x = clv_alloc_array(2 * p->n_cuts, sizeof *x);
    const size_t n = both_timed(p, whole_us, s);
    if (n < CUTS_FEW) return;
    const double spread = spread_of(s, n, x);
    for (size_t i = 0; i < n; i++) x[i] = s[i].excess_us;
    const double cost_us = fmax(clv_median(x, n), 0);
    const double differ = differ_var(s, n, cost_us, spread, whole_us, x);
    for (size_t i = 0; i < n; i++) {
        const double off = s[i].excess_us - cost_us;
        const double prefix = variance(s[i].prefix, spread), suffix = variance(s[i].suffix, spread);
        const double total = prefix + suffix + differ;
        change(s[i].prefix, -off * prefix / total);
        change(s[i].suffix, -off * suffix / total);
    }
}
