#include "base/stats.h"

#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double clv_quantile(double *x, size_t n, double q)
{
    if (n == 0) return 0;
    qsort(x, n, sizeof *x, by_value);
    double at = q <= 0 ? 0 : q >= 1 ? (double)(n - 1) : q * (double)(n - 1);
    size_t i = (size_t)at;
    return i + 1 < n ? x[i] + (at - (double)i) * (x[i + 1] - x[i]) : x[i];
}

double clv_median(double *x, size_t n)
{
    return clv_quantile(x, n, 0.5);
}

double clv_mean(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    return n ? sum / (double)n : 0;
}

double clv_mad_sigma(double *x, size_t n)
{
    double middle = clv_median(x, n);
    for (size_t i = 0; i < n; i++) x[i] = fabs(x[i] - middle);
    return 1.4826 * clv_median(x, n);
}
