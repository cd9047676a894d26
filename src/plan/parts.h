/* The parts of a placement's cost, inline, for planners that weigh thousands of placements.
 * Private to plan/. What each part is: plan/problem.h, whose functions are these with CLV_NEED_ALL.
 *
 * A planner names the numbers that its objective and limits look at; the others stay 0:
 *
 *     unsigned needs = clv_plan_needs(p);
 *     clv_plan_amount up = clv_part_cross(p, 0, cut, codec, needs);
 *     total = clv_part_add(total, up);                // unknown parts make unknown sums
 *
 * Inline, and with only what is needed: one_cut.c weighs every cut in every codec, which for
 * GoogLeNet is 2,000 crossings in tens of microseconds. Each part is rounded up once, here and
 * nowhere else, so that any order of adding gives the same integers. Units end the names as in
 * plan/problem.h. Nothing is owned; indices are the caller's to check (clv_plan_problem_check() has
 * seen the problem). Threads: any.
 */
#ifndef CLV_PLAN_PARTS_H
#define CLV_PLAN_PARTS_H

#include "plan/problem.h"

enum { CLV_NEED_VAR = 1, CLV_NEED_NJ = 2, CLV_NEED_PM = 4, CLV_NEED_ALL = 7 };

/* What the objective and the limits of a problem look at, besides time. */
static inline unsigned clv_plan_needs(const clv_plan_problem *p)
{
    const clv_plan_objective *o = &p->objective;
    bool weighted = o->goal == CLV_GOAL_WEIGHTED;
    unsigned needs = o->quantile_ppm ? CLV_NEED_VAR : 0;
    if (o->goal == CLV_GOAL_ENERGY || (weighted && o->joule_weight) ||
        p->limits.energy_nj != CLV_PLAN_NO_LIMIT)
        needs |= CLV_NEED_NJ;
    if (o->goal == CLV_GOAL_PRICE || (weighted && o->money_weight) ||
        p->limits.price_pm != CLV_PLAN_NO_LIMIT)
        needs |= CLV_NEED_PM;
    return needs;
}

/* Parts end below this, so that a few of them never make CLV_PLAN_UNKNOWN. */
#define CLV_PART_MAX ((int64_t)1 << 58)

/* a * b / divisor, rounded up; none is negative. The slow way is taken when a * b needs 128 bits. */
int64_t clv_part_ratio_wide(int64_t a, int64_t b, int64_t divisor);
static inline int64_t clv_part_ratio(int64_t a, int64_t b, int64_t divisor)
{
    int64_t product;
    if (__builtin_mul_overflow(a, b, &product) || product >= CLV_PART_MAX)
        return clv_part_ratio_wide(a, b, divisor);
    return (int64_t)(((uint64_t)product + (uint64_t)divisor - 1) / (uint64_t)divisor);
}

/* a + b, kept below INT64_MAX: that value is CLV_PLAN_UNKNOWN and no sum may become it. */
static inline int64_t clv_part_sum(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) || sum == INT64_MAX ? INT64_MAX - 1 : sum;
}

/* What was not measured, or cannot be crossed: every sum with it is unknown too. */
static inline clv_plan_amount clv_part_unknown(void)
{
    return (clv_plan_amount){.ns = CLV_PLAN_UNKNOWN};
}

/* Component by component; see clv_plan_add(). */
static inline clv_plan_amount clv_part_add(clv_plan_amount a, clv_plan_amount b)
{
    if (a.ns == CLV_PLAN_UNKNOWN || b.ns == CLV_PLAN_UNKNOWN) return clv_part_unknown();
    return (clv_plan_amount){.ns = clv_part_sum(a.ns, b.ns),
                             .var_us2 = clv_part_sum(a.var_us2, b.var_us2),
                             .nj = clv_part_sum(a.nj, b.nj),
                             .pm = clv_part_sum(a.pm, b.pm),
                             .drop_ppm = clv_part_sum(a.drop_ppm, b.drop_ppm)};
}

/* A device that computes for this long: its active power and price, and device 0's idle power while
 * another device works on its request. */
