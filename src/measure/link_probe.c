/* What to ask the link, of which little is known, and how much of it that may take. */
#include "measure/link_monitor.h"

#include "base/mem.h"

#include <math.h>

#define PROBE_FIRST   8192.0 /* bytes */
#define PROBE_MIN     1024.0
#define PROBE_ALWAYS  4096.0 /* of what should take that long */
#define PROBE_MAX     24576.0
#define PROBE_US_MIN  20e3
#define PROBE_US_MAX  100e3
#define SLOW_SIGMAS   1.5    /* beyond PROBE_ALWAYS: what takes that long so far off the estimate */
#define PAID_SHARE    0.0045 /* of the rate pays off what probes took */
#define LATELY_US     10e6   /* the rate that does is one of so long */
#define OWED_SHARE    0.0003 /* of what the window carries may be owed */
#define STEPPED_US    60000000 /* so long after a step another one is looked for, this often */
#define PING_STEPS_US 500000
#define PING_LEAST_US 2000000 /* also of a link in use: its bytes hardly tell its round trip */
#define PING_SHARE    0.002   /* of the rate is for pings, whatever is owed */

static double rate_up(const clv_link_monitor *m, int64_t now_us)
{
    return clv_link_monitor_link(m, now_us).up_bytes_per_s;
}

static double unsure(const clv_link_monitor *m, int64_t now_us)
{
    return clv_link_monitor_link(m, now_us).up_sigma;
}

/* How many bytes may be sent now without being asked for. */
static double budget(clv_link_monitor *m, int64_t now_us)
{
    double gone_us = (double)(now_us - m->spent_us), now = clv_link_monitor_carries(m);
    double lately = m->rate_lately > 0 ? m->rate_lately : now;
    double rate = m->rate_lately = now + (lately - now) * exp(-gone_us / LATELY_US);
    m->spent_bytes = fmax(m->spent_bytes - PAID_SHARE * rate * gone_us * 1e-6, 0);
    m->spent_us = now_us;
    return fmax(PROBE_FIRST + CLV_LINK_PING_BYTES,
                OWED_SHARE * rate * CLV_LINK_PROBE_WINDOW_US * 1e-6) -
           m->spent_bytes;
}

/* Of a link whose rate was never seen, or not since it was lost: enough to tell it, however slow
 * it looked then. Of one that stalled, or stepped down: enough to tell which. */
static double probe_bytes(const clv_link_monitor *m, int64_t now_us)
{
    if (!m->rate_seen && m->rate_before <= 0) return PROBE_FIRST;
    double us = fmin(fmax(clv_link_monitor_link(m, now_us).rtt_us / 3, PROBE_US_MIN), PROBE_US_MAX);
    double least = m->rate_seen ? PROBE_MIN : PROBE_FIRST, rate = clv_link_monitor_carries(m);
    if (m->stalled || m->surprises) rate = sqrt(fmax(rate, m->rate_unstalled) * rate_up(m, now_us));
    double all = rate * us * 1e-6, slow = all * exp(-SLOW_SIGMAS * unsure(m, now_us));
    return floor(fmin(fmax(fmax(slow, fmin(all, PROBE_ALWAYS)), least), PROBE_MAX));
}

/* Is the rate less sure than it should be? */
static bool is_open(const clv_link_monitor *m, int64_t now_us)
{
    bool doubted = now_us - m->doubted_us < CLV_LINK_DOUBTED_US;
    return unsure(m, now_us) > (doubted ? CLV_LINK_SURE_SIGMA : CLV_LINK_OPEN_SIGMA);
}

static bool wants_bytes(const clv_link_monitor *m, int64_t now_us, bool matters)
{
    if (!m->alive || !m->rtt_seen || m->rtt_asked)
        return false; /* bytes tell only to who knows it */
    bool open = is_open(m, now_us), stepped = open && m->surprises;
    int64_t rest_us = open ? CLV_LINK_DOWN_EVERY_US : CLV_LINK_PROBE_EVERY_US;
    if (now_us - m->probed_us < rest_us && !stepped) return false;
    bool quiet = now_us - m->rated_us >= CLV_LINK_QUIET_US || open || m->stalled;
    return !m->rate_seen || ((matters || m->stalled) && quiet);
}

static bool is_restless(const clv_link_monitor *m, int64_t now_us)
{
    return now_us - m->shaken_us < STEPPED_US;
}

/* May a ping go out; `own`: not out of what is `left` of the budget. */
static bool may_ping(const clv_link_monitor *m, int64_t now_us, double left, bool *own)
{
    double rate = fmax(m->rate_lately, clv_link_monitor_carries(m));
    double saved = PING_SHARE * rate * (double)(now_us - m->pinged_us) * 1e-6;
    *own = *own || saved >= CLV_LINK_PING_BYTES;
    return *own || left - CLV_LINK_PING_BYTES >= m->spent_bytes;
}

bool clv_link_monitor_greets(clv_link_monitor *m, int64_t now_us)
{
    clv_link_monitor_heed(m, now_us);
    bool own = false, may = may_ping(m, now_us, budget(m, now_us), &own);
    bool fresh = now_us - CLV_MAX(m->told_us, m->pinged_us) < CLV_LINK_GREET_EVERY_US;
    if (!may || fresh || !m->alive || !m->rate_seen || !is_restless(m, now_us)) return false;
    m->pinged_us = now_us;
    if (!own) m->spent_bytes += CLV_LINK_PING_BYTES;
    return true;
}

/* A ping is due while nothing else tells, at once to a link that surprised, and often to one that is
 * lost. `own`: not out of what is `left` of the budget. */
static bool wants_ping(const clv_link_monitor *m, int64_t now_us, double left, bool *own)
{
    int64_t every_us = is_restless(m, now_us) ? PING_STEPS_US : CLV_LINK_QUIET_US;
    bool asked = m->rtt_asked && m->alive;
    bool quiet = now_us - m->seen_us >= every_us || now_us - m->told_us >= PING_LEAST_US;
    int64_t rest_us = asked || !m->alive ? CLV_LINK_DOWN_EVERY_US : every_us;
    *own = !m->alive || asked;
    bool may = may_ping(m, now_us, left, own);
    return (quiet || asked || !m->alive) && may && now_us - m->pinged_us >= rest_us;
}

clv_link_probe clv_link_monitor_probe(clv_link_monitor *m, int64_t now_us, bool matters)
{
    clv_link_monitor_heed(m, now_us);
    double left = budget(m, now_us), bytes = probe_bytes(m, now_us);
    if (wants_bytes(m, now_us, matters) && bytes + CLV_LINK_PING_BYTES <= left) {
        m->probed_us = now_us;
        m->spent_bytes += bytes + CLV_LINK_PING_BYTES;
        return (clv_link_probe){CLV_PROBE_BYTES, (size_t)bytes};
    }
    if (m->alive && m->rtt_seen && !m->rate_seen && bytes + CLV_LINK_PING_BYTES > left)
        m->rate_seen = m->rate_before > 0; /* nothing is left to ask with: as it was, perhaps */
    bool own;
    if (!wants_ping(m, now_us, left, &own)) return (clv_link_probe){CLV_PROBE_NONE, 0};
    m->pinged_us = now_us;
    if (!own || m->rtt_asked) m->spent_bytes += CLV_LINK_PING_BYTES;
    return (clv_link_probe){CLV_PROBE_PING, 0};
}
