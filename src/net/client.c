#include "net/client.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/unit.h"
#include "net/channel.h"
#include "net/text.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_TIMEOUT_US = 3000000,
    DEAD_AFTER_US = 2000000,
    BACKOFF_MIN_US = 20000,
    BACKOFF_MAX_US = 1000000,
    WAITING_MAX = 4096, /* calls that wait for a connection */
    OLD_CHANNELS_MAX = 8,
};

typedef struct flight_list {
    clv_flight *first, *last;
    size_t n;
} flight_list;

struct clv_client {
    atomic_int refs; /* the owner's and one a posted message */
    clv_loop *loop;
    char *url, *authority, *authorization; /* the last: header value, or NULL */
    clv_channel_options channel;
    size_t reply_max;
    _Atomic uint64_t last_id;

    /* The rest belongs to the loop's thread. */
    bool freed;
    clv_channel *current;                /* new calls go here */
    clv_channel *old[OLD_CHANNELS_MAX];  /* the peer is going away: they only finish */
    flight_list waiting, flying, landed; /* landed: over, `done` not yet called */
    bool landing, landing_posted;
    int64_t backoff_us, retry_us; /* no attempt to connect before `retry_us` */
    clv_error failure;            /* of the last attempt */
};

typedef struct message {
    clv_client *client;
    clv_flight *flight;
    uint64_t cancel_id;
} message;

/* --- lists --- */

static void push(flight_list *list, clv_flight *f)
{
    f->next = NULL;
    f->previous = list->last;
    *(list->last ? &list->last->next : &list->first) = f;
    list->last = f;
    list->n++;
}

static void pull(flight_list *list, clv_flight *f)
{
    *(f->previous ? &f->previous->next : &list->first) = f->next;
    *(f->next ? &f->next->previous : &list->last) = f->previous;
    f->previous = f->next = NULL;
    list->n--;
}

static void unref(clv_client *c)
{
    if (atomic_fetch_sub(&c->refs, 1) != 1) return;
    clv_tls_context_free(c->channel.tls);
    free(c->url);
    free(c->authority);
    free(c->authorization);
    free(c);
}

/* --- landing: `done` is called where nothing below is in the middle of its work --- */

static void land_all(clv_client *c)
{
    if (c->landing) return;
    c->landing = true;
    atomic_fetch_add(&c->refs, 1); /* a `done` may free the client */
    while (c->landed.first) {
        clv_flight *f = c->landed.first;
        pull(&c->landed, f);
        clv_flight_land(f);
        f->client = NULL; /* done was called */
        if (!f->stream) clv_flight_free(f);
    }
    c->landing = false;
    unref(c);
}

static void land_posted(void *arg)
{
    clv_client *c = arg;
    c->landing_posted = false;
    land_all(c);
    unref(c);
}

static void over(clv_client *c, flight_list *from, clv_flight *f)
{
    pull(from, f);
    push(&c->landed, f);
    clv_timer_free(f->deadline);
    f->deadline = NULL;
    if (c->landing_posted || c->landing) return;
    c->landing_posted = true;
    atomic_fetch_add(&c->refs, 1);
    clv_loop_post(c->loop, land_posted, c);
}

static void fail_waiting(clv_client *c, const clv_error *err)
{
    while (c->waiting.first) {
        clv_flight *f = c->waiting.first;
        clv_flight_fail(f, err);
        over(c, &c->waiting, f);
    }
}

/* --- channels --- */

static void start(clv_client *c, clv_flight *f)
{
    pull(&c->waiting, f);
    push(&c->flying, f);
    if (f->dial_us) f->connect_us = clv_now_us() - f->dial_us;
    clv_channel_start(c->current, f);
}

static void on_ready(void *arg, clv_channel *s)
{
    clv_client *c = arg;
    (void)s;
    while (c->waiting.first) start(c, c->waiting.first);
}

static void on_met(void *arg, clv_channel *s)
{
    clv_client *c = arg;
    (void)s;
    c->backoff_us = 0;
}

