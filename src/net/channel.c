#include "net/channel.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/conn.h"
#include "net/http2.h"
#include "net/path.h"
#include "net/resolve.h"

#include <linux/sockios.h>
#include <math.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum {
    HANDSHAKE_US = 3000000
};                   /* to be ready, after the connect timeout, if TCP is connected by then */
enum { PULSES = 4 }; /* looks at the peer per dead_after_us */

struct clv_channel {
    clv_loop *loop;
    clv_channel_options o;
    const clv_channel_ops *ops;
    void *arg;
    clv_resolve *resolve;
    struct addrinfo *addresses, *next_address;
    clv_conn *conn;
    clv_http2 *http2;
    clv_timer *dial_timer, *pulse;
    size_t flights;                           /* whose streams are open */
    bool ready, met, going, failed, greeting; /* greeting: connected, past the connect timeout */
    clv_error failure;
    int64_t alive_us;          /* last sign of life */
    int64_t since_us;          /* since when it is watched for signs of life; 0: it is not */
    uint64_t acked, delivered; /* bytes, when last looked; delivered: in whatever order */
    int64_t ping_us;   /* when a PING was sent that has not been followed by any byte, or 0 */
    uint64_t ping_end; /* with so much `acked` the peer's kernel has that PING */
};

static void fail(clv_channel *s, const clv_error *err)
{
    if (s->failed) return;
    s->failed = true;
    s->failure = *err;
    clv_timer_stop(s->dial_timer);
    clv_timer_stop(s->pulse);
    s->ops->failed(s->arg, s, &s->failure);
}

static clv_path_info path_of(const clv_channel *s)
{
    const int fd = clv_conn_fd(s->conn);
    if (!s->o.url.path[0]) return clv_path_read(fd);
    return clv_path_read_local(fd, clv_conn_written_bytes(s->conn));
}

/* --- streams --- */

static void on_header(void *object, const char *name, size_t name_n, const char *value,
                      size_t value_n)
{
    clv_flight *f = object;
    clv_error err = {0};
    if (f->over) return;
    if (clv_flight_header(f, name, name_n, value, value_n, &err)) {
        clv_channel_cancel(f->channel, f);
        clv_flight_fail(f, &err);
        f->channel->ops->over(f->channel->arg, f);
    }
}

static void on_headers_end(void *object)
{
    clv_flight_headers_end(object);
}

static void on_data(void *object, const unsigned char *bytes, size_t n)
{
    clv_flight *f = object;
    clv_error err = {0};
    if (f->over) return;
    if (clv_flight_data(f, bytes, n, &err)) {
        clv_channel_cancel(f->channel, f);
        clv_flight_fail(f, &err);
        f->channel->ops->over(f->channel->arg, f);
    }
}

static unsigned char *on_stream_room(void *object, size_t *n)
{
    clv_flight *f = object;
    return f->over ? NULL : clv_body_room(f->reply, n);
}

static void on_stream_end(void *object)
{
    clv_flight *f = object;
    if (f->over) return;
    clv_flight_end(f);
    /* Answered before all was sent: the rest is of no use. */
    if (clv_outbody_left(f->body)) clv_channel_cancel(f->channel, f);
    f->channel->ops->over(f->channel->arg, f);
}

/* Once nothing is under way and the peer has been heard: calls that were given up say nothing of its life. */
static void watch_no_more(clv_channel *s)
{
    if (s->flights || clv_conn_read_us(s->conn) < s->since_us) return;
    clv_timer_stop(s->pulse);
    s->since_us = 0;
}

static void on_stream_closed(void *object, uint32_t code)
{
    clv_flight *f = object;
    clv_channel *s = f->channel;
    s->flights--;
    watch_no_more(s);
    if (!f->over) {
        clv_error err = {0};
        if (s->failed) {
            err = s->failure;
        } else if (code == CLV_HTTP2_REFUSED) {
            clv_fail(&err, CLV_EUNAVAIL, "peer refused the call before working on it");
        } else {
            clv_fail(&err, CLV_EUNAVAIL, "peer reset the call: %s", clv_http2_code_text(code));
        }
        clv_flight_fail(f, &err);
        s->ops->over(s->arg, f);
    }
    f->stream = 0;
    f->channel = NULL;
    s->ops->closed(s->arg, f);
}

static void on_settings(void *arg)
{
    clv_channel *s = arg;
    s->met = true;
    s->ops->met(s->arg, s);
}

static void on_goaway(void *arg)
{
    clv_channel *s = arg;
    s->going = true;
    s->ops->going(s->arg, s);
}

static const clv_http2_ops stream_ops = {.header = on_header,
                                         .headers_end = on_headers_end,
                                         .data = on_data,
                                         .room = on_stream_room,
                                         .end = on_stream_end,
                                         .closed = on_stream_closed,
                                         .settings = on_settings,
                                         .goaway = on_goaway};

/* --- the connection --- */

