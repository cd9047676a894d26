/* Legal cuts: the order ideals of the units' partial order.
 *
 * An order ideal is a predecessor-closed set of units: "what has been executed". Its cut is the set
 * of live tensors: those made inside (or graph inputs) and needed outside. Each crosses once,
 * however many consumers it has. A graph output made inside is not live for that reason alone: it
 * stays with the side that made it. The cuts are ordered by number of units, then
 * lexicographically; index 0 is the empty ideal (all remote, live = graph inputs) and the last is
 * the full ideal (all local, nothing live).
 *
 *     clv_cuts *cuts;
 *     clv_cuts_enumerate(g, CLV_CUTS_CAP, &cuts, &err);
 *     if (cuts->capped) puts("more ideals than the cap: single-tensor cuts only");
 *
 * Past the cap, the result holds only ideals whose cut is a single tensor, plus those just before
 * and just after an articulation point (a unit through which every input-output path goes), and
 * `capped` is true. Two ideals with the same live set (they differ in units whose results nobody
 * outside needs: dead ones, or heads that end in a graph output) count once, as the larger one; of
 * equally large ones the first. Ideals whose live set has a tensor of unknown shape or dtype are
 * left out. The empty and the full ideal are always there, whatever is live in them.
 *
 * Source: Tarnawski et al., "Efficient Algorithms for Device Placement of DNN Graph Operators",
 * NeurIPS 2020. Our differences: depth-first extension with a list of ready units, so that each
 * step is a new ideal, and live sets kept as it goes; no DP.
 */
#ifndef CLV_GRAPH_CUTS_H
#define CLV_GRAPH_CUTS_H

#include "graph/graph.h"

#define CLV_CUTS_CAP 100000
enum { CLV_CUT_LABEL_MAX = 96 }; /* bytes of a label, without NUL */

typedef struct clv_cut {
    uint64_t *units; /* bitset of the ideal, clv_cuts.words long */
    size_t n_units;  /* in the ideal */
    int *live;       /* tensor indices, ascending */
    size_t n_live;
    size_t bytes;      /* sum over live, at batch 1 */
    size_t down_bytes; /* of the graph's outputs made outside of the ideal, at batch 1 */
} clv_cut;

typedef struct clv_cuts {
    clv_cut *items;
    size_t n, words;
    bool capped;
} clv_cuts;

CLV_MUST
clv_status clv_cuts_enumerate(const clv_graph *g, size_t cap, clv_cuts **out, clv_error *err);
void clv_cuts_free(clv_cuts *cuts);
bool clv_cut_has(const clv_cut *cut, int unit);
bool clv_cut_within(const clv_cuts *cuts, size_t inner,
                    size_t outer); /* is ideal `inner` a subset of `outer`? */
/* The cut whose live tensors are exactly `names`, or -1. For equal live sets the larger ideal. */
int clv_cuts_find(const clv_cuts *cuts, const clv_graph *g, const char *const *names, size_t n);
/* Text of a cut for people: "input" for 0, "output" for the last, else the live tensors' names
 * joined by "+". A text longer than CLV_CUT_LABEL_MAX becomes the end of the first name, how many
 * more there are, and a hash of the whole: "...Concat_output_0+3 more#89abcdef". Heap text. */
char *clv_cut_label(const clv_cuts *cuts, const clv_graph *g, size_t cut);

#endif
