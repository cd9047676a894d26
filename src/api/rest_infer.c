/* The question: body into a request. */
#include "api/rest_infer.h"

#include "api/asker.h"
#include "api/json_skim.h"
#include "api/metadata.h"
#include "api/rest_reply.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/unit.h"
#include "split/oip.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What is read from, and what it becomes. */
typedef struct reading {
    clv_body *body;
    clv_json_skim skim;
    const uint8_t *raw; /* next raw tensor */
    size_t raw_left;
    clv_request *r;
    clv_rest_asker *asker;
} reading;

static clv_status read_shape(const json_t *list, clv_shape *shape, clv_error *err)
{
    size_t i;
    const json_t *dim;
    if (!json_is_array(list)) return clv_fail(err, CLV_EINVAL, "\"shape\" is not a list");
    if (json_array_size(list) > CLV_RANK_MAX)
        return clv_fail(err, CLV_ELIMIT, "more than %d dimensions", CLV_RANK_MAX);
    json_array_foreach(list, i, dim)
    {
        if (!json_is_integer(dim) || json_integer_value(dim) < 0)
            return clv_fail(err, CLV_EINVAL, "\"shape\"[%zu] is not a count", i);
        shape->dim[shape->rank++] = json_integer_value(dim);
    }
    return CLV_OK;
}

static clv_status read_raw(reading *in, const char *name, clv_dtype dtype, const clv_shape *shape,
                           const json_t *size, clv_tensor *out, clv_error *err)
{
    json_int_t bytes = json_integer_value(size);
    if (!json_is_integer(size) || bytes < 0 || (uint64_t)bytes > in->raw_left)
        return clv_fail(err, CLV_EINVAL,
                        "tensor '%s': binary_data_size is %" PRId64 ", but %zu bytes are left",
                        name, (int64_t)bytes, in->raw_left);
    clv_oip_bytes raw = {in->raw, (size_t)bytes, in->body};
    in->raw += bytes;
    in->raw_left -= (size_t)bytes;
    return clv_oip_tensor(name, dtype, shape, &raw, out, err);
}

static clv_status read_data(reading *in, const char *name, const json_t *input, clv_error *err)
{
    clv_shape shape = {0};
    clv_tensor t;
    clv_status st = read_shape(json_object_get(input, "shape"), &shape, err);
    if (st) return clv_within(err, "tensor '%s'", name);
    const char *datatype = json_string_value(json_object_get(input, "datatype"));
    clv_dtype dtype = clv_dtype_from_oip(datatype ? datatype : "");
    if (dtype == CLV_DTYPE_NONE)
        return clv_fail(err, CLV_EINVAL, "tensor '%s': unknown datatype '%s'", name,
                        datatype ? datatype : "");
    const json_t *data = json_object_get(input, "data");
    const json_t *size = json_object_get(json_object_get(input, "parameters"), "binary_data_size");
    size_t span = (size_t)json_integer_value(data);
    if (size && data)
        st = clv_fail(err, CLV_EINVAL, "tensor '%s' has both data and binary_data_size", name);
    else if (size)
        st = read_raw(in, name, dtype, &shape, size, &t, err);
    else if (json_is_integer(data) && span < in->skim.n_spans)
        st = clv_json_data_parse(&in->skim.spans[span], name, dtype, &shape, &t, err);
    else
        st = clv_fail(err, CLV_EINVAL, "tensor '%s' has neither data nor binary_data_size", name);
    if (!st) clv_tensors_add(&in->r->inputs, t);
    return st;
}

static clv_status read_inputs(reading *in, const json_t *inputs, clv_error *err)
{
    size_t i;
    const json_t *input;
    if (!json_is_array(inputs)) return clv_fail(err, CLV_EINVAL, "\"inputs\" is not a list");
    json_array_foreach(inputs, i, input)
    {
        const char *name = json_string_value(json_object_get(input, "name"));
        if (!name || !*name || strlen(name) >= CLV_NAME_MAX)
            return clv_fail(err, CLV_EINVAL, "\"inputs\"[%zu] has no proper name", i);
        clv_status st = read_data(in, name, input, err);
        if (st) return st;
    }
    if (in->raw_left)
        return clv_fail(err, CLV_EINVAL, "%zu bytes behind the last input", in->raw_left);
    return CLV_OK;
}

static clv_status read_wanted(reading *in, const json_t *outputs, clv_error *err)
{
    size_t i;
    const json_t *output;
    if (outputs && !json_is_array(outputs))
        return clv_fail(err, CLV_EINVAL, "\"outputs\" is not a list");
    if (json_array_size(outputs) > CLV_OIP_TENSORS_MAX)
        return clv_fail(err, CLV_ELIMIT, "more than %d outputs", CLV_OIP_TENSORS_MAX);
    in->asker->binary = clv_alloc(json_array_size(outputs));
    json_array_foreach(outputs, i, output)
    {
        const char *name = json_string_value(json_object_get(output, "name"));
        const json_t *binary =
            json_object_get(json_object_get(output, "parameters"), "binary_data");
        if (!name) return clv_fail(err, CLV_EINVAL, "\"outputs\"[%zu] has no name", i);
        clv_text_list_add(&in->r->wanted, name, strlen(name));
        in->asker->binary[i] = (signed char)(!binary ? -1 : json_is_true(binary));
    }
    return CLV_OK;
}