static void on_open(void *arg)
{
    clv_channel *s = arg;
    clv_timer_stop(s->dial_timer);
    if (clv_conn_is_tls(s->conn) && !clv_conn_is_http2(s->conn)) {
        clv_error err = {0};
        clv_fail(&err, CLV_EUNAVAIL, "peer offers no HTTP/2 (by ALPN)");
        fail(s, &err);
        return;
    }
    s->ready = true;
    s->http2 = clv_http2_new(false, clv_conn_out(s->conn), &stream_ops, s);
    s->ops->ready(s->arg, s);
}

/* The first bytes of a peer that speaks something else say what went wrong. */
static bool is_foreign(const unsigned char *bytes, size_t n, clv_error *err)
{
    const unsigned char *line_end = memchr(bytes, '\r', n);
    if (n >= 5 && !memcmp(bytes, "HTTP/", 5)) {
        int line = line_end ? (int)CLV_MIN(line_end - bytes, 60) : 5;
        clv_fail(err, CLV_EUNAVAIL,
                 "peer answers '%.*s' instead of HTTP/2 (HTTP/1 only, or it wants https)", line,
                 (const char *)bytes);
        return true;
    }
    if (n >= 2 && (bytes[0] == 0x15 || bytes[0] == 0x16) && bytes[1] == 3) {
        clv_fail(err, CLV_EUNAVAIL, "peer speaks TLS: use https://");
        return true;
    }
    if (n >= 4 && bytes[3] != 4) { /* the first frame is SETTINGS */
        clv_fail(err, CLV_EUNAVAIL, "peer does not speak HTTP/2");
        return true;
    }
    return false;
}

static void on_read(void *arg, const unsigned char *bytes, size_t n)
{
    clv_channel *s = arg;
    clv_error err = {0};
    if (!s->failed && !s->met && is_foreign(bytes, n, &err)) {
        fail(s, &err);
        return;
    }
    if (!s->failed && clv_http2_receive(s->http2, bytes, n, &err)) {
        err.status = CLV_EUNAVAIL;
        if (!s->met) clv_fail(&err, CLV_EUNAVAIL, "peer does not speak HTTP/2");
        fail(s, &err);
        return;
    }
    if (!s->failed) clv_conn_await(s->conn, clv_http2_missing(s->http2));
    clv_conn_flush(s->conn);
    s->ops->settled(s->arg);
}

static unsigned char *on_room(void *arg, size_t *n)
{
    clv_channel *s = arg;
    return s->http2 && !s->failed ? clv_http2_room(s->http2, n) : NULL;
}

static void on_produce(void *arg)
{
    clv_channel *s = arg;
    if (s->http2) clv_http2_produce(s->http2);
}

static void dial_next(clv_channel *s);

static void on_conn_end(void *arg, const clv_error *err)
{
    clv_channel *s = arg;
    clv_error why = *err;
    if (!s->ready && s->next_address) {
        clv_conn_free(s->conn);
        s->conn = NULL;
        dial_next(s);
        return;
    }
    if (why.status == CLV_OK) {
        clv_fail(&why, CLV_EUNAVAIL,
                 s->met ? "peer closed the connection"
                        : "peer closed the connection before it spoke HTTP/2");
    }
    fail(s, &why);
}

static const clv_conn_ops conn_ops = {
    .open = on_open, .room = on_room, .read = on_read, .produce = on_produce, .end = on_conn_end};

static void dial_next(clv_channel *s)
{
    struct addrinfo *to = s->next_address;
    s->next_address = to->ai_next;
    s->conn = clv_conn_connect(s->loop, to->ai_addr, to->ai_addrlen, s->o.tls, s->o.url.host,
                               &conn_ops, s);
}

static void dial_path(clv_channel *s)
{
    struct sockaddr_un to;
    clv_error err = {0};
    if (clv_socket_address(s->o.url.path, &to, &err)) abort(); /* the url was checked */
    s->conn = clv_conn_connect(s->loop, (struct sockaddr *)&to, sizeof to, NULL, s->o.url.host,
                               &conn_ops, s);
}

static void on_resolved(void *arg, struct addrinfo *addresses, const char *failure)
{
    clv_channel *s = arg;
    s->resolve = NULL;
    if (failure) {
        clv_error err = {0};
        clv_fail(&err, CLV_EUNAVAIL, "%s", failure);
        fail(s, &err);
        return;
    }
    s->addresses = s->next_address = addresses;
    dial_next(s);
}

static void on_dial_timeout(void *arg)
{
    clv_channel *s = arg;
    bool answered = s->conn && path_of(s).rtt_us > 0;
    if (answered && !s->greeting) { /* no packet was lost: the handshake is long on a long way */
        s->greeting = true;
        clv_timer_start(s->dial_timer, HANDSHAKE_US, 0);
        return;
    }
    clv_error err = {0};
    clv_fail(&err, CLV_EUNAVAIL, "no answer within %lld ms",
             (long long)(s->o.connect_timeout_us / 1000));
    fail(s, &err);
}

