/* Values into slices: the small fields in one buffer, the tensors where they are. */
#include "base/wire.h"
#include "net/grpc.h"
#include "split/oip.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The small bytes between the tensors, shared by all slices of a message. */
typedef struct carrier {
    atomic_size_t slices; /* not yet released */
    clv_buf small;
    void (*release)(void *owner);
    void *owner;
} carrier;

static void carrier_release(void *arg)
{
    carrier *c = arg;
    if (atomic_fetch_sub(&c->slices, 1) != 1) return;
    if (c->release) c->release(c->owner);
    clv_buf_done(&c->small);
    free(c);
}

enum { PAD_HEAD = 3 }; /* two bytes of tag, one of length */

/* Pad so that what follows after `tag_bytes` more is aligned in a body that starts with gRPC's
 * prefix. */
static void pad(clv_buf *b, size_t before, size_t tag_bytes)
{
    static const char zeros[CLV_OIP_ALIGN + PAD_HEAD];
    size_t at = CLV_GRPC_PREFIX + before + tag_bytes;
    size_t need = (CLV_OIP_ALIGN - at % CLV_OIP_ALIGN) % CLV_OIP_ALIGN;
    if (need == 0) return;
    if (need < PAD_HEAD) need += CLV_OIP_ALIGN;
    clv_wire_put_bytes(b, CLV_OIP_PAD_FIELD, zeros, need - PAD_HEAD);
}

/* The head is in `c->small`; add the tensors as raw field `raw_field`. */
static clv_oip_message with_tensors(carrier *c, const clv_tensor *tensors, size_t n, int raw_field)
{
    size_t *cuts = clv_alloc_array(n + 1, sizeof *cuts); /* ends of the pieces of small bytes */
    size_t raw_bytes = 0;
    for (size_t i = 0; i < n; i++) {
        size_t tag_bytes = 1 + clv_wire_varint_size(tensors[i].bytes);
        pad(&c->small, c->small.len + raw_bytes, tag_bytes);
        clv_wire_put_tag(&c->small, (uint32_t)raw_field, CLV_WIRE_BYTES);
        clv_wire_put_varint(&c->small, tensors[i].bytes);
        cuts[i] = c->small.len;
        raw_bytes += tensors[i].bytes;
    }
    cuts[n] = c->small.len;
    clv_oip_message m = {.slices = clv_alloc_array(2 * n + 1, sizeof *m.slices),
                         .bytes = c->small.len + raw_bytes};
    for (size_t i = 0, at = 0; i <= n; at = cuts[i++]) {
        if (cuts[i] > at || m.n == 0)
            m.slices[m.n++] = (clv_slice){c->small.data + at, cuts[i] - at, carrier_release, c};
        if (i < n && tensors[i].bytes)
            m.slices[m.n++] = (clv_slice){tensors[i].data, tensors[i].bytes, carrier_release, c};
    }
    atomic_store(&c->slices, m.n);
    free(cuts);
    return m;
}

/* One entry of map<string, InferParameter> parameters = 4; `value` is the InferParameter. */
static void put_parameter(clv_buf *b, const char *key, const clv_buf *value)
{
    clv_buf entry = {0};
    clv_wire_put_text(&entry, 1, key);
    clv_wire_put_bytes(&entry, 2, value->data, value->len);
    clv_wire_put_bytes(b, 4, entry.data, entry.len);
    clv_buf_done(&entry);
}

static void put_int_parameter(clv_buf *b, const char *key, int64_t number)
{
    clv_buf value = {0};
    clv_wire_put_number(&value, 2, (uint64_t)number);
    put_parameter(b, key, &value);
    clv_buf_done(&value);
}

static void put_text_parameter(clv_buf *b, const char *key, const char *text)
{
    if (!text || !*text) return;
    clv_buf value = {0};
    clv_wire_put_text(&value, 3, text);
    put_parameter(b, key, &value);
    clv_buf_done(&value);
}

