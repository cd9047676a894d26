#include "measure/throughput.h"

#define FULL     1.25  /* times the least round trip: a queue has formed */
#define JIFFY_US 10000 /* the kernel's busy time comes in steps */

static bool is_full(const clv_throughput_counters *c)
{
    return c->min_rtt_us > 0 && c->rtt_us > FULL * c->min_rtt_us;
}

/* A window begins here, if the path is full now. */
static void begin(clv_throughput *t, int64_t now_us, const clv_throughput_counters *c)
{
    t->at_us = now_us;
    t->busy_us = c->busy_us;
    t->delivered_bytes = c->delivered_bytes;
    t->open = is_full(c);
}

clv_throughput_carried clv_throughput_look(clv_throughput *t, int64_t now_us,
                                           const clv_throughput_counters *c)
{
    int64_t gone_us = now_us - t->at_us, busy_us = c->busy_us - t->busy_us;
    bool same = t->open && gone_us >= 0 && t->at_us >= c->idle_us &&
                c->delivered_bytes >= t->delivered_bytes;
    if (!same || busy_us < gone_us - JIFFY_US || !is_full(c)) {
        t->busy = false;
        begin(t, now_us, c);
        return (clv_throughput_carried){0};
    }
    t->busy = t->busy || gone_us > 2 * JIFFY_US;
    uint64_t bytes = c->delivered_bytes - t->delivered_bytes;
    bool enough = gone_us >= CLV_THROUGHPUT_LEAST_US && bytes >= CLV_THROUGHPUT_LEAST_BYTES;
    if (!enough && gone_us < CLV_THROUGHPUT_MOST_US) return (clv_throughput_carried){0};
    begin(t, now_us, c);
    if (bytes == 0) return (clv_throughput_carried){0};
    return (clv_throughput_carried){.bytes = (size_t)bytes, .us = (double)gone_us};
}
