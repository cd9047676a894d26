/* A prefix and the suffix of the same cut make up the whole: what one of them seems to take tells of
 * the other.
 *
 *     clv_complement_settle(profile);      // after all cuts were timed, before anybody plans with them
 *
 * Both sides of a cut are timed alone, some percent off each. Their sum should be the whole's time and
 * what it costs to cut: layers that no longer fuse, one more call. That cost is about alike at all cuts;
 * its median over them is taken, its spread around the median is what the cuts differ by. How far a
 * cut's sum lies off that is measurement error for the most part, and is taken off both sides in
 * proportion to their variances (the conditional mean of two normal variables, given a noisy sum). A long
 * prefix with a suffix that takes next to nothing so becomes as long as the whole: without that, noise
 * decides whether the last layer is better sent away.
 *
 * The variance of a median of n runs is taken as (spread * us)^2 / n, with the same relative spread for
 * all segments, the median of what they showed: a few runs tell little of their own spread. `sigma_us`
 * and `n` stay, they are of single runs. Cuts of which one side was not timed stay as they are.
 *
 * Pure. Threads: any.
 */
#ifndef CLV_MEASURE_COMPLEMENT_H
#define CLV_MEASURE_COMPLEMENT_H

#include "cost/profile.h"

/* The whole must be timed. */
void clv_complement_settle(clv_profile *p);

#endif
