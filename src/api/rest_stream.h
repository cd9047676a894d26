/* REST paths that take a body as it arrives, without collecting it: a pushed model, and the probe
 * that measures the link. `begin` sets the sink, `request` answers, `gone` cleans up; what they
 * share hangs on the exchange (clv_exchange_data). Loop's thread. */
#ifndef CLV_API_REST_STREAM_H
#define CLV_API_REST_STREAM_H

#include "api/rest.h"

#define CLV_REST_MODEL_MAX ((size_t)16 << 30) /* of a pushed model */
#define CLV_REST_PROBE_MAX ((size_t)64 << 20) /* of a probe, either way */

CLV_MUST
clv_status clv_rest_push_begin(const clv_rest_call *c, clv_body_sink *sink, size_t *body_max,
                               clv_error *err);
void clv_rest_push(const clv_rest_call *c);

CLV_MUST
clv_status clv_rest_probe_begin(const clv_rest_call *c, clv_body_sink *sink, size_t *body_max,
                                clv_error *err);
void clv_rest_probe(const clv_rest_call *c);

void clv_rest_stream_gone(clv_exchange *x);

#endif
