/* Choosing routes on made-up time: the planner, the link monitor and the work functions together,
 * against a clairvoyant. */
#include "split/chooser.h"

#include "base/mem.h"
#include "base/rng.h"
#include "measure/link_monitor.h"
#include "plan/policy_problems.h"
#include "policy/handover.h"
#include "policy/hedge.h"
#include "policy/proven.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS     INT64_C(1000)
#define SECOND INT64_C(1000000)

static const clv_codec raw[] = {{CLV_QUANT_RAW, CLV_PACK_NONE}};

enum { UNITS = 8, CUTS = UNITS + 1, LAST = UNITS };

/* An AlexNet on a slow device and on one ten times as fast. */
static const int64_t edge_ms[UNITS] = {20, 60, 35, 45, 30, 60, 30, 8};
static const size_t made_bytes[UNITS] = {186624, 129792, 259584, 173056, 36864, 16384, 16384, 4000};
enum { INPUT_BYTES = 602112 };

static void network(toy *t)
{
    int64_t edge_ns[UNITS], cloud_ns[UNITS];
    size_t bytes[CUTS] = {INPUT_BYTES};
    for (int u = 0; u < UNITS; u++) {
        edge_ns[u] = edge_ms[u] * MS * 1000;
        cloud_ns[u] = edge_ns[u] / 10;
        bytes[u + 1] = made_bytes[u];
    }
    toy_chain(t, UNITS, edge_ns, cloud_ns, bytes);
    for (int i = 0; i < 4; i++)
        for (size_t c = 0; c < t->cuts->n; c++) { /* 3 % */
            double us = (double)t->times[i][c].ns * 0.03e-3;
            t->times[i][c].var_us2 = (int64_t)(us * us);
        }
}

static void set_link(clv_plan_problem *p, const clv_link *l)
{
    p->hops[0] = (clv_plan_hop){.up = l->up,
                                .up_ps_per_byte = (int64_t)(1e12 / l->up_bytes_per_s),
                                .down_ps_per_byte = (int64_t)(1e12 / l->down_bytes_per_s),
                                .rtt_ns = (int64_t)(1e3 * l->rtt_us),
                                .rtt_var_us2 = (int64_t)(l->rtt_sigma_us * l->rtt_sigma_us),
                                .up_rel_ppm = (int64_t)(1e6 * l->up_sigma),
                                .down_rel_ppm = (int64_t)(1e6 * l->down_sigma)};
}

/* ---- a link over time ---- */

typedef struct wire {
    double rate; /* bytes a second */
    double rtt_us;
} wire;

typedef wire (*trace)(const void *arg, int64_t at_us);

enum { RTT_US = 20000, GRAIN_US = 10000 };

/* How long these bytes take from then on, step by step. */
static double transfer_us(trace link, const void *arg, int64_t from_us, double bytes)
{
    int64_t at = from_us;
    for (;;) {
        double now = link(arg, at).rate * GRAIN_US * 1e-6;
        if (bytes <= now) return (double)(at - from_us) + bytes / now * GRAIN_US;
        bytes -= now;
        at += GRAIN_US;
    }
}

static size_t up_bytes(size_t cut)
{
    return cut ? made_bytes[cut - 1] : INPUT_BYTES;
}

/* What the units from a cut to another take on a device so many times as fast as the edge. */
static double run_us(size_t from, size_t to, double speed)
{
    double us = 0;
    for (size_t u = from; u < to; u++) us += (double)edge_ms[u] * 1e3 / speed;
    return us;
}

static double route_us(trace link, const void *arg, int64_t from_us, size_t cut, double *link_us)
{
    double us = run_us(0, cut, 1) + run_us(cut, LAST, 10);
    *link_us = 0;
    if (cut == LAST) return us;
    int64_t sent_us = from_us + (int64_t)run_us(0, cut, 1);
    *link_us = link(arg, sent_us).rtt_us + transfer_us(link, arg, sent_us, (double)up_bytes(cut));
    *link_us += made_bytes[UNITS - 1] * 1e6 / link(arg, sent_us + (int64_t)*link_us).rate;
    return us + *link_us;
}

/* ---- a node, one request every so often ---- */

enum { ASKED_MAX = 4096, PENDING_MAX = 64, PREPARE_US = 250000, LATE_US = 20000 };
#define EVERY_US (400 * MS)

typedef struct outcome {
    int n, switches, hedges, stays, late_switches; /* late: after the first minute */
    double ours, clairvoyant, fixed;               /* means, us; fixed: of the best single plan */
    double probe_bytes, link_bytes;
} outcome;

/* An exchange on its way. */
typedef struct seen {
    int64_t at_us; /* when it ends */
    size_t up, down;
    double us;
    int64_t from_us, overdue_us; /* sent; when it is to be wondered at */
    double expected_us;          /* 0: it is no request's */
    bool cancelled;              /* the same was done here before it was answered, */
    bool unsent;                 /* and not all of it had gone up */
    bool ping;
} seen;

