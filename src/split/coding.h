/* Tensors on their way between two nodes: written in a route's codec before they are sent, read
 * before a segment takes them. For the compute lane, or whoever may wait: both take as long as the
 * tensors are large.
 *
 *     clv_tensors coded = {0};
 *     clv_coding_write(codec, tensors, n, &coded, &err);  // the tensors stay as they are
 *     ...
 *     clv_coding_read(&given, specs, n_specs, &plain, &err);  // `given` may be on its way
 *
 * What comes from another node is checked against what the segment declares before anything is
 * decoded, and all that a request has coded may become CLV_CODING_BYTES_MAX at most: a short
 * encoding may rightly be a large tensor.
 *
 * Errors: the codec's own (tensor/codec.h), CLV_EINVAL (not what the segment declares), CLV_ELIMIT;
 * each names the tensor.
 */
#ifndef CLV_SPLIT_CODING_H
#define CLV_SPLIT_CODING_H

#include "tensor/codec.h"

#define CLV_CODING_BYTES_MAX ((size_t)256 << 20)

/* Adds an encoding of each to `out`; of what is coded already, and of texts, which have no fixed
 * size, a view. Nothing is added on failure. */
CLV_MUST
clv_status clv_coding_write(clv_codec codec, const clv_tensor *tensors, size_t n, clv_tensors *out,
                            clv_error *err);
/* Adds to `plain` what those of `tensors` say that are coded, are named by `specs` and are not in it yet. */
CLV_MUST
clv_status clv_coding_read(const clv_tensors *tensors, const clv_tensor_spec *specs, size_t n,
                           clv_tensors *plain, clv_error *err);

#endif
