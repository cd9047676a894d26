#include "net/server.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/conn.h"
#include "net/http1.h"
#include "net/http2.h"
#include "net/http2_server.h"
#include "net/listener.h"
#include "net/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX_DEFAULT = 1024,
    LINGER_US = 2000000, /* how long a peer may take to close after the last answer */
    TICK_MIN_US = 10000,
    TICK_MAX_US = 1000000,
};

/* One connection: a socket and, once its first bytes are known, a protocol. */
typedef struct connection {
    clv_http_server *server;
    clv_conn *conn;
    clv_buf first; /* until the protocol is known */
    clv_http1 *http1;
    clv_http2_server *http2;
    bool finishing;
    int64_t made_us, busy_us, idle_out_us, finish_us; /* idle_out: output was last seen empty */
    struct connection *previous, *next;
} connection;

enum { PORT, SOCKET, DOORS };

/* Where connections come from. */
typedef struct door {
    clv_http_server *server;
    clv_listener *listener; /* NULL: closed */
    SSL_CTX *tls;           /* NULL: plain. Its own */
} door;

struct clv_http_server {
    clv_loop *loop;
    clv_service *service;
    door doors[DOORS];
    int port, connections_max, n_connections;
    int64_t idle_timeout_us, read_timeout_us;
    clv_timer *tick;
    connection *connections;
    bool draining;
    void (*drained)(void *arg);
    void *drained_arg;
};

static void close_connection(connection *c)
{
    clv_http_server *s = c->server;
    if (c->previous) {
        c->previous->next = c->next;
    } else {
        s->connections = c->next;
    }
    if (c->next) c->next->previous = c->previous;
    s->n_connections--;
    /* The protocols write into the connection's queue: they go first. */
    clv_http1_free(c->http1);
    clv_http2_server_free(c->http2);
    clv_conn_free(c->conn);
    clv_buf_done(&c->first);
    free(c);
}

static void finish(connection *c)
{
    if (c->finishing) return;
    c->finishing = true;
    c->finish_us = clv_now_us();
    clv_conn_finish(c->conn);
}

/* Write what there is; close when nothing will follow. */
static void settle(connection *c)
{
    if (c->finishing) return;
    clv_conn_flush(c->conn);
    if (c->http1) {
        clv_conn_pause(c->conn, !clv_http1_wants_input(c->http1));
        if (clv_http1_is_over(c->http1)) finish(c);
    } else if (c->http2 && clv_http2_server_is_over(c->http2)) {
        finish(c);
    }
}

static void wake(void *arg)
{
    settle(arg);
}

static void receive(connection *c, const unsigned char *bytes, size_t n)
{
    clv_error err = {0};
    if (c->http1) {
        clv_http1_receive(c->http1, bytes, n);
    } else if (clv_http2_server_receive(c->http2, bytes, n, &err)) {
        clv_conn_flush(c->conn); /* nghttp2's GOAWAY says why */
        finish(c);
    } else {
        clv_conn_await(c->conn, clv_http2_server_missing(c->http2));
    }
}

static void start_protocol(connection *c, bool http2)
{
    clv_outq *out = clv_conn_out(c->conn);
    const clv_caller *peer = clv_conn_peer(c->conn);
    if (http2) {
        c->http2 = clv_http2_server_new(c->server->service, out, peer, wake, c);
        if (c->server->draining) clv_http2_server_drain(c->http2);
    } else {
        c->http1 = clv_http1_new(c->server->service, out, peer, wake, c);
        if (c->server->draining) clv_http1_drain(c->http1);
    }
    clv_buf first = c->first;
    c->first = (clv_buf){0};
    receive(c, (const unsigned char *)first.data, first.len);
    clv_buf_done(&first);
}

static void on_read(void *arg, const unsigned char *bytes, size_t n)
{
    connection *c = arg;
    size_t used = 0;
    if (!c->http1 && !c->http2) {
        while (used < n && c->first.len < CLV_HTTP2_PREFACE_BYTES &&
               !strncmp(c->first.data ? c->first.data : "", clv_http2_preface, c->first.len)) {
            clv_buf_char(&c->first, (char)bytes[used++]);
        }
        bool like = !memcmp(c->first.data, clv_http2_preface, c->first.len);
        if (like && c->first.len < CLV_HTTP2_PREFACE_BYTES) return;
        start_protocol(c, like);
    }
    if (used < n && !c->finishing) receive(c, bytes + used, n - used);
    settle(c);
}

static unsigned char *on_room(void *arg, size_t *n)
{
    connection *c = arg;
    return c->http2 ? clv_http2_server_room(c->http2, n) : NULL;
}

static void on_produce(void *arg)
{
    connection *c = arg;
    if (c->http2) clv_http2_server_produce(c->http2);
}

static void on_end(void *arg, const clv_error *err)
{
    (void)err;
    close_connection(arg);
}

static const clv_conn_ops conn_ops = {
    .room = on_room, .read = on_read, .produce = on_produce, .end = on_end};

static void on_accept(void *arg, int fd)
{
    const door *d = arg;
    clv_http_server *s = d->server;
    if (s->n_connections >= s->connections_max) {
        close(fd);
        return;
    }
    connection *c = clv_alloc(sizeof *c);
    c->server = s;
    c->made_us = c->busy_us = c->idle_out_us = clv_now_us();
    c->next = s->connections;
    if (c->next) c->next->previous = c;
    s->connections = c;
    s->n_connections++;
    c->conn = clv_conn_accept(s->loop, fd, d->tls, &conn_ops, c);
}

static bool is_busy(const connection *c)
{
    return c->http1   ? clv_http1_is_busy(c->http1)
           : c->http2 ? clv_http2_server_streams(c->http2) > 0
                      : c->first.len > 0;
}

