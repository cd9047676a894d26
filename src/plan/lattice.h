/* The order on a problem's cuts: which ideal comes just before which.
 *
 *     clv_lattice *l = clv_lattice_new(graph, cuts);
 *     for (size_t i = 0; i < l->n; i++)                          // smaller ideals come first
 *         for (size_t s = l->first[i]; s < l->first[i + 1]; s++)
 *             best[i] = CLV_MIN(best[i], best[l->steps[s].from]);
 *     clv_lattice_free(l);
 *
 * after which best[i] is the least over all cuts within cut i, its own included: every inclusion of
 * one cut in another is a way of steps, and no way leads anywhere else.
 *
 * The nodes are the cuts and, where the list has gaps (ideals of unknown shapes, ideals merged into
 * one of the same live set), the ideals in the gaps: then every step is one unit, and there are
 * O(ideals × width) of them. A list that was capped, or whose gaps are too many, has nodes for its
 * cuts only, and steps of several units between those that have nothing in between.
 *
 * Depends on the graph and the cuts alone, so one lattice serves all problems with these cuts.
 * Borrows nothing. Threads: any number may read.
 *
 * Source: the ideals of a partial order are a distributive lattice whose covering pairs differ in one
 * element (Birkhoff, "Rings of sets", 1937). Finding a cover by the hash of the set without one element
 * is Zobrist's way of hashing positions (1970).
 */
#ifndef CLV_PLAN_LATTICE_H
#define CLV_PLAN_LATTICE_H

#include "graph/cuts.h"

enum { CLV_LATTICE_NODES_MAX = 2 * CLV_CUTS_CAP, CLV_LATTICE_SEVERAL = -1, CLV_LATTICE_GAP = -1 };

typedef struct clv_lattice_step {
    int from; /* a node before this one */
    int unit; /* what the larger ideal has more; CLV_LATTICE_SEVERAL: more than one unit */
} clv_lattice_step;

typedef struct clv_lattice {
    size_t n;      /* nodes, smaller ideals first */
    int *cut;      /* [n] the node's cut; CLV_LATTICE_GAP: an ideal that is none of them */
    size_t *first; /* [n + 1] */
    clv_lattice_step *steps; /* those into node i: first[i] to first[i + 1] */
} clv_lattice;               /* one block: clv_free() will do for CLV_AUTO */

/* Past `CLV_LATTICE_NODES_MAX` nodes the gaps are left out. */
clv_lattice *clv_lattice_new(const clv_graph *g, const clv_cuts *cuts);
/* As above with another number of nodes at most: 0 for none but the cuts. */
clv_lattice *clv_lattice_new_within(const clv_graph *g, const clv_cuts *cuts, size_t nodes_max);
void clv_lattice_free(clv_lattice *l);

#endif
