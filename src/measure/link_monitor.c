#include "measure/link_monitor.h"

#include <math.h>

enum { RTT = CLV_LINK_RTT, UP = CLV_LINK_UP, DOWN = CLV_LINK_DOWN };

#define FORGET         0.92  /* of the information at each observation: a memory of about 12 */
#define FORGET_RTT     0.995 /* of the round trip at each exchange: pings tell it better */
#define AGE_US         2.0e6 /* of silence before knowledge fades; then sigma doubles in 3 of these */
#define DRIFT_AFTER_US 0.4e6 /* between bytes; then their rates wander: */
#define DRIFT_PER_S    0.05  /* variance of ln, in a second */
#define GATE           5.0   /* sigmas of a surprise */
#define FAR            1.4   /* ln of what is a surprise however little is known: four times */
#define ANOTHER        0.7   /* ln of a change that speaks of another link: twice */
#define FIRST_SURPRISE 0.6   /* how far, of the way, a first surprise moves the estimate */
#define NOISE_FIRST    0.10
#define NOISE_MIN      0.03
#define NOISE_MAX      0.40
#define EARLY_MIN      0.02  /* of what comes early */
#define LEARN          0.03  /* of each observation, what a noise takes on */
#define LEARN_EARLY    0.1   /* of each that comes early: they are fewer */
#define NOISE_FLOOR_US 100.0 /* scheduling and timer noise, whatever the size */
#define BEHIND_NOISE   0.30  /* of bytes before a ping, in ln: acknowledgements come in lumps */
#define LATE_SIGMAS    2.0   /* an answer that stays away has to be late by, */
#define SO_LONG_AGAIN  2.0 /* times what has lasted so long: the median, if nothing else is known */
#define SO_LONG_NOISE  0.7 /* of that, in ln */
#define RATE_SHARE     0.2 /* an exchange tells of a rate if the bytes take this share of it */
#define RATE_BYTES     8192      /* or if there are this many */
#define NEAR_LEAST     1.25      /* times the least round trip: no queue has formed */
#define WITNESS_NOISE  0.30      /* of a delivery rate */
#define RATE_ASSUMED   (1e6 / 8) /* for that, of a link that was never measured */
#define STEP_VAR_MAX   16.0
#define RECALLED_VAR   0.64 /* of rates that the round trip speaks of */
#define STEADY_MIN     2    /* observations of the rates without a surprise: to be remembered */
#define OPEN_VAR       0.25 /* nobody knows the rate: bytes that tell nothing of it are a question */
#define HOPE           2.0  /* ln of how much faster a link may be whose round trip got shorter */
#define KNOWN_VAR      0.0625 /* what is known better than that, 25 %, is remembered */

void clv_link_monitor_init(clv_link_monitor *m, int64_t now_us)
{
    *m = (clv_link_monitor){.noise = {NOISE_FIRST, NOISE_FIRST},
                            .early = {NOISE_FIRST, NOISE_FIRST},
                            .now_us = now_us,
                            .seen_us = now_us - CLV_LINK_QUIET_US, /* so a ping is due at once */
                            .rated_us = now_us,
                            .pinged_us = now_us - CLV_LINK_QUIET_US,
                            .probed_us = now_us - CLV_LINK_PROBE_EVERY_US,
                            .spent_us = now_us,
                            .told_us = now_us - CLV_LINK_QUIET_US,
                            .stepped_us = INT64_MIN / 2,
                            .shaken_us = INT64_MIN / 2,
                            .doubted_us = INT64_MIN / 2};
    clv_link_filter_init(&m->filter);
    for (int i = 0; i < CLV_LINK_STATES; i++) m->aged_us[i] = now_us;
}

/* A clock that went back was set: all that was noted moves with it. */
void clv_link_monitor_heed(clv_link_monitor *m, int64_t now_us)
{
    int64_t *const stamps[] = {&m->seen_us,   &m->rated_us,   &m->pinged_us,  &m->probed_us,
                               &m->spent_us,  &m->stalled_us, &m->told_us,    &m->stepped_us,
                               &m->shaken_us, &m->doubted_us, &m->aged_us[0], &m->aged_us[1],
                               &m->aged_us[2]};
    int64_t back = m->now_us - now_us;
    for (size_t i = 0; back > 0 && i < sizeof stamps / sizeof *stamps; i++) *stamps[i] -= back;
    m->now_us = now_us;
}

