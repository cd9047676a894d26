/* Is a protobuf message sound, before protobuf-c unpacks it?
 *
 * protobuf-c unpacks anything that it can make sense of, recurses as deep as the bytes say, and
 * stops texts at a NUL. So bytes from outside go through clv_pb_check() first: every known field
 * has its declared wire type and fits, texts hold no NUL, a field that may appear once does, and
 * messages nest at most CLV_PB_DEPTH_MAX deep. Unknown fields are allowed (newer writers), groups
 * are not. After it clv_wire_next() (base/wire.h) cannot fail on the same bytes.
 */
#ifndef CLV_ONNX_PB_H
#define CLV_ONNX_PB_H

#include "base/wire.h"

#include <protobuf-c/protobuf-c.h>

enum { CLV_PB_DEPTH_MAX = 64 };

/* The error names the message and the offset in the file. */
CLV_MUST
clv_status clv_pb_check(const ProtobufCMessageDescriptor *message, const void *bytes, size_t n,
                        clv_error *err);

#endif
