#include "diamond.h"
#include "plan/plan.h"
#include "plan/tables.h"

#include <stdlib.h>

static const clv_link slow = {
    .up_bytes_per_s = 1e3, .down_bytes_per_s = 1e6, .rtt_us = 10, .up = true};

typedef struct pair {
    net n;
    clv_profile *edge, *cloud;
} pair;

static pair make_pair(void)
{
    pair p = {.n = diamond()};
    p.edge = profile_of(&p.n, "edge", 10);
    p.cloud = profile_of(&p.n, "cloud", 1);
    return p;
}

static void pair_done(pair *p)
{
    clv_profile_free(p->edge);
    clv_profile_free(p->cloud);
    net_done(&p->n);
}

/* A share of the raw bytes everywhere. */
static clv_profile_codec *measure(const pair *p, clv_profile *profile, const char *name,
                                  double share)
{
    clv_profile_codec *c = clv_profile_codec_add(profile, name);
    c->encode_us_per_mb = 200.4;
    c->decode_us_per_mb = 100;
    for (size_t i = 0; i + 1 < p->n.cuts->n; i++)
        c->cut_bytes[i] = share * (double)p->n.cuts->items[i].bytes;
    return c;
}

static void costs(const pair *p, clv_profile_codec *c, double drop)
{
    c->cut_drop = clv_alloc_array(p->n.cuts->n, sizeof *c->cut_drop);
    for (size_t i = 0; i < p->n.cuts->n; i++) c->cut_drop[i] = drop;
}

static clv_plan_tables *tables(const pair *p, const char *codecs, double points)
{
    clv_error err = {0};
    clv_plan_tables *t = NULL;
    clv_plan_sources from = {.graph = p->n.g,
                             .cuts = p->n.cuts,
                             .profiles = {p->edge, p->cloud},
                             .links = {slow},
                             .n_devices = 2};
    assert_ok(clv_plan_offer_parse(codecs, points, &from.offer, &err), err);
    assert_ok(clv_plan_tables_new(&from, &t, &err), err);
    assert_ok(clv_plan_problem_check(&t->problem, &err), err);
    return t;
}

static const clv_plan_codec *find(const clv_plan_tables *t, const char *name)
{
    for (size_t i = 0; i < t->problem.n_codecs; i++) {
        const clv_plan_codec *c = &t->problem.codecs[i];
        assert_string_equal(c->name, clv_codec_show(t->named[i]).s);
        if (strcmp(c->name, name) == 0) return c;
    }
    return NULL;
}

static void measurements_become_whole_numbers(void **state)
{
    (void)state;
    pair p = make_pair();
    clv_profile_codec *zstd = measure(&p, p.edge, "raw+zstd", 0.6);
    measure(&p, p.cloud, "raw+zstd", 0)->encode_us_per_mb = 50.25;
    zstd->cut_bytes[2] = 0; /* not measured there, by anybody */
    clv_plan_tables *t = tables(&p, "auto", 0.1);
    assert_int_equal(t->problem.n_codecs, 2);
    assert_string_equal(t->problem.codecs[0].name, "raw");
    const clv_plan_codec *c = find(t, "raw+zstd");
    assert_int_equal(c->encode_ps_per_byte[0], 201);
    assert_int_equal(c->encode_ps_per_byte[1], 51);
    assert_int_equal(c->decode_ps_per_byte[1], 100);
    assert_null(c->cut_drop_ppm);
    for (size_t i = 0; i + 1 < p.n.cuts->n; i++) {
        int64_t raw = (int64_t)p.n.cuts->items[i].bytes, want = (6 * raw + 9) / 10;
        assert_true(i == 2 ? c->cut_bytes[i] == CLV_PLAN_UNKNOWN
                           : c->cut_bytes[i] >= want && c->cut_bytes[i] <= want + 1);
    }
    assert_in_range(c->bytes_per_kib, 615, 1024);
    assert_int_equal(t->problem.limits.drop_ppm, 1000);
    clv_plan_tables_free(t);
    pair_done(&p);
}

