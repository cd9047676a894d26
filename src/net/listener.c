#include "net/listener.h"

#include "base/mem.h"
#include "net/loop_uv.h"
#include "net/socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BACKLOG = 512, ACCEPTS_A_TURN = 64 };

struct clv_listener {
    uv_poll_t poll;
    int fd, port;
    char *path;       /* of a Unix-domain socket, or NULL ... */
    struct stat file; /* ... and its file, as it was made */
    bool resting;
    void (*on_accept)(void *arg, int fd);
    void *arg;
};

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    clv_listener *l = poll->data;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                uv_poll_stop(&l->poll);
                l->resting = true;
            }
            return;
        }
        l->on_accept(l->arg, fd);
    }
}

void clv_listener_resume(clv_listener *l)
{
    if (l->resting) uv_poll_start(&l->poll, UV_READABLE, on_poll);
    l->resting = false;
}

/* Bind and listen; -1 with errno. */
static int listen_on(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    int on = 1, off = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ai_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    if (bind(fd, address->ai_addr, address->ai_addrlen) || listen(fd, BACKLOG)) {
        int e = errno;
        close(fd);
        errno = e;
        return -1;
    }
    return fd;
}

static int bound_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a = {0};
    socklen_t n = sizeof a;
    getsockname(fd, &a.any, &n);
    return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

static clv_listener *start(clv_loop *loop, int fd, void (*on_accept)(void *arg, int fd), void *arg)
{
    clv_listener *l = clv_alloc(sizeof *l);
    l->fd = fd;
    l->on_accept = on_accept;
    l->arg = arg;
    if (uv_poll_init(clv_loop_uv(loop), &l->poll, fd)) abort();
    l->poll.data = l;
    uv_poll_start(&l->poll, UV_READABLE, on_poll);
    return l;
}

clv_status clv_listener_new(clv_loop *loop, const char *host, int port,
                            void (*on_accept)(void *arg, int fd), void *arg, clv_listener **out,
                            clv_error *err)
{
    if (port < 0 || port > 65535) {
        return clv_fail(err, CLV_EINVAL, "port %d: must be 0 to 65535", port);
    }
    char service[8];
    snprintf(service, sizeof service, "%d", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    int failed = getaddrinfo(host, service, &hints, &found);
    if (failed) {
        return clv_fail(err, CLV_EINVAL, "listen on %s:%d: %s", host, port, gai_strerror(failed));
    }
    int fd = listen_on(found);
    freeaddrinfo(found);
    if (fd < 0) {
        return clv_fail(err, CLV_EIO, "listen on %s:%d: %s", host, port, strerrordesc_np(errno));
    }
    *out = start(loop, fd, on_accept, arg);
    (*out)->port = bound_port(fd);
    return CLV_OK;
}

/* --- at a path --- */

static int new_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Make room for a socket's file: remove one at which nobody answers. */
static clv_status make_room(const struct sockaddr_un *address, clv_error *err)
{
    const char *path = address->sun_path;
    struct stat file;
    if (lstat(path, &file)) return CLV_OK; /* if not for want of a file, bind() tells */
    if (!S_ISSOCK(file.st_mode)) {
        return clv_fail(err, CLV_EEXIST, "listen on unix:%s: there is a file that is no socket",
                        path);
    }
    int fd = new_socket();
    int failed = connect(fd, (const struct sockaddr *)address, sizeof *address) ? errno : 0;
    if (fd >= 0) close(fd);
    if (failed == ECONNREFUSED) {
        failed = unlink(path) ? errno : 0;
        if (!failed || failed == ENOENT) return CLV_OK;
        return clv_fail(err, CLV_EIO, "listen on unix:%s: a file is left there: %s", path,
                        strerrordesc_np(failed));
    }
    return clv_fail(err, CLV_EEXIST, "listen on unix:%s: another process listens there%s%s", path,
                    failed ? ": " : "", failed ? strerrordesc_np(failed) : "");
}

/* Bind and listen; -1 with errno. */
static int listen_at(const struct sockaddr_un *address, struct stat *file)
{
    int fd = new_socket();
    if (fd < 0) return -1;
    /* What bind() makes takes this mode less the umask; then all of it. */
    bool bound = !fchmod(fd, CLV_LISTENER_MODE) &&
                 !bind(fd, (const struct sockaddr *)address, sizeof *address);
    if (bound && !chmod(address->sun_path, CLV_LISTENER_MODE) && !lstat(address->sun_path, file) &&
        !listen(fd, BACKLOG)) {
        return fd;
    }
    int e = errno;
    if (bound) unlink(address->sun_path);
    close(fd);
    errno = e;
    return -1;
}

clv_status clv_listener_new_socket(clv_loop *loop, const char *path,
                                   void (*on_accept)(void *arg, int fd), void *arg,
                                   clv_listener **out, clv_error *err)
{
    struct sockaddr_un address;
    struct stat file;
    if (clv_socket_address(path, &address, err)) return clv_within(err, "listen on unix:%s", path);
    if (make_room(&address, err)) return err->status;
    int fd = listen_at(&address, &file);
    if (fd < 0) {
        return clv_fail(err, CLV_EIO, "listen on unix:%s: %s", path, strerrordesc_np(errno));
    }
    *out = start(loop, fd, on_accept, arg);
    (*out)->path = clv_strdup(path);
    (*out)->file = file;
    return CLV_OK;
}

/* No other file has this one's number as long as the socket is open. */
static void remove_file(const clv_listener *l)
{
    struct stat now;
    if (lstat(l->path, &now) || now.st_dev != l->file.st_dev || now.st_ino != l->file.st_ino)
        return;
    unlink(l->path);
}

int clv_listener_port(const clv_listener *l)
{
    return l->port;
}

static void on_closed(uv_handle_t *handle)
{
    clv_listener *l = handle->data;
    free(l->path);
    free(l);
}

void clv_listener_free(clv_listener *l)
{
    if (!l) return;
    if (l->path) remove_file(l);
    uv_close((uv_handle_t *)&l->poll, on_closed);
    close(l->fd); /* the port is free when this returns */
}
