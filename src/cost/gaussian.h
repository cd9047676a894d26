/* Regression by a Gaussian process: a smooth function of a few numbers, learnt from samples, with a
 * standard deviation for every value. Far from all samples it returns to 0 with its prior deviation,
 * so it never runs away.
 *
 *     clv_gaussian *g = clv_gaussian_new(x, y, n, dims, &settings);    // 3 <= n <= CLV_GAUSSIAN_MAX
 *     double sigma, mean = clv_gaussian_predict(g, at, &sigma);
 *     clv_gaussian_free(g);
 *
 * Kernel: Matérn 3/2 with one scale for each number (0: it does not count), plus independent noise:
 *     k(a, b) = signal * (1 + r) exp(-r),   r = sqrt(3 * sum (scale[i] * (a[i] - b[i]))^2).
 * clv_gaussian_settle() chooses the settings that best predict each sample from all others (mean log
 * density, leave-one-out in closed form: Sundararajan and Keerthi 2001), one setting at a time over a
 * short list. Cost n^3 / 6 for each try. Source: Rasmussen and Williams, "Gaussian Processes for
 * Machine Learning", 2006, chapters 2, 4 and 5.
 * Threads: any; a fitted process is only read.
 */
#ifndef CLV_COST_GAUSSIAN_H
#define CLV_COST_GAUSSIAN_H

#include <stddef.h>

enum { CLV_GAUSSIAN_MAX = 600, CLV_GAUSSIAN_DIMS_MAX = 32 };

typedef struct clv_gaussian_settings {
    double scale[CLV_GAUSSIAN_DIMS_MAX];
    double signal, noise; /* variances, above 0 */
} clv_gaussian_settings;

typedef struct clv_gaussian clv_gaussian;

/* `x` has n rows of `dims`; `extra[n]` is each sample's own variance besides the noise, NULL: none. Copies what it needs. NULL when the samples' covariance cannot be
 * factorised (settings that are not finite). */
clv_gaussian *clv_gaussian_new(const double *x, const double *y, const double *extra, size_t n,
                               size_t dims, const clv_gaussian_settings *settings);
void clv_gaussian_free(clv_gaussian *g);
/* `sigma` is that of a new sample, the noise included; may be NULL. */
double clv_gaussian_predict(const clv_gaussian *g, const double *at, double *sigma);

/* Settings for these samples (n <= CLV_GAUSSIAN_MAX), starting at `start`. */
clv_gaussian_settings clv_gaussian_settle(const double *x, const double *y, const double *extra,
                                          size_t n, size_t dims,
                                          const clv_gaussian_settings *start);
/* Errors of predicting each sample from all others, into error[n]; their mean log density (higher is
 * better), -INFINITY when the covariance cannot be factorised. */
double clv_gaussian_leave_one_out(const double *x, const double *y, const double *extra, size_t n,
                                  size_t dims, const clv_gaussian_settings *settings,
                                  double *error);

#endif
