#include "base/buf.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/text.h"
#include "unit.h"

#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct sample {
    bool json;
    clv_text_list nets;
} sample;

static const clv_opt sample_opts[] = {
    CLV_OPT(sample, json, FLAG, "json", NULL, .help = "print JSON"),
    CLV_OPT(sample, nets, LIST, "nets", "a,b", .help = "networks"),
};

static const clv_cli_about about = {
    .usage = "cleave sample [NAME]", .text = "A sample.", .positionals_max = 1};

static clv_status begin(const clv_cli_about *a, sample *s, bool *help, clv_error *err, int argc,
                        const char *const *words, int *left)
{
    char *argv[8] = {0};
    for (int i = 0; i < argc; i++) argv[i] = clv_strdup(words[i]);
    char *moved[8];
    memcpy(moved, argv, sizeof moved);
    clv_args args = {.argv = moved, .argc = argc};
    const clv_opt_set set = {sample_opts, CLV_COUNT(sample_opts), s};
    clv_status status = clv_cli_begin(a, &set, 1, &args, help, err);
    *left = args.argc;
    for (int i = 0; i < argc; i++) free(argv[i]);
    return status;
}

static void a_command_begins(void **state)
{
    (void)state;
    sample s = {0};
    bool help = true;
    int left = 0;
    clv_error err = {0};
    assert_ok(begin(&about, &s, &help, &err, 2, (const char *const[]){"x", "--json"}, &left), err);
    assert_true(!help && s.json && s.nets.n == 2 && left == 1);
    clv_text_list_done(&s.nets);
}

static void wrong_positionals_are_usage_errors(void **state)
{
    (void)state;
    sample s = {0};
    bool help = false;
    int left = 0;
    clv_error err = {0};
    clv_cli_about a = about;
    assert_int_equal(begin(&a, &s, &help, &err, 2, (const char *const[]){"x", "y"}, &left),
                     CLV_EUSAGE);
    assert_string_equal(err.text, "unexpected argument 'y'; usage: cleave sample [NAME]");
    assert_null(s.nets.items); /* freed already */
    a.stop_at_first = true;
    assert_ok(begin(&a, &s, &help, &err, 3, (const char *const[]){"x", "-y", "z"}, &left), err);
    assert_int_equal(left, 3);
    clv_text_list_done(&s.nets);
    a.positionals_min = 1;
    assert_int_equal(begin(&a, &s, &help, &err, 0, NULL, &left), CLV_EUSAGE);
    assert_string_equal(err.text, "an argument is missing; usage: cleave sample [NAME]");
}

static void text_has_columns(void **state)
{
    (void)state;
    assert_int_equal(clv_text_columns(""), 0);
    assert_int_equal(clv_text_columns("812 \u00b5s"), 6);
    assert_int_equal(clv_text_columns("e\u0301"), 1);      /* a combining accent */
    assert_int_equal(clv_text_columns("\u5206\u5272"), 4); /* wide */
    assert_int_equal(clv_text_columns("\xc2"), 1);         /* cut off in the middle */
    assert_int_equal(clv_text_columns("a\xff\xfe"), 3);
    assert_int_equal(clv_text_fit("\u5206\u5272", 3), 3);
    assert_int_equal(clv_text_fit("abc", 9), 3);
}

static const clv_column columns[] = {{"network", CLV_LEFT}, {"p50", CLV_RIGHT}, {"plan", CLV_LEFT}};

static clv_table *filled(void)
{
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    clv_table_cell(t, "%s", "lenet");
    clv_table_cell(t, "%s", "812 \u00b5s");
    clv_table_cell(t, "%s", "all on the edge");
    clv_table_cell(t, "%s", "mobilenet_v2");
    clv_table_cell(t, "%s", "12.3 ms");
    return t;
}

static void a_table_is_aligned_and_plain_in_a_file(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n = 0;
    FILE *out = tmpfile();
    clv_table *t = filled();
    clv_table_print(t, out);
    clv_table_free(t);
    rewind(out);
    assert_true(getdelim(&text, &n, 0, out) > 0);
    fclose(out);
    assert_string_equal(text, "network           p50  plan\n"
                              "lenet          812 \u00b5s  all on the edge\n"
                              "mobilenet_v2  12.3 ms\n");
    free(text);
}

/* What `draw` writes to a terminal of `width` columns. */
static char *on_terminal(unsigned short width, void (*draw)(FILE *out))
{
    int ours, theirs;
    struct winsize size = {.ws_row = 24, .ws_col = width};
    assert_int_equal(openpty(&ours, &theirs, NULL, NULL, &size), 0);
    FILE *out = fdopen(theirs, "w");
    draw(out);
    fputs("<end>", out);
    fflush(out);
    clv_buf text = {0};
    char chunk[256];
    while (!text.len || !strstr(text.data, "<end>")) { /* a terminal hands out pieces */
        ssize_t n = read(ours, chunk, sizeof chunk);
        assert_true(n > 0);
        clv_buf_add(&text, chunk, (size_t)n);
    }
    *strstr(text.data, "<end>") = 0;
    fclose(out);
    close(ours);
    return clv_buf_take(&text);
}

static void draw_table(FILE *out)
{
    clv_table *t = filled();
    clv_table_print(t, out);
    clv_table_free(t);
}

static void a_table_fits_its_terminal(void **state)
{
    (void)state;
    char *text = on_terminal(34, draw_table);
    assert_non_null(strstr(text, "lenet          812 \u00b5s  all on the\u2026\r\n"));
    free(text);
}

static void draw_progress(FILE *out)
{
    clv_progress *p = clv_progress_new_on(out, "profile", 4);
    clv_progress_show(p, 1, "%s", "a name that is much too long for this terminal");
    clv_progress_show(p, 2, "%s", "drawn too soon");
    clv_progress_free(p);
}

static void progress_is_one_line_that_goes_away(void **state)
{
    (void)state;
    char *text = on_terminal(24, draw_progress);
    assert_string_equal(text, "\rprofile   25%  a name t\033[K\r\033[K");
    free(text);
    FILE *out = tmpfile();
    draw_progress(out);
    assert_int_equal(ftell(out), 0); /* nothing where nobody watches */
    fclose(out);
    clv_progress_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_begins),
        cmocka_unit_test(wrong_positionals_are_usage_errors),
        cmocka_unit_test(text_has_columns),
        cmocka_unit_test(a_table_is_aligned_and_plain_in_a_file),
        cmocka_unit_test(a_table_fits_its_terminal),
        cmocka_unit_test(progress_is_one_line_that_goes_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
