/* POST /v2/models/M[/versions/V]/infer: JSON, and the binary tensor extension both ways.
 *
 * The header inference-header-content-length says how many bytes of the body are JSON; behind them
 * the raw tensors of those inputs that have parameters.binary_data_size, in order. Without it all
 * is JSON. Its value 0: the body is the one input's raw bytes, batch 1, all outputs binary. An
 * output is sent raw if its parameters.binary_data says so, or the request's binary_data_output
 * does and its own says nothing.
 *
 * Like gRPC, the request's parameters may hold timeout (us), cleave_digest and cleave_local_only,
 * and the answer's hold the plan and the timing (docs/protocol.md). */
#ifndef CLV_API_REST_INFER_H
#define CLV_API_REST_INFER_H

#include "api/rest.h"

/* Which outputs the asker wants raw; hangs on the request as `asker` until it is answered. */
typedef struct clv_rest_asker {
    clv_exchange *x;
    bool all_binary;     /* for outputs that say nothing themselves */
    signed char *binary; /* for each of request->wanted: 1 raw, 0 JSON, -1 says nothing */
} clv_rest_asker;

void clv_rest_infer(const clv_rest_call *c);
/* Answer the asker of `take`, with its outputs or its error; frees both. Any thread. */
void clv_rest_answer(clv_request *take);

#endif
