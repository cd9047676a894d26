/* Time as values. One unit everywhere: microseconds in int64_t, names end in `_us`.
 * Deciding code never reads a clock, it is given `now_us`. */
#ifndef CLV_BASE_CLOCK_H
#define CLV_BASE_CLOCK_H

#include <stdint.h>

int64_t clv_now_us(void);      /* monotonic, for durations and deadlines */
int64_t clv_now_ns(void);      /* monotonic, for benches */
int64_t clv_wall_us(void);     /* since the Unix epoch; it jumps: for the log alone */
void clv_sleep_us(int64_t us); /* returns no earlier; resumes after signals */

#endif
