/* One number out of a tensor, whatever its element type: for showing, never for computing.
 *
 *     for (size_t i = 0; i < clv_element_count(t); i++) sum += clv_element(t, i);
 *
 * TEXT elements are not numbers: clv_element_text() finds them. Views may be unaligned. */
#ifndef CLV_CLI_ELEMENT_H
#define CLV_CLI_ELEMENT_H

#include "tensor/tensor.h"

/* Elements that the shape says, never more than the bytes hold. */
size_t clv_element_count(const clv_tensor *t);
/* NaN for TEXT. i < count. 64-bit integers above 2^53 lose digits. */
double clv_element(const clv_tensor *t, size_t i);
/* The text at *at (start with 0), which moves behind it; false at the end, or when it is no TEXT.
 * `*text` is not terminated and borrows from the tensor. */
bool clv_element_text(const clv_tensor *t, size_t *at, const char **text, size_t *bytes);
bool clv_element_floating(clv_dtype dtype);

#endif
