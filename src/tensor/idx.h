/* The idx files of MNIST and its kin, plain or gzipped: a magic, the sizes, big-endian elements.
 *
 *     clv_tensor images;
 *     clv_idx_read("t10k-images-idx3-ubyte.gz", "images", &images, &err);   // UINT8 [10000,28,28]
 *     clv_tensor_done(&images);
 *
 * Elements are turned to little-endian. Ownership: the tensor owns its memory. Threads: any.
 * Errors: CLV_EINVAL: no idx file, truncated, damaged, or with bytes behind its elements; CLV_ELIMIT: a
 * file or a tensor of more than CLV_TENSOR_BYTES_MAX, or a gzip file that claims to be more than it can
 * hold (deflate makes at most 1032 bytes of one), found before memory is taken.
 *
 * Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits" (the format).
 */
#ifndef CLV_TENSOR_IDX_H
#define CLV_TENSOR_IDX_H

#include "tensor/tensor.h"

#include <stdbool.h>

/* The tensor is named `name`; errors name the file. */
CLV_MUST
clv_status clv_idx_read(const char *path, const char *name, clv_tensor *out, clv_error *err);
CLV_MUST
clv_status clv_idx_parse(const void *bytes, size_t n, const char *name, clv_tensor *out,
                         clv_error *err);
/* Is this how an idx file, or a gzip file, begins? */
bool clv_idx_looks_like(const void *bytes, size_t n);

#endif
