#include "net/http1.h"

#include "base/mem.h"
#include "net/text.h"

#include <llhttp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    FRAMING_SLACK = 64 * 1024, /* bytes around a body that are always accepted */
    FRAMING_FACTOR = 16,       /* and for each byte of it: one-byte chunks cost six */
};

struct clv_http1 {
    clv_service *service;
    clv_outq *out;
    clv_caller peer;
    void (*wake)(void *arg);
    void *arg;
    llhttp_t parser;
    clv_exchange *x;     /* the request in work, or NULL */
    clv_buf name, value; /* the header field that is being read */
    size_t head_bytes;   /* of target and header fields */
    size_t raw_bytes, body_bytes;
    clv_buf pending;      /* behind the request in work */
    bool head_scanned;    /* the blank line behind the head was seen */
    char last;            /* byte of the head */
    size_t lines, column; /* in the head */
    bool running;         /* inside _receive: answers only set flags */
    bool head_done, has_body, complete, answered;
    bool keep_alive, closing, draining;
};

static void refuse(clv_http1 *h, int http, clv_status status, const char *text);

/* --- answers --- */

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } reasons[] = {{200, "OK"},
                   {204, "No Content"},
                   {304, "Not Modified"},
                   {400, "Bad Request"},
                   {401, "Unauthorized"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {408, "Request Timeout"},
                   {409, "Conflict"},
                   {412, "Precondition Failed"},
                   {413, "Content Too Large"},
                   {414, "URI Too Long"},
                   {417, "Expectation Failed"},
                   {429, "Too Many Requests"},
                   {431, "Request Header Fields Too Large"},
                   {499, "Client Closed Request"},
                   {500, "Internal Server Error"},
                   {501, "Not Implemented"},
                   {502, "Bad Gateway"},
                   {503, "Service Unavailable"},
                   {504, "Gateway Timeout"},
                   {505, "HTTP Version Not Supported"}};
    for (size_t i = 0; i < CLV_COUNT(reasons); i++) {
        if (reasons[i].status == status) return reasons[i].text;
    }
    return "Unknown";
}

static void write_head(clv_http1 *h, const clv_answer *a, bool bare, bool keep)
{
    clv_buf head = {0};
    clv_buf_printf(&head, "HTTP/1.1 %d %s\r\n", a->status, reason(a->status));
    for (size_t i = 0; i < a->headers.n; i++) {
        clv_header at = clv_headers_at(&a->headers, i);
        clv_buf_printf(&head, "%s: %s\r\n", at.name, at.value);
    }
    if (!bare) clv_buf_printf(&head, "content-length: %zu\r\n", clv_outbody_bytes(a->body));
    if (!keep) {
        clv_buf_text(&head, "connection: close\r\n");
    } else if (h->parser.http_minor == 0) {
        clv_buf_text(&head, "connection: keep-alive\r\n");
    }
    clv_buf_text(&head, "\r\n");
    clv_outq_copy(h->out, head.data, head.len);
    clv_buf_done(&head);
}

static void run(clv_http1 *h);

static void answer(void *carrier, clv_exchange *x, clv_answer *a)
{
    clv_http1 *h = carrier;
    bool keep = h->keep_alive && !h->draining && (h->complete || (h->head_done && !h->has_body));
    bool bare = a->status == 204 || a->status == 304;
    write_head(h, a, bare, keep);
    if (!bare && strcmp(clv_exchange_method(x), "HEAD") != 0) {
        clv_outbody_queue(a->body, h->out, clv_outbody_bytes(a->body));
    }
    clv_answer_done(a);
    h->answered = true;
    if (!keep) h->closing = true;
    if (h->running) return;
    run(h);
    h->wake(h->arg);
}

static const clv_carrier_ops carrier_ops = {.answer = answer};

static void refuse(clv_http1 *h, int http, clv_status status, const char *text)
{
    h->keep_alive = false;
    if (!h->x) h->x = clv_exchange_new(h->service, &carrier_ops, h, &h->peer);
    clv_exchange_refuse(h->x, http, status, text);
    h->closing = true;
}

/* --- what llhttp calls; -1 stops it --- */

static int on_begin(llhttp_t *parser)
{
    clv_http1 *h = parser->data;
    h->x = clv_exchange_new(h->service, &carrier_ops, h, &h->peer);
    h->head_bytes = h->raw_bytes = h->body_bytes = 0;
    h->head_done = h->has_body = h->complete = h->answered = h->keep_alive = false;
    clv_buf_clear(&h->name);
    clv_buf_clear(&h->value);
    return 0;
}

