/* Plan switching against a clairvoyant dynamic programme, on links that step, swing, wander and were recorded. */
#include "policy/switching.h"

#include "base/rng.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = CLV_SWITCHING_PLANS, TASKS_MAX = 8192 };
#define BOUND (2 * N - 1)

/* A course of requests: what each would cost in each plan, in ms. */
typedef struct course {
    double cost[TASKS_MAX][N];
    int n;
} course;

/* ---- the oracle: the least that anyone could have paid, beginning in plan `from` ---- */

static double clairvoyant(const course *c, int from, double change)
{
    double best[N], next[N];
    for (int p = 0; p < N; p++) best[p] = p == from ? 0 : change;
    for (int t = 0; t < c->n; t++) {
        for (int p = 0; p < N; p++) {
            next[p] = (double)INFINITY;
            for (int q = 0; q < N; q++)
                next[p] = fmin(next[p], best[q] + (p == q ? 0 : change) + c->cost[t][p]);
        }
        memcpy(best, next, sizeof best);
    }
    double least = best[0];
    for (int p = 1; p < N; p++) least = fmin(least, best[p]);
    return least;
}

/* ---- ours ---- */

typedef struct outcome {
    double total;
    int switches;
} outcome;

typedef struct rules {
    double change; /* what a switch costs */
    double sigma;  /* of a prediction, relative */
    double noise;  /* how far predictions are really off, at most, relative */
    int from;
} rules;

static clv_switching known_all(int live)
{
    clv_switching s;
    clv_switching_init(&s);
    for (int p = 0; p < N; p++) assert_int_equal(clv_switching_admit(&s, (1U << p) - 1), p);
    clv_switching_moved(&s, live);
    return s;
}

/* Each task is seen, as far as it can be predicted, then served in the plan that was decided. */
static outcome follow(const course *c, const rules *r, clv_rng *rng)
{
    clv_switching s = known_all(r->from);
    outcome out = {0};
    for (int t = 0; t < c->n; t++) {
        clv_prospect seen[N] = {0};
        for (int p = 0; p < N; p++) {
            double off = 1 + r->noise * (2 * clv_rng_unit(rng) - 1);
            seen[p].cost = c->cost[t][p] * off;
            seen[p].own_sigma = r->sigma * c->cost[t][p];
            seen[p].entry = r->change;
        }
        clv_switching_verdict v;
        clv_switching_step(&s, seen, 1, &v);
        out.total += c->cost[t][v.to];
        if (v.to == s.live) continue;
        out.total += r->change;
        out.switches++;
        clv_switching_moved(&s, v.to);
    }
    return out;
}

/* ---- courses ---- */

/* Four plans of an AlexNet, say: edge ms, bytes up, cloud ms. */
static const double plans[N][3] = {{180, 0, 0}, {20, 43264, 12}, {4, 150528, 14}, {60, 9216, 8}};

static void ask(course *c, double bytes_per_s, double rtt_ms)
{
    double *cost = c->cost[c->n++];
    for (int p = 0; p < N; p++)
        cost[p] = plans[p][0] + plans[p][2] +
                  (plans[p][1] > 0 ? rtt_ms + 1000 * plans[p][1] / bytes_per_s : 0);
}

/* Requests one after another, ten a second. */
enum { PER_S = 10 };
static const double steps[] = {18.88e6 / 8, 1.1e6 / 8, 5.85e6 / 8, 0.13e6 / 8};

static void square_wave(course *c, double period_s, double low, double high)
{
    for (int t = 0; t < 4000; t++) {
        double at_s = (double)t / PER_S;
        ask(c, fmod(at_s, period_s) < period_s / 2 ? high : low, 20);
    }
}

static void random_walk(course *c, clv_rng *rng)
{
    double ln = log(steps[2]);
    for (int t = 0; t < 4000; t++) {
        ln += 0.15 * clv_rng_normal(rng);
        ln = fmin(fmax(ln, log(steps[3])), log(steps[0]));
        ask(c, exp(ln), 20);
    }
}

