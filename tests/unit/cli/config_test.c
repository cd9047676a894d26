#include "unit.h"

#include "base/file.h"
#include "base/mem.h"
#include "cli/config.h"

#include <stdlib.h>
#include <string.h>

typedef struct options {
    const char *config, *models;
    int64_t patience_us, queue;
    bool push;
    clv_text_list mix;
} options;

static const clv_opt opts[] = {
    CLV_OPT(options, config, TEXT, "config", NULL, .letter = 'c', .help = "file"),
    CLV_OPT(options, models, TEXT, "models", "default", .help = "folder"),
    CLV_OPT(options, patience_us, DURATION, "patience", "1s", .help = "wait"),
    CLV_OPT(options, queue, INT, "queue", "7", .min = 1, .max = 9, .help = "length"),
    CLV_OPT(options, push, FLAG, "push", NULL, .help = "take models"),
    CLV_OPT(options, mix, LIST, "mix", "x,y", .help = "models"),
};
static const clv_cli_about about = {.usage = "test [options]"};

typedef struct rig {
    char *folder, *path;
    options o;
    clv_config config;
    clv_error err;
} rig;

static int start(void **state)
{
    rig *r = clv_alloc(sizeof *r);
    if (clv_dir_temp("config", &r->folder, NULL)) return 1;
    r->path = clv_path_join(r->folder, "c.yaml");
    *state = r;
    return 0;
}

static int stop(void **state)
{
    rig *r = *state;
    const clv_opt_set set = {opts, CLV_COUNT(opts), &r->o};
    clv_opt_done(&set, 1);
    clv_config_done(&r->config);
    clv_dir_remove(r->folder);
    free(r->folder);
    free(r->path);
    free(r);
    return 0;
}

/* As a command does: these flags (the file is --config), with this file. */
static clv_status begin(rig *r, const char *yaml, char *flag, char *value)
{
    static char config[] = "--config";
    char *argv[] = {config, r->path, flag, value, NULL};
    clv_args args = {.argv = argv, .argc = flag ? value ? 4 : 3 : 2};
    const clv_opt_set set = {opts, CLV_COUNT(opts), &r->o};
    bool help;
    assert_ok(clv_file_write(r->path, yaml, strlen(yaml), &r->err), r->err);
    return clv_config_begin(&r->config, &about, &set, 1, &r->o.config, &args, &help, &r->err);
}

static void expect_error(rig *r, const char *yaml, const char *part)
{
    assert_int_equal(begin(r, yaml, NULL, NULL), CLV_EUSAGE);
    if (!strstr(r->err.text, part)) fail_msg("'%s' lacks '%s'", r->err.text, part);
}

static void values_are_taken(void **state)
{
    rig *r = *state;
    assert_ok(begin(r, "# a comment\nmodels: /srv\npatience: 500ms\npush: true\nmix: [a, b]\n",
                    NULL, NULL),
              r->err);
    assert_string_equal(r->o.models, "/srv");
    assert_int_equal(r->o.patience_us, 500000);
    assert_int_equal(r->o.queue, 7);
    assert_true(r->o.push);
    assert_int_equal(r->o.mix.n, 2);
    assert_string_equal(r->o.mix.items[0], "a");
    assert_string_equal(r->o.mix.items[1], "b");
}

static void an_empty_file_sets_nothing(void **state)
{
    rig *r = *state;
    assert_ok(begin(r, "# nothing\n", NULL, NULL), r->err);
    assert_string_equal(r->o.models, "default");
    assert_int_equal(r->o.mix.n, 2);
}

static void flags_win(void **state)
{
    rig *r = *state;
    char flag[] = "--models", value[] = "/flag";
    assert_ok(begin(r, "models: /file\nqueue: 3\n", flag, value), r->err);
    assert_string_equal(r->o.models, "/flag");
    assert_int_equal(r->o.queue, 3);
}

static void a_list_flag_replaces_the_files(void **state)
{
    rig *r = *state;
    char flag[] = "--mix", value[] = "c";
    assert_ok(begin(r, "mix: [a, b]\n", flag, value), r->err);
    assert_int_equal(r->o.mix.n, 1);
    assert_string_equal(r->o.mix.items[0], "c");
}

static void an_unknown_key_has_its_line_and_a_neighbour(void **state)
{
    expect_error(*state, "models: /srv\nptience: 1s\n",
                 "c.yaml:2: unknown setting 'ptience', did you mean 'patience'?");
}
static void a_repeated_key_has_both_lines(void **state)
{
    expect_error(*state, "models: /a\nqueue: 2\nmodels: /b\n",
                 "c.yaml:3: 'models' stands here and in line 1");
}
static void a_bad_value_has_its_line(void **state)
{
    expect_error(*state, "\nqueue: 10\n", "c.yaml:2: queue: ");
}
static void a_list_for_a_plain_option_is_refused(void **state)
{
    expect_error(*state, "models: [a, b]\n", "c.yaml:1: 'models' wants a plain value");
}
static void a_map_is_no_value(void **state)
{
    expect_error(*state, "models:\n  a: b\n", "'models' wants a plain value");
}
static void a_nested_list_is_no_value(void **state)
{
    expect_error(*state, "mix: [[a]]\n", "'mix' wants a plain value");
}
static void a_list_is_no_configuration(void **state)
{
    expect_error(*state, "- a\n- b\n", "c.yaml:1: 'option: value' lines are right");
}
static void what_is_no_yaml_has_its_line(void **state)
{
    expect_error(*state, "models: /a\nqueue: [1\n", "c.yaml:3: ");
}
static void a_key_is_a_word(void **state)
{
    expect_error(*state, "[a]: b\n", "a key must be a plain word");
}

static void a_missing_file_is_named(void **state)
{
    rig *r = *state;
    const clv_opt_set set = {opts, CLV_COUNT(opts), &r->o};
    assert_int_equal(clv_config_read(&r->config, "/nowhere.yaml", &set, 1, &r->err), CLV_ENOTFOUND);
    assert_non_null(strstr(r->err.text, "/nowhere.yaml"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(values_are_taken),
        TEST(an_empty_file_sets_nothing),
        TEST(flags_win),
        TEST(a_list_flag_replaces_the_files),
        TEST(an_unknown_key_has_its_line_and_a_neighbour),
        TEST(a_repeated_key_has_both_lines),
        TEST(a_bad_value_has_its_line),
        TEST(a_list_for_a_plain_option_is_refused),
        TEST(a_map_is_no_value),
        TEST(a_nested_list_is_no_value),
        TEST(a_list_is_no_configuration),
        TEST(what_is_no_yaml_has_its_line),
        TEST(a_key_is_a_word),
        TEST(a_missing_file_is_named),
    };
#undef TEST
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
