#include "lab/message.h"

#include "base/fd.h"
#include "base/mem.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FDS_MAX (CLV_LAB_HOSTS_MAX + 1)

typedef union fd_space {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
} fd_space;

clv_shape_values clv_lab_merge(const clv_shape_values *now, const clv_shape_values *change,
                               uint32_t fields)
{
    clv_shape_values v = *now;
    if (fields & CLV_LAB_RATE) v.rate_bytes_per_s = change->rate_bytes_per_s;
    if (fields & CLV_LAB_DELAY) v.delay_us = change->delay_us;
    if (fields & CLV_LAB_JITTER) v.jitter_us = change->jitter_us;
    if (fields & CLV_LAB_LOSS) v.loss = change->loss;
    if (fields & CLV_LAB_QUEUE)
        v.queue_bytes = change->queue_bytes;
    else if (v.queue_bytes == clv_shape_queue_default(now->rate_bytes_per_s, now->delay_us))
        v.queue_bytes = 0;
    return v;
}

bool clv_message_send(int sock, const void *record, size_t bytes, const int *fds, size_t n_fds)
{
    fd_space space = {0};
    struct iovec iov = {.iov_base = (void *)(uintptr_t)record, .iov_len = bytes};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    if (n_fds) {
        m.msg_control = space.bytes;
        m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
    }
    return sendmsg(sock, &m, MSG_NOSIGNAL) == (ssize_t)bytes;
}

long clv_message_receive(int sock, void *record, size_t bytes, int *fds, size_t *n_fds)
{
    fd_space space = {0};
    size_t room = n_fds ? *n_fds : 0;
    struct iovec iov = {.iov_base = record, .iov_len = bytes};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = space.bytes,
                       .msg_controllen = sizeof space.bytes};
    ssize_t n;
    do n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n_fds) *n_fds = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); n >= 0 && c; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (n_fds && *n_fds < room)
                fds[(*n_fds)++] = fd;
            else
                close(fd); /* more than was asked for: not ours to keep */
        }
    }
    return n;
}

static clv_status connect_to(const char *control, int *out, clv_error *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(control) >= sizeof at.sun_path)
        return clv_fail(err, CLV_EINVAL, "lab control '%s': at most %zu characters are possible",
                        control, sizeof at.sun_path - 1);
    memcpy(at.sun_path, control, strlen(control));
    CLV_AUTO(clv_fd_close) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at))
        return clv_fail_errno(err, "lab control '%s'", control);
    *out = clv_fd_steal(&fd);
    return CLV_OK;
}

clv_status clv_lab_ask(const char *control, const clv_lab_request *request, clv_lab_reply *reply,
                       clv_error *err)
{
    CLV_AUTO(clv_fd_close) int fd = -1;
    clv_status s = connect_to(control, &fd, err);
    if (s) return s;
    if (!clv_message_send(fd, request, sizeof *request, NULL, 0))
        return clv_fail_errno(err, "lab control '%s'", control);
    long n = clv_message_receive(fd, reply, sizeof *reply, NULL, NULL);
    if (n < 0) return clv_fail_errno(err, "lab control '%s'", control);
    if (n != (long)sizeof *reply || reply->version != CLV_LAB_MESSAGE_VERSION)
        return clv_fail(err, CLV_EPROTO, "lab control '%s': the lab runs another build of cleave",
                        control);
    reply->text[sizeof reply->text - 1] = 0;
    if (reply->status) return clv_fail(err, (clv_status)reply->status, "%s", reply->text);
    return CLV_OK;
}

char *clv_lab_control_path(const char *name)
{
    const char *dir = getenv("XDG_RUNTIME_DIR");
    if (dir == NULL || *dir == 0) dir = getenv("TMPDIR");
    if (dir == NULL || *dir == 0) dir = "/tmp";
    return clv_format("%s/cleave-lab-%u-%s.sock", dir, (unsigned)geteuid(), name);
}

/* Labs that answer; the socket of one that was killed together with its keeper is removed. */
static size_t running_labs(glob_t *found, const char **first)
{
    size_t n = 0;
    for (size_t i = 0; i < found->gl_pathc; i++) {
        CLV_AUTO(clv_fd_close) int fd = -1;
        if (connect_to(found->gl_pathv[i], &fd, NULL) == CLV_OK) {
            if (n++ == 0) *first = found->gl_pathv[i];
        } else if (errno == ECONNREFUSED) {
            unlink(found->gl_pathv[i]);
        }
    }
    return n;
}

clv_status clv_lab_find(const char *wanted, char **control, clv_error *err)
{
    if (wanted == NULL || *wanted == 0) wanted = getenv("CLEAVE_LAB");
    if (wanted && *wanted) {
        *control = strchr(wanted, '/') ? clv_strdup(wanted) : clv_lab_control_path(wanted);
        return CLV_OK;
    }
    CLV_AUTO(clv_text_free) char *pattern = clv_lab_control_path("*");
    glob_t found = {0};
    const char *first = NULL;
    size_t n = glob(pattern, 0, NULL, &found) == 0 ? running_labs(&found, &first) : 0;
    if (n == 1) *control = clv_strdup(first);
    globfree(&found);
    if (n == 1) return CLV_OK;
    return n == 0 ? clv_fail(err, CLV_ENOTFOUND, "no lab of yours is running (%s)", pattern)
                  : clv_fail(err, CLV_EUSAGE, "%zu labs are running, name one with --lab (%s)", n,
                             pattern);
}
