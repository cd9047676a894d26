/* numpy's .npy files (format 1.0 to 3.0, C order), read and written. */
#ifndef CLV_TENSOR_NPY_H
#define CLV_TENSOR_NPY_H

#include "tensor/tensor.h"

/* Read a file of at most CLV_TENSOR_BYTES_MAX; the tensor is named `name`. Fortran order and object
 * dtypes are CLV_EUNSUPPORTED. */
CLV_MUST
clv_status clv_npy_read(const char *path, const char *name, clv_tensor *out, clv_error *err);
CLV_MUST
clv_status clv_npy_parse(const void *bytes, size_t n, const char *name, clv_tensor *out,
                         clv_error *err);
CLV_MUST
clv_status clv_npy_write(const char *path, const clv_tensor *t, clv_error *err);

#endif