/* kbit/s of a phone on a tram, second by second: made up after the published ones, with their dips. */
static const int tram[] = {2210, 2480, 1900, 1650, 820,  310,  150,  640,  1480, 2390, 3100, 3550,
                           3400, 2800, 2950, 2100, 980,  420,  130,  130,  260,  900,  1700, 2600,
                           3900, 4700, 5200, 5600, 4900, 5100, 3300, 1200, 700,  540,  480,  600,
                           1100, 2300, 2250, 2700, 2900, 1500, 450,  200,  1900, 4100, 4400, 4600};

static void recorded(course *c)
{
    for (int t = 0; t < 4000; t++)
        ask(c, 125.0 * tram[t / PER_S % (int)(sizeof tram / sizeof *tram)], 60);
}

static void check(const char *name, const course *c, const rules *r, clv_rng *rng)
{
    outcome ours = follow(c, r, rng);
    double least = clairvoyant(c, r->from, r->change);
    double interval = 0; /* what the gate may cost: no more than the interval each time */
    for (int t = 0; t < c->n && r->sigma > 0; t++)
        interval += CLV_SWITCHING_SIGMAS * r->sigma * sqrt(2) * least / c->n;
    if (ours.total > BOUND * least + interval)
        fail_msg("%s: %g paid with %d switches, %g at least", name, ours.total, ours.switches,
                 least);
}

static void flapping_is_bounded_on_square_waves(void **state)
{
    (void)state;
    static const double periods_s[] = {0.2, 0.5, 1, 2, 5, 10, 30, 60};
    course *c = calloc(1, sizeof *c);
    clv_rng rng = clv_rng_seeded(1);
    for (size_t i = 0; i < sizeof periods_s / sizeof *periods_s; i++)
        for (int low = 1; low < 4; low++)
            for (double change = 1; change < 2000; change *= 4) {
                c->n = 0;
                square_wave(c, periods_s[i], steps[low], steps[0]);
                check("square wave", c, &(rules){.change = change}, &rng);
                check("square wave, noisy", c,
                      &(rules){.change = change, .sigma = 0.06, .noise = 0.1}, &rng);
            }
    free(c);
}

static void flapping_is_bounded_on_random_walks(void **state)
{
    (void)state;
    course *c = calloc(1, sizeof *c);
    for (uint64_t seed = 1; seed <= 40; seed++) {
        clv_rng rng = clv_rng_seeded(seed);
        c->n = 0;
        random_walk(c, &rng);
        for (double change = 1; change < 2000; change *= 4)
            check("random walk", c, &(rules){.change = change, .from = (int)(seed % N)}, &rng);
    }
    free(c);
}

static void flapping_is_bounded_on_recorded_links(void **state)
{
    (void)state;
    course *c = calloc(1, sizeof *c);
    clv_rng rng = clv_rng_seeded(3);
    recorded(c);
    for (double change = 1; change < 2000; change *= 4)
        for (int from = 0; from < N; from++)
            check("tram", c, &(rules){.change = change, .from = from}, &rng);
    free(c);
}

/* Costs that were drawn to hurt: at random, and always where one is. */
static void flapping_is_bounded_whatever_comes(void **state)
{
    (void)state;
    course *c = calloc(1, sizeof *c);
    for (uint64_t seed = 1; seed <= 40; seed++) {
        clv_rng rng = clv_rng_seeded(seed);
        const rules r = {.change = 1 + 20 * clv_rng_unit(&rng)};
        double scale = exp(3 * clv_rng_normal(&rng));
        for (c->n = 0; c->n < 4000; c->n++)
            for (int p = 0; p < N; p++) c->cost[c->n][p] = scale * (1e-6 + clv_rng_unit(&rng));
        check("random", c, &r, &rng);
    }
    clv_switching s = known_all(0);
    double paid = 0;
    const double change = 10;
    for (c->n = 0; c->n < TASKS_MAX; c->n++) { /* the adversary of the theorem */
        clv_prospect seen[N] = {0};
        for (int p = 0; p < N; p++) {
            c->cost[c->n][p] = p == s.live ? 0.5 : 1e-9;
            seen[p] = (clv_prospect){.cost = c->cost[c->n][p], .entry = change};
        }
        clv_switching_verdict v;
        clv_switching_step(&s, seen, 1, &v);
        paid += c->cost[c->n][v.to];
        if (v.to != s.live) paid += change;
        clv_switching_moved(&s, v.to);
    }
    double least = clairvoyant(c, 0, change);
    if (paid > BOUND * (least + change)) fail_msg("adversary: %g paid, %g at least", paid, least);
    if (paid < 2 * least) fail_msg("this adversary does not hurt: %g, %g", paid, least);
    free(c);
}

