/* Which cuts are worth timing, and in which order, when there is no time for all.
 *
 *     clv_cut_choice *c = clv_cut_choice_new(graph, cuts);
 *     for (size_t i = 0; i < c->n; i++) measure(c->order[i]);     // may stop anywhere
 *     clv_cut_choice_free(c);
 *
 * The order has three parts: cuts that can win, then those of one long chain (from which the times
 * of units are made, measure/unit_times.h), then the rest. Within a part the cuts are spread: the
 * middle, the quarters, the eighths, …, so that stopping early leaves no half of the network
 * unmeasured. Cut 0 and the last are not in it: the time of the whole network serves both.
 *
 * Which cuts can win? Let A and B be cuts, A's units a part of B's, and A send no more bytes in
 * either direction. Then B differs from A only in that the units B - A run on the edge instead of
 * the cloud, for no saving on the link, at any rate, round trip or queue.
 *   - If the cloud runs B - A no slower than the edge, A is at least as good as B: B is useless.
 *   - If the speed ratio of the two devices is the same for all segments (the time of every segment
 *     on one is k times that on the other), B is useless at any k: for k <= 1 as above, and for
 *     k > 1 running everything on the edge is better than any cut.
 * What remains is a devices' pair where the edge is faster at just the units B - A and slower
 * elsewhere (say, tiny layers against a GPU's launch time). Then a useless cut can win by at most
 * what the edge is faster by on B - A. Who cares measures all cuts (--all).
 */
#ifndef CLV_MEASURE_CUT_CHOICE_H
#define CLV_MEASURE_CUT_CHOICE_H

#include "graph/cuts.h"

typedef struct clv_cut_choice {
    size_t *order; /* n cuts, the most useful first: n_useful, the chain's, the rest */
    size_t n, n_useful;
    size_t *chain; /* nested cuts from 0 to the last, as fine as one chain gets */
    size_t n_chain;
} clv_cut_choice;

clv_cut_choice *clv_cut_choice_new(const clv_graph *g, const clv_cuts *cuts);
void clv_cut_choice_free(clv_cut_choice *c); /* NULL is fine */

/* Bytes of the network's outputs that the units outside of the cut make. */
size_t clv_cut_down_bytes(const clv_graph *g, const clv_cut *cut);

#endif
