/* Strings of JSON, read and written. */
#ifndef CLV_API_JSON_STRING_H
#define CLV_API_JSON_STRING_H

#include "base/buf.h"

#include <stdbool.h>

/* Read the quoted string at `at`, appending its bytes (escapes resolved, \u as UTF-8) to `out`.
 * Returns behind the closing quote; NULL if it is malformed (then `out` may hold a part). */
const char *clv_json_string_read(const char *at, const char *end, clv_buf *out);
/* Append `n` bytes as a quoted string; false, appending nothing, if they are not UTF-8. */
bool clv_json_string_write(clv_buf *out, const char *text, size_t n);

#endif
