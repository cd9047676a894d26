#include "net/http2_server.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/http2.h"
#include "net/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct stream {
    clv_http2_server *server;
    int32_t id;
    clv_exchange *x;
    bool begun;             /* its first header block is complete */
    clv_error header_error; /* what was wrong in it */
    struct stream *previous, *next;
} stream;

struct clv_http2_server {
    clv_service *service;
    clv_http2 *session;
    clv_outq *out;
    clv_caller peer;
    void (*wake)(void *arg);
    void *arg;
    stream *streams;
    size_t n_streams;
    bool receiving;
    int64_t data_us; /* when a body last went on */
    int drains;
};

static void answer(void *carrier, clv_exchange *x, clv_answer *a)
{
    stream *s = carrier;
    clv_http2_server *server = s->server;
    char status[12], length[24];
    snprintf(status, sizeof status, "%d", a->status);
    snprintf(length, sizeof length, "%zu", clv_outbody_bytes(a->body));
    clv_headers fields = {0};
    clv_headers_copy(&fields, &(clv_header){":status", status}, 1);
    for (size_t i = 0; i < a->headers.n; i++) {
        clv_header at = clv_headers_at(&a->headers, i);
        clv_headers_copy(&fields, &at, 1);
    }
    bool bare = a->status == 204 || a->status == 304;
    if (!a->trailers.n && !bare) {
        clv_headers_copy(&fields, &(clv_header){"content-length", length}, 1);
    }
    if (bare || !strcmp(clv_exchange_method(x), "HEAD")) {
        clv_outbody *nothing = clv_outbody_new(NULL, 0);
        clv_http2_respond(server->session, s->id, &fields, nothing, &(clv_headers){0});
        clv_outbody_unref(nothing);
    } else {
        clv_http2_respond(server->session, s->id, &fields, a->body, &a->trailers);
    }
    clv_headers_done(&fields);
    clv_answer_done(a);
    if (!server->receiving) server->wake(server->arg); /* `s` may be gone now */
}

static const clv_carrier_ops carrier_ops = {.answer = answer};

static void *on_begin(void *arg, int32_t id)
{
    clv_http2_server *server = arg;
    stream *s = clv_alloc(sizeof *s);
    s->server = server;
    s->id = id;
    s->x = clv_exchange_new(server->service, &carrier_ops, s, &server->peer);
    s->next = server->streams;
    if (s->next) s->next->previous = s;
    server->streams = s;
    server->n_streams++;
    return s;
}

static void on_header(void *object, const char *name, size_t name_n, const char *value,
                      size_t value_n)
{
    stream *s = object;
    if (s->begun || s->header_error.status) return; /* trailers are not kept */
    if (name_n == 7 && !memcmp(name, ":method", 7)) {
        clv_exchange_set_method(s->x, value, value_n);
    } else if (name_n == 5 && !memcmp(name, ":path", 5)) {
        if (clv_exchange_add_target(s->x, value, value_n, &s->header_error)) return;
    } else {
        if (name_n == 10 && !memcmp(name, ":authority", 10)) name = "host", name_n = 4;
        if (name_n && name[0] == ':') return;
        if (clv_headers_add(clv_exchange_headers(s->x), name, name_n, value, value_n,
                            &s->header_error)) {
            return;
        }
    }
}

static void on_headers_end(void *object)
{
    stream *s = object;
    if (s->begun) return;
    s->begun = true;
    if (s->header_error.status) {
        clv_exchange_refuse(s->x, 431, s->header_error.status, s->header_error.text);
        return;
    }
    const char *length = clv_headers_get(clv_exchange_headers(s->x), "content-length");
    size_t content_length = 0;
    if (length && !clv_text_to_size(length, &content_length)) content_length = 0;
    clv_exchange_begin(s->x, content_length);
    const char *expect = clv_headers_get(clv_exchange_headers(s->x), "expect");
    if (expect && !strcasecmp(expect, "100-continue") && !clv_exchange_is_answered(s->x)) {
        clv_http2_continue(s->server->session, s->id);
    }
}

static void on_data(void *object, const unsigned char *bytes, size_t n)
{
    stream *s = object;
    s->server->data_us = clv_now_us();
    clv_exchange_receive(s->x, bytes, n);
}

static unsigned char *on_room(void *object, size_t *n)
{
    stream *s = object;
    return clv_exchange_room(s->x, n);
}

static void on_end(void *object)
{
    stream *s = object;
    clv_exchange_complete(s->x);
}

static void on_closed(void *object, uint32_t code)
{
    (void)code;
    stream *s = object;
    clv_http2_server *server = s->server;
    if (s->previous) {
        s->previous->next = s->next;
    } else {
        server->streams = s->next;
    }
    if (s->next) s->next->previous = s->previous;
    server->n_streams--;
    clv_exchange_detach(s->x);
    free(s);
}

static const clv_http2_ops session_ops = {.begin = on_begin,
                                          .header = on_header,
                                          .headers_end = on_headers_end,
                                          .data = on_data,
                                          .room = on_room,
                                          .end = on_end,
                                          .closed = on_closed};

clv_http2_server *clv_http2_server_new(clv_service *service, clv_outq *out, const clv_caller *peer,
                                       void (*wake)(void *arg), void *arg)
{
    clv_http2_server *s = clv_alloc(sizeof *s);
    s->service = service;
    s->out = out;
    s->wake = wake;
    s->arg = arg;
    s->peer = *peer;
    s->session = clv_http2_new(true, out, &session_ops, s);
    return s;
}

void clv_http2_server_free(clv_http2_server *s)
{
    if (!s) return;
    clv_http2_free(s->session);
    free(s);
}

clv_status clv_http2_server_receive(clv_http2_server *s, const unsigned char *bytes, size_t n,
                                    clv_error *err)
{
    s->receiving = true;
    clv_status status = clv_http2_receive(s->session, bytes, n, err);
    s->receiving = false;
    return status;
}

size_t clv_http2_server_missing(const clv_http2_server *s)
{
    return clv_http2_missing(s->session);
}

unsigned char *clv_http2_server_room(clv_http2_server *s, size_t *n)
{
    return clv_http2_room(s->session, n);
}

void clv_http2_server_produce(clv_http2_server *s)
{
    clv_http2_produce(s->session);
}

size_t clv_http2_server_streams(const clv_http2_server *s)
{
    return s->n_streams;
}

void clv_http2_server_expire(clv_http2_server *s, int64_t since_us)
{
    if (s->data_us >= since_us) return;
    for (stream *at = s->streams; at; at = at->next) {
        if (clv_exchange_is_complete(at->x) || clv_exchange_progress_us(at->x) >= since_us)
            continue;
        clv_http2_reset(s->session, at->id, CLV_HTTP2_CANCEL);
    }
}

void clv_http2_server_drain(clv_http2_server *s)
{
    if (s->drains == 0) clv_http2_announce_goaway(s->session);
    if (s->drains == 1) clv_http2_goaway(s->session);
    s->drains++;
}

bool clv_http2_server_is_over(const clv_http2_server *s)
{
    return clv_http2_is_over(s->session);
}