typedef struct run {
    toy t;
    clv_rng rng;
    double noise, late; /* late: how often this busy device wakes up too late, by up to LATE_US */
    trace link;
    const void *arg;
    clv_link_monitor m;
    clv_chooser c;
    clv_hedge hedge;
    clv_route live, warm, coming;
    int64_t ready_us; /* when `coming` is prepared; 0: nothing is */
    bool doubt;
    seen pending[PENDING_MAX];
    size_t n_pending;
    double tasks;
    int64_t looked_us;
    outcome o;
} run;

static double noisy(run *r, double us)
{
    double late_us = clv_rng_unit(&r->rng) < r->late ? LATE_US * clv_rng_unit(&r->rng) : 0;
    return us * (1 + r->noise * (2 * clv_rng_unit(&r->rng) - 1)) + late_us;
}

static bool is_warm(const run *r, const clv_route *to)
{
    return to->n == 1 || to->cut[0] == 0 || clv_route_equal(to, &r->warm);
}

static void go(run *r, int64_t now_us, const clv_route *to)
{
    r->o.switches++;
    r->o.late_switches += now_us > 60 * SECOND;
    if (r->live.n > 1) r->warm = r->live;
    r->live = *to;
    r->ready_us = 0;
}

static void look(run *r, int64_t now_us)
{
    clv_link link = clv_link_monitor_link(&r->m, now_us);
    clv_chooser_answer a;
    clv_error err = {0};
    if (r->ready_us && now_us >= r->ready_us) go(r, now_us, &r->coming);
    if (!link.up || r->ready_us) return;
    set_link(&r->t.p, &link);
    const clv_route *warm = &r->warm;
    const clv_chooser_view v = {.problem = &r->t.p,
                                .codecs = raw,
                                .policy = CLV_POLICY_EXACT,
                                .live = &r->live,
                                .warm = &warm,
                                .n_warm = 1,
                                .unseen_us = link.unseen_us,
                                .tasks = fmax(r->tasks, 3e-6 * (double)(now_us - r->looked_us)),
                                .now_us = now_us};
    r->tasks = 0;
    r->looked_us = now_us;
    assert_ok(clv_chooser_look(&r->c, &v, &a, &err), err);
    r->doubt = a.doubt;
    if (clv_route_equal(&a.to, &r->live)) return;
    if (is_warm(r, &a.to)) {
        go(r, now_us, &a.to);
    } else {
        r->coming = a.to;
        r->ready_us = now_us + PREPARE_US;
    }
}

/* The node looks at the link, which nobody uses now, perhaps: pings and probes, as the monitor wants them. */
static void tick(run *r, int64_t now_us)
{
    double rtt_us = r->link(r->arg, now_us).rtt_us;
    if (r->n_pending) return;
    clv_link_probe p = clv_link_monitor_probe(&r->m, now_us, r->doubt);
    if (p.kind == CLV_PROBE_PING) {
        r->o.probe_bytes += CLV_LINK_PING_BYTES;
        clv_link_monitor_rtt(&r->m, now_us, noisy(r, rtt_us));
        look(r, now_us);
        if (clv_link_monitor_surprised(&r->m)) tick(r, now_us + (int64_t)rtt_us);
    }
    if (p.kind != CLV_PROBE_BYTES) return;
    double us = noisy(r, rtt_us + transfer_us(r->link, r->arg, now_us, (double)p.bytes + 100));
    r->o.probe_bytes += (double)p.bytes;
    r->pending[r->n_pending++] = (seen){.at_us = now_us + (int64_t)us,
                                        .up = p.bytes,
                                        .down = 100,
                                        .us = us,
                                        .from_us = now_us,
                                        .overdue_us = INT64_MAX};
}

/* It ended: what it tells. */
static void learn(run *r, const seen *s)
{
    if (s->ping) {
        clv_link_monitor_rtt(&r->m, s->at_us, s->us);
        return;
    }
    if (s->unsent)
        clv_link_monitor_unanswered(&r->m, s->at_us, s->up, s->us);
    else if (!s->cancelled)
        clv_link_monitor_exchange(&r->m, s->at_us, s->up, s->down, s->us);
    if (s->unsent)
        clv_hedge_spared(&r->hedge);
    else
        clv_hedge_saw(&r->hedge, (int64_t)s->expected_us, (int64_t)s->us);
    if (s->cancelled)
        clv_link_monitor_rtt(&r->m, s->at_us, noisy(r, r->link(r->arg, s->at_us).rtt_us));
}

static void deliver(run *r, int64_t now_us)
{
    for (size_t i = 0; i < r->n_pending;) {
        seen s = r->pending[i];
        if (s.at_us > now_us) {
            i++;
            continue;
        }
        r->pending[i] = r->pending[--r->n_pending];
        learn(r, &s);
        look(r, s.at_us);
        if (clv_link_monitor_surprised(&r->m)) tick(r, s.at_us);
    }
}

