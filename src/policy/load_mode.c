#include "policy/load_mode.h"

#include <math.h>

void clv_load_mode_init(clv_load_mode *m, int64_t now_us)
{
    *m = (clv_load_mode){.at_us = now_us, .at_once = 1};
}

void clv_load_mode_plan(clv_load_mode *m, double period_us, double latency_us)
{
    m->period_us = period_us > 0 && isfinite(period_us) ? period_us : 0;
    bool known = m->period_us > 0 && isfinite(latency_us);
    m->at_once = known ? fmax(latency_us / m->period_us, 1) : 1;
}

double clv_load_mode_memory_us(const clv_load_mode *m)
{
    return fmax(CLV_LOAD_MEMORY_US_MIN, CLV_LOAD_MEMORY * m->period_us);
}

/* What is left at `now` of what was known: 1, and less with time. */
static double memory(const clv_load_mode *m, int64_t now_us)
{
    double us = (double)(now_us - m->at_us);
    return us > 0 ? exp(-us / clv_load_mode_memory_us(m)) : 1;
}

double clv_load_mode_rate(const clv_load_mode *m, int64_t now_us)
{
    return m->rate_per_s * memory(m, now_us);
}

/* Those found, less when hardly anyone has come since. */
static double still_there(const clv_load_mode *m)
{
    return m->found * fmin(m->rate_per_s * clv_load_mode_memory_us(m) * 1e-6, 1);
}

bool clv_load_mode_queues(const clv_load_mode *m)
{
    return m->period_us > 0 && still_there(m) >= CLV_LOAD_CROWD * m->at_once;
}

/* Does the load, as it is known, call for the other mode? */
static bool calls(const clv_load_mode *m)
{
    double used = m->rate_per_s * m->period_us * 1e-6;
    if (m->period_us <= 0) return m->heavy;
    double crowd = CLV_LOAD_CROWD * m->at_once, found = still_there(m);
    if (m->heavy) return found < (used < CLV_LOAD_LOW ? crowd / 2 : CLV_LOAD_CALM);
    return used > CLV_LOAD_HIGH ? found >= CLV_LOAD_BUSY : clv_load_mode_queues(m);
}

static bool decide(clv_load_mode *m, int64_t now_us)
{
    if (!calls(m)) {
        m->called = false;
        return false;
    }
    if (!m->called || now_us < m->called_us) {
        m->called = true;
        m->called_us = now_us;
    }
    double dwell = (m->heavy ? CLV_LOAD_FALL : CLV_LOAD_RISE) * clv_load_mode_memory_us(m);
    if ((double)(now_us - m->called_us) < dwell) return false;
    m->heavy = !m->heavy;
    m->called = false;
    return true;
}

bool clv_load_mode_look(clv_load_mode *m, int64_t now_us)
{
    m->rate_per_s *= memory(m, now_us);
    m->at_us = now_us;
    return decide(m, now_us);
}

bool clv_load_mode_arrived(clv_load_mode *m, int64_t now_us, int in_flight)
{
    double left = memory(m, now_us), before = m->rate_per_s;
    /* Those found are averaged over arrivals, so that pauses do not count as calm: about as many as
     * the rate remembers. */
    double us = clv_load_mode_memory_us(m);
    double weight = 1 / fmax(1, fmin(before * us * 1e-6, 16));
    m->found += weight * (in_flight - m->found);
    m->rate_per_s = before * left + 1e6 / us;
    m->at_us = now_us;
    return decide(m, now_us);
}

const char *clv_load_mode_name(bool heavy)
{
    return heavy ? "throughput" : "latency";
}
