/* A model without its weights: large tensors become references into the file that they stand in.
 *
 * An ONNX file of 550 MB is 548 MB of `raw_data`. The skeleton is the same ModelProto in which each
 * large `raw_data` of the main graph (initialisers, and values of Constant nodes) is replaced by
 * ONNX's own external-data reference: location = the name of the .onnx file itself, offset, length.
 * So nothing copies the weights: protobuf-c does not see them, and the engine maps them from the
 * file.
 *
 *     offset of raw_data in the file:   model.onnx [ ... | field 9, length | W W W W ... ]
 *     in the skeleton:                  external_data {location: "model.onnx", offset: 1234,
 *                                       length: 4096}, data_location: EXTERNAL
 *
 * A packed `float_data` or `double_data` holds the same bytes as raw_data would, and is treated
 * alike. Everything else, also unknown fields, is copied as it is.
 */
#ifndef CLV_ONNX_SKELETON_H
#define CLV_ONNX_SKELETON_H

#include "base/buf.h"

#define CLV_SKELETON_INLINE_MAX                                                                    \
    ((size_t)1024) /* smaller tensors stay inside: shapes, scales, biases */
#define CLV_SKELETON_BYTES_MAX  ((size_t)256 << 20)
#define CLV_ONNX_FILE_BYTES_MAX (((size_t)1 << 31) - 1) /* protobuf's own limit */

/* Checks all of `bytes` (onnx/pb.h) and appends the skeleton to `out`. `location`: the file's name. */
CLV_MUST
clv_status clv_skeleton_write(const void *bytes, size_t n, const char *location, clv_buf *out,
                              clv_error *err);

#endif
