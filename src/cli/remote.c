#include "cli/remote.h"
#include "base/clock.h"
#include "base/wire.h"
#include "net/client.h"
#include "net/grpc.h"
#include "net/loop.h"
#include "split/coding.h"
#include "split/oip.h"

#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define METADATA_METHOD "/inference.GRPCInferenceService/ModelMetadata"

struct clv_remote {
    clv_remote_options o;
    clv_loop *loop;
    clv_client *client;
};

clv_status clv_remote_open(const clv_remote_options *options, clv_remote **out, clv_error *err)
{
    clv_remote *r = clv_alloc(sizeof *r);
    r->o = *options;
    r->loop = clv_loop_new();
    const clv_client_options c = {
        .url = r->o.url, .tls = &r->o.tls, .token = r->o.token, .reply_max = CLV_TENSOR_BYTES_MAX};
    clv_status st = clv_client_new(r->loop, &c, &r->client, err);
    if (st) {
        clv_remote_free(r);
        return st;
    }
    *out = r;
    return CLV_OK;
}

void clv_remote_free(clv_remote *r)
{
    if (!r) return;
    clv_client_free(r->client);
    clv_loop_free(r->loop);
    free(r);
}

/* One call that is waited for: what came of it. */
typedef struct waiting {
    clv_loop *loop;
    clv_error error;
    int http; /* status of the reply */
    clv_body *owner;
    const void *message;
    size_t bytes;
    int64_t start_us, sent_us, first_byte_us, end_us;
} waiting;

static void on_done(void *arg, const clv_reply *reply, const clv_error *error, clv_body *owner,
                    const void *message, size_t bytes)
{
    waiting *w = arg;
    w->http = reply->status;
    w->start_us = reply->start_us;
    w->sent_us = reply->sent_us;
    w->first_byte_us = reply->first_byte_us;
    w->end_us = reply->end_us;
    if (error) {
        w->error = *error;
    } else {
        w->owner = clv_body_ref(owner);
        w->message = message;
        w->bytes = bytes;
    }
    clv_loop_stop(w->loop);
}

/* What the node's refusal means for who typed the command. */
static clv_status explain(const clv_remote *r, const waiting *w, clv_error *err)
{
    clv_status st = w->error.status;
    if (st == CLV_EAUTH)
        return clv_fail(err, st, "%s: %s", r->o.url,
                        r->o.token ? "the token is wrong"
                                   : "a token is asked for: --token-file FILE or $CLEAVE_TOKEN");
    if (w->http && w->http != 200)
        return clv_fail(err, st, "%s: HTTP status %d to a gRPC call: is this an inference server?",
                        r->o.url, w->http);
    bool named = strstr(w->error.text, r->o.url); /* net/ names it where it cannot connect */
    return clv_fail(err, st, "%s%s%s", named ? "" : r->o.url, named ? "" : ": ", w->error.text);
}

static clv_status call(clv_remote *r, const char *method, const clv_slice *message, size_t n,
                       waiting *out, clv_error *err)
{
    *out = (waiting){.loop = r->loop};
    clv_grpc_client_call(
        r->client,
        &(clv_grpc_call){.method = method,
                         .message = message,
                         .n_message = n,
                         .deadline_us = r->o.timeout_us ? clv_now_us() + r->o.timeout_us : 0,
                         .done = on_done,
                         .arg = out});
    clv_loop_run(r->loop);
    return out->error.status ? explain(r, out, err) : CLV_OK;
}

void clv_remote_model_done(clv_remote_model *m)
{
    for (size_t i = 0; i < m->n_inputs; i++) free(m->inputs[i].name);
    free(m->inputs);
    free(m->version);
    *m = (clv_remote_model){0};
}

static clv_status text_of(const clv_wire_field *f, char **out, clv_error *err)
{
    size_t n = f->bytes;
    if (f->type != CLV_WIRE_BYTES || n > CLV_NAME_MAX || (n && memchr(f->body, 0, n)))
        return clv_fail(err, CLV_EPROTO, "field %u is not a name", (unsigned)f->number);
    free(*out);
    *out = clv_strndup((const char *)f->body, n);
    return CLV_OK;
}

/* One number, or several packed into one field. */
static clv_status add_dims(const clv_wire_field *f, clv_shape *shape, clv_error *err)
{
    clv_wire list = clv_wire_inside(f);
    uint64_t value = f->value;
    bool packed = f->type == CLV_WIRE_BYTES;
    if (!packed && f->type != CLV_WIRE_VARINT) return clv_fail(err, CLV_EPROTO, "a bad shape");
    while (!packed || clv_wire_more(&list)) {
        if (packed && !clv_wire_element(&list, CLV_WIRE_VARINT, &value))
            return clv_fail(err, CLV_EPROTO, "a bad shape");
        if (shape->rank == CLV_RANK_MAX)
            return clv_fail(err, CLV_ELIMIT, "more than %d dimensions", CLV_RANK_MAX);
        int64_t dim = (int64_t)value;
        shape->dim[shape->rank++] = dim < 0 ? -1 : dim;
        if (!packed) break;
    }
    return CLV_OK;
}