static inline clv_plan_amount clv_part_work(const clv_plan_problem *p, size_t device,
                                            clv_plan_time t, unsigned needs)
{
    const clv_plan_device *d = &p->devices[device];
    if (t.ns == CLV_PLAN_UNKNOWN) return clv_part_unknown();
    clv_plan_amount a = {.ns = t.ns, .var_us2 = t.var_us2};
    int64_t idle_mw = device ? p->devices[0].idle_mw : 0;
    if (needs & CLV_NEED_NJ) a.nj = clv_part_ratio(d->active_mw + idle_mw, t.ns, 1000);
    if (needs & CLV_NEED_PM) a.pm = clv_part_ratio(d->price_pm_per_s, t.ns, 1000000000);
    return a;
}

/* What a number grew by. Rounding and variances may fall a little where time does not: then nothing. */
static inline int64_t clv_part_rise(int64_t from, int64_t to)
{
    return to > from ? to - from : 0;
}

/* A segment that neither begins at nothing nor ends at all. The two points are made amounts before they
 * are subtracted, so that neighbouring segments add up to exactly the one that holds both. */
static inline clv_plan_amount clv_part_middle(const clv_plan_problem *p, size_t device, size_t from,
                                              size_t to, unsigned needs)
{
    const clv_plan_time *progress = p->devices[device].progress;
    if (!progress) return clv_part_unknown();
    clv_plan_amount a = clv_part_work(p, device, progress[from], needs);
    clv_plan_amount b = clv_part_work(p, device, progress[to], needs);
    if (a.ns == CLV_PLAN_UNKNOWN || b.ns == CLV_PLAN_UNKNOWN) return clv_part_unknown();
    return (clv_plan_amount){.ns = clv_part_rise(a.ns, b.ns),
                             .var_us2 = clv_part_rise(a.var_us2, b.var_us2),
                             .nj = clv_part_rise(a.nj, b.nj),
                             .pm = clv_part_rise(a.pm, b.pm)};
}

/* Which of the three measured times a segment is: prefix, suffix, or a difference of progress. */
static inline clv_plan_amount clv_part_segment(const clv_plan_problem *p, size_t device,
                                               size_t from, size_t to, unsigned needs)
{
    const clv_plan_device *d = &p->devices[device];
    if (from == to) return (clv_plan_amount){0};
    if (from == 0) return clv_part_work(p, device, d->prefix[to], needs);
    if (to + 1 == p->cuts->n) return clv_part_work(p, device, d->suffix[from], needs);
    return clv_part_middle(p, device, from, to, needs);
}

/* The device's queue. Device 0 idles through another device's; its own wait takes time only. */
static inline clv_plan_amount clv_part_wait(const clv_plan_problem *p, size_t device,
                                            unsigned needs)
{
    clv_plan_amount a = {.ns = p->devices[device].queue_ns};
    if (device && needs & CLV_NEED_NJ) a.nj = clv_part_ratio(p->devices[0].idle_mw, a.ns, 1000);
    return a;
}

/* Coding is work of the device that does it, by raw byte. Codecs that take no time (raw) return early. */
static inline clv_plan_amount clv_part_coding(const clv_plan_problem *p, size_t device, size_t cut,
                                              int64_t ps_per_byte, unsigned needs)
{
    if (!ps_per_byte) return (clv_plan_amount){0};
    if (ps_per_byte == CLV_PLAN_UNKNOWN) return clv_part_unknown();
    clv_plan_time t = {.ns = clv_part_ratio((int64_t)p->cuts->items[cut].bytes, ps_per_byte, 1000)};
    return clv_part_work(p, device, t, needs);
}

static inline clv_plan_amount clv_part_encode(const clv_plan_problem *p, size_t device, size_t cut,
                                              size_t codec, unsigned needs)
{
    const clv_plan_codec *c = &p->codecs[codec];
    clv_plan_amount a = clv_part_coding(p, device, cut, c->encode_ps_per_byte[device], needs);
    if (c->cut_drop_ppm) a.drop_ppm = c->cut_drop_ppm[cut];
    return a;
}

static inline clv_plan_amount clv_part_decode(const clv_plan_problem *p, size_t device, size_t cut,
                                              size_t codec, unsigned needs)
{
    return clv_part_coding(p, device, cut, p->codecs[codec].decode_ps_per_byte[device], needs);
}

static inline bool clv_part_offered(const clv_plan_problem *p, size_t cut, size_t codec)
{
    const int64_t *bytes = p->codecs[codec].cut_bytes;
    return !bytes || bytes[cut] != CLV_PLAN_UNKNOWN;
}

