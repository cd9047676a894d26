/* protobuf's wire format, read strictly and in place.
 *
 * protobuf-c unpacks anything that it can make sense of, recurses as deep as the bytes say, and stops texts at a NUL. So bytes
 * from outside go through clv_pb_check() first: every known field has its declared wire type and fits, texts hold no NUL,
 * a field that may appear once does, and messages nest at most CLV_PB_DEPTH_MAX deep. Unknown fields are allowed (newer
 * writers), groups are not.
 *
 *     clv_pb w = clv_pb_of(bytes, n);
 *     clv_pb_field f;
 *     while (clv_pb_next(&w, &f)) ...      // bytes that were checked: cannot fail
 */
#ifndef CLV_ONNX_PB_H
#define CLV_ONNX_PB_H

#include "base/buf.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

enum { CLV_PB_DEPTH_MAX = 64 };

typedef struct clv_pb {
    const uint8_t *at, *end;
} clv_pb;

typedef struct clv_pb_field {
    const uint8_t *start; /* of the tag; the field ends at `body + bytes` */
    uint32_t number;
    int type;            /* 0 varint, 1 fixed64, 2 length-delimited, 5 fixed32 */
    uint64_t value;      /* varint only */
    const uint8_t *body; /* content, behind tag and length */
    size_t bytes;        /* of the content */
} clv_pb_field;

static inline clv_pb clv_pb_of(const void *bytes, size_t n)
{
    const uint8_t *p = (const uint8_t *)bytes;
    return (clv_pb){.at = p, .end = p + n};
}

/* False at the end and on malformed bytes; then `w->at == w->end` tells which. */
bool clv_pb_next(clv_pb *w, clv_pb_field *f);

/* The error names the message and the offset in the file. */
CLV_MUST
clv_status clv_pb_check(const ProtobufCMessageDescriptor *message, const void *bytes, size_t n,
                        clv_error *err);

/* Writing: a tag with a length, and a varint. */
void clv_pb_put_varint(clv_buf *b, uint64_t value);
void clv_pb_put_bytes(clv_buf *b, uint32_t number, const void *bytes, size_t n);
void clv_pb_put_number(clv_buf *b, uint32_t number, uint64_t value);

#endif
