/* Eight edges and one cloud, by an event simulation on a clock of its own: does the sum of their choices settle? */
#include "base/mem.h"
#include "base/stats.h"
#include "policy/wait.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>

enum { EDGES = 8, REPLIES_MAX = 4096, SECONDS = 600, LATE_S = 300 };

typedef struct reply {
    int64_t at_us;
    double wait_us;
    int edge;
} reply;

/* Every edge has a request each `every_us`: 30 ms at home, or 10 ms there and the cloud's queue. */
typedef struct world {
    clv_rng rng;
    clv_wait wait[EDGES];
    bool away[EDGES], damped;
    double naive_us[EDGES]; /* the newest that each knows */
    int64_t due_us[EDGES];
    double every_us, home_us, there_us;
    double free_at_us; /* the cloud */
    double recent_us[64];
    int64_t recent_at_us[64];
    size_t n_recent;
    reply replies[REPLIES_MAX];
    size_t n_replies;
    /* of the last LATE_S seconds */
    int switches, requests;
    double total_us, ticks, away_sum, away_squares;
} world;

static void world_init(world *w, bool damped, double every_us, uint64_t seed)
{
    *w = (world){.rng = clv_rng_seeded(seed),
                 .damped = damped,
                 .every_us = every_us,
                 .home_us = 30000,
                 .there_us = 10000};
    for (int e = 0; e < EDGES; e++) {
        clv_wait_init(&w->wait[e], seed * 100 + (uint64_t)e, 0);
        w->due_us[e] = (int64_t)(every_us * clv_rng_unit(&w->rng));
    }
}

static void deliver(world *w, int64_t now)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->n_replies; i++) {
        reply r = w->replies[i];
        if (r.at_us > now) {
            w->replies[kept++] = r;
            continue;
        }
        clv_wait_met(&w->wait[r.edge], r.at_us, r.wait_us);
        w->naive_us[r.edge] = r.wait_us;
    }
    w->n_replies = kept;
}

/* What the cloud tells in a heartbeat: the 80 % quantile of what was waited in the last five seconds. */
static void beat(world *w, int64_t now)
{
    double fresh[64];
    size_t n = 0;
    for (size_t i = 0; i < CLV_MIN(w->n_recent, (size_t)64); i++)
        if (now - w->recent_at_us[i] < 5000000) fresh[n++] = w->recent_us[i];
    double told = clv_quantile(fresh, n, 0.8);
    for (int e = 0; e < EDGES; e++) {
        clv_wait_heard(&w->wait[e], now, told);
        if (!w->away[e]) w->naive_us[e] = told;
    }
}

/* As a node does: a change must promise 3 %. */
static void choose(world *w, int e, int64_t now, bool late)
{
    double wait = w->damped ? clv_wait_planned(&w->wait[e], now, w->away[e]) : w->naive_us[e];
    double there = w->there_us + wait;
    bool away = w->away[e] ? there < w->home_us / 0.97 : there < w->home_us * 0.97;
    if (away != w->away[e] && late) w->switches++;
    w->away[e] = away;
}

static void ask(world *w, int e, int64_t now, bool late)
{
    double took = w->home_us;
    if (w->away[e]) {
        double wait = fmax(w->free_at_us - (double)now, 0);
        w->free_at_us = (double)now + wait + w->there_us;
        took = wait + w->there_us;
        w->recent_us[w->n_recent % 64] = wait;
        w->recent_at_us[w->n_recent++ % 64] = now;
        if (w->n_replies < REPLIES_MAX)
            w->replies[w->n_replies++] = (reply){now + (int64_t)took, wait, e};
    }
    w->due_us[e] += (int64_t)(w->every_us * clv_rng_exponential(&w->rng));
    if (!late) return;
    w->requests++;
    w->total_us += took;
}

static int away_now(const world *w)
{
    int n = 0;
    for (int e = 0; e < EDGES; e++) n += w->away[e];
    return n;
}

static void live(world *w)
{
    const int64_t tick = 5000;
    for (int64_t now = 0; now < (int64_t)SECONDS * 1000000; now += tick) {
        bool late = now >= (int64_t)(SECONDS - LATE_S) * 1000000;
        deliver(w, now);
        if (now % 1000000 == 0) beat(w, now);
        for (int e = 0; e < EDGES; e++) {
            if (now % 100000 == 0) choose(w, e, now, late);
            while (w->due_us[e] <= now) ask(w, e, w->due_us[e], late);
        }
        if (!late) continue;
        double away = away_now(w);
        w->ticks++;
        w->away_sum += away;
        w->away_squares += away * away;
    }
}

/* How far the number of those away is from its mean. */
static double unrest(const world *w)
{
    double mean = w->away_sum / w->ticks;
    return sqrt(fmax(w->away_squares / w->ticks - mean * mean, 0));
}

/* The mean when a fixed number is away all the time: the best of all. */
static double best_fixed_us(double every_us)
{
    double best = INFINITY;
    for (int k = 0; k <= EDGES; k++) {
        world w;
        world_init(&w, true, every_us, 7);
        for (int64_t now = 0; now < 100000000; now += 5000)
            for (int e = 0; e < EDGES; e++) {
                w.away[e] = e < k;
                while (w.due_us[e] <= now) ask(&w, e, w.due_us[e], true);
                w.n_replies = 0;
            }
        best = fmin(best, w.total_us / w.requests);
    }
    return best;
}

