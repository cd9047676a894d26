/* protobuf's wire format, read strictly and in place.
 *
 * protobuf-c unpacks anything that it can make sense of, recurses as deep as the bytes say, and stops texts at a NUL. So bytes
 * from outside go through clv_wire_check() first: every known field has its declared wire type and fits, texts hold no NUL,
 * a field that may appear once does, and messages nest at most CLV_WIRE_DEPTH_MAX deep. Unknown fields are allowed (newer
 * writers), groups are not.
 *
 *     clv_wire w = clv_wire_of(bytes, n);
 *     clv_wire_field f;
 *     while (clv_wire_next(&w, &f)) ...      // bytes that were checked: cannot fail
 */
#ifndef CLV_ONNX_WIRE_H
#define CLV_ONNX_WIRE_H

#include "base/buf.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

enum { CLV_WIRE_DEPTH_MAX = 64 };

typedef struct clv_wire {
    const uint8_t *at, *end;
} clv_wire;

typedef struct clv_wire_field {
    const uint8_t *start; /* of the tag; the field ends at `body + bytes` */
    uint32_t number;
    int type;            /* 0 varint, 1 fixed64, 2 length-delimited, 5 fixed32 */
    uint64_t value;      /* varint only */
    const uint8_t *body; /* content, behind tag and length */
    size_t bytes;        /* of the content */
} clv_wire_field;

static inline clv_wire clv_wire_of(const void *bytes, size_t n)
{
    const uint8_t *p = (const uint8_t *)bytes;
    return (clv_wire){.at = p, .end = p + n};
}

/* False at the end and on malformed bytes; then `w->at == w->end` tells which. */
bool clv_wire_next(clv_wire *w, clv_wire_field *f);

/* The error names the message and the offset in the file. */
CLV_MUST
clv_status clv_wire_check(const ProtobufCMessageDescriptor *message, const void *bytes, size_t n,
                          clv_error *err);

/* Writing: a tag with a length, and a varint. */
void clv_wire_put_varint(clv_buf *b, uint64_t value);
void clv_wire_put_bytes(clv_buf *b, uint32_t number, const void *bytes, size_t n);
void clv_wire_put_number(clv_buf *b, uint32_t number, uint64_t value);

#endif
