#include "policy/wait.h"

#include "base/mem.h"
#include "base/stats.h"

#include <math.h>

#define ALARM_FACTOR 2.0
#define ALARM_US     1000.0
#define SHORTEN      0.95
#define OLDER_US     1000000

static bool sane(double us)
{
    return isfinite(us) && us >= 0;
}

void clv_wait_init(clv_wait *w, uint64_t seed, int64_t now_us)
{
    *w = (clv_wait){.rng = clv_rng_seeded(seed),
                    .heard_at_us = INT64_MIN,
                    .dwell_us = CLV_WAIT_DWELL_MIN_US,
                    .forget_us = CLV_WAIT_FORGET_US,
                    .look_us = now_us,
                    .own_at_us = now_us};
}

void clv_wait_lost(clv_wait *w, int64_t now_us)
{
    w->n_met = 0;
    w->heard_at_us = INT64_MIN;
    w->heard_us = w->held_us = w->seen_sum_us = 0;
    w->n_seen = 0;
    w->look_us = now_us;
    w->alarmed = false;
}

/* The quantile of the waits met lately; false: too few. */
static bool met_lately(const clv_wait *w, int64_t now_us, double *us)
{
    double fresh[CLV_WAIT_SAMPLES];
    size_t n = 0;
    for (size_t i = 0; i < CLV_MIN(w->n_met, (size_t)CLV_WAIT_SAMPLES); i++)
        if (now_us - w->met_at_us[i] <= CLV_WAIT_FRESH_US) fresh[n++] = w->met_us[i];
    if (n < CLV_WAIT_SAMPLES_MIN) return false;
    *us = clv_quantile(fresh, n, CLV_WAIT_QUANTILE);
    return true;
}

/* Own requests tell best what own requests meet; else what the peer says; else nothing new. */
static double newest(const clv_wait *w, int64_t now_us, double otherwise)
{
    double us;
    bool heard = w->heard_at_us != INT64_MIN && now_us - w->heard_at_us <= CLV_WAIT_FRESH_US;
    int64_t met_at = w->n_met ? w->met_at_us[(w->n_met - 1) % CLV_WAIT_SAMPLES] : INT64_MIN;
    bool newer = heard && (met_at == INT64_MIN || w->heard_at_us > met_at + OLDER_US);
    if (!newer && met_lately(w, now_us, &us)) return us;
    return heard ? w->heard_us : otherwise;
}

/* The longer a node dwells, the more it has seen when it looks, and the less noise moves it. */
static void gather(clv_wait *w, int64_t now_us)
{
    w->seen_sum_us += newest(w, now_us, w->held_us);
    w->n_seen++;
}

void clv_wait_met(clv_wait *w, int64_t now_us, double wait_us)
{
    if (!sane(wait_us)) return;
    w->met_us[w->n_met % CLV_WAIT_SAMPLES] = fmin(wait_us, CLV_WAIT_MAX_US);
    w->met_at_us[w->n_met++ % CLV_WAIT_SAMPLES] = now_us;
    gather(w, now_us);
}

void clv_wait_heard(clv_wait *w, int64_t now_us, double wait_us)
{
    if (!sane(wait_us)) return;
    w->heard_us = fmin(wait_us, CLV_WAIT_MAX_US);
    w->heard_at_us = now_us;
    gather(w, now_us);
}

double clv_wait_newest(const clv_wait *w, int64_t now_us)
{
    return newest(w, now_us, w->held_us);
}

/* What our coming would add: less when the queue is shorter than it was then. */
static double own_now(const clv_wait *w, int64_t now_us, double seen_us)
{
    double age = fmax((double)(now_us - w->own_at_us), 0);
    double like_then = fmin((seen_us + ALARM_US) / (w->own_base_us + ALARM_US), 1);
    return w->own_us * like_then * exp2(-age / w->forget_us);
}

/* What is remembered of a move between home and away, at the first look behind it. */
static void note_move(clv_wait *w, int64_t now_us, bool away, double now_met_us)
{
    if (w->came) { /* a dwell ago it came: what it meets now has its own part in it */
        double added = fmax(now_met_us - w->left_us, 0);
        bool again = added > 0 && added >= w->own_us / 2;
        w->forget_us = again ? fmin(2 * w->forget_us, CLV_WAIT_FORGET_MAX_US) : CLV_WAIT_FORGET_US;
        w->own_us = added;
        w->own_base_us = w->left_us;
        w->own_at_us = now_us;
        w->came = false;
    }
    if (away == w->away) {
        w->dwell_us = fmax(w->dwell_us * SHORTEN, CLV_WAIT_DWELL_MIN_US);
        return;
    }
    w->dwell_us = fmin(2 * w->dwell_us, CLV_WAIT_DWELL_MAX_US);
    w->away = away;
    w->came = away;
}

static void look(clv_wait *w, int64_t now_us, bool away)
{
    double seen = w->n_seen ? w->seen_sum_us / (double)w->n_seen : newest(w, now_us, w->held_us);
    note_move(w, now_us, away, seen);
    if (!away) w->left_us = seen;
    w->held_us = away ? seen : seen + own_now(w, now_us, seen);
    w->look_us = now_us + (int64_t)(w->dwell_us * (0.5 + clv_rng_unit(&w->rng)));
    w->alarmed = false;
    w->seen_sum_us = 0;
    w->n_seen = 0;
}

double clv_wait_planned(clv_wait *w, int64_t now_us, bool away)
{
    double seen = newest(w, now_us, w->held_us);
    if (away && !w->alarmed && seen > ALARM_FACTOR * w->held_us + ALARM_US) {
        int64_t soon = now_us + (int64_t)(CLV_WAIT_ALARM_US * clv_rng_unit(&w->rng));
        w->look_us = CLV_MIN(w->look_us, soon);
        w->alarmed = true;
    }
    if (now_us >= w->look_us) look(w, now_us, away);
    return w->held_us;
}
