/* gRPC message framing, plain and gzip: any bytes give a message within the limit, or an error. */
#include "net/body.h"
#include "net/grpc.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    clv_error err = {0};
    clv_body *body = clv_body_new(), *owner = NULL;
    const void *message;
    size_t bytes;
    if (clv_body_append(body, data, size, 0, SIZE_MAX, &err)) abort();
    if (!clv_grpc_message(body, "gzip", LIMIT, &owner, &message, &bytes, &err)) {
        if (bytes > LIMIT) abort();
        if (bytes && ((const unsigned char *)message)[bytes - 1] == 0) size++; /* it is readable */
    } else if (owner || err.status == CLV_OK) {
        abort();
    }
    clv_body_unref(owner);
    clv_body_unref(body);
    return size ? 0 : -1;
}