/* Only while nothing is seen of a state: forgetting at each observation is what keeps a busy link
 * fresh. */
static double ageing(const clv_link_monitor *m, int state, int64_t now_us)
{
    double idle_us = (double)(now_us - m->aged_us[state]) - AGE_US;
    return idle_us > 0 ? exp2(fmin(idle_us / AGE_US, 60) * 2 / 3) : 1;
}

/* A surprise is a stall or a step. Opens the uncertainty so far that an error like this one is a
 * matter of course, of the rates and of the round trip, unless that was seen just before and can be
 * true: a link that steps moves all of them, and the ping that is asked for tells what was whose. A
 * ping speaks of the rates, too, if it is far off; but one that is slow alone may be a scheduler's
 * doing, and only asks for the next. Returns the variance that the observation is taken with. */
static double surprise(clv_link_monitor *m, const clv_link_seen *o, double error, double obs_var)
{
    bool again = error > 0 ? m->surprises > 0 : m->surprises < 0, faster = error < 0;
    m->surprises = (again ? m->surprises : 0) + (faster ? -1 : 1);
    double share[CLV_LINK_STATES], var = fmin(error * error, STEP_VAR_MAX);
    clv_link_filter_predict(&m->filter, o, share);
    double bytes = share[UP] + share[DOWN];
    bool ping = bytes <= 0; /* none is too fast by chance */
    bool sure = again || (ping && (faster || m->slowed));
    m->slowed = !faster && !(ping && sure);
    if (ping && !sure) {
        m->rtt_asked = true;
        return (double)INFINITY;
    }
    m->stepped_us = m->now_us;
    if (fabs(error) > ANOTHER && m->steady >= STEADY_MIN) m->shaken_us = m->now_us;
    bool fresh = !ping && (double)(m->now_us - m->told_us) - o->us < CLV_LINK_DOWN_EVERY_US &&
                 o->us > exp(m->filter.state[RTT]);
    if (o->amount[RTT] > 0 && !fresh) m->filter.var[RTT][RTT] += var;
    m->rtt_asked = !ping; /* before any more bytes: they tell only to who knows it */
    if (!ping)
        clv_link_filter_open_rates(&m->filter, fmin(error * error / (bytes * bytes), STEP_VAR_MAX));
    else if (fabs(error) > ANOTHER)
        clv_link_filter_open_all(&m->filter, fmin(var, CLV_LINK_PRIOR_VAR));
    return sure ? obs_var : fmax(obs_var, error * error * (1 / FIRST_SURPRISE - 1));
}

/* What was not looked at has gone somewhere meanwhile: else the third of three looks, seconds apart,
 * would weigh as if all had seen one moment. */
static void drift(clv_link_monitor *m, double unseen_us)
{
    double var = DRIFT_PER_S * (unseen_us - DRIFT_AFTER_US) * 1e-6;
    if (m->rate_seen && var > 0)
        clv_link_filter_open_rates(&m->filter,
                                   fmin(var, fmax(CLV_LINK_PRIOR_VAR - m->filter.var[UP][UP], 0)));
}

static void learn_noise(double *noise, double error, double state_var, double least, double rate)
{
    double left = fmin(fmax(error * error - state_var, 0), NOISE_MAX * NOISE_MAX);
    double sigma = sqrt((1 - rate) * *noise * *noise + rate * left);
    *noise = fmin(fmax(sigma, least), NOISE_MAX);
}

/* What is seen comes late by chance, as who waits for it computes, and early only by what the link
 * itself varies: what is early weighs what early ones are worth, and a late ping the less the later
 * it is, until others in a row say the same. Returns the variance that it is taken with. */
static double lateness(clv_link_monitor *m, bool bytes, double us, double error, double state_var,
                       double var)
{
    double *noise = &m->early[bytes], early = *noise + NOISE_FLOOR_US / us;
    if (error < 0) learn_noise(noise, error, state_var, EARLY_MIN, LEARN_EARLY);
    if (!bytes) m->slowed = false;
    if (!bytes) m->late = error > sqrt(var) ? m->late + 1 : 0;
    if (error < 0) return fmin(early * early, var);
    return !bytes && m->late ? fmax(var, error * error / (m->late * m->late)) : var;
}