static void a_codec_needs_times_of_both_devices(void **state)
{
    (void)state;
    pair p = make_pair();
    measure(&p, p.edge, "f16", 0.5);
    clv_plan_tables *t = tables(&p, "auto", 0.1);
    assert_null(find(t, "f16"));
    clv_plan_tables_free(t);
    measure(&p, p.cloud, "f16", 0); /* times only */
    t = tables(&p, "auto", 0.1);
    assert_non_null(find(t, "f16"));
    clv_plan_tables_free(t);
    t = tables(&p, "raw,raw+lz4", 0.1); /* not asked for */
    assert_null(find(t, "f16"));
    assert_int_equal(t->problem.n_codecs, 1);
    assert_true(t->problem.limits.drop_ppm == CLV_PLAN_NO_LIMIT);
    clv_plan_tables_free(t);
    pair_done(&p);
}

static void without_data_no_codec_costs_accuracy(void **state)
{
    (void)state;
    pair p = make_pair();
    static const char *const names[] = {"raw+zstd", "f16", "q8", "q4+zstd"};
    for (size_t i = 0; i < CLV_COUNT(names); i++) {
        measure(&p, p.edge, names[i], 0.5);
        measure(&p, p.cloud, names[i], 0.5);
    }
    clv_plan_tables *t = tables(&p, "auto", 0.1);
    assert_int_equal(t->problem.n_codecs, 3);
    assert_null(find(t, "q8"));
    clv_plan_tables_free(t);
    t = tables(&p, "auto", 100); /* whatever it costs */
    assert_int_equal(t->problem.n_codecs, 5);
    assert_null(find(t, "q8")->cut_drop_ppm);
    clv_plan_tables_free(t);
    costs(&p, clv_profile_codec_find(p.cloud, "q8"), 0.0004001); /* the cloud has data */
    t = tables(&p, "auto", 0.1);
    assert_int_equal(t->problem.n_codecs, 4);
    assert_int_equal(find(t, "q8")->cut_drop_ppm[0], 401);
    clv_plan_tables_free(t);
    pair_done(&p);
}

/* Who names a codec that cannot be used is told which and why; "auto" names none. */
static void what_is_named_and_left_out_is_known(void **state)
{
    (void)state;
    pair p = make_pair();
    static const char *const names[] = {"f16", "q8", "q4"};
    const uint32_t f16 = 1U << clv_codec_index((clv_codec){CLV_QUANT_F16, CLV_PACK_NONE}),
                   q8 = 1U << clv_codec_index((clv_codec){CLV_QUANT_Q8, CLV_PACK_NONE}),
                   q4 = 1U << clv_codec_index((clv_codec){CLV_QUANT_Q4, CLV_PACK_NONE});
    for (size_t i = 0; i < CLV_COUNT(names); i++) measure(&p, p.edge, names[i], 0.5);
    for (size_t i = 1; i < CLV_COUNT(names); i++) measure(&p, p.cloud, names[i], 0.5);
    clv_plan_tables *t = tables(&p, "auto", 0.1);
    assert_int_equal(t->left_out.unmeasured | t->left_out.untimed, 0);
    clv_plan_tables_free(t);
    t = tables(&p, "raw,f16,q8,q4", 0.1);
    assert_int_equal(t->left_out.untimed, f16); /* by the edge alone */
    assert_int_equal(t->left_out.unmeasured, q8 | q4);
    clv_plan_tables_free(t);
    costs(&p, clv_profile_codec_find(p.edge, "q8"), 0.0001);
    t = tables(&p, "q8,q4", 0.1);
    assert_int_equal(t->left_out.unmeasured, q4);
    assert_int_equal(t->left_out.untimed, 0);
    clv_plan_tables_free(t);
    t = tables(&p, "q8,q4", 100);
    assert_int_equal(t->left_out.unmeasured | t->left_out.untimed, 0);
    clv_plan_tables_free(t);
    pair_done(&p);
}

