#include "api/rest_stream.h"

#include "api/rest_reply.h"
#include "base/mem.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

/* What hangs on the exchange while a body arrives. */
typedef struct stream {
    clv_model_push *push; /* NULL: a probe */
    size_t received;
} stream;

static stream *stream_new(clv_exchange *x)
{
    stream *s = clv_alloc(sizeof *s);
    clv_exchange_set_data(x, s);
    return s;
}

/* Take it off the exchange; the caller frees it. */
static stream *stream_take(clv_exchange *x)
{
    stream *s = clv_exchange_data(x);
    clv_exchange_set_data(x, NULL);
    return s;
}

void clv_rest_stream_gone(clv_exchange *x)
{
    stream *s = stream_take(x);
    if (!s) return;
    if (s->push) clv_model_push_abort(s->push);
    free(s);
}

static clv_status push_write(void *arg, const void *bytes, size_t n, clv_error *err)
{
    stream *s = arg;
    s->received += n;
    return clv_model_push_write(s->push, bytes, n, err);
}

clv_status clv_rest_push_begin(const clv_rest_call *c, clv_body_sink *sink, size_t *body_max,
                               clv_error *err)
{
    const char *digest = clv_exchange_header(c->x, "x-cleave-digest");
    if (!digest || strlen(digest) != CLV_DIGEST_TEXT - 1)
        return clv_fail(err, CLV_EINVAL,
                        "header x-cleave-digest is %s, wanted the model's digest as %d hex digits",
                        digest ? "malformed" : "missing", CLV_DIGEST_TEXT - 1);
    clv_model_push *push;
    clv_status st = clv_server_push_begin(c->server, c->model, c->version, digest, &push, err);
    if (st) return st;
    stream *s = stream_new(c->x);
    s->push = push;
    *sink = (clv_body_sink){.write = push_write, .arg = s};
    *body_max = CLV_REST_MODEL_MAX;
    return CLV_OK;
}

static void reply_stored(void *arg, const clv_error *error)
{
    if (error)
        clv_rest_reply_error(arg, error);
    else
        clv_rest_reply(arg, 200, json_pack("{s:b}", "stored", 1));
}

void clv_rest_push(const clv_rest_call *c)
{
    stream *s = stream_take(c->x);
    if (!s) {
        clv_error err = {0};
        clv_fail(&err, CLV_EINTERNAL, "a push without its stream");
        clv_rest_reply_error(c->x, &err);
        return;
    }
    clv_model_push *push = s->push;
    free(s);
    clv_model_push_end(push, reply_stored, c->x);
}

static clv_status probe_write(void *arg, const void *bytes, size_t n, clv_error *err)
{
    (void)bytes;
    (void)err;
    stream *s = arg;
    s->received += n;
    return CLV_OK;
}

clv_status clv_rest_probe_begin(const clv_rest_call *c, clv_body_sink *sink, size_t *body_max,
                                clv_error *err)
{
    (void)err;
    *sink = (clv_body_sink){.write = probe_write, .arg = stream_new(c->x)};
    *body_max = CLV_REST_PROBE_MAX;
    return CLV_OK;
}

/* "reply=N" of the query; 0 if there is none. */
static clv_status read_reply_bytes(const clv_rest_call *c, size_t *bytes, clv_error *err)
{
    const char *query = clv_exchange_query(c->x);
    int64_t n = 0;
    *bytes = 0;
    if (strncmp(query, "reply=", 6) != 0) return CLV_OK;
    clv_status st = clv_parse_int(query + 6, &n, err);
    if (st) return clv_within(err, "reply");
    if (n < 0 || (size_t)n > CLV_REST_PROBE_MAX)
        return clv_fail(err, CLV_ELIMIT, "reply=%lld, at most %zu bytes", (long long)n,
                        CLV_REST_PROBE_MAX);
    *bytes = (size_t)n;
    return CLV_OK;
}

enum { SPACES = 1 << 16 };

void clv_rest_probe(const clv_rest_call *c)
{
    stream *s = stream_take(c->x);
    size_t received = s ? s->received : 0, padding;
    free(s);
    clv_error err = {0};
    if (read_reply_bytes(c, &padding, &err)) {
        clv_rest_reply_error(c->x, &err);
        return;
    }
    char *text = clv_format("{\"received\":%zu}", received);
    char *spaces = clv_alloc(SPACES);
    memset(spaces, ' ', SPACES);
    size_t n = 1 + (padding + SPACES - 1) / SPACES;
    clv_slice *slices = clv_alloc_array(n, sizeof *slices);
    slices[0] = (clv_slice){text, strlen(text), free, text};
    for (size_t i = 1; i < n; i++, padding -= CLV_MIN(padding, SPACES))
        slices[i] = (clv_slice){.data = spaces, .bytes = CLV_MIN(padding, SPACES)};
    if (n > 1) { /* sent in order: the last one frees what they share */
        slices[n - 1].release = free;
        slices[n - 1].owner = spaces;
    } else {
        free(spaces);
    }
    const clv_header type = {"content-type", "application/json"};
    clv_exchange_respond(
        c->x, &(clv_response){
                  .status = 200, .headers = &type, .n_headers = 1, .body = slices, .n_body = n});
    free(slices);
}
