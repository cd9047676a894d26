/* Order statistics of samples and a fixed-memory latency histogram. */
#ifndef CLV_BASE_STATS_H
#define CLV_BASE_STATS_H

#include <stddef.h>
#include <stdint.h>

/* Sorts `x` in place and returns the q-quantile (0..1), linear between ranks. n = 0 gives 0. */
double clv_quantile(double *x, size_t n, double q);
double clv_median(double *x, size_t n); /* sorts in place */
double clv_mean(const double *x, size_t n);
/* Median absolute deviation around the median, scaled by 1.4826 to the sigma of a normal. Sorts in
 * place. */
double clv_mad_sigma(double *x, size_t n);

/* The q-quantile of the normal distribution of mean 0 and variance 1, q strictly between 0 and 1;
 * relative error below 1e-15. Wichura, "Algorithm AS 241", Applied Statistics 37, 1988. */
double clv_normal_quantile(double q);

#endif
