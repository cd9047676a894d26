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

/* a[0] + a[1] x + a[2] x^2 + ... */
static double polynomial(const double *a, size_t n, double x)
{
    double sum = 0;
    while (n-- > 0) sum = sum * x + a[n];
    return sum;
}

enum { WICHURA_TERMS = 8 };

static double wichura(const double over[WICHURA_TERMS], const double under[WICHURA_TERMS], double x)
{
    return polynomial(over, WICHURA_TERMS, x) / polynomial(under, WICHURA_TERMS, x);
}

double clv_normal_quantile(double q)
{
    static const double middle[2][WICHURA_TERMS] = {
        {3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3,
         1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
         3.3430575583588128105e+4, 2.5090809287301226727e+3},
        {1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
         2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4,
         5.2264952788528545610e+3}};
    static const double near[2][WICHURA_TERMS] = {
        {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
         3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
         2.27238449892691845833e-2, 7.74545014278341407640e-4},
        {1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
         1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
         1.05075007164441684324e-9}};
    static const double far[2][WICHURA_TERMS] = {
        {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
         2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
         2.71155556874348757815e-5, 2.01033439929228813265e-7},
        {1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
         7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
         2.04426310338993978564e-15}};
    double d = q - 0.5;
    if (fabs(d) <= 0.425) return d * wichura(middle[0], middle[1], 0.180625 - d * d);
    double r = sqrt(-log(d < 0 ? q : 1 - q));
    double z = r <= 5 ? wichura(near[0], near[1], r - 1.6) : wichura(far[0], far[1], r - 5);
    return d < 0 ? -z : z;
}
