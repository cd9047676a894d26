/* The wire format of Protocol Buffers, read and written field by field.
 *
 * For the two messages that carry tensors: a generated parser copies every byte string it meets and
 * allocates what the sender likes; this reader allocates nothing and hands out views.
 *
 *     clv_wire w = clv_wire_of(data, bytes);
 *     clv_wire_field f;
 *     while (clv_wire_more(&w)) {
 *         if ((st = clv_wire_next(&w, &f, err))) return st;
 *         if (f.number == 1 && f.type == CLV_WIRE_BYTES) use(f.bytes);   // unknown ones: go on
 *     }
 *
 * Source: "Encoding", protobuf.dev. Groups (deprecated, wire types 3 and 4) are refused.
 * Ownership: a clv_wire borrows; it is a value and may be copied to read the same bytes again.
 */
#ifndef CLV_SPLIT_WIRE_H
#define CLV_SPLIT_WIRE_H

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
    uint32_t number;
    clv_wire_type type;
    uint64_t value; /* of VARINT, FIXED64 and FIXED32 */
    clv_wire bytes; /* of BYTES */
} clv_wire_field;

clv_wire clv_wire_of(const void *data, size_t bytes);
size_t clv_wire_left(const clv_wire *w);
static inline bool clv_wire_more(const clv_wire *w)
{
    return w->at < w->end;
}

/* The next field. CLV_EINVAL: cut off, longer than what holds it, a bad tag or wire type. */
CLV_MUST
clv_status clv_wire_next(clv_wire *w, clv_wire_field *f, clv_error *err);
/* One element of a packed field. CLV_EINVAL: cut off, or a varint of more than ten bytes. */
CLV_MUST
clv_status clv_wire_element(clv_wire *w, clv_wire_type type, uint64_t *value, clv_error *err);

/* Writing: all append to `b`. */
size_t clv_wire_varint_size(uint64_t value);
void clv_wire_put_varint(clv_buf *b, uint64_t value);
void clv_wire_put_tag(clv_buf *b, uint32_t number, clv_wire_type type);
void clv_wire_put_bytes(clv_buf *b, uint32_t number, const void *data, size_t n);
void clv_wire_put_text(clv_buf *b, uint32_t number, const char *text); /* NULL or "": nothing */
void clv_wire_put_int(clv_buf *b, uint32_t number, int64_t value);

#endif
