#include "base/mem.h"
#include "base/rng.h"
#include "policy/batch.h"
#include "unit.h"

#include <math.h>

static clv_batch learnt(double once_us, double each_us)
{
    clv_batch b = {0};
    clv_batch_saw(&b, 1, once_us + each_us);
    clv_batch_saw(&b, 4, once_us + 4 * each_us);
    return b;
}

static void learns_both_costs(void **state)
{
    (void)state;
    clv_rng rng = clv_rng_seeded(1);
    clv_batch b = {0};
    assert_true(clv_batch_cost_us(&b, 3) == 0);
    for (int i = 0; i < 400; i++) {
        size_t rows = 1 + clv_rng_below(&rng, 6);
        clv_batch_saw(&b, rows, (700 + 150 * (double)rows) * (1 + 0.05 * clv_rng_normal(&rng)));
    }
    for (size_t rows = 1; rows < 12; rows++) {
        double right = 700 + 150 * (double)rows;
        assert_true(fabs(clv_batch_cost_us(&b, rows) - right) < 0.2 * right);
    }
    clv_batch before = b; /* nonsense changes nothing */
    clv_batch_saw(&b, 0, 5);
    clv_batch_saw(&b, 3, NAN);
    clv_batch_saw(&b, 3, -1);
    assert_memory_equal(&b, &before, sizeof b);
}

/* Serve n requests in batches of every size and look when each is answered. */
static size_t best_size(double once_us, double each_us, size_t n, size_t max)
{
    size_t best = 1;
    double least = INFINITY;
    for (size_t size = 1; size <= max && size <= n; size++) {
        double answered[64], at = 0, sum = 0;
        for (size_t done = 0; done < n; done += size) {
            size_t now = CLV_MIN(size, n - done);
            at += once_us + each_us * (double)now;
            for (size_t i = 0; i < now; i++) answered[done + i] = at;
        }
        for (size_t i = 0; i < n; i++) sum += answered[i];
        if (sum < least * (1 - 1e-12)) {
            least = sum;
            best = size;
        }
    }
    return best;
}

static void chooses_the_least_mean_time(void **state)
{
    (void)state;
    clv_rng rng = clv_rng_seeded(2);
    for (int i = 0; i < 3000; i++) {
        double each = 1 + clv_rng_unit(&rng) * 1000, once = each * 10 * clv_rng_unit(&rng);
        size_t n = 2 + clv_rng_below(&rng, 60), max = 2 + clv_rng_below(&rng, 30);
        clv_batch b = learnt(once, each);
        assert_int_equal(clv_batch_choose(&b, 1, n, INT64_MAX, max), best_size(once, each, n, max));
    }
    clv_batch heavy = learnt(1, 1000), light = learnt(1000, 1);
    assert_int_equal(clv_batch_choose(&heavy, 1, 8, INT64_MAX, 8), 1);
    assert_int_equal(clv_batch_choose(&light, 1, 8, INT64_MAX, 8), 8);
}

static void never_waits_and_keeps_the_limits(void **state)
{
    (void)state;
    clv_batch b = learnt(1000, 10);
    assert_int_equal(clv_batch_choose(&b, 1, 1, INT64_MAX, 8), 1);
    assert_int_equal(clv_batch_choose(&b, 1, 5, INT64_MAX, 8), 5);
    assert_int_equal(clv_batch_choose(&b, 1, 500, INT64_MAX, 500), CLV_BATCH_MAX);
    assert_int_equal(clv_batch_choose(&b, 1, 500, INT64_MAX, 1), 1);
    assert_int_equal(clv_batch_choose(&b, 1, 8, 1035, 8), 3); /* 1,000 + 3 * 10 is in time */
    assert_int_equal(clv_batch_choose(&b, 1, 8, 5, 8), 1);
    clv_batch nothing = {0};
    assert_int_equal(clv_batch_choose(&nothing, 1, 8, INT64_MAX, 8), 1);
}

static void tries_two_until_it_knows_and_now_and_then(void **state)
{
    (void)state;
    clv_batch b = {0};
    clv_batch_saw(&b, 1, 100);
    assert_int_equal(clv_batch_choose(&b, 1, 8, INT64_MAX, 8), 2);
    clv_batch_saw(&b, 2, 200); /* no gain */
    int tried = 0;
    for (int i = 0; i < 10 * CLV_BATCH_TRY_EVERY; i++)
        tried += clv_batch_choose(&b, 1, 8, INT64_MAX, 8) == 2;
    assert_in_range(tried, 9, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_both_costs),
        cmocka_unit_test(chooses_the_least_mean_time),
        cmocka_unit_test(never_waits_and_keeps_the_limits),
        cmocka_unit_test(tries_two_until_it_knows_and_now_and_then),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
