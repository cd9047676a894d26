/* REST paths about the server and its models. Each answers the exchange, now or later. */
#ifndef CLV_API_REST_MODELS_H
#define CLV_API_REST_MODELS_H

#include "api/rest.h"

void clv_rest_server(const clv_rest_call *c); /* GET /v2 */
void clv_rest_live(const clv_rest_call *c);
void clv_rest_ready(const clv_rest_call *c);
void clv_rest_load(const clv_rest_call *c); /* how busy this node is: split/node_load.h */
void clv_rest_index(const clv_rest_call *c);
void clv_rest_model(const clv_rest_call *c); /* metadata; `parameters`: digest, plan */
void clv_rest_model_ready(const clv_rest_call *c);
void clv_rest_profile(const clv_rest_call *c);
void clv_rest_chain(const clv_rest_call *c);
void clv_rest_prepare(const clv_rest_call *c);

#endif