/* Coded bytes of a cut where the codec is offered. */
static inline int64_t clv_part_coded(const clv_plan_problem *p, size_t cut, size_t codec)
{
    const clv_plan_codec *c = &p->codecs[codec];
    if (c->cut_bytes) return c->cut_bytes[cut];
    return clv_part_ratio((int64_t)p->cuts->items[cut].bytes, c->bytes_per_kib, 1024);
}

/* So many bytes up and the raw answer down, and how long they take. The hop must be up. */
static inline clv_plan_transfer clv_part_transfer_of(const clv_plan_problem *p, size_t hop,
                                                     size_t cut, int64_t up_bytes)
{
    const clv_plan_hop *h = &p->hops[hop];
    clv_plan_transfer t = {.up_bytes = up_bytes,
                           .down_bytes = (int64_t)p->cuts->items[cut].down_bytes};
    t.up_ns = clv_part_ratio(t.up_bytes, h->up_ps_per_byte, 1000);
    t.down_ns = clv_part_ratio(t.down_bytes, h->down_ps_per_byte, 1000);
    return t;
}

/* Of a cut where the codec is offered. */
static inline clv_plan_transfer clv_part_transfer(const clv_plan_problem *p, size_t hop, size_t cut,
                                                  size_t codec)
{
    return clv_part_transfer_of(p, hop, cut, clv_part_coded(p, cut, codec));
}

/* Variance of a time whose rate is off by `rel_ppm`. */
static inline int64_t clv_part_variance(int64_t ns, int64_t rel_ppm)
{
    int64_t sigma_ns = clv_part_ratio(ns, rel_ppm, 1000000);
    return clv_part_ratio(sigma_ns, sigma_ns, 1000000);
}

/* Picojoules of a transfer, rounded up to nanojoules once. */
int64_t clv_part_radio_nj(const clv_plan_problem *p, size_t hop, const clv_plan_transfer *t,
                          int64_t total_ns);

/* A transfer with its round trip and overhead. The variances of rates and round trip are independent. */
static inline clv_plan_amount clv_part_cross_of(const clv_plan_problem *p, size_t hop,
                                                const clv_plan_transfer *t, unsigned needs)
{
    const clv_plan_hop *h = &p->hops[hop];
    clv_plan_amount a = {.ns = h->overhead_ns + h->rtt_ns + t->up_ns + t->down_ns};
    if (needs & CLV_NEED_VAR)
        a.var_us2 = clv_part_sum(h->rtt_var_us2,
                                 clv_part_sum(clv_part_variance(t->up_ns, h->up_rel_ppm),
                                              clv_part_variance(t->down_ns, h->down_rel_ppm)));
    if (needs & CLV_NEED_NJ) a.nj = clv_part_radio_nj(p, hop, t, a.ns);
    if (needs & CLV_NEED_PM)
        a.pm = clv_part_sum(clv_part_ratio(t->up_bytes, h->up_pm_per_byte, 1),
                            clv_part_ratio(t->down_bytes, h->down_pm_per_byte, 1));
    return a;
}

/* The two above together, for who does not need the bytes. */
static inline clv_plan_amount clv_part_cross(const clv_plan_problem *p, size_t hop, size_t cut,
                                             size_t codec, unsigned needs)
{
    if (!p->hops[hop].up || !clv_part_offered(p, cut, codec)) return clv_part_unknown();
    clv_plan_transfer t = clv_part_transfer(p, hop, cut, codec);
    return clv_part_cross_of(p, hop, &t, needs);
}

/* Does a segment fit into the device's memory? Weights are looked at first: they take no time. */
bool clv_part_fits(const clv_plan_problem *p, size_t device, size_t from, size_t to);

/* How many standard deviations, in millionths, the objective's quantile lies above the mean. */
int64_t clv_part_z_ppm(const clv_plan_objective *o);
/* ns of the quantile that lies so far above the mean. */
int64_t clv_part_latency_ns(int64_t z_ppm, const clv_plan_amount *total);
/* clv_plan_score() of an amount whose latency is known. */
int64_t clv_part_score(const clv_plan_objective *o, int64_t latency_ns,
                       const clv_plan_amount *total);

#endif
