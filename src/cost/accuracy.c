#include "cost/accuracy.h"
#include "base/mem.h"
#include "cost/link.h"

#include <math.h>

static void count(clv_accuracy *a, const clv_time *measured, const clv_time *predicted)
{
    if (measured->n == 0 || predicted->n == 0 || !(measured->us > 0)) return;
    double error = fabs(predicted->us - measured->us) / measured->us;
    a->n++;
    a->n_10 += error <= 0.1;
    a->n_20 += error <= 0.2;
    a->errors += error;
    double sigma = 1.2533 * measured->sigma_us / sqrt((double)measured->n) / measured->us;
    a->ceilings += erf(0.1 / sqrt(2) / fmax(sigma, 1e-9));
}

/* Edge times `slowdown`, then the link, then the cloud. INFINITY: not measured. */
static double latency_us(const clv_profile *p, size_t cut, double slowdown, const clv_link *link)
{
    const clv_profile_cut *c = &p->cuts[cut];
    if (!clv_profile_has_prefix(p, cut) || !clv_profile_has_suffix(p, cut)) return INFINITY;
    double us = slowdown * c->prefix.us;
    if (cut + 1 == p->n_cuts) return us;
    return us + clv_link_exchange_us(link, c->up_bytes, c->down_bytes) + c->suffix.us;
}

static void regret_at(clv_accuracy *a, const clv_profile *measured, const clv_profile *predicted,
                      double slowdown, const clv_link *link)
{
    double best = INFINITY, believed = INFINITY, got = INFINITY;
    for (size_t i = 0; i < measured->n_cuts; i++) {
        double real = latency_us(measured, i, slowdown, link);
        if (!isfinite(real)) continue;
        double guess = latency_us(predicted, i, slowdown, link);
        best = fmin(best, real);
        if (guess >= believed) continue;
        believed = guess;
        got = real;
    }
    if (!isfinite(best) || !isfinite(got) || !(best > 0)) return;
    a->n_plans++;
    a->regrets += got / best - 1;
    a->regret_worst = fmax(a->regret_worst, got / best - 1);
}

static clv_link link_named(const char *name)
{
    clv_link link = {0};
    clv_error ignored;
    if (clv_link_parse(name, &link, &ignored) != CLV_OK) link.up = false;
    return link;
}

static void regrets(clv_accuracy *a, const clv_profile *measured, const clv_profile *predicted)
{
    static const char *const links[] = {"3g", "lte", "wifi", "lan"};
    static const double slowdowns[] = {1, 4, 10};
    for (size_t l = 0; l < CLV_COUNT(links); l++) {
        clv_link link = link_named(links[l]);
        for (size_t s = 0; s < CLV_COUNT(slowdowns) && link.up; s++)
            regret_at(a, measured, predicted, slowdowns[s], &link);
    }
}

static void ranks(clv_accuracy *a, const clv_profile *measured, const clv_profile *predicted)
{
    clv_link wifi = link_named("wifi");
    size_t n = 0, step = (measured->n_cuts + CLV_ACCURACY_RANKED_MAX - 1) / CLV_ACCURACY_RANKED_MAX;
    CLV_AUTO(clv_free) double *real = clv_alloc_array(CLV_ACCURACY_RANKED_MAX, sizeof *real);
    CLV_AUTO(clv_free) double *guess = clv_alloc_array(CLV_ACCURACY_RANKED_MAX, sizeof *guess);
    for (size_t i = 0; i < measured->n_cuts && wifi.up; i += step) {
        real[n] = latency_us(measured, i, 4, &wifi);
        guess[n] = latency_us(predicted, i, 4, &wifi);
        n += isfinite(real[n]) && isfinite(guess[n]);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++) {
            double apart = fabs(real[i] - real[k]) / fmin(real[i], real[k]);
            if (apart < CLV_ACCURACY_APART) continue;
            a->pairs++;
            a->wrong += (real[i] < real[k]) != (guess[i] < guess[k]);
        }
}

clv_accuracy clv_accuracy_of(const clv_profile *measured, const clv_profile *predicted,
                             const bool *skip)
{
    clv_accuracy a = {0};
    size_t last = measured->n_cuts - 1;
    for (size_t i = 0; i < measured->n_cuts; i++) {
        const clv_profile_cut *m = &measured->cuts[i], *p = &predicted->cuts[i];
        if (i > 0 && !(skip && skip[i])) count(&a, &m->prefix, &p->prefix);
        if (i > 0 && i < last) count(&a, &m->suffix, &p->suffix);
    }
    ranks(&a, measured, predicted);
    regrets(&a, measured, predicted);
    return a;
}

void clv_accuracy_add(clv_accuracy *sum, const clv_accuracy *a)
{
    sum->n += a->n;
    sum->n_10 += a->n_10;
    sum->n_20 += a->n_20;
    sum->errors += a->errors;
    sum->ceilings += a->ceilings;
    sum->pairs += a->pairs;
    sum->wrong += a->wrong;
    sum->n_plans += a->n_plans;
    sum->regrets += a->regrets;
    sum->regret_worst = fmax(sum->regret_worst, a->regret_worst);
}

static double share(double part, size_t of)
{
    return of ? part / (double)of : 0;
}

double clv_accuracy_hit_10(const clv_accuracy *a)
{
    return share((double)a->n_10, a->n);
}

double clv_accuracy_hit_20(const clv_accuracy *a)
{
    return share((double)a->n_20, a->n);
}

double clv_accuracy_ceiling_10(const clv_accuracy *a)
{
    return share(a->ceilings, a->n);
}

double clv_accuracy_mape(const clv_accuracy *a)
{
    return share(a->errors, a->n);
}

double clv_accuracy_rank_error(const clv_accuracy *a)
{
    return share((double)a->wrong, a->pairs);
}

double clv_accuracy_regret(const clv_accuracy *a)
{
    return share(a->regrets, a->n_plans);
}
