#include "api/grpc_service.h"

#include "api/asker.h"
#include "api/metadata.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/wire.h"
#include "net/grpc.h"
#include "split/oip.h"

#include <stdlib.h>
#include <string.h>

/* One call: the exchange and its message. The message's memory is `body`. */
typedef struct call {
    clv_server *server;
    clv_exchange *x;
    const void *message;
    size_t bytes;
    clv_body *body;
} call;

static void fail(const call *c, const clv_error *err)
{
    clv_grpc_respond_error(c->x, err->status, err->text);
}

/* Answer with a small message. */
static void reply(const call *c, clv_buf *take)
{
    clv_slice slice = {.bytes = take->len, .release = free};
    slice.data = slice.owner = clv_buf_take(take);
    clv_grpc_respond(c->x, &slice, 1);
}

static void reply_bool(const call *c, bool value)
{
    clv_buf b = {0};
    if (value) clv_wire_put_number(&b, 1, 1);
    reply(c, &b);
}

/* The strings in fields 1 and 2, all that the small requests have. Free with free(). */
typedef struct names {
    char *first, *second;
} names;

static void names_done(names *n)
{
    free(n->first);
    free(n->second);
}

static clv_status read_names(const call *c, names *out, clv_error *err)
{
    clv_wire w = clv_wire_of(c->message, c->bytes);
    clv_wire_field f;
    while (clv_wire_more(&w)) {
        clv_status st = clv_wire_read(&w, &f, err);
        if (st) return st;
        if (f.number > 2) continue;
        size_t n = f.bytes;
        if (f.type != CLV_WIRE_BYTES || n >= CLV_NAME_MAX || (n && memchr(f.body, 0, n)))
            return clv_fail(err, CLV_EINVAL, "field %u is not a name", (unsigned)f.number);
        char **text = f.number == 1 ? &out->first : &out->second;
        free(*text);
        *text = clv_strndup((const char *)f.body, n);
    }
    return CLV_OK;
}

static void server_live(const call *c)
{
    reply_bool(c, true);
}

static void server_ready(const call *c)
{
    reply_bool(c, clv_server_ready(c->server));
}

static void server_metadata(const call *c)
{
    clv_buf b = {0};
    clv_wire_put_text(&b, 1, CLV_API_NAME);
    clv_wire_put_text(&b, 2, CLEAVE_VERSION);
#define X(extension) clv_wire_put_text(&b, 3, extension);
    CLV_API_EXTENSION_MAP(X)
#undef X
    reply(c, &b);
}

static void model_ready(const call *c)
{
    CLV_AUTO(names_done) names n = {0};
    clv_error err = {0};
    clv_model_info info = {0};
    if (read_names(c, &n, &err) ||
        clv_server_model(c->server, n.first ? n.first : "", n.second, &info, &err)) {
        fail(c, &err);
        return;
    }
    reply_bool(c, info.ready);
    clv_model_info_done(&info);
}

static void put_specs(clv_buf *b, uint32_t field, const clv_tensor_spec *specs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        clv_buf spec = {0}, shape = {0};
        clv_wire_put_text(&spec, 1, specs[i].name);
        clv_wire_put_text(&spec, 2, clv_dtype_oip(specs[i].dtype));
        for (int d = 0; d < specs[i].shape.rank; d++)
            clv_wire_put_varint(&shape, (uint64_t)specs[i].shape.dim[d]);
        if (shape.len) clv_wire_put_bytes(&spec, 3, shape.data, shape.len);
        clv_wire_put_bytes(b, field, spec.data, spec.len);
        clv_buf_done(&shape);
        clv_buf_done(&spec);
    }
}

