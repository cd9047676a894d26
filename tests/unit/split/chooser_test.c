/* Choosing routes on made-up time: the planner, the link monitor and the work functions together,
 * against a clairvoyant. */
#include "split/chooser.h"

#include "base/rng.h"
#include "measure/link_monitor.h"
#include "plan/policy_problems.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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

typedef double (*trace)(const void *arg, int64_t at_us); /* bytes a second */

enum { RTT_US = 20000, GRAIN_US = 10000 };

/* How long these bytes take from then on, step by step. */
static double transfer_us(trace rate, const void *arg, int64_t from_us, double bytes)
{
    int64_t at = from_us;
    for (;;) {
        double now = rate(arg, at) * GRAIN_US * 1e-6;
        if (bytes <= now) return (double)(at - from_us) + bytes / now * GRAIN_US;
        bytes -= now;
        at += GRAIN_US;
    }
}

static double route_us(trace rate, const void *arg, int64_t from_us, size_t cut, double *link_us)
{
    double us = 0;
    *link_us = 0;
    for (size_t u = 0; u < UNITS; u++) us += (double)edge_ms[u] * (u < cut ? 1e3 : 1e2);
    if (cut == LAST) return us;
    size_t up = cut ? made_bytes[cut - 1] : INPUT_BYTES;
    *link_us = RTT_US + transfer_us(rate, arg, from_us, (double)up);
    *link_us += made_bytes[UNITS - 1] * 1e6 / rate(arg, from_us + (int64_t)*link_us);
    return us + *link_us;
}

/* ---- a node, one request every so often ---- */

enum { ASKED_MAX = 4096, PENDING_MAX = 64, PREPARE_US = 250000 };
#define EVERY_US (400 * MS)

typedef struct outcome {
    int n, switches, late_switches;  /* late: after the first minute */
    double ours, clairvoyant, fixed; /* means, us; fixed: of the best single plan */
    double probe_bytes, link_bytes;
    double right_share;  /* of requests in a plan within 5 % of the best */
    int right_after[16]; /* requests after each change of the link until the plan was right */
} outcome;

typedef struct seen {
    int64_t at_us;
    size_t up, down;
    double us;
    int64_t from_us, overdue_us; /* sent; when it is to be wondered at */
} seen;

typedef struct run {
    toy t;
    clv_rng rng;
    double noise;
    trace rate;
    const void *arg;
    clv_link_monitor m;
    clv_chooser c;
    clv_route live, warm, coming;
    int64_t ready_us; /* when `coming` is prepared; 0: nothing is */
    bool doubt;
    seen pending[PENDING_MAX];
    size_t n_pending;
    double tasks;
    outcome o;
} run;

