#include "cli/demo_contenders.h"
#include "plan/policy_problems.h"
#include "unit.h"

#include <string.h>

static const int64_t ten[] = {10, 10, 10, 10}, one[] = {1, 1, 1, 1};

/* Sums of the cuts: 0: 100+4, 1: 10+200+3, 2: 20+5+2 = 27, 3: 30+50+1, 4: 40; and a byte of the answer. */
static void chain(toy *t)
{
    toy_chain(t, 4, ten, one, (size_t[]){100, 200, 5, 50, 1});
}

static clv_demo_contenders find(const clv_plan_problem *p, clv_demo_wanted wanted)
{
    clv_error err = {0};
    clv_demo_contenders c;
    assert_ok(clv_demo_contenders_find(p, wanted, &c, &err), err);
    return c;
}

static const clv_demo_choice *choice_of(const clv_demo_contenders *c, const char *policy)
{
    for (size_t i = 0; i < c->n_choices; i++)
        if (strcmp(c->choices[i].policy, policy) == 0) return &c->choices[i];
    fail_msg("%s has no choice", policy);
    return NULL;
}

static void the_plan_comes_first_and_both_sides_are_in(void **state)
{
    (void)state;
    toy t;
    chain(&t);
    clv_demo_contenders c = find(&t.p, CLV_DEMO_RIVALS);
    assert_int_equal(c.items[0].cut, 2);
    assert_int_equal(c.last, 4);
    assert_int_equal(c.n, 3);
    assert_int_equal(c.items[0].cut, 2);
    assert_true(c.items[0].predicted_us == 0.028 && c.items[0].rival);
    assert_true(c.items[1].cut == 0 && c.items[2].cut == 4);
    assert_false(c.items[1].rival || c.items[2].rival);
    assert_int_equal(c.n_choices, 0);
    for (size_t i = 0; i < c.n; i++) assert_false(clv_demo_entrant_hopeless(&c, &c.items[i]));
    clv_demo_contenders_done(&c);
    toy_done(&t);
}

static void each_policy_has_its_cut(void **state)
{
    (void)state;
    toy t;
    chain(&t);
    clv_demo_contenders c = find(&t.p, CLV_DEMO_POLICIES);
    assert_int_equal(c.n_choices, CLV_POLICY_COUNT);
    assert_int_equal(c.items[choice_of(&c, "exact")->contender].cut, 2);
    assert_int_equal(c.items[choice_of(&c, "edge")->contender].cut, 4);
    assert_int_equal(c.items[choice_of(&c, "cloud")->contender].cut, 0);
    assert_true(choice_of(&c, "dads-dsl")->believed_us == 0.027);
    clv_demo_contenders_done(&c);
    c = find(&t.p, CLV_DEMO_LOAD);
    assert_int_equal(c.items[choice_of(&c, "exact-throughput")->contender].cut, 2);
    assert_int_equal(c.n_choices, 6);
    clv_demo_contenders_done(&c);
    t.p.hops[0].up = false;
    clv_error err = {0};
    assert_int_equal(clv_demo_contenders_find(&t.p, CLV_DEMO_POLICIES, &c, &err), CLV_EUNAVAIL);
    assert_non_null(strstr(err.text, "cloud"));
    toy_done(&t);
}

static void the_hopeless_is_not_measured_and_the_good_is_promoted(void **state)
{
    (void)state;
    toy t;
    toy_chain(&t, 4, ten, one, (size_t[]){1000, 200, 5, 50, 1});
    clv_demo_contenders c = find(&t.p, CLV_DEMO_POLICIES);
    clv_demo_entrant *cloud = &c.items[choice_of(&c, "cloud")->contender],
                     *edge = &c.items[choice_of(&c, "edge")->contender];
    assert_true(clv_demo_entrant_hopeless(&c, cloud));
    assert_false(clv_demo_entrant_hopeless(&c, edge));
    clv_demo_entrant_add(&c.items[0], 30);
    clv_demo_entrant_add(edge, 33);
    clv_demo_contenders_promote(&c);
    assert_true(edge->rival);
    assert_false(cloud->rival); /* nothing was measured: 0 is not its time */
    clv_demo_contenders_done(&c);
    toy_done(&t);
}

/* A codec is a contender where it is offered, keeps the limit on accuracy, and is near; both sides alone and the policies stay raw. */
static void codecs_are_contenders_of_their_own(void **state)
{
    (void)state;
    toy t;
    toy_chain(&t, 4, ten, one, (size_t[]){1000, 2000, 500, 5000, 1});
    const int64_t unknown = CLV_PLAN_UNKNOWN;
    int64_t bytes[] = {5, 6, unknown, 7, unknown}, tiny[] = {1, 1, 1, 1, unknown};
    int64_t dear[] = {900, 900, 900, 900, 0};
    const clv_plan_codec codecs[] = {
        clv_plan_raw,
        {.name = "q8+zstd", .cut_bytes = bytes, .bytes_per_kib = 1024},
        {.name = "q4", .cut_bytes = tiny, .bytes_per_kib = 1024, .cut_drop_ppm = dear}};
    t.p.codecs = codecs;
    t.p.n_codecs = CLV_COUNT(codecs);
    t.p.limits.drop_ppm = 800;
    clv_demo_contenders c = find(&t.p, CLV_DEMO_POLICIES);
    assert_int_equal(c.items[0].cut, 0);
    assert_string_equal(clv_codec_show(c.items[0].codec).s, "q8+zstd");
    size_t remotes = 0;
    for (size_t i = 0; i < c.n; i++) {
        remotes += c.items[i].cut == 0;
        assert_int_not_equal(c.items[i].codec.quant, CLV_QUANT_Q4);
        if (c.items[i].cut == 2 || c.items[i].cut == c.last)
            assert_string_equal(clv_codec_show(c.items[i].codec).s, "raw");
    }
    assert_int_equal(remotes, 2); /* in the codec, and raw */
    const clv_demo_entrant *cloud = &c.items[choice_of(&c, "cloud")->contender];
    assert_true(cloud->cut == 0 && clv_codec_index(cloud->codec) == 0);
    assert_int_equal(choice_of(&c, "exact")->contender, 0);
    clv_demo_contenders_done(&c);
    t.p.limits.drop_ppm = 900;
    c = find(&t.p, CLV_DEMO_RIVALS);
    assert_string_equal(clv_codec_show(c.items[0].codec).s, "q4");
    clv_demo_contenders_done(&c);
    toy_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plan_comes_first_and_both_sides_are_in),
        cmocka_unit_test(each_policy_has_its_cut),
        cmocka_unit_test(codecs_are_contenders_of_their_own),
        cmocka_unit_test(the_hopeless_is_not_measured_and_the_good_is_promoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
