/* One segment under the stopwatch: private to measure/.
 *
 * Holds the segment, its inputs (borrowed) and the durations of its timed runs. */
#ifndef CLV_MEASURE_STOPWATCH_H
#define CLV_MEASURE_STOPWATCH_H

#include "cost/profile.h"
#include "repo/network.h"

typedef struct clv_stopwatch {
    clv_network *network; /* borrowed */
    size_t from, to;
    clv_segment *segment;
    bool was_resident;
    const clv_tensor *inputs;
    size_t n_inputs;
    double *us; /* of the timed runs, in their order */
    size_t n, cap;
    double first_us; /* of the warm-up */
} clv_stopwatch;

/* Compiles (from, to), or takes the resident segment, and runs it once: the warm-up, whose outputs
 * are appended to `outputs` unless that is NULL. On failure the stopwatch is done. */
CLV_MUST
clv_status clv_stopwatch_start(clv_stopwatch *w, clv_network *network, size_t from, size_t to,
                               const clv_tensor *inputs, size_t n_inputs, clv_tensors *outputs,
                               clv_error *err);
/* A visit: an untimed run if the segment is short, then as many timed ones as fill a few
 * milliseconds, at least one, at most 5. */
CLV_MUST
clv_status clv_stopwatch_visit(clv_stopwatch *w, clv_error *err);
clv_time clv_stopwatch_time(const clv_stopwatch *w); /* median, sigma, n so far */
/* Standard error of the median over the median; infinite below 3 runs. */
double clv_stopwatch_precision(const clv_stopwatch *w);
void clv_stopwatch_done(clv_stopwatch *w); /* evicts the segment unless it was there before */

#endif
