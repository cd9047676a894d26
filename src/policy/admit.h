/* Can a request still be answered in time? Asked before it is queued, so that what would be late
 * anyway is refused at once and takes nobody's time.
 *
 *     clv_admit_question q = {.now_us = now, .deadline_us = r->deadline_us, .ahead_us = ahead, .run_us = run};
 *     if (clv_admit(&q, "model 'lenet'", &err)) ...      // CLV_EBUSY or CLV_ETIMEOUT with the numbers
 *
 * It is late when what is ahead of it and what it takes itself end behind its deadline. Without a
 * deadline nothing is late. What is not known (0) is taken as nothing: an unknown request is never
 * refused for what it takes.
 *
 * The rule of Clockwork (Gujarati et al., OSDI 2020), whose predictions are of one device; ours may
 * include the link and the peer. Pure. Threads: any.
 */
#ifndef CLV_POLICY_ADMIT_H
#define CLV_POLICY_ADMIT_H

#include "base/status.h"

#include <stdint.h>

typedef struct clv_admit_question {
    int64_t now_us, deadline_us; /* deadline 0: none */
    int64_t ahead_us;            /* of what is served before it */
    int64_t run_us;              /* from its turn to its answer */
} clv_admit_question;

/* CLV_ETIMEOUT: the deadline has passed, or would even if nothing were ahead. CLV_EBUSY: only what
 * is ahead makes it late, so it may be asked again. The text begins with `what` and has all
 * numbers. */
CLV_MUST
clv_status clv_admit(const clv_admit_question *q, const char *what, clv_error *err);

#endif
