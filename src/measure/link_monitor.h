/* The state of a link, estimated from what is seen of it: values in, values out, no sockets and no
 * clock.
 *
 *     clv_link_monitor m;
 *     clv_link_monitor_init(&m, now_us);
 *     clv_link_monitor_rtt(&m, now_us, 5200);                    // a ping, or TCP_INFO's min_rtt
 *     clv_link_monitor_exchange(&m, now_us, sent, got, took_us - server_us); // a request answered
 *     clv_link_monitor_failure(&m, now_us);                      // no answer at all
 *     clv_link link = clv_link_monitor_link(&m, now_us);         // for the planner
 *     clv_link_probe probe = clv_link_monitor_probe(&m, now_us); // is a measurement due?
 *
 * Model: time = rtt + up_bytes / up_rate + down_bytes / down_rate. The logarithms of the three
 * unknowns are fitted by recursive least squares on the logarithm of the time, with forgetting (an
 * iterated extended Kalman filter, as the sum is not linear in logarithms). Logarithms keep every
 * rate positive, make noise and steps relative, as they are on links, and let "no idea" be a factor
 * of ten rather than a number. The weight of an observation on each unknown comes out as its share
 * of the time: a small transfer says much of the round trip and little of the rate. What is
 * predicted is the time that THIS many bytes take (as Fugu does: Yan et al., "Learning in situ",
 * NSDI 2020), never "the bandwidth".
 *
 * A step of the link must not be averaged away. An observation far outside the predicted range (the
 * gate, 5 sigma) opens the rates' uncertainty: the first one moves the estimate most of the way (it
 * may be a stall), a second one to the same side all of it. After a step from 18.88 to 1.1 Mbit/s
 * the estimate follows within three transfers. Knowledge ages: without observations the sigmas grow.
 *
 * The two directions start as likely alike, so one in which nothing large was ever sent follows the
 * other, with a large sigma.
 *
 * Threads: none of its own; one at a time.
 */
#ifndef CLV_MEASURE_LINK_MONITOR_H
#define CLV_MEASURE_LINK_MONITOR_H

#include "cost/link.h"

enum { CLV_LINK_STATES = 3 }; /* ln of: rtt_us, us for a byte up, us for a byte down */

typedef struct clv_link_monitor {
    double state[CLV_LINK_STATES];
    double var[CLV_LINK_STATES][CLV_LINK_STATES]; /* covariance of the state */
    double noise; /* relative standard deviation of one observation, learnt */
    bool alive, rtt_seen, rate_seen;
    bool rtt_asked; /* the link stepped: its round trip wants a new look */
    int surprises;  /* observations in a row outside the gate, below 0: to the short side */
    int64_t seen_us, rated_us, aged_us, pinged_us, probed_us; /* when last */
} clv_link_monitor;

void clv_link_monitor_init(clv_link_monitor *m, int64_t now_us);

/* A round trip with next to nothing in it took `us`. */
void clv_link_monitor_rtt(clv_link_monitor *m, int64_t now_us, double us);
/* `up_bytes` went there and `down_bytes` came back; `us` is the time from the first byte sent to
 * the last byte received, less what the other side computed and waited. Values that cannot be (not
 * finite, not above 0) are ignored. */
void clv_link_monitor_exchange(clv_link_monitor *m, int64_t now_us, size_t up_bytes,
                               size_t down_bytes, double us);
/* `up_bytes` went there and nothing came back for `us`, though the other side lives: the exchange takes at least that long. Ignored if
 * it was expected to take longer, or while the link is down. */
void clv_link_monitor_unanswered(clv_link_monitor *m, int64_t now_us, size_t up_bytes, double us);
/* The other side is gone: the link counts as down, and as unknown when it comes back. */
void clv_link_monitor_failure(clv_link_monitor *m, int64_t now_us);

/* The estimate. `up` is false until a round trip and a rate are known, and after a failure. */
clv_link clv_link_monitor_link(const clv_link_monitor *m, int64_t now_us);

typedef enum clv_link_probe_kind {
    CLV_PROBE_NONE,
    CLV_PROBE_PING, /* an exchange without content */
    CLV_PROBE_BYTES /* an exchange with `bytes` upwards */
} clv_link_probe_kind;
typedef struct clv_link_probe {
    clv_link_probe_kind kind;
    size_t bytes;
} clv_link_probe;
/* Passive first: a probe is due only when traffic has told nothing for CLV_LINK_QUIET_US, or right
 * after a step, whose round trip nobody has seen yet. It is a ping, or, when the rate is not known well enough and none was sent for CLV_LINK_PROBE_EVERY_US,
 * as many bytes as take about CLV_LINK_PROBE_US, 16 kB to 256 kB. While the link is down only pings
 * go out. A probe that was asked for counts as sent. */
#define CLV_LINK_QUIET_US       1000000
#define CLV_LINK_PROBE_EVERY_US 5000000
#define CLV_LINK_PROBE_US       50000
clv_link_probe clv_link_monitor_probe(clv_link_monitor *m, int64_t now_us);

#endif
