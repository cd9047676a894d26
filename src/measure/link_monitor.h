/* The state of a link, estimated from what is seen of it: values in, values out, no sockets and no
 * clock.
 *
 *     clv_link_monitor m;
 *     clv_link_monitor_init(&m, now_us);
 *     clv_link_monitor_rtt(&m, now_us, 5200);                    // a ping, or TCP_INFO's min_rtt
 *     clv_link_monitor_exchange(&m, now_us, sent, got, took_us - server_us); // a request answered
 *     clv_link_monitor_failure(&m, now_us);                      // no answer at all
 *     clv_link_monitor_witness(&m, now_us, &tcp);                // what TCP_INFO says
 *     clv_link_monitor_carried(&m, now_us, acked, us);           // a busy connection (measure/throughput.h)
 *     clv_link link = clv_link_monitor_link(&m, now_us);         // for the planner
 *     clv_link_probe probe = clv_link_monitor_probe(&m, now_us, matters); // is a measurement due?
 *
 * Model: time = rtt + up_bytes / up_rate + down_bytes / down_rate. The logarithms of the three
 * unknowns are fitted by recursive least squares on the logarithm of the time, with forgetting (an
 * iterated extended Kalman filter, as the sum is not linear in logarithms: measure/link_filter.h). Logarithms keep every
 * rate positive, make noise and steps relative, as they are on links, and let "no idea" be a
 * factor of ten rather than a number. The weight of an observation on each unknown comes out as
 * its share of the time: a small transfer says much of the round trip and little of the rate. What
 * is predicted is the time that THIS many bytes take (as Fugu does: Yan et al., "Learning in
 * situ", NSDI 2020), never "the bandwidth".
 *
 * A step of the link must not be averaged away. An observation far outside the predicted range
 * (the gate: 5 sigma, or four times) opens the uncertainty of the rates and of the round trip: the
 * first one moves the estimate most of the way (it may be a stall), a second one to the same side
 * all of it. What was the rate's and what the round trip's tells the ping that is asked for then;
 * a round trip that is another by more than twice makes the rates unsure, too: it is another link.
 * After a step from 18.88 to 1.1
 * Mbit/s the estimate follows within three transfers, to 10 % where transfers are steady to 2 %.
 * Knowledge ages: without observations the sigmas grow, those of the rates and that of the round
 * trip apart: a ping says nothing of a rate.
 *
 * What is seen comes late by chance, as whoever waits for it computes, but early only by what the
 * link itself varies. So what is early weighs what early ones turn out to be worth, of pings and of
 * bytes apart; and a ping that is later than most the less the later it is, until others in a row say
 * the same. Else the round trip would be too long, and the rate, which is told from what an exchange
 * takes beyond it, too high by what a ping had to wait; or too low, long after one late answer.
 *
 * TCP is the second witness. Its least round trip counts while it is new, or while the smoothed
 * one is near it; else, on a path that has changed, it is an old one (the kernel keeps it for five
 * minutes) and only a bound from below. Its delivery rate tells the rate up, with a noise of its
 * own, if the application had enough to send and the path was full: the smoothed round trip above
 * the least one, as a queue had formed (after BBR: Cardwell et al., ACM Queue 2016). Else it
 * bounds the rate from below. The kernel shows the same sample until there is another: each counts
 * once; and as its samples are off together, they tell nothing to who knows the rate better than one
 * of them. A witness sharpens what transfers say; it does not overturn it.
 *
 * The two directions start as likely alike, so one in which nothing large was ever sent follows
 * the other, with a large sigma.
 *
 * Threads: none of its own; one at a time. */
#ifndef CLV_MEASURE_LINK_MONITOR_H
#define CLV_MEASURE_LINK_MONITOR_H

#include "cost/link.h"
#include "measure/link_filter.h"
#include "measure/link_regimes.h"

