/* Typed contents of an OIP tensor (fp32_contents and its siblings, InferTensorContents) as the
 * dtype's own little-endian bytes. What grpc-js and hand-written clients send; raw contents are
 * faster and are what cleave sends.
 *
 * | field | contents | dtypes |       | field | contents | dtypes |
 * | 1 | bool   | BOOL |                | 5 | uint64 | UINT64 |
 * | 2 | int32  | INT8, INT16, INT32 |  | 6 | float  | FP32 |
 * | 3 | int64  | INT64 |               | 7 | double | FP64 |
 * | 4 | uint32 | UINT8, UINT16, UINT32 | 8 | bytes | BYTES |
 *
 * FP16 and BF16 have no typed contents in the protocol.
 */
#ifndef CLV_SPLIT_CONTENTS_H
#define CLV_SPLIT_CONTENTS_H

#include "base/wire.h"
#include "tensor/tensor.h"

/* `contents` is the InferTensorContents, packed or not; the result owns fresh memory. Counts before
 * it allocates. CLV_EINVAL: the wrong field for the dtype, a value out of the dtype's range, not as
 * many elements as the shape has; the error names the tensor. */
CLV_MUST
clv_status clv_contents_decode(clv_wire contents, const char *name, clv_dtype dtype,
                               const clv_shape *shape, clv_tensor *out, clv_error *err);

#endif