/* What surprises may be a stall, and for nothing, and is not believed at once; what has a noise of its own is. */
static void observe(clv_link_monitor *m, int64_t now_us, const clv_link_seen *o, double own_noise)
{
    bool bytes = o->amount[UP] + o->amount[DOWN] > 0;
    double unseen_us = (double)(now_us - m->aged_us[UP]) - o->us;
    for (int i = RTT; i < (bytes ? CLV_LINK_STATES : UP); i++) {
        clv_link_filter_widen(&m->filter, i, ageing(m, i, now_us));
        m->aged_us[i] = now_us;
    }
    if (o->amount[RTT] > 0)
        clv_link_filter_widen(&m->filter, RTT, bytes ? 1 / FORGET_RTT : 1 / FORGET);
    for (int i = UP; bytes && i <= DOWN; i++) clv_link_filter_widen(&m->filter, i, 1 / FORGET);
    if (bytes) drift(m, unseen_us);
    double h[CLV_LINK_STATES], error = log(o->us) - clv_link_filter_predict(&m->filter, o, h);
    double state_var = clv_link_filter_spread(&m->filter, h);
    double *noise = &m->noise[bytes], sigma = *noise + NOISE_FLOOR_US / o->us,
           obs_var = sigma * sigma;
    double gate = GATE * sqrt(state_var + obs_var);
    if (fabs(error) > (m->rate_seen ? fmin(gate, FAR) : gate)) {
        double damped = surprise(m, o, error, obs_var);
        obs_var = own_noise > 0 ? own_noise * own_noise : damped;
    } else {
        m->surprises = 0;
        if (own_noise <= 0) learn_noise(noise, error, state_var, NOISE_MIN, LEARN);
        if (own_noise <= 0) obs_var = lateness(m, bytes, o->us, error, state_var, obs_var);
    }
    m->alive = true;
    m->seen_us = now_us;
    if (!isfinite(obs_var)) return;
    clv_link_filter_learn(&m->filter, o, obs_var);
    if (bytes) clv_link_filter_hold_together(&m->filter, FORGET);
}

/* The first time tells the round trip to about a factor, whatever was assumed. */
static void first_rtt(clv_link_monitor *m, double us, double var)
{
    if (m->rtt_seen) return;
    clv_link_filter_set_rtt(&m->filter, us, var);
    m->rtt_seen = true;
}

/* The link steps, and its round trip is one that is known: so may be its rates. */
static void recall(clv_link_monitor *m, double rtt)
{
    const clv_link_regime *was = clv_link_regimes_recall(&m->regimes, rtt);
    m->steady = 0;
    if (!was) return;
    m->shorter = false;
    double often = 1 + was->right;
    clv_link_filter_set_rates(&m->filter, was->up, was->down, RECALLED_VAR / (often * often));
}

/* Well known and steady: this is what the link is like with this round trip. */
static void remember(clv_link_monitor *m, int64_t now_us)
{
    bool known = m->filter.var[RTT][RTT] < KNOWN_VAR && m->filter.var[UP][UP] < KNOWN_VAR;
    if (!known || m->steady < STEADY_MIN || m->stalled) return;
    clv_link_regimes_note(&m->regimes, &(clv_link_regime){.rtt = m->filter.state[RTT],
                                                          .up = m->filter.state[UP],
                                                          .down = m->filter.state[DOWN],
                                                          .seen_us = now_us});
}

static bool sane(double us)
{
    return isfinite(us) && us > 0 && us <= CLV_LINK_TIME_US_MAX;
}

void clv_link_monitor_rtt(clv_link_monitor *m, int64_t now_us, double us)
{
    clv_link_monitor_heed(m, now_us);
    if (!sane(us)) return;
    bool stepped = m->rtt_seen && fabs(log(us) - m->filter.state[RTT]) > ANOTHER;
    bool shorter = log(us) < m->filter.state[RTT];
    bool asked = m->rtt_asked && (m->surprises || m->stepped_us > m->told_us);
    first_rtt(m, us, 0.05);
    m->rtt_asked = false;
    m->told_us = now_us;
    observe(m, now_us, &(clv_link_seen){{1, 0, 0}, us}, 0);
    if (m->rtt_asked) return; /* not believed */
    if (stepped) m->shorter = shorter;
    if ((stepped || asked) && m->rate_seen) recall(m, log(us));
}

