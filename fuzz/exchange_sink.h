/* For the fuzzers of the server's protocols: a service whose handler looks at every part of each
 * request and answers it at once, or never. */
#ifndef CLV_FUZZ_EXCHANGE_SINK_H
#define CLV_FUZZ_EXCHANGE_SINK_H

#include "net/exchange.h"

#include <stdlib.h>
#include <string.h>

enum { FUZZ_BODY_MAX = 64 * 1024 };

/* What is owed: a handler that was asked and not told `gone` answers in the end. */
typedef struct fuzz_sink {
    clv_exchange *owed[256];
    size_t n_owed;
} fuzz_sink;

static inline void fuzz_answer(clv_exchange *x)
{
    clv_body *body = clv_exchange_body(x);
    clv_slice slice = {clv_body_data(body), clv_body_bytes(body), clv_body_unref,
                       clv_body_ref(body)};
    clv_header header = {"x-path", clv_exchange_path(x)}, trailer = {"x-end", "1"};
    clv_exchange_respond(x, &(clv_response){.status = 200,
                                            .headers = &header,
                                            .n_headers = 1,
                                            .body = &slice,
                                            .n_body = 1,
                                            .trailers = &trailer,
                                            .n_trailers = clv_exchange_query(x)[0] == 't'});
}

static inline void fuzz_request(void *ctx, clv_exchange *x)
{
    fuzz_sink *sink = ctx;
    if (clv_exchange_path(x)[0] != '/' || !*clv_exchange_method(x)) abort();
    if (clv_body_bytes(clv_exchange_body(x)) > FUZZ_BODY_MAX) abort();
    if (clv_exchange_query(x)[0] == 'l' && sink->n_owed < 256) { /* "?l": answer later */
        sink->owed[sink->n_owed++] = x;
    } else {
        fuzz_answer(x);
    }
}

static inline void fuzz_gone(void *ctx, clv_exchange *x)
{
    (void)ctx, (void)x;
}

static inline void fuzz_pay(fuzz_sink *sink)
{
    for (size_t i = 0; i < sink->n_owed; i++) fuzz_answer(sink->owed[i]);
    sink->n_owed = 0;
}

static inline clv_service *fuzz_service(clv_loop *loop, fuzz_sink *sink)
{
    static const clv_http_handler handler = {.request = fuzz_request, .gone = fuzz_gone};
    return clv_service_new(&(clv_service_options){
        .loop = loop, .handler = &handler, .ctx = sink, .body_max = FUZZ_BODY_MAX});
}

/* One loop for all runs of the process: making one costs more than a run. */
static inline clv_loop *fuzz_loop(void)
{
    static clv_loop *loop;
    if (!loop) loop = clv_loop_new();
    return loop;
}

static inline void fuzz_wake(void *arg)
{
    (void)arg;
}

#endif
