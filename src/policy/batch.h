/* How many waiting requests for one segment to run together. Never waits for more to come: it
 * chooses among those that wait already.
 *
 *     clv_batch b = {0};
 *     clv_batch_saw(&b, rows, us);                                  // after each run
 *     n = clv_batch_choose(&b, rows_each, waiting, slack_us, max);  // before one
 *
 * A run of r rows is taken to cost once + r * each. The number chosen is the one with the least
 * mean time to an answer if all that wait is run in batches of it: where a run's fixed cost is most
 * of it (small networks, accelerators) that is many, where each row costs the same (large networks
 * on a processor) it is one, since a batch answers its first request only with its last. A
 * request's deadline bounds it.
 *
 * Both costs are learnt from the fewest rows that were run lately and from all larger runs; until a
 * larger one was seen two are tried, and again now and then, as the answer may have changed.
 *
 * Clipper (Crankshaw et al., NSDI 2017) looks for the largest batch within a latency target by
 * additive increase; our requests bring their own deadlines, and without any the mean time is what
 * counts. A plain value. Threads: one at a time.
 */
#ifndef CLV_POLICY_BATCH_H
#define CLV_POLICY_BATCH_H

#include <stddef.h>
#include <stdint.h>

enum { CLV_BATCH_MAX = 64, CLV_BATCH_TRY_EVERY = 64 };

typedef struct clv_batch {
    double few_rows, few_us;   /* runs with the fewest rows; 0 rows: none seen */
    double many_rows, many_us; /* mean of the larger ones */
    unsigned alone;            /* how often in a row one was chosen though more waited */
} clv_batch;

/* Ignores times and rows that cannot be. */
void clv_batch_saw(clv_batch *b, size_t rows, double us);
/* What a run of so many rows takes; 0: not known. */
double clv_batch_cost_us(const clv_batch *b, size_t rows);
/* Between 1 and min(waiting, max, CLV_BATCH_MAX). `waiting` counts the first one too; slack_us:
 * until the nearest deadline, INT64_MAX: none. */
size_t clv_batch_choose(clv_batch *b, size_t rows_each, size_t waiting, int64_t slack_us,
                        size_t max);

#endif
