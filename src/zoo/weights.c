#include "zoo/weights.h"

#include "base/mem.h"

#include <stdlib.h>

/* Four uniforms in [0, 65535]: mean of the sum, and its deviation sqrt(4 * (65536² - 1) / 12). */
#define BELL_MEAN      131070
#define BELL_DEVIATION 37837.227

void clv_weights_begin(clv_weights *w)
{
    w->rng = clv_rng_seeded(w->seed);
    w->sums = clv_alloc_array((size_t)w->rows, sizeof *w->sums);
    w->squares = clv_alloc_array((size_t)w->rows, sizeof *w->squares);
}

static int32_t bell(clv_rng *r)
{
    uint64_t x = clv_rng_next(r);
    return (int32_t)((x & 0xffff) + (x >> 16 & 0xffff) + (x >> 32 & 0xffff) + (x >> 48)) -
           BELL_MEAN;
}

void clv_weights_row(clv_weights *w, int64_t row, float *out)
{
    clv_rng r = w->rng; /* kept in registers */
    int64_t sum = 0, square = 0;
    for (int64_t i = 0; i < w->fan_in; i++) {
        int32_t x = bell(&r);
        sum += x;
        square += (int64_t)x * x;
        out[i] = (float)x; /* exact */
    }
    w->rng = r;
    w->sums[row] = sum;
    w->squares[row] = square;
    float unit = (float)(w->scale / BELL_DEVIATION), offset = (float)w->offset;
    float mean = w->centred ? (float)((double)sum / (double)w->fan_in) : 0;
    for (int64_t i = 0; i < w->fan_in; i++) out[i] = (out[i] - mean) * unit + offset;
}

double clv_weights_sum(const clv_weights *w, int64_t row)
{
    return w->centred ? 0 : (double)w->sums[row] * (w->scale / BELL_DEVIATION);
}

double clv_weights_square_sum(const clv_weights *w, int64_t row)
{
    double unit = w->scale / BELL_DEVIATION, sum = (double)w->sums[row];
    double square = (double)w->squares[row];
    if (w->centred) square -= sum * sum / (double)w->fan_in;
    return square * unit * unit;
}

void clv_weights_done(clv_weights *w)
{
    free(w->sums);
    free(w->squares);
    w->sums = w->squares = NULL;
}
