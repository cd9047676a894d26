/* Seeded weights, made row by row while the file is written.
 *
 * A weight tensor is `rows` × `fan_in` (one row an output channel), each element a bell-shaped
 * integer times a scale. Integers add up exactly, so the sums of the rows, from which batch norms
 * follow, are the same on every machine, as are the weights.
 *
 *     clv_weights w = {.seed = s, .rows = 64, .fan_in = 27, .scale = 0.27};
 *     clv_weights_begin(&w);
 *     for (int64_t i = 0; i < w.rows; i++) clv_weights_row(&w, i, buffer);
 *     running_mean[i] = mean * clv_weights_sum(&w, i);
 *     clv_weights_done(&w);
 *
 * The bell is the sum of four uniform 16-bit numbers, all from one draw (Irwin–Hall, n = 4):
 * bounded at ±3.5 deviations, excess kurtosis -0.3, and no logarithm that machines may round
 * differently.
 */
#ifndef CLV_ZOO_WEIGHTS_H
#define CLV_ZOO_WEIGHTS_H

#include "base/rng.h"

#include <stdbool.h>

typedef struct clv_weights {
    uint64_t seed;
    int64_t rows, fan_in;
    double scale;  /* standard deviation of an element */
    double offset; /* added to each */
    bool centred;  /* the mean of each row is taken off before the offset is added */
    clv_rng rng;
    int64_t *sums, *squares; /* of a row's integers; owned */
} clv_weights;

void clv_weights_begin(clv_weights *w);
/* Rows in ascending order, once each; fan_in elements into `out`. */
void clv_weights_row(clv_weights *w, int64_t row, float *out);
/* Of the elements of a row, and of their squares; without the offset. */
double clv_weights_sum(const clv_weights *w, int64_t row);
double clv_weights_square_sum(const clv_weights *w, int64_t row);
void clv_weights_done(clv_weights *w);

#endif
