#include "lab/flow.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK_BYTES   (256 << 10)
#define OPEN_LIMIT_MS 60000
#define US_PER_S      1000000

size_t clv_flow_wire_bytes(size_t payload)
{
    size_t packets = (payload + CLV_FLOW_SEGMENT_BYTES - 1) / CLV_FLOW_SEGMENT_BYTES;
    return payload + packets * CLV_FLOW_HEADER_BYTES;
}

/* A socket in a host, bound to a free port of its address. */
static clv_status bound(clv_lab *lab, size_t host, int type, int *fd, struct sockaddr_in *at,
                        clv_error *err)
{
    clv_status s = clv_lab_socket(lab, host, type, fd, err);
    if (s) return s;
    socklen_t n = sizeof *at;
    *at = (struct sockaddr_in){.sin_family = AF_INET};
    inet_pton(AF_INET, clv_lab_address(lab, host), &at->sin_addr);
    if (bind(*fd, (struct sockaddr *)at, sizeof *at) || getsockname(*fd, (struct sockaddr *)at, &n))
        return clv_fail_errno(err, "binding %s", clv_lab_address(lab, host));
    return CLV_OK;
}

static bool readable(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

static clv_status join(int client, int listener, const struct sockaddr_in *at, clv_flow *out,
                       clv_error *err)
{
    int on = 1;
    if (listen(listener, 1) || connect(client, (const struct sockaddr *)at, sizeof *at))
        return clv_fail_errno(err, "connecting through the lab");
    if (!readable(listener, OPEN_LIMIT_MS))
        return clv_fail(err, CLV_ETIMEOUT, "no connection through the lab");
    CLV_AUTO(clv_fd_close) int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (server < 0) return clv_fail_errno(err, "accepting through the lab");
    (void)!setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)!setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    out->ends[CLV_DOWN] = clv_fd_steal(&server);
    return CLV_OK;
}

clv_status clv_flow_open(clv_lab *lab, size_t from, size_t to, clv_flow *out, clv_error *err)
{
    CLV_AUTO(clv_fd_close) int listener = -1;
    CLV_AUTO(clv_fd_close) int client = -1;
    struct sockaddr_in there, here;
    clv_status s = bound(lab, to, SOCK_STREAM, &listener, &there, err);
    if (s == CLV_OK) s = bound(lab, from, SOCK_STREAM, &client, &here, err);
    if (s == CLV_OK) s = join(client, listener, &there, out, err);
    if (s == CLV_OK) out->ends[CLV_UP] = clv_fd_steal(&client);
    return s;
}

void clv_flow_done(clv_flow *flow)
{
    for (int i = 0; i < CLV_DIRECTIONS; i++) clv_fd_close(&flow->ends[i]);
}

