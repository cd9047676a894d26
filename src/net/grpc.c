#include "net/grpc.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/body.h"
#include "net/text.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { INFLATE_STEP = 64 * 1024, GZIP_WINDOW = 15 + 16, TIMEOUT_DIGITS_MAX = 8 };

bool clv_grpc_is(const clv_exchange *x)
{
    return clv_text_is_grpc(clv_exchange_header(x, "content-type"));
}

/* --- messages --- */

static clv_status inflate_into(clv_body *out, z_stream *z, size_t max, clv_error *err)
{
    unsigned char *step = clv_alloc(INFLATE_STEP);
    clv_status status = CLV_OK;
    int code = Z_OK;
    while (!status && code == Z_OK) {
        z->next_out = step;
        z->avail_out = INFLATE_STEP;
        code = inflate(z, Z_NO_FLUSH);
        if (code != Z_OK && code != Z_STREAM_END) break;
        status = clv_body_append(out, step, INFLATE_STEP - z->avail_out, 0, max, err);
        if (code == Z_OK && !z->avail_in && z->avail_out) break; /* cut short */
    }
    free(step);
    if (status) return clv_within(err, "gRPC message, decompressed");
    if (code != Z_STREAM_END || z->avail_in) {
        return clv_fail(err, CLV_EINVAL, "gRPC message is not valid gzip");
    }
    return CLV_OK;
}

static clv_status gunzip(const unsigned char *bytes, size_t n, size_t max, clv_body **out,
                         clv_error *err)
{
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)bytes, .avail_in = (uInt)n};
    if (inflateInit2(&z, GZIP_WINDOW) != Z_OK) {
        return clv_fail(err, CLV_ELIMIT, "no memory to decompress a gRPC message");
    }
    clv_body *body = clv_body_new();
    clv_status status = inflate_into(body, &z, max, err);
    inflateEnd(&z);
    if (status) {
        clv_body_unref(body);
        return status;
    }
    *out = body;
    return CLV_OK;
}

clv_status clv_grpc_message(clv_body *body, const char *encoding, size_t max, clv_body **owner,
                            const void **message, size_t *bytes, clv_error *err)
{
    const unsigned char *data = clv_body_data(body);
    size_t have = clv_body_bytes(body);
    if (have < CLV_GRPC_PREFIX) {
        return clv_fail(err, CLV_EPROTO, "gRPC message: %zu bytes, its prefix alone has 5", have);
    }
    size_t n = (size_t)data[1] << 24 | (size_t)data[2] << 16 | (size_t)data[3] << 8 | data[4];
    if (data[0] > 1) return clv_fail(err, CLV_EPROTO, "gRPC message: flag is %d", data[0]);
    if (n != have - CLV_GRPC_PREFIX) {
        return clv_fail(err, CLV_EPROTO,
                        "gRPC message: prefix says %zu bytes, %zu came; exactly one message is "
                        "expected",
                        n, have - CLV_GRPC_PREFIX);
    }
    if (n > max) {
        return clv_fail(err, CLV_ELIMIT,
                        "gRPC message of %zu bytes is larger than the limit of %zu", n, max);
    }
    if (!data[0]) {
        *owner = clv_body_ref(body);
        *message = data + CLV_GRPC_PREFIX;
        *bytes = n;
        return CLV_OK;
    }
    if (!encoding || strcmp(encoding, "gzip") != 0) {
        return clv_fail(err, CLV_EUNSUPPORTED, "grpc-encoding '%.40s': only gzip is supported",
                        encoding ? encoding : "");
    }
    clv_body *plain = NULL;
    clv_status status = gunzip(data + CLV_GRPC_PREFIX, n, max, &plain, err);
    if (status) return status;
    *owner = plain;
    *message = clv_body_data(plain);
    *bytes = clv_body_bytes(plain);
    return CLV_OK;
}

int64_t clv_grpc_deadline_us(const clv_exchange *x, int64_t now_us)
{
    static const struct {
        char letter;
        int64_t us;
    } units[] = {{'H', 3600000000}, {'M', 60000000}, {'S', 1000000}, {'m', 1000}, {'u', 1}};
    const char *text = clv_exchange_header(x, "grpc-timeout");
    size_t digits = text ? strspn(text, "0123456789") : 0;
    if (!digits || digits > TIMEOUT_DIGITS_MAX || strlen(text) != digits + 1) return 0;
    int64_t n = strtoll(text, NULL, 10);
    if (text[digits] == 'n') return now_us + n / 1000;
    for (size_t i = 0; i < CLV_COUNT(units); i++) {
        if (units[i].letter == text[digits]) return now_us + n * units[i].us;
    }
    return 0;
}

/* The message's slices with the 5-byte prefix before them. */
static clv_slice *with_prefix(const clv_slice *message, size_t n)
{
    clv_slice *slices = clv_alloc_array(n + 1, sizeof *slices);
    unsigned char *prefix = clv_alloc(CLV_GRPC_PREFIX);
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        slices[i + 1] = message[i];
        bytes += message[i].bytes;
    }
    for (int i = 1; i < CLV_GRPC_PREFIX; i++) {
        prefix[i] = (unsigned char)(bytes >> 8 * (CLV_GRPC_PREFIX - 1 - i));
    }
    slices[0] = (clv_slice){prefix, CLV_GRPC_PREFIX, free, prefix};
    return slices;
}

