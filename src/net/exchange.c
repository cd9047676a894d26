#include "net/exchange.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/text.h"

#include <stdlib.h>
#include <string.h>

struct clv_exchange {
    atomic_int refs;
    clv_service *service;
    const clv_carrier_ops *ops;
    void *carrier; /* NULL: detached */
    char method[CLV_METHOD_MAX];
    clv_buf target;
    char *path, *query;
    clv_headers headers;
    clv_body *body;
    clv_body_sink sink;
    size_t body_max, received, content_length;
    bool begun;    /* the handler knows it */
    bool complete; /* the whole request was read */
    bool asked;    /* `request` was called: the handler owes an answer */
    bool answered;
    int64_t start_us, end_us, progress_us;
    void *data, *kept;
    void (*release_kept)(void *kept);
    clv_caller peer;
};

/* An answer on its way from a worker to the loop. */
typedef struct delivery {
    clv_exchange *x;
    clv_answer answer;
} delivery;

void clv_answer_done(clv_answer *a)
{
    clv_headers_done(&a->headers);
    clv_headers_done(&a->trailers);
    clv_outbody_unref(a->body);
    a->body = NULL;
}

clv_exchange *clv_exchange_new(clv_service *s, const clv_carrier_ops *ops, void *carrier,
                               const clv_caller *peer)
{
    clv_exchange *x = clv_alloc(sizeof *x);
    atomic_init(&x->refs, 1);
    x->service = s;
    clv_service_enter(s);
    x->ops = ops;
    x->carrier = carrier;
    x->body = clv_body_new();
    x->progress_us = clv_now_us();
    x->peer = *peer;
    return x;
}

static void unref(clv_exchange *x)
{
    if (atomic_fetch_sub(&x->refs, 1) != 1) return;
    clv_service *s = x->service;
    clv_service_buffer(s, -(int64_t)(x->sink.write ? 0 : x->received));
    if (x->release_kept) x->release_kept(x->kept);
    clv_body_unref(x->body);
    clv_buf_done(&x->target);
    clv_headers_done(&x->headers);
    free(x->path);
    free(x->query);
    free(x);
    clv_service_leave(s);
}

void clv_exchange_set_method(clv_exchange *x, const char *method, size_t n)
{
    snprintf(x->method, sizeof x->method, "%.*s", (int)CLV_MIN(n, sizeof x->method), method);
}

clv_status clv_exchange_add_target(clv_exchange *x, const char *bytes, size_t n, clv_error *err)
{
    if (n > CLV_HTTP_TARGET_MAX || x->target.len + n > CLV_HTTP_TARGET_MAX) {
        return clv_fail(err, CLV_ELIMIT, "target is longer than %d bytes", CLV_HTTP_TARGET_MAX);
    }
    clv_buf_add(&x->target, bytes, n);
    return CLV_OK;
}

clv_headers *clv_exchange_headers(clv_exchange *x)
{
    return &x->headers;
}

/* Hand an answer to the carrier, if there still is one. */
static void deliver(clv_exchange *x, clv_answer *a)
{
    x->answered = true;
    if (x->carrier) {
        x->ops->answer(x->carrier, x, a);
    } else {
        clv_answer_done(a);
    }
}

void clv_exchange_refuse(clv_exchange *x, int http, clv_status status, const char *text)
{
    if (x->answered || x->asked) return;
    clv_answer a = {.status = http};
    if (clv_text_is_grpc(clv_headers_get(&x->headers, "content-type"))) {
        char code[16];
        snprintf(code, sizeof code, "%d", clv_status_grpc(status));
        clv_buf message = {0};
        clv_text_percent_encode(&message, text);
        a.status = 200;
        clv_header h[] = {{"content-type", "application/grpc"},
                          {"grpc-status", code},
                          {"grpc-message", message.data ? message.data : ""}};
        clv_headers_copy(&a.headers, h, CLV_COUNT(h));
        clv_buf_done(&message);
        a.body = clv_outbody_new(NULL, 0);
    } else {
        clv_buf json = {0};
        clv_text_error_json(&json, text);
        clv_slice slice = {.bytes = json.len};
        slice.owner = clv_buf_take(&json);
        slice.data = slice.owner;
        slice.release = free;
        clv_header h[] = {{"content-type", "application/json"}, {"www-authenticate", "Bearer"}};
        clv_headers_copy(&a.headers, h, http == 401 ? 2 : 1);
        a.body = clv_outbody_new(&slice, 1);
    }
    bool begun = x->begun;
    x->begun = false;
    clv_service *s = x->service;
    atomic_fetch_add(&x->refs, 1); /* `gone` and the carrier may end it */
    deliver(x, &a);
    if (begun && s->handler.gone) s->handler.gone(s->ctx, x);
    unref(x);
}

