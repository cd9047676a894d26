/* The filter under the link monitor: three unknowns of which only sums are seen.
 *
 *     clv_link_filter f;
 *     clv_link_filter_init(&f);                                  // 50 ms and 10 Mbit/s, or anything
 *     clv_link_seen o = {{1, sent, got}, us};                    // one round trip, bytes up, bytes down
 *     double share[CLV_LINK_STATES];
 *     double error = log(us) - clv_link_filter_predict(&f, &o, share);
 *     double var = clv_link_filter_spread(&f, share);            // of that prediction
 *     clv_link_filter_learn(&f, &o, 0.1 * 0.1);                  // weigh it as one known to 10 %
 *
 * Model: time = rtt + up_bytes * t_up + down_bytes * t_down. The logarithms of the three are
 * estimated by an iterated extended Kalman filter on the logarithm of the time (Bell and Cathey,
 * IEEE Trans. Automatic Control 1993); what is to be believed, and how much, is the monitor's
 * (measure/link_monitor.h).
 *
 * A plain value. Threads: one at a time. */
#ifndef CLV_MEASURE_LINK_FILTER_H
#define CLV_MEASURE_LINK_FILTER_H

/* ln of: rtt_us, us for a byte up, us for a byte down */
enum { CLV_LINK_RTT, CLV_LINK_UP, CLV_LINK_DOWN, CLV_LINK_STATES };

#define CLV_LINK_PRIOR_VAR 4.0 /* of each: a factor of e^2 = 7 either way */

typedef struct clv_link_filter {
    double state[CLV_LINK_STATES];
    double var[CLV_LINK_STATES][CLV_LINK_STATES]; /* covariance of the state */
} clv_link_filter;

/* An observation: how many round trips and bytes took how long. */
typedef struct clv_link_seen {
    double amount[CLV_LINK_STATES]; /* 1, bytes up, bytes down */
    double us;
} clv_link_seen;

void clv_link_filter_init(clv_link_filter *f);
/* ln of the time that is predicted for it, and each state's share of that, which is its slope. */
double clv_link_filter_predict(const clv_link_filter *f, const clv_link_seen *o,
                               double share[CLV_LINK_STATES]);
/* The variance of the sum of the states with the weights `h`. */
double clv_link_filter_spread(const clv_link_filter *f, const double h[CLV_LINK_STATES]);
/* An observation with a relative variance of `var`. The states stay between 1 us and a minute, and
 * between 100 bytes/s and 1 TB/s. */
void clv_link_filter_learn(clv_link_filter *f, const clv_link_seen *o, double var);
/* One that is linear in the states: their sum with the weights `h` is off by `error`. */
void clv_link_filter_correct(clv_link_filter *f, const double h[CLV_LINK_STATES], double error,
                             double var);
/* The round trip is `us`, with a variance of `var`, whatever was known. */
void clv_link_filter_set_rtt(clv_link_filter *f, double us, double var);
/* The rates are these, ln of us for a byte, with a variance of `var`, and tell nothing of the round
 * trip. */
void clv_link_filter_set_rates(clv_link_filter *f, double up, double down, double var);

/* Multiply the variance of one state, never beyond CLV_LINK_PRIOR_VAR. Correlations stay. */
void clv_link_filter_widen(clv_link_filter *f, int state, double factor);
/* Both directions may have become another, mostly alike: their variances grow by `var`. */
void clv_link_filter_open_rates(clv_link_filter *f, double var);
/* The round trip has: so have the rates, and where one is longer the others are likely slower. */
void clv_link_filter_open_all(clv_link_filter *f, double var);
/* Traffic often tells of one direction only. Without this, noise would let the other one drift away
 * and take the first with it. Where both are seen, it weighs next to nothing. `forget`: of what is
 * known, the share that is left after each observation. */
void clv_link_filter_hold_together(clv_link_filter *f, double forget);

#endif
