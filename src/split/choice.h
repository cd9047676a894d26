/* What to be on now, for a splitter: the pinned route, or what the chooser wants of the way's
 * problem. Private to split/. */
#ifndef CLV_SPLIT_CHOICE_H
#define CLV_SPLIT_CHOICE_H

#include "split/splitter_priv.h"

/* Predicted times of the part behind the cut. */
typedef struct clv_expectation {
    int64_t remote_us; /* by the peer, with the link */
    int64_t tail_us;   /* here */
    bool may_stay;     /* each request may have it done here, as policy/handover.h says */
} clv_expectation;

typedef struct clv_choice {
    clv_route route;
    clv_route second; /* worth keeping warm; equal to `route`: none is */
    clv_expectation expected;
} clv_choice;

/* Loop's thread. All local if there is no plan. */
clv_choice clv_choice_make(clv_splitter *s, clv_way *w);

#endif
