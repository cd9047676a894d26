#include "unit.h"

#include "cli/demo_report.h"

#include <stdlib.h>
#include <string.h>

static const clv_demo_row row = {.network = "lenet",
                                 .link = "3g",
                                 .plan = "conv1",
                                 .best_cut = "conv2",
                                 .rounds = 9,
                                 .p50_us = 1500,
                                 .floor_us = 1000,
                                 .local_us = 3000,
                                 .cloud_us = 4500,
                                 .best_cut_us = 1250,
                                 .predicted_us = 1400.5,
                                 .regret = 0.2};

static void a_row_survives_its_json(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_demo_row back;
    char *text = clv_demo_row_json(&row);
    assert_null(strchr(text, '\n'));
    assert_ok(clv_demo_row_parse(text, &back, &err), err);
    assert_string_equal(back.network, row.network);
    assert_string_equal(back.link, row.link);
    assert_string_equal(back.plan, row.plan);
    assert_string_equal(back.best_cut, row.best_cut);
    assert_int_equal(back.rounds, row.rounds);
    assert_true(back.p50_us == row.p50_us && back.floor_us == row.floor_us);
    assert_true(back.local_us == row.local_us && back.cloud_us == row.cloud_us);
    assert_true(back.best_cut_us == row.best_cut_us && back.predicted_us == row.predicted_us);
    assert_true(back.regret > 0.1999999 && back.regret < 0.2000001);
    free(text);
}

static void what_was_written_is_shown_where_codecs_were_used(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_demo_row coded = row, back;
    coded.tensor_bytes = 3136;
    coded.coded_bytes = 468;
    char *text = clv_demo_row_json(&coded);
    assert_ok(clv_demo_row_parse(text, &back, &err), err);
    assert_true(back.tensor_bytes == 3136 && back.coded_bytes == 468);
    free(text);
    for (int k = 0; k < 2; k++) {
        clv_demo_rows rows = {0};
        size_t n;
        clv_demo_rows_add(&rows, &row);
        if (k) clv_demo_rows_add(&rows, &coded);
        FILE *out = open_memstream(&text, &n);
        clv_demo_print(out, &rows, 4, true, false);
        fclose(out);
        assert_int_equal(strstr(text, "468 B of 3.14 kB") != NULL, k);
        assert_int_equal(strstr(text, "sent") != NULL, k);
        free(text);
        clv_demo_rows_done(&rows);
    }
}

static void what_is_no_row_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "hello", "{}", "[1]", "{\"network\": \"a\"}", "{\"network\": 1, \"link\": 2}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        clv_demo_row out;
        clv_error err = {0};
        assert_int_equal(clv_demo_row_parse(bad[i], &out, &err), CLV_EPROTO);
        assert_non_null(strstr(err.text, "no row"));
    }
}

static clv_demo_row with_choices(void)
{
    clv_demo_row r = row;
    r.n_contenders = 2;
    r.contenders[0] = (clv_demo_contender){.label = "conv1",
                                           .predicted_us = 1400,
                                           .p50_us = 1500,
                                           .sigma_us = 20.5,
                                           .n = 18,
                                           .rival = true};
    r.contenders[1] = (clv_demo_contender){
        .label = "conv2", .predicted_us = 1300, .p50_us = 1200, .n = 18, .rival = true};
    r.n_choices = 2;
    r.choices[0] = (clv_demo_choice){.policy = "exact", .contender = 0};
    r.choices[1] = (clv_demo_choice){.policy = "qdmp", .contender = 1, .believed_us = 999.5};
    return r;
}

static void choices_survive_too(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_demo_row r = with_choices(), back;
    char *text = clv_demo_row_json(&r);
    assert_ok(clv_demo_row_parse(text, &back, &err), err);
    free(text);
    assert_int_equal(back.n_contenders, 2);
    assert_string_equal(back.contenders[1].label, "conv2");
    assert_true(back.contenders[0].sigma_us == 20.5 && back.contenders[0].rival);
    assert_int_equal(back.contenders[0].n, 18);
    assert_int_equal(back.n_choices, 2);
    assert_string_equal(back.choices[1].policy, "qdmp");
    assert_int_equal(back.choices[1].contender, 1);
    assert_true(back.choices[1].believed_us == 999.5);
    r.choices[1].contender = 2; /* there is none */
    text = clv_demo_row_json(&r);
    assert_ok(clv_demo_row_parse(text, &back, &err), err);
    free(text);
    assert_int_equal(back.n_choices, 1);
}

