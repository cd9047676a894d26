/* Which wait at the peer to plan with: from waits that this node's requests met and that the peer
 * tells of, such that many nodes that see the same queue settle instead of jumping together.
 *
 *     clv_wait w;
 *     clv_wait_init(&w, seed, now);                    // the node's own seed
 *     clv_wait_met(&w, now, queue_us);                 // a reply: this request waited so long
 *     clv_wait_heard(&w, now, wait_us);                // the peer's load: what requests there wait, a quantile
 *     plan_with(clv_wait_planned(&w, now, away));      // `away`: does the present plan use the peer?
 *
 * The newest is not what to plan with: if all edges leave a busy peer at once they find it idle, and all come back. So
 *   - the value is held, and looked at anew only after a dwell of the node's own drawing, so that
 *     the others have seen what one did before the next decides. Each change between home and away
 *     doubles the dwell (up to CLV_WAIT_DWELL_MAX_US), each look that changes nothing shortens it:
 *     as stations on an Ether do after a collision.
 *   - what the node's own coming added to the queue is remembered: from home it plans with what it
 *     would meet, not with what those meet who are there without it. It is forgotten in seconds, as
 *     it may have been others' doing, and in twice the time each time that it is found again.
 *   - a queue that has grown far beyond the held value brings the look forward, to a random moment
 *     within CLV_WAIT_ALARM_US.
 *
 * Each node answers best to the others, one at a time, which in such a game (Rosenthal 1973) ends;
 * Even-Dar and Mansour, "Fast Convergence of Selfish Rerouting", SODA 2005, move with a probability
 * instead. tests/unit/policy/wait_test.c has eight of them.
 *
 * A plain value, the same for the same calls and seed. Threads: one at a time.
 */
#ifndef CLV_POLICY_WAIT_H
#define CLV_POLICY_WAIT_H

#include "base/rng.h"

#include <stdbool.h>
#include <stddef.h>

enum { CLV_WAIT_SAMPLES = 16, CLV_WAIT_SAMPLES_MIN = 3 };
#define CLV_WAIT_QUANTILE      0.8
#define CLV_WAIT_FRESH_US      5000000 /* so old may waits be that count */
#define CLV_WAIT_DWELL_MIN_US  500000  /* mean time between two looks */
#define CLV_WAIT_DWELL_MAX_US  60000000
#define CLV_WAIT_ALARM_US      1000000
#define CLV_WAIT_FORGET_US     2500000     /* in so long what our coming added is half forgotten, */
#define CLV_WAIT_FORGET_MAX_US 600000000.0 /* in twice as long each time that it is found again */
#define CLV_WAIT_MAX_US        3600000000.0 /* no peer is believed more */

typedef struct clv_wait {
    clv_rng rng;
    double met_us[CLV_WAIT_SAMPLES]; /* a ring */
    int64_t met_at_us[CLV_WAIT_SAMPLES];
    size_t n_met;
    double heard_us;
    int64_t heard_at_us; /* INT64_MIN: never */
    double seen_sum_us;  /* of what was newest at each sign since the last look */
    size_t n_seen;
    double held_us; /* what is planned with */
    double left_us; /* what was held when the node went away, without `own_us` */
    double own_us;  /* what its coming added, to a queue of own_base_us */
    double own_base_us, forget_us;
    double dwell_us;
    int64_t look_us, own_at_us;
    bool away, came, alarmed;
} clv_wait;

void clv_wait_init(clv_wait *w, uint64_t seed, int64_t now_us);
/* Values that cannot be (not finite, below 0) are ignored. */
void clv_wait_met(clv_wait *w, int64_t now_us, double wait_us);
void clv_wait_heard(clv_wait *w, int64_t now_us, double wait_us);
double clv_wait_planned(clv_wait *w, int64_t now_us, bool away);
/* What the newest looks say, undamped: for reports. */
double clv_wait_newest(const clv_wait *w, int64_t now_us);
/* The peer was lost: what is known of its queue is void. */
void clv_wait_lost(clv_wait *w, int64_t now_us);

#endif
