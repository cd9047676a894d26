/* Where a request's time went at each node that it came to: what a node tells with its answer,
 * first of itself, then what its peer told. A value, bounded.
 *
 *     clv_trip trip = {0};
 *     clv_trip_parse(text, &trip, &err);                     // of the peer's answer, `cleave_trip`
 *     if (clv_trip_us(&trip) > took_us) trip.n = 0;          // more than there was: not believed
 *
 * As text: for each node the times of CLV_TRIP_MAP in this order, in microseconds, joined by
 * commas; nodes by semicolons. "12,3400,90,15000,0,0;200,900,0,0,80,0". Limits:
 * CLV_PLAN_DEVICES_MAX nodes, an hour each.
 */
#ifndef CLV_SPLIT_TRIP_H
#define CLV_SPLIT_TRIP_H

#include "plan/problem.h"

#define CLV_TRIP_MAP(X)                                                                            \
    X(wait_us, "waited there")                                                                     \
    X(compute_us, "computed there")                                                                \
    X(encode_us, "tensors into a message, for the next node")                                      \
    X(link_us, "on the wire to the next node and back")                                            \
    X(decode_us, "message into tensors")                                                           \
    X(lost_us, "spent there on a node that did not answer")

typedef struct clv_trip_node {
#define X(name, about) int64_t name;
    CLV_TRIP_MAP(X)
#undef X
} clv_trip_node;

typedef struct clv_trip {
    clv_trip_node nodes[CLV_PLAN_DEVICES_MAX];
    size_t n;
} clv_trip;

enum { CLV_TRIP_TEXT_MAX = 1024 };
#define CLV_TRIP_US_MAX INT64_C(3600000000)

/* All times of all nodes. */
int64_t clv_trip_us(const clv_trip *t);
/* A node, then those of `behind`, as far as there is room. */
clv_trip clv_trip_of(const clv_trip_node *first, const clv_trip *behind);
/* Heap text; "" for no nodes. */
char *clv_trip_text(const clv_trip *t);
/* CLV_EINVAL: not such a text; CLV_ELIMIT: too many nodes, a time beyond an hour. */
CLV_MUST
clv_status clv_trip_parse(const char *text, clv_trip *out, clv_error *err);

#endif
