/* The HTTP/2 client: one warm connection to one peer, many calls in flight; it reconnects by itself
 * (with backoff) when it is asked to call again. HTTP/2 by ALPN over TLS ("https://host:port"), by
 * prior knowledge without ("http://host:port", and "unix:path", a Unix-domain socket; net/url.h).
 *
 *     clv_client_new(loop, &(clv_client_options){.url = "http://10.0.0.2:8000"}, &client, &err);
 *     clv_client_call(client, &(clv_call){.method = "GET", .path = "/v2/health/ready",
 *                                         .done = on_reply, .arg = me});
 *
 * `done` is called exactly once for each call, on the loop's thread, never from inside
 * clv_client_call(): with a reply, or with an error (refused, reset, timed out, cancelled, peer
 * gone). A peer that does not answer HTTP/2 PINGs for `dead_after_us` while calls are in flight is
 * gone: the connection is closed and all its calls fail with CLV_EUNAVAIL.
 *
 * Threads: clv_client_call and clv_client_cancel from any thread, the rest on the loop's.
 */
#ifndef CLV_NET_CLIENT_H
#define CLV_NET_CLIENT_H

#include "net/http.h"
#include "net/loop.h"

typedef struct clv_client clv_client;

typedef struct clv_client_options {
    const char *url;
    const clv_tls_options *tls; /* for https; NULL: system's issuers */
    const char *token;          /* bearer token, or NULL */
    int64_t connect_timeout_us; /* 0: 3 s; for TCP. TLS and HTTP/2 may take 3 s more */
    int64_t dead_after_us;      /* 0: 2 s */
    size_t reply_max;           /* bytes of one reply's body; 0: CLV_HTTP_BODY_MAX_DEFAULT */
} clv_client_options;

typedef struct clv_reply {
    int status;                /* HTTP status, 0 when there is no reply */
    const clv_error *error;    /* NULL when a reply came (whatever its status) */
    clv_body *body;            /* never NULL with a reply; borrowed: ref to keep */
    const clv_header *headers; /* headers, then trailers */
    size_t n_headers;
    int64_t start_us, sent_us, first_byte_us,
        end_us; /* monotonic: call made, last body byte handed to the socket, first and last byte of
                   the reply; 0 unknown */
    int64_t connect_us; /* of that, waited for a connection that was not there yet; 0: it was */
} clv_reply;

const char *clv_reply_header(const clv_reply *r, const char *lower_case_name); /* NULL if absent */

typedef struct clv_call {
    const char *method, *path;
    const clv_header *headers; /* copied */
    size_t n_headers;
    const clv_slice *body; /* array copied, bytes released when sent or failed */
    size_t n_body;
    int64_t deadline_us; /* monotonic; 0: none. On passing it the stream is reset and the call fails
                            with CLV_ETIMEOUT */
    void (*done)(void *arg, const clv_reply *reply);
    void *arg;
} clv_call;

/* What the connection knows of the path; fields are 0 while unknown. From TCP_INFO. Over a
 * Unix-domain socket bytes_acked is what the peer has read, queued_bytes what it has not, and of the
 * others nothing is known. */
typedef struct clv_path_info {
    bool connected;
    int64_t rtt_us, min_rtt_us;
    double delivery_rate_bytes_per_s;
    bool app_limited;
    uint64_t bytes_acked, bytes_received, retransmits;
    uint64_t delivered_bytes; /* acknowledged, in whatever order; counted in packets */
    uint64_t queued_bytes;    /* given to the kernel and not acknowledged yet, about */
    int64_t busy_us; /* in all, in which something was on its way; steps of some milliseconds */
} clv_path_info;

CLV_MUST
clv_status clv_client_new(clv_loop *loop, const clv_client_options *options, clv_client **out,
                          clv_error *err);
/* Returns the call's id, for cancelling. */
uint64_t clv_client_call(clv_client *c, const clv_call *call);
void clv_client_cancel(
    clv_client *c,
    uint64_t id); /* its `done` gets CLV_ECANCELED; an ended or unknown id is ignored */
clv_path_info clv_client_path(clv_client *c);
void clv_client_free(clv_client *c); /* fails the calls in flight with CLV_ECANCELED, then frees */

#endif
