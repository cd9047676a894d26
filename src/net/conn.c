#include "net/conn.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/loop_uv.h"
#include "net/socket.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    IOV_MAX_OURS = 64,
    TLS_RECORD_BYTES = 16384,
    READS_A_TURN = 8, /* then the other sockets get their chance */
    FIRST_READ = 8 * 1024,
};

typedef enum conn_state { CONNECTING, SHAKING, OPEN, ENDED } conn_state;

struct clv_conn {
    clv_loop *loop;
    int fd;
    conn_state state;
    SSL *ssl;
    SSL_CTX *tls; /* of a client, until the session is made */
    char *host;
    const clv_conn_ops *ops;
    void *arg;
    clv_outq out;
    uv_poll_t poll;
    uv_timer_t again; /* for what must not happen inside a caller: failures, left-over input */
    int handles;      /* libuv handles that are not closed yet */
    int interest;     /* what `poll` is armed for */
    bool paused, blocked, flushing, finishing, said_goodbye, freed, failed;
    bool local; /* a Unix-domain socket */
    clv_error failure;
    int64_t read_us, write_us;
    uint64_t written_bytes;
    size_t read_bytes; /* the last time ... */
    int64_t gap_us;    /* ... and since the time before */
    int low_water;     /* SO_RCVLOWAT */
    clv_caller peer;
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void arm(clv_conn *c)
{
    if (c->freed || c->fd < 0) return;
    int want = 0;
    if (c->state == CONNECTING) {
        want = UV_WRITABLE;
    } else if (c->state != ENDED && !c->failed) {
        /* A paused connection still learns that its peer has gone. */
        want = (c->paused ? UV_DISCONNECT : UV_READABLE) | (c->blocked ? UV_WRITABLE : 0);
    }
    if (want == c->interest) return;
    c->interest = want;
    if (want) {
        uv_poll_start(&c->poll, want, on_poll);
    } else {
        uv_poll_stop(&c->poll);
    }
}

static void end(clv_conn *c, const clv_error *err)
{
    if (c->freed || c->state == ENDED) return;
    c->state = ENDED;
    arm(c);
    clv_error copy = *err;
    c->ops->end(c->arg, &copy);
}

static void on_again(uv_timer_t *timer)
{
    clv_conn *c = timer->data;
    if (c->failed) {
        end(c, &c->failure);
    } else if (!c->paused) {
        on_poll(&c->poll, 0, UV_READABLE);
    }
}

/* Tell the owner of a failure, but not from inside its own call. */
static void fail_later(clv_conn *c)
{
    c->failed = true;
    arm(c);
    uv_timer_start(&c->again, on_again, 0, 0);
}

static void on_handle_closed(uv_handle_t *handle)
{
    clv_conn *c = handle->data;
    if (--c->handles) return;
    if (c->fd >= 0) close(c->fd);
    SSL_free(c->ssl);
    SSL_CTX_free(c->tls);
    free(c->host);
    free(c);
}

void clv_conn_free(clv_conn *c)
{
    if (!c || c->freed) return;
    if (c->ssl && c->state == OPEN && !c->failed && !c->said_goodbye) {
        SSL_shutdown(c->ssl);
        ERR_clear_error();
    }
    c->freed = true;
    /* The peer learns at once; the descriptor itself must outlive the handle. */
    if (c->fd >= 0) shutdown(c->fd, SHUT_RDWR);
    clv_outq_done(&c->out);
    if (c->fd >= 0) uv_close((uv_handle_t *)&c->poll, on_handle_closed);
    uv_close((uv_handle_t *)&c->again, on_handle_closed);
}

static void discard(clv_conn *c)
{
    clv_error over = {0};
    ssize_t n = 1;
    unsigned char *buffer = clv_loop_read_buffer(c->loop);
    for (int i = 0; i < READS_A_TURN && n > 0; i++) n = recv(c->fd, buffer, CLV_READ_BUFFER, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) end(c, &over);
}

typedef struct room {
    unsigned char *bytes;
    size_t n;
} room;

/* What comes first may tell where the rest is wanted: only a little of it is read into the buffer,
 * from where it would have to be copied. */
static room room_to_read(clv_conn *c, bool first)
{
    room r = {0};
    if (c->ops->room && !c->finishing) r.bytes = c->ops->room(c->arg, &r.n);
    if (r.bytes) return r;
    return (room){clv_loop_read_buffer(c->loop), first ? FIRST_READ : CLV_READ_BUFFER};
}

/* One read of decoded bytes: > 0 bytes, 0 nothing now, -1 ended (`err` filled; OK: by the peer). */
static ssize_t read_some(clv_conn *c, room to, clv_error *err)
{
    *err = (clv_error){0};
    if (!c->ssl) {
        ssize_t n = recv(c->fd, to.bytes, to.n, 0);
        if (n > 0) return n;
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
        if (n < 0) clv_fail(err, CLV_EUNAVAIL, "%s", strerrordesc_np(errno));
        return -1;
    }
    size_t got = 0;
    while (got < to.n) { /* SSL_read gives one record of 16 KiB at most */
        errno = 0;
        int n = SSL_read(c->ssl, to.bytes + got, (int)CLV_MIN(to.n - got, (size_t)1 << 30));
        if (n > 0) {
            got += (size_t)n;
            continue;
        }
        int why = SSL_get_error(c->ssl, n);
        if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE || got) {
            ERR_clear_error();
            break;
        }
        if (why != SSL_ERROR_ZERO_RETURN) clv_tls_fail(c->ssl, n, err);
        return -1;
    }
    return (ssize_t)got;
}