static double noisy(run *r, double us)
{
    return us * (1 + r->noise * (2 * clv_rng_unit(&r->rng) - 1));
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
    const clv_chooser_view v = {.problem = &r->t.p,
                                .codecs = raw,
                                .policy = CLV_POLICY_EXACT,
                                .live = &r->live,
                                .warm = &r->warm,
                                .unseen_us = link.unseen_us,
                                .tasks = r->tasks,
                                .now_us = now_us};
    r->tasks = 0;
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

/* A second has passed in which nobody asked the link, perhaps: pings and probes, as the monitor wants them. */
static void tick(run *r, int64_t now_us)
{
    double link_us;
    if (r->n_pending) return;
    clv_link_probe p = clv_link_monitor_probe(&r->m, now_us, r->doubt);
    if (p.kind == CLV_PROBE_PING) clv_link_monitor_rtt(&r->m, now_us, noisy(r, RTT_US));
    if (p.kind != CLV_PROBE_BYTES) return;
    link_us = noisy(r, RTT_US + transfer_us(r->rate, r->arg, now_us, (double)p.bytes + 100));
    r->o.probe_bytes += (double)p.bytes;
    r->pending[r->n_pending++] =
        (seen){now_us + (int64_t)link_us, p.bytes, 100, link_us, now_us, INT64_MAX};
}

static void deliver(run *r, int64_t now_us)
{
    for (size_t i = 0; i < r->n_pending;) {
        seen s = r->pending[i];
        if (s.at_us > now_us) {
            i++;
            continue;
        }
        clv_link_monitor_exchange(&r->m, s.at_us, s.up, s.down, s.us);
        r->pending[i] = r->pending[--r->n_pending];
        look(r, s.at_us);
        if (clv_link_monitor_surprised(&r->m)) tick(r, s.at_us);
    }
}

/* Exchanges that take twice as long as they should, and then twice as long again: the link is at least so slow. */
static void wonder(run *r, int64_t now_us)
{
    for (size_t i = 0; i < r->n_pending; i++) {
        seen *s = &r->pending[i];
        if (now_us < s->overdue_us) continue;
        int64_t gone_us = now_us - s->from_us;
        clv_link_monitor_unanswered(&r->m, now_us, s->up, (double)gone_us);
        s->overdue_us = now_us + gone_us;
        look(r, now_us);
    }
}

static int64_t due(const run *r, int64_t now_us, size_t up, size_t down)
{
    clv_link link = clv_link_monitor_link(&r->m, now_us);
    return now_us + 50 * MS + (int64_t)(2 * clv_link_exchange_us(&link, up, down));
}

static void ask(run *r, int64_t now_us, double fixed[CUTS])
{
    double link_us, least = (double)INFINITY, ours = 0;
    size_t cut = r->live.cut[0];
    for (size_t c = 0; c < CUTS; c++) {
        double us = route_us(r->rate, r->arg, now_us, c, &link_us);
        least = fmin(least, us);
        fixed[c] += us;
        if (c != cut) continue;
        ours = us;
        if (c == LAST || r->n_pending == PENDING_MAX) continue;
        size_t up = c ? made_bytes[c - 1] : INPUT_BYTES, down = made_bytes[UNITS - 1];
        int64_t sent_us = now_us + (int64_t)(us - link_us); /* as if all computing came first */
        r->pending[r->n_pending++] = (seen){
            now_us + (int64_t)us, up, down, noisy(r, link_us), sent_us, due(r, sent_us, up, down)};
    }
    r->o.ours += ours;
    r->o.clairvoyant += least;
    r->o.right_share += ours <= 1.05 * least;
    r->tasks++;
    r->o.n++;
}

static outcome follow(trace rate, const void *arg, int64_t for_us, uint64_t seed, double noise)
{
    run r = {.rng = clv_rng_seeded(seed), .noise = noise, .rate = rate, .arg = arg};
    double fixed[CUTS] = {0};
    network(&r.t);
    clv_link_monitor_init(&r.m, SECOND);
    clv_chooser_init(&r.c);
    r.live = clv_route_local(LAST);
    clv_link_monitor_rtt(&r.m, SECOND, RTT_US);
    for (int64_t now = SECOND; now < for_us; now += 50 * MS) {
        deliver(&r, now);
        if (now % SECOND == 0) {
            r.tasks = fmax(r.tasks, 3);
            look(&r, now);
            tick(&r, now);
        }
        if (now % (200 * MS) == 0) wonder(&r, now);
        if (now > 5 * SECOND && now % EVERY_US == 0) ask(&r, now, fixed);
        if (now > 5 * SECOND) r.o.link_bytes += rate(arg, now) * 0.05;
    }
    double best = (double)INFINITY;
    for (int c = 0; c < CUTS; c++) best = fmin(best, fixed[c]);
    r.o.ours /= r.o.n;
    r.o.clairvoyant /= r.o.n;
    r.o.fixed = best / r.o.n;
    r.o.right_share /= r.o.n;
    toy_done(&r.t);
    return r.o;
}

#define MBIT(x) ((x)*1e6 / 8)

/* ---- traces ---- */

static double constant(const void *arg, int64_t at_us)
{
    (void)at_us;
    return *(const double *)arg;
}

static double steps(const void *arg, int64_t at_us)
{
    static const double rates[] = {MBIT(18.88), MBIT(1.1), MBIT(5.85)};
    return rates[at_us / *(const int64_t *)arg % 3];
}

static double square(const void *arg, int64_t at_us)
{
    int64_t period = *(const int64_t *)arg;
    return at_us % period < period / 2 ? MBIT(18.88) : MBIT(1.1);
}

static double wander(const void *arg, int64_t at_us)
{
    const double *path = arg;
    return path[at_us / SECOND % 600];
}

/* The mean is within this factor of a clairvoyant's, and not worse than the best plan kept. */
static void expect(const char *name, const outcome *o, double factor)
{
    if (o->ours > factor * o->clairvoyant || o->ours > 1.02 * o->fixed)
        fail_msg("%s: %.1f ms, clairvoyant %.1f, best plan kept %.1f; %d switches in %d", name,
                 o->ours / 1e3, o->clairvoyant / 1e3, o->fixed / 1e3, o->switches, o->n);
    if (o->probe_bytes > 0.01 * o->link_bytes)
        fail_msg("%s: probes took %.2f %%", name, 100 * o->probe_bytes / o->link_bytes);
}

static const double rates[] = {MBIT(18.88), MBIT(5.85), MBIT(1.1), MBIT(0.13)};

/* Ten minutes of ±10 %: found at the start, then never left. */
static void noise_changes_no_plan(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            outcome o = follow(constant, &rates[i], 601 * SECOND, seed, 0.1);
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
            expect("steps", &o, 1.10);
        }
}

static void square_waves_are_followed_or_left_alone(void **state)
{
    (void)state;
    static const double periods_s[] = {1, 5, 10, 60};
    for (int i = 0; i < 4; i++) {
        int64_t us = (int64_t)(periods_s[i] * 1e6);
        outcome o = follow(square, &us, 601 * SECOND, 1, 0.05);
        expect("square wave", &o, 1.4);
    }
}

static void wandering_links_are_followed(void **state)
{
    (void)state;
    double path[600];
    for (uint64_t seed = 1; seed <= 5; seed++) {
        clv_rng rng = clv_rng_seeded(seed);
        double ln = log(rates[1]);
        for (int i = 0; i < 600; i++) {
            ln = fmin(fmax(ln + 0.1 * clv_rng_normal(&rng), log(rates[3])), log(rates[0]));
            path[i] = exp(ln);
        }
        outcome o = follow(wander, path, 601 * SECOND, seed, 0.05);
        expect("wander", &o, 1.10);
    }
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
        cmocka_unit_test(square_waves_are_followed_or_left_alone),
        cmocka_unit_test(wandering_links_are_followed),
        cmocka_unit_test(a_peer_that_others_keep_busy_counts_as_the_share_that_is_left),
        cmocka_unit_test(an_own_queue_at_the_peer_hides_no_better_cut),
        cmocka_unit_test(what_a_route_has_shown_counts_more_than_its_prediction),
        cmocka_unit_test(all_do_not_go_where_one_would),
        cmocka_unit_test(a_heavy_load_takes_the_throughput_plan),
        cmocka_unit_test(doubt_is_where_the_plan_could_be_another),
        cmocka_unit_test(other_policies_are_followed_at_once),
        cmocka_unit_test(a_route_that_is_not_offered_is_left),
    };
    return cmocka_run_group_tests_name("chooser", tests, NULL, NULL);
}
