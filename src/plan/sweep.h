/* Which cut wins at which bandwidth, exactly.
 *
 * With everything else fixed, the latency of a cut is a straight line in the time of one byte,
 * x = 1/rate: a constant (computing, waiting, round trip) plus bytes times x. The best cut over all
 * rates is therefore the lower envelope of the cuts' lines, and the rates at which plans change are
 * the crossings of neighbouring lines: no sampling, nothing missed between two samples.
 *
 *     clv_plan_span *spans; size_t n;
 *     clv_plan_sweep(&problem, 0.1e6, 125e6, &spans, &n, &err);
 *     for (size_t i = 0; i < n; i++)           // from slow to fast
 *         printf("%g to %g bytes/s: %s\n", spans[i].from_bytes_per_s, spans[i].to_bytes_per_s,
 *                problem.cuts[spans[i].cut].label);
 *     free(spans);
 *
 * The ratio of the downward to the upward rate stays that of problem.link.
 */
#ifndef CLV_PLAN_SWEEP_H
#define CLV_PLAN_SWEEP_H

#include "plan/plan.h"

/* Between these upward rates (bytes/s) `cut` is the best; at a common end two cuts are equal. */
typedef struct clv_plan_span {
    size_t cut; /* index into problem.cuts */
    double from_bytes_per_s, to_bytes_per_s;
    double from_us, to_us; /* latency at the two ends */
} clv_plan_span;

/* Spans that cover [slowest, fastest] without gap, from slow to fast; heap, freed with free().
 * CLV_EINVAL unless 0 < slowest < fastest and the link is up. */
CLV_MUST
clv_status clv_plan_sweep(const clv_plan_problem *p, double slowest_bytes_per_s,
                          double fastest_bytes_per_s, clv_plan_span **spans, size_t *n,
                          clv_error *err);

#endif
