/* How a device runs segments, by trying every pair of cuts of which one is within the other: the step
 * in the middle of clv_layers_search() for what is known of a whole segment only, its memory. Private
 * to plan/.
 *
 *     CLV_AUTO(clv_pairs_done) clv_pairs pairs;
 *     clv_pairs_init(&pairs, p, CLV_PAIRS_CUTS_MAX);
 *     clv_layers_search(&layers, clv_pairs_run, &pairs);
 *
 * O(pairs) labels' work for each device between the first and the last; these two have one segment
 * for each cut. Of more cuts than asked for those with the fewest bytes are looked at.
 *
 * Source: Tarnawski et al., NeurIPS 2020. Our difference: memory is weights and peak activations, run
 * through only where sums over the two cuts do not decide.
 */
#ifndef CLV_PLAN_PAIRS_H
#define CLV_PLAN_PAIRS_H

#include "plan/layers.h"

enum { CLV_PAIRS_CUTS_MAX = 4096 };

/* Of a segment's memory without running through its units: at least its weights, at most these and
 * all that it takes and makes. */
typedef struct clv_pairs_volume {
    int64_t weights, made; /* bytes of the cut's ideal */
} clv_pairs_volume;

typedef struct clv_pairs {
    clv_pairs_volume *volumes; /* [cut] */
    clv_label *tolls;          /* [cut] of the progress on the device at hand */
    bool *known;               /* [cut] */
    size_t *cuts;              /* those that are looked at, ascending */
    size_t n_cuts, tried;
} clv_pairs;

void clv_pairs_init(clv_pairs *c, const clv_plan_problem *p, size_t cuts_max);
void clv_pairs_done(clv_pairs *c);
/* A clv_layer_run; `context` is the pairs. */
void clv_pairs_run(clv_layers *l, size_t device, void *context);

#endif
