/* Bytes into values: one pass that notes where things are, then the tensors, then the parameters.
 */
#include "base/wire.h"
#include "net/grpc.h"
#include "split/contents.h"
#include "split/itinerary.h"
#include "split/oip.h"

#include <stdlib.h>
#include <string.h>

/* A tensor as the message describes it, before its data is found. */
typedef struct tensor_head {
    char *name;
    clv_dtype dtype;
    clv_shape shape;
    clv_wire contents; /* the typed elements; empty: none */
    bool coded;        /* its raw contents are an encoding */
} tensor_head;

/* Everything of a message in the order it came; views into it but for the names. */
typedef struct message {
    char *model, *version, *id;
    tensor_head *heads;
    size_t n_heads, heads_cap;
    clv_wire *raws;
    size_t n_raws, raws_cap;
    clv_text_list wanted;
    clv_wire *parameters; /* entries of the map */
    size_t n_parameters, parameters_cap;
} message;

static void message_done(message *m)
{
    for (size_t i = 0; i < m->n_heads; i++) free(m->heads[i].name);
    free(m->model);
    free(m->version);
    free(m->id);
    free(m->heads);
    free(m->raws);
    free(m->parameters);
    clv_text_list_done(&m->wanted);
}

static clv_status check_text(const clv_wire_field *f, const char *what, clv_error *err)
{
    size_t n = f->bytes;
    if (f->type != CLV_WIRE_BYTES)
        return clv_fail(err, CLV_EINVAL, "%s has wire type %d, wanted bytes", what, (int)f->type);
    if (n >= CLV_NAME_MAX)
        return clv_fail(err, CLV_ELIMIT, "%s has %zu bytes, at most %d are allowed", what, n,
                        CLV_NAME_MAX - 1);
    if (n && memchr(f->body, 0, n))
        return clv_fail(err, CLV_EINVAL, "%s contains a NUL byte", what);
    return CLV_OK;
}

/* The last one wins, as protobuf has it for repeated singular fields. */
static clv_status take_text(const clv_wire_field *f, const char *what, char **text, clv_error *err)
{
    clv_status st = check_text(f, what, err);
    if (st) return st;
    free(*text);
    *text = clv_strndup((const char *)f->body, f->bytes);
    return CLV_OK;
}

static clv_status add_dim(clv_shape *shape, uint64_t dim, clv_error *err)
{
    if (shape->rank == CLV_RANK_MAX)
        return clv_fail(err, CLV_ELIMIT, "more than %d dimensions", CLV_RANK_MAX);
    if (dim > INT64_MAX)
        return clv_fail(err, CLV_EINVAL, "dimension %d is negative (%lld)", shape->rank,
                        (long long)dim);
    shape->dim[shape->rank++] = (int64_t)dim;
    return CLV_OK;
}

static clv_status take_dims(const clv_wire_field *f, clv_shape *shape, clv_error *err)
{
    if (f->type == CLV_WIRE_VARINT) return add_dim(shape, f->value, err);
    if (f->type != CLV_WIRE_BYTES)
        return clv_fail(err, CLV_EINVAL, "shape has wire type %d", (int)f->type);
    clv_wire packed = clv_wire_inside(f);
    while (clv_wire_more(&packed)) {
        uint64_t dim;
        if (!clv_wire_element(&packed, CLV_WIRE_VARINT, &dim))
            return clv_fail(err, CLV_EINVAL, "dimension %d is cut off", shape->rank);
        clv_status st = add_dim(shape, dim, err);
        if (st) return st;
    }
    return CLV_OK;
}

static clv_status take_contents(const clv_wire_field *f, tensor_head *head, clv_error *err)
{
    if (f->type != CLV_WIRE_BYTES || clv_wire_more(&head->contents))
        return clv_fail(err, CLV_EINVAL, "contents are malformed or given twice");
    head->contents = clv_wire_inside(f);
    return CLV_OK;
}

