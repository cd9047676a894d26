/* What runs teach about predicted times: a factor for the device, and one for each cut's segment.
 *
 *     clv_correction c;
 *     clv_correction_init(&c, n_cuts);
 *     clv_correction_observe(&c, cut, &(clv_correction_run){.predicted_us = 7200, .whole_us = 114000, .measured_us = 8300}, now_us);
 *     double us = predicted_us * clv_correction_factor(&c, cut, now_us);    // when planning
 *     clv_correction_done(&c);
 *
 * Profiles are medians of a quiet minute; the device that runs today is warmer, busier, or clocked
 * otherwise. The state is z = ln(measured / predicted) = level + residual[cut]: the level is common to
 * all segments of the device, so that a run at one cut also corrects those that were never run; the
 * residual is the cut's own. Each run updates both by a Kalman filter (scalar, the covariance between
 * them left out: the gain of each is its share of the innovation's variance).
 *
 * What a run takes beyond its profile is in part the same for short and long segments: caches that
 * others used meanwhile, a thread that has to wake up, some per cent of the whole network's time. Of
 * a short segment that is much: the residual may be so much larger, and what a head of 7 ms takes
 * longer says little of a network of 114.
 *
 * What was learnt fades: both are Ornstein-Uhlenbeck processes, which return to 0, the profile, with the
 * time constant CLV_CORRECTION_FADE_US. Without that a plan that was left in a slow spell would never be
 * tried again, because what does not run teaches nothing.
 *
 * Outliers: a run further away than CLV_CORRECTION_GATE standard deviations teaches nothing, unless
 * CLV_CORRECTION_STRIKES in a row lie on the same side: then the device has changed, and the level
 * starts anew at the nearest of them. The factor stays between 1/CLV_CORRECTION_MAX and
 * CLV_CORRECTION_MAX.
 *
 * Threads: one at a time.
 *
 * Source: per (device, segment) Kalman on log ratios as in latency predictors of serving systems; the
 * two-level form is ours, because a device's change of speed is common to its segments.
 */
#ifndef CLV_COST_CORRECTION_H
#define CLV_COST_CORRECTION_H

#include <stddef.h>
#include <stdint.h>

#define CLV_CORRECTION_MAX     20.0
#define CLV_CORRECTION_GATE    3.0
#define CLV_CORRECTION_FADE_US INT64_C(60000000)
enum { CLV_CORRECTION_STRIKES = 5 };

typedef struct clv_correction_run {
    double predicted_us,
        whole_us; /* of the segment, and of the network as one, both by the profile */
    double measured_us;
} clv_correction_run;

typedef struct clv_correction_state {
    double z, var;
    int64_t at_us; /* of the last run; 0: none yet */
} clv_correction_state;

typedef struct clv_correction {
    clv_correction_state level, *residual; /* owned, [n] */
    size_t n;
    int strikes;   /* outliers in a row, below 0: on the lower side */
    double struck; /* innovation of the nearest of them */
} clv_correction;

void clv_correction_init(clv_correction *c, size_t n_cuts);
void clv_correction_done(clv_correction *c);
/* Runs that took no time, or were predicted to take none, teach nothing. A whole that is not known (0)
 * counts as no longer than the segment. */
void clv_correction_observe(clv_correction *c, size_t cut, const clv_correction_run *run,
                            int64_t now_us);
/* 1 before the first run. */
double clv_correction_factor(const clv_correction *c, size_t cut, int64_t now_us);

#endif
