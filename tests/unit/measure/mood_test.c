#include "measure/mood.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/stats.h"
#include "unit.h"

#include <math.h>

enum { WHO = 12, ROUNDS = 30, LAPS = WHO * ROUNDS };

typedef struct seen {
    double us[LAPS];
    clv_mood_lap laps[LAPS];
} seen;

static double gauss(clv_rng *r)
{
    return sqrt(-2 * log(1 - clv_rng_unit(r))) * cos(6.2831853 * clv_rng_unit(r));
}

static double truth_us(size_t who)
{
    return 1000 * (1 + (double)who);
}

/* Things visited in turns on a machine whose mood wanders, each with some noise of its own. */
static void look(seen *s, clv_rng *rng, double mood_sigma, double own_sigma)
{
    double now_us = 0, mood = mood_sigma * gauss(rng);
    for (size_t i = 0; i < LAPS; i++) {
        size_t who = i % WHO;
        double stays = exp(-truth_us(who) / 3e5); /* moods last about 0.3 s */
        mood = stays * mood + sqrt(1 - stays * stays) * mood_sigma * gauss(rng);
        s->us[i] = truth_us(who) * exp(mood + own_sigma * gauss(rng));
        now_us += s->us[i];
        s->laps[i] = (clv_mood_lap){.who = who, .at_us = now_us - s->us[i] / 2, .us = &s->us[i]};
    }
}

/* Mean error of the ratios of medians, to that of the first: what a common factor does not change. */
static double error_of(const seen *s)
{
    double sum = 0, first = 0;
    for (size_t who = 0; who < WHO; who++) {
        double x[ROUNDS];
        for (size_t i = 0; i < ROUNDS; i++) x[i] = s->us[i * WHO + who];
        double off = log(clv_median(x, ROUNDS) / truth_us(who));
        if (who == 0) first = off;
        sum += fabs(off - first) / (WHO - 1);
    }
    return sum;
}

/* How much of the error is left when moods of this size are taken out of runs with this noise. */
static double share_left(uint64_t seed, double mood, double noise)
{
    double before = 0, after = 0;
    clv_rng rng = clv_rng_seeded(seed);
    for (int i = 0; i < 20; i++) {
        seen s;
        look(&s, &rng, mood, noise);
        before += error_of(&s);
        clv_mood_remove(s.laps, LAPS, WHO);
        after += error_of(&s);
    }
    return after / before;
}

static void a_common_mood_is_taken_out(void **state)
{
    (void)state;
    assert_true(share_left(7, 0.3, 0.03) < 0.6);
}

static void where_there_is_none_hardly_anything_changes(void **state)
{
    (void)state;
    assert_true(share_left(8, 0, 0.05) < 1.1);
}

static void the_level_stays(void **state)
{
    (void)state;
    seen s;
    double was[LAPS], is[LAPS];
    clv_rng rng = clv_rng_seeded(9);
    look(&s, &rng, 0.2, 0.05);
    for (size_t i = 0; i < LAPS; i++) was[i] = s.us[i] / truth_us(i % WHO);
    clv_mood_remove(s.laps, LAPS, WHO);
    for (size_t i = 0; i < LAPS; i++) is[i] = s.us[i] / truth_us(i % WHO);
    assert_true(fabs(log(clv_median(is, LAPS) / clv_median(was, LAPS))) < 0.05);
}

static void nothing_and_one_are_left_alone(void **state)
{
    (void)state;
    double us = 5;
    clv_mood_lap one = {.us = &us};
    clv_mood_remove(&one, 0, 0);
    clv_mood_remove(&one, 1, 1);
    assert_true(us == 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_common_mood_is_taken_out),
        cmocka_unit_test(where_there_is_none_hardly_anything_changes),
        cmocka_unit_test(the_level_stays),
        cmocka_unit_test(nothing_and_one_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
