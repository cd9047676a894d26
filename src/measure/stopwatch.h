/* One segment under the stopwatch: private to measure/.
 *
 * Holds the segment, its inputs (borrowed) and the durations of its timed runs. A run during which
 * the kernel took the processor away from this process (an involuntary context switch) says more of
 * the neighbours than of the segment: it counts only while there are fewer than CLV_STOPWATCH_CALM
 * undisturbed ones. On an idle machine hardly any run is disturbed. */
#ifndef CLV_MEASURE_STOPWATCH_H
#define CLV_MEASURE_STOPWATCH_H

#include "cost/profile.h"
#include "repo/network.h"

enum { CLV_STOPWATCH_CALM = 5 };

typedef struct clv_lap {
    double at_us, us; /* its middle, by the monotonic clock; how long */
    bool disturbed;
} clv_lap;

typedef struct clv_stopwatch {
    clv_network *network; /* borrowed */
    size_t from, to;
    clv_segment *segment;
    bool was_resident;
    const clv_tensor *inputs;
    size_t n_inputs;
    clv_lap *laps; /* the timed runs, in their order */
    size_t n, cap;
    int visits;
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
/* Median, sigma and number of the laps from index `first` on. */
clv_time clv_stopwatch_time(const clv_stopwatch *w, size_t first);
/* Standard error of a median; infinite below 3 runs. */
double clv_time_error_us(const clv_time *t);
void clv_stopwatch_done(clv_stopwatch *w); /* evicts the segment unless it was there before */

#endif