/* TensorMetadata. An empty shape means that nothing is known of it. */
static clv_status parse_spec(clv_wire w, clv_tensor_spec *out, clv_error *err)
{
    clv_wire_field f;
    clv_status st = CLV_OK;
    CLV_AUTO(clv_text_free) char *datatype = NULL;
    while (!st && clv_wire_more(&w)) {
        st = clv_wire_read(&w, &f, err);
        if (!st && f.number == 1) st = text_of(&f, &out->name, err);
        if (!st && f.number == 2) st = text_of(&f, &datatype, err);
        if (!st && f.number == 3) st = add_dims(&f, &out->shape, err);
    }
    if (st) return st;
    out->dtype = clv_dtype_from_oip(datatype ? datatype : "");
    if (!out->name || out->dtype == CLV_DTYPE_NONE)
        return clv_fail(err, CLV_EPROTO, "input '%s' has the datatype '%s', which is unknown",
                        out->name ? out->name : "", datatype ? datatype : "");
    if (out->shape.rank == 0) out->shape.rank = -1;
    return CLV_OK;
}

static clv_status parse_field(const clv_wire_field *f, clv_remote_model *m, size_t *cap,
                              clv_error *err)
{
    if (f->number == 2) return text_of(f, &m->version, err); /* the last one is the newest */
    if (f->number != 4) return CLV_OK;
    if (f->type != CLV_WIRE_BYTES) return clv_fail(err, CLV_EPROTO, "inputs are no messages");
    if (m->n_inputs == CLV_REMOTE_SPECS_MAX)
        return clv_fail(err, CLV_ELIMIT, "more than %d inputs", CLV_REMOTE_SPECS_MAX);
    clv_grow(&m->inputs, cap, m->n_inputs + 1, sizeof *m->inputs);
    m->inputs[m->n_inputs] = (clv_tensor_spec){0};
    return parse_spec(clv_wire_inside(f), &m->inputs[m->n_inputs++], err);
}

clv_status clv_remote_model_parse(const void *bytes, size_t n, clv_remote_model *out,
                                  clv_error *err)
{
    clv_remote_model m = {0};
    clv_wire w = clv_wire_of(bytes, n);
    clv_wire_field f;
    size_t cap = 0;
    clv_error why = {0};
    clv_status st = CLV_OK;
    while (!st && clv_wire_more(&w)) {
        st = clv_wire_read(&w, &f, &why);
        if (!st) st = parse_field(&f, &m, &cap, &why);
    }
    if (st) {
        clv_remote_model_done(&m);
        return clv_fail(err, st == CLV_ELIMIT ? st : CLV_EPROTO, "model's metadata: %s", why.text);
    }
    *out = m;
    return CLV_OK;
}

clv_status clv_remote_describe(clv_remote *r, const char *model, const char *version,
                               clv_remote_model *out, clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf question = {0};
    clv_wire_put_text(&question, 1, model);
    clv_wire_put_text(&question, 2, version);
    waiting w;
    clv_slice slice = {.data = question.data, .bytes = question.len};
    clv_status st = call(r, METADATA_METHOD, &slice, 1, &w, err);
    if (st) return st;
    st = clv_remote_model_parse(w.message, w.bytes, out, err);
    clv_body_unref(w.owner);
    if (st) return clv_within(err, "%s", r->o.url);
    if (version && *version) { /* of several versions the one asked for */
        free(out->version);
        out->version = clv_strdup(version);
    }
    return CLV_OK;
}

static void on_got(void *arg, const clv_reply *reply)
{
    waiting *w = arg;
    w->http = reply->status;
    if (reply->error) w->error = *reply->error;
    if (reply->body) w->owner = clv_body_ref(reply->body);
    clv_loop_stop(w->loop);
}

/* GET of what a cleave node tells of a model: "/v2/models/M[/versions/V]" and `tail`. `out->owner` is the caller's. */
static clv_status get(clv_remote *r, const char *model, const char *version, const char *tail,
                      waiting *out, clv_error *err)
{
    bool named = version && *version;
    CLV_AUTO(clv_text_free)
    char *path = clv_format("/v2/models/%s%s%s%s", model, named ? "/versions/" : "",
                            named ? version : "", tail);
    *out = (waiting){.loop = r->loop};
    clv_client_call(r->client,
                    &(clv_call){.method = "GET",
                                .path = path,
                                .deadline_us = r->o.timeout_us ? clv_now_us() + r->o.timeout_us : 0,
                                .done = on_got,
                                .arg = out});
    clv_loop_run(r->loop);
    if (!out->error.status) return CLV_OK;
    clv_body_unref(out->owner);
    return clv_fail(err, out->error.status, "%s: %s", r->o.url, out->error.text);
}

