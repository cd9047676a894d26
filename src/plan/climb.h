/* How a device runs segments, by the lattice of the cuts: the step in the middle of clv_layers_search()
 * for whatever adds up along the way. Private to plan/.
 *
 *     CLV_AUTO(clv_climb_done) clv_climb climb;
 *     clv_climb_init(&climb, p);
 *     clv_layers_search(&layers, clv_climb_run, &climb);
 *
 * Within a device the way from cut I to cut J costs progress[J] - progress[I], so what counts of the
 * cuts within J is the least of (cost at I) - progress[I]: it is handed up along the lattice, one
 * step at a time, and no pair of cuts is looked at. A unit that the device may not run is a step that
 * it may not take.
 *
 * Source: Tarnawski et al., NeurIPS 2020, whose dynamic programme over ideals tries all pairs of
 * them. Our difference: differences of measured progress, which is what makes pairs needless.
 */
#ifndef CLV_PLAN_CLIMB_H
#define CLV_PLAN_CLIMB_H

#include "plan/lattice.h"
#include "plan/layers.h"

typedef struct clv_climb {
    const clv_lattice *lattice; /* the problem's, or `made` */
    clv_lattice *made;
    clv_label_sets held; /* [node] cost at a cut within it, less its progress */
    clv_labels below;
} clv_climb;

void clv_climb_init(clv_climb *c, const clv_plan_problem *p);
void clv_climb_done(clv_climb *c);
/* Does no progress fall from a cut to one that holds it? If one does, 0 is counted (plan/problem.h),
 * which is no difference any more, and only pairs will do. */
bool clv_climb_holds(const clv_climb *c, const clv_plan_problem *p);
/* A clv_layer_run; `context` is the climb. */
void clv_climb_run(clv_layers *l, size_t device, void *context);

/* What no placement scores below, for an answer that may not be the best: the optimum of the mean
 * without limits but pins and privacy, a single sum; of a pipeline an equal share of the least work.
 * Where progress falls, differences below 0 are counted as such. */
int64_t clv_climb_bound(const clv_plan_problem *p);

#endif