/* --- server --- */

void clv_grpc_respond(clv_exchange *x, const clv_slice *message, size_t n)
{
    static const clv_header headers[] = {{"content-type", "application/grpc"},
                                         {"grpc-accept-encoding", "identity,gzip"}};
    static const clv_header trailers[] = {{"grpc-status", "0"}};
    clv_slice *slices = with_prefix(message, n);
    clv_exchange_respond(x, &(clv_response){.status = 200,
                                            .headers = headers,
                                            .n_headers = CLV_COUNT(headers),
                                            .body = slices,
                                            .n_body = n + 1,
                                            .trailers = trailers,
                                            .n_trailers = CLV_COUNT(trailers)});
    free(slices);
}

void clv_grpc_respond_error(clv_exchange *x, clv_status status, const char *text)
{
    char code[12];
    snprintf(code, sizeof code, "%d", clv_status_grpc(status));
    clv_buf message = {0};
    clv_text_percent_encode(&message, text);
    clv_header headers[] = {{"content-type", "application/grpc"},
                            {"grpc-status", code},
                            {"grpc-message", message.len ? message.data : ""}};
    clv_exchange_respond(
        x, &(clv_response){.status = 200, .headers = headers, .n_headers = CLV_COUNT(headers)});
    clv_buf_done(&message);
}

/* --- client --- */

typedef struct unary {
    void (*done)(void *arg, const clv_reply *reply, const clv_error *error, clv_body *owner,
                 const void *message, size_t bytes);
    void *arg;
} unary;

/* What the peer says of the call: grpc-status and grpc-message, or else the HTTP status. */
static clv_status reply_status(const clv_reply *r, clv_error *err)
{
    const char *status = clv_reply_header(r, "grpc-status");
    const char *message = clv_reply_header(r, "grpc-message");
    size_t code;
    if (!status || !clv_text_to_size(status, &code)) {
        if (r->status != 200) {
            return clv_fail(err, clv_status_from_http(r->status),
                            "peer answered HTTP status %d to a gRPC call", r->status);
        }
        return clv_fail(err, CLV_EPROTO, "peer's reply has no grpc-status");
    }
    if (code == 0) return CLV_OK;
    char *text = clv_strdup(message ? message : "");
    if (!clv_text_percent_decode(text)) snprintf(text, strlen(text) + 1, "%s", message);
    clv_status s = clv_status_from_grpc(code > 99 ? 99 : (int)code);
    clv_fail(err, s, "%s", *text ? text : clv_status_text(s));
    free(text);
    return s;
}

static void on_reply(void *arg, const clv_reply *r)
{
    unary *u = arg;
    clv_error err = {0};
    clv_body *owner = NULL;
    const void *message = NULL;
    size_t bytes = 0;
    if (r->error) {
        err = *r->error;
    } else if (!reply_status(r, &err)) {
        if (clv_grpc_message(r->body, clv_reply_header(r, "grpc-encoding"), UINT32_MAX, &owner,
                             &message, &bytes, &err)) {
            clv_within(&err, "peer's reply");
        }
    }
    u->done(u->arg, r, err.status ? &err : NULL, owner, message, bytes);
    clv_body_unref(owner);
    free(u);
}

/* grpc-timeout has eight digits at most: the finest unit that fits. */
static void show_timeout(int64_t left_us, char text[16])
{
    if (left_us < 1) left_us = 1;
    if (left_us < 100000000) {
        snprintf(text, 16, "%du", (int)left_us);
    } else if (left_us / 1000 < 100000000) {
        snprintf(text, 16, "%dm", (int)(left_us / 1000));
    } else {
        snprintf(text, 16, "%dS", (int)CLV_MIN(left_us / 1000000, (int64_t)99999999));
    }
}

uint64_t clv_grpc_client_call(clv_client *c, const clv_grpc_call *call)
{
    unary *u = clv_alloc(sizeof *u);
    u->done = call->done;
    u->arg = call->arg;
    char timeout[16];
    clv_header headers[] = {{"content-type", "application/grpc"},
                            {"te", "trailers"},
                            {"grpc-accept-encoding", "identity,gzip"},
                            {"grpc-timeout", timeout}};
    if (call->deadline_us) show_timeout(call->deadline_us - clv_now_us(), timeout);
    clv_slice *slices = with_prefix(call->message, call->n_message);
    uint64_t id = clv_client_call(c, &(clv_call){.method = "POST",
                                                 .path = call->method,
                                                 .headers = headers,
                                                 .n_headers = call->deadline_us ? 4 : 3,
                                                 .body = slices,
                                                 .n_body = call->n_message + 1,
                                                 .deadline_us = call->deadline_us,
                                                 .done = on_reply,
                                                 .arg = u});
    free(slices);
    return id;
}
