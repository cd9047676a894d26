/* Maximum flow and minimum cut of a directed network with whole-number capacities.
 *
 *     clv_flow *f = clv_flow_new();
 *     int s = clv_flow_add_node(f), a = clv_flow_add_node(f), t = clv_flow_add_node(f);
 *     clv_flow_add_arc(f, s, a, 5);
 *     clv_flow_add_arc(f, a, t, 3);
 *     int64_t value = clv_flow_max(f, s, t);              // 3
 *     bool near = clv_flow_source_side(f, a);             // true: the arc a->t is the cut
 *     clv_flow_free(f);
 *
 * The value is that of the least cut; the arcs from the source side to the sink side are such a cut.
 * Of several least cuts it is the one with the largest source side, which is unique. Capacities may
 * be changed and the flow computed again, so that one network serves many weights.
 *
 * An arc of capacity CLV_FLOW_INFINITE is never in a cut. All finite capacities of a network must add
 * up to less than that. Nothing recurses, so depth costs no stack.
 *
 * Threads: one at a time. Memory is bounded by the caller's network: allocation aborts.
 *
 * Source: Dinic, "Algorithm for solution of a problem of maximum flow in networks with power
 * estimation", 1970; with levels counted from the sink, so that the last search is also the cut.
 */
#ifndef CLV_PLAN_FLOW_H
#define CLV_PLAN_FLOW_H

#include "base/mem.h"

#include <stdbool.h>

#define CLV_FLOW_INFINITE (INT64_MAX / 2)

typedef struct clv_flow clv_flow;

clv_flow *clv_flow_new(void);
void clv_flow_free(clv_flow *f);
void clv_flow_release(clv_flow **f); /* for CLV_AUTO */

int clv_flow_add_node(clv_flow *f);
/* 0 <= capacity <= CLV_FLOW_INFINITE. Returns the arc, for clv_flow_set(). */
int clv_flow_add_arc(clv_flow *f, int from, int to, int64_t capacity);
void clv_flow_set(clv_flow *f, int arc, int64_t capacity);

/* The value of the least cut, from empty: an earlier flow is forgotten. CLV_FLOW_INFINITE when every
 * cut has an infinite arc; then there is no cut to ask for. */
int64_t clv_flow_max(clv_flow *f, int source, int sink);
/* After clv_flow_max(): is the node on the source's side? */
bool clv_flow_source_side(const clv_flow *f, int node);
/* What all calls of clv_flow_max() have done: paths filled, and arcs looked at, some 5 ns each. */
size_t clv_flow_augmentations(const clv_flow *f);
size_t clv_flow_steps(const clv_flow *f);

#endif