static clv_status read_parameters(reading *in, const json_t *p, clv_error *err)
{
    const json_t *timeout = json_object_get(p, "timeout");
    if (timeout) {
        json_int_t us = json_integer_value(timeout);
        if (!json_is_integer(timeout) || us < 0)
            return clv_fail(err, CLV_EINVAL, "parameter 'timeout' is not a count of microseconds");
        if (us && us < INT64_MAX - in->r->accepted_us) in->r->deadline_us = in->r->accepted_us + us;
    }
    in->r->digest = clv_strdup(json_string_value(json_object_get(p, "cleave_digest")));
    in->r->local_only = json_is_true(json_object_get(p, "cleave_local_only"));
    in->r->explain = json_is_true(json_object_get(p, "cleave_explain"));
    in->asker->all_binary = json_is_true(json_object_get(p, "binary_data_output"));
    return CLV_OK;
}

static clv_status read_json(reading *in, const char *text, size_t n, clv_error *err)
{
    json_t *document = NULL;
    clv_status st = clv_json_skim_text(text, n, &in->skim, err);
    if (!st && !in->skim.rest.len) st = clv_fail(err, CLV_EINVAL, "the request's body is empty");
    if (!st) st = clv_rest_parse(in->skim.rest.data, in->skim.rest.len, &document, err);
    if (!st) st = read_parameters(in, json_object_get(document, "parameters"), err);
    if (!st) st = read_inputs(in, json_object_get(document, "inputs"), err);
    if (!st) st = read_wanted(in, json_object_get(document, "outputs"), err);
    if (!st) in->r->id = clv_strdup(json_string_value(json_object_get(document, "id")));
    json_decref(document);
    return st;
}

/* The shape of a raw body: batch 1, and at most one other free dimension, found from the size. */
static clv_status fill_shape(const clv_tensor_spec *spec, size_t bytes, clv_shape *shape,
                             clv_error *err)
{
    int64_t known = (int64_t)clv_dtype_bytes(spec->dtype);
    int free_dim = -1;
    *shape = spec->shape;
    if (shape->rank > 0 && shape->dim[0] < 0) shape->dim[0] = 1;
    for (int d = 0; d < shape->rank; d++) {
        bool many = shape->dim[d] < 0 && free_dim >= 0;
        if (many || known == 0 ||
            (shape->dim[d] >= 0 && __builtin_mul_overflow(known, shape->dim[d], &known)))
            return clv_fail(err, CLV_EINVAL,
                            "input '%s': its shape does not follow from a raw body's size",
                            spec->name);
        if (shape->dim[d] < 0) free_dim = d;
    }
    if (free_dim >= 0 && known > 0) shape->dim[free_dim] = (int64_t)(bytes / (size_t)known);
    return CLV_OK;
}

static clv_status read_raw_body(reading *in, const clv_rest_call *c, clv_error *err)
{
    CLV_AUTO(clv_metadata_done) clv_metadata m = {0};
    clv_shape shape;
    clv_tensor t;
    clv_status st = clv_metadata_get(c->server, c->model, c->version, &m, err);
    if (st) return st;
    if (m.n_inputs != 1)
        return clv_fail(err, CLV_EINVAL, "model '%s' has %zu inputs, a raw body is for one",
                        c->model, m.n_inputs);
    if ((st = fill_shape(m.inputs, in->raw_left, &shape, err))) return st;
    clv_oip_bytes raw = {in->raw, in->raw_left, in->body};
    if ((st = clv_oip_tensor(m.inputs->name, m.inputs->dtype, &shape, &raw, &t, err))) return st;
    clv_tensors_add(&in->r->inputs, t);
    in->asker->all_binary = true;
    return CLV_OK;
}

static clv_status read_body(reading *in, const clv_rest_call *c, clv_error *err)
{
    static const char name[] = "inference-header-content-length";
    const char *header = clv_exchange_header(c->x, name);
    size_t bytes = clv_body_bytes(in->body);
    int64_t json_bytes = (int64_t)bytes;
    if (header) {
        clv_status st = clv_parse_int(header, &json_bytes, err);
        if (st) return clv_fail(err, CLV_EINVAL, "header %s: '%s' is not a count", name, header);
        if (json_bytes < 0 || (uint64_t)json_bytes > bytes)
            return clv_fail(err, CLV_EINVAL, "header %s is %" PRId64 ", the body has %zu bytes",
                            name, json_bytes, bytes);
    }
    const char *text = clv_body_data(in->body);
    in->raw = (const uint8_t *)text + json_bytes;
    in->raw_left = bytes - (size_t)json_bytes;
    if (header && json_bytes == 0) return read_raw_body(in, c, err);
    return read_json(in, text, (size_t)json_bytes, err);
}

void clv_rest_infer(const clv_rest_call *c)
{
    clv_error err = {0};
    clv_rest_asker *asker = clv_alloc(sizeof *asker);
    asker->x = c->x;
    reading in = {.body = clv_exchange_body(c->x), .r = clv_request_new(c->model), .asker = asker};
    if (clv_exchange_end_us(c->x)) in.r->accepted_us = clv_exchange_end_us(c->x);
    in.r->version = clv_strdup(c->version);
    in.r->asker = asker;
    in.r->done = clv_rest_answer;
    clv_asker_of(c->x, in.r);
    clv_status st = read_body(&in, c, &err);
    clv_json_skim_done(&in.skim);
    in.r->timing.decode_us = clv_now_us() - in.r->accepted_us;
    if (st) {
        in.r->error = err;
        clv_rest_answer(in.r);
    } else {
        clv_server_submit(c->server, in.r);
    }
}