static void refuse_error(clv_exchange *x, const clv_error *err)
{
    clv_exchange_refuse(x, clv_status_http(err->status), err->status, err->text);
}

/* Split and decode the target: "/a%20b?c" is path "/a b" and query "c". */
static clv_status split_target(clv_exchange *x, clv_error *err)
{
    clv_buf_reserve(&x->target, 0);
    char *text = x->target.data;
    size_t scheme = !strncmp(text, "http://", 7) ? 7 : !strncmp(text, "https://", 8) ? 8 : 0;
    if (scheme) { /* absolute form */
        text = strchr(text + scheme, '/');
        if (!text) text = x->target.data + x->target.len - 1, *text = '/';
    }
    if (x->target.len && !strcmp(text, "*")) *text = '/'; /* OPTIONS * */
    if (!x->target.len || *text != '/') {
        return clv_fail(err, CLV_EINVAL, "target '%.100s' does not start with '/'",
                        x->target.len ? text : "");
    }
    char *mark = strchr(text, '?');
    x->query = clv_strdup(mark ? mark + 1 : "");
    x->path = clv_strndup(text, mark ? (size_t)(mark - text) : strlen(text));
    if (!clv_text_percent_decode(x->path)) {
        return clv_fail(err, CLV_EINVAL, "path '%.100s' has a bad %%-escape", x->path);
    }
    if (strlen(x->path) > CLV_HTTP_PATH_MAX) {
        return clv_fail(err, CLV_ELIMIT, "path is longer than %d bytes", CLV_HTTP_PATH_MAX);
    }
    return CLV_OK;
}

void clv_exchange_begin(clv_exchange *x, size_t content_length)
{
    clv_error err = {0};
    clv_service *s = x->service;
    x->start_us = x->progress_us = clv_now_us();
    x->content_length = content_length;
    x->body_max = s->body_max;
    if (x->answered) return;
    clv_status status = split_target(x, &err);
    if (status == CLV_ELIMIT) {
        clv_exchange_refuse(x, 414, status, err.text);
        return;
    }
    if (!status)
        status = clv_service_admit(s, x->path, clv_headers_get(&x->headers, "authorization"), &err);
    if (status) {
        refuse_error(x, &err);
        return;
    }
    if (s->handler.begin) {
        status = s->handler.begin(s->ctx, x, &x->sink, &x->body_max, &err);
        if (status) {
            refuse_error(x, &err);
            return;
        }
    }
    x->begun = true;
    if (content_length > x->body_max) {
        clv_fail(&err, CLV_ELIMIT, "body of %zu bytes is larger than the limit of %zu bytes",
                 content_length, x->body_max);
        refuse_error(x, &err);
    }
}

/* gRPC clients send no content-length, but the message's first bytes tell its length. */
static size_t expected_bytes(const clv_exchange *x, const unsigned char *bytes, size_t n)
{
    if (x->content_length || x->received || n < 5) return x->content_length;
    if (!clv_text_is_grpc(clv_headers_get(&x->headers, "content-type"))) return 0;
    return 5 + ((size_t)bytes[1] << 24 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 8 | bytes[4]);
}

