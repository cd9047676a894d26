#include "measure/link_monitor.h"

#include <math.h>
#include <string.h>

enum { RTT, UP, DOWN };
enum { STEPS = 6 }; /* Gauss-Newton steps of one update; three are enough for a factor of ten */

#define FORGET         0.92  /* of the information at each observation: a memory of about 12 */
#define FORGET_RTT     0.995 /* of the round trip at each exchange: pings tell it better */
#define AGE_US         2.0e6 /* of silence before knowledge fades; then sigma doubles in 3 of these */
#define GATE           5.0   /* sigmas of a surprise */
#define FIRST_SURPRISE 0.6   /* how far, of the way, a first surprise moves the estimate */
#define NOISE_FIRST    0.10
#define NOISE_MIN      0.03
#define NOISE_MAX      0.40
#define NOISE_FLOOR_US 100.0 /* scheduling and timer noise, whatever the size */
#define RATE_SHARE     0.2   /* an exchange tells of a rate if the bytes take this share of it */
#define RATE_BYTES     16384 /* or if there are this many */
#define RATE_SURE      0.20  /* relative sigma of a rate that needs no probe */
#define PRIOR_VAR      4.0   /* a factor of e^2 = 7 either way */
#define PRIOR_ALIKE    0.97  /* correlation of the two directions: a factor of 1.6 apart */
#define STEP_ALIKE     0.98  /* correlation of the directions in a step */
#define STEP_VAR_MAX   16.0
/* Variance of ln(up/down) as an observation at each exchange: it sums up to the prior's. */
#define ALIKE_VAR (2 * PRIOR_VAR * (1 - PRIOR_ALIKE) / (1 - FORGET))
static const double state_first[CLV_LINK_STATES] = {10.8, -0.2, -0.2}; /* 50 ms, 10 Mbit/s */
static const double state_min[CLV_LINK_STATES] = {0, -14, -14};        /* 1 us, 1 TB/s */
static const double state_max[CLV_LINK_STATES] = {18, 9.2, 9.2};       /* a minute, 100 bytes/s */

void clv_link_monitor_init(clv_link_monitor *m, int64_t now_us)
{
    *m = (clv_link_monitor){.noise = NOISE_FIRST,
                            .seen_us = now_us - CLV_LINK_QUIET_US, /* so a ping is due at once */
                            .rated_us = now_us,
                            .aged_us = now_us,
                            .pinged_us = now_us - CLV_LINK_QUIET_US,
                            .probed_us = now_us - CLV_LINK_PROBE_EVERY_US};
    for (int i = 0; i < CLV_LINK_STATES; i++) {
        m->state[i] = state_first[i];
        m->var[i][i] = PRIOR_VAR;
    }
    m->var[UP][DOWN] = m->var[DOWN][UP] = PRIOR_ALIKE * PRIOR_VAR;
}

/* Multiply the uncertainty of the states [from, to), never beyond that of an unknown link.
 * Correlations stay. */
static void widen(clv_link_monitor *m, double factor, int from, int to)
{
    for (int i = from; i < to; i++) {
        double f = fmin(factor, PRIOR_VAR / m->var[i][i]);
        if (f <= 1) continue;
        for (int k = 0; k < CLV_LINK_STATES; k++) {
            m->var[i][k] *= sqrt(f);
            m->var[k][i] *= sqrt(f);
        }
    }
}

/* Only while nothing is seen: forgetting at each observation is what keeps a busy link fresh. */
static double ageing(const clv_link_monitor *m, int64_t now_us)
{
    double idle_us = (double)(now_us - m->aged_us) - AGE_US;
    return idle_us > 0 ? exp2(fmin(idle_us / AGE_US, 60) * 2 / 3) : 1;
}

/* An observation: how many round trips and bytes took how long. */
typedef struct observation {
    double amount[CLV_LINK_STATES]; /* 1, bytes up, bytes down */
    double us;
} observation;

/* ln of the predicted time at `state`, and its slope along each state: that state's share. */
static double predict(const double state[CLV_LINK_STATES], const observation *o,
                      double share[CLV_LINK_STATES])
{
    double total = 0;
    for (int i = 0; i < CLV_LINK_STATES; i++) total += share[i] = o->amount[i] * exp(state[i]);
    for (int i = 0; i < CLV_LINK_STATES; i++) share[i] /= total;
    return log(total);
}

/* vh = var * h; returns h' * var * h */
static double spread(const clv_link_monitor *m, const double h[CLV_LINK_STATES],
                     double vh[CLV_LINK_STATES])
{
    double total = 0;
    for (int i = 0; i < CLV_LINK_STATES; i++) {
        vh[i] = 0;
        for (int k = 0; k < CLV_LINK_STATES; k++) vh[i] += m->var[i][k] * h[k];
        total += h[i] * vh[i];
    }
    return total;
}

/* The estimate that weighs what was known against the observation: Gauss-Newton, each step with the
 * shares at the last one. Leaves the shares and var * shares of the last step. */
