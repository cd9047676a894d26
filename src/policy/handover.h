/* A request has come to the cut: is the rest still to be handed to the peer?
 *
 *     clv_handover_question q = {.remote_us = 62000, .here_us = 118000, .silent_us = 0, .rtt_us = 5000};
 *     if (!clv_handover_wise(&q)) ... // go on here: the tensors are here, and so is the segment
 *
 * A plan is of the link as it was; the head takes time, and a switch of plans waits until it pays.
 * To go on here costs nothing to enter and nothing to leave, so it is decided for each request
 * by the estimates of this moment alone: the lesser of both counts (the greedy rule is the best one
 * where nothing is to be paid for a move: Borodin, Linial and Saks 1992, with distances of 0).
 *
 * A link that became another lately is asked for a sign of life when a request begins. If that
 * is not there at the cut, though it should have been for a while, the link has become another, and what
 * would be sent now would be the first to find out how slow it is. Where it is due within
 * milliseconds it is waited for: that is nothing beside what a slow link takes.
 *
 * Pure. Threads: any. */
#ifndef CLV_POLICY_HANDOVER_H
#define CLV_POLICY_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

#define CLV_HANDOVER_TIMES    1.5  /* so many round trips, */
#define CLV_HANDOVER_SLACK_US 1000 /* and the other side's scheduler, a sign of life may take; */
#define CLV_HANDOVER_WAIT_US  5000 /* for so long it is waited for at the cut */

typedef struct clv_handover_question {
    int64_t remote_us; /* what the peer's part should take now, with the link; 0: not known */
    int64_t here_us;   /* what it takes here behind what waits; 0: not known */
    int64_t silent_us; /* a sign of life was asked for so long ago; 0: none is awaited */
    int64_t rtt_us;    /* and should take this */
} clv_handover_question;

bool clv_handover_wise(const clv_handover_question *q);
/* How long to wait at the cut until it is known whether the link is silent; 0: not at all, as it is
 * known, or as that would take too long. */
int64_t clv_handover_wait_us(const clv_handover_question *q);

#endif
