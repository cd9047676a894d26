/* What a node's port answers: OIP over gRPC and REST, told apart by the content type.
 *
 *     clv_http_server_options o = {.port = 8000, .open_paths = clv_api_open_paths, ...};
 *     clv_http_server_new(loop, &o, &clv_api_handler, server, &http, &err);
 *
 * The handler's context is the clv_server. Every exchange is answered exactly once: at once for what
 * is known, or from the server's callbacks. docs/protocol.md lists paths, methods and parameters.
 */
#ifndef CLV_API_API_H
#define CLV_API_API_H

#include "net/server.h"
#include "serve/server.h"

extern const clv_http_handler clv_api_handler;
/* Paths that need no token: liveness and readiness, for those who restart nodes. */
extern const char *const clv_api_open_paths[];

#endif