typedef struct clv_link_monitor {
    clv_link_filter filter;
    double noise[2]; /* relative standard deviation of a ping, and of bytes; learnt */
    double early[2]; /* of those that come before they are expected */
    bool alive, rtt_seen, rate_seen;
    bool rtt_asked; /* the round trip wants a new look: the link stepped, or it may be wrong */
    bool stalled;   /* the last that was seen of the rates is that nothing came */
    bool slowed;    /* something was far too slow since a ping was last believed */
    bool shorter;   /* the round trip's last step was to a shorter one; no rate was seen since */
    int surprises;  /* observations in a row outside the gate, below 0: to the short side */
    int late;       /* pings in a row that were later than most */
    int steady;     /* observations of the rates in a row since the last surprise */
    double min_rtt_us, delivery_bytes_per_s; /* of TCP, as last seen */
    double rate_before;                      /* up, before the last failure; 0: there was none */
    double rate_unstalled;                   /* up, before the last stall began */
    double spent_bytes;                      /* on probes, less what time has paid off */
    double rate_lately; /* what the link carried, of the last ten seconds, for that */
    int64_t now_us;     /* of the last call */
    int64_t seen_us, rated_us, pinged_us, probed_us, spent_us, stalled_us; /* when last */
    int64_t told_us;    /* when a ping was answered last */
    int64_t stepped_us; /* the last surprise */
    int64_t shaken_us;  /* the last large one of a link that was known: it became another */
    int64_t doubted_us; /* its rates were distrusted last */
    int64_t aged_us[CLV_LINK_STATES]; /* until when each state's variance is */
    clv_link_regimes regimes;         /* what it was like when it was well known */
} clv_link_monitor;

void clv_link_monitor_init(clv_link_monitor *m, int64_t now_us);
/* It is now: a clock that went back was set, and all that was noted moves with it. Each call that is told the time does this. */
void clv_link_monitor_heed(clv_link_monitor *m, int64_t now_us);

/* A round trip with next to nothing in it took `us`. */
void clv_link_monitor_rtt(clv_link_monitor *m, int64_t now_us, double us);
/* One that went behind `before_bytes` of this node's own, given up or unanswered, took `us`: it tells
 * no round trip; but when it is back, they have gone. */
void clv_link_monitor_behind(clv_link_monitor *m, int64_t now_us, size_t before_bytes, double us);
/* `up_bytes` went there and `down_bytes` came back; `us` is the time from the first byte sent to
 * the last byte received, less what the other side computed and waited. Values that cannot be (not
 * finite, not above 0, more than CLV_LINK_TIME_US_MAX) are ignored, here and above and below. A
 * clock that goes back counts as one that was set: what was known keeps its age. */
void clv_link_monitor_exchange(clv_link_monitor *m, int64_t now_us, size_t up_bytes,
                               size_t down_bytes, double us);
/* `up_bytes` went there and nothing came back for `us`, though the other side lives: the exchange
 * takes at least that long, and likely twice (of what has lasted, and nothing else known, half
 * lasts as long again), to a factor of two. Ignored if it was expected to take that long, within two
 * sigma, or while the link is down. It moves the estimate all of the way. */
void clv_link_monitor_unanswered(clv_link_monitor *m, int64_t now_us, size_t up_bytes, double us);
/* What was seen of the rates may have been this node's own slowness: they are asked for anew, until
 * they are known to CLV_LINK_SURE_SIGMA or CLV_LINK_DOUBTED_US are over. */
void clv_link_monitor_distrust(clv_link_monitor *m, int64_t now_us);
/* What TCP knows of the connection (net/client.h), after an exchange; 0: not known. */
typedef struct clv_link_witness {
    double rtt_us, min_rtt_us; /* smoothed; the least */
    double delivery_bytes_per_s;
    bool app_limited; /* that rate is of a time in which there was not enough to send */
} clv_link_witness;
void clv_link_monitor_witness(clv_link_monitor *m, int64_t now_us, const clv_link_witness *w);
/* The connection carried `up_bytes` upwards in `us`, in which it was never idle
 * (measure/throughput.h): tells the rate alone, whatever exchanges that was part of, and before
 * they end. Ignored before a round trip is known. */
