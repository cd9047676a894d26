#include "plan/labels.h"
#include "problems.h"
#include "unit.h"

static clv_plan_problem problem_of(clv_plan_goal goal, int quantile_ppm)
{
    clv_plan_problem p = {.limits = clv_plan_no_limits};
    p.objective = (clv_plan_objective){.goal = goal, .quantile_ppm = quantile_ppm};
    return p;
}

static clv_label label_of(const clv_terms *t, int64_t ns, int64_t var_us2, int64_t bytes)
{
    clv_plan_amount a = {.ns = ns, .var_us2 = var_us2};
    clv_label l;
    clv_terms_toll(t, &a, bytes, 0, &l);
    return l;
}

static void offer(clv_labels *set, const clv_terms *t, int64_t ns, int64_t var_us2, int64_t bytes)
{
    clv_label l = label_of(t, ns, var_us2, bytes);
    clv_labels_offer(set, t, &l);
}

static void one_number_keeps_one_label(void **state)
{
    (void)state;
    clv_plan_problem p = problem_of(CLV_GOAL_LATENCY, 0);
    clv_terms t = clv_terms_of(&p);
    clv_labels set = {0};
    assert_int_equal(t.n_axes, 0);
    offer(&set, &t, 20, 0, 5);
    offer(&set, &t, 10, 9, 7); /* faster, whatever its variance and bytes */
    offer(&set, &t, 10, 0, 8); /* as fast, more bytes */
    assert_int_equal(set.n, 1);
    assert_int_equal(set.items[0].v[CLV_AXIS_VAR], 9);
    offer(&set, &t, 10, 0, 6);
    assert_int_equal(set.n, 1);
    assert_int_equal(set.items[0].v[CLV_AXIS_VAR], 0);
    clv_labels_done(&set);
}

static void a_quantile_keeps_what_may_yet_be_best(void **state)
{
    (void)state;
    clv_plan_problem p = problem_of(CLV_GOAL_LATENCY, 990000);
    clv_terms t = clv_terms_of(&p);
    clv_labels set = {0};
    offer(&set, &t, 10, 9, 0);
    offer(&set, &t, 20, 4, 0);
    offer(&set, &t, 30, 1, 0);
    assert_int_equal(set.n, 3);
    offer(&set, &t, 20, 5, 0); /* no better in anything */
    assert_int_equal(set.n, 3);
    offer(&set, &t, 15, 1, 0); /* beats two */
    assert_int_equal(set.n, 2);
    assert_false(set.thinned);
    clv_labels_done(&set);
}

static void each_limit_adds_its_number_once(void **state)
{
    (void)state;
    clv_plan_problem p = problem_of(CLV_GOAL_LATENCY, 0);
    p.limits.deadline_ns = 100;
    assert_int_equal(clv_terms_of(&p).n_axes, 0); /* the key itself */
    p.limits.energy_nj = p.limits.price_pm = 100;
    assert_int_equal(clv_terms_of(&p).n_axes, 2);
    p.objective.goal = CLV_GOAL_ENERGY;
    assert_int_equal(clv_terms_of(&p).n_axes, 2); /* time and price */
    p.objective.quantile_ppm = 990000;
    assert_int_equal(clv_terms_of(&p).n_axes, 3); /* and variance */
    p.objective.goal = CLV_GOAL_LATENCY;
    assert_int_equal(clv_terms_of(&p).n_axes, 4);
    p.objective.goal = CLV_GOAL_THROUGHPUT;
    assert_int_equal(clv_terms_of(&p).n_axes, 5); /* and work */
    assert_int_equal(clv_terms_within(&p, 100).n_axes, 5);
}

static void a_full_set_keeps_the_least_of_each_number(void **state)
{
    (void)state;
    enum { LABELS = 1000, MAX = 50 };
    clv_plan_problem p = problem_of(CLV_GOAL_LATENCY, 990000);
    clv_terms t = clv_terms_of(&p);
    clv_rng r = clv_rng_seeded(1);
    clv_labels set = {0};
    t.set_max = MAX;
    int64_t place[LABELS];
    for (int i = 0; i < LABELS; i++) place[i] = i;
    for (int i = LABELS - 1; i > 0; i--) {
        int64_t k = problem_below(&r, i + 1), held = place[i];
        place[i] = place[k];
        place[k] = held;
    }
    for (int i = 0; i < LABELS; i++) {
        offer(&set, &t, place[i], LABELS - place[i], 0);
        assert_true(set.n <= MAX);
        assert_int_equal(set.thinned, i >= MAX);
    }
    bool least_ns = false, least_var = false;
    for (size_t i = 0; i < set.n; i++) {
        least_ns |= set.items[i].v[CLV_AXIS_NS] == 0;
        least_var |= set.items[i].v[CLV_AXIS_VAR] == 1;
    }
    assert_true(least_ns && least_var);
    clv_labels_done(&set);
}

static void the_largest_numbers_fit_the_key(void **state)
{
    (void)state;
    clv_plan_problem p = problem_of(CLV_GOAL_WEIGHTED, 0);
    p.objective.second_weight = p.objective.joule_weight = p.objective.money_weight =
        CLV_PLAN_WEIGHT_MAX;
    clv_terms t = clv_terms_of(&p);
    clv_plan_amount a = {.ns = CLV_PLAN_NS_MAX, .nj = CLV_PART_MAX, .pm = CLV_PART_MAX};
    clv_label most, sum = {0};
    clv_terms_toll(&t, &a, INT64_MAX, 0, &most);
    for (int i = 0; i < 60; i++) clv_label_add(&sum, &most);
    assert_true(sum.key / 60 == most.key && most.key > 0);
    t = clv_terms_within(&p, 0);
    clv_terms_toll(&t, &a, INT64_MAX, 0, &most);
    sum = (clv_label){0};
    for (int i = 0; i < 60; i++) clv_label_add(&sum, &most);
    assert_true(sum.key / 60 == most.key && most.key > 0);
}

static void bytes_never_outweigh_the_objective(void **state)
{
    (void)state;
    clv_plan_problem p = problem_of(CLV_GOAL_LATENCY, 0);
    clv_terms t = clv_terms_of(&p);
    clv_label one = label_of(&t, 1, 0, 0), none = label_of(&t, 0, 0, INT64_MAX), sum = {0};
    for (int i = 0; i < 60; i++) clv_label_add(&sum, &none);
    assert_true(sum.key < one.key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_number_keeps_one_label),
        cmocka_unit_test(a_quantile_keeps_what_may_yet_be_best),
        cmocka_unit_test(each_limit_adds_its_number_once),
        cmocka_unit_test(a_full_set_keeps_the_least_of_each_number),
        cmocka_unit_test(the_largest_numbers_fit_the_key),
        cmocka_unit_test(bytes_never_outweigh_the_objective),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
