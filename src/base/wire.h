/* The wire format of Protocol Buffers, read and written field by field, in place.
 *
 * For messages whose bulk must not be copied: a generated parser copies every byte string it meets,
 * recurses as the bytes say and allocates what the sender likes; this reader allocates nothing and
 * hands out views. Source: "Encoding", protobuf.dev. Groups (deprecated) are refused.
 *
 *     clv_wire w = clv_wire_of(data, bytes);
 *     clv_wire_field f;
 *     while (clv_wire_more(&w)) {
 *         if ((status = clv_wire_read(&w, &f, err))) return status;
 *         if (f.number == 5) parse(clv_wire_inside(&f));        // unknown ones: go on
 *     }
 *
 * or, for bytes that were checked before (onnx/wire.h) and cannot fail:
 *
 *     while (clv_wire_next(&w, &f)) ...
 *
 * Ownership: a clv_wire borrows; it is a value and may be copied to read the same bytes again.
 */
#ifndef CLV_BASE_WIRE_H
#define CLV_BASE_WIRE_H

#include "base/buf.h"

#include <stdbool.h>

typedef enum clv_wire_type {
    CLV_WIRE_VARINT = 0,
    CLV_WIRE_FIXED64 = 1,
    CLV_WIRE_BYTES = 2,
    CLV_WIRE_FIXED32 = 5
} clv_wire_type;

typedef struct clv_wire {
    const uint8_t *at, *end;
} clv_wire;

typedef struct clv_wire_field {
    const uint8_t *start; /* of the tag; the field ends at `body + bytes` */
    uint32_t number;
    clv_wire_type type;
    uint64_t value;      /* of VARINT, FIXED64 and FIXED32 */
    const uint8_t *body; /* content, behind tag and length */
    size_t bytes;        /* of the content */
} clv_wire_field;

clv_wire clv_wire_of(const void *bytes, size_t n);
static inline bool clv_wire_more(const clv_wire *w)
{
    return w->at < w->end;
}
size_t clv_wire_left(const clv_wire *w);
clv_wire clv_wire_inside(const clv_wire_field *f); /* the content of a BYTES field */

/* False at the end and on malformed bytes; then `w->at == w->end` tells which. */
bool clv_wire_next(clv_wire *w, clv_wire_field *f);
/* The same with an error. CLV_EINVAL: cut off, longer than what holds it, a bad tag or type. */
CLV_MUST
clv_status clv_wire_read(clv_wire *w, clv_wire_field *f, clv_error *err);
/* One element of a packed field; false if it is cut off or a varint of more than ten bytes. */
bool clv_wire_element(clv_wire *w, clv_wire_type type, uint64_t *value);

/* Writing: all append to `b`. */
size_t clv_wire_varint_size(uint64_t value);
void clv_wire_put_varint(clv_buf *b, uint64_t value);
void clv_wire_put_tag(clv_buf *b, uint32_t number, clv_wire_type type);
void clv_wire_put_bytes(clv_buf *b, uint32_t number, const void *bytes, size_t n);
void clv_wire_put_text(clv_buf *b, uint32_t number, const char *text); /* NULL or "": nothing */
void clv_wire_put_number(clv_buf *b, uint32_t number, uint64_t value);

#endif
