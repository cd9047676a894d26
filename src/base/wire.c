#include "base/wire.h"

#include <string.h>

clv_wire clv_wire_of(const void *bytes, size_t n)
{
    const uint8_t *at = bytes;
    return (clv_wire){at, at ? at + n : at};
}

size_t clv_wire_left(const clv_wire *w)
{
    return (size_t)(w->end - w->at);
}

clv_wire clv_wire_inside(const clv_wire_field *f)
{
    return clv_wire_of(f->body, f->bytes);
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

bool clv_wire_element(clv_wire *w, clv_wire_type type, uint64_t *value)
{
    switch (type) {
    case CLV_WIRE_VARINT: return read_varint(w, value);
    case CLV_WIRE_FIXED64: return read_fixed(w, 8, value);
    case CLV_WIRE_FIXED32: return read_fixed(w, 4, value);
    case CLV_WIRE_BYTES: return false; /* has no packed form */
    }
    return false; /* a type that does not exist */
}

static bool read_content(clv_wire *w, clv_wire_field *f)
{
    uint64_t length;
    if (f->type == CLV_WIRE_BYTES) {
        if (!read_varint(w, &length) || length > clv_wire_left(w)) return false;
        f->body = w->at;
        w->at += length;
    } else {
        f->body = w->at;
        if (!clv_wire_element(w, f->type, &f->value)) return false;
    }
    f->bytes = (size_t)(w->at - f->body);
    return true;
}

bool clv_wire_next(clv_wire *w, clv_wire_field *f)
{
    if (!clv_wire_more(w)) return false;
    const uint8_t *start = w->at;
    uint64_t tag;
    *f = (clv_wire_field){.start = start};
    if (read_varint(w, &tag) && tag >> 3 >= 1 && tag >> 3 < 1u << 29) {
        f->number = (uint32_t)(tag >> 3);
        f->type = (clv_wire_type)(tag & 7);
        if (read_content(w, f)) return true;
    }
    w->at = start;
    return false;
}

clv_status clv_wire_read(clv_wire *w, clv_wire_field *f, clv_error *err)
{
    if (clv_wire_next(w, f)) return CLV_OK;
    if (f->number == 0)
        return clv_fail(err, CLV_EINVAL, "protobuf: a field's tag is cut off or out of range");
    return clv_fail(err, CLV_EINVAL,
                    "protobuf: field %u of wire type %d is cut off (%zu bytes are left)",
                    (unsigned)f->number, (int)f->type, clv_wire_left(w));
}

size_t clv_wire_varint_size(uint64_t value)
{
    size_t n = 1;
    while (value >>= 7) n++;
    return n;
}

void clv_wire_put_varint(clv_buf *b, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) clv_buf_char(b, (char)(value | 0x80));
    clv_buf_char(b, (char)value);
}

void clv_wire_put_tag(clv_buf *b, uint32_t number, clv_wire_type type)
{
    clv_wire_put_varint(b, (uint64_t)number << 3 | (uint64_t)type);
}

void clv_wire_put_bytes(clv_buf *b, uint32_t number, const void *bytes, size_t n)
{
    clv_wire_put_tag(b, number, CLV_WIRE_BYTES);
    clv_wire_put_varint(b, n);
    clv_buf_add(b, bytes, n);
}

void clv_wire_put_text(clv_buf *b, uint32_t number, const char *text)
{
    if (text && *text) clv_wire_put_bytes(b, number, text, strlen(text));
}

void clv_wire_put_number(clv_buf *b, uint32_t number, uint64_t value)
{
    clv_wire_put_tag(b, number, CLV_WIRE_VARINT);
    clv_wire_put_varint(b, value);
}
