#include "onnx/skeleton.h"
#include "onnx/pb.h"

#include "gen/onnx.pb-c.h"

#include <stdio.h>
#include <string.h>

/* Field numbers of onnx.proto; part of the format, they never change. */
enum {
    MODEL_GRAPH = 7,
    GRAPH_NODE = 1,
    GRAPH_INITIALIZER = 5,
    NODE_OP_TYPE = 4,
    NODE_ATTRIBUTE = 5,
    NODE_DOMAIN = 7,
    ATTRIBUTE_T = 5
};
enum {
    TENSOR_DATA_TYPE = 2,
    TENSOR_FLOAT_DATA = 4,
    TENSOR_RAW_DATA = 9,
    TENSOR_DOUBLE_DATA = 10,
    TENSOR_EXTERNAL_DATA = 13,
    TENSOR_DATA_LOCATION = 14
};
enum { ENTRY_KEY = 1, ENTRY_VALUE = 2, LOCATION_EXTERNAL = 1 };

typedef struct rewrite {
    const uint8_t *base;
    const char *location;
    size_t copied; /* bytes so far; nothing is copied past the limit */
} rewrite;

typedef void (*rewrite_fn)(rewrite *r, clv_wire w, clv_buf *out);

static void copy(rewrite *r, clv_buf *out, const uint8_t *from, size_t n)
{
    r->copied += n;
    if (r->copied <= CLV_SKELETON_BYTES_MAX) clv_buf_add(out, from, n);
}

static void copy_field(rewrite *r, clv_buf *out, const clv_wire_field *f)
{
    copy(r, out, f->start, (size_t)(f->body + f->bytes - f->start));
}

/* Write field `f` with its content rewritten. */
static void nest(rewrite *r, const clv_wire_field *f, rewrite_fn content, clv_buf *out)
{
    clv_buf inner = {0};
    content(r, clv_wire_of(f->body, f->bytes), &inner);
    clv_wire_put_bytes(out, f->number, inner.data, inner.len);
    clv_buf_done(&inner);
}

static void put_entry(clv_buf *out, const char *key, const char *value)
{
    clv_buf entry = {0};
    clv_wire_put_bytes(&entry, ENTRY_KEY, key, strlen(key));
    clv_wire_put_bytes(&entry, ENTRY_VALUE, value, strlen(value));
    clv_wire_put_bytes(out, TENSOR_EXTERNAL_DATA, entry.data, entry.len);
    clv_buf_done(&entry);
}

static void put_reference(rewrite *r, const clv_wire_field *data, clv_buf *out)
{
    char number[24];
    put_entry(out, "location", r->location);
    snprintf(number, sizeof number, "%zu", (size_t)(data->body - r->base));
    put_entry(out, "offset", number);
    snprintf(number, sizeof number, "%zu", data->bytes);
    put_entry(out, "length", number);
    clv_wire_put_number(out, TENSOR_DATA_LOCATION, LOCATION_EXTERNAL);
}

/* The one field that holds all of a tensor's data as it lies in memory, and is large. */
static bool find_data(clv_wire w, clv_wire_field *data)
{
    uint32_t wanted = TENSOR_RAW_DATA;
    size_t n = 0;
    clv_wire_field f;
    for (clv_wire types = w; clv_wire_next(&types, &f);) {
        if (f.number == TENSOR_DATA_LOCATION || f.number == TENSOR_EXTERNAL_DATA) return false;
        if (f.number == TENSOR_FLOAT_DATA || f.number == TENSOR_DOUBLE_DATA) wanted = f.number;
    }
    for (clv_wire fields = w; clv_wire_next(&fields, &f);) {
        if (f.number == TENSOR_DATA_TYPE && wanted == TENSOR_FLOAT_DATA && f.value != 1)
            return false;
        if (f.number == TENSOR_DATA_TYPE && wanted == TENSOR_DOUBLE_DATA && f.value != 11)
            return false;
        if (f.number != TENSOR_RAW_DATA && f.number != TENSOR_FLOAT_DATA &&
            f.number != TENSOR_DOUBLE_DATA)
            continue;
        if (f.type != 2 || f.number != wanted) return false;
        *data = f;
        n++;
    }
    return n == 1 && data->bytes > CLV_SKELETON_INLINE_MAX;
}

static void rewrite_tensor(rewrite *r, clv_wire w, clv_buf *out)
{
    clv_wire_field f, data;
    if (!find_data(w, &data)) {
        copy(r, out, w.at, (size_t)(w.end - w.at));
        return;
    }
    while (clv_wire_next(&w, &f))
        if (f.number != data.number) copy_field(r, out, &f);
    put_reference(r, &data, out);
}

static void rewrite_attribute(rewrite *r, clv_wire w, clv_buf *out)
{
    for (clv_wire_field f; clv_wire_next(&w, &f);)
        if (f.number == ATTRIBUTE_T)
            nest(r, &f, rewrite_tensor, out);
        else
            copy_field(r, out, &f);
}

static bool is_constant_node(clv_wire w)
{
    bool constant = false, standard = true;
    for (clv_wire_field f; clv_wire_next(&w, &f);) {
        if (f.number == NODE_OP_TYPE) constant = f.bytes == 8 && memcmp(f.body, "Constant", 8) == 0;
        if (f.number == NODE_DOMAIN)
            standard = f.bytes == 0 || (f.bytes == 7 && memcmp(f.body, "ai.onnx", 7) == 0);
    }
    return constant && standard;
}

static void rewrite_node(rewrite *r, clv_wire w, clv_buf *out)
{
    bool constant = is_constant_node(w);
    for (clv_wire_field f; clv_wire_next(&w, &f);)
        if (constant && f.number == NODE_ATTRIBUTE)
            nest(r, &f, rewrite_attribute, out);
        else
            copy_field(r, out, &f);
}

static void rewrite_graph(rewrite *r, clv_wire w, clv_buf *out)
{
    for (clv_wire_field f; clv_wire_next(&w, &f);)
        if (f.number == GRAPH_INITIALIZER && f.bytes > CLV_SKELETON_INLINE_MAX)
            nest(r, &f, rewrite_tensor, out);
        else if (f.number == GRAPH_NODE && f.bytes > CLV_SKELETON_INLINE_MAX)
            nest(r, &f, rewrite_node, out);
        else
            copy_field(r, out, &f);
}

static void rewrite_model(rewrite *r, clv_wire w, clv_buf *out)
{
    for (clv_wire_field f; clv_wire_next(&w, &f);)
        if (f.number == MODEL_GRAPH)
            nest(r, &f, rewrite_graph, out);
        else
            copy_field(r, out, &f);
}

clv_status clv_skeleton_write(const void *bytes, size_t n, const char *location, clv_buf *out,
                              clv_error *err)
{
    if (n > CLV_ONNX_FILE_BYTES_MAX)
        return clv_fail(err, CLV_ELIMIT, "%zu bytes; an ONNX file has at most %zu", n,
                        CLV_ONNX_FILE_BYTES_MAX);
    clv_status status = clv_pb_check(&onnx__model_proto__descriptor, bytes, n, err);
    if (status) return status;
    rewrite r = {.base = bytes, .location = location};
    rewrite_model(&r, clv_wire_of(bytes, n), out);
    if (r.copied > CLV_SKELETON_BYTES_MAX)
        return clv_fail(err, CLV_ELIMIT, "%zu bytes besides its weights; the limit is %zu",
                        r.copied, CLV_SKELETON_BYTES_MAX);
    return CLV_OK;
}