/* Exchanges that take twice as long as they should, and then twice as long again: the link is at least so slow. */
static void wonder(run *r, int64_t now_us)
{
    if (clv_link_monitor_surprised(&r->m)) tick(r, now_us);
    for (size_t i = 0; i < r->n_pending; i++) {
        seen *s = &r->pending[i];
        if (now_us < s->overdue_us) continue;
        int64_t gone_us = now_us - s->from_us;
        clv_link_monitor_unanswered(&r->m, now_us, s->up, (double)gone_us);
        s->overdue_us = now_us + gone_us;
        look(r, now_us);
    }
}

/* How much of these bytes is known to be there by then. */
static size_t gone_bytes(run *r, int64_t from_us, size_t bytes, int64_t at_us)
{
    double gone = 0;
    at_us -= (int64_t)r->link(r->arg, from_us).rtt_us;
    for (; from_us < at_us; from_us += MS) gone += r->link(r->arg, from_us).rate * 1e-3;
    return (size_t)fmin(gone, (double)bytes);
}

/* When it is seen that the bytes are not getting there. */
static int64_t stuck_us(run *r, const clv_hedge_question *q, size_t bytes)
{
    int64_t at_us = clv_hedge_look_us(q, q->sent_us);
    for (int i = 0; i < 20; i++, at_us = clv_hedge_look_us(q, at_us)) {
        const clv_hedge_progress p = {gone_bytes(r, q->sent_us, bytes, at_us), bytes};
        if (p.gone_bytes >= bytes) break;
        if (clv_hedge_stuck(q, &p, at_us)) return at_us;
    }
    return INT64_MAX;
}

/* What a request takes on this route, of which the answer would come after so long. */
static double carry(run *r, int64_t now_us, size_t cut, double us, double link_us)
{
    if (cut == LAST) return us;
    clv_link link = clv_link_monitor_link(&r->m, now_us);
    size_t up = up_bytes(cut), down = made_bytes[UNITS - 1];
    double peer_us = run_us(cut, LAST, 10), to_go_us = clv_link_exchange_us(&link, up, down);
    const clv_hedge_question q = {.sent_us = now_us + (int64_t)run_us(0, cut, 1),
                                  .expected_us = (int64_t)(to_go_us + peer_us),
                                  .here_us = (int64_t)run_us(cut, LAST, 1),
                                  .upload_us = (int64_t)clv_link_exchange_us(&link, up, 0)};
    seen part = {.at_us = now_us + (int64_t)us,
                 .up = up,
                 .down = down,
                 .us = noisy(r, link_us),
                 .from_us = q.sent_us,
                 .overdue_us = q.sent_us + 50 * MS + (int64_t)(2 * to_go_us),
                 .expected_us = (double)q.expected_us};
    clv_hedge_sent(&r->hedge);
    int64_t at_us = CLV_MIN(clv_hedge_at_us(&r->hedge, &q), stuck_us(r, &q, up));
    if (at_us < part.at_us && clv_hedge_take(&r->hedge))
        r->o.hedges++;
    else
        at_us = part.at_us;
    if (at_us + q.here_us < part.at_us) {
        part.at_us = at_us + q.here_us;
        part.us = (double)(part.at_us - q.sent_us);
        part.cancelled = true;
        part.unsent = transfer_us(r->link, r->arg, q.sent_us, (double)up) > part.us;
    }
    assert_true(r->n_pending < PENDING_MAX);
    r->pending[r->n_pending++] = part;
    return (double)(part.at_us - now_us);
}

/* Ask for a sign of life as a request begins: when it comes; 0: none was asked for. */
static int64_t sign_of_life(run *r, int64_t now_us)
{
    if (r->n_pending || !clv_link_monitor_greets(&r->m, now_us)) return 0;
    r->o.probe_bytes += CLV_LINK_PING_BYTES;
    return (int64_t)noisy(r, r->link(r->arg, now_us).rtt_us);
}

static void see_sign(run *r, int64_t now_us, int64_t sign_us)
{
    clv_link_monitor_rtt(&r->m, now_us + sign_us, (double)sign_us);
    look(r, now_us + sign_us);
}

static clv_handover_question at_the_cut(const run *r, int64_t now_us, size_t cut, int64_t silent_us)
{
    clv_link link = clv_link_monitor_link(&r->m, now_us);
    double link_us = clv_link_exchange_us(&link, up_bytes(cut), made_bytes[UNITS - 1]);
    return (clv_handover_question){.remote_us = (int64_t)(link_us + run_us(cut, LAST, 10)),
                                   .here_us = (int64_t)run_us(cut, LAST, 1),
                                   .silent_us = silent_us,
                                   .rtt_us = (int64_t)link.rtt_us};
}

/* Is the rest handed over at the cut? For how long it waited there to know. */
static bool hands_over(run *r, int64_t now_us, size_t cut, int64_t *waited_us)
{
    int64_t head_us = (int64_t)run_us(0, cut, 1), sign_us = sign_of_life(r, now_us);
    if (sign_us && sign_us <= head_us) see_sign(r, now_us, sign_us);
    bool silent = sign_us > head_us;
    clv_handover_question q = at_the_cut(r, now_us, cut, silent ? head_us : 0);
    *waited_us = clv_handover_wait_us(&q);
    if (silent && sign_us <= head_us + *waited_us) {
        *waited_us = sign_us - head_us;
        see_sign(r, now_us, sign_us);
        q = at_the_cut(r, now_us, cut, 0);
    } else if (silent) {
        q.silent_us += *waited_us;
        r->pending[r->n_pending++] = (seen){.at_us = now_us + sign_us,
                                            .us = (double)sign_us,
                                            .overdue_us = INT64_MAX,
                                            .ping = true};
    }
    return clv_handover_wise(&q);
}

