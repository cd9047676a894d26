/* A bounded list of header fields in one piece of memory, for requests, replies and answers.
 *
 *     clv_headers h = {0};
 *     clv_headers_add(&h, "Host", 4, "a", 1, &err);   // names become lower case
 *     clv_headers_get(&h, "host");                    // "a", or NULL
 *     clv_headers_done(&h);
 *
 * Limits: CLV_HTTP_HEADERS_MAX fields, CLV_HTTP_HEADER_BYTES_MAX bytes of names and values.
 * Pointers from _get and _view are valid until the next _add.
 */
#ifndef CLV_NET_HEADERS_H
#define CLV_NET_HEADERS_H

#include "base/buf.h"
#include "net/http.h"

typedef struct clv_headers {
    clv_buf text; /* name NUL value NUL ... */
    struct {
        size_t name, value; /* offsets in text */
    } at[CLV_HTTP_HEADERS_MAX];
    size_t n;
} clv_headers;

CLV_MUST
clv_status clv_headers_add(clv_headers *h, const char *name, size_t name_n, const char *value,
                           size_t value_n, clv_error *err);
/* As _add for an array that this program made. Control characters become spaces, so that a value
 * taken from a request cannot add lines to the answer; a field over the limits is left out. */
void clv_headers_copy(clv_headers *h, const clv_header *from, size_t n);
const char *clv_headers_get(const clv_headers *h, const char *lower_case_name);
size_t clv_headers_count(const clv_headers *h, const char *lower_case_name);
clv_header clv_headers_at(const clv_headers *h, size_t i);
void clv_headers_view(const clv_headers *h, clv_header out[CLV_HTTP_HEADERS_MAX]);
void clv_headers_clear(clv_headers *h);
void clv_headers_done(clv_headers *h);

#endif