/* What was predicted, for who asked to be told. */
static void put_prediction(clv_buf *b, const clv_request *r)
{
    if (!r->explain || !r->predicted.known) return;
#define X(name, about)                                                                             \
    put_int_parameter(b, "cleave_predicted_" #name, r->predicted.us.name);                         \
    put_int_parameter(b, "cleave_predicted_" #name "_sigma", r->predicted.sigma_us.name);
    CLV_TIMING_MAP(X)
#undef X
}

static void put_true_parameter(clv_buf *b, const char *key)
{
    clv_buf value = {0};
    clv_wire_put_number(&value, 1, 1);
    put_parameter(b, key, &value);
    clv_buf_done(&value);
}

/* inputs of a request and outputs of a response are both field 5, with the same fields inside; a
 * tensor's parameters are field 4, as those of the message. */
static void put_tensor_heads(clv_buf *b, const clv_tensor *tensors, size_t n, const char *codec)
{
    for (size_t i = 0; i < n; i++) {
        const clv_tensor *t = &tensors[i];
        clv_buf shape = {0}, head = {0};
        for (int d = 0; d < t->shape.rank; d++)
            clv_wire_put_varint(&shape, (uint64_t)t->shape.dim[d]);
        clv_wire_put_text(&head, 1, t->name);
        clv_wire_put_text(&head, 2, clv_dtype_oip(t->dtype));
        if (shape.len) clv_wire_put_bytes(&head, 3, shape.data, shape.len);
        if (t->coded) put_text_parameter(&head, CLV_OIP_CODEC, codec ? codec : "?");
        clv_wire_put_bytes(b, 5, head.data, head.len);
        clv_buf_done(&shape);
        clv_buf_done(&head);
    }
}

clv_oip_message clv_oip_encode_question(const clv_oip_question *q, void (*release)(void *owner),
                                        void *owner)
{
    carrier *c = clv_alloc(sizeof *c);
    c->release = release;
    c->owner = owner;
    clv_buf *b = &c->small;
    clv_wire_put_text(b, 1, q->model);
    clv_wire_put_text(b, 2, q->version);
    clv_wire_put_text(b, 3, q->id);
    put_text_parameter(b, "cleave_digest", q->digest);
    if (q->timeout_us > 0) put_int_parameter(b, "timeout", q->timeout_us);
    if (q->patient) put_true_parameter(b, "cleave_patient");
    if (q->local_only) put_true_parameter(b, "cleave_local_only");
    if (q->explain) put_true_parameter(b, "cleave_explain");
    put_text_parameter(b, "cleave_route", q->route);
    put_tensor_heads(b, q->inputs, q->n_inputs, q->codec);
    for (size_t i = 0; i < q->n_wanted; i++) {
        clv_buf wanted = {0};
        clv_wire_put_text(&wanted, 1, q->wanted[i]);
        clv_wire_put_bytes(b, 6, wanted.data, wanted.len);
        clv_buf_done(&wanted);
    }
    return with_tensors(c, q->inputs, q->n_inputs, 7);
}

/* Where the time went, here and behind, and what crossed the links on the way. */
static void put_trip(clv_buf *b, const clv_request *r)
{
    const clv_trip all = clv_request_trip(r);
    CLV_AUTO(clv_text_free) char *text = clv_trip_text(&all);
    put_text_parameter(b, "cleave_trip", text);
    CLV_AUTO(clv_text_free) char *crossed = clv_crossings_text(&r->crossed);
    put_text_parameter(b, "cleave_crossed", crossed);
}

static void free_request(void *request)
{
    clv_request_free(request);
}

clv_oip_message clv_oip_encode_answer(clv_request *take)
{
    carrier *c = clv_alloc(sizeof *c);
    c->release = free_request;
    c->owner = take;
    clv_buf *b = &c->small;
    clv_wire_put_text(b, 1, take->model);
    clv_wire_put_text(b, 2, take->version);
    clv_wire_put_text(b, 3, take->id);
    put_text_parameter(b, "cleave_plan", take->plan);
    put_text_parameter(b, "cleave_recovered", take->recovered);
    put_text_parameter(b, "cleave_hedged", take->hedged);
    if (take->shared) put_true_parameter(b, "cleave_shared");
#define X(name, about) put_int_parameter(b, "cleave_" #name, take->timing.name);
    CLV_TIMING_MAP(X)
#undef X
    put_prediction(b, take);
    put_trip(b, take);
    put_tensor_heads(b, take->outputs.items, take->outputs.n, NULL);
    return with_tensors(c, take->outputs.items, take->outputs.n, 6);
}

void clv_oip_message_done(clv_oip_message *m)
{
    free(m->slices);
    *m = (clv_oip_message){0};
}
