/* The `"data"` arrays of OIP's JSON, straight into an element type's bytes and back.
 *
 * A general JSON library makes an object of every number (45 ms for one image of 150,528 floats);
 * this pull parser makes none (about 3 ms) and checks the array against the tensor's shape as it
 * goes.
 *
 *     clv_json_span span = {text, bytes, 12};     // "[[1, 2.5], [3, 4]]", begins on line 12
 *     clv_json_data_parse(&span, "x", CLV_F32, &shape, &tensor, &err);
 *
 * The array may be flat or nested exactly as the shape. FP32 and FP64 are rounded correctly, as
 * strtof and strtod do; integers must be written as integers and fit the dtype; BOOL takes true,
 * false, 0 and 1; BYTES takes strings. FP16 and BF16 cannot be written in OIP's JSON: they are
 * refused, both ways, with a hint at the binary extension.
 */
#ifndef CLV_API_JSON_DATA_H
#define CLV_API_JSON_DATA_H

#include "base/buf.h"
#include "tensor/tensor.h"

/* A piece of a JSON document, for messages with the line where it begins (1 is the first). */
typedef struct clv_json_span {
    const char *text;
    size_t bytes;
    int line;
} clv_json_span;

/* The result owns fresh memory, never more than nine times the text. CLV_EINVAL names tensor,
 * element and line: not JSON, wrong kind of element, out of range, another number of elements or
 * another nesting than the shape has. */
CLV_MUST
clv_status clv_json_data_parse(const clv_json_span *in, const char *name, clv_dtype dtype,
                               const clv_shape *shape, clv_tensor *out, clv_error *err);

/* Append a flat array; floats have seven digits if that reads back as the same value, else nine
 * (FP64: 15 and 17). CLV_EUNSUPPORTED: NaN and infinity, which JSON cannot say, FP16 and
 * BF16, and BYTES that are not UTF-8. */
CLV_MUST
clv_status clv_json_data_write(clv_buf *out, const clv_tensor *t, clv_error *err);

#endif