static void ask(run *r, int64_t now_us, double fixed[CUTS])
{
    double link_us, least = (double)INFINITY, ours = 0;
    size_t cut = r->live.cut[0];
    int64_t waited_us = 0;
    if (cut < LAST && !hands_over(r, now_us, cut, &waited_us)) {
        cut = LAST;
        r->o.stays++;
    }
    for (size_t c = 0; c < CUTS; c++) {
        double us = route_us(r->link, r->arg, now_us, c, &link_us);
        least = fmin(least, us);
        fixed[c] += us;
        if (c == cut) ours = carry(r, now_us, c, us, link_us);
    }
    r->o.ours += ours + (double)waited_us;
    r->o.clairvoyant += least;
    r->tasks++;
    r->o.n++;
}

/* From the first second until `until_us`, with requests from from_us. */
static outcome follow_run(run r, int64_t from_us, int64_t until_us)
{
    double fixed[CUTS] = {0};
    network(&r.t);
    clv_link_monitor_init(&r.m, SECOND);
    clv_chooser_init(&r.c);
    r.live = clv_route_local(LAST);
    clv_hedge_init(&r.hedge);
    clv_link_monitor_rtt(&r.m, SECOND, r.link(r.arg, 0).rtt_us);
    for (int64_t now = SECOND; now < until_us; now += 50 * MS) {
        deliver(&r, now);
        if (now % SECOND == 0) {
            look(&r, now);
        }
        if (now % (200 * MS) == 0) tick(&r, now);
        if (now % (100 * MS) == 0) wonder(&r, now);
        if (now > from_us && now % EVERY_US == 0) ask(&r, now, fixed);
        if (now > from_us) r.o.link_bytes += r.link(r.arg, now).rate * 0.05;
    }
    double best = (double)INFINITY;
    for (int c = 0; c < CUTS; c++) best = fmin(best, fixed[c]);
    r.o.ours /= r.o.n;
    r.o.clairvoyant /= r.o.n;
    r.o.fixed = best / r.o.n;
    toy_done(&r.t);
    return r.o;
}

static outcome follow(trace link, const void *arg, int64_t until_us, uint64_t seed, double noise)
{
    const run r = {.rng = clv_rng_seeded(seed), .noise = noise, .link = link, .arg = arg};
    return follow_run(r, 5 * SECOND, until_us);
}

#define MBIT(x) ((x)*1e6 / 8)

/* ---- traces ---- */

static const wire wifi = {MBIT(18.88), 5000}, lte = {MBIT(5.85), 60000}, g3 = {MBIT(1.1), 100000},
                  poor = {MBIT(0.13), 100000};

static wire constant(const void *arg, int64_t at_us)
{
    (void)at_us;
    return *(const wire *)arg;
}

static wire steps(const void *arg, int64_t at_us)
{
    const wire *const links[] = {&wifi, &g3, &lte};
    return *links[at_us / *(const int64_t *)arg % 3];
}

static wire square(const void *arg, int64_t at_us)
{
    int64_t period = *(const int64_t *)arg;
    return at_us % period < period / 2 ? wifi : g3;
}

static wire wander(const void *arg, int64_t at_us)
{
    const double *path = arg;
    return (wire){path[at_us / SECOND % 600], 40000};
}

static wire wander_fast(const void *arg, int64_t at_us)
{
    const double *path = arg;
    return (wire){path[at_us / (SECOND / 2) % 600], 40000};
}

/* The mean is within this factor of a clairvoyant's, and not worse than the best plan kept. */
static void expect(const char *name, const outcome *o, double factor)
{
    if (getenv("CLV_TEST_SHOW"))
        printf("%-14s %.3f of the clairvoyant, %.3f of the best plan kept, %d switches, %d hedges "
               "and %d stays in %d, probes %.2f %%\n",
               name, o->ours / o->clairvoyant, o->ours / o->fixed, o->switches, o->hedges, o->stays,
               o->n, 100 * o->probe_bytes / o->link_bytes);
    if (o->ours > factor * o->clairvoyant || o->ours > 1.04 * o->fixed)
        fail_msg("%s: %.1f ms, clairvoyant %.1f, best plan kept %.1f; %d switches in %d", name,
                 o->ours / 1e3, o->clairvoyant / 1e3, o->fixed / 1e3, o->switches, o->n);
    if (o->probe_bytes > 0.01 * o->link_bytes)
        fail_msg("%s: probes took %.2f %%", name, 100 * o->probe_bytes / o->link_bytes);
}

static const wire *const links[] = {&wifi, &lte, &g3, &poor};