static clv_status take_dtype(const clv_wire_field *f, clv_dtype *dtype, clv_error *err)
{
    char *text = NULL;
    clv_status st = take_text(f, "datatype", &text, err);
    if (!st && (*dtype = clv_dtype_from_oip(text)) == CLV_DTYPE_NONE)
        st = clv_fail(err, CLV_EINVAL, "unknown datatype '%s'", text);
    free(text);
    return st;
}

/* One InferParameter: which of the oneof it is, and its value. */
typedef struct parameter {
    clv_wire key;
    uint32_t kind; /* 1 bool, 2 int64, 3 string, 4 double, 5 uint64; 0: none */
    uint64_t number;
    clv_wire text;
} parameter;

static clv_status parse_parameter(clv_wire entry, parameter *p, clv_error *err)
{
    clv_wire_field f;
    clv_wire value = {0};
    *p = (parameter){0};
    while (clv_wire_more(&entry)) {
        clv_status st = clv_wire_read(&entry, &f, err);
        if (st) return st;
        if (f.number == 1) p->key = clv_wire_inside(&f);
        if (f.number == 2) value = clv_wire_inside(&f);
    }
    while (clv_wire_more(&value)) {
        clv_status st = clv_wire_read(&value, &f, err);
        if (st) return st;
        p->kind = f.number;
        p->number = f.value;
        p->text = clv_wire_inside(&f);
    }
    return CLV_OK;
}

static bool key_is(const parameter *p, const char *key)
{
    size_t n = clv_wire_left(&p->key);
    return n == strlen(key) && memcmp(p->key.at, key, n) == 0;
}

/* A parameter of a tensor. Which codec it is says the encoding itself. */
static clv_status take_parameter(const clv_wire_field *f, tensor_head *head, clv_error *err)
{
    parameter p;
    if (f->type != CLV_WIRE_BYTES)
        return clv_fail(err, CLV_EINVAL, "a parameter has wire type %d", (int)f->type);
    clv_status st = parse_parameter(clv_wire_inside(f), &p, err);
    if (!st && key_is(&p, CLV_OIP_CODEC)) head->coded = true;
    return st;
}

static clv_status parse_head(clv_wire w, tensor_head *head, clv_error *err)
{
    clv_wire_field f;
    clv_status st = CLV_OK;
    while (!st && clv_wire_more(&w)) {
        if ((st = clv_wire_read(&w, &f, err))) break;
        switch (f.number) {
        case 1: st = take_text(&f, "name", &head->name, err); break;
        case 2: st = take_dtype(&f, &head->dtype, err); break;
        case 3: st = take_dims(&f, &head->shape, err); break;
        case 4: st = take_parameter(&f, head, err); break;
        case 5: st = take_contents(&f, head, err); break;
        default: break; /* what later versions add */
        }
    }
    if (!st && (!head->name || !*head->name)) st = clv_fail(err, CLV_EINVAL, "it has no name");
    if (!st && head->dtype == CLV_DTYPE_NONE) st = clv_fail(err, CLV_EINVAL, "it has no datatype");
    return st ? clv_within(err, "tensor '%s'", head->name ? head->name : "?") : CLV_OK;
}

static clv_status parse_wanted(clv_wire w, clv_text_list *wanted, clv_error *err)
{
    clv_wire_field f;
    while (clv_wire_more(&w)) {
        clv_status st = clv_wire_read(&w, &f, err);
        if (!st && f.number == 1 && !(st = check_text(&f, "the name of an output", err)))
            clv_text_list_add(wanted, (const char *)f.body, f.bytes);
        if (st) return st;
    }
    return CLV_OK;
}

static clv_status want_bytes(const clv_wire_field *f, size_t n, clv_error *err)
{
    if (f->type != CLV_WIRE_BYTES)
        return clv_fail(err, CLV_EINVAL, "field %u has wire type %d, wanted bytes",
                        (unsigned)f->number, (int)f->type);
    return n < CLV_OIP_TENSORS_MAX
               ? CLV_OK
               : clv_fail(err, CLV_ELIMIT, "more than %d tensors or parameters in a message",
                          CLV_OIP_TENSORS_MAX);
}

