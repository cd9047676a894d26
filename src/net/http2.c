#include "net/http2.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/conn.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

const char clv_http2_preface[CLV_HTTP2_PREFACE_BYTES + 1] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

_Static_assert((int)CLV_HTTP2_REFUSED == (int)NGHTTP2_REFUSED_STREAM, "code");
_Static_assert((int)CLV_HTTP2_CANCEL == (int)NGHTTP2_CANCEL, "code");
_Static_assert((int)CLV_HTTP2_INTERNAL == (int)NGHTTP2_INTERNAL_ERROR, "code");

enum { FRAME_HEAD_BYTES = 9, ROOM_BYTES_MIN = 32 * 1024 };

typedef struct stream {
    int32_t id;
    void *object;
    clv_outbody *body;
    clv_headers *trailers; /* or NULL */
    size_t unread;         /* bytes that came after the answer */
    struct stream *previous, *next;
} stream;

struct clv_http2 {
    nghttp2_session *session;
    bool server, failed, met;
    clv_outq *out;
    const clv_http2_ops *ops;
    void *arg;
    stream *streams;                      /* list, newest first */
    unsigned char head[FRAME_HEAD_BYTES]; /* of the frame that is arriving */
    size_t n_head, missing;               /* how much of it is there; what is missing behind it */
    size_t frame_bytes;                   /* of a body, in what is sent */
    double resets;                        /* that the client may still send */
    int64_t resets_us;                    /* when that was counted */
};

static stream *add_stream(clv_http2 *h, int32_t id, void *object)
{
    stream *s = clv_alloc(sizeof *s);
    s->id = id;
    s->object = object;
    s->next = h->streams;
    if (s->next) s->next->previous = s;
    h->streams = s;
    return s;
}

static void close_stream(clv_http2 *h, stream *s, uint32_t code)
{
    if (s->previous) {
        s->previous->next = s->next;
    } else {
        h->streams = s->next;
    }
    if (s->next) s->next->previous = s->previous;
    h->ops->closed(s->object, code);
    clv_outbody_unref(s->body);
    if (s->trailers) clv_headers_done(s->trailers);
    free(s->trailers);
    free(s);
}

static stream *find(clv_http2 *h, int32_t id)
{
    return nghttp2_session_get_stream_user_data(h->session, id);
}

static size_t to_nv(const clv_headers *fields, nghttp2_nv nv[CLV_HTTP_HEADERS_MAX])
{
    for (size_t i = 0; i < fields->n; i++) {
        clv_header at = clv_headers_at(fields, i);
        nv[i] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)at.name,
                             .value = (uint8_t *)(uintptr_t)at.value,
                             .namelen = strlen(at.name),
                             .valuelen = strlen(at.value)};
    }
    return fields->n;
}

/* --- what nghttp2 calls --- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    clv_http2 *h = arg;
    if (!h->server || frame->hd.type != NGHTTP2_HEADERS ||
        frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0;
    }
    stream *s = add_stream(h, frame->hd.stream_id, NULL);
    s->object = h->ops->begin(h->arg, s->id);
    nghttp2_session_set_stream_user_data(session, s->id, s);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags, void *arg)
{
    (void)session, (void)flags;
    clv_http2 *h = arg;
    stream *s = find(h, frame->hd.stream_id);
    if (s) h->ops->header(s->object, (const char *)name, name_n, (const char *)value, value_n);
    return 0;
}

/* What else was read with the reset that is one too many is ignored: nghttp2 looks at no more frames. */
static void count_reset(clv_http2 *h)
{
    int64_t now_us = clv_now_us();
    double earned = (double)(now_us - h->resets_us) * 1e-6 * CLV_HTTP2_RESETS_PER_S;
    h->resets = CLV_MIN(h->resets + earned, (double)CLV_HTTP2_RESETS_BURST) - 1;
    h->resets_us = now_us;
    if (h->resets < 0) nghttp2_session_terminate_session(h->session, NGHTTP2_ENHANCE_YOUR_CALM);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    (void)session;
    clv_http2 *h = arg;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA: {
        stream *s = find(h, frame->hd.stream_id);
        if (!s) break;
        if (frame->hd.type == NGHTTP2_HEADERS) h->ops->headers_end(s->object);
        s = find(h, frame->hd.stream_id);
        if (s && frame->hd.flags & NGHTTP2_FLAG_END_STREAM) h->ops->end(s->object);
        break;
    }
    case NGHTTP2_RST_STREAM:
        if (h->server) count_reset(h);
        break;
    case NGHTTP2_SETTINGS:
        if (!h->met && h->ops->settings) h->ops->settings(h->arg);
        h->met = true;
        break;
    case NGHTTP2_GOAWAY:
        if (h->ops->goaway) h->ops->goaway(h->arg);
        break;
    default: break;
    }
    return 0;
}

