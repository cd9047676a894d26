#include "plan/offer.h"

#include "base/mem.h"
#include "unit.h"

#include <string.h>

static clv_codec codec(const char *name)
{
    clv_codec c;
    clv_error err = {0};
    assert_ok(clv_codec_parse(name, &c, &err), err);
    return c;
}

static void lists_are_read(void **state)
{
    (void)state;
    clv_plan_offer o;
    clv_error err = {0};
    assert_ok(clv_plan_offer_parse("auto", 0.1, &o, &err), err);
    for (size_t i = 0; i < CLV_CODECS; i++) assert_true(clv_plan_offer_has(&o, clv_codec_at(i)));
    assert_int_equal(o.drop_ppm, 1000);
    assert_int_equal(o.named, 0);
    assert_ok(clv_plan_offer_parse("raw", 0, &o, &err), err);
    assert_int_equal(o.codecs, 1);
    assert_int_equal(o.drop_ppm, 0);
    assert_ok(clv_plan_offer_parse("f16,q8+zstd", 100, &o, &err), err);
    assert_true(clv_plan_offer_has(&o, codec("f16")));
    assert_true(clv_plan_offer_has(&o, codec("q8+zstd")));
    assert_false(clv_plan_offer_has(&o, codec("q8")));
    assert_int_equal(o.drop_ppm, CLV_PLAN_NO_LIMIT);
    assert_int_equal(o.named, o.codecs);
}

static void what_is_left_out_is_named(void **state)
{
    (void)state;
    clv_plan_left_out l = {0};
    assert_null(clv_plan_left_out_text(&l, "lenet"));
    l.unmeasured = UINT32_C(1) << clv_codec_index(codec("q8+zstd"));
    l.unmeasured |= UINT32_C(1) << clv_codec_index(codec("q4"));
    CLV_AUTO(clv_text_free) char *text = clv_plan_left_out_text(&l, "lenet");
    assert_string_equal(text, "q8+zstd, q4 left out: the cost in accuracy for lenet is not "
                              "measured; cleave profile lenet --data DATA --keep measures it");
    l = (clv_plan_left_out){.untimed = UINT32_C(1) << clv_codec_index(codec("f16"))};
    CLV_AUTO(clv_text_free) char *other = clv_plan_left_out_text(&l, "lenet");
    assert_non_null(strstr(other, "f16 left out: the profiles of lenet do not have the times"));
}

static void what_is_no_list_is_named(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "q9", "f16,", ",f16", "q8,,q4", "f16 ", "auto,raw"};
    clv_plan_offer o = {.codecs = 77};
    for (size_t i = 0; i < CLV_COUNT(bad); i++) {
        clv_error err = {0};
        assert_int_equal(clv_plan_offer_parse(bad[i], 0.1, &o, &err), CLV_EINVAL);
        assert_true(strlen(err.text) > 5);
    }
    clv_error err = {0};
    assert_int_equal(clv_plan_offer_parse("raw", -0.1, &o, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "-0.1 points"));
    assert_int_equal(o.codecs, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_read),
        cmocka_unit_test(what_is_no_list_is_named),
        cmocka_unit_test(what_is_left_out_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
