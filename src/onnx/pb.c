#include "onnx/pb.h"

#include <string.h>

typedef struct check {
    const uint8_t *base; /* of the file, for offsets in messages */
    clv_error *err;
} check;

static clv_wire_type wire_type(const ProtobufCFieldDescriptor *d)
{
    switch (d->type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT: return CLV_WIRE_FIXED32;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE: return CLV_WIRE_FIXED64;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE: return CLV_WIRE_BYTES;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM: return CLV_WIRE_VARINT;
    }
    return CLV_WIRE_VARINT;
}

static clv_status malformed(const check *c, const ProtobufCMessageDescriptor *m, const uint8_t *at,
                            const char *what)
{
    return clv_fail(c->err, CLV_EINVAL, "not a sound ONNX file: %s at byte %zu (%s)", what,
                    (size_t)(at - c->base), m->short_name);
}

/* A packed list holds whole numbers only. */
static bool packed_is_sound(const clv_wire_field *f, clv_wire_type element)
{
    clv_wire list = clv_wire_inside(f);
    uint64_t value;
    while (clv_wire_more(&list))
        if (!clv_wire_element(&list, element, &value)) return false;
    return true;
}

static clv_status check_message(const check *c, const ProtobufCMessageDescriptor *m, clv_wire w,
                                int depth);

static clv_status check_field(const check *c, const ProtobufCMessageDescriptor *m,
                              const ProtobufCFieldDescriptor *d, const clv_wire_field *f, int depth)
{
    clv_wire_type expected = wire_type(d);
    if (f->type == CLV_WIRE_BYTES && expected != CLV_WIRE_BYTES) {
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
    return check_message(c, d->descriptor, clv_wire_inside(f), depth + 1);
}

static clv_status check_message(const check *c, const ProtobufCMessageDescriptor *m, clv_wire w,
                                int depth)
{
    uint64_t seen = 0; /* singular messages, by field index; protobuf would merge a second one */
    clv_wire_field f;
    while (clv_wire_next(&w, &f)) {
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
    return check_message(&c, message, clv_wire_of(bytes, n), 0);
}
