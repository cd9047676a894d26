/* The speedometer: how fast the machine is at the moment, by a reference network (zoo/reference.h) that is run now
 * and then between what is measured.
 *
 *     clv_speedometer *m;
 *     clv_speedometer_new(engine, slowdown, &m, &err);
 *     size_t first = clv_speedometer_runs(m);
 *     while (…) { …; clv_speedometer_look(m, &err); }      // now and then: what it says holds for all that time
 *     profile->reference = clv_speedometer_speed(m, first);
 *     clv_speedometer_free(m);
 *
 * A shared machine's speed changes from minute to minute by more than a good prediction is wrong, for a whole network
 * alike: the same network measured half an hour later differs from itself mostly by one factor. What the reference took
 * in both halves tells that factor (cost/speed.h). It says nothing of single runs: for those see measure/mood.h.
 *
 * It is compiled once, by the engine that also runs what is measured, so with the same threads and the same emulated
 * slowdown, which is taken out of what it says. NULL is a speedometer that knows nothing: never visited, n = 0.
 *
 * Threads: one at a time.
 */
#ifndef CLV_MEASURE_SPEEDOMETER_H
#define CLV_MEASURE_SPEEDOMETER_H

#include "cost/speed.h"
#include "measure/stopwatch.h"

/* One look in so long, at a cost of 2 or 3 % of the time. */
#define CLV_SPEEDOMETER_EVERY_US ((int64_t)200000)

typedef struct clv_speedometer clv_speedometer;

/* `engine` is used until it is freed. `slowdown` of the engine; 0: 1. */
CLV_MUST
clv_status clv_speedometer_new(clv_engine *engine, double slowdown, clv_speedometer **out,
                               clv_error *err);
void clv_speedometer_free(clv_speedometer *m);
/* Runs the reference now: once to warm up, then timed. */
CLV_MUST
clv_status clv_speedometer_visit(clv_speedometer *m, clv_error *err);
/* The same if the last visit was CLV_SPEEDOMETER_EVERY_US ago, else nothing. */
CLV_MUST
clv_status clv_speedometer_look(clv_speedometer *m, clv_error *err);
/* How many timed runs so far. */
size_t clv_speedometer_runs(const clv_speedometer *m);
/* Of the runs from `first` on. */
clv_speed clv_speedometer_speed(const clv_speedometer *m, size_t first);
/* Its runs, which may lose their moods with those of what is measured; NULL without a speedometer. */
clv_stopwatch *clv_speedometer_watch(clv_speedometer *m);

#endif
