/* A deployment: a route with this node's segments of it resident, ready to carry requests. A
 * reference-counted, immutable value. Private to split/. */
#ifndef CLV_SPLIT_DEPLOYMENT_H
#define CLV_SPLIT_DEPLOYMENT_H

#include "repo/network.h"
#include "split/request.h"
#include "split/route.h"

#include <stdatomic.h>

typedef struct clv_deployment {
    atomic_int refs;
    size_t from; /* the cut that it begins at: 0, or where another node hands on to this one */
    clv_route route;
    char *itinerary;   /* for the peer: split/itinerary.h; NULL: the peer runs all the rest */
    clv_segment *head; /* from there up to its cut; NULL if that is nothing */
    clv_segment *tail; /* suffix, to finish here what the peer did not; NULL when all is local */
    char *label;       /* as clv_route_label() */
    bool any_batch;    /* false: batch 1 only */
    /* requests that went as planned: the first run cold segments and teach nothing */
    atomic_int answered;
    _Atomic uint64_t served; /* answered as its route has it, shared runs too */
    /* predicted, following the link; 0: not known */
    _Atomic int64_t expected_remote_us; /* the peer's part with the link */
    _Atomic int64_t expected_tail_us;   /* the same part, done here */
    atomic_bool
        may_stay; /* each request may go on here at the cut: nothing that was asked for forbids it */
    /* of a whole request; guarded by the splitter's lock: split/forecast.h */
    clv_prediction predicted;
} clv_deployment;

/* Compiles what is missing (blocks): for the build lane. */
CLV_MUST
clv_status clv_deployment_new(clv_network *network, size_t from, const clv_route *route,
                              clv_deployment **out, clv_error *err);
/* The first request on it is not to pay for the first run (blocks): as above. Only of the part that
 * requests run here when all goes well. */
void clv_deployment_warm_up(clv_deployment *d);
clv_deployment *clv_deployment_ref(clv_deployment *d);
void clv_deployment_unref(clv_deployment *d); /* NULL is fine */

/* Up to which cut it runs here: which segments it holds. */
static inline size_t clv_deployment_cut(const clv_deployment *d)
{
    return d->route.cut[0];
}

#endif