static void do_read(clv_conn *c)
{
    if (c->finishing && c->said_goodbye) {
        discard(c);
        return;
    }
    for (int i = 0; i < READS_A_TURN; i++) {
        clv_error err;
        const room to = room_to_read(c, i == 0);
        ssize_t n = read_some(c, to, &err);
        if (n < 0) {
            end(c, &err);
            return;
        }
        if (n == 0) return;
        int64_t now_us = clv_now_us();
        c->read_bytes = (size_t)n;
        c->gap_us = now_us - c->read_us;
        c->read_us = now_us;
        if (!c->finishing) c->ops->read(c->arg, to.bytes, (size_t)n);
        if (c->freed || c->state != OPEN || c->paused) return;
        if ((size_t)n < to.n) return; /* no more for now; else the poll tells */
    }
    /* What OpenSSL has read ahead does not show in the poll. */
    if (c->ssl && SSL_has_pending(c->ssl)) uv_timer_start(&c->again, on_again, 0, 0);
}

/* > 0 bytes written, 0 socket full, -1 failed (c->failure filled). */
static ssize_t write_tls(clv_conn *c)
{
    struct iovec iov[IOV_MAX_OURS];
    unsigned char record[TLS_RECORD_BYTES];
    int pieces = clv_outq_iov(&c->out, iov, IOV_MAX_OURS);
    const void *data = iov[0].iov_base;
    size_t n = CLV_MIN(iov[0].iov_len, (size_t)1 << 30);
    if (pieces > 1 && n < TLS_RECORD_BYTES) { /* small pieces share a record */
        n = 0;
        for (int i = 0; i < pieces && n < sizeof record; i++) {
            size_t part = CLV_MIN(iov[i].iov_len, sizeof record - n);
            memcpy(record + n, iov[i].iov_base, part);
            n += part;
        }
        data = record;
    }
    errno = 0;
    int written = SSL_write(c->ssl, data, (int)n);
    if (written > 0) return written;
    int why = SSL_get_error(c->ssl, written);
    if (why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ) return 0;
    clv_tls_fail(c->ssl, written, &c->failure);
    return -1;
}

static ssize_t write_plain(clv_conn *c)
{
    struct iovec iov[IOV_MAX_OURS];
    int n = clv_outq_iov(&c->out, iov, IOV_MAX_OURS);
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = (size_t)n};
    ssize_t written = sendmsg(c->fd, &message, MSG_NOSIGNAL);
    if (written >= 0) return written;
    if (errno == EAGAIN || errno == EINTR) return 0;
    clv_fail(&c->failure, CLV_EUNAVAIL, "%s", strerrordesc_np(errno));
    return -1;
}

static void say_goodbye(clv_conn *c)
{
    c->said_goodbye = true;
    if (c->ssl) {
        SSL_shutdown(c->ssl);
        ERR_clear_error();
    }
    shutdown(c->fd, SHUT_WR);
}

