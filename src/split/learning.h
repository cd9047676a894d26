/* What requests taught about the devices' times: remembered by whoever ends a request, applied when
 * the planner looks. Private to split/.
 *
 *     clv_learning_init(&l, n_cuts);
 *     clv_learning_saw(&l, &route, &request->timing, &request->trip);     // any thread, once a request
 *     clv_learning_apply(&l, tables);                  // loop's thread, before planning
 *     clv_learning_done(&l);
 *
 * Only requests of one input that went as planned are told: profiles are of those.
 */
#ifndef CLV_SPLIT_LEARNING_H
#define CLV_SPLIT_LEARNING_H

#include "cost/correction.h"
#include "plan/tables.h"
#include "split/request.h"
#include "split/route.h"

#include <pthread.h>

/* Sightings between two looks of the planner; of more, the first are kept. */
enum { CLV_SIGHTINGS_MAX = 64 };

typedef struct clv_sighting {
    clv_route route;
    int64_t us
        [CLV_PLAN_DEVICES_MAX]; /* computed by each node; 0: nothing ran there, or it did not tell */
    int64_t at_us;
} clv_sighting;

typedef struct clv_learning {
    pthread_mutex_t lock; /* guards the sightings */
    clv_sighting seen[CLV_SIGHTINGS_MAX];
    size_t n_seen;
    size_t n_cuts;
    clv_correction here, there[CLV_PLAN_DEVICES_MAX - 1]; /* of the peer, then those behind it */
    size_t n_there;
    int64_t applied_us; /* when, last */
} clv_learning;

void clv_learning_init(clv_learning *l, size_t n_cuts);
void clv_learning_done(clv_learning *l);
/* `behind`: what the peer and those behind it told of it. */
void clv_learning_saw(clv_learning *l, const clv_route *route, const clv_timing *t,
                      const clv_trip *behind);
/* Other nodes stand on the chain now: what was learnt of any but this one is no longer true. Loop's thread. */
void clv_learning_forget(clv_learning *l);
/* Corrects the times of device 0 (here) and the others (there), when something was seen or a while
 * has passed since the last time. */
void clv_learning_apply(clv_learning *l, clv_plan_tables *tables);

#endif
