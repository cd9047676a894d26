/* A route: which node of a chain runs what of a network, and how tensors are written on the way. A
 * value, the identity of a deployment: two equal routes are the same plan.
 *
 * Node 0 is this one, node k + 1 is the peer of node k. Node k runs from where the tensors are up
 * to cut[k], and hands the rest on in codec[k]; the last node that runs anything has the full
 * ideal. Cuts are numbers of this node's own clv_network_cuts(); on the wire a cut is the names of
 * its tensors, since two nodes may number them differently.
 *
 *     {.n = 1, .cut = {last}}                              all local
 *     {.n = 2, .cut = {0, last}, .codec = {raw}}           all remote
 *     {.n = 3, .cut = {4, 9, last}, .codec = {q8, raw}}    here, at the gateway, in the cloud
 *
 * Threads: any; routes are values.
 */
#ifndef CLV_SPLIT_ROUTE_H
#define CLV_SPLIT_ROUTE_H

#include "graph/cuts.h"
#include "plan/plan.h"
#include "tensor/codec.h"

typedef struct clv_route {
    size_t n; /* nodes, 1 to CLV_PLAN_DEVICES_MAX; the last one's cut is all */
    size_t cut[CLV_PLAN_DEVICES_MAX];
    clv_codec codec[CLV_PLAN_DEVICES_MAX - 1];
    /* which of this node's peers node 1 is: 0 the next hop, others while that is lost */
    size_t way;
} clv_route;

clv_route clv_route_local(size_t last);
/* Up to `cut` here, the rest on the peer in this codec; clv_route_local() for the last cut. */
clv_route clv_route_at(size_t cut, clv_codec codec, size_t last);
/* Of a plan whose codecs are numbered as `codecs` says; nodes behind the last one that runs anything are left out. */
clv_route clv_route_of(const clv_plan_chain *chain, const clv_codec *codecs, size_t last);
bool clv_route_equal(const clv_route *a, const clv_route *b);
/* "local", "remote", "conv2", "conv2 q8+zstd", "conv2 q8 > pool5": where each hop is crossed and,
 * unless raw, how. For people and for `cleave_plan`. Heap text. */
char *clv_route_label(const clv_route *r, const clv_cuts *cuts, const clv_graph *g);

#endif