static clv_status parse_field(message *m, const clv_wire_field *f, uint32_t raw_field,
                              clv_error *err)
{
    clv_status st;
    if (f->number == raw_field) {
        if ((st = want_bytes(f, m->n_raws, err))) return st;
        clv_grow(&m->raws, &m->raws_cap, m->n_raws + 1, sizeof *m->raws);
        m->raws[m->n_raws++] = clv_wire_inside(f);
        return CLV_OK;
    }
    switch (f->number) {
    case 1: return take_text(f, "the model's name", &m->model, err);
    case 2: return take_text(f, "the model's version", &m->version, err);
    case 3: return take_text(f, "the request's id", &m->id, err);
    case 4:
        if ((st = want_bytes(f, m->n_parameters, err))) return st;
        clv_grow(&m->parameters, &m->parameters_cap, m->n_parameters + 1, sizeof *m->parameters);
        m->parameters[m->n_parameters++] = clv_wire_inside(f);
        return CLV_OK;
    case 5:
        if ((st = want_bytes(f, m->n_heads, err))) return st;
        clv_grow(&m->heads, &m->heads_cap, m->n_heads + 1, sizeof *m->heads);
        return parse_head(clv_wire_inside(f), &m->heads[m->n_heads++], err);
    case 6: /* of a question only: in an answer 6 is raw_field */
        if ((st = want_bytes(f, m->wanted.n, err))) return st;
        return parse_wanted(clv_wire_inside(f), &m->wanted, err);
    default: return CLV_OK;
    }
}

static clv_status parse(message *m, const clv_oip_bytes *in, uint32_t raw_field, clv_error *err)
{
    clv_wire w = clv_wire_of(in->data, in->bytes);
    clv_wire_field f;
    while (clv_wire_more(&w)) {
        clv_status st = clv_wire_read(&w, &f, err);
        if (!st) st = parse_field(m, &f, raw_field, err);
        if (st) return st;
    }
    if (m->n_raws && m->n_raws != m->n_heads)
        return clv_fail(err, CLV_EINVAL,
                        "%zu raw contents for %zu tensors: give one for each, or none", m->n_raws,
                        m->n_heads);
    return CLV_OK;
}

/* A view lives as long as the body that it is in. */
static void keep_body(clv_tensor *view, clv_body *owner)
{
    if (!owner) return;
    view->owner = clv_body_ref(owner);
    view->release = clv_body_unref;
}

clv_status clv_oip_tensor(const char *name, clv_dtype dtype, const clv_shape *shape,
                          const clv_oip_bytes *raw, clv_tensor *out, clv_error *err)
{
    size_t element = clv_dtype_bytes(dtype);
    clv_tensor view = clv_tensor_view(name, dtype, *shape, raw->data, raw->bytes);
    clv_status st = clv_tensor_check(&view, err);
    if (!st && element > 1 && (uintptr_t)raw->data % element) {
        clv_tensor copy;
        if (!(st = clv_tensor_new(&copy, name, dtype, *shape, err))) {
            if (raw->bytes) memcpy(copy.data, raw->data, raw->bytes);
            clv_tensor_done(&view);
            *out = copy;
            return CLV_OK;
        }
    }
    if (st) {
        clv_tensor_done(&view);
        return st;
    }
    keep_body(&view, raw->owner);
    *out = view;
    return CLV_OK;
}

/* An encoding is read where it lies, whatever its alignment. */
static clv_status coded_tensor(const tensor_head *head, const clv_oip_bytes *raw, clv_tensor *out,
                               clv_error *err)
{
    clv_tensor view = clv_tensor_view(head->name, head->dtype, head->shape, raw->data, raw->bytes);
    view.coded = true;
    clv_status st = clv_tensor_check(&view, err);
    if (st) {
        clv_tensor_done(&view);
        return st;
    }
    keep_body(&view, raw->owner);
    *out = view;
    return CLV_OK;
}

/* The raw contents of the i-th tensor. */
static clv_status raw_tensor(const tensor_head *head, clv_wire raw, clv_body *owner,
                             clv_tensor *out, clv_error *err)
{
    clv_oip_bytes bytes = {raw.at, clv_wire_left(&raw), owner};
    if (head->coded) return coded_tensor(head, &bytes, out, err);
    return clv_oip_tensor(head->name, head->dtype, &head->shape, &bytes, out, err);
}