static void fit(clv_link_monitor *m, const observation *o, double obs_var,
                double h[CLV_LINK_STATES], double vh[CLV_LINK_STATES])
{
    double at[CLV_LINK_STATES];
    memcpy(at, m->state, sizeof at);
    for (int step = 0; step < STEPS; step++) {
        double error = log(o->us) - predict(at, o, h);
        for (int i = 0; i < CLV_LINK_STATES; i++) error -= h[i] * (m->state[i] - at[i]);
        double total = spread(m, h, vh) + obs_var;
        for (int i = 0; i < CLV_LINK_STATES; i++)
            at[i] = fmin(fmax(m->state[i] + vh[i] * error / total, state_min[i]), state_max[i]);
    }
    spread(m, h, vh);
    memcpy(m->state, at, sizeof at);
}

/* var after the observation, in Joseph's form, which keeps it symmetric and positive. */
static void narrow(clv_link_monitor *m, double obs_var, const double h[CLV_LINK_STATES],
                   const double vh[CLV_LINK_STATES])
{
    double total = obs_var, gain[CLV_LINK_STATES];
    double half[CLV_LINK_STATES][CLV_LINK_STATES], keep[CLV_LINK_STATES][CLV_LINK_STATES];
    for (int i = 0; i < CLV_LINK_STATES; i++) total += h[i] * vh[i];
    for (int i = 0; i < CLV_LINK_STATES; i++) {
        gain[i] = vh[i] / total;
        for (int k = 0; k < CLV_LINK_STATES; k++) keep[i][k] = (i == k) - gain[i] * h[k];
    }
    for (int i = 0; i < CLV_LINK_STATES; i++)
        for (int k = 0; k < CLV_LINK_STATES; k++) {
            half[i][k] = 0;
            for (int j = 0; j < CLV_LINK_STATES; j++) half[i][k] += keep[i][j] * m->var[j][k];
        }
    for (int i = 0; i < CLV_LINK_STATES; i++)
        for (int k = 0; k < CLV_LINK_STATES; k++) {
            m->var[i][k] = gain[i] * gain[k] * obs_var;
            for (int j = 0; j < CLV_LINK_STATES; j++) m->var[i][k] += half[i][j] * keep[k][j];
        }
}

/* A surprise is a stall or a step. Opens the uncertainty so far that an error like this one is a
 * matter of course: of the round trip for a ping, else of the rates, mostly of both together, as a
 * link's step moves both directions. Returns the variance that the observation is taken with. */
static double surprise(clv_link_monitor *m, const observation *o, double error, double obs_var)
{
    bool again = error > 0 ? m->surprises > 0 : m->surprises < 0;
    int one = error > 0 ? 1 : -1;
    m->surprises = again ? m->surprises + one : one;
    double share[CLV_LINK_STATES];
    predict(m->state, o, share);
    double bytes = share[UP] + share[DOWN];
    if (bytes > 0) {
        double open = fmin(error * error / (bytes * bytes), STEP_VAR_MAX);
        for (int i = UP; i <= DOWN; i++)
            for (int k = UP; k <= DOWN; k++) m->var[i][k] += open * (i == k ? 1 : STEP_ALIKE);
        m->rtt_asked = true;
    } else {
        m->var[RTT][RTT] += fmin(error * error, STEP_VAR_MAX);
    }
    return again ? obs_var : fmax(obs_var, error * error * (1 / FIRST_SURPRISE - 1));
}

/* Traffic often tells of one direction only. Without this, noise would let the other one drift away
 * and take the first with it. Where both are seen, it weighs next to nothing. */
static void hold_together(clv_link_monitor *m)
{
    const double h[CLV_LINK_STATES] = {0, 1, -1};
    double vh[CLV_LINK_STATES], total = spread(m, h, vh) + ALIKE_VAR;
    double error = m->state[DOWN] - m->state[UP];
    for (int i = 0; i < CLV_LINK_STATES; i++) m->state[i] += vh[i] * error / total;
    narrow(m, ALIKE_VAR, h, vh);
}

static void learn_noise(clv_link_monitor *m, double error, double state_var)
{
    double left = fmin(fmax(error * error - state_var, 0), NOISE_MAX * NOISE_MAX);
    double sigma = sqrt(0.97 * m->noise * m->noise + 0.03 * left);
    m->noise = fmin(fmax(sigma, NOISE_MIN), NOISE_MAX);
}

static void observe(clv_link_monitor *m, int64_t now_us, const observation *o)
{
    bool bytes = o->amount[UP] + o->amount[DOWN] > 0;
    widen(m, ageing(m, now_us), RTT, CLV_LINK_STATES);
    widen(m, bytes ? 1 / FORGET_RTT : 1 / FORGET, RTT, UP);
    if (bytes) widen(m, 1 / FORGET, UP, CLV_LINK_STATES);
    double h[CLV_LINK_STATES], vh[CLV_LINK_STATES];
    double error = log(o->us) - predict(m->state, o, h), state_var = spread(m, h, vh);
    double sigma = m->noise + NOISE_FLOOR_US / o->us, obs_var = sigma * sigma;
    if (fabs(error) > GATE * sqrt(state_var + obs_var)) {
        obs_var = surprise(m, o, error, obs_var);
    } else {
        m->surprises = 0;
        learn_noise(m, error, state_var);
    }
    fit(m, o, obs_var, h, vh);
    narrow(m, obs_var, h, vh);
    if (bytes) hold_together(m);
    m->alive = true;
    m->seen_us = m->aged_us = now_us;
}

