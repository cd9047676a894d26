/* Where connections come from: a port, or a path, whose file is replaced only if nobody answers there. */
#include "net/listener.h"

#include "unit.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "net/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_US = 20000000, NOBODY = 65534 };

typedef struct rig {
    clv_loop *loop;
    char *dir, *path;
    int taken; /* connections */
} rig;

static int start(void **state)
{
    rig *r = clv_alloc(sizeof *r);
    clv_error err = {0};
    assert_ok(clv_dir_temp("listener", &r->dir, &err), err);
    r->path = clv_path_join(r->dir, "socket");
    r->loop = clv_loop_new();
    *state = r;
    return 0;
}

static int stop(void **state)
{
    rig *r = *state;
    clv_loop_free(r->loop);
    clv_dir_remove(r->dir);
    free(r->dir);
    free(r->path);
    free(r);
    return 0;
}

static void on_accept(void *arg, int fd)
{
    rig *r = arg;
    r->taken++;
    close(fd);
}

static clv_listener *listen_there(rig *r)
{
    clv_error err = {0};
    clv_listener *l = NULL;
    assert_ok(clv_listener_new_socket(r->loop, r->path, on_accept, r, &l, &err), err);
    return l;
}

static void assert_refused(rig *r, const char *path, const char *why)
{
    clv_error err = {0};
    clv_listener *l = NULL;
    assert_int_not_equal(clv_listener_new_socket(r->loop, path, on_accept, r, &l, &err), CLV_OK);
    assert_null(l);
    if (!strstr(err.text, why) || !strstr(err.text, path))
        fail_msg("'%s' does not say '%s' of '%s'", err.text, why, path);
    assert_null(strchr(err.text, '\n'));
}

/* 0, or what connect() failed with. */
static int try_to_connect(const char *path)
{
    struct sockaddr_un a;
    clv_error err = {0};
    assert_ok(clv_socket_address(path, &a, &err), err);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = connect(fd, (struct sockaddr *)&a, sizeof a) ? errno : 0;
    close(fd);
    return failed;
}

static void assert_answers(rig *r)
{
    int before = r->taken;
    assert_int_equal(try_to_connect(r->path), 0);
    for (int64_t until = clv_now_us() + PATIENCE_US; r->taken == before; clv_loop_turn(r->loop))
        assert_true(clv_now_us() < until);
}

/* What a process leaves behind that was killed. */
static void leave_behind(const char *path)
{
    struct sockaddr_un a;
    clv_error err = {0};
    assert_ok(clv_socket_address(path, &a, &err), err);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    close(fd);
}

static bool exists(const char *path)
{
    struct stat file;
    return lstat(path, &file) == 0;
}

static void a_socket_is_a_file_while_it_lasts(void **state)
{
    rig *r = *state;
    const mode_t before = umask(0077);
    clv_listener *l = listen_there(r);
    umask(before);
    struct stat file;
    assert_int_equal(lstat(r->path, &file), 0);
    assert_true(S_ISSOCK(file.st_mode));
    assert_int_equal(file.st_mode & 07777, CLV_LISTENER_MODE);
    assert_int_equal(clv_listener_port(l), 0);
    assert_answers(r);
    clv_listener_free(l);
    assert_false(exists(r->path));
}

static void a_file_left_behind_is_replaced(void **state)
{
    rig *r = *state;
    leave_behind(r->path);
    assert_int_equal(try_to_connect(r->path), ECONNREFUSED);
    clv_listener *l = listen_there(r);
    assert_answers(r);
    clv_listener_free(l);
    assert_false(exists(r->path));
}

static void who_listens_already_keeps_its_place(void **state)
{
    rig *r = *state;
    clv_listener *l = listen_there(r);
    assert_refused(r, r->path, "another process listens there");
    assert_answers(r);
    clv_listener_free(l);
}

static void another_file_is_left_alone(void **state)
{
    rig *r = *state;
    clv_error err = {0};
    assert_ok(clv_file_write(r->path, "mine", 4, &err), err);
    assert_refused(r, r->path, "no socket");
    assert_true(exists(r->path));
    assert_refused(r, r->dir, "no socket");
    CLV_AUTO(clv_text_free) char *link = clv_path_join(r->dir, "link");
    assert_int_equal(symlink("nowhere", link), 0);
    assert_refused(r, link, "no socket");
    assert_true(exists(link));
}

/* Somebody took it away and put his own there. */
static void only_its_own_file_goes_with_it(void **state)
{
    rig *r = *state;
    clv_listener *first = listen_there(r);
    assert_int_equal(unlink(r->path), 0);
    clv_listener *second = listen_there(r);
    clv_listener_free(first);
    assert_true(exists(r->path));
    assert_answers(r);
    clv_listener_free(second);
    assert_false(exists(r->path));
}

static void what_cannot_be_is_told(void **state)
{
    rig *r = *state;
    CLV_AUTO(clv_text_free) char *deep = clv_path_join(r->dir, "no/such/folder");
    assert_refused(r, deep, "No such file or directory");
    assert_refused(r, "", "is missing");
    char text[CLV_SOCKET_PATH_MAX + 2] = "";
    memset(text, 'p', CLV_SOCKET_PATH_MAX + 1);
    assert_refused(r, text, "may have 107 bytes, this has 108");
}

/* As somebody else, if this user may become one; 0: all is as it must be. */
static int look_as_nobody(rig *r, const char *closed)
{
    clv_error err = {0};
    clv_listener *l = NULL;
    if (geteuid() == 0 && (setgid(NOBODY) || setuid(NOBODY))) return 0;
    clv_status status = clv_listener_new_socket(r->loop, closed, on_accept, r, &l, &err);
    if (!status || !strstr(err.text, "Permission denied")) return 1;
    if (getuid() == NOBODY && try_to_connect(r->path) != EACCES) return 2;
    return 0;
}

static void who_may_not_is_told(void **state)
{
    rig *r = *state;
    CLV_AUTO(clv_text_free) char *folder = clv_path_join(r->dir, "closed");
    CLV_AUTO(clv_text_free) char *closed = clv_path_join(folder, "socket");
    assert_int_equal(mkdir(folder, 0500), 0);
    assert_int_equal(chmod(r->dir, 0755), 0);
    clv_listener *l = listen_there(r);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(look_as_nobody(r, closed));
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    clv_listener_free(l);
}

static void a_port_that_is_taken_is_told(void **state)
{
    rig *r = *state;
    clv_error err = {0};
    clv_listener *l, *none = NULL;
    assert_ok(clv_listener_new(r->loop, "127.0.0.1", 0, on_accept, r, &l, &err), err);
    int port = clv_listener_port(l);
    assert_true(port > 0);
    assert_int_equal(clv_listener_new(r->loop, "127.0.0.1", port, on_accept, r, &none, &err),
                     CLV_EIO);
    assert_non_null(strstr(err.text, "Address already in use"));
    clv_listener_free(l);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(a_socket_is_a_file_while_it_lasts),
        WITH_RIG(a_file_left_behind_is_replaced),
        WITH_RIG(who_listens_already_keeps_its_place),
        WITH_RIG(another_file_is_left_alone),
        WITH_RIG(only_its_own_file_goes_with_it),
        WITH_RIG(what_cannot_be_is_told),
        WITH_RIG(who_may_not_is_told),
        WITH_RIG(a_port_that_is_taken_is_told),
    };
    return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