clv_status clv_remote_protocol(clv_remote *r, const char *model, const char *version, int *out,
                               clv_error *err)
{
    waiting w;
    clv_status st = get(r, model, version, "", &w, err);
    if (st) return st;
    json_t *doc = json_loadb(clv_body_data(w.owner), clv_body_bytes(w.owner), 0, NULL);
    const json_t *told = json_object_get(doc, "parameters");
    json_int_t protocol = json_integer_value(json_object_get(told, "cleave_protocol"));
    *out = w.http == 200 && protocol > 0 && protocol < INT_MAX ? (int)protocol : 0;
    json_decref(doc);
    clv_body_unref(w.owner);
    return CLV_OK;
}

clv_status clv_remote_profile(clv_remote *r, const char *model, const char *version,
                              clv_profile **out, clv_error *err)
{
    waiting w;
    clv_status st = get(r, model, version, "/profile", &w, err);
    if (st) return st;
    if (w.http != 200)
        st = clv_fail(err, clv_status_from_http(w.http), "HTTP status %d", w.http);
    else
        st = clv_profile_parse(clv_body_data(w.owner), clv_body_bytes(w.owner), out, err);
    clv_body_unref(w.owner);
    return st ? clv_within(err, "%s: its profile of '%s'", r->o.url, model) : CLV_OK;
}

static void times_of(const waiting *w, int64_t start_us, int64_t end_us, clv_outcome *a)
{
    bool told = w->sent_us && w->first_byte_us; /* 0: unknown */
    a->timed = a->timing.total_us > 0;
    a->send_us = told ? w->sent_us - start_us : 0;
    a->wait_us = told ? w->first_byte_us - w->sent_us : 0;
    a->receive_us = told ? end_us - w->first_byte_us : 0;
    if (a->wait_us < 0) a->wait_us = 0; /* answered before all was read */
    int64_t total_us = end_us - start_us;
    int64_t between_us = total_us - a->write_us - a->timing.total_us;
    a->network_us = a->timed ? CLV_MAX(between_us, (int64_t)0) : 0;
    a->timing.total_us = total_us;
}

/* What was asked, as the answer is known; takes the outputs. */
static void take_answer(const clv_remote_question *q, clv_oip_answer *a, clv_outcome *out)
{
    out->model = clv_strdup(*a->model ? a->model : q->model);
    out->version = *a->version ? clv_strdup(a->version) : NULL;
    out->outputs = a->outputs;
    out->trip = a->trip;
    out->timing = a->timing;
    out->predicted = a->predicted;
    a->outputs = (clv_tensors){0};
    memcpy(out->plan, a->plan, sizeof out->plan);
    memcpy(out->recovered, a->recovered, sizeof out->recovered);
}

/* Encodings that live until the message is sent, or will not be. */
static void drop_coded(void *owner)
{
    clv_tensors *coded = owner;
    clv_tensors_done(coded);
    free(coded);
}

/* The question as a message, and what of it crosses. */
static clv_status write_question(clv_remote *r, const clv_remote_question *q, clv_oip_message *m,
                                 clv_crossing *crossing, clv_error *err)
{
    clv_codec_text name = clv_codec_show(q->codec);
    clv_tensors *coded = NULL;
    const clv_tensors *inputs = q->inputs;
    if (clv_codec_index(q->codec)) {
        inputs = coded = clv_alloc(sizeof *coded);
        clv_status st = clv_coding_write(q->codec, q->inputs->items, q->inputs->n, coded, err);
        if (st) {
            free(coded);
            return st;
        }
    }
    const clv_oip_question question = {.model = q->model,
                                       .version = q->version,
                                       .inputs = inputs->items,
                                       .n_inputs = inputs->n,
                                       .codec = name.s,
                                       .timeout_us = r->o.timeout_us,
                                       .explain = q->explain};
    *crossing = clv_crossing_of(inputs->items, inputs->n);
    *m = clv_oip_encode_question(&question, coded ? drop_coded : NULL, coded);
    crossing->up_bytes = (int64_t)m->bytes;
    return CLV_OK;
}

clv_status clv_remote_infer(clv_remote *r, const clv_remote_question *q, clv_outcome *out,
                            clv_error *err)
{
    int64_t start_us = clv_now_us();
    clv_oip_message m;
    clv_crossing crossing;
    *out = (clv_outcome){0};
    clv_status st = write_question(r, q, &m, &crossing, err);
    if (st) return st;
    if (clv_codec_index(q->codec)) out->write_us = clv_now_us() - start_us;
    waiting w;
    st = call(r, CLV_OIP_METHOD, m.slices, m.n, &w, err);
    clv_oip_message_done(&m);
    if (st) return st;
    clv_oip_answer a = {0};
    crossing.down_bytes = (int64_t)w.bytes;
    st = clv_oip_decode_answer(&(clv_oip_bytes){w.message, w.bytes, w.owner}, &a, err);
    clv_body_unref(w.owner);
    if (st) return clv_within(err, "%s", r->o.url);
    out->crossed = clv_crossings_of(&crossing, &a.crossed);
    take_answer(q, &a, out);
    clv_oip_answer_done(&a);
    times_of(&w, start_us, clv_now_us(), out);
    return CLV_OK;
}
