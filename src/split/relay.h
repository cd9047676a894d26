/* What this node holds for others: for each cut that one of them hands on at, the segment that it
 * is to run from there, or, where a way leads on to the next node (split/itinerary.h), that segment
 * and the one with which it finishes the rest itself should the next node fail. Deployments that
 * begin at a cut; the one not asked for the longest goes when there are more than CLV_RELAYS_MAX.
 *
 *     clv_relay_prepare(s, from, &route, done, arg);          // loop's thread: built here, prepared down the way
 *     clv_deployment *d = clv_relay_find(s, from, &route);    // any thread: NULL if it must be built first
 *     clv_relay_make(s, from, &route, &d, &err);              // not the loop's thread: blocks
 *
 * Private to split/.
 */
#ifndef CLV_SPLIT_RELAY_H
#define CLV_SPLIT_RELAY_H

#include "split/deployment.h"
#include "split/splitter.h"

enum { CLV_RELAYS_MAX = 16 };

/* Latest first; guarded by the splitter's lock. */
typedef struct clv_relays {
    clv_deployment *items[CLV_RELAYS_MAX];
} clv_relays;

/* A reference, or NULL. */
clv_deployment *clv_relay_find(clv_splitter *s, size_t from, const clv_route *route);
/* Compile what is missing and keep it. */
CLV_MUST
clv_status clv_relay_make(clv_splitter *s, size_t from, const clv_route *route,
                          clv_deployment **out, clv_error *err);
/* Off the request path, and at the nodes that follow on the route. `done` on any thread. A next
 * node that cannot be reached is no error: this one can finish the rest. */
void clv_relay_prepare(clv_splitter *s, size_t from, const clv_route *route,
                       clv_splitter_done_fn done, void *arg);
/* The peer that follows now: the first that is up; -1: none. Any thread. */
int clv_relay_way(clv_splitter *s);
void clv_relays_done(clv_splitter *s);

#endif