/* An answer may be complete before its request is. Then the rest is read and dropped: clients that
 * are still sending would take a reset for the answer (curl before 8 does). Up to a limit: behind it
 * the peer is told to stop, as RFC 9113 8.1 has it. A stream that stalls falls to the read timeout.
 */
static void discard(clv_http2 *h, stream *s, size_t n)
{
    if (!h->server || !s || nghttp2_session_get_stream_local_close(h->session, s->id) != 1) return;
    bool told = s->unread > CLV_HTTP2_LINGER_BYTES;
    s->unread += n;
    if (!told && s->unread > CLV_HTTP2_LINGER_BYTES)
        nghttp2_submit_rst_stream(h->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_NO_ERROR);
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t n, void *arg)
{
    (void)flags;
    clv_http2 *h = arg;
    stream *s = find(h, id);
    if (s) h->ops->data(s->object, data, n);
    nghttp2_session_consume(session, id, n);
    discard(h, find(h, id), n);
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *arg)
{
    (void)session;
    clv_http2 *h = arg;
    stream *s = find(h, id);
    if (!s) return 0;
    nghttp2_session_set_stream_user_data(h->session, id, NULL);
    close_stream(h, s, code);
    return 0;
}

/* A request that never left (the peer is going away) has no stream that could close. */
static int on_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int code, void *arg)
{
    (void)code;
    clv_http2 *h = arg;
    if (h->server || frame->hd.type != NGHTTP2_HEADERS) return 0;
    for (stream *s = h->streams; s; s = s->next) {
        if (s->id != frame->hd.stream_id) continue;
        nghttp2_session_set_stream_user_data(session, s->id, NULL);
        close_stream(h, s, NGHTTP2_REFUSED_STREAM);
        break;
    }
    return 0;
}

static ssize_t frame_bytes(nghttp2_session *session, uint8_t type, int32_t id, int32_t window,
                           int32_t stream_window, uint32_t frame_max, void *arg)
{
    (void)session, (void)type, (void)id, (void)window, (void)stream_window;
    const clv_http2 *h = arg;
    return (ssize_t)CLV_MIN(frame_max, (uint32_t)h->frame_bytes);
}

/* How much of the body goes into the next frame; send_data() moves it. */
static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t max,
                         uint32_t *flags, nghttp2_data_source *source, void *arg)
{
    (void)buffer, (void)arg;
    stream *s = source->ptr;
    size_t left = clv_outbody_left(s->body);
    size_t n = CLV_MIN(max, left);
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (n < left) return (ssize_t)n;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (s->trailers) {
        nghttp2_nv nv[CLV_HTTP_HEADERS_MAX];
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        nghttp2_submit_trailer(session, id, nv, to_nv(s->trailers, nv));
    }
    return (ssize_t)n;
}

static int send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head, size_t n,
                     nghttp2_data_source *source, void *arg)
{
    (void)session, (void)frame;
    clv_http2 *h = arg;
    stream *s = source->ptr;
    if (h->out->bytes >= CLV_CONN_HIGH_WATER) return NGHTTP2_ERR_WOULDBLOCK;
    clv_outq_copy(h->out, head, 9);
    clv_outbody_queue(s->body, h->out, n);
    return 0;
}

/* --- the session --- */

static nghttp2_session *make_session(clv_http2 *h)
{
    nghttp2_session_callbacks *cb;
    nghttp2_option *option;
    if (nghttp2_session_callbacks_new(&cb) || nghttp2_option_new(&option)) abort();
    nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_close);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(cb, on_not_sent);
    nghttp2_session_callbacks_set_data_source_read_length_callback(cb, frame_bytes);
    nghttp2_session_callbacks_set_send_data_callback(cb, send_data);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_session *session;
    int failed = h->server ? nghttp2_session_server_new2(&session, cb, h, option)
                           : nghttp2_session_client_new2(&session, cb, h, option);
    if (failed) abort();
    nghttp2_session_callbacks_del(cb);
    nghttp2_option_del(option);
    return session;
}

