/* A deployment in the making: built here, on the lane for that, and prepared on the peer at the same
 * time. Private to split/.
 *
 *     clv_preparation_begin(splitter, &route, expected, false);    // requests go on as before
 *     ... clv_adapt_prepared(p) on the loop's thread, when both ends are ready or have failed
 */
#ifndef CLV_SPLIT_PREPARATION_H
#define CLV_SPLIT_PREPARATION_H

#include "split/choice.h"

typedef struct clv_preparation {
    clv_splitter *s;
    clv_route route;
    clv_expectation expected;
    bool spare;            /* to be kept warm, not to be deployed */
    clv_deployment *built; /* NULL: failed */
    atomic_int open;       /* sides that are not ready yet */
    clv_error here, there; /* why a side failed */
} clv_preparation;

/* Loop's thread, both. */
void clv_preparation_begin(clv_splitter *s, const clv_route *route, clv_expectation expected,
                           bool spare);
/* The route was prepared before and is deployed again: so that the peer keeps its part longer than
 * those that it is not asked for. What becomes of it is only looked at for a peer that has
 * forgotten the model. */
void clv_preparation_refresh(clv_splitter *s, const clv_route *route);

/* adapt.c: both ends have come to an end; `p` is borrowed. */
void clv_adapt_prepared(const clv_preparation *p);

#endif
