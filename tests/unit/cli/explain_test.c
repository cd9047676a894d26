/* Prediction beside reality: which parts are shown, and what is said of them. */
#include "cli/explain.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

static const clv_prediction predicted = {
    .known = true,
    .us = {.edge_us = 10000, .link_us = 5000, .total_us = 15000},
    .sigma_us = {.edge_us = 100, .link_us = 1000, .total_us = 1005},
};
static const clv_timing happened = {
    .edge_us = 10200, .link_us = 8000, .decode_us = 30, .total_us = 18230};

static void parts_that_are_known_or_happened_are_shown(void **state)
{
    (void)state;
    clv_explain e = clv_explain_of(&predicted, &happened);
    assert_int_equal(e.n, 4);
    assert_string_equal(e.parts[0].name, "edge_us");
    assert_true(e.parts[0].within); /* exactly two sigmas */
    assert_string_equal(e.parts[1].name, "link_us");
    assert_false(e.parts[1].within);
    assert_string_equal(e.parts[2].name, "decode_us");
    assert_int_equal(e.parts[2].predicted_us, 0);
    assert_string_equal(e.parts[3].name, "total_us");
    assert_int_equal(clv_explain_of(&(clv_prediction){0}, &happened).n, 0);
}

static void the_table_says_how_far_off(void **state)
{
    (void)state;
    clv_explain e = clv_explain_of(&predicted, &happened);
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    clv_explain_print(&e, f);
    fclose(f);
    assert_non_null(strstr(text, "10.0 ms"));
    assert_non_null(strstr(text, "+2 %"));
    assert_non_null(strstr(text, "2.00 ms")); /* two sigmas of the link */
    assert_non_null(strstr(text, "+60 %"));
    assert_non_null(strstr(text, "not predicted"));
    free(text);
}

static void json_has_the_same(void **state)
{
    (void)state;
    clv_explain e = clv_explain_of(&predicted, &happened);
    json_t *list = clv_explain_json(&e);
    assert_int_equal(json_array_size(list), 4);
    json_t *link = json_array_get(list, 1), *decode = json_array_get(list, 2);
    assert_string_equal(json_string_value(json_object_get(link, "part")), "link");
    assert_int_equal(json_integer_value(json_object_get(link, "predicted_us")), 5000);
    assert_int_equal(json_integer_value(json_object_get(link, "sigma_us")), 1000);
    assert_int_equal(json_integer_value(json_object_get(link, "happened_us")), 8000);
    assert_true(json_is_false(json_object_get(link, "within")));
    assert_true(json_is_null(json_object_get(decode, "predicted_us")));
    json_decref(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_that_are_known_or_happened_are_shown),
        cmocka_unit_test(the_table_says_how_far_off),
        cmocka_unit_test(json_has_the_same),
    };
    return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
