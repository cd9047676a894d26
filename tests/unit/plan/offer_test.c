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
    assert_ok(clv_plan_offer_parse("raw", 0, &o, &err), err);
    assert_int_equal(o.codecs, 1);
    assert_int_equal(o.drop_ppm, 0);
    assert_ok(clv_plan_offer_parse("f16,q8+zstd", 100, &o, &err), err);
    assert_true(clv_plan_offer_has(&o, codec("f16")));
    assert_true(clv_plan_offer_has(&o, codec("q8+zstd")));
    assert_false(clv_plan_offer_has(&o, codec("q8")));
    assert_int_equal(o.drop_ppm, CLV_PLAN_NO_LIMIT);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