/* Ten minutes of ±10 %: found at the start, then never left. */
static void noise_changes_no_plan(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            outcome o = follow(constant, links[i], 601 * SECOND, seed, 0.1);
            expect("constant", &o, 1.01);
            assert_int_equal(o.late_switches, 0);
        }
}

static void steps_are_followed(void **state)
{
    (void)state;
    for (int64_t s = 20; s <= 60; s += 20)
        for (uint64_t seed = 1; seed <= 3; seed++) {
            int64_t us = s * SECOND;
            outcome o = follow(steps, &us, 601 * SECOND, seed, 0.05);
            expect("steps", &o, 1.03);
        }
}

static void square_waves_are_followed(void **state)
{
    (void)state;
    static const struct {
        double period_s, factor;
        const char *name;
    } waves[] = {
        {1, 1.25, "square, 1 s"},   {2, 1.1, "square, 2 s"},    {3, 1.03, "square, 3 s"},
        {5, 1.03, "square, 5 s"},   {7, 1.03, "square, 7 s"},   {10, 1.03, "square, 10 s"},
        {20, 1.03, "square, 20 s"}, {60, 1.03, "square, 60 s"},
    };
    for (size_t i = 0; i < sizeof waves / sizeof *waves; i++) {
        int64_t us = (int64_t)(waves[i].period_s * 1e6);
        outcome o = follow(square, &us, 601 * SECOND, 1, 0.05);
        expect(waves[i].name, &o, waves[i].factor);
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Many short runs on a device that is often late: no unlucky start may blind it for the rest. */
static void no_start_blinds_a_busy_device(void **state)
{
    (void)state;
    enum { RUNS = 200 };
    for (int64_t period_s = 3; period_s <= 5; period_s += 2) {
        double ratio[RUNS];
        int64_t us = period_s * SECOND;
        for (uint64_t seed = 0; seed < RUNS; seed++) {
            const run r = {.rng = clv_rng_seeded(seed + 1),
                           .noise = 0.1,
                           .late = 0.1,
                           .link = square,
                           .arg = &us};
            outcome o = follow_run(r, SECOND, 25 * SECOND);
            ratio[seed] = o.ours / o.clairvoyant;
        }
        qsort(ratio, RUNS, sizeof *ratio, by_size);
        if (getenv("CLV_TEST_SHOW"))
            printf("busy, %d s      %.3f of the clairvoyant, the worst of %d runs %.3f\n",
                   (int)period_s, ratio[RUNS / 2], RUNS, ratio[RUNS - 1]);
        assert_true(ratio[RUNS - 1] < 1.2);
    }
}

static void wandering_links_are_followed(void **state)
{
    (void)state;
    double path[600];
    for (uint64_t seed = 1; seed <= 5; seed++) {
        clv_rng rng = clv_rng_seeded(seed);
        double ln = log(lte.rate);
        for (int i = 0; i < 600; i++) {
            ln = fmin(fmax(ln + 0.1 * clv_rng_normal(&rng), log(poor.rate)), log(wifi.rate));
            path[i] = exp(ln);
        }
        outcome o = follow(wander, path, 601 * SECOND, seed, 0.05);
        expect("wander", &o, 1.05);
    }
}

/* A new rate each half second, a third off the one before, on a device that is often late: as one
 * scenario of the bench has it, a hundred times. */
static void links_that_wander_fast_are_followed(void **state)
{
    (void)state;
    enum { RUNS = 100 };
    double path[600], ratio[RUNS], mean = 0, over_fixed = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        clv_rng rng = clv_rng_seeded(seed);
        double ln = log(MBIT(6));
        for (int i = 0; i < 600; i++) {
            ln = fmin(fmax(ln + 0.3 * clv_rng_normal(&rng), log(MBIT(0.5))), log(MBIT(40)));
            path[i] = exp(ln);
        }
        const run r = {.rng = rng, .noise = 0.1, .late = 0.1, .link = wander_fast, .arg = path};
        outcome o = follow_run(r, SECOND, 61 * SECOND);
        ratio[seed - 1] = o.ours / o.clairvoyant;
        mean += o.ours / o.clairvoyant / RUNS;
        over_fixed += o.ours / o.fixed / RUNS;
        assert_true(o.probe_bytes <= 0.01 * o.link_bytes);
    }
    qsort(ratio, RUNS, sizeof *ratio, by_size);
    if (getenv("CLV_TEST_SHOW"))
        printf(
            "wander fast    %.3f of the clairvoyant, %.3f of the best plan kept; of %d runs one in "
            "twenty over %.3f, the worst %.3f\n",
            mean, over_fixed, RUNS, ratio[RUNS * 95 / 100], ratio[RUNS - 1]);
    assert_true(mean < 1.08 && over_fixed < 0.98 && ratio[RUNS * 95 / 100] < 1.2);
}

/* ---- one look ---- */

typedef struct rig {
    toy t;
    clv_chooser c;
    clv_chooser_view v;
    clv_route live;
} rig;

static void rig_start(rig *r, double mbit, double sigma)
{
    *r = (rig){0};
    network(&r->t);
    clv_chooser_init(&r->c);
    r->live = clv_route_local(LAST);
    const clv_link link = {.up_bytes_per_s = MBIT(mbit),
                           .down_bytes_per_s = MBIT(mbit),
                           .rtt_us = RTT_US,
                           .up_sigma = sigma,
                           .down_sigma = sigma,
                           .up = true};
    set_link(&r->t.p, &link);
    r->v = (clv_chooser_view){.problem = &r->t.p,
                              .codecs = raw,
                              .policy = CLV_POLICY_EXACT,
                              .live = &r->live,
                              .now_us = SECOND};
}

static clv_chooser_answer rig_look(rig *r)
{
    clv_chooser_answer a;
    clv_error err = {0};
    r->v.now_us += SECOND;
    assert_ok(clv_chooser_look(&r->c, &r->v, &a, &err), err);
    return a;
}

/* A peer that others keep busy is no stage of its own length; one that only this node keeps busy is. */
static void a_peer_that_others_keep_busy_counts_as_the_share_that_is_left(void **state)
{
    (void)state;
    enum { FLIGHTS = 4, NODES = 16 };
    rig r;
    rig_start(&r, 1000, 0.02);
    r.v.heavy = true;
    r.v.tasks = 1;
    clv_chooser_answer free_peer = rig_look(&r);
    assert_true(free_peer.to.n > 1);
    r.live = free_peer.to;
    rig_look(&r);
    size_t cut = free_peer.to.cut[0];
    clv_plan_device *peer = &r.t.p.devices[1];
    int64_t run_ns = clv_plan_segment(&r.t.p, 1, cut, LAST).ns;
    r.v.in_flight = FLIGHTS;
    peer->queue_ns = (FLIGHTS - 1) * run_ns;
    for (int i = 0; i < 20; i++) {
        clv_chooser_answer a = rig_look(&r);
        assert_true(clv_route_equal(&a.to, &free_peer.to));
    }
    peer->queue_ns = (NODES * FLIGHTS - 1) * run_ns;
    for (int i = 0; i < 20 && r.live.n > 1; i++) r.live = rig_look(&r).to;
    assert_int_equal(r.live.n, 1);
    toy_done(&r.t);
}

/* What waits at the peer is this node's own work: with a shorter part there it waits less. */
static void an_own_queue_at_the_peer_hides_no_better_cut(void **state)
{
    (void)state;
    enum { FLIGHTS = 16 };
    rig r;
    rig_start(&r, 1000, 0.02);
    r.v.heavy = true;
    r.v.tasks = 1;
    clv_chooser_answer best = rig_look(&r);
    assert_true(best.to.n > 1 && best.to.cut[0] > 0);
    r.live = best.to;
    rig_look(&r);
    r.live.cut[0] = 0; /* as it was better once */
    r.v.in_flight = FLIGHTS;
    r.t.p.devices[1].queue_ns = (FLIGHTS - 1) * clv_plan_segment(&r.t.p, 1, 0, LAST).ns;
    for (int i = 0; i < 20; i++) r.live = rig_look(&r).to;
    assert_true(clv_route_equal(&r.live, &best.to));
    toy_done(&r.t);
}

/* A route that gets through more than any is predicted to is kept. */
static void what_a_route_has_shown_counts_more_than_its_prediction(void **state)
{
    (void)state;
    for (int shows = 0; shows < 2; shows++) {
        rig r;
        rig_start(&r, 1000, 0.02);
        r.v.tasks = 1;
        r.v.heavy = true;
        clv_chooser_answer best = rig_look(&r);
        assert_true(best.to.cut[0] > 0);
        r.v.heavy = false;
        r.live = best.to;
        r.live.cut[0] = 0;
        r.v.answered_per_s = shows ? 45 : 0; /* predicted: 35; of the best: 38 */
        rig_look(&r);
        r.v.heavy = true;
        for (int i = 0; i < 20; i++) r.live = rig_look(&r).to;
        assert_int_equal(r.live.cut[0], shows ? 0 : best.to.cut[0]);
        toy_done(&r.t);
    }
}

/* A route's longest stage over a link that is so many times slower than the rig's. */
static double period_s(const rig *r, const clv_route *route, double slower)
{
    clv_plan_chain chain = {.cut = {(int)route->cut[0], LAST}};
    clv_plan_problem p = r->t.p;
    clv_plan_cost cost;
    clv_error err = {0};
    p.hops[0].up_ps_per_byte = (int64_t)((double)p.hops[0].up_ps_per_byte * slower);
    assert_ok(clv_plan_weigh(&p, &chain, &cost, &err), err);
    return (double)cost.period_ns * 1e-9;
}

/* The longest stage of the best route of all. */
static double least_period_s(const rig *r, double slower)
{
    double least = INFINITY;
    for (size_t cut = 0; cut <= LAST; cut++) {
        const clv_route route = {.n = cut < LAST ? 2 : 1, .cut = {cut, LAST}};
        least = fmin(least, period_s(r, &route, slower));
    }
    return least;
}

/* Requests queue all the time, and what a route gets through is all that it can: of a link over which
 * a third less goes than is believed, the best route is found, and those that promise more are tried
 * only now and then, as what was seen of them fades. */
static void routes_that_promise_more_than_they_hold_are_left(void **state)
{
    (void)state;
    enum { MINUTES = 10, LINKS = 8 };
    static const double mbit[LINKS] = {5, 6, 7, 8, 10, 20, 24, 40};
    int moved = 0;
    for (int l = 0; l < LINKS; l++) {
        rig r;
        rig_start(&r, mbit[l], 0.02);
        r.v.tasks = 30;
        r.v.heavy = true;
        r.live = rig_look(&r).to;
        const clv_route promised = r.live;
        int switches = 0;
        double work_s = 0;
        for (int i = 0; i < MINUTES * 60; i++) {
            double stage_s = period_s(&r, &r.live, 1.5);
            r.v.answered_per_s = 1 / stage_s;
            r.v.shows_all = i % 4 == 3;
            clv_route to = rig_look(&r).to;
            switches += !clv_route_equal(&to, &r.live);
            work_s += stage_s / (MINUTES * 60);
            r.live = to;
        }
        if (getenv("CLV_TEST_SHOW"))
            printf("%4.0f Mbit/s believed: %.3f of the best, %d switches\n", mbit[l],
                   work_s / least_period_s(&r, 1.5), switches);
        assert_true(work_s < 1.03 * least_period_s(&r, 1.5));
        assert_true(switches <= 3 * MINUTES);
        moved += !clv_route_equal(&r.live, &promised);
        toy_done(&r.t);
    }
    assert_true(moved > 0);
}

/* A route that was just taken looks worse at first, by as much as segments do that hardly ran: it is
 * given the time to show what it gets through. One that is far worse is not. */
static void a_route_that_was_just_taken_is_not_left_at_once(void **state)
{
    (void)state;
    static const double worse[] = {1.25, 2};
    for (size_t i = 0; i < sizeof worse / sizeof *worse; i++) {
        rig r;
        rig_start(&r, 1000, 0.02);
        r.v.tasks = 30;
        r.v.heavy = true;
        const clv_route best = rig_look(&r).to;
        r.live = clv_route_local(LAST);
        rig_look(&r);
        r.live = best; /* home is left for it */
        const clv_route to = rig_look(&r).to;
        assert_true(clv_route_equal(&to, &best));
        const int64_t taken_us = r.v.now_us;
        r.t.times[0][best.cut[0]].ns = (int64_t)(worse[i] * period_s(&r, &best, 1) * 1e9);
        while (clv_route_equal(&r.live, &best) && r.v.now_us - taken_us < 60 * SECOND)
            r.live = rig_look(&r).to;
        bool late = r.v.now_us - taken_us >= 2 * CLV_PROVEN_WINDOW_US;
        assert_false(clv_route_equal(&r.live, &best));
        assert_int_equal(late, worse[i] < 1.5);
        toy_done(&r.t);
    }
}

/* Where requests go that come at this rate when the peer lets each wait so long. */
static clv_route waiting_route(double rate_per_s, int64_t wait_ms)
{
    rig r;
    rig_start(&r, 18.88, 0.02);
    r.v.tasks = 1;
    r.v.rate_per_s = rate_per_s;
    r.live = rig_look(&r).to;
    assert_int_equal(r.live.n, 2);
    rig_look(&r);
    r.t.p.devices[1].queue_ns = wait_ms * MS * 1000;
    for (int i = 0; i < 20; i++) r.live = rig_look(&r).to;
    clv_route to = r.live;
    toy_done(&r.t);
    return to;
}

/* A peer that is waited for sends one home, but not more than home can take. */
static void all_do_not_go_where_one_would(void **state)
{
    (void)state;
    int64_t home_ms = 0;
    for (int u = 0; u < UNITS; u++) home_ms += edge_ms[u];
    assert_int_equal(waiting_route(0, home_ms).n, 1);
    assert_int_equal(waiting_route(0.5e3 / (double)home_ms, home_ms).n, 1);
    clv_route to = waiting_route(2e3 / (double)home_ms, home_ms);
    assert_int_equal(to.n, 2);
    int64_t here_ms = 0;
    for (size_t u = 0; u < to.cut[0]; u++) here_ms += edge_ms[u];
    assert_true(2 * here_ms <= home_ms);
}

/* Heavily loaded the longest stage counts: the plan is the throughput plan, at once, and back. */
static void a_heavy_load_takes_the_throughput_plan(void **state)
{
    (void)state;
    rig r;
    rig_start(&r, 5.85, 0.02);
    clv_chooser_answer light = rig_look(&r);
    r.live = light.to;
    rig_look(&r);
    r.v.heavy = true;
    clv_chooser_answer heavy = rig_look(&r);
    clv_plan_problem p = r.t.p;
    clv_plan plan;
    clv_error err = {0};
    p.objective.goal = CLV_GOAL_THROUGHPUT;
    assert_ok(clv_plan_solve(&p, &plan, &err), err);
    assert_int_equal(heavy.to.cut[0], plan.chain.cut[0]);
    assert_int_not_equal(heavy.to.cut[0], light.to.cut[0]);
    assert_true((double)plan.cost.period_ns * 1e-3 < heavy.period_us);
    assert_float_equal(heavy.period_us, light.period_us, 1e-9); /* that of the latency plan */
    clv_plan_done(&plan);
    r.live = heavy.to;
    rig_look(&r);
    r.v.heavy = false;
    clv_chooser_answer back = rig_look(&r);
    assert_true(clv_route_equal(&back.to, &light.to));
    toy_done(&r.t);
}

/* To measure the link is of use only where the plan could be another. */
static void doubt_is_where_the_plan_could_be_another(void **state)
{
    (void)state;
    static const struct {
        double mbit, sigma, unseen_us;
        bool doubt;
    } cases[] = {
        {0.13, 0.05, 0, false}, {0.13, 0.05, 1e6, false}, {4, 0.40, 0, true},
        {4, 0.001, 0, false},   {1.1, 0.05, 0, false},    {1.1, 0.05, 5e6, true},
        {1000, 0.05, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig r;
        rig_start(&r, cases[i].mbit, cases[i].sigma);
        r.v.unseen_us = cases[i].unseen_us;
        bool doubt = rig_look(&r).doubt;
        if (doubt != cases[i].doubt) fail_msg("case %d: %d", (int)i, doubt);
        toy_done(&r.t);
    }
}

/* Requests may go on at the cut where nothing but their latency counts and the whole network may
 * run here. */
static void requests_may_stay_where_only_latency_counts(void **state)
{
    (void)state;
    static const struct {
        clv_policy policy;
        clv_plan_goal goal;
        bool heavy, barred, may;
    } cases[] = {
        {CLV_POLICY_EXACT, CLV_GOAL_LATENCY, false, false, true},
        {CLV_POLICY_GREEDY, CLV_GOAL_LATENCY, false, false, false},
        {CLV_POLICY_EXACT, CLV_GOAL_THROUGHPUT, false, false, false},
        {CLV_POLICY_EXACT, CLV_GOAL_LATENCY, true, false, false},
        {CLV_POLICY_EXACT, CLV_GOAL_LATENCY, false, true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig r;
        rig_start(&r, 18.88, 0.02);
        uint8_t devices[UNITS];
        memset(devices, 3, sizeof devices);
        devices[LAST - 1] = 2; /* the last unit is not for this device */
        r.v.policy = cases[i].policy;
        r.v.heavy = cases[i].heavy;
        r.t.p.objective.goal = cases[i].goal;
        if (cases[i].barred) r.t.p.limits.unit_devices = devices;
        bool may = rig_look(&r).may_stay;
        if (may != cases[i].may) fail_msg("case %d: %d", (int)i, may);
        toy_done(&r.t);
    }
}

/* Other policies are followed as they are. */
static void other_policies_are_followed_at_once(void **state)
{
    (void)state;
    rig r;
    rig_start(&r, 1.1, 1);
    r.v.policy = CLV_POLICY_CLOUD;
    for (int i = 0; i < 3; i++) assert_int_equal(rig_look(&r).to.cut[0], 0);
    toy_done(&r.t);
}

/* What cannot be carried out any more is left, and what is live over another way says nothing of this one. */
static void a_route_that_is_not_offered_is_left(void **state)
{
    (void)state;
    rig r;
    rig_start(&r, 18.88, 0.02);
    clv_chooser_answer first = rig_look(&r);
    assert_true(first.to.n == 2);
    r.live = first.to;
    rig_look(&r);
    r.live.codec[0].quant = CLV_QUANT_Q8; /* pinned once, say */
    clv_chooser_answer next = rig_look(&r);
    assert_true(clv_route_equal(&next.to, &first.to));
    r.live = first.to;
    r.live.way = 3;
    next = rig_look(&r);
    assert_true(clv_route_equal(&next.to, &first.to));
    toy_done(&r.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_changes_no_plan),
        cmocka_unit_test(steps_are_followed),
        cmocka_unit_test(square_waves_are_followed),
        cmocka_unit_test(no_start_blinds_a_busy_device),
        cmocka_unit_test(wandering_links_are_followed),
        cmocka_unit_test(links_that_wander_fast_are_followed),
        cmocka_unit_test(a_peer_that_others_keep_busy_counts_as_the_share_that_is_left),
        cmocka_unit_test(an_own_queue_at_the_peer_hides_no_better_cut),
        cmocka_unit_test(what_a_route_has_shown_counts_more_than_its_prediction),
        cmocka_unit_test(all_do_not_go_where_one_would),
        cmocka_unit_test(routes_that_promise_more_than_they_hold_are_left),
        cmocka_unit_test(a_route_that_was_just_taken_is_not_left_at_once),
        cmocka_unit_test(a_heavy_load_takes_the_throughput_plan),
        cmocka_unit_test(doubt_is_where_the_plan_could_be_another),
        cmocka_unit_test(requests_may_stay_where_only_latency_counts),
        cmocka_unit_test(other_policies_are_followed_at_once),
        cmocka_unit_test(a_route_that_is_not_offered_is_left),
    };
    return cmocka_run_group_tests_name("chooser", tests, NULL, NULL);
}