/* Move what is possible without waiting. False: the connection is gone. */
static bool pump(const clv_flow *f, clv_direction d, char *chunk, size_t *unsent, size_t *unread)
{
    bool alive = true;
    if (*unsent) {
        ssize_t n = send(f->ends[d], chunk, CLV_MIN(*unsent, (size_t)CHUNK_BYTES),
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        alive = n >= 0 || errno == EAGAIN;
        *unsent -= n > 0 ? (size_t)n : 0;
    }
    ssize_t n = recv(f->ends[!d], chunk, CHUNK_BYTES, MSG_DONTWAIT);
    *unread -= n > 0 ? CLV_MIN((size_t)n, *unread) : 0;
    return alive && n != 0 && (n > 0 || errno == EAGAIN);
}

clv_status clv_flow_exchange(const clv_flow *f, clv_direction d, size_t bytes, int64_t limit_us,
                             double *took_us, clv_error *err)
{
    CLV_AUTO(clv_free) char *chunk = clv_alloc(CHUNK_BYTES);
    size_t unsent = bytes, unread = bytes;
    int64_t begin_ns = clv_now_ns(), end_us = clv_now_us() + limit_us;
    while (unread) {
        struct pollfd p[] = {{.fd = f->ends[d], .events = unsent ? POLLOUT : 0},
                             {.fd = f->ends[!d], .events = POLLIN}};
        poll(p, 2, 100);
        if (!pump(f, d, chunk, &unsent, &unread)) return clv_fail_errno(err, "transfer");
        if (clv_now_us() > end_us)
            return clv_fail(err, CLV_ETIMEOUT, "transfer: %zu of %zu bytes missing", unread, bytes);
    }
    if (send(f->ends[!d], chunk, 1, MSG_NOSIGNAL) != 1) return clv_fail_errno(err, "answer");
    int left_ms = (int)CLV_MAX((end_us - clv_now_us()) / 1000, 1);
    if (!readable(f->ends[d], left_ms) || recv(f->ends[d], chunk, 1, 0) != 1)
        return clv_fail(err, CLV_ETIMEOUT, "transfer: no answer");
    *took_us = (double)(clv_now_ns() - begin_ns) / 1e3;
    return CLV_OK;
}

/* Answer what has arrived, and note what has come back. */
static void ping_turn(int here, int there, clv_ping_result *r, size_t count)
{
    char data[2048];
    struct sockaddr_in from;
    socklen_t m = sizeof from;
    ssize_t n;
    while ((n = recvfrom(there, data, sizeof data, MSG_DONTWAIT, (struct sockaddr *)&from, &m)) >
           0) {
        r->reached++;
        (void)!sendto(there, data, (size_t)n, MSG_DONTWAIT, (struct sockaddr *)&from, m);
    }
    while ((n = recv(here, data, sizeof data, MSG_DONTWAIT)) > 0 && r->returned < count) {
        int64_t sent_ns;
        memcpy(&sent_ns, data, sizeof sent_ns);
        r->rtt_us[r->returned++] = (double)(clv_now_ns() - sent_ns) / 1e3;
    }
}

static void ping_send(int here, const struct sockaddr_in *to, const clv_ping_options *o)
{
    char data[2048] = {0};
    int64_t now_ns = clv_now_ns();
    memcpy(data, &now_ns, sizeof now_ns);
    size_t n = CLV_MIN(CLV_MAX(o->payload, sizeof now_ns), sizeof data);
    (void)!sendto(here, data, n, MSG_DONTWAIT, (const struct sockaddr *)to, sizeof *to);
}

clv_status clv_ping(clv_lab *lab, const clv_ping_options *o, clv_ping_result *out, clv_error *err)
{
    CLV_AUTO(clv_fd_close) int here = -1;
    CLV_AUTO(clv_fd_close) int there = -1;
    struct sockaddr_in a, b;
    clv_status s = bound(lab, o->from, SOCK_DGRAM, &here, &a, err);
    if (s == CLV_OK) s = bound(lab, o->to, SOCK_DGRAM, &there, &b, err);
    if (s) return s;
    clv_ping_result r = {.rtt_us = clv_alloc_array(o->count, sizeof *r.rtt_us)};
    int64_t next_us = clv_now_us(), end_us = INT64_MAX;
    while (r.returned < o->count && clv_now_us() < end_us) {
        int64_t now_us = clv_now_us();
        if (r.sent < o->count && now_us >= next_us) {
            ping_send(here, &b, o);
            next_us += o->gap_us;
            if (++r.sent == o->count) end_us = now_us + o->patience_us;
        }
        int64_t wait_us = CLV_MAX((r.sent < o->count ? next_us : end_us) - clv_now_us(), 0);
        struct timespec t = {.tv_sec = wait_us / US_PER_S, .tv_nsec = wait_us % US_PER_S * 1000};
        struct pollfd p[] = {{.fd = here, .events = POLLIN}, {.fd = there, .events = POLLIN}};
        if (ppoll(p, 2, &t, NULL) > 0) ping_turn(here, there, &r, o->count);
    }
    *out = r;
    return CLV_OK;
}
