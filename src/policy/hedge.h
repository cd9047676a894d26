/* When to start the peer's part here as well, because its answer will be too late, and how often that is allowed.
 *
 *     clv_hedge h;
 *     clv_hedge_init(&h);
 *     clv_hedge_sent(&h);                                  // a part was handed to the peer: the budget grows
 *     at = clv_hedge_at_us(&h, &question);                 // no answer by then? ...
 *     if (clv_hedge_helps(&question, now) &&               // ... and it can still be made, ...
 *         clv_hedge_take(&h)) ...                          // ... and there is budget: start it here, first answer wins
 *     clv_hedge_saw(&h, expected_us, took_us);             // the peer answered: how long its tail is
 *
 * With a deadline the moment is the last one at which the part, run here behind what waits, still
 * makes it. Where that has passed nothing is begun: it would be late too, and whoever waits here
 * would be late with it; the longer the queue here, the more would join it. Nor where the answer is
 * due in time but only after that moment: every request would be run twice. What waits here grows
 * meanwhile, so clv_hedge_helps() asks once more when the moment has come.
 *
 * Without a deadline it is when the answer has taken CLV_HEDGE_FAR times the 95 % quantile of what
 * the peer takes; that quantile is of the ratio to the prediction, so it moves with the plan and
 * the link, and is followed by stochastic approximation: q += step * (0.95 - [x <= q]). But never
 * sooner than CLV_HEDGE_LEAST_US after the answer was due: of a request of 3 ms every hiccup of a
 * scheduler is a multiple, and says nothing of its peer.
 *
 * The budget is a bucket of CLV_HEDGE_BURST hedges, of which each handed part earns
 * CLV_HEDGE_SHARE: hedges never are more than that share of the parts plus the burst, whatever the
 * peer does.
 *
 * Dean and Barroso, "The Tail at Scale", CACM 2013 (hedge behind the 95 % quantile, at most 5 %
 * more load). The budget is for work that is done twice: of a part that was cancelled before the
 * peer had all of it, it comes back. Our differences: what is hedged is the rest of a request, from tensors that are kept;
 * and deadlines come first. A plain value. Threads: one at a time.
 */
#ifndef CLV_POLICY_HEDGE_H
#define CLV_POLICY_HEDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLV_HEDGE_SHARE    0.05
#define CLV_HEDGE_BURST    4.0
#define CLV_HEDGE_QUANTILE 0.95
#define CLV_HEDGE_FAR      1.5
#define CLV_HEDGE_LEAST_US 10000 /* without a deadline, behind the prediction */
#define CLV_HEDGE_LOOK                                                                             \
    1.25 /* times the upload is looked at, and then so many times what has passed */
#define CLV_HEDGE_MARGIN 1.25 /* of what the part takes here, before a deadline */

typedef struct clv_hedge {
    double budget; /* hedges */
    double tail;   /* quantile of ln(took / expected) */
} clv_hedge;

typedef struct clv_hedge_question {
    int64_t sent_us;     /* when the part was handed over */
    int64_t expected_us; /* how long the peer was predicted to take; 0: not known */
    int64_t here_us;     /* how long it would take here, waiting included; 0: not known */
    int64_t deadline_us; /* of the request; 0: none */
    int64_t upload_us;   /* of `expected_us`, until the peer has all of the part; 0: not known */
} clv_hedge_question;

/* How far the part has gone up, as far as is known. */
typedef struct clv_hedge_progress {
    size_t gone_bytes, bytes;
} clv_hedge_progress;

void clv_hedge_init(clv_hedge *h);
void clv_hedge_sent(clv_hedge *h);
bool clv_hedge_take(clv_hedge *h);
/* The peer never had all of the part that was hedged: nothing was done twice. Gives the hedge back.
 */
void clv_hedge_spared(clv_hedge *h);
/* Times that cannot be are ignored. */
void clv_hedge_saw(clv_hedge *h, int64_t expected_us, int64_t took_us);
/* INT64_MAX: never. */
int64_t clv_hedge_at_us(const clv_hedge *h, const clv_hedge_question *q);
/* When to look how far the part has gone up, after such a look at `now_us`, or first (then: when it
 * was handed over). INT64_MAX: never. */
int64_t clv_hedge_look_us(const clv_hedge_question *q, int64_t now_us);
/* At the pace of its bytes so far, is the answer later than to begin here now? */
bool clv_hedge_stuck(const clv_hedge_question *q, const clv_hedge_progress *p, int64_t now_us);
/* Begun now, would it be done before the deadline? `here_us` is to be of now. */
bool clv_hedge_helps(const clv_hedge_question *q, int64_t now_us);

#endif
