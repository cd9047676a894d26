#include "repo/locate.h"

#include "base/file.h"
#include "base/mem.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static char *dir;

static void touch(const char *name)
{
    clv_error err = {0};
    char *path = clv_path_join(dir, name), *slash = strrchr(path, '/');
    char *folder = clv_strndup(path, (size_t)(slash - path));
    assert_ok(clv_dir_make(folder, &err), err);
    assert_ok(clv_file_write(path, "x", 1, &err), err);
    free(folder);
    free(path);
}

static int setup(void **state)
{
    (void)state;
    clv_error err = {0};
    if (clv_dir_temp("locate", &dir, &err)) return -1;
    touch("net.onnx");
    touch("repo/resnet/1/model.onnx");
    touch("repo/resnet/2/model.onnx");
    touch("repo/resnet/10/model.onnx");
    touch("repo/resnet/11/other.txt");
    touch("repo/resnet/012/model.onnx");
    touch("repo/resnet/v99/model.onnx");
    touch("plain/model.onnx");
    touch("repo/empty/readme");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    clv_dir_remove(dir);
    free(dir);
    return 0;
}

static void finds(const char *model, const char *repository, const char *file, const char *name,
                  int64_t version)
{
    char *path = clv_path_join(dir, model), *want = clv_path_join(dir, file);
    char *below = repository ? clv_path_join(dir, repository) : NULL;
    clv_located at;
    clv_error err = {0};
    assert_ok(clv_locate(below ? model : path, below, &at, &err), err);
    char *got = realpath(at.path, NULL), *real = realpath(want, NULL);
    assert_string_equal(got, real);
    assert_string_equal(at.name, name);
    assert_int_equal(at.version, version);
    clv_located_done(&at);
    free(got);
    free(real);
    free(path);
    free(want);
    free(below);
}

static void a_model_is_found_by_file_directory_and_name(void **state)
{
    (void)state;
    finds("net.onnx", NULL, "net.onnx", "net", 0);
    finds("repo/resnet", NULL, "repo/resnet/10/model.onnx", "resnet", 10);
    finds("repo/resnet/", NULL, "repo/resnet/10/model.onnx", "resnet", 10);
    finds("repo/resnet/2", NULL, "repo/resnet/2/model.onnx", "resnet", 2);
    finds("repo/resnet/2/model.onnx", NULL, "repo/resnet/2/model.onnx", "resnet", 2);
    finds("plain", NULL, "plain/model.onnx", "plain", 0);
    finds("resnet", "repo", "repo/resnet/10/model.onnx", "resnet", 10);
    finds("resnet/1", "repo", "repo/resnet/1/model.onnx", "resnet", 1);
}

static void what_is_not_there_is_named(void **state)
{
    (void)state;
    clv_located at = {0};
    clv_error err = {0};
    assert_int_equal(clv_locate("/nonexistent/net", NULL, &at, &err), CLV_ENOTFOUND);
    assert_non_null(strstr(err.text, "/nonexistent/net"));
    assert_non_null(strstr(err.text, "VERSION/model.onnx"));
    char *empty = clv_path_join(dir, "repo/empty");
    assert_int_equal(clv_locate(empty, NULL, &at, &err), CLV_ENOTFOUND);
    assert_non_null(strstr(err.text, "no version"));
    assert_null(at.path);
    free(empty);
}

static void a_repository_is_told_from_a_model(void **state)
{
    (void)state;
    clv_located at = {0};
    clv_error err = {0};
    CLV_AUTO(clv_text_free) char *repo = clv_path_join(dir, "repo");
    assert_int_equal(clv_locate(repo, NULL, &at, &err), CLV_ENOTFOUND);
    assert_non_null(strstr(err.text, "a repository of models"));
    assert_non_null(strstr(err.text, "/repo/resnet'"));
    assert_null(at.path);
}

static void versions_are_plain_numbers(void **state)
{
    (void)state;
    assert_int_equal(clv_version_parse("17"), 17);
    const char *none[] = {"", "0", "01", "-1", "1a", "v1", "9999999999999999999"};
    for (size_t i = 0; i < CLV_COUNT(none); i++) assert_int_equal(clv_version_parse(none[i]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_is_found_by_file_directory_and_name),
        cmocka_unit_test(what_is_not_there_is_named),
        cmocka_unit_test(a_repository_is_told_from_a_model),
        cmocka_unit_test(versions_are_plain_numbers),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