void clv_conn_flush(clv_conn *c)
{
    if (c->freed || c->failed || c->flushing || c->state != OPEN) return;
    c->flushing = true;
    c->blocked = false;
    for (;;) {
        if (c->out.bytes < CLV_CONN_LOW_WATER && !c->finishing) {
            c->ops->produce(c->arg);
            if (c->freed) return;
        }
        if (!c->out.bytes) break;
        ssize_t n = c->ssl ? write_tls(c) : write_plain(c);
        if (n > 0) {
            c->write_us = clv_now_us();
            c->written_bytes += (uint64_t)n;
            clv_outq_advance(&c->out, (size_t)n);
            if (c->freed) return;
        } else if (n == 0) {
            c->blocked = true;
            break;
        } else {
            fail_later(c);
            break;
        }
    }
    c->flushing = false;
    if (c->finishing && !c->out.bytes && !c->said_goodbye) say_goodbye(c);
    arm(c);
}

static void opened(clv_conn *c)
{
    c->state = OPEN;
    c->blocked = false;
    c->read_us = c->write_us = clv_now_us();
    if (c->ops->open) c->ops->open(c->arg);
    if (c->freed) return;
    clv_conn_flush(c);
    if (!c->freed && c->ssl && SSL_has_pending(c->ssl)) uv_timer_start(&c->again, on_again, 0, 0);
}

/* A plain client on a TLS port gets an answer that it can read. */
static void refuse_plain(clv_conn *c)
{
    static const char text[] = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\n"
                               "content-type: application/json\r\ncontent-length: 47\r\n\r\n"
                               "{\"error\": \"this port speaks TLS: use https://\"}\n";
    send(c->fd, text, sizeof text - 1, MSG_NOSIGNAL);
}

static void shake(clv_conn *c)
{
    errno = 0;
    int ret = SSL_do_handshake(c->ssl);
    if (ret == 1) {
        if (!c->host) clv_caller_certificate(&c->peer, c->ssl);
        opened(c);
        return;
    }
    int why = SSL_get_error(c->ssl, ret);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        c->blocked = why == SSL_ERROR_WANT_WRITE;
        arm(c);
        return;
    }
    clv_error err = {0};
    clv_tls_fail(c->ssl, ret, &err);
    if (!c->host && clv_tls_peer_is_plain(&err)) refuse_plain(c);
    end(c, &err);
}

static void connected(clv_conn *c)
{
    int code = 0;
    socklen_t n = sizeof code;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &code, &n);
    clv_error err = {0};
    if (code) {
        clv_fail(&err, CLV_EUNAVAIL, "%s", strerrordesc_np(code));
        end(c, &err);
        return;
    }
    if (!c->tls) {
        opened(c);
        return;
    }
    if (clv_tls_session(c->tls, c->fd, c->host, &c->ssl, &err)) {
        end(c, &err);
        return;
    }
    c->state = SHAKING;
    shake(c);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    clv_conn *c = poll->data;
    if (c->freed || c->failed) return;
    if (status < 0) c->interest = 0; /* libuv has stopped the watcher; reads tell the reason */
    switch (c->state) {
    case CONNECTING: connected(c); break;
    case SHAKING: shake(c); break;
    case OPEN:
        if (status < 0 || events & (UV_READABLE | UV_DISCONNECT)) {
            if (c->paused && (status < 0 || events & UV_DISCONNECT)) {
                clv_error gone = {0};
                end(c, &gone);
                return;
            }
            do_read(c);
        }
        if (!c->freed && c->state == OPEN && events & UV_WRITABLE) clv_conn_flush(c);
        break;
    case ENDED: break;
    }
    if (!c->freed) arm(c);
}

static clv_conn *new_conn(clv_loop *loop, int fd, const clv_conn_ops *ops, void *arg)
{
    clv_conn *c = clv_alloc(sizeof *c);
    c->loop = loop;
    c->fd = fd;
    c->ops = ops;
    c->arg = arg;
    c->read_us = c->write_us = clv_now_us();
    c->low_water = 1;
    uv_timer_init(clv_loop_uv(loop), &c->again);
    c->again.data = c;
    c->handles = 1;
    if (fd >= 0) {
        c->local = clv_socket_prepare(fd);
        if (uv_poll_init(clv_loop_uv(loop), &c->poll, fd)) abort();
        c->poll.data = c;
        c->handles = 2;
    }
    return c;
}