/* No plan changes for noise alone, however long, and though two plans are equally good. */
static void noise_switches_nothing(void **state)
{
    (void)state;
    course *c = calloc(1, sizeof *c);
    for (uint64_t seed = 1; seed <= 50; seed++) {
        clv_rng rng = clv_rng_seeded(seed);
        for (c->n = 0; c->n < TASKS_MAX; c->n++)
            for (int p = 0; p < N; p++) c->cost[c->n][p] = p < 2 ? 100 : 110;
        const rules r = {.change = 5, .sigma = 0.1 / sqrt(3), .noise = 0.1};
        assert_int_equal(follow(c, &r, &rng).switches, 0);
    }
    free(c);
}

/* What two plans rest on in common says nothing about which is better. */
static void common_doubt_cancels(void **state)
{
    (void)state;
    clv_switching s = known_all(0);
    clv_prospect seen[N];
    clv_switching_verdict v;
    for (int p = 0; p < N; p++) {
        seen[p] = (clv_prospect){.cost = p == 1 ? 90 : 100, .entry = 5};
        seen[p].factor[0] = 50;
    }
    assert_float_equal(clv_prospect_sigma(&seen[0], &seen[1]), 0, 1e-12);
    clv_switching_step(&s, seen, 1, &v);
    assert_int_equal(v.to, 1);
    s = known_all(0);
    seen[1].factor[0] = 40; /* it moves by 10 less: 3 sigmas are more than the gain */
    for (int i = 0; i < 100; i++) {
        clv_switching_step(&s, seen, 1, &v);
        assert_int_equal(v.to, 0);
    }
    seen[1].cost = 65;
    clv_switching_step(&s, seen, 1, &v);
    assert_int_equal(v.to, 1);
    assert_float_equal(v.gain, 35, 1e-12);
    assert_float_equal(v.interval, 30, 1e-12);
}

/* After a step of the link the right plan stands within three requests, from any plan. */
static void a_step_is_followed_within_three_requests(void **state)
{
    (void)state;
    course *c = calloc(1, sizeof *c);
    for (int before = 0; before < 4; before++)
        for (int after = 0; after < 4; after++) {
            if (before == after) continue;
            clv_switching s = known_all(0);
            clv_switching_verdict v;
            c->n = 0;
            for (int t = 0; t < 103; t++) {
                ask(c, t < 100 ? steps[before] : steps[after], 20);
                double least = (double)INFINITY;
                clv_prospect seen[N] = {0};
                for (int p = 0; p < N; p++) least = fmin(least, c->cost[t][p]);
                for (int p = 0; p < N; p++)
                    seen[p] = (clv_prospect){.cost = c->cost[t][p],
                                             .entry = 0.15 * least,
                                             .own_sigma = 0.01 * c->cost[t][p]};
                clv_switching_step(&s, seen, 1, &v);
                clv_switching_moved(&s, v.to);
            }
            double least = (double)INFINITY;
            for (int p = 0; p < N; p++) least = fmin(least, c->cost[102][p]);
            if (c->cost[102][s.live] > 1.10 * least)
                fail_msg("%g to %g bytes/s: plan %d at %g, the best takes %g", steps[before],
                         steps[after], s.live, c->cost[102][s.live], least);
        }
    free(c);
}

/* Going back to a plan that is resident still takes less. Where one is counts as resident, too. */
static void a_warm_plan_is_entered_sooner(void **state)
{
    (void)state;
    int needed[2];
    for (int warm = 0; warm < 2; warm++) {
        clv_switching s = known_all(0);
        clv_switching_verdict v = {.to = 0};
        clv_prospect seen[N];
        for (int p = 0; p < N; p++)
            seen[p] = (clv_prospect){.cost = p ? 200 : 100, .entry = p ? 50 : 10};
        if (warm) seen[1].entry = 10;
        clv_switching_step(&s, seen, 1, &v);
        assert_int_equal(v.to, 0);
        seen[1].cost = 96;
        for (needed[warm] = 0; v.to == 0; needed[warm]++) clv_switching_step(&s, seen, 1, &v);
        assert_int_equal(v.to, 1);
    }
    assert_int_equal(needed[0], 15); /* 4 each: from 50 behind to 10 before */
    assert_int_equal(needed[1], 5);
}

