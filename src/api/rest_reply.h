/* Answers in JSON. Each ends the exchange; from any thread. */
#ifndef CLV_API_REST_REPLY_H
#define CLV_API_REST_REPLY_H

#include "net/server.h"

#include <jansson.h>

enum { CLV_REST_BODY_JSON_MAX = 1 << 20 }; /* of a request that is JSON and not an inference */

void clv_rest_reply_text(clv_exchange *x, int status, char *take_json);
void clv_rest_reply(clv_exchange *x, int status, json_t *take);
void clv_rest_reply_error(clv_exchange *x, const clv_error *err);
/* A refusal that has no clv_status, e.g. 405; `allow` (may be NULL) becomes a header. */
void clv_rest_refuse(clv_exchange *x, int status, const char *allow, const char *text);

/* Read `n` bytes as a JSON object; unrefs are the caller's. CLV_EINVAL with line and column. */
CLV_MUST
clv_status clv_rest_parse(const char *text, size_t n, json_t **out, clv_error *err);

#endif