/* On a link that makes bytes dear, the input goes in the codec that makes it small: cut 0 is a
 * candidate like any other. */
static void the_compressed_input_is_a_candidate(void **state)
{
    (void)state;
    pair p = make_pair();
    measure(&p, p.edge, "raw+zstd", 0)->cut_bytes[0] = 1; /* of the others nothing is known */
    measure(&p, p.cloud, "raw+zstd", 0);
    for (size_t i = 1; i < p.edge->n_cuts; i++) p.edge->cuts[i].prefix.us *= 1e4;
    clv_plan_tables *t = tables(&p, "auto", 0.1);
    clv_plan plan;
    clv_error err = {0};
    assert_int_equal(find(t, "raw+zstd")->cut_bytes[0], 1);
    assert_ok(clv_plan_solve(&t->problem, &plan, &err), err);
    assert_int_equal(plan.chain.cut[0], 0);
    assert_int_equal(plan.chain.codec[0], 1);
    clv_plan_done(&plan);
    clv_plan_tables_free(t);
    pair_done(&p);
}

static void the_profile_with_data_says_the_bytes(void **state)
{
    (void)state;
    pair p = make_pair();
    measure(&p, p.edge, "f16", 0.9);
    costs(&p, measure(&p, p.cloud, "f16", 0.5), 0.01);
    clv_plan_tables *t = tables(&p, "auto", 0.1);
    const clv_plan_codec *c = find(t, "f16");
    assert_true(c->cut_bytes[0] <= (int64_t)p.n.cuts->items[0].bytes / 2 + 1);
    assert_int_equal(c->cut_drop_ppm[0], 10000);
    clv_plan plan;
    clv_error err = {0};
    assert_ok(clv_plan_solve(&t->problem, &plan, &err), err);
    assert_int_equal(plan.cost.total.drop_ppm, 0); /* a whole point is too much */
    clv_plan_done(&plan);
    t->problem.limits.drop_ppm = 10000;
    assert_ok(clv_plan_solve(&t->problem, &plan, &err), err);
    assert_true(plan.cost.total.drop_ppm == 0 || plan.cost.total.drop_ppm == 10000);
    clv_plan_done(&plan);
    clv_plan_tables_free(t);
    pair_done(&p);
}

/* The cloud lists two cuts the other way round: what it measured is found by the tensors. */
static void cuts_meet_by_their_tensors(void **state)
{
    (void)state;
    pair p = make_pair();
    measure(&p, p.edge, "f16", 0);
    clv_profile_codec *c = measure(&p, p.cloud, "f16", 0);
    clv_profile_cut swapped = p.cloud->cuts[2];
    p.cloud->cuts[2] = p.cloud->cuts[3];
    p.cloud->cuts[3] = swapped;
    c->cut_bytes[2] = 333;
    c->cut_bytes[3] = 222;
    clv_plan_tables *t = tables(&p, "auto", 0.1);
    const clv_plan_codec *f16 = find(t, "f16");
    assert_int_equal(f16->cut_bytes[2], 222);
    assert_int_equal(f16->cut_bytes[3], 333);
    assert_int_equal(f16->cut_bytes[1], CLV_PLAN_UNKNOWN);
    clv_plan_tables_free(t);
    pair_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measurements_become_whole_numbers),
        cmocka_unit_test(a_codec_needs_times_of_both_devices),
        cmocka_unit_test(without_data_no_codec_costs_accuracy),
        cmocka_unit_test(what_is_named_and_left_out_is_known),
        cmocka_unit_test(the_compressed_input_is_a_candidate),
        cmocka_unit_test(the_profile_with_data_says_the_bytes),
        cmocka_unit_test(cuts_meet_by_their_tensors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