static void drop(clv_client *c, clv_channel *s, const clv_error *err)
{
    if (c->current == s) c->current = NULL;
    for (int i = 0; i < OLD_CHANNELS_MAX; i++) {
        if (c->old[i] == s) c->old[i] = NULL;
    }
    clv_channel_free(s, err);
}

static void on_failed(void *arg, clv_channel *s, const clv_error *err)
{
    clv_client *c = arg;
    clv_error why = *err;
    bool current = c->current == s;
    clv_within(&why, clv_channel_was_met(s) ? "connection to %s" : "connect to %s", c->url);
    if (current && !clv_channel_was_met(s)) {
        c->backoff_us =
            CLV_MIN(CLV_MAX(2 * c->backoff_us, (int64_t)BACKOFF_MIN_US), (int64_t)BACKOFF_MAX_US);
        c->retry_us = clv_now_us() + c->backoff_us;
        c->failure = why;
    }
    drop(c, s, &why);
    if (current) fail_waiting(c, &why);
}

/* Move it aside: its calls end there, new ones get a new connection. */
static void on_going(void *arg, clv_channel *s)
{
    clv_client *c = arg;
    if (c->current != s) return;
    for (int i = 0; i < OLD_CHANNELS_MAX; i++) {
        if (c->old[i]) continue;
        c->old[i] = s;
        c->current = NULL;
        return;
    }
}

static void on_over(void *arg, clv_flight *f)
{
    clv_client *c = arg;
    over(c, &c->flying, f);
}

static void on_closed(void *arg, clv_flight *f)
{
    (void)arg;
    if (!f->client) clv_flight_free(f);
}

static void on_settled(void *arg)
{
    clv_client *c = arg;
    clv_error nothing = {0};
    atomic_fetch_add(&c->refs, 1);
    for (int i = 0; i < OLD_CHANNELS_MAX; i++) {
        clv_channel *s = c->old[i];
        if (s && !clv_channel_flights(s)) drop(c, s, &nothing);
    }
    land_all(c);
    unref(c);
}

static const clv_channel_ops channel_ops = {.ready = on_ready,
                                            .met = on_met,
                                            .going = on_going,
                                            .failed = on_failed,
                                            .over = on_over,
                                            .closed = on_closed,
                                            .settled = on_settled};

/* --- calls --- */

static void cancel(clv_client *c, clv_flight *f, clv_status status, const char *text)
{
    clv_error err = {0};
    clv_fail(&err, status, "%s", text);
    clv_flight_fail(f, &err);
    clv_channel *s = f->channel;
    if (s) clv_channel_cancel(s, f);
    over(c, f->stream ? &c->flying : &c->waiting, f);
    if (s) clv_channel_flush(s);
}

static void on_deadline(void *arg)
{
    clv_flight *f = arg;
    char text[64];
    snprintf(text, sizeof text, "no answer within %s",
             clv_show_duration((double)(f->deadline_us - f->start_us)).s);
    cancel(f->client, f, CLV_ETIMEOUT, text);
}

static void begin(clv_client *c, clv_flight *f)
{
    clv_error err = {0};
    int64_t now_us = clv_now_us();
    push(&c->waiting, f);
    if (c->freed) {
        clv_fail(&err, CLV_ECANCELED, "client is closed");
    } else if (f->deadline_us && f->deadline_us <= now_us) {
        clv_fail(&err, CLV_ETIMEOUT, "the deadline has passed already");
    } else if (c->waiting.n > WAITING_MAX) {
        clv_fail(&err, CLV_EBUSY, "%s: more than %d calls wait for a connection", c->url,
                 WAITING_MAX);
    } else if (!c->current && now_us < c->retry_us) {
        err = c->failure;
    }
    if (err.status) {
        clv_flight_fail(f, &err);
        over(c, &c->waiting, f);
        return;
    }
    if (f->deadline_us) {
        f->deadline = clv_timer_new(c->loop, on_deadline, f);
        clv_timer_start(f->deadline, f->deadline_us - now_us, 0);
    }
    if (!c->current) c->current = clv_channel_new(c->loop, &c->channel, &channel_ops, c);
    if (clv_channel_is_ready(c->current))
        start(c, f);
    else
        f->dial_us = now_us;
}

