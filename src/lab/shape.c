#include "lab/shape.h"

#include "base/mem.h"

#include <math.h>
#include <stdbool.h>

#define NS_PER_S       1e9
#define NS_PER_US      1000
#define WIRE_MTU       1500
#define QUEUE_PACKETS  32
#define QUEUE_US       100000
#define QUEUE_US_BYTES (256 << 10) /* the most that QUEUE_US may ask for */
#define RATE_MAX       1e12

int64_t clv_shape_queue_default(double rate_bytes_per_s, int64_t delay_us)
{
    double bytes_per_us = rate_bytes_per_s / 1e6;
    double bdp2 = 4 * (double)delay_us * bytes_per_us;
    double bloat = fmin(QUEUE_US * bytes_per_us, QUEUE_US_BYTES);
    double bytes = fmax(fmax(bdp2, bloat), (double)QUEUE_PACKETS * WIRE_MTU);
    return (int64_t)fmin(bytes, (double)CLV_SHAPE_QUEUE_MAX);
}

clv_status clv_shape_check(const clv_shape_values *v, clv_error *err)
{
    if (!(v->rate_bytes_per_s >= 0 && v->rate_bytes_per_s <= RATE_MAX) ||
        (v->rate_bytes_per_s > 0 && v->rate_bytes_per_s < 1))
        return clv_fail(err, CLV_EINVAL, "link rate %g bytes/s: 8 bit/s to 8 Tbit/s are possible",
                        v->rate_bytes_per_s);
    if (v->delay_us < 0 || v->delay_us > CLV_SHAPE_DELAY_US_MAX)
        return clv_fail(err, CLV_EINVAL, "link delay %lld us: 0 to 10 minutes are possible",
                        (long long)v->delay_us);
    if (v->jitter_us < 0 || v->jitter_us > CLV_SHAPE_DELAY_US_MAX)
        return clv_fail(err, CLV_EINVAL, "link jitter %lld us: 0 to 10 minutes are possible",
                        (long long)v->jitter_us);
    if (!(v->loss >= 0 && v->loss <= 1))
        return clv_fail(err, CLV_EINVAL, "link loss %g: a probability of 0 to 1 is needed",
                        v->loss);
    if (v->queue_bytes < 0 || v->queue_bytes > CLV_SHAPE_QUEUE_MAX)
        return clv_fail(err, CLV_EINVAL, "link queue %lld bytes: 0 (chosen) to 64 MiB are possible",
                        (long long)v->queue_bytes);
    return CLV_OK;
}

static void adopt(clv_shaper *s, const clv_shape_values *v)
{
    s->values = *v;
    if (s->values.queue_bytes == 0)
        s->values.queue_bytes = clv_shape_queue_default(v->rate_bytes_per_s, v->delay_us);
}

void clv_shape_init(clv_shaper *s, const clv_shape_values *values, uint64_t seed)
{
    *s = (clv_shaper){.rng = clv_rng_seeded(seed)};
    adopt(s, values);
}

static double wire_ns(const clv_shape_values *v, int64_t bytes)
{
    return v->rate_bytes_per_s > 0 ? (double)bytes / v->rate_bytes_per_s * NS_PER_S : 0;
}

static int64_t travel_ns(clv_shaper *s)
{
    int64_t ns = s->values.delay_us * NS_PER_US;
    if (s->values.jitter_us > 0)
        ns += llround((2 * clv_rng_unit(&s->rng) - 1) * (double)(s->values.jitter_us * NS_PER_US));
    return CLV_MAX(ns, 0);
}

static void arrive(clv_shaper *s, clv_shape_packet *p, int64_t at_ns)
{
    p->deliver_ns = CLV_MAX(at_ns, s->last_deliver_ns);
    s->last_deliver_ns = p->deliver_ns;
}

int64_t clv_shape_backlog_bytes(const clv_shaper *s, int64_t now_ns)
{
    double wait_ns = s->busy_ns - (double)now_ns;
    return wait_ns > 0 ? llround(wait_ns * s->values.rate_bytes_per_s / NS_PER_S) : 0;
}

/* A packet always fits an idle wire, however small the queue: only what waits is bounded. */
static bool queue_full(const clv_shaper *s, int64_t now_ns, int64_t bytes)
{
    int64_t backlog = clv_shape_backlog_bytes(s, now_ns);
    return backlog > 0 && backlog + bytes > s->values.queue_bytes;
}

clv_shape_verdict clv_shape_push(clv_shaper *s, int64_t now_ns, clv_shape_packet *p)
{
    if (queue_full(s, now_ns, p->wire_bytes)) return CLV_SHAPE_FULL;
    s->busy_ns = fmax(s->busy_ns, (double)now_ns) + wire_ns(&s->values, p->wire_bytes);
    if (s->values.loss > 0) {
        double kept = pow(1 - s->values.loss, (double)p->wire_packets);
        if (clv_rng_unit(&s->rng) >= kept) return CLV_SHAPE_LOST;
    }
    p->sent_ns = llround(s->busy_ns);
    arrive(s, p, p->sent_ns + travel_ns(s));
    return CLV_SHAPE_PASS;
}

/* All bytes ahead of a waiting packet leave at the new rate, so every time left to wait shrinks or
 * grows by the same factor: no byte needs to be counted again. */
clv_shape_change clv_shape_set(clv_shaper *s, int64_t now_ns, const clv_shape_values *values)
{
    double old = s->values.rate_bytes_per_s, new = values->rate_bytes_per_s;
    clv_shape_change c = {.now_ns = now_ns, .stretch = new > 0 && old > 0 ? old / new : 0};
    if (s->busy_ns > (double)now_ns)
        s->busy_ns = (double)now_ns + (s->busy_ns - (double)now_ns) * c.stretch;
    s->last_deliver_ns = 0;
    adopt(s, values);
    return c;
}

void clv_shape_reschedule(clv_shaper *s, const clv_shape_change *c, clv_shape_packet *p)
{
    if (p->sent_ns <= c->now_ns) {
        arrive(s, p, p->deliver_ns);
        return;
    }
    p->sent_ns = c->now_ns + llround((double)(p->sent_ns - c->now_ns) * c->stretch);
    arrive(s, p, p->sent_ns + travel_ns(s));
}
