/* Seeded inputs for measuring and checking: values that a network could get, the same for a seed on
 * every machine. Floating point: normal with mean 0 and variance 1. Integers: 0 or 1, valid as
 * index, mask and count alike. BOOL: either. TEXT: CLV_EUNSUPPORTED.
 *
 *     clv_rng rng = clv_rng_seeded(1);
 *     clv_tensors inputs = {0};
 *     clv_tensors_random(specs, n, 1, &rng, &inputs, &err);    // one tensor a spec, batch 1
 */
#ifndef CLV_TENSOR_RANDOM_H
#define CLV_TENSOR_RANDOM_H

#include "base/rng.h"
#include "tensor/tensor.h"

/* The free first dimension of each becomes `batch`, other free dimensions 1. Appends to `out`, nothing on failure. */
CLV_MUST
clv_status clv_tensors_random(const clv_tensor_spec *specs, size_t n, int64_t batch, clv_rng *rng,
                              clv_tensors *out, clv_error *err);
/* Fill one tensor. */
CLV_MUST
clv_status clv_tensor_fill_random(clv_tensor *t, clv_rng *rng, clv_error *err);

#endif
