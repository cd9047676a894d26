#include "api/api.h"

#include "api/asker.h"
#include "api/grpc_service.h"
#include "api/rest.h"
#include "net/grpc.h"

const char *const clv_api_open_paths[] = {"/v2/health/live",
                                          "/v2/health/ready",
                                          CLV_GRPC_SERVICE "/ServerLive",
                                          CLV_GRPC_SERVICE "/ServerReady",
                                          CLV_GRPC_HEALTH "/Check",
                                          NULL};

static clv_status begin(void *ctx, clv_exchange *x, clv_body_sink *sink, size_t *body_max,
                        clv_error *err)
{
    return clv_grpc_is(x) ? CLV_OK : clv_rest_begin(ctx, x, sink, body_max, err);
}

static void request(void *ctx, clv_exchange *x)
{
    if (clv_grpc_is(x))
        clv_grpc_service(ctx, x);
    else
        clv_rest_request(ctx, x);
}

static void gone(void *ctx, clv_exchange *x)
{
    (void)ctx;
    clv_asker_gone(x);
    if (!clv_grpc_is(x)) clv_rest_gone(x);
}

const clv_http_handler clv_api_handler = {.begin = begin, .request = request, .gone = gone};
