/* The server's end of an HTTP/2 connection, fed with any bytes behind the preface. The first byte
 * seeds the sizes of the pieces and when answers are given and frames are taken. */
#include "exchange_sink.h"
#include "net/http2.h"
#include "net/http2_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size) return -1;
    unsigned seed = data[0];
    fuzz_sink sink = {0};
    clv_outq out = {0};
    clv_error err = {0};
    clv_service *service = fuzz_service(fuzz_loop(), &sink);
    clv_http2_server *s = clv_http2_server_new(
        service, &out, &(clv_caller){.text = "fuzz:0", .who = "fuzz"}, fuzz_wake, NULL);
    clv_status status = clv_http2_server_receive(s, (const unsigned char *)clv_http2_preface,
                                                 CLV_HTTP2_PREFACE_BYTES, &err);
    for (size_t at = 1; at < size && !status && !clv_http2_server_is_over(s);) {
        size_t n = 1 + seed % 97;
        if (n > size - at) n = size - at;
        status = clv_http2_server_receive(s, data + at, n, &err);
        at += n;
        seed = seed * 1103515245u + 12345u;
        if (seed >> 16 & 1) fuzz_pay(&sink);
        if (seed >> 17 & 1) clv_http2_server_produce(s);
        if (seed >> 18 & 1) clv_outq_done(&out);
        if (seed >> 16 == 7) clv_http2_server_expire(s, INT64_MAX);
        if (seed >> 16 == 9) clv_http2_server_drain(s);
    }
    clv_http2_server_produce(s);
    clv_http2_server_free(s);
    fuzz_pay(&sink);
    if (service->active) abort();
    clv_service_unref(service);
    clv_outq_done(&out);
    return 0;
}
