#include "split/wire.h"

#include <string.h>

clv_wire clv_wire_of(const void *data, size_t bytes)
{
    const uint8_t *at = data;
    return (clv_wire){at, at ? at + bytes : at};
}

size_t clv_wire_left(const clv_wire *w)
{
    return (size_t)(w->end - w->at);
}

static bool read_varint(clv_wire *w, uint64_t *value)
{
    uint64_t v = 0;
    for (int shift = 0; shift < 64 && w->at < w->end; shift += 7) {
        uint8_t byte = *w->at++;
        if (shift == 63 && byte > 1) return false;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *value = v;
            return true;
        }
    }
    return false;
}

static bool read_fixed(clv_wire *w, size_t n, uint64_t *value)
{
    if (clv_wire_left(w) < n) return false;
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) v |= (uint64_t)w->at[i] << (8 * i);
    w->at += n;
    *value = v;
    return true;
}

clv_status clv_wire_element(clv_wire *w, clv_wire_type type, uint64_t *value, clv_error *err)
{
    bool good = false;
    switch (type) {
    case CLV_WIRE_VARINT: good = read_varint(w, value); break;
    case CLV_WIRE_FIXED64: good = read_fixed(w, 8, value); break;
    case CLV_WIRE_FIXED32: good = read_fixed(w, 4, value); break;
    case CLV_WIRE_BYTES: break; /* has no packed form */
    }
    return good ? CLV_OK : clv_fail(err, CLV_EINVAL, "protobuf: a number is cut off or too long");
}

clv_status clv_wire_next(clv_wire *w, clv_wire_field *f, clv_error *err)
{
    uint64_t tag, length;
    if (!read_varint(w, &tag) || tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
        return clv_fail(err, CLV_EINVAL, "protobuf: a field's tag is cut off or out of range");
    *f = (clv_wire_field){.number = (uint32_t)(tag >> 3), .type = (clv_wire_type)(tag & 7)};
    switch (tag & 7) {
    case CLV_WIRE_VARINT:
    case CLV_WIRE_FIXED64:
    case CLV_WIRE_FIXED32: return clv_wire_element(w, f->type, &f->value, err);
    case CLV_WIRE_BYTES: break;
    default:
        return clv_fail(err, CLV_EINVAL, "protobuf: field %u has wire type %u, wanted 0, 1, 2 or 5",
                        (unsigned)f->number, (unsigned)(tag & 7));
    }
    if (!read_varint(w, &length) || length > clv_wire_left(w))
        return clv_fail(err, CLV_EINVAL, "protobuf: field %u is longer than what is left (%zu)",
                        (unsigned)f->number, clv_wire_left(w));
    f->bytes = clv_wire_of(w->at, (size_t)length);
    w->at += length;
    return CLV_OK;
}

size_t clv_wire_varint_size(uint64_t value)
{
    size_t n = 1;
    while (value >>= 7) n++;
    return n;
}

void clv_wire_put_varint(clv_buf *b, uint64_t value)
{
    uint8_t out[10];
    size_t n = 0;
    for (; value >= 0x80; value >>= 7) out[n++] = (uint8_t)(value | 0x80);
    out[n++] = (uint8_t)value;
    clv_buf_add(b, out, n);
}

void clv_wire_put_tag(clv_buf *b, uint32_t number, clv_wire_type type)
{
    clv_wire_put_varint(b, (uint64_t)number << 3 | (uint64_t)type);
}

void clv_wire_put_bytes(clv_buf *b, uint32_t number, const void *data, size_t n)
{
    clv_wire_put_tag(b, number, CLV_WIRE_BYTES);
    clv_wire_put_varint(b, n);
    clv_buf_add(b, data, n);
}

void clv_wire_put_text(clv_buf *b, uint32_t number, const char *text)
{
    if (text && *text) clv_wire_put_bytes(b, number, text, strlen(text));
}

void clv_wire_put_int(clv_buf *b, uint32_t number, int64_t value)
{
    clv_wire_put_tag(b, number, CLV_WIRE_VARINT);
    clv_wire_put_varint(b, (uint64_t)value);
}