void clv_exchange_receive(clv_exchange *x, const void *bytes, size_t n)
{
    x->progress_us = clv_now_us();
    if (x->answered || !x->begun) return;
    clv_error err = {0};
    clv_status status;
    if (x->sink.write) {
        status = x->received + n > x->body_max
                     ? clv_fail(&err, CLV_ELIMIT, "body is larger than the limit of %zu bytes",
                                x->body_max)
                     : x->sink.write(x->sink.arg, bytes, n, &err);
    } else if (!clv_service_buffer(x->service, (int64_t)n)) {
        status = clv_fail(&err, CLV_EBUSY, "too many request bodies at once");
    } else {
        size_t hint = expected_bytes(x, bytes, n);
        if (!x->content_length) x->content_length = hint;
        status = clv_body_append(x->body, bytes, n, x->content_length, x->body_max, &err);
    }
    x->received += n;
    if (status) refuse_error(x, &err);
}

unsigned char *clv_exchange_room(clv_exchange *x, size_t *n)
{
    bool kept = x->begun && !x->complete && !x->answered && !x->sink.write;
    return kept ? clv_body_room(x->body, n) : NULL;
}

void clv_exchange_complete(clv_exchange *x)
{
    x->complete = true;
    x->end_us = x->progress_us = clv_now_us();
    if (x->answered || !x->begun) return;
    x->asked = true;
    atomic_fetch_add(&x->refs, 1); /* the handler's, until it responds */
    x->service->handler.request(x->service->ctx, x);
}

void clv_exchange_detach(clv_exchange *x)
{
    clv_service *s = x->service;
    x->carrier = NULL;
    if (x->begun && !x->answered && s->handler.gone) s->handler.gone(s->ctx, x);
    unref(x);
}

bool clv_exchange_is_answered(const clv_exchange *x)
{
    return x->answered;
}
bool clv_exchange_is_complete(const clv_exchange *x)
{
    return x->complete;
}
int64_t clv_exchange_progress_us(const clv_exchange *x)
{
    return x->progress_us;
}

static void deliver_posted(void *arg)
{
    delivery *d = arg;
    clv_exchange *x = d->x;
    deliver(x, &d->answer);
    unref(x);
    free(d);
}

void clv_exchange_respond(clv_exchange *x, const clv_response *r)
{
    delivery *d = clv_alloc(sizeof *d);
    d->x = x;
    d->answer.status = r->status;
    d->answer.body = clv_outbody_new(r->body, r->n_body);
    clv_headers_copy(&d->answer.headers, r->headers, r->n_headers);
    clv_headers_copy(&d->answer.trailers, r->trailers, r->n_trailers);
    clv_loop *loop = x->service->loop;
    if (clv_loop_here(loop)) {
        deliver_posted(d);
    } else {
        clv_loop_post(loop, deliver_posted, d);
    }
}

const char *clv_exchange_method(const clv_exchange *x)
{
    return x->method;
}
const char *clv_exchange_path(const clv_exchange *x)
{
    return x->path;
}
const char *clv_exchange_query(const clv_exchange *x)
{
    return x->query;
}
const char *clv_exchange_header(const clv_exchange *x, const char *lower_case_name)
{
    return clv_headers_get(&x->headers, lower_case_name);
}
const char *clv_exchange_peer(const clv_exchange *x)
{
    return x->peer.text;
}
const char *clv_exchange_who(const clv_exchange *x)
{
    return x->peer.who;
}
clv_body *clv_exchange_body(const clv_exchange *x)
{
    return x->body;
}
int64_t clv_exchange_start_us(const clv_exchange *x)
{
    return x->start_us;
}
int64_t clv_exchange_end_us(const clv_exchange *x)
{
    return x->end_us;
}
void clv_exchange_set_data(clv_exchange *x, void *data)
{
    x->data = data;
}
void *clv_exchange_data(const clv_exchange *x)
{
    return x->data;
}
void clv_exchange_keep(clv_exchange *x, void *kept, void (*release)(void *kept))
{
    x->kept = kept;
    x->release_kept = release;
}
void *clv_exchange_kept(const clv_exchange *x)
{
    return x->kept;
}
