/* What a node tells of a model: an error, or inputs that have names, datatypes and sound shapes. */
#include "cli/remote.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    clv_remote_model m;
    if (clv_remote_model_parse(data, n, &m, NULL)) return 0;
    for (size_t i = 0; i < m.n_inputs; i++) {
        const clv_tensor_spec *s = &m.inputs[i];
        if (!s->name || s->dtype == CLV_DTYPE_NONE || s->shape.rank > CLV_RANK_MAX) abort();
        for (int k = 0; k < s->shape.rank; k++)
            if (s->shape.dim[k] < -1) abort();
    }
    clv_remote_model_done(&m);
    return 0;
}