static void exchange(clv_link_monitor *m, int64_t now_us, const clv_link_seen *o, double own_noise)
{
    first_rtt(m, 0.3 * o->us, 1); /* some part of it, nobody knows which */
    observe(m, now_us, o, own_noise);
    double share[CLV_LINK_STATES];
    clv_link_filter_predict(&m->filter, o, share);
    bool up = share[UP] > RATE_SHARE || o->amount[UP] >= RATE_BYTES;
    bool down = share[DOWN] > RATE_SHARE || o->amount[DOWN] >= RATE_BYTES;
    m->rate_seen = m->rate_seen || up || down;
    if (up || down) m->rated_us = now_us;
    if ((double)(now_us - m->stalled_us) >= o->us) m->stalled = false; /* it began later */
    if (!up && !down) {
        bool unasked = m->told_us <= m->stepped_us; /* no ping has confirmed the step */
        if (unasked && m->filter.var[UP][UP] > OPEN_VAR) m->rtt_asked = true; /* is it that long? */
        return;
    }
    m->shorter = false;
    m->steady = m->surprises ? 0 : m->steady + 1;
    clv_link_regimes_judge(&m->regimes, !m->surprises);
    remember(m, now_us);
}

void clv_link_monitor_behind(clv_link_monitor *m, int64_t now_us, size_t before_bytes, double us)
{
    clv_link_monitor_heed(m, now_us);
    if (!sane(us) || !m->alive || before_bytes < RATE_BYTES) return;
    exchange(m, now_us, &(clv_link_seen){{0, (double)before_bytes, 0}, us}, BEHIND_NOISE);
}

void clv_link_monitor_exchange(clv_link_monitor *m, int64_t now_us, size_t up_bytes,
                               size_t down_bytes, double us)
{
    clv_link_monitor_heed(m, now_us);
    if (!sane(us)) return;
    exchange(m, now_us, &(clv_link_seen){{1, (double)up_bytes, (double)down_bytes}, us}, 0);
}

void clv_link_monitor_distrust(clv_link_monitor *m, int64_t now_us)
{
    clv_link_monitor_heed(m, now_us);
    double open = CLV_LINK_OPEN_SIGMA * CLV_LINK_OPEN_SIGMA;
    if (!m->rate_seen) return;
    m->doubted_us = now_us;
    if (m->filter.var[UP][UP] > open) return;
    clv_link_filter_open_rates(&m->filter, open);
    m->probed_us = now_us - CLV_LINK_PROBE_EVERY_US;
}

void clv_link_monitor_unanswered(clv_link_monitor *m, int64_t now_us, size_t up_bytes, double us)
{
    const clv_link_seen o = {{1, (double)up_bytes, 0}, SO_LONG_AGAIN * us};
    double share[CLV_LINK_STATES];
    clv_link_monitor_heed(m, now_us);
    if (!sane(us) || !m->alive) return;
    double late = log(us) - clv_link_filter_predict(&m->filter, &o, share), noise = m->noise[1];
    double sigma = sqrt(clv_link_filter_spread(&m->filter, share) + noise * noise);
    if (late <= fmin(LATE_SIGMAS * sigma, ANOTHER)) return;
    if (!m->stalled) m->rate_unstalled = 1e6 / exp(m->filter.state[UP]);
    m->stalled = true; /* or it is a step: what begins from now on tells */
    m->stalled_us = now_us;
    exchange(m, now_us, &o, SO_LONG_NOISE);
}

void clv_link_monitor_carried(clv_link_monitor *m, int64_t now_us, size_t up_bytes, double us)
{
    clv_link_monitor_heed(m, now_us);
    if (!sane(us) || up_bytes == 0 || !m->rtt_seen) return;
    exchange(m, now_us, &(clv_link_seen){{0, (double)up_bytes, 0}, us}, 0);
}

