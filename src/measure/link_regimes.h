/* What a link was like before, by its round trip: a phone goes back and forth between a few
 * networks, and each has its own round trip and its own rates.
 *
 *     clv_link_regimes r = {0};
 *     clv_link_regimes_note(&r, &now);                  // well known now: remember it
 *     was = clv_link_regimes_recall(&r, ln_rtt);        // the round trip is this now; NULL: not known
 *     clv_link_regimes_judge(&r, true);                 // the first bytes since: it was right
 *
 * A ping is a hundred bytes and answered within a round trip; to measure a rate takes tens of
 * thousands and many. So where a step brings back a round trip that is known, the rates that came
 * with it are the best guess before any bytes have told; and the more often they were right, the
 * better a guess. (A switching model whose hidden state is seen by the round trip: Hamilton,
 * Econometrica 1989. Ours is no more than a memory of the last few states: nothing is said of when
 * the link steps, and bytes overrule it at once.)
 *
 * A plain value. Threads: one at a time. */
#ifndef CLV_MEASURE_LINK_REGIMES_H
#define CLV_MEASURE_LINK_REGIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLV_LINK_REGIMES 4
#define CLV_LINK_REGIME_NEAR                                                                       \
    0.4                        /* ln of the factor by which round trips of one regime may differ */
#define CLV_LINK_REGIME_SURE 8 /* so often right is enough */

typedef struct clv_link_regime {
    double rtt, up, down; /* ln: us; us for a byte */
    int64_t seen_us;
    int right; /* how often bytes agreed when it was recalled, up to CLV_LINK_REGIME_SURE; halved
                  when they did not */
} clv_link_regime;

typedef struct clv_link_regimes {
    clv_link_regime known[CLV_LINK_REGIMES];
    size_t n;
    size_t trial; /* 1 + the one that was recalled and not judged yet; 0: none */
} clv_link_regimes;

/* In place of the one it is near to, else of the one that was not seen for the longest. `right` is
 * kept. */
void clv_link_regimes_note(clv_link_regimes *r, const clv_link_regime *now);
/* The one whose round trip is nearest; NULL: none is near. */
const clv_link_regime *clv_link_regimes_recall(clv_link_regimes *r, double rtt);
/* What bytes tell first after that; later ones are ignored. One that was wrong and was never right
 * is forgotten. */
void clv_link_regimes_judge(clv_link_regimes *r, bool right);

#endif
