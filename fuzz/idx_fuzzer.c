/* Whatever the bytes are: an error, or a tensor that agrees with itself. */
#include "tensor/idx.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    clv_error err = {0};
    clv_tensor t;
    if (clv_idx_parse(data, size, "x", &t, &err)) {
        if (!err.text[0]) abort();
        return 0;
    }
    if (!clv_idx_looks_like(data, size) || clv_tensor_check(&t, &err)) abort();
    clv_tensor_done(&t);
    return 0;
}