static void model_metadata(const call *c)
{
    CLV_AUTO(names_done) names n = {0};
    CLV_AUTO(clv_metadata_done) clv_metadata m = {0};
    clv_error err = {0};
    if (read_names(c, &n, &err) ||
        clv_metadata_get(c->server, n.first ? n.first : "", n.second, &m, &err)) {
        fail(c, &err);
        return;
    }
    clv_buf b = {0};
    clv_wire_put_text(&b, 1, m.info.name);
    for (size_t i = 0; i < m.versions.n; i++) clv_wire_put_text(&b, 2, m.versions.items[i]);
    clv_wire_put_text(&b, 3, CLV_API_PLATFORM);
    put_specs(&b, 4, m.inputs, m.n_inputs);
    put_specs(&b, 5, m.outputs, m.n_outputs);
    reply(c, &b);
}

static void answer_infer(clv_request *r)
{
    clv_exchange *x = r->asker;
    if (r->error.status) {
        clv_grpc_respond_error(x, r->error.status, r->error.text);
        clv_request_free(r);
        return;
    }
    clv_oip_message m = clv_oip_encode_answer(r);
    clv_grpc_respond(x, m.slices, m.n);
    clv_oip_message_done(&m);
}

static void model_infer(const call *c)
{
    clv_error err = {0};
    clv_request *r = NULL;
    int64_t start_us = clv_exchange_end_us(c->x);
    int64_t now_us = clv_now_us();
    if (!start_us) start_us = now_us;
    clv_oip_bytes in = {c->message, c->bytes, c->body};
    if (clv_oip_decode_question(&in, start_us, &r, &err)) {
        fail(c, &err);
        return;
    }
    int64_t deadline_us = clv_grpc_deadline_us(c->x, now_us);
    if (deadline_us && (!r->deadline_us || deadline_us < r->deadline_us))
        r->deadline_us = deadline_us;
    r->timing.decode_us = clv_now_us() - start_us;
    r->asker = c->x;
    r->done = answer_infer;
    clv_asker_of(c->x, r);
    clv_server_submit(c->server, r);
}

/* grpc.health.v1: SERVING 1, NOT_SERVING 2; a service that is not here is NOT_FOUND. */
static void health_check(const call *c)
{
    static const char *const services[] = {"", "inference.GRPCInferenceService",
                                           "grpc.health.v1.Health"};
    CLV_AUTO(names_done) names n = {0};
    clv_error err = {0};
    if (read_names(c, &n, &err)) {
        fail(c, &err);
        return;
    }
    for (size_t i = 0; i < CLV_COUNT(services); i++) {
        if (strcmp(services[i], n.first ? n.first : "") != 0) continue;
        clv_buf b = {0};
        clv_wire_put_number(&b, 1, clv_server_ready(c->server) ? 1 : 2);
        reply(c, &b);
        return;
    }
    clv_fail(&err, CLV_ENOTFOUND, "no service '%s'", n.first);
    fail(c, &err);
}

static const struct method {
    const char *path;
    void (*handle)(const call *c);
} methods[] = {
    {CLV_OIP_METHOD, model_infer},
    {CLV_GRPC_SERVICE "/ServerLive", server_live},
    {CLV_GRPC_SERVICE "/ServerReady", server_ready},
    {CLV_GRPC_SERVICE "/ServerMetadata", server_metadata},
    {CLV_GRPC_SERVICE "/ModelReady", model_ready},
    {CLV_GRPC_SERVICE "/ModelMetadata", model_metadata},
    {CLV_GRPC_HEALTH "/Check", health_check},
};

void clv_grpc_service(clv_server *server, clv_exchange *x)
{
    const char *path = clv_exchange_path(x);
    for (size_t i = 0; i < CLV_COUNT(methods); i++) {
        if (strcmp(methods[i].path, path) != 0) continue;
        call c = {.server = server, .x = x};
        clv_error err = {0};
        if (clv_grpc_message(clv_exchange_body(x), clv_exchange_header(x, "grpc-encoding"),
                             CLV_TENSOR_BYTES_MAX, &c.body, &c.message, &c.bytes, &err)) {
            fail(&c, &err);
            return;
        }
        methods[i].handle(&c);
        clv_body_unref(c.body);
        return;
    }
    clv_error err = {0};
    clv_fail(&err, CLV_EUNSUPPORTED, "method '%s' is not implemented", path);
    clv_grpc_respond_error(x, err.status, err.text);
}