clv_conn *clv_conn_accept(clv_loop *loop, int fd, SSL_CTX *tls, const clv_conn_ops *ops, void *arg)
{
    clv_conn *c = new_conn(loop, fd, ops, arg);
    struct sockaddr_storage address = {0};
    socklen_t n = sizeof address;
    getpeername(fd, (struct sockaddr *)&address, &n);
    clv_caller_address(&c->peer, (struct sockaddr *)&address);
    if (c->local) clv_caller_process(&c->peer, fd);
    c->state = tls ? SHAKING : OPEN;
    if (tls && clv_tls_session(tls, fd, NULL, &c->ssl, &c->failure)) {
        fail_later(c);
        return c;
    }
    arm(c);
    return c;
}

clv_conn *clv_conn_connect(clv_loop *loop, const struct sockaddr *address, socklen_t address_n,
                           SSL_CTX *tls, const char *host, const clv_conn_ops *ops, void *arg)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int socket_errno = errno;
    clv_conn *c = new_conn(loop, fd, ops, arg);
    clv_caller_address(&c->peer, address);
    c->state = CONNECTING;
    c->host = clv_strdup(host);
    if (tls && SSL_CTX_up_ref(tls)) c->tls = tls;
    if (fd < 0 || (connect(fd, address, address_n) && errno != EINPROGRESS)) {
        clv_fail(&c->failure, CLV_EUNAVAIL, "%s", strerrordesc_np(fd < 0 ? socket_errno : errno));
        fail_later(c);
        return c;
    }
    arm(c);
    return c;
}

void clv_conn_pause(clv_conn *c, bool paused)
{
    if (c->freed || c->paused == paused) return;
    c->paused = paused;
    arm(c);
    if (!paused && c->ssl && SSL_has_pending(c->ssl)) uv_timer_start(&c->again, on_again, 0, 0);
}

int clv_conn_low_water(size_t missing, size_t read_bytes, int64_t gap_us)
{
    double bytes_per_us = (double)read_bytes / (double)CLV_MAX(gap_us, (int64_t)1);
    double few = CLV_MIN(bytes_per_us * CLV_CONN_AWAIT_FEW_US, (double)CLV_CONN_AWAIT_FEW);
    double soon = CLV_MAX(bytes_per_us * CLV_CONN_AWAIT_US, few);
    double most = CLV_MIN((double)missing, (double)CLV_CONN_AWAIT_BYTES_MAX);
    return (int)CLV_MAX(CLV_MIN(most, soon), 1.0);
}

void clv_conn_await(clv_conn *c, size_t bytes)
{
    /* OpenSSL has taken some of them already; a Unix-domain socket's poll does not heed it. */
    if (c->freed || c->ssl || c->local || c->fd < 0) return;
    if (c->finishing) bytes = 0;
    int low = clv_conn_low_water(bytes, c->read_bytes, c->gap_us);
    if (low == c->low_water) return;
    c->low_water = low;
    setsockopt(c->fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low);
}

void clv_conn_finish(clv_conn *c)
{
    c->finishing = true;
    c->paused = false;
    clv_conn_await(c, 0);
    clv_conn_flush(c);
}

clv_outq *clv_conn_out(clv_conn *c)
{
    return &c->out;
}
int clv_conn_fd(const clv_conn *c)
{
    return c->fd;
}
bool clv_conn_is_open(const clv_conn *c)
{
    return c->state == OPEN;
}
bool clv_conn_is_http2(const clv_conn *c)
{
    return c->ssl && clv_tls_is_http2(c->ssl);
}
bool clv_conn_is_tls(const clv_conn *c)
{
    return c->ssl != NULL;
}
const clv_caller *clv_conn_peer(const clv_conn *c)
{
    return &c->peer;
}
int64_t clv_conn_read_us(const clv_conn *c)
{
    return c->read_us;
}
int64_t clv_conn_write_us(const clv_conn *c)
{
    return c->write_us;
}
uint64_t clv_conn_written_bytes(const clv_conn *c)
{
    return c->written_bytes;
}
