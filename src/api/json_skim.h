/* Take the bulk out of an inference request's JSON: every `inputs[i].data` value becomes a number,
 * its index in `spans`; what is left is small and goes to a general JSON parser.
 *
 *     {"inputs":[{"name":"x","data":[1,2,3]}]}  ->  {"inputs":[{"name":"x","data":0}]}
 *     spans[0] = "[1,2,3]"
 *
 * Line breaks inside a span are kept in the rest, so that the parser's line numbers stay right. The
 * skim checks only what it needs (strings and brackets end): the two parsers behind it check all.
 */
#ifndef CLV_API_JSON_SKIM_H
#define CLV_API_JSON_SKIM_H

#include "api/json_data.h"

enum { CLV_JSON_REST_MAX = 1 << 20, CLV_JSON_SPANS_MAX = 1024 };

typedef struct clv_json_skim {
    clv_buf rest;
    clv_json_span *spans; /* views into the text */
    size_t n_spans, cap;
} clv_json_skim;

/* CLV_EINVAL with a line: a string or a bracket does not end. CLV_ELIMIT: what is left is larger
 * than CLV_JSON_REST_MAX, or more spans than CLV_JSON_SPANS_MAX. */
CLV_MUST
clv_status clv_json_skim_text(const char *text, size_t bytes, clv_json_skim *out, clv_error *err);
void clv_json_skim_done(clv_json_skim *s);

#endif
