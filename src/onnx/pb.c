#include "onnx/pb.h"

#include <string.h>

static bool read_varint(clv_pb *w, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; shift < 64 && w->at < w->end; shift += 7) {
        uint8_t byte = *w->at++;
        if (shift == 63 && byte > 1) return false;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

static bool read_content(clv_pb *w, clv_pb_field *f)
{
    size_t left = (size_t)(w->end - w->at);
    f->body = w->at;
    f->bytes = 0;
    switch (f->type) {
    case 0:
        if (!read_varint(w, &f->value)) return false;
        f->bytes = (size_t)(w->at - f->body);
        return true;
    case 1: f->bytes = 8; break;
    case 5: f->bytes = 4; break;
    case 2:
        if (!read_varint(w, &f->value) || f->value > left) return false;
        left = (size_t)(w->end - w->at);
        f->body = w->at;
        f->bytes = (size_t)f->value;
        break;
    default: return false;
    }
    if (f->bytes > left) return false;
    w->at += f->bytes;
    return true;
}

bool clv_pb_next(clv_pb *w, clv_pb_field *f)
{
    if (w->at == w->end) return false;
    const uint8_t *start = w->at;
    uint64_t tag;
    *f = (clv_pb_field){.start = start};
    if (read_varint(w, &tag) && tag >> 3 >= 1 && tag >> 3 < 1u << 29) {
        f->number = (uint32_t)(tag >> 3);
        f->type = (int)(tag & 7);
        if (read_content(w, f)) return true;
    }
    w->at = start;
    return false;
}

/* ---- checking against a schema ---- */

typedef struct check {
    const uint8_t *base; /* of the file, for offsets in messages */
    clv_error *err;
} check;

static int wire_type(const ProtobufCFieldDescriptor *d)
{
    switch (d->type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT: return 5;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE: return 1;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE: return 2;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM: return 0;
    }
    return -1;
}

static clv_status malformed(const check *c, const ProtobufCMessageDescriptor *m, const uint8_t *at,
                            const char *what)
{
    return clv_fail(c->err, CLV_EINVAL, "not a sound ONNX file: %s at byte %zu (%s)", what,
                    (size_t)(at - c->base), m->short_name);
}

/* A packed list holds whole numbers only. */
static bool packed_is_sound(const clv_pb_field *f, int element)
{
    if (element == 5) return f->bytes % 4 == 0;
    if (element == 1) return f->bytes % 8 == 0;
    clv_pb list = clv_pb_of(f->body, f->bytes);
    uint64_t value;
    while (list.at < list.end)
        if (!read_varint(&list, &value)) return false;
    return true;
}

static clv_status check_message(const check *c, const ProtobufCMessageDescriptor *m, clv_pb w,
                                int depth);

static clv_status check_field(const check *c, const ProtobufCMessageDescriptor *m,
                              const ProtobufCFieldDescriptor *d, const clv_pb_field *f, int depth)
{
    int expected = wire_type(d);
    if (f->type == 2 && expected != 2) {
        if (d->label != PROTOBUF_C_LABEL_REPEATED || !packed_is_sound(f, expected))
            return malformed(c, m, f->start, d->name);
        return CLV_OK;
    }
    if (f->type != expected) return malformed(c, m, f->start, d->name);
    if (d->type == PROTOBUF_C_TYPE_STRING && memchr(f->body, 0, f->bytes))
        return malformed(c, m, f->start, "a NUL in a text");
    if (d->type != PROTOBUF_C_TYPE_MESSAGE) return CLV_OK;
    if (depth >= CLV_PB_DEPTH_MAX)
        return clv_fail(c->err, CLV_ELIMIT, "messages nest deeper than %d at byte %zu",
                        CLV_PB_DEPTH_MAX, (size_t)(f->start - c->base));
    return check_message(c, d->descriptor, clv_pb_of(f->body, f->bytes), depth + 1);
}

static clv_status check_message(const check *c, const ProtobufCMessageDescriptor *m, clv_pb w,
                                int depth)
{
    uint64_t seen = 0; /* singular messages, by field index; protobuf would merge a second one */
    clv_pb_field f;
    while (clv_pb_next(&w, &f)) {
        const ProtobufCFieldDescriptor *d = protobuf_c_message_descriptor_get_field(m, f.number);
        if (!d) continue;
        if (d->type == PROTOBUF_C_TYPE_MESSAGE && d->label != PROTOBUF_C_LABEL_REPEATED) {
            uint64_t bit = (uint64_t)1 << ((size_t)(d - m->fields) & 63);
            if (seen & bit) return malformed(c, m, f.start, "a second value for a single field");
            seen |= bit;
        }
        clv_status status = check_field(c, m, d, &f, depth);
        if (status) return status;
    }
    return w.at == w.end ? CLV_OK : malformed(c, m, w.at, "a cut or broken field");
}

clv_status clv_pb_check(const ProtobufCMessageDescriptor *message, const void *bytes, size_t n,
                        clv_error *err)
{
    check c = {.base = bytes, .err = err};
    return check_message(&c, message, clv_pb_of(bytes, n), 0);
}

/* ---- writing ---- */

void clv_pb_put_varint(clv_buf *b, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) clv_buf_char(b, (char)(value | 0x80));
    clv_buf_char(b, (char)value);
}

void clv_pb_put_bytes(clv_buf *b, uint32_t number, const void *bytes, size_t n)
{
    clv_pb_put_varint(b, (uint64_t)number << 3 | 2);
    clv_pb_put_varint(b, n);
    clv_buf_add(b, bytes, n);
}

void clv_pb_put_number(clv_buf *b, uint32_t number, uint64_t value)
{
    clv_pb_put_varint(b, (uint64_t)number << 3);
    clv_pb_put_varint(b, value);
}
