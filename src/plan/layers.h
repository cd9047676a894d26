/* The search of planners B and C: device by device, from what has arrived to what is sent on.
 * Private to plan/.
 *
 *     CLV_AUTO(clv_layers_done) clv_layers l;
 *     clv_layers_init(&l, p, clv_terms_of(p));
 *     clv_layers_search(&l, clv_climb_run, &climb);          // plan/climb.h; or plan/pairs.h
 *     if (clv_layers_best(&l) < 0) … no placement keeps the limits
 *
 * A state is a hop, the cut that crossed it and the codec in which it did. For each device the search
 *   1. reads what arrived (decoding, the wait): `ready`, a set of labels for each cut;
 *   2. ends here: from each cut to all;
 *   3. runs: climb.h or pairs.h fill `reached`, a set for each cut that is more than before;
 *   4. sends: writes and crosses with each codec, or passes on what arrived as it came.
 * Nothing is kept between searches but memory.
 */
#ifndef CLV_PLAN_LAYERS_H
#define CLV_PLAN_LAYERS_H

#include "plan/labels.h"
#include "plan/planners.h"

/* The best placement that ends on a device. */
typedef struct clv_layer_end {
    bool found;
    clv_label label;
    int64_t score;
} clv_layer_end;

typedef struct clv_layers {
    const clv_plan_problem *p;
    clv_terms terms;
    clv_label_sets arrived[CLV_PLAN_DEVICES_MAX]; /* [cut * n_codecs + codec] before device k */
    clv_label_sets ready, reached;                /* [cut] of the device at hand */
    clv_labels set;                               /* the one that is filled */
    uint8_t *unit_devices;                        /* [n_units] as clv_plan_unit_devices() */
    uint64_t *barred;                             /* units that the device at hand may not run */
    bool any_barred, thinned;
    size_t considered; /* labels */
    /* the least period that was broken: up to it nothing else would be found */
    int64_t next_period_ns;
    clv_layer_end ends[CLV_PLAN_DEVICES_MAX];
} clv_layers;

/* Fills l->reached for all cuts but the last, from l->ready. */
typedef void clv_layer_run(clv_layers *l, size_t device, void *context);

void clv_layers_init(clv_layers *l, const clv_plan_problem *p, clv_terms terms);
/* Again, with what was found before forgotten, is fine. */
void clv_layers_search(clv_layers *l, clv_layer_run *run, void *context);
int clv_layers_best(const clv_layers *l); /* the last device of the best placement, -1: none */
/* The placement that ends on `device`, found by following its label back. */
clv_plan_chain clv_layers_chain(const clv_layers *l, size_t device);
/* The best of these placements, and the others as rivals, all weighed. CLV_EINFEASIBLE when there are
 * none, or CLV_ELIMIT when labels were dropped, so that there may be one. */
CLV_MUST
clv_status clv_layers_rank(const clv_layers *l, const clv_plan_chain *const *chains, size_t n,
                           clv_planner_answer *out, clv_error *err);
/* That for what was found: the best of each last device. */
CLV_MUST
clv_status clv_layers_answer(const clv_layers *l, clv_planner_answer *out, clv_error *err);
void clv_layers_done(clv_layers *l);

/* ---- for the step in the middle ---- */

/* May the device at hand run the units between two cuts (pins and privacy; not memory)? */
bool clv_layers_may_run(const clv_layers *l, size_t from, size_t to);
/* A segment or a progress as a toll; false: not measured. */
bool clv_layers_work(const clv_layers *l, size_t device, const clv_plan_time *time, clv_label *out);
/* A label of the set, unless the device works for longer than a period. */
void clv_layers_offer(clv_layers *l, const clv_label *label);
/* The set becomes the next one of `sets`, and is empty again. */
void clv_layers_reach(clv_layers *l, clv_label_sets *sets);

#endif