static void on_message(void *arg)
{
    message *m = arg;
    clv_client *c = m->client;
    if (m->flight) begin(c, m->flight);
    for (clv_flight *f = c->waiting.first; m->cancel_id && f; f = f->next) {
        if (f->id != m->cancel_id) continue;
        cancel(c, f, CLV_ECANCELED, "cancelled");
        break;
    }
    for (clv_flight *f = c->flying.first; m->cancel_id && f; f = f->next) {
        if (f->id != m->cancel_id) continue;
        cancel(c, f, CLV_ECANCELED, "cancelled");
        break;
    }
    free(m);
    unref(c);
}

static void post(clv_client *c, clv_flight *f, uint64_t cancel_id)
{
    message *m = clv_alloc(sizeof *m);
    *m = (message){c, f, cancel_id};
    atomic_fetch_add(&c->refs, 1);
    clv_loop_post(c->loop, on_message, m);
}

uint64_t clv_client_call(clv_client *c, const clv_call *call)
{
    clv_flight *f = clv_flight_new(call);
    char length[24];
    snprintf(length, sizeof length, "%zu", clv_outbody_bytes(f->body));
    clv_header fields[] = {{":method", call->method},
                           {":scheme", c->channel.url.tls ? "https" : "http"},
                           {":authority", c->authority},
                           {":path", call->path},
                           {"authorization", c->authorization}};
    clv_headers_copy(&f->fields, fields, c->authorization ? 5 : 4);
    if (call->n_body) clv_headers_copy(&f->fields, &(clv_header){"content-length", length}, 1);
    clv_headers_copy(&f->fields, call->headers, call->n_headers);
    f->client = c;
    f->reply_max = c->reply_max;
    uint64_t id = f->id = atomic_fetch_add(&c->last_id, 1) + 1;
    if (clv_loop_here(c->loop)) {
        begin(c, f);
    } else {
        post(c, f, 0);
    }
    return id;
}

void clv_client_cancel(clv_client *c, uint64_t id)
{
    if (id) post(c, NULL, id);
}

clv_path_info clv_client_path(clv_client *c)
{
    return c->current ? clv_channel_path(c->current) : (clv_path_info){0};
}

clv_status clv_client_new(clv_loop *loop, const clv_client_options *o, clv_client **out,
                          clv_error *err)
{
    clv_channel_options channel = {
        .connect_timeout_us = o->connect_timeout_us ? o->connect_timeout_us : CONNECT_TIMEOUT_US,
        .dead_after_us = o->dead_after_us ? o->dead_after_us : DEAD_AFTER_US};
    clv_status status = clv_url_parse(o->url, &channel.url, err);
    if (!status && o->token) status = clv_text_check_token(o->token, err);
    if (status) return status;
    if (channel.url.tls && clv_tls_context(o->tls, false, &channel.tls, err)) {
        return clv_within(err, "%s", o->url);
    }
    clv_client *c = clv_alloc(sizeof *c);
    atomic_init(&c->refs, 1);
    c->loop = loop;
    c->channel = channel;
    c->url = clv_strdup(o->url);
    bool v6 = strchr(channel.url.host, ':') != NULL;
    c->authority = channel.url.path[0]
                       ? clv_strdup(channel.url.host)
                       : clv_format(v6 ? "[%s]:%d" : "%s:%d", channel.url.host, channel.url.port);
    if (o->token) c->authorization = clv_format("Bearer %s", o->token);
    c->reply_max = o->reply_max ? o->reply_max : CLV_HTTP_BODY_MAX_DEFAULT;
    *out = c;
    return CLV_OK;
}

void clv_client_free(clv_client *c)
{
    if (!c) return;
    clv_error err = {0};
    clv_fail(&err, CLV_ECANCELED, "client is closed");
    c->freed = true;
    fail_waiting(c, &err);
    if (c->current) drop(c, c->current, &err);
    for (int i = 0; i < OLD_CHANNELS_MAX; i++) {
        if (c->old[i]) drop(c, c->old[i], &err);
    }
    land_all(c);
    unref(c);
}
