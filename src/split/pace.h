/* How long each segment of a network runs here, learnt from its runs: what the lane charges for it,
 * what admission counts on, and how many waiting requests are run together.
 *
 *     clv_pace_init(&p, n_cuts);
 *     clv_pace_seed(&p, profile);                       // until runs tell better
 *     clv_pace_part *part = clv_pace_of(&p, from, to);  // NULL: a segment between two cuts in the middle
 *     clv_pace_saw(part, rows, us);
 *     us = clv_pace_us(part, rows);                     // 0: not known
 *     clv_pace_done(&p);
 *
 * The first runs of a segment are cold and teach nothing. A part may be run for several requests at
 * once only once it was seen that its rows do not mix (`together`): carry_together.c looks at the
 * first opportunity.
 *
 * Threads: any; NULL parts are fine. Private to split/.
 */
#ifndef CLV_SPLIT_PACE_H
#define CLV_SPLIT_PACE_H

#include "cost/profile.h"
#include "policy/batch.h"

#include <pthread.h>
#include <stdatomic.h>

typedef enum clv_pace_mixing {
    CLV_PACE_UNSEEN, /* nobody knows yet */
    CLV_PACE_APART,  /* rows do not mix: requests may share a run */
    CLV_PACE_MIXED   /* they do, or a run together fails: never */
} clv_pace_mixing;

typedef struct clv_pace_part {
    struct clv_pace *pace;
    size_t from, to; /* cuts */
    clv_batch batch; /* guarded by the pace's lock */
    int cold;        /* runs that taught nothing; the same */
    atomic_int mixing;
} clv_pace_part;

typedef struct clv_pace {
    pthread_mutex_t lock;
    size_t n_cuts;
    clv_pace_part *heads, *rests; /* [n_cuts] each: up to a cut, and from it */
} clv_pace;

void clv_pace_init(clv_pace *p, size_t n_cuts);
void clv_pace_done(clv_pace *p);
void clv_pace_seed(clv_pace *p, const clv_profile *profile);
clv_pace_part *clv_pace_of(clv_pace *p, size_t from, size_t to);
void clv_pace_saw(clv_pace_part *part, size_t rows, int64_t us);
int64_t clv_pace_us(clv_pace_part *part, size_t rows);
/* A request was refused for what it is said to take: believe that a little less, or one that is
 * wrong would be believed for ever. */
void clv_pace_doubt(clv_pace_part *part);
size_t clv_pace_choose(clv_pace_part *part, size_t rows_each, size_t waiting, int64_t slack_us,
                       size_t max);

#endif
