#include "unit.h"

#include "base/file.h"
#include "base/mem.h"
#include "repo/repository.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *folder;

static int start(void **state)
{
    (void)state;
    return clv_dir_temp("repository", &folder, NULL);
}

static int stop(void **state)
{
    (void)state;
    clv_dir_remove(folder);
    free(folder);
    return 0;
}

static void put(const char *path)
{
    clv_error err = {0};
    char *full = clv_path_join(folder, path), *dir = clv_strdup(full);
    *strrchr(dir, '/') = 0;
    assert_ok(clv_dir_make(dir, &err), err);
    assert_ok(clv_file_write(full, "m", 1, &err), err);
    free(full);
    free(dir);
}

static void expect_scan(const char *expected)
{
    clv_error err = {0};
    clv_repository_entry *entries;
    size_t n;
    assert_ok(clv_repository_scan(folder, &entries, &n, &err), err);
    char text[1024] = "";
    for (size_t i = 0, at = 0; i < n; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s:%s=%s ", entries[i].name,
                               entries[i].version, entries[i].path + strlen(folder) + 1);
    assert_string_equal(text, expected);
    clv_repository_entries_free(entries, n);
}

static void an_empty_folder_has_no_models(void **state)
{
    (void)state;
    expect_scan("");
}

static void versions_are_sorted_as_numbers(void **state)
{
    (void)state;
    put("b/10/model.onnx");
    put("b/9/model.onnx");
    put("a/2/model.onnx");
    put("c.onnx");
    expect_scan("a:2=a/2/model.onnx b:9=b/9/model.onnx b:10=b/10/model.onnx c:1=c.onnx ");
}

static void what_is_no_model_is_passed_over(void **state)
{
    (void)state;
    put(".hidden/1/model.onnx");
    put(".incoming-x-1-7/model.onnx");
    put("a/0/model.onnx");
    put("a/01/model.onnx");
    put("a/one/model.onnx");
    put("a/1234567890/model.onnx");
    put("a/3/other.onnx");
    put("a/model.onnx");
    put("bad name/1/model.onnx");
    put("readme.txt");
    put(".onnx");
    expect_scan("");
}

static void a_folder_wins_over_a_file_of_its_name(void **state)
{
    (void)state;
    put("a.onnx");
    put("a/1/model.onnx");
    put("a/2/model.onnx");
    put("b.onnx/1/model.onnx"); /* a folder, whatever its name */
    expect_scan("a:1=a/1/model.onnx a:2=a/2/model.onnx b.onnx:1=b.onnx/1/model.onnx ");
}

static void a_missing_folder_is_named(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_repository_entry *entries;
    size_t n;
    assert_int_equal(clv_repository_scan("/nowhere/at/all", &entries, &n, &err), CLV_ENOTFOUND);
    assert_non_null(strstr(err.text, "model repository '/nowhere/at/all'"));
}

static void names_and_versions_are_checked(void **state)
{
    (void)state;
    char longest[CLV_MODEL_NAME_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[CLV_MODEL_NAME_MAX + 1] = 0;
    static const char *const bad_names[] = {"",    ".",    "..",       ".a",   "a/b", "../a",
                                            "a b", "a\nb", "\xc3\xa4", "a%2f", NULL};
    for (size_t i = 0; i < CLV_COUNT(bad_names); i++)
        assert_int_equal(clv_repository_check_name(bad_names[i], NULL), CLV_EINVAL);
    assert_int_equal(clv_repository_check_name(longest, NULL), CLV_EINVAL);
    longest[CLV_MODEL_NAME_MAX] = 0;
    assert_int_equal(clv_repository_check_name(longest, NULL), CLV_OK);
    assert_int_equal(clv_repository_check_name("Ab-9_x.y", NULL), CLV_OK);
    static const char *const bad_versions[] = {"",    "0",  "01",         "-1",
                                               "1.0", "1 ", "1234567890", NULL};
    for (size_t i = 0; i < CLV_COUNT(bad_versions); i++)
        assert_int_equal(clv_repository_check_version(bad_versions[i], NULL), CLV_EINVAL);
    assert_int_equal(clv_repository_check_version("999999999", NULL), CLV_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(an_empty_folder_has_no_models),   TEST(versions_are_sorted_as_numbers),
        TEST(what_is_no_model_is_passed_over), TEST(a_folder_wins_over_a_file_of_its_name),
        TEST(a_missing_folder_is_named),       TEST(names_and_versions_are_checked),
    };
#undef TEST
    return cmocka_run_group_tests_name("repository", tests, NULL, NULL);
}