static void the_first_plan_is_free(void **state)
{
    (void)state;
    clv_switching s = known_all(CLV_SWITCHING_NONE);
    clv_prospect seen[N];
    for (int p = 0; p < N; p++)
        seen[p] = (clv_prospect){.cost = p == 2 ? 99 : 100, .entry = 50, .own_sigma = 30};
    clv_switching_verdict v;
    clv_switching_step(&s, seen, 0, &v);
    assert_int_equal(v.to, 2);
}

/* A plan that cannot be carried out any more is left at once; nonsense is such a plan; and the way back is open. */
static void impossible_plans_are_left(void **state)
{
    (void)state;
    const double nonsense[] = {(double)INFINITY, (double)NAN, 0, -5, -(double)INFINITY};
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        clv_switching s = known_all(1);
        clv_prospect seen[N];
        clv_switching_verdict v;
        for (int p = 0; p < N; p++) seen[p] = (clv_prospect){.cost = 100 + p, .entry = 50};
        seen[1].cost = nonsense[i];
        clv_switching_step(&s, seen, 1, &v);
        assert_int_equal(v.to, 0);
        assert_int_equal(v.second, 2);
        clv_switching_moved(&s, 0);
        seen[1].cost = 40;
        for (int k = 0; k < 2; k++) clv_switching_step(&s, seen, 1, &v);
        assert_int_equal(v.to, 1);
        for (int p = 0; p < N; p++) seen[p].cost = nonsense[i];
        clv_switching_step(&s, seen, 1, &v);
        assert_int_equal(v.to, CLV_SWITCHING_NONE);
        assert_int_equal(v.second, CLV_SWITCHING_NONE);
        for (int p = 0; p < N; p++) seen[p].cost = 100;
        clv_switching_step(&s, seen, 1, &v);
        assert_true(v.to >= 0);
    }
}

static void the_least_promising_plan_makes_room(void **state)
{
    (void)state;
    clv_switching s = known_all(0);
    clv_prospect seen[N];
    clv_switching_verdict v;
    for (int p = 0; p < N; p++) seen[p] = (clv_prospect){.cost = 100 + 10 * p, .entry = 1000};
    clv_switching_step(&s, seen, 3, &v);
    assert_int_equal(v.second, 1);
    assert_int_equal(clv_switching_admit(&s, 0), 3);
    assert_int_equal(clv_switching_admit(&s, 1U << 3), 2);
    assert_int_equal(clv_switching_admit(&s, 0xe), CLV_SWITCHING_NONE);
    assert_float_equal(s.work[3], 1000, 1e-9); /* who would move there now */
    seen[3].cost = 50;
    clv_switching_step(&s, seen, 10, &v);
    assert_int_equal(v.to, 0); /* 500 of 1000 */
    clv_switching_step(&s, seen, 10, &v);
    clv_switching_step(&s, seen, 20, &v);
    assert_int_equal(v.to, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flapping_is_bounded_on_square_waves),
        cmocka_unit_test(flapping_is_bounded_on_random_walks),
        cmocka_unit_test(flapping_is_bounded_on_recorded_links),
        cmocka_unit_test(flapping_is_bounded_whatever_comes),
        cmocka_unit_test(noise_switches_nothing),
        cmocka_unit_test(common_doubt_cancels),
        cmocka_unit_test(a_step_is_followed_within_three_requests),
        cmocka_unit_test(a_warm_plan_is_entered_sooner),
        cmocka_unit_test(the_first_plan_is_free),
        cmocka_unit_test(impossible_plans_are_left),
        cmocka_unit_test(the_least_promising_plan_makes_room),
    };
    return cmocka_run_group_tests_name("switching", tests, NULL, NULL);
}
