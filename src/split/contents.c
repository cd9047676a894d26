#include "split/contents.h"

#include <stdlib.h>
#include <string.h>

typedef struct contents_kind {
    uint32_t field;
    clv_wire_type type;
} contents_kind;

static const contents_kind kinds[CLV_DTYPE_COUNT] = {
    [CLV_BOOL] = {1, CLV_WIRE_VARINT}, [CLV_I8] = {2, CLV_WIRE_VARINT},
    [CLV_I16] = {2, CLV_WIRE_VARINT},  [CLV_I32] = {2, CLV_WIRE_VARINT},
    [CLV_I64] = {3, CLV_WIRE_VARINT},  [CLV_U8] = {4, CLV_WIRE_VARINT},
    [CLV_U16] = {4, CLV_WIRE_VARINT},  [CLV_U32] = {4, CLV_WIRE_VARINT},
    [CLV_U64] = {5, CLV_WIRE_VARINT},  [CLV_F32] = {6, CLV_WIRE_FIXED32},
    [CLV_F64] = {7, CLV_WIRE_FIXED64}, [CLV_TEXT] = {8, CLV_WIRE_BYTES},
};

/* Does the value fit the narrow type? Signed ones come sign-extended to 64 bits. */
static bool fits(clv_dtype t, uint64_t v)
{
    int64_t s = (int64_t)v;
    switch (t) {
    case CLV_I8: return s >= INT8_MIN && s <= INT8_MAX;
    case CLV_I16: return s >= INT16_MIN && s <= INT16_MAX;
    case CLV_I32: return s >= INT32_MIN && s <= INT32_MAX;
    case CLV_U8: return v <= UINT8_MAX;
    case CLV_U16: return v <= UINT16_MAX;
    case CLV_U32: return v <= UINT32_MAX;
    case CLV_BOOL: return v <= 1;
    default: return true;
    }
}

/* Where elements go: counted only while `data` is NULL. */
typedef struct elements {
    clv_dtype dtype;
    size_t n;
    uint8_t *data;
} elements;

static clv_status add_number(elements *e, uint64_t value, clv_error *err)
{
    size_t bytes = clv_dtype_bytes(e->dtype);
    if (!fits(e->dtype, value))
        return clv_fail(err, CLV_EINVAL, "element %zu is %lld, out of range for %s", e->n,
                        (long long)value, clv_dtype_oip(e->dtype));
    if (e->data) memcpy(e->data + e->n * bytes, &value, bytes); /* little-endian: the low bytes */
    e->n++;
    return CLV_OK;
}

static clv_status walk_numbers(clv_wire w, elements *e, clv_error *err)
{
    contents_kind kind = kinds[e->dtype];
    clv_status st = CLV_OK;
    clv_wire_field f;
    while (!st && clv_wire_more(&w)) {
        if ((st = clv_wire_read(&w, &f, err))) break;
        if (f.number != kind.field)
            return clv_fail(err, CLV_EINVAL, "contents are in field %u, %s wants field %u",
                            (unsigned)f.number, clv_dtype_oip(e->dtype), (unsigned)kind.field);
        if (f.type == kind.type) {
            st = add_number(e, f.value, err);
            continue;
        }
        if (f.type != CLV_WIRE_BYTES)
            return clv_fail(err, CLV_EINVAL, "contents have wire type %d", (int)f.type);
        clv_wire packed = clv_wire_inside(&f);
        while (!st && clv_wire_more(&packed)) {
            uint64_t value;
            if (!clv_wire_element(&packed, kind.type, &value))
                return clv_fail(err, CLV_EINVAL, "element %zu is cut off", e->n);
            st = add_number(e, value, err);
        }
    }
    return st;
}

static clv_status decode_text(clv_wire w, clv_tensor *t, size_t count, clv_error *err)
{
    clv_buf out = {0};
    clv_status st = CLV_OK;
    clv_wire_field f;
    size_t n = 0;
    while (!st && clv_wire_more(&w)) {
        if ((st = clv_wire_read(&w, &f, err))) break;
        if (f.number != 8 || f.type != CLV_WIRE_BYTES) {
            st = clv_fail(err, CLV_EINVAL, "contents of BYTES are not in bytes_contents");
            break;
        }
        uint32_t length = (uint32_t)f.bytes;
        if (length != f.bytes) st = clv_fail(err, CLV_ELIMIT, "an element is too long");
        clv_buf_add(&out, &length, sizeof length);
        clv_buf_add(&out, f.body, length);
        n++;
    }
    if (!st && n != count)
        st = clv_fail(err, CLV_EINVAL, "%zu elements, the shape needs %zu", n, count);
    if (st) {
        clv_buf_done(&out);
        return st;
    }
    t->bytes = out.len;
    t->data = t->owner = clv_buf_take(&out);
    t->release = free;
    return CLV_OK;
}

static clv_status decode(clv_wire contents, const char *name, clv_dtype dtype,
                         const clv_shape *shape, clv_tensor *out, clv_error *err)
{
    size_t count;
    clv_status st = clv_shape_count(shape, &count, err);
    if (st) return st;
    if (!kinds[dtype].field)
        return clv_fail(err, CLV_EINVAL, "%s has no typed contents: send it raw",
                        clv_dtype_oip(dtype));
    if (dtype == CLV_TEXT) {
        clv_tensor t = clv_tensor_view(name, dtype, *shape, NULL, 0);
        if ((st = decode_text(contents, &t, count, err)))
            clv_tensor_done(&t);
        else
            *out = t;
        return st;
    }
    elements e = {.dtype = dtype};
    if ((st = walk_numbers(contents, &e, err))) return st;
    if (e.n != count)
        return clv_fail(err, CLV_EINVAL, "%zu elements, the shape needs %zu", e.n, count);
    clv_tensor t;
    if ((st = clv_tensor_new(&t, name, dtype, *shape, err))) return st;
    e = (elements){.dtype = dtype, .data = t.data};
    if ((st = walk_numbers(contents, &e, err)))
        clv_tensor_done(&t);
    else
        *out = t;
    return st;
}

clv_status clv_contents_decode(clv_wire contents, const char *name, clv_dtype dtype,
                               const clv_shape *shape, clv_tensor *out, clv_error *err)
{
    clv_status st = decode(contents, name, dtype, shape, out, err);
    return st ? clv_within(err, "tensor '%s'", name) : CLV_OK;
}
