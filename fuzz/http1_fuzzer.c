/* The server's end of an HTTP/1 connection, fed with any bytes in pieces of any size. The first
 * byte seeds the sizes of the pieces. What goes out must look like HTTP. */
#include "exchange_sink.h"
#include "net/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size) return -1;
    unsigned seed = data[0];
    fuzz_sink sink = {0};
    clv_outq out = {0};
    clv_service *service = fuzz_service(fuzz_loop(), &sink);
    clv_http1 *h = clv_http1_new(service, &out, &(clv_caller){.text = "fuzz:0", .who = "fuzz"},
                                 fuzz_wake, NULL);
    for (size_t at = 1; at < size && !clv_http1_is_over(h);) {
        size_t n = 1 + seed % 97;
        if (n > size - at) n = size - at;
        clv_http1_receive(h, data + at, n);
        at += n;
        seed = seed * 1103515245u + 12345u;
        if (seed >> 16 & 1) fuzz_pay(&sink);
        if (seed >> 16 == 7) clv_http1_expire(h, INT64_MAX);
        if (seed >> 16 == 9) clv_http1_drain(h);
    }
    struct iovec first;
    if (clv_outq_iov(&out, &first, 1) && first.iov_len >= 5 && memcmp(first.iov_base, "HTTP/", 5)) {
        abort();
    }
    clv_http1_free(h);
    fuzz_pay(&sink);
    if (service->active) abort();
    clv_service_unref(service);
    clv_outq_done(&out);
    return 0;
}
