/* From measurements to the planner's question: profiles and links in, a clv_plan_problem out.
 *
 *     clv_plan_sources from = {.graph = g, .cuts = cuts, .n_devices = 2,
 *                              .profiles = {edge, cloud}, .links = {wifi}};
 *     clv_plan_tables *t;
 *     clv_plan_tables_new(&from, &t, &err);
 *     t->problem.objective.goal = CLV_GOAL_ENERGY;       // the question's other fields are the caller's
 *     clv_plan_solve(&t->problem, &plan, &err);
 *     clv_plan_tables_link(t, 0, &slower);               // again, warm: a few multiplications
 *     clv_plan_solve(&t->problem, &plan, &err);
 *     clv_plan_tables_free(t);
 *
 * The graph and the cuts are those of device 0, which carries the plan out; a profile of another
 * device may have fused, and so cut, the network differently. A cut of the problem is found in a
 * profile by its set of live tensors, in any order. What a device has not measured, or does not cut
 * there, is CLV_PLAN_UNKNOWN and no candidate on that device.
 *
 * Made from the profiles, rounded once, to whole nanoseconds:
 *   prefix, suffix  medians, with the variance of one run (sigma squared)
 *   unit_ns         the units' shares of the whole. A device whose units have other names gets device
 *                   0's shares, scaled by the times of the whole.
 *   progress        of the devices in the middle: when a cut is reached. Estimated twice, as the
 *                   prefix's time and as the whole's less the suffix's; the mean of both. Noise may
 *                   make that fall from an ideal to a larger one, which no time does: the result is the
 *                   mean of the largest value among the ideals inside and the smallest among those
 *                   around, which never falls. Beyond CLV_TABLES_PAIRS_MAX cuts it is the sum of
 *                   unit_ns, which never falls either.
 *   codecs          those of the offer (plan/offer.h) that were measured: bytes and lost accuracy at each
 *                   cut from whichever profile has them, the one with data first; times from each
 *                   device's own
 *   power, price    as the profiles and links state them (cost/power.h, cost/radio.h), 0: not known
 *
 * The new problem asks for the least mean latency, without waits or overheads, and without limits but
 * the offer's on accuracy.
 * Threads: changed by one.
 */
#ifndef CLV_PLAN_TABLES_H
#define CLV_PLAN_TABLES_H

#include "cost/correction.h"
#include "cost/link.h"
#include "cost/profile.h"
#include "plan/offer.h"

enum { CLV_TABLES_PAIRS_MAX = 4096 };

typedef struct clv_plan_sources {
    const clv_graph *graph; /* borrowed for the life of the tables, as are the cuts */
    const clv_cuts *cuts;
    const clv_profile *profiles[CLV_PLAN_DEVICES_MAX]; /* read, not kept */
    clv_link links[CLV_PLAN_DEVICES_MAX - 1];
    size_t n_devices;
    clv_plan_offer offer; /* the codecs; zeroed: raw only */
} clv_plan_sources;

typedef struct clv_plan_tables {
    clv_plan_problem problem; /* points into these tables: a copy lives no longer than they do */
    clv_link links[CLV_PLAN_DEVICES_MAX - 1];
    clv_plan_time *times[CLV_PLAN_DEVICES_MAX];    /* of a device: prefix, suffix, progress */
    clv_plan_time *measured[CLV_PLAN_DEVICES_MAX]; /* the same as the profile has them */
    int64_t *unit_ns[CLV_PLAN_DEVICES_MAX];
    clv_plan_codec codecs[CLV_PLAN_CODECS_MAX];
    clv_codec named[CLV_PLAN_CODECS_MAX]; /* the problem's codec i */
    clv_plan_left_out left_out;           /* of the codecs that were asked for by name */
    int64_t *codec_cuts;
} clv_plan_tables;

/* CLV_EMISMATCH: the profiles are of different models. CLV_EINVAL: fewer than two devices or too many,
 * a device that has not timed the whole network, a link that is up without a rate. */
CLV_MUST
clv_status clv_plan_tables_new(const clv_plan_sources *from, clv_plan_tables **out, clv_error *err);
void clv_plan_tables_free(clv_plan_tables *t); /* NULL is fine */

/* The link of a hop as it is now. The hop's overhead stays. CLV_EINVAL: up, but without a rate; then
 * nothing has changed. */
CLV_MUST
clv_status clv_plan_tables_link(clv_plan_tables *t, size_t hop, const clv_link *link,
                                clv_error *err);
/* What a segment waits on a device before it starts. */
void clv_plan_tables_wait(clv_plan_tables *t, size_t device, double wait_us);
/* Fixed cost of an exchange over a hop, besides the link. */
void clv_plan_tables_overhead(clv_plan_tables *t, size_t hop, double overhead_us);
/* The measured prefixes and suffixes times what runs on the device have taught since: cut i's by the
 * correction's factor for i, as it is now; progress by the device's factor. */
void clv_plan_tables_correct(clv_plan_tables *t, size_t device, const clv_correction *c,
                             int64_t now_us);

#endif