static void ping(clv_channel *s, int64_t now_us)
{
    int unacked = 0;
    size_t before = clv_http2_ping(s->http2);
    clv_conn_flush(s->conn);
    ioctl(clv_conn_fd(s->conn), SIOCOUTQ, &unacked);
    s->ping_us = now_us;
    s->ping_end = s->acked + (uint64_t)unacked + clv_conn_out(s->conn)->bytes + before;
}

static void on_pulse(void *arg)
{
    clv_channel *s = arg;
    int64_t now_us = clv_now_us(), read_us = clv_conn_read_us(s->conn);
    const clv_path_info path = path_of(s);
    const uint64_t acked = path.bytes_acked;
    const bool moves = acked != s->acked || path.delivered_bytes != s->delivered;
    if (read_us >= s->ping_us) s->ping_us = 0;
    /* What came there behind a lost packet is not acknowledged as bytes, but told (SACK), and the
     * packet may have to wait for all of it. The kernel of a stopped process still acknowledges
     * what its buffer takes, so that counts only until the PING itself has arrived there. */
    if (moves && (!s->ping_us || acked <= s->ping_end)) s->alive_us = now_us;
    s->acked = acked;
    s->delivered = path.delivered_bytes;
    s->alive_us = CLV_MAX(s->alive_us, read_us);
    if (now_us - s->alive_us > s->o.dead_after_us) {
        clv_error err = {0};
        clv_fail(&err, CLV_EUNAVAIL, "peer gives no sign of life for %lld ms",
                 (long long)((now_us - s->alive_us) / 1000));
        fail(s, &err);
        return;
    }
    if (!s->ping_us && now_us - read_us >= s->o.dead_after_us / PULSES) ping(s, now_us);
    watch_no_more(s);
}

/* --- the face --- */

clv_channel *clv_channel_new(clv_loop *loop, const clv_channel_options *o,
                             const clv_channel_ops *ops, void *arg)
{
    clv_channel *s = clv_alloc(sizeof *s);
    s->loop = loop;
    s->o = *o;
    s->ops = ops;
    s->arg = arg;
    s->dial_timer = clv_timer_new(loop, on_dial_timeout, s);
    s->pulse = clv_timer_new(loop, on_pulse, s);
    clv_timer_start(s->dial_timer, o->connect_timeout_us, 0);
    if (o->url.path[0])
        dial_path(s);
    else
        s->resolve = clv_resolve_new(loop, o->url.host, o->url.port, on_resolved, s);
    return s;
}

void clv_channel_free(clv_channel *s, const clv_error *err)
{
    if (!s) return;
    s->failed = true;
    s->failure = *err;
    clv_http2_free(s->http2); /* ends its flights */
    clv_conn_free(s->conn);
    clv_resolve_free(s->resolve);
    if (s->addresses) freeaddrinfo(s->addresses);
    clv_timer_free(s->dial_timer);
    clv_timer_free(s->pulse);
    free(s);
}

void clv_channel_start(clv_channel *s, clv_flight *f)
{
    f->channel = s;
    f->stream = clv_http2_request(s->http2, &f->fields, f->body, f);
    if (f->stream < 0) {
        clv_error err = {0};
        f->stream = 0;
        f->channel = NULL;
        clv_fail(&err, CLV_EUNAVAIL, "the connection takes no more calls");
        clv_flight_fail(f, &err);
        s->ops->over(s->arg, f);
        return;
    }
    s->flights++;
    if (!s->since_us) {
        s->alive_us = s->since_us = clv_now_us();
        const clv_path_info path = path_of(s);
        s->acked = path.bytes_acked;
        s->delivered = path.delivered_bytes;
        /* In one machine nothing waits long for a frame, however large. */
        clv_http2_pace(s->http2, s->o.url.path[0] ? INFINITY : path.delivery_rate_bytes_per_s);
        int64_t every_us = s->o.dead_after_us / PULSES;
        clv_timer_start(s->pulse, every_us, every_us);
    }
    bool empty = clv_outbody_bytes(f->body) == 0;
    clv_conn_flush(s->conn);
    if (empty) f->sent_us = clv_now_us();
}

void clv_channel_cancel(clv_channel *s, clv_flight *f)
{
    clv_http2_reset(s->http2, f->stream, CLV_HTTP2_CANCEL);
}

bool clv_channel_is_ready(const clv_channel *s)
{
    return s->ready && !s->failed;
}
bool clv_channel_was_met(const clv_channel *s)
{
    return s->met;
}
void clv_channel_flush(clv_channel *s)
{
    clv_conn_flush(s->conn);
}
size_t clv_channel_flights(const clv_channel *s)
{
    return s->flights;
}

clv_path_info clv_channel_path(const clv_channel *s)
{
    if (!clv_channel_is_ready(s)) return (clv_path_info){0};
    return path_of(s);
}
