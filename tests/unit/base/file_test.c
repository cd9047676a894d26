#include "base/file.h"
#include "unit.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_dir(void **state)
{
    char *dir = NULL;
    clv_error err = {0};
    if (clv_dir_temp("cleave-file-test", &dir, &err)) return -1;
    *state = dir;
    return 0;
}

static int drop_dir(void **state)
{
    clv_dir_remove(*state);
    int left = clv_file_exists(*state);
    free(*state);
    return left ? -1 : 0;
}

static void written_files_are_read_back(void **state)
{
    CLV_AUTO(clv_text_free) char *path = clv_path_join(*state, "a");
    clv_error err = {0};
    CLV_AUTO(clv_buf_done) clv_buf b = {0};
    clv_buf_text(&b, "before ");
    assert_ok(clv_file_write(path, "one\0two", 7, &err), err);
    assert_ok(clv_file_write(path, "new", 3, &err), err);
    assert_ok(clv_file_read(path, 100, &b, &err), err);
    assert_string_equal(b.data, "before new"); /* appended and terminated */
    clv_map map = {0};
    assert_ok(clv_map_open(path, &map, &err), err);
    assert_int_equal(map.bytes, 3);
    assert_memory_equal(map.data, "new", 3);
    clv_map_done(&map);
    clv_map_done(&map);
}

static void a_limit_holds_at_its_value(void **state)
{
    CLV_AUTO(clv_text_free) char *path = clv_path_join(*state, "b");
    clv_error err = {0};
    CLV_AUTO(clv_buf_done) clv_buf b = {0};
    assert_ok(clv_file_write(path, "12345", 5, &err), err);
    assert_ok(clv_file_read(path, 5, &b, &err), err);
    assert_int_equal(b.len, 5);
    assert_int_equal(clv_file_read(path, 4, &b, &err), CLV_ELIMIT);
    assert_non_null(strstr(err.text, path));
    assert_non_null(strstr(err.text, "limit of 4 bytes"));
    assert_int_equal(b.len, 5);
    assert_ok(clv_file_read(path, SIZE_MAX, &b, &err), err);
    /* A stream does not say its size: the limit is found by reading. */
    assert_int_equal(clv_file_read("/dev/zero", 100000, &b, &err), CLV_ELIMIT);
    assert_int_equal(b.len, 10);
}

static void failures_name_the_file(void **state)
{
    clv_error err = {0};
    clv_buf b = {0};
    clv_map map = {0};
    assert_int_equal(clv_file_read("/nonexistent/x", 9, &b, &err), CLV_ENOTFOUND);
    assert_string_equal(err.text, "'/nonexistent/x': No such file or directory");
    assert_int_equal(clv_map_open("/nonexistent/x", &map, &err), CLV_ENOTFOUND);
    assert_int_equal(clv_map_open(*state, &map, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "is a directory"));
    assert_int_equal(clv_map_open("/dev/null", &map, &err), CLV_EINVAL);
    assert_int_equal(clv_file_read(*state, 9, &b, &err), CLV_EINVAL);
    assert_int_equal(clv_file_write(*state, "", 0, &err), CLV_EINVAL);
    assert_int_equal(clv_file_write("/nonexistent/x", "", 0, &err), CLV_ENOTFOUND);
    assert_int_not_equal(clv_file_write("/dev/full", "x", 1, &err), CLV_OK);
    assert_non_null(strstr(err.text, "No space left"));
    assert_null(b.data);
}

static size_t entries(const char *dir)
{
    size_t n = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    while (readdir(d)) n++;
    closedir(d);
    return n - 2; /* "." and ".." */
}

/* A limit on the size of files stands for a full disk. */
static void a_failed_write_leaves_the_old_file_and_nothing_beside(void **state)
{
    CLV_AUTO(clv_text_free) char *dir = clv_path_join(*state, "sub/dir");
    CLV_AUTO(clv_text_free) char *path = clv_path_join(dir, "c");
    CLV_AUTO(clv_buf_done) clv_buf b = {0};
    clv_error err = {0};
    assert_ok(clv_dir_make(dir, &err), err);
    assert_ok(clv_dir_make(dir, &err), err);
    assert_ok(clv_file_write(path, "old", 3, &err), err);
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = 4, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    clv_status status = clv_file_write(path, "newer", 5, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, CLV_EIO);
    assert_non_null(strstr(err.text, "File too large"));
    assert_ok(clv_file_read(path, 9, &b, &err), err);
    assert_string_equal(b.data, "old");
    assert_int_equal(entries(dir), 1);
    assert_int_equal(clv_dir_make(path, &err), CLV_EEXIST);
    assert_non_null(strstr(err.text, "not a directory"));
}

static void links_and_devices_are_written_not_replaced(void **state)
{
    CLV_AUTO(clv_text_free) char *target = clv_path_join(*state, "target");
    CLV_AUTO(clv_text_free) char *path = clv_path_join(*state, "link");
    clv_error err = {0};
    struct stat st;
    assert_ok(clv_file_write(target, "old", 3, &err), err);
    assert_int_equal(symlink(target, path), 0);
    assert_ok(clv_file_write(path, "newer", 5, &err), err);
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat(target, &st), 0);
    assert_int_equal(st.st_size, 5);
    assert_ok(clv_file_write("/dev/null", "x", 1, &err), err);
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
}

static void removing_does_not_follow_links(void **state)
{
    CLV_AUTO(clv_text_free) char *kept = clv_path_join(*state, "kept");
    CLV_AUTO(clv_text_free) char *gone = clv_path_join(*state, "gone");
    CLV_AUTO(clv_text_free) char *file = clv_path_join(kept, "file");
    CLV_AUTO(clv_text_free) char *link = clv_path_join(gone, "link");
    clv_error err = {0};
    assert_ok(clv_dir_make(kept, &err), err);
    assert_ok(clv_dir_make(gone, &err), err);
    assert_ok(clv_file_write(file, "", 0, &err), err);
    assert_int_equal(symlink(kept, link), 0);
    clv_dir_remove(gone);
    assert_false(clv_file_exists(gone));
    assert_true(clv_file_exists(file));
    clv_map map = {0};
    assert_ok(clv_map_open(file, &map, &err), err); /* empty: no bytes, no error */
    assert_true(!map.data && !map.bytes);
    clv_dir_remove("/nonexistent/x");
}

static void paths_join_with_one_slash(void **state)
{
    (void)state;
    static const struct {
        const char *dir, *name, *path;
    } rows[] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"", "b", "b"}, {"a", "/b", "/b"}};
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        CLV_AUTO(clv_text_free) char *path = clv_path_join(rows[i].dir, rows[i].name);
        assert_string_equal(path, rows[i].path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_files_are_read_back),
        cmocka_unit_test(a_limit_holds_at_its_value),
        cmocka_unit_test(failures_name_the_file),
        cmocka_unit_test(a_failed_write_leaves_the_old_file_and_nothing_beside),
        cmocka_unit_test(links_and_devices_are_written_not_replaced),
        cmocka_unit_test(removing_does_not_follow_links),
        cmocka_unit_test(paths_join_with_one_slash),
    };
    return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
