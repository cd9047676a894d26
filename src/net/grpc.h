/* gRPC on top of HTTP/2 exchanges and calls: unary methods, message framing, status trailers,
 * timeouts. Source: "gRPC over HTTP2" (PROTOCOL-HTTP2.md of the gRPC project). gzip-compressed
 * request messages are accepted. */
#ifndef CLV_NET_GRPC_H
#define CLV_NET_GRPC_H

#include "net/client.h"
#include "net/server.h"

enum { CLV_GRPC_PREFIX = 5 };

bool clv_grpc_is(const clv_exchange *x); /* content-type application/grpc */
/* The one message of a unary request or reply, as a part of `body` (or of a new body when it was
 * compressed). CLV_EPROTO / CLV_EINVAL for bad framing, none or several messages; CLV_ELIMIT past
 * `max`. The caller unrefs `*owner`. */
CLV_MUST
clv_status clv_grpc_message(clv_body *body, const char *encoding, size_t max, clv_body **owner,
                            const void **message, size_t *bytes, clv_error *err);
/* Deadline in monotonic microseconds from the grpc-timeout header; 0 if absent or malformed. */
int64_t clv_grpc_deadline_us(const clv_exchange *x, int64_t now_us);
/* Answer OK with a message made of slices (the 5-byte prefix is added), or a status with a text.
 * From any thread. */
void clv_grpc_respond(clv_exchange *x, const clv_slice *message, size_t n);
void clv_grpc_respond_error(clv_exchange *x, clv_status status, const char *text);

/* Call a unary method ("/inference.GRPCInferenceService/ModelInfer"). */
typedef struct clv_grpc_call {
    const char *method;
    const clv_slice *message; /* released as in clv_call */
    size_t n_message;
    int64_t deadline_us; /* also sent as grpc-timeout */
    /* status CLV_OK: `message` is the reply's, valid during the call, kept alive by ref'ing
     * `owner`. Otherwise `error` says why. `reply` has the times; never NULL. */
    void (*done)(void *arg, const clv_reply *reply, const clv_error *error, clv_body *owner,
                 const void *message, size_t bytes);
    void *arg;
} clv_grpc_call;
uint64_t clv_grpc_client_call(clv_client *c, const clv_grpc_call *call);

#endif
