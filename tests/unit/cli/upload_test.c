/* In which codec the inputs of a question go: the smallest of those that may be used. */
#include "cli/upload.h"

#include "base/mem.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

enum { VALUES = 784 };

/* A picture: 256 greys, mostly black. */
static clv_tensors picture(void)
{
    clv_error err = {0};
    clv_tensor t;
    clv_tensors all = {0};
    assert_ok(clv_tensor_new(&t, "x", CLV_F32, clv_shape_of(4, 1, 1, 28, 28), &err), err);
    float *x = t.data;
    for (int i = 0; i < VALUES; i++) x[i] = i % 5 ? 0 : (float)(i * 37 % 256) / 255;
    clv_tensors_add(&all, t);
    return all;
}

static clv_profile_codec *tried(clv_profile *p, const char *name, double drop)
{
    clv_profile_codec *c = clv_profile_codec_add(p, name);
    c->cut_drop = clv_alloc_array(p->n_cuts, sizeof *c->cut_drop);
    c->cut_drop[0] = drop;
    c->cut_bytes[0] = 400;
    return c;
}

static clv_profile *profile(void)
{
    clv_profile *p = clv_alloc(sizeof *p);
    p->n_cuts = 3;
    p->cuts = clv_alloc_array(3, sizeof *p->cuts);
    return p;
}

/* The name of what is chosen. */
static clv_codec_text choose(const char *codecs, double points, const clv_profile *p,
                             clv_upload_choice *u)
{
    clv_error err = {0};
    clv_plan_offer offer;
    clv_tensors inputs = picture();
    assert_ok(clv_plan_offer_parse(codecs, points, &offer, &err), err);
    assert_ok(clv_upload_choose(&offer, p, &inputs, u, &err), err);
    assert_int_equal(u->raw_bytes, 4 * VALUES);
    assert_true(u->coded_bytes <= u->raw_bytes);
    clv_tensors_done(&inputs);
    return clv_codec_show(u->codec);
}

static void without_a_profile_there_are_lossless_ones_and_f16(void **state)
{
    (void)state;
    clv_upload_choice u;
    assert_string_equal(choose("raw", 0.1, NULL, &u).s, "raw");
    assert_int_equal(u.coded_bytes, u.raw_bytes);
    assert_string_equal(choose("auto", 0.1, NULL, &u).s, "f16+zstd");
    assert_int_equal(u.left_out.unmeasured, 0);
    assert_string_equal(choose("f16,q8", 0.1, NULL, &u).s, "f16");
    assert_int_equal(u.coded_bytes, 2 * VALUES + 12);
    assert_string_equal(choose("q8+zstd,q4", 0.1, NULL, &u).s, "raw");
    assert_int_equal(u.left_out.unmeasured,
                     1U << clv_codec_index((clv_codec){CLV_QUANT_Q8, CLV_PACK_ZSTD}) |
                         1U << clv_codec_index((clv_codec){CLV_QUANT_Q4, CLV_PACK_NONE}));
    assert_string_equal(choose("q8+zstd,q4", 100, NULL, &u).s, "q8+zstd");
    assert_int_equal(u.left_out.unmeasured, 0);
}

static void what_was_measured_may_be_used_within_the_limit(void **state)
{
    (void)state;
    clv_upload_choice u;
    clv_profile *p = profile();
    tried(p, "q8+zstd", 0.0005);
    tried(p, "q4+zstd", 0.005);
    assert_string_equal(choose("auto", 0.1, p, &u).s, "q8+zstd");
    assert_string_equal(choose("auto", 1, p, &u).s, "q4+zstd");
    assert_string_equal(choose("q4+zstd", 0.1, p, &u).s, "raw"); /* measured, and too dear */
    assert_int_equal(u.left_out.unmeasured, 0);
    tried(p, "q4", 0.0)->cut_bytes[0] = 0; /* at another cut only */
    assert_string_equal(choose("q4", 0.1, p, &u).s, "raw");
    assert_int_not_equal(u.left_out.unmeasured, 0);
    tried(p, "f16+zstd", 0.5); /* what has been measured is believed */
    assert_string_equal(choose("f16+zstd", 0.1, p, &u).s, "raw");
    clv_profile_free(p);
}

static void a_profile_is_asked_for_only_where_it_matters(void **state)
{
    (void)state;
    static const struct {
        const char *codecs;
        double points;
        bool needed;
    } rows[] = {{"raw", 0.1, false},    {"f16,raw+zstd", 0.1, false}, {"auto", 0.1, true},
                {"q8+zstd", 0.1, true}, {"q8+zstd", 100, false},      {"auto", 100, false}};
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        clv_error err = {0};
        clv_plan_offer offer;
        assert_ok(clv_plan_offer_parse(rows[i].codecs, rows[i].points, &offer, &err), err);
        assert_int_equal(clv_upload_needs_profile(&offer), rows[i].needed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_profile_there_are_lossless_ones_and_f16),
        cmocka_unit_test(what_was_measured_may_be_used_within_the_limit),
        cmocka_unit_test(a_profile_is_asked_for_only_where_it_matters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