static void the_sum_of_choices_settles(void **state)
{
    (void)state;
    const double every_us[] = {25000, 50000, 120000};
    for (size_t i = 0; i < CLV_COUNT(every_us); i++) {
        world herd, calm;
        world_init(&herd, false, every_us[i], i + 1);
        live(&herd);
        world_init(&calm, true, every_us[i], i + 1);
        live(&calm);
        double best = best_fixed_us(every_us[i]);
        if (getenv("CLV_TEST_SHOW"))
            print_message(
                "every %.0f ms, best fixed %.1f ms: newest value %d switches, %.1f away +- "
                "%.1f, %.1f ms; planned value %d switches, %.1f away +- %.1f, %.1f ms\n",
                every_us[i] / 1000, best / 1000, herd.switches, herd.away_sum / herd.ticks,
                unrest(&herd), herd.total_us / herd.requests / 1000, calm.switches,
                calm.away_sum / calm.ticks, unrest(&calm), calm.total_us / calm.requests / 1000);
        assert_true(calm.switches <= EDGES * LATE_S / 30); /* one a node in half a minute */
        assert_true(10 * calm.switches < herd.switches);
        assert_true(unrest(&calm) < 1.25);
        assert_true(unrest(&calm) < 0.7 * unrest(&herd));
        assert_true(calm.total_us / calm.requests <= 1.1 * best);
    }
}

static void a_value_is_held_for_a_dwell(void **state)
{
    (void)state;
    clv_wait w;
    clv_wait_init(&w, 1, 0);
    clv_wait_heard(&w, 0, 5000);
    assert_true(clv_wait_planned(&w, 0, false) == 5000);
    clv_wait_heard(&w, 1000, 9000);
    assert_true(clv_wait_planned(&w, 1000, false) == 5000);
    assert_true(clv_wait_newest(&w, 1000) == 9000);
    assert_true(clv_wait_planned(&w, (int64_t)(1.5 * CLV_WAIT_DWELL_MIN_US), false) == 9000);
}

static void a_jump_is_seen_soon_but_not_by_all_at_once(void **state)
{
    (void)state;
    int64_t first = INT64_MAX, last = 0;
    for (uint64_t seed = 0; seed < EDGES; seed++) {
        clv_wait w;
        clv_wait_init(&w, seed, 0);
        w.dwell_us = CLV_WAIT_DWELL_MAX_US; /* after much back and forth */
        assert_true(clv_wait_planned(&w, 0, true) == 0);
        for (int i = 0; i < CLV_WAIT_SAMPLES; i++) clv_wait_met(&w, 0, 80000);
        int64_t at = 0;
        while (clv_wait_planned(&w, at, true) == 0) at += 1000;
        assert_true(at <= CLV_WAIT_ALARM_US + 1000);
        first = CLV_MIN(first, at);
        last = CLV_MAX(last, at);
    }
    assert_true(last - first > CLV_WAIT_ALARM_US / 4);
}

/* It goes where nobody waits and makes a queue of 40 ms there each time: what it plans with from
 * home is remembered the longer the more often. Seconds until it would try again for less than 20
 * ms. */
static void what_our_coming_adds_is_remembered(void **state)
{
    (void)state;
    clv_wait w;
    clv_wait_init(&w, 1, 0);
    int64_t now = 0, home_us[6];
    for (size_t round = 0; round < CLV_COUNT(home_us); round++) {
        int64_t from = now;
        for (; round == 0 || clv_wait_planned(&w, now, false) >= 20000; now += 100000) {
            clv_wait_heard(&w, now, 0);
            if (round == 0 && now > 3000000) break;
            if (round == 0) clv_wait_planned(&w, now, false);
        }
        home_us[round] = now - from;
        for (from = now; clv_wait_planned(&w, now, true) < 39000; now += 100000)
            clv_wait_met(&w, now, 40000);
        for (int i = 0; i < 100; i++, now += 100000) { /* another look from there */
            clv_wait_met(&w, now, 40000);
            clv_wait_planned(&w, now, true);
        }
    }
    assert_true(home_us[5] > 4 * home_us[1]);
    assert_true(home_us[5] < 4LL * CLV_WAIT_DWELL_MAX_US);
}

static void nonsense_is_ignored(void **state)
{
    (void)state;
    clv_wait w;
    clv_wait_init(&w, 1, 0);
    clv_wait_heard(&w, 0, 700);
    clv_wait_heard(&w, 0, NAN);
    clv_wait_heard(&w, 0, -1);
    for (int i = 0; i < 9; i++) clv_wait_met(&w, 0, INFINITY);
    assert_true(clv_wait_planned(&w, 0, false) == 700);
    clv_wait_heard(&w, 0, 1e300);
    assert_true(clv_wait_newest(&w, 0) == CLV_WAIT_MAX_US);
    clv_wait_lost(&w, 5);
    assert_true(clv_wait_planned(&w, 5, false) == 0);
    clv_wait_planned(&w, 4, true); /* a clock that goes back */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sum_of_choices_settles),
        cmocka_unit_test(a_value_is_held_for_a_dwell),
        cmocka_unit_test(a_jump_is_seen_soon_but_not_by_all_at_once),
        cmocka_unit_test(what_our_coming_adds_is_remembered),
        cmocka_unit_test(nonsense_is_ignored),
    };
    return cmocka_run_group_tests_name("wait", tests, NULL, NULL);
}