/* The first time tells the round trip to about a factor, whatever was assumed. */
static void first_rtt(clv_link_monitor *m, double us, double var)
{
    if (m->rtt_seen) return;
    m->state[RTT] = fmin(fmax(log(us), state_min[RTT]), state_max[RTT]);
    m->var[RTT][RTT] = var;
    m->rtt_seen = true;
}

static bool sane(double us)
{
    return isfinite(us) && us > 0;
}

void clv_link_monitor_rtt(clv_link_monitor *m, int64_t now_us, double us)
{
    if (!sane(us)) return;
    first_rtt(m, us, 0.05);
    m->rtt_asked = false;
    observe(m, now_us, &(observation){{1, 0, 0}, us});
}

void clv_link_monitor_exchange(clv_link_monitor *m, int64_t now_us, size_t up_bytes,
                               size_t down_bytes, double us)
{
    if (!sane(us)) return;
    first_rtt(m, 0.3 * us, 1); /* some part of it, nobody knows which */
    const observation o = {{1, (double)up_bytes, (double)down_bytes}, us};
    observe(m, now_us, &o);
    double share[CLV_LINK_STATES];
    predict(m->state, &o, share);
    bool up = share[UP] > RATE_SHARE || up_bytes >= RATE_BYTES;
    bool down = share[DOWN] > RATE_SHARE || down_bytes >= RATE_BYTES;
    m->rate_seen = m->rate_seen || up || down;
    if (up || down) m->rated_us = now_us;
}

void clv_link_monitor_unanswered(clv_link_monitor *m, int64_t now_us, size_t up_bytes, double us)
{
    const observation o = {{1, (double)up_bytes, 0}, us};
    double share[CLV_LINK_STATES];
    if (!sane(us) || !m->alive || log(us) <= predict(m->state, &o, share)) return;
    clv_link_monitor_exchange(m, now_us, up_bytes, 0, us);
}

void clv_link_monitor_failure(clv_link_monitor *m, int64_t now_us)
{
    clv_link_monitor_init(m, now_us); /* it may come back as another link */
    m->seen_us = now_us;
}

/* Relative sigma of the time of a byte, which is that of the rate too; 1 is "no idea". */
static double relative(const clv_link_monitor *m, int i, double age)
{
    return fmin(sqrt(m->var[i][i] * age), 1);
}

clv_link clv_link_monitor_link(const clv_link_monitor *m, int64_t now_us)
{
    double age = ageing(m, now_us), rtt_us = exp(m->state[RTT]);
    return (clv_link){
        .up_bytes_per_s = 1e6 / exp(m->state[UP]),
        .down_bytes_per_s = 1e6 / exp(m->state[DOWN]),
        .rtt_us = rtt_us,
        .up_sigma = relative(m, UP, age),
        .down_sigma = relative(m, DOWN, age),
        .rtt_sigma_us = rtt_us * relative(m, RTT, age),
        .up = m->alive && m->rtt_seen && m->rate_seen,
    };
}

static bool wants_bytes(const clv_link_monitor *m, int64_t now_us)
{
    if (!m->alive || !m->rtt_seen || now_us - m->probed_us < CLV_LINK_PROBE_EVERY_US) return false;
    if (!m->rate_seen) return true;
    double age = ageing(m, now_us);
    double sigma = fmin(relative(m, UP, age), relative(m, DOWN, age));
    return now_us - m->seen_us >= CLV_LINK_QUIET_US && sigma > RATE_SURE &&
           now_us - m->rated_us >= CLV_LINK_PROBE_EVERY_US;
}

clv_link_probe clv_link_monitor_probe(clv_link_monitor *m, int64_t now_us)
{
    if (wants_bytes(m, now_us)) {
        m->probed_us = m->pinged_us = now_us;
        double bytes = m->rate_seen ? CLV_LINK_PROBE_US / exp(m->state[UP]) : 32768;
        return (clv_link_probe){CLV_PROBE_BYTES, (size_t)fmin(fmax(bytes, 16384), 262144)};
    }
    bool quiet = now_us - m->seen_us >= CLV_LINK_QUIET_US;
    bool asked = m->rtt_asked && m->alive;
    if ((quiet || asked) && now_us - m->pinged_us >= CLV_LINK_QUIET_US) {
        m->pinged_us = now_us;
        return (clv_link_probe){CLV_PROBE_PING, 0};
    }
    return (clv_link_probe){CLV_PROBE_NONE, 0};
}