static clv_status build_tensors(const message *m, clv_body *owner, clv_tensors *out, clv_error *err)
{
    for (size_t i = 0; i < m->n_heads; i++) {
        const tensor_head *head = &m->heads[i];
        clv_tensor t = {0};
        clv_status st;
        if (!m->n_raws && head->coded)
            st = clv_fail(err, CLV_EINVAL,
                          "tensor '%s' has parameter '%s' and no raw contents: an encoding is raw",
                          head->name, CLV_OIP_CODEC);
        else if (!m->n_raws)
            st =
                clv_contents_decode(head->contents, head->name, head->dtype, &head->shape, &t, err);
        else if (clv_wire_more(&head->contents))
            st = clv_fail(err, CLV_EINVAL,
                          "tensor '%s' has typed contents in a message with raw "
                          "contents: use one kind",
                          head->name);
        else
            st = raw_tensor(head, m->raws[i], owner, &t, err);
        if (st) return st;
        clv_tensors_add(out, t);
    }
    return CLV_OK;
}

static clv_status int_of(const parameter *p, const char *key, int64_t *value, clv_error *err)
{
    if ((p->kind != 2 && p->kind != 5) || p->number > INT64_MAX)
        return clv_fail(err, CLV_EINVAL, "parameter '%s' is not a count of microseconds", key);
    *value = (int64_t)p->number;
    return CLV_OK;
}

static void text_of(const parameter *p, char *text, size_t room)
{
    size_t n = CLV_MIN(clv_wire_left(&p->text), room - 1);
    if (n) memcpy(text, p->text.at, n);
    text[n] = 0;
}

static clv_status question_parameter(clv_request *r, const parameter *p, clv_error *err)
{
    if (key_is(p, "timeout")) {
        int64_t timeout_us = 0;
        clv_status st = int_of(p, "timeout", &timeout_us, err);
        if (st) return st;
        if (timeout_us && timeout_us < INT64_MAX - r->accepted_us)
            r->deadline_us = r->accepted_us + timeout_us;
    } else if (key_is(p, "cleave_digest")) {
        free(r->digest);
        r->digest = clv_strndup((const char *)p->text.at, CLV_MIN(clv_wire_left(&p->text), 256));
    } else if (key_is(p, "cleave_patient")) {
        r->patient = p->kind == 1 && p->number;
    } else if (key_is(p, "cleave_local_only")) {
        r->local_only = p->kind == 1 && p->number;
    } else if (key_is(p, "cleave_explain")) {
        r->explain = p->kind == 1 && p->number;
    } else if (key_is(p, "cleave_route")) {
        size_t n = clv_wire_left(&p->text);
        if (n > CLV_ITINERARY_MAX || (n && memchr(p->text.at, 0, n)))
            return clv_fail(err, CLV_ELIMIT,
                            "parameter 'cleave_route': %zu bytes, at most %d of "
                            "text are allowed",
                            n, CLV_ITINERARY_MAX);
        free(r->route);
        r->route = n ? clv_strndup((const char *)p->text.at, n) : NULL;
    }
    return CLV_OK;
}

static clv_status to_request(message *m, const clv_oip_bytes *in, clv_request *r, clv_error *err)
{
    clv_status st = build_tensors(m, in->owner, &r->inputs, err);
    for (size_t i = 0; !st && i < m->n_parameters; i++) {
        parameter p;
        if (!(st = parse_parameter(m->parameters[i], &p, err))) st = question_parameter(r, &p, err);
    }
    r->version = clv_steal(&m->version);
    r->id = clv_steal(&m->id);
    r->wanted = m->wanted;
    m->wanted = (clv_text_list){0};
    return st;
}

