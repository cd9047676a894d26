/* OIP over gRPC (inference.GRPCInferenceService) and the standard health service.
 *
 * The small messages are read and written field by field (split/wire.h), like the two that carry
 * tensors: a generated parser would only add copies and an allocator to guard. Unknown methods are
 * UNIMPLEMENTED (12), never an HTTP 404. */
#ifndef CLV_API_GRPC_SERVICE_H
#define CLV_API_GRPC_SERVICE_H

#include "net/server.h"
#include "serve/server.h"

#define CLV_GRPC_SERVICE "/inference.GRPCInferenceService"
#define CLV_GRPC_HEALTH  "/grpc.health.v1.Health"

/* Answer a complete request whose content type is gRPC. Loop's thread. */
void clv_grpc_service(clv_server *server, clv_exchange *x);

#endif
