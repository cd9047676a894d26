/* How fast a machine was while something was measured, by what the reference network (zoo/reference.h) took
 * meanwhile.
 *
 *     double slower = clv_speed_factor(&profile->reference, &calibration->reference);
 *     predicted_us *= slower;                       // as it would have been measured then
 *
 * A shared machine is faster in one minute and slower in the next, by more than a good prediction is wrong. Two
 * measurements that both kept the reference's time can be brought to one speed. A value, made by
 * measure/speedometer.h, in profiles and calibrations (docs/json.md, `reference`).
 *
 * Threads: any; plain values. */
#ifndef CLV_COST_SPEED_H
#define CLV_COST_SPEED_H

#include "base/digest.h"

#define CLV_SPEED_US_MIN 1.0 /* what no machine does it below, … */
#define CLV_SPEED_US_MAX 6e7 /* … and above: a minute */

typedef struct clv_speed {
    char network[CLV_DIGEST_TEXT]; /* of the reference network: others cannot be compared */
    double us, sigma_us; /* median and robust standard deviation, without an emulated slowdown */
    int n;               /* of so many; 0: not known */
} clv_speed;

/* How many times slower the machine was at `now` than at `then`; 1 where either is not known or they are of
 * different reference networks. */
double clv_speed_factor(const clv_speed *now, const clv_speed *then);

#endif