static char *print(bool emulated, bool json, size_t n)
{
    char *text;
    size_t bytes;
    clv_demo_rows rows = {0};
    for (size_t i = 0; i < n; i++) clv_demo_rows_add(&rows, &row);
    FILE *out = open_memstream(&text, &bytes);
    clv_demo_print(out, &rows, 4, emulated, json);
    fclose(out);
    clv_demo_rows_done(&rows);
    return text;
}

static void expect(const char *text, const char *part)
{
    if (!strstr(text, part)) fail_msg("'%s' is not in:\n%s", part, text);
}

static void the_table_shows_the_point(void **state)
{
    (void)state;
    char *text = print(true, false, 1);
    expect(text, "conv1");
    expect(text, "1.50 ms");
    expect(text, "20.0 %");
    expect(text, "2.00x"); /* 3000 alone on the edge against 1500 */
    expect(text, "4 times slower");
    assert_null(strstr(text, "No namespaces"));
    free(text);
    text = print(false, false, 1);
    expect(text, "No namespaces here");
    free(text);
}

static void energy_is_shown_where_it_is_known(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_demo_row r = with_choices(), back;
    char *text = clv_demo_row_json(&r);
    assert_null(strstr(text, "energy"));
    free(text);
    text = print(true, false, 1);
    assert_null(strstr(text, "energy"));
    free(text);
    r.energy_j = 0.0125;
    r.local_energy_j = 0.5;
    r.contenders[1].energy_j = 0.25;
    text = clv_demo_row_json(&r);
    assert_ok(clv_demo_row_parse(text, &back, &err), err);
    free(text);
    assert_true(back.energy_j == 0.0125 && back.local_energy_j == 0.5 && back.cloud_energy_j == 0);
    assert_true(back.contenders[0].energy_j == 0 && back.contenders[1].energy_j == 0.25);
    size_t bytes;
    clv_demo_rows rows = {.power = "given watts (an example: active=10W)"};
    r.n_choices = 0;
    clv_demo_rows_add(&rows, &r);
    FILE *out = open_memstream(&text, &bytes);
    clv_demo_print(out, &rows, 4, true, false);
    fclose(out);
    expect(text, "12.5 mJ");
    expect(text, "given watts (an example: active=10W)");
    free(text);
    clv_demo_rows_done(&rows);
}

static void each_policy_has_a_line(void **state)
{
    (void)state;
    char *text;
    size_t bytes;
    clv_demo_rows rows = {0};
    clv_demo_row r = with_choices();
    clv_demo_rows_add(&rows, &r);
    r.contenders[0].fps = 40;
    r.contenders[1].fps = 50;
    clv_demo_rows_add(&rows, &r);
    FILE *out = open_memstream(&text, &bytes);
    clv_demo_print(out, &rows, 4, true, false);
    fclose(out);
    clv_demo_rows_done(&rows);
    expect(text, "qdmp");
    expect(text, "25.0 %"); /* 1500 against 1200, and 40 a second against 50 */
    expect(text, "40.00");
    expect(text, "0.0 %");
    free(text);
}

static void the_document_has_all_rows(void **state)
{
    (void)state;
    char *text = print(false, true, 2);
    expect(text, "\"emulated\": false");
    expect(text, "\"slow\": 4.0");
    int rows = 0;
    for (const char *at = text; (at = strstr(at, "\"network\": \"lenet\"")); at++) rows++;
    assert_int_equal(rows, 2);
    free(text);
    text = print(true, true, 0);
    expect(text, "\"rows\": []");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_survives_its_json),
        cmocka_unit_test(choices_survive_too),
        cmocka_unit_test(energy_is_shown_where_it_is_known),
        cmocka_unit_test(each_policy_has_a_line),
        cmocka_unit_test(what_was_written_is_shown_where_codecs_were_used),
        cmocka_unit_test(what_is_no_row_is_refused),
        cmocka_unit_test(the_table_shows_the_point),
        cmocka_unit_test(the_document_has_all_rows),
    };
    return cmocka_run_group_tests_name("demo_report", tests, NULL, NULL);
}
