/* Which placement wins at which bandwidth, exactly.
 *
 * With everything else fixed, time, energy and price of a placement of two devices are straight lines
 * in the time of one byte, x = 1/rate: a constant (computing, waiting, round trip) plus bytes times
 * x. The best placement over all rates is therefore the lower envelope of the lines of every cut with
 * every codec, and the rates at which plans change are the crossings of neighbouring lines: no
 * sampling, nothing missed between two samples. A limit ends a line where it is reached.
 *
 *     clv_plan_span *spans; size_t n;
 *     clv_plan_sweep(&problem, 0.1e6, 125e6, &spans, &n, &err);
 *     for (size_t i = 0; i < n; i++)           // from slow to fast
 *         printf("%g to %g bytes/s: cut %d\n", spans[i].from_bytes_per_s, spans[i].to_bytes_per_s,
 *                spans[i].cut);
 *     free(spans);
 *
 * The ratio of the downward to the upward rate stays that of the problem's hop, and the objective is
 * the problem's: latency, energy, price or a weighted sum. The planner's integers are rounded parts of
 * these lines, so next to a crossing both may differ by some nanoseconds. Threads: any.
 */
#ifndef CLV_PLAN_SWEEP_H
#define CLV_PLAN_SWEEP_H

#include "plan/plan.h"

/* Between these upward rates (bytes/s) the placement is the best; at a common end two are equal. */
typedef struct clv_plan_span {
    int cut;   /* CLV_PLAN_NO_CUT: nothing keeps the limits at these rates; then all else is 0 */
    int codec; /* -1: nothing is sent */
    double from_bytes_per_s, to_bytes_per_s;
    double from_us, to_us; /* latency at the two ends */
    double from_j, to_j;   /* energy */
} clv_plan_span;

/* Spans that cover [slowest, fastest] without gap, from slow to fast; heap, freed with free().
 * CLV_EINVAL unless 0 < slowest < fastest, the problem is sound and of two devices that do not
 * return, its link is up, and its objective is a sum of means (no quantile, not throughput). */
CLV_MUST
clv_status clv_plan_sweep(const clv_plan_problem *p, double slowest_bytes_per_s,
                          double fastest_bytes_per_s, clv_plan_span **spans, size_t *n,
                          clv_error *err);

/* One placement at one rate: latency and energy. Of the same problems as a sweep. */
typedef struct clv_plan_point {
    double us, j;
} clv_plan_point;
clv_plan_point clv_plan_at_rate(const clv_plan_problem *p, int cut, int codec, double bytes_per_s);

#endif