void clv_link_monitor_carried(clv_link_monitor *m, int64_t now_us, size_t up_bytes, double us);
/* The other side is gone: the link counts as down. When it comes back, its rate may be what it
 * was, to a factor. */
void clv_link_monitor_failure(clv_link_monitor *m, int64_t now_us);

/* What it carries upwards, in bytes a second, for budgets: as it is known, as it was before it stalled or was lost, or the least that
 * is thought of. */
double clv_link_monitor_carries(const clv_link_monitor *m);

/* The estimate. `up` is false until a round trip and a rate are known, and after a failure. A sigma
 * of 1 is "no idea"; a link that is known no better since its round trip has become shorter is
 * hoped to be seven times as fast as what is known says, until bytes tell: a request that tries it
 * is hedged, and nobody would try one that is believed to be slow. */
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
#define CLV_LINK_TIME_US_MAX 3.6e9 /* an exchange that took longer is no measurement */

#define CLV_LINK_OPEN_SIGMA 0.3     /* a rate less sure than this is asked for again and again, */
#define CLV_LINK_SURE_SIGMA 0.1     /* one that was distrusted is, less sure than this, */
#define CLV_LINK_DOUBTED_US 2000000 /* for so long */
/* What is to be asked (link_probe.c). Passive first: a ping is due only when nothing was seen of
 * the link for a second, for half of one in the minute after it became another (a surprise of more
 * than twice), when none was answered for two seconds (bytes that share the time with a round trip
 * tell neither well), or at once after a step, whose round trip nobody has seen yet, and once more
 * when bytes then tell nothing. Bytes are due only if `matters`: if what they tell could change
 * somebody's plan, or when an answer stays away, or while no rate is known; every
 * CLV_LINK_PROBE_EVERY_US then, five times a second while the rate is known to less than 30 %, or,
 * distrusted, to less than 10 %, at once after a surprise, but not before a ping that is asked for
 * was answered: without the round trip they tell no rate. They are as many as take a third of the
 * round trip, 20 to 100 ms, towards the slow end of the interval, 1 to 24 kB, and 8 kB while no rate is known; after a surprise as
 * many as tell the rate from the one before. While the link is down only pings go out, five a
 * second. A probe that was asked for counts as sent.
 *
 * All of them together (a ping counts as CLV_LINK_PING_BYTES) take no more than
 * CLV_LINK_PROBE_SHARE of what the link can carry in any CLV_LINK_PROBE_WINDOW_US, for links of 56
 * kbit/s and more that answer: what was spent is paid off at 0.45 % of the rate of the last ten
 * seconds, and may not pass 0.03 % of what the window carries, or 8 kB; a link of which nothing is
 * known counts as 1 Mbit/s. Pings leave half of that to probes, but 0.2 % of the rate is for them
 * alone: whoever owes for probes must not be blind to a link that is back. A link that has been
 * lost and is back may take its old rate's share; if that is spent, it counts as what it was, with
 * a sigma of 1. */
#define CLV_LINK_QUIET_US        1000000
#define CLV_LINK_DOWN_EVERY_US   200000
#define CLV_LINK_PROBE_EVERY_US  1000000
#define CLV_LINK_PROBE_SHARE     0.01
#define CLV_LINK_PROBE_WINDOW_US 300000000
#define CLV_LINK_PING_BYTES      200
clv_link_probe clv_link_monitor_probe(clv_link_monitor *m, int64_t now_us, bool matters);
/* A request begins: is the link to be asked for a sign of life, so that it is known at the cut
 * whether it is still what it was? If it became another within the last minute, was not seen just
 * now, and the pings' share of the rate allows it. A ping that was asked for counts as sent. */
#define CLV_LINK_GREET_EVERY_US 50000
bool clv_link_monitor_greets(clv_link_monitor *m, int64_t now_us);
/* Something is to be asked at once: the last observation was far from what was expected, or the
 * round trip wants a new look. */
static inline bool clv_link_monitor_surprised(const clv_link_monitor *m)
{
    return m->surprises != 0 || m->rtt_asked;
}

#endif
