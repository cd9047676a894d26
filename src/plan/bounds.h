/* What no score of a cut is below, for all cuts of a problem with two devices at once. Private to
 * plan/.
 *
 *     int64_t *bounds = clv_alloc_array(p->cuts->n, sizeof *bounds);
 *     clv_bounds_make(p, bounds);
 *     if (bounds[cut] > score_of_another) …               // then no codec makes this cut the better one
 *
 * All objectives but throughput are weighted sums of nanoseconds, nanojoules and money, and each
 * of these is linear in what a cut has: the times before and behind it, its bytes raw and coded,
 * the answer's bytes. So one pass over the problem makes a price for each of these (a nanosecond
 * on the edge, a byte on the wire, …), in which link, load, watts and weights are contained, and a
 * cut takes a handful of multiplications, whatever the objective. The least over the codecs is
 * part of it: of those that are a ratio one has the lowest price of a raw byte at every cut; those
 * with bytes of their own are looked at cut by cut.
 *
 * In double precision, less what that can err by; the parts' rounding up is left out, and so is
 * variance, which only ever adds. A bound is therefore a few units below the score of the cut's
 * best codec, and as much below it as the quantile is above the mean.
 *
 * Units: those of the objective's score (plan/problem.h). Threads: any. No errors: the problem was
 * checked (clv_plan_problem_check()), has two devices, and its hop is up. */
#ifndef CLV_PLAN_BOUNDS_H
#define CLV_PLAN_BOUNDS_H

#include "plan/problem.h"

/* out[cuts->n], the caller's. CLV_PLAN_UNKNOWN: not a candidate, because it is the last cut
 * (nothing crosses), was not measured, has a unit where pins or privacy forbid it, or keeps some
 * limit on time, energy or price in no codec. Limits on memory are not looked at. O(cuts × (codecs
 * with bytes of their own + words of a cut)). */
void clv_bounds_make(const clv_plan_problem *p, int64_t *out);

#endif