clv_http2 *clv_http2_new(bool server, clv_outq *out, const clv_http2_ops *ops, void *arg)
{
    clv_http2 *h = clv_alloc(sizeof *h);
    h->server = server;
    h->out = out;
    h->ops = ops;
    h->arg = arg;
    h->resets = CLV_HTTP2_RESETS_BURST;
    h->resets_us = clv_now_us();
    h->frame_bytes = CLV_HTTP2_FRAME_BYTES;
    h->missing = server ? CLV_HTTP2_PREFACE_BYTES : 0;
    h->session = make_session(h);
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, CLV_HTTP2_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, CLV_HTTP2_FRAME_BYTES_MAX},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, CLV_HTTP_HEADER_BYTES_MAX},
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, CLV_HTTP_STREAMS_MAX},
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}, /* only a client may send it, so it is last */
    };
    nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings,
                            CLV_COUNT(settings) - (server ? 1 : 0));
    nghttp2_session_set_local_window_size(h->session, NGHTTP2_FLAG_NONE, 0, CLV_HTTP2_WINDOW);
    return h;
}

void clv_http2_free(clv_http2 *h)
{
    if (!h) return;
    while (h->streams) close_stream(h, h->streams, NGHTTP2_INTERNAL_ERROR);
    nghttp2_session_del(h->session);
    free(h);
}

/* Where frames end, which nghttp2 does not tell of those that it ignores. */
static void count_frames(clv_http2 *h, const unsigned char *bytes, size_t n)
{
    for (size_t at = 0; at < n;) {
        size_t part = CLV_MIN(n - at, h->missing);
        at += part;
        h->missing -= part;
        if (at == n || h->missing) continue;
        h->head[h->n_head++] = bytes[at++];
        if (h->n_head < FRAME_HEAD_BYTES) continue;
        h->n_head = 0;
        h->missing = (size_t)h->head[0] << 16 | (size_t)h->head[1] << 8 | h->head[2];
    }
}

clv_status clv_http2_receive(clv_http2 *h, const unsigned char *bytes, size_t n, clv_error *err)
{
    count_frames(h, bytes, n);
    ssize_t used = nghttp2_session_mem_recv(h->session, bytes, n);
    if (used >= 0 && !h->failed) return CLV_OK;
    h->failed = true;
    return clv_fail(err, CLV_EPROTO, "HTTP/2: %s",
                    used < 0 ? nghttp2_strerror((int)used) : "failed");
}

size_t clv_http2_missing(const clv_http2 *h)
{
    return h->failed ? 0 : h->missing;
}