static int on_target(llhttp_t *parser, const char *bytes, size_t n)
{
    clv_http1 *h = parser->data;
    clv_error err = {0};
    if (clv_exchange_add_target(h->x, bytes, n, &err)) {
        refuse(h, 414, CLV_ELIMIT, err.text);
        return -1;
    }
    return 0;
}

static int add_field_bytes(clv_http1 *h, clv_buf *to, const char *bytes, size_t n)
{
    h->head_bytes += n;
    if (h->head_bytes > CLV_HTTP_HEADER_BYTES_MAX) {
        refuse(h, 431, CLV_ELIMIT, "header fields are larger than the limit of 16384 bytes");
        return -1;
    }
    if (!h->head_done) clv_buf_add(to, bytes, n); /* trailers are not kept */
    return 0;
}

static int on_name(llhttp_t *parser, const char *bytes, size_t n)
{
    clv_http1 *h = parser->data;
    return add_field_bytes(h, &h->name, bytes, n);
}

static int on_value(llhttp_t *parser, const char *bytes, size_t n)
{
    clv_http1 *h = parser->data;
    return add_field_bytes(h, &h->value, bytes, n);
}

static int on_field_end(llhttp_t *parser)
{
    clv_http1 *h = parser->data;
    clv_error err = {0};
    if (h->head_done) return 0;
    while (h->value.len &&
           (h->value.data[h->value.len - 1] == ' ' || h->value.data[h->value.len - 1] == '\t')) {
        h->value.len--;
    }
    clv_status status = clv_headers_add(clv_exchange_headers(h->x), h->name.data, h->name.len,
                                        h->value.data, h->value.len, &err);
    clv_buf_clear(&h->name);
    clv_buf_clear(&h->value);
    if (!status) return 0;
    refuse(h, 431, CLV_ELIMIT, err.text);
    return -1;
}

/* What llhttp lets through and a server must not. */
static bool check_head(clv_http1 *h)
{
    clv_headers *fields = clv_exchange_headers(h->x);
    const char *coding = clv_headers_get(fields, "transfer-encoding");
    const char *expect = clv_headers_get(fields, "expect");
    size_t hosts = clv_headers_count(fields, "host");
    bool is_11 = h->parser.http_minor == 1;
    if (h->parser.http_major != 1) {
        refuse(h, 505, CLV_EUNSUPPORTED, "this HTTP version is not spoken here");
    } else if (hosts > 1 || (is_11 && hosts == 0)) {
        refuse(h, 400, CLV_EINVAL, hosts ? "more than one Host field" : "Host field is missing");
    } else if (h->parser.method == HTTP_CONNECT || h->parser.method == HTTP_TRACE) {
        refuse(h, 501, CLV_EUNSUPPORTED, "method is not supported");
    } else if (coding && (!is_11 || clv_headers_get(fields, "content-length") ||
                          clv_headers_count(fields, "transfer-encoding") > 1)) {
        refuse(h, 400, CLV_EINVAL, "the request's length is given in more than one way");
    } else if (coding && strcasecmp(coding, "chunked") != 0) {
        refuse(h, 501, CLV_EUNSUPPORTED, "the only transfer coding supported is chunked");
    } else if (expect && strcasecmp(expect, "100-continue") != 0) {
        refuse(h, 417, CLV_EINVAL, "the only expectation supported is 100-continue");
    } else if (clv_text_is_grpc(clv_headers_get(fields, "content-type"))) {
        refuse(h, 505, CLV_EUNSUPPORTED, "gRPC needs HTTP/2");
    }
    return !h->closing;
}

static int on_head_end(llhttp_t *parser)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    clv_http1 *h = parser->data;
    const char *method = llhttp_method_name((llhttp_method_t)parser->method);
    parser->upgrade = 0;
    h->head_done = true;
    h->has_body = parser->flags & F_CHUNKED || parser->content_length > 0;
    clv_exchange_set_method(h->x, method, strlen(method));
    if (!check_head(h)) return -1;
    h->keep_alive = llhttp_should_keep_alive(parser);
    clv_exchange_begin(h->x, parser->flags & F_CHUNKED ? 0 : (size_t)parser->content_length);
    if (h->closing) return -1;
    if (h->has_body && parser->http_minor && !clv_exchange_is_answered(h->x) &&
        clv_headers_get(clv_exchange_headers(h->x), "expect")) {
        clv_outq_copy(h->out, go_on, sizeof go_on - 1);
    }
    return 0;
}

static int on_body(llhttp_t *parser, const char *bytes, size_t n)
{
    clv_http1 *h = parser->data;
    h->body_bytes += n;
    clv_exchange_receive(h->x, bytes, n);
    return h->closing ? -1 : 0;
}

static int on_complete(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED; /* one request at a time */
}

