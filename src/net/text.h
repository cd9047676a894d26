/* Inside net/: the small texts of HTTP and gRPC. */
#ifndef CLV_NET_TEXT_H
#define CLV_NET_TEXT_H

#include "base/buf.h"

#include <stdbool.h>

/* "application/grpc", alone or with "+proto" or ";..." behind. NULL is not. */
bool clv_text_is_grpc(const char *content_type);
/* In place; false for a bad escape and for %00. */
bool clv_text_percent_decode(char *text);
/* As gRPC's Percent-Byte-Encoding: all but printable ASCII, and '%' itself. Appends. */
void clv_text_percent_encode(clv_buf *out, const char *text);
/* Appends {"error": "text"} and a newline; bytes that are not UTF-8 become U+FFFD. */
void clv_text_error_json(clv_buf *out, const char *text);
/* Can it be a bearer token: not empty, visible ASCII only (no blank, no newline of a file). */
CLV_MUST
clv_status clv_text_check_token(const char *token, clv_error *err);
/* Decimal digits only, no sign, no overflow; false otherwise. */
bool clv_text_to_size(const char *text, size_t *value);

#endif