unsigned char *clv_http2_room(clv_http2 *h, size_t *n)
{
    const unsigned char *head = h->head;
    bool plain = head[3] == NGHTTP2_DATA && !(head[4] & NGHTTP2_FLAG_PADDED);
    if (h->failed || !plain || h->missing < ROOM_BYTES_MIN) return NULL;
    uint32_t id =
        (uint32_t)head[5] << 24 | (uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 | head[8];
    stream *s = find(h, (int32_t)(id & INT32_MAX));
    unsigned char *room = s ? h->ops->room(s->object, n) : NULL;
    if (!room || *n < ROOM_BYTES_MIN) return NULL;
    *n = CLV_MIN(*n, h->missing);
    return room;
}

void clv_http2_pace(clv_http2 *h, double bytes_per_s)
{
    double bytes =
        CLV_MIN(bytes_per_s * 1e-6 * CLV_HTTP2_FRAME_US, (double)CLV_HTTP2_FRAME_BYTES_MAX);
    h->frame_bytes = bytes_per_s > 0 ? CLV_MAX((size_t)bytes, (size_t)CLV_HTTP2_FRAME_BYTES_MIN)
                                     : (size_t)CLV_HTTP2_FRAME_BYTES;
}

void clv_http2_produce(clv_http2 *h)
{
    while (!h->failed && h->out->bytes < CLV_CONN_HIGH_WATER) {
        const uint8_t *bytes;
        ssize_t n = nghttp2_session_mem_send(h->session, &bytes);
        if (n < 0) h->failed = true;
        if (n <= 0) return;
        clv_outq_copy(h->out, bytes, (size_t)n);
    }
}

bool clv_http2_is_over(const clv_http2 *h)
{
    return h->failed ||
           (!nghttp2_session_want_read(h->session) && !nghttp2_session_want_write(h->session));
}

/* The newest stream whose body has not gone yet; 0: none. */
static int32_t last_unsent(const clv_http2 *h)
{
    const stream *s = h->streams;
    while (s && (s->id <= 0 || !s->body || clv_outbody_left(s->body) == 0)) s = s->next;
    return s ? s->id : 0;
}

int32_t clv_http2_request(clv_http2 *h, const clv_headers *fields, clv_outbody *body, void *object)
{
    nghttp2_nv nv[CLV_HTTP_HEADERS_MAX];
    size_t n = to_nv(fields, nv);
    stream *s = add_stream(h, 0, object);
    s->body = clv_outbody_ref(body);
    nghttp2_data_provider provider = {.source.ptr = s, .read_callback = read_body};
    nghttp2_priority_spec behind;
    nghttp2_priority_spec_init(&behind, last_unsent(h), NGHTTP2_DEFAULT_WEIGHT, 0);
    s->id = nghttp2_submit_request(h->session, &behind, nv, n,
                                   clv_outbody_bytes(body) ? &provider : NULL, s);
    if (s->id > 0) return s->id;
    h->streams = s->next; /* it is the newest */
    if (s->next) s->next->previous = NULL;
    clv_outbody_unref(s->body);
    free(s);
    return -1;
}

void clv_http2_respond(clv_http2 *h, int32_t id, const clv_headers *fields, clv_outbody *body,
                       const clv_headers *trailers)
{
    stream *s = find(h, id);
    if (!s || s->body) return;
    nghttp2_nv nv[CLV_HTTP_HEADERS_MAX];
    size_t n = to_nv(fields, nv);
    s->body = clv_outbody_ref(body);
    if (trailers->n) {
        s->trailers = clv_alloc(sizeof *s->trailers);
        for (size_t i = 0; i < trailers->n; i++) {
            clv_header at = clv_headers_at(trailers, i);
            clv_headers_copy(s->trailers, &at, 1);
        }
    }
    nghttp2_data_provider provider = {.source.ptr = s, .read_callback = read_body};
    bool has_more = clv_outbody_bytes(body) || trailers->n;
    if (nghttp2_submit_response(h->session, id, nv, n, has_more ? &provider : NULL)) {
        clv_http2_reset(h, id, NGHTTP2_INTERNAL_ERROR);
    }
}

void clv_http2_continue(clv_http2 *h, int32_t id)
{
    static const clv_header status = {":status", "100"};
    clv_headers fields = {0};
    nghttp2_nv nv[CLV_HTTP_HEADERS_MAX];
    clv_headers_copy(&fields, &status, 1);
    nghttp2_submit_headers(h->session, NGHTTP2_FLAG_NONE, id, NULL, nv, to_nv(&fields, nv), NULL);
    clv_headers_done(&fields);
}

void clv_http2_reset(clv_http2 *h, int32_t id, uint32_t code)
{
    nghttp2_submit_rst_stream(h->session, NGHTTP2_FLAG_NONE, id, code);
}

size_t clv_http2_ping(clv_http2 *h)
{
    size_t left = 0;
    for (const stream *s = h->streams; s; s = s->next)
        if (s->body) left = CLV_MAX(left, clv_outbody_left(s->body));
    nghttp2_submit_ping(h->session, NGHTTP2_FLAG_NONE, NULL);
    return CLV_MIN(left, h->frame_bytes);
}

void clv_http2_announce_goaway(clv_http2 *h)
{
    nghttp2_submit_shutdown_notice(h->session);
}

void clv_http2_goaway(clv_http2 *h)
{
    nghttp2_submit_goaway(h->session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(h->session), NGHTTP2_NO_ERROR,
                          NULL, 0);
}

const char *clv_http2_code_text(uint32_t code)
{
    return nghttp2_http2_strerror(code);
}
