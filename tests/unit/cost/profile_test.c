#include "cost/profile.h"

#include "base/file.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define HEAD                                                                                       \
    "\"schema\":1,\"model\":\"m\",\"digest\":\"" DIGEST "\",\"device\":\"cpu\",\"engine\":\"e\","  \
    "\"threads\":1,\"slowdown\":1.0"
#define NO_TIME "{\"us\":0,\"sigma_us\":0,\"n\":0}"
#define TIME    "{\"us\":20.5,\"sigma_us\":0.25,\"n\":9}"
#define CUT0                                                                                       \
    "{\"label\":\"input\",\"live\":[\"x\"],\"up_bytes\":400,\"down_bytes\":40,\"prefix\":" NO_TIME \
    ",\"suffix\":" TIME "}"
#define CUT1                                                                                       \
    "{\"label\":\"output\",\"live\":[],\"up_bytes\":0,\"down_bytes\":0,\"prefix\":" TIME           \
    ",\"suffix\":" NO_TIME "}"
#define UNIT                                                                                       \
    "{\"name\":\"conv1\",\"op\":\"Conv+Relu\",\"shape\":\"[1,8,4,4]\",\"output_bytes\":512,"       \
    "\"macs\":123456789012,\"params\":80,\"us\":20.5}"
#define GOOD "{" HEAD ",\"cuts\":[" CUT0 "," CUT1 "],\"units\":[" UNIT "]}"

static clv_profile *parse(const char *text)
{
    clv_error err = {0};
    clv_profile *p = NULL;
    assert_ok(clv_profile_parse(text, strlen(text), &p, &err), err);
    return p;
}

static void text_becomes_the_value(void **state)
{
    (void)state;
    clv_profile *p = parse(GOOD);
    assert_string_equal(p->digest, DIGEST);
    assert_int_equal(p->n_cuts, 2);
    assert_string_equal(p->cuts[0].live[0], "x");
    assert_int_equal(p->cuts[0].up_bytes, 400);
    assert_float_equal(p->cuts[0].suffix.us, 20.5, 0);
    assert_float_equal(p->cuts[0].suffix.sigma_us, 0.25, 0);
    assert_int_equal(p->cuts[0].suffix.n, 9);
    assert_int_equal(p->units[0].macs, 123456789012);
    assert_true(clv_profile_has_prefix(p, 0) && clv_profile_has_suffix(p, 0));
    assert_true(clv_profile_has_prefix(p, 1) && clv_profile_has_suffix(p, 1));
    p->cuts[0].suffix.n = p->cuts[1].prefix.n = 0;
    assert_false(clv_profile_has_suffix(p, 0));
    assert_false(clv_profile_has_prefix(p, 1));
    clv_profile_free(p);
}

static void a_written_profile_reads_back_the_same(void **state)
{
    (void)state;
    clv_error err = {0};
    char *dir = NULL;
    assert_ok(clv_dir_temp("profile", &dir, &err), err);
    char *path = clv_path_join(dir, "p.json");
    clv_profile *first = parse(GOOD), *second = NULL;
    assert_ok(clv_profile_write(path, first, &err), err);
    assert_ok(clv_profile_read(path, &second, &err), err);
    char *a = clv_profile_json(first), *b = clv_profile_json(second);
    assert_string_equal(a, b);
    assert_string_equal(second->cuts[1].label, "output");
    free(a);
    free(b);
    clv_profile_free(first);
    clv_profile_free(second);
    clv_dir_remove(dir);
    free(path);
    free(dir);
}

/* GOOD with the first `from` replaced by `to` must fail, and the error must say `says`. */
static void refused(const char *from, const char *to, const char *says)
{
    const char *at = strstr(GOOD, from);
    assert_non_null(at);
    char *text = clv_format("%.*s%s%s", (int)(at - GOOD), GOOD, to, at + strlen(from));
    clv_error err = {0};
    clv_profile *p = NULL;
    if (clv_profile_parse(text, strlen(text), &p, &err) == CLV_OK) fail_msg("accepted: %s", text);
    if (!strstr(err.text, says)) fail_msg("'%s' does not say '%s'", err.text, says);
    assert_null(p);
    free(text);
}

static void every_wrong_field_is_named(void **state)
{
    (void)state;
    refused("\"schema\":1", "\"schema\":2", "schema 2, this program reads 1");
    refused("\"schema\":1", "\"scheme\":1", "schema");
    refused(DIGEST, "abc", "digest");
    refused("\"threads\":1", "\"threads\":-1", "'threads': -1");
    refused("\"slowdown\":1.0", "\"slowdown\":0", "slowdown");
    refused("\"us\":20.5", "\"us\":-1", "'cuts[0].suffix.us': -1");
    refused("\"us\":20.5", "\"us\":3.7e9", "cuts[0].suffix.us");
    refused("\"us\":20.5", "\"us\":\"fast\"", "must be a number");
    refused("\"n\":9", "\"n\":0", "cuts[0].suffix.n");
    refused("\"n\":9", "\"n\":1.5", "must be an integer");
    refused("\"up_bytes\":400", "\"up_bytes\":-4", "cuts[0].up_bytes");
    refused("\"live\":[\"x\"]", "\"live\":[7]", "cuts[0].live");
    refused("\"live\":[]", "\"live\":[\"y\"]", "cuts[1].live");
    refused("\"op\":\"Conv+Relu\"", "\"op\":null", "units[0].op");
    refused("," CUT1, "", "two cuts");
    refused("\"units\":[", "\"units\":[3,", "units[0]");
    refused("\"model\":\"m\"", "\"model\":\"m\",\"model\":\"n\"", "not JSON");
    refused("{", "[", "not JSON");
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_profile *p = NULL;
    assert_int_equal(clv_profile_read("/nonexistent/p.json", &p, &err), CLV_ENOTFOUND);
    assert_non_null(strstr(err.text, "/nonexistent/p.json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_becomes_the_value),
        cmocka_unit_test(a_written_profile_reads_back_the_same),
        cmocka_unit_test(every_wrong_field_is_named),
        cmocka_unit_test(a_missing_file_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