clv_status clv_oip_decode_question(const clv_oip_bytes *in, int64_t now_us, clv_request **out,
                                   clv_error *err)
{
    CLV_AUTO(message_done) message m = {0};
    clv_status st = parse(&m, in, 7, err);
    if (st) return st;
    if (!m.model || !*m.model) return clv_fail(err, CLV_EINVAL, "the request names no model");
    clv_request *r = clv_request_new(m.model);
    r->accepted_us = now_us;
    if ((st = to_request(&m, in, r, err)))
        clv_request_free(r);
    else
        *out = r;
    return st;
}

/* What comes back is raw: who asked did not say that it can decode. */
static clv_status refuse_coded(const message *m, clv_error *err)
{
    for (size_t i = 0; i < m->n_heads; i++)
        if (m->heads[i].coded)
            return clv_fail(err, CLV_EINVAL, "tensor '%s' is coded: outputs are raw",
                            m->heads[i].name);
    return CLV_OK;
}

/* One of the predicted parts, or nothing of the kind: `*known` tells. */
static clv_status predicted_parameter(clv_prediction *out, const parameter *p, bool *known,
                                      clv_error *err)
{
    *known = true;
#define X(name, about)                                                                             \
    if (key_is(p, "cleave_predicted_" #name))                                                      \
        return int_of(p, "cleave_predicted_" #name, &out->us.name, err);                           \
    if (key_is(p, "cleave_predicted_" #name "_sigma"))                                             \
        return int_of(p, "cleave_predicted_" #name "_sigma", &out->sigma_us.name, err);
    CLV_TIMING_MAP(X)
#undef X
    *known = false;
    return CLV_OK;
}

static clv_status answer_parameter(clv_oip_answer *a, const parameter *p, clv_error *err)
{
#define X(name, about)                                                                             \
    if (key_is(p, "cleave_" #name)) return int_of(p, "cleave_" #name, &a->timing.name, err);
    CLV_TIMING_MAP(X)
#undef X
    bool known;
    clv_status st = predicted_parameter(&a->predicted, p, &known, err);
    a->predicted.known |= known;
    if (st || known) return st;
    if (key_is(p, "cleave_trip")) {
        char text[CLV_TRIP_TEXT_MAX];
        text_of(p, text, sizeof text);
        return clv_trip_parse(text, &a->trip, err);
    }
    if (key_is(p, "cleave_crossed")) {
        char text[CLV_CROSSINGS_TEXT_MAX];
        text_of(p, text, sizeof text);
        return clv_crossings_parse(text, &a->crossed, err);
    }
    if (key_is(p, "cleave_plan")) text_of(p, a->plan, sizeof a->plan);
    if (key_is(p, "cleave_recovered")) text_of(p, a->recovered, sizeof a->recovered);
    if (key_is(p, "cleave_shared")) a->shared = p->kind == 1 && p->number;
    return CLV_OK;
}

clv_status clv_oip_decode_answer(const clv_oip_bytes *in, clv_oip_answer *out, clv_error *err)
{
    CLV_AUTO(message_done) message m = {0};
    CLV_AUTO(clv_oip_answer_done) clv_oip_answer a = {0};
    clv_error why = {0};
    clv_status st = parse(&m, in, 6, &why);
    if (!st) st = refuse_coded(&m, &why);
    if (!st) st = build_tensors(&m, in->owner, &a.outputs, &why);
    for (size_t i = 0; !st && i < m.n_parameters; i++) {
        parameter p;
        if (!(st = parse_parameter(m.parameters[i], &p, &why))) st = answer_parameter(&a, &p, &why);
    }
    if (st) return clv_fail(err, st == CLV_EINVAL ? CLV_EPROTO : st, "answer: %s", why.text);
    a.model = m.model ? clv_steal(&m.model) : clv_strdup("");
    a.version = m.version ? clv_steal(&m.version) : clv_strdup("");
    a.id = m.id ? clv_steal(&m.id) : clv_strdup("");
    *out = a;
    a = (clv_oip_answer){0};
    return CLV_OK;
}

void clv_oip_answer_done(clv_oip_answer *a)
{
    free(a->model);
    free(a->version);
    free(a->id);
    clv_tensors_done(&a->outputs);
    *a = (clv_oip_answer){0};
}
