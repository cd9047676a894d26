#include "policy/batch.h"

#include "base/mem.h"

#include <math.h>
#include <stdbool.h>

#define MEMORY 0.2 /* weight of the latest run */

static void blend(double *mean, double value)
{
    *mean = *mean > 0 ? *mean + MEMORY * (value - *mean) : value;
}

void clv_batch_saw(clv_batch *b, size_t rows, double us)
{
    if (!rows || !isfinite(us) || us <= 0) return;
    double r = (double)rows;
    if (b->few_rows > 0 && r > b->few_rows) {
        blend(&b->many_rows, r);
        blend(&b->many_us, us);
        return;
    }
    if (b->few_rows > r) { /* what were the fewest are more now */
        b->many_rows = b->few_rows;
        b->many_us = b->few_us;
        b->few_us = 0;
    }
    b->few_rows = r;
    blend(&b->few_us, us);
}

/* Cost of one row more: at least a thousandth of what it would be without any fixed cost, and at most that. */
static double each_us(const clv_batch *b)
{
    double most = b->few_us / b->few_rows;
    if (b->many_rows <= b->few_rows) return most;
    double slope = (b->many_us - b->few_us) / (b->many_rows - b->few_rows);
    return fmin(fmax(slope, most / 1000), most);
}

double clv_batch_cost_us(const clv_batch *b, size_t rows)
{
    if (b->few_rows <= 0) return 0;
    return fmax(b->few_us + ((double)rows - b->few_rows) * each_us(b), 0);
}

/* Sum of the times to the answers of n requests in batches of `size`. */
static double sum_us(const clv_batch *b, size_t rows_each, size_t n, size_t size)
{
    double at = 0, sum = 0;
    for (size_t left = n; left > 0;) {
        size_t now = CLV_MIN(left, size);
        at += clv_batch_cost_us(b, now * rows_each);
        sum += at * (double)now;
        left -= now;
    }
    return sum;
}

size_t clv_batch_choose(clv_batch *b, size_t rows_each, size_t waiting, int64_t slack_us,
                        size_t max)
{
    size_t most = CLV_MIN(CLV_MIN(waiting, max), (size_t)CLV_BATCH_MAX);
    if (most < 2 || b->few_rows <= 0) return 1;
    bool try_two = b->many_rows <= 0 || b->alone >= CLV_BATCH_TRY_EVERY;
    size_t n = CLV_MIN(waiting, (size_t)CLV_BATCH_MAX), best = 1;
    double least = sum_us(b, rows_each, n, 1);
    for (size_t size = 2; size <= most; size++) {
        double sum = sum_us(b, rows_each, n, size);
        if (sum >= least) continue;
        least = sum;
        best = size;
    }
    if (best == 1 && try_two) best = 2;
    while (best > 1 && clv_batch_cost_us(b, best * rows_each) > (double)slack_us) best--;
    b->alone = best == 1 ? b->alone + 1 : 0;
    return best;
}
