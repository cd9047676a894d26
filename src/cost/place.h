/* A unit where it stands: its own features, and what of its neighbours changes its time.
 *
 *     clv_unit_place p = clv_unit_place_of(graph, unit);
 *     double x[CLV_PLACE_NUMBERS];
 *     clv_unit_place_numbers(&p, x);       // for a regression; distances between them mean something
 *
 * Neighbours matter because an engine does more between two of its levels than a graph of units
 * shows: it merges an addition into the convolution before it, and keeps images in a blocked layout
 * as long as one operator after the other can work on it. A plain value. Threads: any.
 */
#ifndef CLV_COST_PLACE_H
#define CLV_COST_PLACE_H

#include "graph/graph.h"

typedef struct clv_unit_place {
    clv_unit_features features;
    /* who made an input that nobody else reads (through additions: before them); OTHER: no such */
    clv_unit_kind after;
    clv_unit_kind from; /* who made the largest input; OTHER: it is the network's own */
    int inputs;         /* computed inputs */
    /* weights and results of the whole network: what passes through the caches between two runs of
     * this unit */
    int64_t beside_bytes;
    int added; /* 1: its only reader adds another tensor to its result */
} clv_unit_place;

enum { CLV_PLACE_NUMBERS = 25 };

clv_unit_place clv_unit_place_of(const clv_graph *g, size_t unit);
/* The kind that its time is learnt with: its own, but for a convolution whose channels do not come in fours.
 * Engines keep images in vectors of channels; what does not fill them is run by the general code, that of
 * groups, and a depthwise one then takes many times as long. The few channels of a picture are no
 * such case. */
clv_unit_kind clv_unit_place_kind(const clv_unit_place *p);
/* Logarithms of sizes, what is wasted by rounding up to vectors, and marks for what is or is not. */
void clv_unit_place_numbers(const clv_unit_place *p, double x[CLV_PLACE_NUMBERS]);

/* Which of CLV_PLACE_MARKS situations it stands in, of those that decide whether an engine merges it into
 * another: behind a convolution, on images, all inputs of one size, smooth. */
enum { CLV_PLACE_MARKS = 16 };
int clv_unit_place_mark(const clv_unit_place *p);

#endif
