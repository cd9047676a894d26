#include "plan/plan.h"

#include "base/mem.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

/* A profile whose cuts are the given live sets: names joined by '+', "" for the last. */
static clv_profile *profile(const char *digest, const char *const *cuts, size_t n, double us)
{
    clv_profile *p = clv_alloc(sizeof *p);
    memcpy(p->digest, digest, strlen(digest) + 1);
    p->cuts = clv_alloc_array(n, sizeof *p->cuts);
    p->n_cuts = n;
    for (size_t i = 0; i < n; i++) {
        clv_profile_cut *c = &p->cuts[i];
        c->label = clv_strdup(cuts[i]);
        c->live = clv_alloc_array(4, sizeof *c->live);
        for (const char *at = cuts[i]; *at;) {
            size_t len = strcspn(at, "+");
            c->live[c->n_live++] = clv_strndup(at, len);
            at += len + (at[len] == '+');
        }
        c->up_bytes = 10 * c->n_live;
        c->prefix = (clv_time){us * (double)i, 0, i ? 5 : 0};
        c->suffix = (clv_time){us * (double)(n - 1 - i), 0, i + 1 < n ? 5 : 0};
    }
    return p;
}

static const clv_link wifi = {
    .up_bytes_per_s = 1e6, .down_bytes_per_s = 1e6, .rtt_us = 1000, .up = true};

static void cuts_meet_by_their_tensors(void **state)
{
    (void)state;
    const char *at_edge[] = {"x", "a", "a+b", "c+d", "e", ""};
    const char *at_cloud[] = {"x", "b+a", "d+c", "f", ""};
    clv_profile *edge = profile("d", at_edge, 6, 1), *cloud = profile("d", at_cloud, 5, 100);
    clv_error err = {0};
    clv_plan_problem p;
    assert_ok(clv_plan_problem_join(edge, cloud, &wifi, &p, &err), err);
    assert_int_equal(p.n_cuts, 4); /* x, a+b, c+d and all-edge: a, e and f are not on both sides */
    assert_string_equal(p.cuts[1].label, "a+b");
    assert_int_equal(p.cuts[1].edge_index, 2);
    assert_int_equal(p.cuts[1].cloud_index, 1);
    assert_float_equal(p.cuts[1].edge_us, 2, 0);
    assert_float_equal(p.cuts[1].cloud_us, 300, 0);
    assert_int_equal(p.cuts[1].up_bytes, 20);
    assert_int_equal(p.cuts[3].edge_index, 5);
    assert_float_equal(p.cuts[3].cloud_us, 0, 0);
    clv_plan_problem_done(&p);
    clv_profile_free(edge);
    clv_profile_free(cloud);
}

static void what_was_not_measured_is_no_candidate(void **state)
{
    (void)state;
    const char *cuts[] = {"x", "a", "b", ""};
    clv_profile *edge = profile("d", cuts, 4, 1), *cloud = profile("d", cuts, 4, 1);
    edge->cuts[1].prefix.n = 0;
    cloud->cuts[2].suffix.n = 0;
    clv_error err = {0};
    clv_plan_problem p;
    assert_ok(clv_plan_problem_join(edge, cloud, &wifi, &p, &err), err);
    assert_int_equal(p.n_cuts, 2);
    clv_plan_problem_done(&p);
    edge->cuts[3].prefix.n = 0;
    assert_int_equal(clv_plan_problem_join(edge, cloud, &wifi, &p, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "edge"));
    edge->cuts[3].prefix.n = 1;
    cloud->cuts[0].suffix.n = 0;
    assert_int_equal(clv_plan_problem_join(edge, cloud, &wifi, &p, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "cloud"));
    clv_profile_free(edge);
    clv_profile_free(cloud);
}

static void profiles_of_two_models_do_not_join(void **state)
{
    (void)state;
    const char *cuts[] = {"x", ""};
    clv_profile *edge = profile("abc", cuts, 2, 1), *cloud = profile("abd", cuts, 2, 1);
    clv_error err = {0};
    clv_plan_problem p;
    assert_int_equal(clv_plan_problem_join(edge, cloud, &wifi, &p, &err), CLV_EMISMATCH);
    assert_non_null(strstr(err.text, "abc"));
    assert_non_null(strstr(err.text, "abd"));
    clv_profile_free(edge);
    clv_profile_free(cloud);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_meet_by_their_tensors),
        cmocka_unit_test(what_was_not_measured_is_no_candidate),
        cmocka_unit_test(profiles_of_two_models_do_not_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
