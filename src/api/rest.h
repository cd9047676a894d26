/* OIP over REST, and cleave's own paths: a table of routes.
 *
 * | method | path | answers |
 * | GET  | /v2, /v2/health/live, /v2/health/ready | server metadata, {"live"}, {"ready"} |
 * | GET  | /v2/models/M[/versions/V][/ready] | model metadata, {"ready"} |
 * | POST | /v2/models/M[/versions/V]/infer | api/rest_infer.h |
 * | POST | /v2/repository/index | [{"name","version","state","reason"}] |
 * | GET  | /v2/models/M[/versions/V]/profile | the model's profile on this device (docs/json.md) |
 * | GET  | /v2/models/M[/versions/V]/chain[?profiles=true] | this node and those behind it (split/chain.h) |
 * | POST | /v2/models/M[/versions/V]/prepare | {"inputs":[names], "route"}: make that segment resident |
 * | PUT  | /v2/models/M/versions/V/file | store a model; header x-cleave-digest |
 * | POST | /v2/link/probe[?reply=N] | {"received"} and N bytes of spaces: to measure the link |
 *
 * Errors are {"error": text} with the status of base/status.h; an unknown path is 404, a known path
 * with another method 405 with `allow`.
 */
#ifndef CLV_API_REST_H
#define CLV_API_REST_H

#include "net/server.h"
#include "serve/server.h"

/* A request whose path a route knows: the model's name and version are borrowed for the call. */
typedef struct clv_rest_call {
    clv_server *server;
    clv_exchange *x;
    const char *model, *version; /* "" if the path has none */
} clv_rest_call;

/* The three parts of a clv_http_handler. Loop's thread. */
CLV_MUST
clv_status clv_rest_begin(clv_server *server, clv_exchange *x, clv_body_sink *sink,
                          size_t *body_max, clv_error *err);
void clv_rest_request(clv_server *server, clv_exchange *x);
void clv_rest_gone(clv_exchange *x);

#endif
