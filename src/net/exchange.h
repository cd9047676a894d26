/* Inside net/: one request and its answer, as both server protocols see it. server.h has the face
 * that handlers see.
 *
 * The protocol (the carrier) makes an exchange when a request starts, fills in method, target and
 * header fields, and then tells what happens, in this order:
 *
 *     clv_exchange *x = clv_exchange_new(service, &ops, carrier, peer);
 *     clv_exchange_begin(x, content_length);  // token, limits, the handler's `begin`
 *     clv_exchange_receive(x, bytes, n);      // any number of times
 *     clv_exchange_complete(x);               // the handler's `request`
 *     clv_exchange_detach(x);                 // always last; the handler's `gone` if unanswered
 *
 * Each of the middle three may answer the exchange by itself (a wrong token, a body over the
 * limit): afterwards clv_exchange_is_answered() is true and the rest of the body is thrown away.
 * The answer comes through ops->answer, on the loop's thread, at most once and never after _detach.
 *
 * References: one for the carrier (given back by _detach), one for the handler from the moment it
 * must answer (given back by clv_exchange_respond). Worker threads may therefore answer an exchange
 * whose connection is long gone.
 */
#ifndef CLV_NET_EXCHANGE_H
#define CLV_NET_EXCHANGE_H

#include "net/body.h"
#include "net/caller.h"
#include "net/headers.h"
#include "net/server.h"
#include "net/service.h"

enum {
    CLV_HTTP_TARGET_MAX = 8192, /* path and query as sent */
    CLV_METHOD_MAX = 32,
};

/* What an answer is made of, owned by who gets it. */
typedef struct clv_answer {
    int status;
    clv_headers headers, trailers;
    clv_outbody *body; /* never NULL */
} clv_answer;
void clv_answer_done(clv_answer *a);

typedef struct clv_carrier_ops {
    /* Send it; the carrier owns `a` now and calls clv_answer_done(), perhaps later. */
    void (*answer)(void *carrier, clv_exchange *x, clv_answer *a);
} clv_carrier_ops;

clv_exchange *clv_exchange_new(clv_service *s, const clv_carrier_ops *ops, void *carrier,
                               const clv_caller *peer);
void clv_exchange_set_method(clv_exchange *x, const char *method, size_t n);
/* CLV_ELIMIT past CLV_HTTP_TARGET_MAX; may be called in pieces. */
CLV_MUST
clv_status clv_exchange_add_target(clv_exchange *x, const char *bytes, size_t n, clv_error *err);
clv_headers *clv_exchange_headers(clv_exchange *x);
void clv_exchange_begin(clv_exchange *x, size_t content_length); /* 0: unknown or none */
void clv_exchange_receive(clv_exchange *x, const void *bytes, size_t n);
/* Where the next bytes of its body may be read to (clv_body_room). NULL: nowhere. */
unsigned char *clv_exchange_room(clv_exchange *x, size_t *n);
void clv_exchange_complete(clv_exchange *x);
void clv_exchange_detach(clv_exchange *x);
bool clv_exchange_is_answered(const clv_exchange *x);
int64_t clv_exchange_progress_us(const clv_exchange *x); /* when its last bytes came */
bool clv_exchange_is_complete(const clv_exchange *x);    /* the whole request was read */

/* Answer by the protocol itself: {"error": text}, or gRPC's Trailers-Only for a gRPC request.
 * `http` is the HTTP status. Does nothing if the exchange is answered. A handler that has begun is
 * told `gone`. */
void clv_exchange_refuse(clv_exchange *x, int http, clv_status status, const char *text);

#endif