static const llhttp_settings_t settings = {.on_message_begin = on_begin,
                                           .on_url = on_target,
                                           .on_header_field = on_name,
                                           .on_header_value = on_value,
                                           .on_header_value_complete = on_field_end,
                                           .on_headers_complete = on_head_end,
                                           .on_body = on_body,
                                           .on_message_complete = on_complete};

/* --- the connection --- */

/* llhttp is lenient with line ends and takes folded fields; two readers that disagree on where a
 * field ends are what request smuggling lives from. */
static bool scan_head(clv_http1 *h, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n && !h->head_scanned; i++) {
        char c = bytes[i];
        if ((h->last == '\r') != (c == '\n')) return false;
        if (c == '\n') {
            h->head_scanned = h->lines && !h->column;
            h->lines += h->column > 0;
            h->column = 0;
        } else if (c != '\r') {
            if (h->lines && !h->column && (c == ' ' || c == '\t')) return false;
            h->column++;
        }
        h->last = c;
    }
    return true;
}

/* Returns the bytes used. */
static size_t parse(clv_http1 *h, const char *bytes, size_t n)
{
    if (!scan_head(h, bytes, n)) {
        refuse(h, 400, CLV_EINVAL, "malformed HTTP request: folded field, or CR or LF alone");
        return n;
    }
    llhttp_errno_t e = llhttp_execute(&h->parser, bytes, n);
    size_t used = e == HPE_OK ? n : (size_t)(llhttp_get_error_pos(&h->parser) - bytes);
    h->raw_bytes += used;
    if (e == HPE_PAUSED && !h->closing) {
        llhttp_resume(&h->parser);
        h->complete = true;
        h->head_scanned = false;
        h->lines = h->column = 0;
        h->last = 0;
        clv_exchange_complete(h->x);
    } else if (e != HPE_OK && !h->closing) {
        clv_error err = {0};
        const char *why = llhttp_get_error_reason(&h->parser);
        clv_fail(&err, CLV_EINVAL, "malformed HTTP request: %s",
                 why && *why ? why : llhttp_errno_name(e));
        refuse(h, 400, CLV_EINVAL, err.text);
    } else if (h->raw_bytes > FRAMING_SLACK + FRAMING_FACTOR * h->body_bytes && !h->closing) {
        refuse(h, 400, CLV_ELIMIT, "too many bytes around a small body");
    }
    return used;
}

static bool may_parse(const clv_http1 *h)
{
    return !h->closing && !(h->x && h->complete);
}

/* End what is answered and go on with what waits. */
static void run(clv_http1 *h)
{
    h->running = true;
    for (;;) {
        if (h->x && h->answered && (h->complete || h->closing)) {
            clv_exchange *x = h->x;
            h->x = NULL;
            clv_exchange_detach(x);
        }
        if (!may_parse(h) || !h->pending.len) break;
        clv_buf_consume(&h->pending, parse(h, h->pending.data, h->pending.len));
    }
    h->running = false;
}

clv_http1 *clv_http1_new(clv_service *service, clv_outq *out, const clv_caller *peer,
                         void (*wake)(void *arg), void *arg)
{
    clv_http1 *h = clv_alloc(sizeof *h);
    h->service = service;
    h->out = out;
    h->wake = wake;
    h->arg = arg;
    h->peer = *peer;
    llhttp_init(&h->parser, HTTP_REQUEST, &settings);
    h->parser.data = h;
    return h;
}

void clv_http1_free(clv_http1 *h)
{
    if (!h) return;
    if (h->x) clv_exchange_detach(h->x);
    clv_buf_done(&h->name);
    clv_buf_done(&h->value);
    clv_buf_done(&h->pending);
    free(h);
}

void clv_http1_receive(clv_http1 *h, const unsigned char *bytes, size_t n)
{
    if (h->closing) return;
    h->running = true;
    size_t used = may_parse(h) && !h->pending.len ? parse(h, (const char *)bytes, n) : 0;
    if (!h->closing && used < n) clv_buf_add(&h->pending, bytes + used, n - used);
    run(h);
}

bool clv_http1_wants_input(const clv_http1 *h)
{
    return h->closing || h->pending.len < CLV_HTTP1_PENDING_MAX;
}

bool clv_http1_is_busy(const clv_http1 *h)
{
    return h->x != NULL;
}

bool clv_http1_is_over(const clv_http1 *h)
{
    return h->closing && !h->x;
}

void clv_http1_expire(clv_http1 *h, int64_t since_us)
{
    if (!h->x || h->complete || h->closing || clv_exchange_progress_us(h->x) >= since_us) return;
    h->running = true;
    refuse(h, 408, CLV_ETIMEOUT, "the request did not arrive in time");
    run(h);
}

void clv_http1_drain(clv_http1 *h)
{
    h->draining = true;
    if (!h->x) h->closing = true;
}
