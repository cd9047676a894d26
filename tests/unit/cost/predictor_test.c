/* Learning a known law: predictions near it, never below 0, and corrections that use what was seen. */
#include "cost/predictor.h"
#include "synthetic.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static clv_predictor *learn(double strength)
{
    clv_error err = {0};
    clv_predictor *p;
    clv_calibration *c = synthetic_calibration(10, strength);
    clv_predictor_settle(c, NULL, NULL);
    c->complete = true;
    assert_ok(clv_predictor_new(c, &p, &err), err);
    clv_calibration_free(c);
    return p;
}

static clv_predictor *quiet; /* learnt without moods, for all tests */

static int start(void **state)
{
    (void)state;
    quiet = learn(0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    clv_predictor_free(quiet);
    return 0;
}

static double error_of(const clv_predictor *p, int64_t side, int64_t channels, int64_t k)
{
    clv_unit_place place = {
        .features = synthetic_conv(side, channels, k), .inputs = 1, .beside_bytes = 1 << 20};
    return log(clv_predictor_unit(p, &place).us / synthetic_us(&place.features));
}

static void shapes_between_those_seen_are_near(void **state)
{
    (void)state;
    double sum = 0, worst = 0;
    int n = 0;
    for (int64_t side = 10; side <= 90; side += 16)
        for (int64_t c = 16; c <= 120; c += 24, n += 2) {
            double three = fabs(error_of(quiet, side, c, 3)),
                   five = fabs(error_of(quiet, side, c, 5));
            sum += three + five;
            worst = fmax(worst, fmax(three, five));
        }
    if (worst > 0.2 || sum / n > 0.05) fail_msg("mean %g, worst %g", sum / n, worst);
}

static void a_machine_s_moods_are_taken_out(void **state)
{
    (void)state;
    clv_predictor *p = learn(0.3); /* a quarter of the networks ran 35 % slower, one faster */
    double worst = 0;
    for (int64_t side = 10; side <= 90; side += 16)
        for (int64_t c = 16; c <= 120; c += 24) worst = fmax(worst, fabs(error_of(p, side, c, 3)));
    assert_true(worst < 0.15);
    clv_predictor_free(p);
}

/* Every other network has kernels of 5 alone and met a machine 35 % slower, which its rows cannot tell from what
 * such kernels take. How much longer those are predicted than they are, against those of 3. */
static double confused_by(bool reference)
{
    clv_error err = {0};
    clv_predictor *p;
    clv_calibration *c = synthetic_calibration(12, 0);
    for (size_t i = 0; i < c->n_networks; i++) {
        clv_calibration_network *n = &c->networks[i];
        double slower = i % 2 ? 1 : 1.35;
        n->n_segments = 0;
        n->reference_us = reference ? 2000 * slower : 0;
        for (size_t k = 0; k < n->n_rows; k++) {
            clv_unit_features *f = &n->rows[k].place.features;
            *f = synthetic_conv(f->in_h, f->in_channels, i % 2 ? 3 : 5);
            n->rows[k].us = synthetic_us(f) * slower;
        }
    }
    clv_predictor_settle(c, NULL, NULL);
    c->complete = true;
    assert_ok(clv_predictor_new(c, &p, &err), err);
    double sum = 0;
    for (int64_t side = 10; side <= 90; side += 16)
        sum += error_of(p, side, 64, 5) - error_of(p, side, 64, 3);
    clv_predictor_free(p);
    for (size_t i = 0; i < c->n_networks; i++) c->networks[i].n_segments = 1; /* to be freed */
    clv_calibration_free(c);
    return sum / 6;
}

static void the_reference_tells_a_mood_from_what_shapes_take(void **state)
{
    (void)state;
    double told = confused_by(true), untold = confused_by(false);
    if (fabs(told) > 0.08 || untold < 0.15)
        fail_msg("%g with the reference, %g without", told, untold);
}

/* A third of the rows has channels that fill no vectors, and takes twenty times the law. */
static void channels_that_fill_no_vectors_are_learnt_apart(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_predictor *p;
    clv_calibration *c = synthetic_calibration(12, 0);
    for (size_t i = 0; i < c->n_networks; i++) {
        clv_calibration_network *n = &c->networks[i];
        n->n_segments = 0;
        for (size_t k = 0; k < 4; k++) {
            clv_unit_features *f = &n->rows[k].place.features;
            *f = synthetic_conv(f->in_h, f->in_channels + 2, f->kernel_h);
            n->rows[k].us = 20 * synthetic_us(f);
        }
    }
    clv_predictor_settle(c, NULL, NULL);
    c->complete = true;
    assert_ok(clv_predictor_new(c, &p, &err), err);
    for (int64_t side = 10; side <= 90; side += 16) {
        double even = error_of(p, side, 64, 3), ragged = error_of(p, side, 66, 3) - log(20);
        if (fabs(even) > 0.15 || fabs(ragged) > 0.3)
            fail_msg("images of %d: %g where vectors are full, else %g", (int)side, even, ragged);
    }
    clv_predictor_free(p);
    for (size_t i = 0; i < c->n_networks; i++) c->networks[i].n_segments = 1; /* to be freed */
    clv_calibration_free(c);
}

/* Anything a model may hold: kinds never seen, sizes of 0 and beyond all sense. */
static void no_time_is_negative_or_wild(void **state)
{
    (void)state;
    clv_predictor *p = quiet;
    clv_rng rng = clv_rng_seeded(3);
    for (int i = 0; i < 2000; i++) {
        int64_t side = (int64_t)pow(10, 5 * clv_rng_unit(&rng)) - 1;
        clv_unit_place place = {.features =
                                    synthetic_conv(side, 1 + (int64_t)clv_rng_below(&rng, 4096), 3),
                                .inputs = (int)clv_rng_below(&rng, 100),
                                .beside_bytes = (int64_t)clv_rng_below(&rng, 1u << 30)};
        place.features.kind = (clv_unit_kind)clv_rng_below(&rng, CLV_UNIT_KIND_COUNT);
        clv_prediction t = clv_predictor_unit(p, &place);
        assert_true(isfinite(t.us) && t.us > 0 && isfinite(t.sigma_us) && t.sigma_us > 0);
        double law = synthetic_us(&place.features);
        assert_true(t.us < fmax(law, 2) * 40);
    }
}

static void far_away_the_interval_is_wide_and_time_still_grows(void **state)
{
    (void)state;
    clv_predictor *p = quiet;
    clv_unit_place near = {
        .features = synthetic_conv(40, 64, 3), .inputs = 1, .beside_bytes = 1 << 20};
    clv_unit_place far = near, further = near;
    far.features = synthetic_conv(300, 512, 3);
    further.features = synthetic_conv(1200, 512, 3);
    clv_prediction a = clv_predictor_unit(p, &near), b = clv_predictor_unit(p, &far),
                   c = clv_predictor_unit(p, &further);
    assert_true(b.sigma_us / b.us > 2 * a.sigma_us / a.us);
    if (c.us < 3 * b.us) fail_msg("%g us, then %g us", b.us, c.us);
}

static void an_interrupted_calibration_is_refused(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_predictor *p;
    clv_calibration *c = synthetic_calibration(4, 0);
    assert_int_equal(clv_predictor_new(c, &p, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "not complete"));
    clv_calibration_free(c);
}

/* ---- networks: a chain of six convolutions ---- */

enum { UNITS = 6 };

typedef struct net {
    clv_graph *graph;
    clv_cuts *cuts;
    clv_predictor *predictor;
} net;

static net make_net(void)
{
    clv_error err = {0};
    net n = {.graph = synthetic_chain(UNITS), .predictor = quiet};
    assert_ok(clv_graph_check(n.graph, &err), err);
    assert_ok(clv_cuts_enumerate(n.graph, CLV_CUTS_CAP, &n.cuts, &err), err);
    assert_int_equal(n.cuts->n, UNITS + 1);
    return n;
}

static void net_done(net *n)
{
    clv_cuts_free(n->cuts);
    clv_graph_free(n->graph);
}

static double law_prefix(const clv_graph *g, size_t cut)
{
    double us = 0;
    for (size_t u = 0; u < cut; u++) us += synthetic_us(&g->units[u].features);
    return us;
}

static void a_profile_is_whole_and_reads_back(void **state)
{
    (void)state;
    clv_error err = {0};
    net n = make_net();
    clv_profile *p, *again;
    assert_ok(clv_predictor_profile(n.predictor, n.graph, n.cuts, NULL, 0, &p, &err), err);
    assert_int_equal(p->n_cuts, UNITS + 1);
    assert_string_equal(p->engine, "synthetic, predicted");
    for (size_t i = 0; i < p->n_cuts; i++) {
        assert_true(clv_profile_has_prefix(p, i) && clv_profile_has_suffix(p, i));
        double law = law_prefix(n.graph, i);
        assert_true(fabs(p->cuts[i].prefix.us - law) <= 0.1 * law + 40);
        assert_true(i == 0 || p->cuts[i].prefix.sigma_us > 0);
    }
    memset(p->digest, 'a', CLV_DIGEST_TEXT - 1);
    char *text = clv_profile_json(p);
    assert_ok(clv_profile_parse(text, strlen(text), &again, &err), err);
    assert_int_equal(again->n_cuts, p->n_cuts);
    free(text);
    clv_profile_free(again);
    clv_profile_free(p);
    net_done(&n);
}

/* The device is a third slower than its calibration in the first half of the network, and as stated in the
 * rest. */
static void seen_prefixes_correct_each_part(void **state)
{
    (void)state;
    clv_error err = {0};
    net n = make_net();
    clv_profile *plain, *p;
    assert_ok(clv_predictor_profile(n.predictor, n.graph, n.cuts, NULL, 0, &plain, &err), err);
    double half = plain->cuts[3].prefix.us, whole = plain->cuts[UNITS].prefix.us;
    const double slow = 4.0 / 3;
    const clv_predictor_seen seen[] = {{UNITS, {slow * half + (whole - half), 0.1, 9}},
                                       {3, {slow * half, 0.1, 9}}};
    assert_ok(clv_predictor_profile(n.predictor, n.graph, n.cuts, seen, 2, &p, &err), err);
    assert_float_equal(p->cuts[3].prefix.us, slow * half, 1e-9);
    for (size_t i = 1; i <= 3; i++) {
        assert_true(fabs(p->cuts[i].prefix.us / (slow * plain->cuts[i].prefix.us) - 1) < 0.1);
        assert_true(p->cuts[i].prefix.sigma_us / p->cuts[i].prefix.us <
                    plain->cuts[i].prefix.sigma_us / plain->cuts[i].prefix.us);
    }
    for (size_t i = 3; i < UNITS; i++)
        assert_true(fabs(p->cuts[i].suffix.us / plain->cuts[i].suffix.us - 1) < 0.2);
    clv_profile_free(p);
    clv_profile_free(plain);
    net_done(&n);
}

static void the_whole_is_measured_first_and_nothing_twice(void **state)
{
    (void)state;
    net n = make_net();
    size_t at[UNITS + 4];
    for (size_t want = 1; want <= UNITS + 3; want++) {
        size_t got = clv_predictor_choose(n.predictor, n.graph, n.cuts, NULL, at, want);
        assert_true(got >= 1 && got <= want);
        assert_int_equal(at[0], n.cuts->n - 1);
        for (size_t i = 0; i < got; i++)
            for (size_t k = 0; k < i; k++) assert_true(at[i] > 0 && at[i] != at[k]);
        if (want == 5) assert_int_equal(got, 5);
    }
    const bool may[UNITS + 1] = {[2] = true, [4] = true, [UNITS] = true};
    size_t got = clv_predictor_choose(n.predictor, n.graph, n.cuts, may, at, 5);
    for (size_t i = 0; i < got; i++) assert_true(may[at[i]]);
    assert_int_equal(got, 3);
    net_done(&n);
}

static void settling_finds_the_border(void **state)
{
    (void)state;
    clv_calibration *c = synthetic_calibration(10, 0);
    clv_predictor_settle(c, NULL, NULL);
    assert_true(fabs(c->border.out_us - 30) < 3);
    clv_calibration_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_between_those_seen_are_near),
        cmocka_unit_test(a_machine_s_moods_are_taken_out),
        cmocka_unit_test(the_reference_tells_a_mood_from_what_shapes_take),
        cmocka_unit_test(channels_that_fill_no_vectors_are_learnt_apart),
        cmocka_unit_test(no_time_is_negative_or_wild),
        cmocka_unit_test(far_away_the_interval_is_wide_and_time_still_grows),
        cmocka_unit_test(an_interrupted_calibration_is_refused),
        cmocka_unit_test(a_profile_is_whole_and_reads_back),
        cmocka_unit_test(seen_prefixes_correct_each_part),
        cmocka_unit_test(the_whole_is_measured_first_and_nothing_twice),
        cmocka_unit_test(settling_finds_the_border),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