/* What time does to a connection; true when it is to be closed at once. */
static bool age(connection *c, int64_t now_us)
{
    clv_http_server *s = c->server;
    int64_t late_us = now_us - s->read_timeout_us;
    bool known = c->http1 || c->http2;
    if (c->finishing && now_us - c->finish_us > LINGER_US) return true;
    if (!known && (c->first.len || !clv_conn_is_open(c->conn)) && c->made_us < late_us) return true;
    if (!clv_conn_out(c->conn)->bytes) c->idle_out_us = now_us;
    /* A peer that takes nothing for so long is gone. */
    if (CLV_MAX(c->idle_out_us, clv_conn_write_us(c->conn)) < late_us) return true;
    if (c->http1) clv_http1_expire(c->http1, late_us);
    if (c->http2) clv_http2_server_expire(c->http2, late_us);
    if (is_busy(c)) c->busy_us = now_us;
    int64_t used_us = CLV_MAX(c->busy_us, clv_conn_read_us(c->conn));
    if (now_us - used_us > s->idle_timeout_us) {
        if (!known) return true;
        if (c->http1) clv_http1_drain(c->http1);
        if (c->http2) clv_http2_server_drain(c->http2), clv_http2_server_drain(c->http2);
    } else if (s->draining && c->http2) {
        clv_http2_server_drain(c->http2);
    }
    settle(c);
    return false;
}

static bool is_left(const connection *c)
{
    return !c->finishing || clv_conn_out(c->conn)->bytes > 0;
}

static void on_tick(void *arg)
{
    clv_http_server *s = arg;
    int64_t now_us = clv_now_us();
    bool left = s->service->active > 0;
    for (connection *c = s->connections, *next; c; c = next) {
        next = c->next;
        if (age(c, now_us)) {
            close_connection(c);
        } else {
            left |= is_left(c);
        }
    }
    for (int i = 0; i < DOORS; i++)
        if (s->doors[i].listener) clv_listener_resume(s->doors[i].listener);
    if (s->draining && !left && s->drained) {
        void (*drained)(void *) = s->drained;
        s->drained = NULL;
        drained(s->drained_arg); /* may free the server */
    }
}

static void close_doors(clv_http_server *s)
{
    for (int i = 0; i < DOORS; i++) {
        clv_listener_free(s->doors[i].listener);
        s->doors[i].listener = NULL;
    }
}

static clv_status open_doors(clv_http_server *s, const clv_http_server_options *o, clv_error *err)
{
    door *port = &s->doors[PORT], *socket = &s->doors[SOCKET];
    port->server = socket->server = s;
    if (o->tls && clv_tls_context(o->tls, true, &port->tls, err)) return err->status;
    if (clv_listener_new(s->loop, o->host ? o->host : "127.0.0.1", o->port, on_accept, port,
                         &port->listener, err) ||
        (o->socket &&
         clv_listener_new_socket(s->loop, o->socket, on_accept, socket, &socket->listener, err))) {
        close_doors(s);
        clv_tls_context_free(port->tls);
        return err->status;
    }
    s->port = clv_listener_port(port->listener);
    return CLV_OK;
}

clv_status clv_http_server_new(clv_loop *loop, const clv_http_server_options *o,
                               const clv_http_handler *handler, void *ctx, clv_http_server **out,
                               clv_error *err)
{
    clv_http_server *s = clv_alloc(sizeof *s);
    s->loop = loop;
    clv_status status = o->token ? clv_text_check_token(o->token, err) : CLV_OK;
    if (!status) status = open_doors(s, o, err);
    if (status) {
        free(s);
        return status;
    }
    s->connections_max = o->connections_max ? o->connections_max : CONNECTIONS_MAX_DEFAULT;
    s->idle_timeout_us = o->idle_timeout_us ? o->idle_timeout_us : 75000000;
    s->read_timeout_us = o->read_timeout_us ? o->read_timeout_us : 30000000;
    s->service = clv_service_new(&(clv_service_options){.loop = loop,
                                                        .handler = handler,
                                                        .ctx = ctx,
                                                        .token = o->token,
                                                        .open_paths = o->open_paths,
                                                        .body_max = o->body_max,
                                                        .buffered_max = o->buffered_max});
    s->tick = clv_timer_new(loop, on_tick, s);
    int64_t tick_us = CLV_MIN(s->idle_timeout_us, s->read_timeout_us) / 4;
    tick_us = CLV_MIN(CLV_MAX(tick_us, (int64_t)TICK_MIN_US), (int64_t)TICK_MAX_US);
    clv_timer_start(s->tick, tick_us, tick_us);
    *out = s;
    return CLV_OK;
}

int clv_http_server_port(const clv_http_server *s)
{
    return s->port;
}

void clv_http_server_drain(clv_http_server *s, void (*done)(void *arg), void *arg)
{
    s->draining = true;
    s->drained = done;
    s->drained_arg = arg;
    close_doors(s);
    for (connection *c = s->connections; c; c = c->next) {
        if (c->http1) clv_http1_drain(c->http1);
        if (c->http2) clv_http2_server_drain(c->http2);
        if (!c->http1 && !c->http2 && !c->first.len) finish(c);
        settle(c);
    }
    clv_timer_start(s->tick, TICK_MIN_US, TICK_MIN_US);
}

void clv_http_server_free(clv_http_server *s)
{
    if (!s) return;
    close_doors(s);
    while (s->connections) close_connection(s->connections);
    clv_timer_free(s->tick);
    clv_service_unref(s->service);
    for (int i = 0; i < DOORS; i++) clv_tls_context_free(s->doors[i].tls);
    free(s);
}