/* The least round trip: of now, or of a path that was? */
static void witness_rtt(clv_link_monitor *m, int64_t now_us, const clv_link_witness *w)
{
    if (!sane(w->min_rtt_us)) return;
    bool news = w->min_rtt_us != m->min_rtt_us;
    bool present = sane(w->rtt_us) && w->rtt_us <= NEAR_LEAST * w->min_rtt_us;
    bool bound = m->rtt_seen && w->min_rtt_us > NEAR_LEAST * exp(m->filter.state[RTT]);
    m->min_rtt_us = w->min_rtt_us;
    if (news || present || bound) {
        first_rtt(m, w->min_rtt_us, 0.05);
        observe(m, now_us, &(clv_link_seen){{1, 0, 0}, w->min_rtt_us}, 0);
    }
}

static void witness_rate(clv_link_monitor *m, const clv_link_witness *w)
{
    double rate = w->delivery_bytes_per_s;
    if (!isfinite(rate) || rate <= 0 || rate == m->delivery_bytes_per_s || !m->rate_seen) return;
    m->delivery_bytes_per_s = rate;
    bool full = !w->app_limited && w->min_rtt_us > 0 && w->rtt_us > NEAR_LEAST * w->min_rtt_us;
    double error = log(1e6 / rate) - m->filter.state[UP]; /* below 0: faster than thought */
    double var = WITNESS_NOISE * WITNESS_NOISE;
    if (m->filter.var[UP][UP] < var)
        return; /* its samples are off together: they do not average out */
    if ((error >= 0 && !full) || fabs(error) > GATE * sqrt(m->filter.var[UP][UP] + var)) return;
    clv_link_filter_correct(&m->filter, (double[]){0, 1, 0}, error, var);
}

void clv_link_monitor_witness(clv_link_monitor *m, int64_t now_us, const clv_link_witness *w)
{
    clv_link_monitor_heed(m, now_us);
    witness_rtt(m, now_us, w);
    witness_rate(m, w);
}

/* What the link carries, for the budget: as it is known, as it was before it stalled or was lost,
 * or the least that is thought of. */
double clv_link_monitor_carries(const clv_link_monitor *m)
{
    if (m->stalled) return m->rate_unstalled;
    if (m->rate_seen) return 1e6 / exp(m->filter.state[UP]);
    return m->rate_before > 0 ? m->rate_before : RATE_ASSUMED;
}

void clv_link_monitor_failure(clv_link_monitor *m, int64_t now_us)
{
    clv_link_monitor_heed(m, now_us);
    clv_link_monitor was = *m;
    clv_link_monitor_init(m, now_us); /* it may come back as another link */
    m->seen_us = now_us;
    if (was.rate_seen || was.rate_before > 0) {
        m->rate_before = was.rate_seen ? clv_link_monitor_carries(&was) : was.rate_before;
        m->filter.state[UP] = m->filter.state[DOWN] = log(1e6 / m->rate_before);
    }
    m->spent_bytes = was.spent_bytes;
    m->spent_us = was.spent_us;
    m->rate_lately = was.rate_lately;
    m->regimes = was.regimes;
}

/* Relative sigma of the time of a byte, which is that of the rate too; 1 is "no idea". */
static double relative(const clv_link_monitor *m, int i, int64_t now_us)
{
    return fmin(sqrt(m->filter.var[i][i] * ageing(m, i, now_us)), 1);
}

clv_link clv_link_monitor_link(const clv_link_monitor *m, int64_t now_us)
{
    double rtt_us = exp(m->filter.state[RTT]),
           hope = m->shorter && m->filter.var[UP][UP] >= 1 ? HOPE : 0;
    return (clv_link){
        .up_bytes_per_s = 1e6 / exp(m->filter.state[UP] - hope),
        .down_bytes_per_s = 1e6 / exp(m->filter.state[DOWN] - hope),
        .rtt_us = rtt_us,
        .up_sigma = relative(m, UP, now_us),
        .down_sigma = relative(m, DOWN, now_us),
        .rtt_sigma_us = rtt_us * relative(m, RTT, now_us),
        .unseen_us = now_us > m->rated_us ? (double)(now_us - m->rated_us) : 0,
        .up = m->alive && m->rtt_seen && m->rate_seen,
    };
}
