/* What comes in: requests of a splitter, counted where they enter, and the mode that they call for
 * (policy/load_mode.h).
 *
 *     clv_arrivals_init(&a);
 *     if (clv_arrivals_came(&a, now_us, in_flight)) ...      // any thread, once a request; true: the mode has changed
 *     clv_load load = clv_arrivals_look(&a, now_us);         // since the last look
 *     clv_arrivals_plan(&a, period_us, latency_us);          // of the latency plan
 *     if (clv_arrivals_lately(&a, now_us)) ...               // somebody asks: it is worth knowing the link
 *     clv_arrivals_done(&a);
 *
 * Threads: any. Private to split/.
 */
#ifndef CLV_SPLIT_ARRIVALS_H
#define CLV_SPLIT_ARRIVALS_H

#include "policy/load_mode.h"

#include <pthread.h>

#define CLV_ARRIVALS_LATELY_US 60000000

typedef struct clv_arrivals {
    pthread_mutex_t lock; /* guards the rest */
    clv_load_mode mode;
    unsigned came;   /* since the last look */
    int64_t came_us; /* the last one; at first the beginning */
} clv_arrivals;

typedef struct clv_load {
    bool heavy, queue; /* requests queue */
    double rate_per_s;
    double in_flight; /* requests at once, this one among them */
    unsigned came;
} clv_load;

void clv_arrivals_init(clv_arrivals *a, int64_t now_us);
void clv_arrivals_done(clv_arrivals *a);
bool clv_arrivals_came(clv_arrivals *a, int64_t now_us, int in_flight);
clv_load clv_arrivals_look(clv_arrivals *a, int64_t now_us);
void clv_arrivals_plan(clv_arrivals *a, double period_us, double latency_us);
bool clv_arrivals_heavy(clv_arrivals *a);
/* Did a request come in the last CLV_ARRIVALS_LATELY_US, or the node only begin? */
bool clv_arrivals_lately(clv_arrivals *a, int64_t now_us);
double clv_arrivals_rate(clv_arrivals *a, int64_t now_us); /* requests a second */

#endif
