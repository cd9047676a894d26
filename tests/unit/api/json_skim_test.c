/* The bulk leaves the document, the rest stays what it was. */
#include "api/json_skim.h"

#include "base/mem.h"
#include "unit.h"

#include <string.h>

static void expect(const char *text, const char *rest, size_t n, const char *const *spans)
{
    clv_json_skim s;
    clv_error err = {0};
    assert_ok(clv_json_skim_text(text, strlen(text), &s, &err), err);
    assert_string_equal(s.rest.data, rest);
    assert_int_equal(s.n_spans, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(s.spans[i].bytes, strlen(spans[i]));
        assert_memory_equal(s.spans[i].text, spans[i], s.spans[i].bytes);
    }
    clv_json_skim_done(&s);
}

static void data_of_inputs_is_taken(void **state)
{
    (void)state;
    static const char *const spans[] = {"[[1,2],[3,4]]", "[\"]\\\"\", \"[{\"]", "7"};
    expect("{\"inputs\":[{\"name\":\"x\",\"data\":[[1,2],[3,4]]},{\"data\" : [\"]\\\"\", \"[{\"],"
           "\"a\":1},{\"data\":7}],\"id\":\"data\"}",
           "{\"inputs\":[{\"name\":\"x\",\"data\":0},{\"data\" :1,\"a\":1},{\"data\":2}],"
           "\"id\":\"data\"}",
           3, spans);
}

static void data_elsewhere_stays(void **state)
{
    (void)state;
    static const char *const same[] = {"{\"outputs\":[{\"data\":[1]}]}",
                                       "{\"data\":[1],\"inputs\":[]}",
                                       "{\"inputs\":[{\"parameters\":{\"data\":[1]}}]}",
                                       "[{\"inputs\":[{\"data\":[1]}]}]",
                                       "{\"inputs\":{\"a\":{\"data\":[1]}}}",
                                       "{\"inputs\":[[{\"data\":[1]}]]}",
                                       "{\"inputs\":[1],\"outputs\":[{\"data\":[1]}]}",
                                       "{\"inputs\":[\"data\", \"x\"]}",
                                       "]]]}",
                                       "1"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) expect(same[i], same[i], 0, NULL);
}

static void lines_are_kept(void **state)
{
    (void)state;
    const char *text = "{\n\"inputs\":[\n{\"data\":\n[1,\n2],\n\"name\":5}]}";
    clv_json_skim s;
    clv_error err = {0};
    assert_ok(clv_json_skim_text(text, strlen(text), &s, &err), err);
    assert_int_equal(s.spans[0].line, 4);
    assert_string_equal(s.rest.data, "{\n\"inputs\":[\n{\"data\":0\n\n,\n\"name\":5}]}");
    clv_json_skim_done(&s);
}

static void what_does_not_end_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"{\n\"abc", "line 2: a string"},
        {"{\"inputs\":[{\"data\":[1,[2]", "array or object"},
        {"{\"inputs\":[{\"data\":[\"a\\", "a string"},
    };
    for (size_t i = 0; i < CLV_COUNT(cases); i++) {
        clv_json_skim s;
        clv_error err = {0};
        assert_int_equal(clv_json_skim_text(cases[i].text, strlen(cases[i].text), &s, &err),
                         CLV_EINVAL);
        if (!strstr(err.text, cases[i].part)) fail_msg("%s", err.text);
    }
}

static void limits_hold(void **state)
{
    (void)state;
    clv_json_skim s;
    clv_error err = {0};
    clv_buf big = {0};
    clv_buf_reserve(&big, CLV_JSON_REST_MAX + 1);
    memset(big.data, ' ', CLV_JSON_REST_MAX + 1);
    assert_ok(clv_json_skim_text(big.data, CLV_JSON_REST_MAX, &s, &err), err);
    clv_json_skim_done(&s);
    assert_int_equal(clv_json_skim_text(big.data, CLV_JSON_REST_MAX + 1, &s, &err), CLV_ELIMIT);
    clv_buf_text(&big, "{\"inputs\":[{");
    for (int i = 0; i <= CLV_JSON_SPANS_MAX; i++) {
        if (i == CLV_JSON_SPANS_MAX) {
            assert_ok(clv_json_skim_text(big.data, big.len, &s, &err), err);
            clv_json_skim_done(&s);
        }
        clv_buf_text(&big, "\"data\":[],");
    }
    assert_int_equal(clv_json_skim_text(big.data, big.len, &s, &err), CLV_ELIMIT);
    clv_buf_done(&big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_of_inputs_is_taken),
        cmocka_unit_test(data_elsewhere_stays),
        cmocka_unit_test(lines_are_kept),
        cmocka_unit_test(what_does_not_end_is_named),
        cmocka_unit_test(limits_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
