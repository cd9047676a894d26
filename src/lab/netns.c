#include "lab/netns.h"

#include "base/fd.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KILL_ROUNDS 20 /* a process may fork while we look */

static bool write_file(const char *path, const char *text)
{
    CLV_AUTO(clv_fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC);
    size_t n = strlen(text);
    return fd >= 0 && write(fd, text, n) == (ssize_t)n;
}

static clv_status open_namespace(const char *path, int *fd, clv_error *err)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    return *fd < 0 ? clv_fail_errno(err, "%s", path) : CLV_OK;
}

static clv_status no_rights(clv_error *err, const char *what)
{
    return clv_fail(
        err, CLV_EDENIED,
        "no rights for network namespaces (%s: %s; run as root, or let users make user "
        "namespaces: sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "
        "kernel.apparmor_restrict_unprivileged_userns, or the container's profile)",
        what, strerrordesc_np(errno));
}

static clv_status new_user_namespace(int *user_fd, clv_error *err)
{
    unsigned uid = geteuid(), gid = getegid();
    if (unshare(CLONE_NEWUSER)) return no_rights(err, "user namespace");
    CLV_AUTO(clv_text_free) char *uids = clv_format("%u %u 1", uid, uid);
    CLV_AUTO(clv_text_free) char *gids = clv_format("%u %u 1", gid, gid);
    write_file("/proc/self/setgroups", "deny"); /* absent before Linux 3.19, needed since */
    if (!write_file("/proc/self/uid_map", uids) || !write_file("/proc/self/gid_map", gids))
        return no_rights(err, "user namespace, mapping ids");
    return open_namespace("/proc/self/ns/user", user_fd, err);
}

clv_status clv_netns_isolate(int *user_fd, clv_error *err)
{
    int fd = -1;
    if (unshare(CLONE_NEWNET)) {
        if (errno != EPERM) return no_rights(err, "network namespace");
        clv_status s = new_user_namespace(&fd, err);
        if (s) return s;
        if (unshare(CLONE_NEWNET)) return no_rights(err, "network namespace in a user namespace");
    }
    *user_fd = fd;
    return CLV_OK;
}

clv_status clv_netns_current(int *fd, clv_error *err)
{
    return open_namespace("/proc/self/ns/net", fd, err);
}

clv_status clv_netns_new(int *fd, clv_error *err)
{
    if (unshare(CLONE_NEWNET)) return no_rights(err, "network namespace");
    return clv_netns_current(fd, err);
}

int clv_netns_enter(int fd)
{
    return setns(fd, 0);
}

clv_status clv_netns_sysctl(const char *name, const char *value, clv_error *err)
{
    CLV_AUTO(clv_text_free) char *path = clv_format("/proc/sys/net/%s", name);
    return write_file(path, value) ? CLV_OK : clv_fail_errno(err, "%s = %s", path, value);
}

static bool lives_in(const char *pid, const struct stat *spaces, size_t n)
{
    CLV_AUTO(clv_text_free) char *path = clv_format("/proc/%s/ns/net", pid);
    struct stat st;
    if (stat(path, &st)) return false;
    for (size_t i = 0; i < n; i++)
        if (st.st_ino == spaces[i].st_ino && st.st_dev == spaces[i].st_dev) return true;
    return false;
}

static size_t kill_round(const struct stat *spaces, size_t n)
{
    DIR *proc = opendir("/proc");
    size_t killed = 0;
    for (struct dirent *e; proc && (e = readdir(proc)) != NULL;) {
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
        if (pid <= 0 || pid == getpid() || !lives_in(e->d_name, spaces, n)) continue;
        killed += kill(pid, SIGKILL) == 0;
    }
    if (proc) closedir(proc);
    return killed;
}

void clv_netns_kill_all(const int *fds, size_t n)
{
    CLV_AUTO(clv_free) struct stat *spaces = clv_alloc_array(n + 1, sizeof *spaces);
    size_t known = 0;
    for (size_t i = 0; i < n; i++) known += fds[i] >= 0 && fstat(fds[i], &spaces[known]) == 0;
    for (int i = 0; i < KILL_ROUNDS && kill_round(spaces, known) > 0; i++) sched_yield();
}
