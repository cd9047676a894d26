/* HTTP as values: what a server's exchange and a client's call have in common. */
#ifndef CLV_NET_HTTP_H
#define CLV_NET_HTTP_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

enum {
    CLV_HTTP_HEADERS_MAX = 64,
    CLV_HTTP_HEADER_BYTES_MAX = 16384, /* all of one message */
    CLV_HTTP_PATH_MAX = 2048,
    CLV_PEER_TEXT_MAX = 64,
    CLV_HTTP_STREAMS_MAX = 128, /* concurrent HTTP/2 streams of one connection */
};
#define CLV_HTTP_BODY_MAX_DEFAULT     ((size_t)64 << 20)
#define CLV_HTTP_BUFFERED_MAX_DEFAULT ((size_t)1 << 30) /* all collected bodies of a server */

typedef struct clv_header {
    const char *name; /* lower case */
    const char *value;
} clv_header;

/* A piece of a body that is sent without a copy; `release(owner)` (may be NULL) is called on the
 * loop's thread, exactly once, when the bytes are no longer needed, also on failure. */
typedef struct clv_slice {
    const void *data;
    size_t bytes;
    void (*release)(void *owner);
    void *owner;
} clv_slice;

/* A received body in one piece that can be kept: tensors may point into it. */
typedef struct clv_body clv_body;
const void *clv_body_data(const clv_body *b); /* 64-byte aligned start */
size_t clv_body_bytes(const clv_body *b);
clv_body *clv_body_ref(clv_body *b); /* any thread */
void clv_body_unref(
    void *b); /* any thread; NULL is fine; fits clv_slice.release and clv_tensor.release */

typedef struct clv_tls_options {
    const char *cert,
        *key;       /* PEM files; a server needs both, a client may have them (mutual TLS) */
    const char *ca; /* PEM file of accepted issuers; client: NULL means the system's; server: NULL
                       means no client certificates */
} clv_tls_options;

#endif
