/* What a request says of its way behind the node that gets it: where that node stops and in which
 * codec it hands the rest on, then the same for the node behind it, and so on. The last node on the
 * way is not in it: it runs what is left.
 *
 *     // at node 0, for nodes 1 and 2: "conv2,relu3@q8;pool5@raw"
 *     clv_itinerary_text(&route, cuts, graph, &text, &err);
 *     clv_itinerary_parse(text, from, cuts, graph, &route, &err);   // at node 1: a route of its own, node 0 is itself
 *     clv_itinerary_text(&route, cuts, graph, &text, &err);         // for node 2: "pool5@raw"
 *
 * A stop is the names of the tensors at its cut, since two nodes may number cuts differently; bytes
 * other than letters, digits and "._-/:" are written %XX. A node that stops where it starts hands
 * on what it got, untouched. Each node takes its own stop off, so a way ends after
 * CLV_PLAN_DEVICES_MAX nodes whatever they are.
 *
 * Pure functions. Errors: CLV_EINVAL names the stop (no cut of this network, one that goes back, an
 * unknown codec), CLV_ELIMIT: too many stops, more than CLV_ITINERARY_MAX bytes. Private to split/.
 */
#ifndef CLV_SPLIT_ITINERARY_H
#define CLV_SPLIT_ITINERARY_H

#include "split/route.h"

enum { CLV_ITINERARY_MAX = 16384, CLV_ITINERARY_STOPS_MAX = CLV_PLAN_DEVICES_MAX - 2 };

/* For node 1 of the route: heap text; "" if it runs all the rest, or there is none. */
CLV_MUST
clv_status clv_itinerary_text(const clv_route *r, const clv_cuts *cuts, const clv_graph *g,
                              char **out, clv_error *err);
/* `from`: the cut that the request's tensors are at. "" is a route that ends here. */
CLV_MUST
clv_status clv_itinerary_parse(const char *text, size_t from, const clv_cuts *cuts,
                               const clv_graph *g, clv_route *out, clv_error *err);

#endif
