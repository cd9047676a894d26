/* Two modes of a node, after DADS (Hu et al., INFOCOM 2019): lightly loaded it wants each request
 * to be fast, heavily loaded it wants to get through as many as it can. Which of the two, now:
 * pure, the clock is passed in.
 *
 *     clv_load_mode m;
 *     clv_load_mode_init(&m, now_us);
 *     clv_load_mode_plan(&m, period_us, latency_us);  // the latency plan's longest stage, and all of it
 *     clv_load_mode_arrived(&m, now_us, in_flight);   // a request came, and found so many before it
 *     if (clv_load_mode_look(&m, now_us)) ...         // the mode has changed: m.heavy
 *
 * A plan that takes `period` for its longest stage gets through 1 / period requests a second,
 * however many stages it has. When they come faster, its queue grows without end, and the plan with
 * the shortest period should take over, though each request alone takes longer there. So what is
 * compared is the utilisation of the *latency* plan, rate * period, in both modes.
 *
 * The rate is that of arrivals, each forgotten with a time constant, the memory: CLV_LOAD_MEMORY
 * periods, a second at least, so that it is about as exact for slow networks as for fast ones.
 * Heavy: utilisation above CLV_LOAD_HIGH, and requests that find others before them, for a quarter
 * of the memory. Light again: below CLV_LOAD_LOW, or hardly anyone finds another, for two memories.
 * The second condition is for callers that wait for an answer before they ask again: one alone
 * drives any plan at its period, and nobody waits.
 *
 * Callers that wait for answers cannot ask faster than they are served: sixteen of them, served by
 * a plan that is slower than predicted, or by another than the latency plan while that one is
 * being prepared, never reach its utilisation, however long they wait. But a plan works at
 * latency / period requests at once at the most. When those that come find CLV_LOAD_CROWD times as
 * many before them, they queue, whatever the rate: heavy too, and not light again before it is half
 * of that.
 *
 * Our differences from DADS: the paper tells the modes apart but not how a running system tells
 * them; hysteresis and dwell are ours, as is the exact throughput plan (plan/) in place of its
 * weighted minimum cuts.
 *
 * A clock that goes back counts as one that stands. Threads: one at a time.
 */
#ifndef CLV_POLICY_LOAD_MODE_H
#define CLV_POLICY_LOAD_MODE_H

#include <stdbool.h>
#include <stdint.h>

#define CLV_LOAD_MEMORY        20 /* periods */
#define CLV_LOAD_MEMORY_US_MIN 1e6
#define CLV_LOAD_HIGH          0.90 /* utilisation of the latency plan */
#define CLV_LOAD_LOW           0.70
#define CLV_LOAD_BUSY          1.0 /* requests found by one that comes */
#define CLV_LOAD_CALM          0.25
#define CLV_LOAD_CROWD         4.0  /* requests found, of those that the latency plan works at */
#define CLV_LOAD_RISE          0.25 /* memories that the load must have called for the other mode */
#define CLV_LOAD_FALL          2.0

typedef struct clv_load_mode {
    double rate_per_s, found; /* as they were at `at_us` */
    double period_us;         /* 0: not known; then the load is light */
    double at_once;           /* requests that the latency plan works at; 1 at least */
    int64_t at_us, called_us; /* last arrival or look; since when the other mode is called for */
    bool heavy, called;
} clv_load_mode;

void clv_load_mode_init(clv_load_mode *m, int64_t now_us);
/* Of the plan that is the best for one request: its longest stage, and all of it (0: not known). */
void clv_load_mode_plan(clv_load_mode *m, double period_us, double latency_us);
/* True: the mode has changed. */
bool clv_load_mode_arrived(clv_load_mode *m, int64_t now_us, int in_flight);
bool clv_load_mode_look(clv_load_mode *m, int64_t now_us);
double clv_load_mode_rate(const clv_load_mode *m, int64_t now_us); /* requests a second */
double clv_load_mode_memory_us(const clv_load_mode *m);
/* Do requests queue? Those that come find a crowd before them. */
bool clv_load_mode_queues(const clv_load_mode *m);
const char *clv_load_mode_name(bool heavy); /* "latency", "throughput" */

#endif
