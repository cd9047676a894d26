#include "cost/calibration.h"
#include "cost/predictor.h"
#include "synthetic.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static clv_calibration *settled(void)
{
    clv_calibration *c = synthetic_calibration(3, 0);
    clv_predictor_settle(c, NULL, NULL);
    c->complete = true;
    return c;
}

static void a_calibration_reads_back_as_it_was(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_calibration *c = settled(), *again;
    char *text = clv_calibration_json(c);
    assert_ok(clv_calibration_parse(text, strlen(text), &again, &err), err);
    char *second = clv_calibration_json(again);
    assert_string_equal(text, second);
    assert_int_equal(again->n_networks, 3);
    assert_int_equal(again->networks[2].n_rows, 12);
    assert_true(again->complete);
    assert_memory_equal(&again->networks[1].rows[4].place, &c->networks[1].rows[4].place,
                        sizeof c->networks[1].rows[4].place);
    assert_true(again->kinds[CLV_UNIT_CONV].known);
    assert_false(again->kinds[CLV_UNIT_SOFTMAX].known);
    free(text);
    free(second);
    clv_calibration_free(c);
    clv_calibration_free(again);
}

#define NETWORK "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void its_speed_is_that_of_no_mood(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_calibration *c = synthetic_calibration(4, 0), *again;
    clv_calibration_refer(c);
    assert_int_equal(c->reference.n, 0); /* no network has one */
    char *text = clv_calibration_json(c);
    assert_null(strstr(text, "reference"));
    free(text);
    snprintf(c->reference.network, sizeof c->reference.network, NETWORK);
    const double us[] = {3000, 2000, 8000, 0}, moods[] = {0.5, 0, 1, -2};
    for (int i = 0; i < 4; i++) {
        c->networks[i].reference_us = us[i];
        c->networks[i].mood = moods[i];
    }
    clv_calibration_refer(c); /* 1819.6, 2000, 2943; the fourth is not known */
    assert_int_equal(c->reference.n, 3);
    assert_float_equal(c->reference.us, 2000, 1e-9);
    assert_float_equal(c->reference.sigma_us, 1.4826 * (2000 - 3000 * exp(-0.5)), 1e-9);
    text = clv_calibration_json(c);
    assert_ok(clv_calibration_parse(text, strlen(text), &again, &err), err);
    assert_string_equal(again->reference.network, NETWORK);
    assert_float_equal(again->reference.us, 2000, 1e-3);
    assert_int_equal(again->reference.n, 3);
    assert_true(again->networks[2].reference_us == 8000 && again->networks[3].reference_us == 0);
    clv_predictor_settle(again, NULL, NULL); /* with the moods that it finds: none */
    assert_float_equal(again->reference.us, 3000, 1500);
    free(text);
    clv_calibration_free(again);
    clv_calibration_free(c);
}

/* The text with the first `from` replaced is refused, and the error says `why`. */
static void refused(const char *text, const char *from, const char *to, const char *why,
                    clv_status status)
{
    clv_calibration *out = NULL;
    const char *at = strstr(text, from);
    clv_error err = {0};
    assert_non_null(at);
    char *changed = clv_format("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    clv_status got = clv_calibration_parse(changed, strlen(changed), &out, &err);
    if (!strstr(err.text, why)) fail_msg("'%s' does not say '%s'", err.text, why);
    assert_int_equal(got, status);
    assert_null(out);
    free(changed);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    clv_calibration *c = settled();
    char *text = clv_calibration_json(c);
    refused(text, "\"calibration\":2", "\"calibration\":1", "schema 1, this program reads 2",
            CLV_EMISMATCH);
    refused(text, "\"calibration\":2,", "", "'calibration'", CLV_EINVAL);
    refused(text, "\"threads\":1", "\"threads\":-1", "'threads'", CLV_EINVAL);
    refused(text, "\"slowdown\":1.0", "\"slowdown\":0", "'slowdown'", CLV_EINVAL);
    refused(text, "\"kind\":\"conv\"", "\"kind\":\"convolution\"", "kind", CLV_EINVAL);
    refused(text, "\"after\":\"other\"", "\"after\":7", "networks[0].rows[0].after", CLV_EINVAL);
    refused(text, "\"us\":", "\"us\":-", "us'", CLV_EINVAL);
    refused(text, "\"us\":", "\"us\":1e300,\"was\":", "us'", CLV_EINVAL);
    refused(text, "\"noise\":", "\"noise\":-", "noise", CLV_EINVAL);
    refused(text, "\"cause_us\":[", "\"cause_us\":[-1,", "cause_us", CLV_ELIMIT);
    refused(text, "\"mood\":0", "\"mood\":99", "mood", CLV_EINVAL);
    refused(text, "\"rows\":[", "\"rows\":{},\"old\":[", "rows", CLV_EINVAL);
    refused(text, "\"has\":\"1", "\"has\":\"2", "segments[0].has", CLV_EINVAL);
    refused(text, "\"has\":\"1", "\"has\":\"", "segments[0].has", CLV_EINVAL);
    refused(text, "\"shared\":", "\"shared\":1e9,\"was\":", "shared", CLV_EINVAL);
    refused(text, "\"in_us_per_mb\":", "\"in_us_per_mb\":-1,\"was\":", "in_us_per_mb", CLV_EINVAL);
    refused(text, "\"complete\":true", "\"complete\":1", "complete", CLV_EINVAL);
    refused(text, "\"seed\":0", "\"seed\":0,\"reference_us\":-1", "networks[0].reference_us",
            CLV_EINVAL);
    refused(text, "\"seed\":0", "\"seed\":0,\"reference_us\":1e9", "networks[0].reference_us",
            CLV_EINVAL);
    refused(text, "\"complete\":", "\"reference\":[],\"complete\":", "'reference'", CLV_EINVAL);
    refused(text, "\"complete\":", "\"reference\":{\"network\":\"" NETWORK "\"},\"complete\":",
            "'reference.us'", CLV_EINVAL);
    free(text);
    clv_calibration_free(c);
}

static void truncated_files_are_refused(void **state)
{
    (void)state;
    clv_calibration *c = settled();
    char *text = clv_calibration_json(c);
    size_t n = strlen(text);
    for (size_t len = 0; len < n; len += 1 + n / 97) {
        clv_error err = {0};
        clv_calibration *out = NULL;
        assert_int_not_equal(clv_calibration_parse(text, len, &out, &err), CLV_OK);
        assert_null(out);
        assert_true(err.text[0] != 0);
    }
    free(text);
    clv_calibration_free(c);
}

static void one_byte_over_the_limit_is_refused(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_calibration *out = NULL;
    assert_int_equal(clv_calibration_parse("", CLV_CALIBRATION_FILE_MAX + 1, &out, &err),
                     CLV_ELIMIT);
    assert_int_equal(clv_calibration_parse("[]", 2, &out, &err), CLV_EINVAL);
    assert_int_equal(clv_calibration_read("/nowhere/at/all", &out, &err), CLV_ENOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_calibration_reads_back_as_it_was),
        cmocka_unit_test(its_speed_is_that_of_no_mood),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(truncated_files_are_refused),
        cmocka_unit_test(one_byte_over_the_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
