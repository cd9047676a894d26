/* Regression by a Gaussian process: a smooth function of a few numbers, learnt from samples, with a
 * standard deviation for every value. Between samples that are far it returns to 0, the prior mean. Outside the
 * range of a number in the samples it goes on as at the border of the range: larger than all samples is more like
 * the largest than like the average. The deviation is that of the place itself, which widens to the prior's.
 *
 *     clv_gaussian_samples s = {.x = x, .y = y, .group = group, .n = n, .dims = dims};
 *     clv_gaussian *g = clv_gaussian_new(&s, &settings);           // 3 <= n <= CLV_GAUSSIAN_MAX
 *     double sigma, mean = clv_gaussian_predict(g, at, &sigma);
 *     clv_gaussian_free(g);
 *
 * Samples come in groups, taken together: what was off for one was off for all of the group. Kernel:
 * Matérn 3/2 with one scale for each number (0: it does not count), plus what a group shares, plus
 * independent noise:
 *     k(a, b) = signal * (1 + r) exp(-r) + shared * [same group],   r = sqrt(3 * sum (scale[i] * (a[i] - b[i]))^2).
 * clv_gaussian_settle() chooses the settings that best predict each group from all others (mean log
 * density, in closed form: Sundararajan and Keerthi 2001, there for groups of one), one setting at a time
 * over a short list. Leaving out single samples would not do: a group holds much that is alike, and
 * settings that recognise the group would seem the best. Cost n^3 / 3 for each try. Source: Rasmussen and
 * Williams, "Gaussian Processes for Machine Learning", 2006, chapters 2, 4 and 5.
 * Threads: any; a fitted process is only read.
 */
#ifndef CLV_COST_GAUSSIAN_H
#define CLV_COST_GAUSSIAN_H

#include <stddef.h>

enum { CLV_GAUSSIAN_MAX = 1000, CLV_GAUSSIAN_DIMS_MAX = 32, CLV_GAUSSIAN_GROUP_MAX = 200 };

/* Borrowed. Samples of a group follow each other, at most CLV_GAUSSIAN_GROUP_MAX. */
typedef struct clv_gaussian_samples {
    const double *x;     /* n rows of `dims` */
    const double *y;     /* n */
    const double *extra; /* n: each sample's own variance besides the noise; NULL: none */
    const int *group;    /* n; NULL: each its own */
    size_t n, dims;
} clv_gaussian_samples;

typedef struct clv_gaussian_settings {
    double scale[CLV_GAUSSIAN_DIMS_MAX];
    double signal, noise, shared; /* variances, above 0; shared may be 0 */
} clv_gaussian_settings;

typedef struct clv_gaussian clv_gaussian;

/* Copies what it needs. NULL when there are none or too many samples or numbers, or their covariance
 * cannot be factorised (settings that are not finite). */
clv_gaussian *clv_gaussian_new(const clv_gaussian_samples *s,
                               const clv_gaussian_settings *settings);
void clv_gaussian_free(clv_gaussian *g);
/* `sigma` is that of a new sample of a new group, the noise included; may be NULL. */
double clv_gaussian_predict(const clv_gaussian *g, const double *at, double *sigma);

/* Settings for these samples (n <= CLV_GAUSSIAN_MAX), starting at `start`. */
clv_gaussian_settings clv_gaussian_settle(const clv_gaussian_samples *s,
                                          const clv_gaussian_settings *start);
/* Errors of predicting each sample from all other groups, into error[n]; their mean log density (higher
 * is better), -INFINITY when the covariance cannot be factorised. */
double clv_gaussian_leave_out(const clv_gaussian_samples *s, const clv_gaussian_settings *settings,
                              double *error);

#endif
