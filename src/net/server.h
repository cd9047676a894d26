/* The HTTP server of a node: HTTP/1.1 and HTTP/2 (prior knowledge and ALPN), plain or TLS, on one
 * port; and beside it, if wanted, plain on a Unix-domain socket.
 *
 *     static const clv_http_handler handler = {.request = request, .gone = gone};
 *     clv_http_server_options o = {.host = "127.0.0.1", .port = 8000};
 *     clv_http_server_new(loop, &o, &handler, ctx, &server, &err);
 *     void request(void *ctx, clv_exchange *x)
 *     {
 *         clv_exchange_respond(x, &(clv_response){.status = 200, .body = slices, .n_body = 1});
 *     }
 *
 * An exchange is one request and its answer. The handler gets it on the loop's thread and must
 * answer it exactly once, now or later, from any thread, with clv_exchange_respond(), which gives
 * the exchange back. `gone` tells early that the peer went away or reset the stream (the work may
 * be cancelled); the exchange must still be answered.
 *
 * Limits: header bytes, body bytes (413 / RESOURCE_EXHAUSTED), header and body timeouts, streams
 * and connections, buffered output per connection (backpressure). Smuggling attempts and rapid
 * resets are refused. A bearer token, when set, is compared in constant time before the handler
 * sees the request (401 / UNAUTHENTICATED); paths in `open_paths` need none. While draining, HTTP/2
 * peers get GOAWAY and HTTP/1.1 answers "connection: close".
 */
#ifndef CLV_NET_SERVER_H
#define CLV_NET_SERVER_H

#include "net/http.h"
#include "net/loop.h"

typedef struct clv_http_server clv_http_server;
typedef struct clv_exchange clv_exchange;

typedef struct clv_http_server_options {
    const char *host;           /* address or name to listen on */
    int port;                   /* 0: any free one, see clv_http_server_port() */
    const char *socket;         /* path of a Unix-domain socket too (net/listener.h); NULL: none */
    const clv_tls_options *tls; /* of the port; NULL: plain */
    const char *token;          /* bearer token, NULL: none asked; on the socket too */
    const char *const
        *open_paths;         /* exact paths that need no token, NULL-terminated; may be NULL */
    size_t body_max;         /* 0: CLV_HTTP_BODY_MAX_DEFAULT */
    size_t buffered_max;     /* all collected bodies together; 0: CLV_HTTP_BUFFERED_MAX_DEFAULT */
    int connections_max;     /* 0: 1024 */
    int64_t idle_timeout_us; /* 0: 75 s */
    int64_t read_timeout_us; /* longest pause inside a request; 0: 30 s */
} clv_http_server_options;

/* Where a streamed body goes. Calls come on the loop's thread, in order. */
typedef struct clv_body_sink {
    clv_status (*write)(void *arg, const void *bytes, size_t n, clv_error *err);
    void *arg;
} clv_body_sink;

typedef struct clv_http_handler {
    /* Headers are complete. May be NULL. May set `*sink` to take a body of up to `*body_max` (also
     * settable) as it arrives; otherwise it is collected and found with clv_exchange_body(). An
     * error answers the exchange at once, without calling `request`. */
    clv_status (*begin)(void *ctx, clv_exchange *x, clv_body_sink *sink, size_t *body_max,
                        clv_error *err);
    void (*request)(void *ctx, clv_exchange *x); /* the request is complete */
    void (*gone)(
        void *ctx,
        clv_exchange *x); /* may be NULL; after `begin`, before or after `request`; if before,
                             `request` does not come and nothing is to be answered */
} clv_http_handler;

CLV_MUST
clv_status clv_http_server_new(clv_loop *loop, const clv_http_server_options *options,
                               const clv_http_handler *handler, void *ctx, clv_http_server **out,
                               clv_error *err);
int clv_http_server_port(const clv_http_server *s);
/* Stop accepting and let running exchanges end; `done` is called when none is left. */
void clv_http_server_drain(clv_http_server *s, void (*done)(void *arg), void *arg);
void clv_http_server_free(clv_http_server *s); /* closes everything */

const char *clv_exchange_method(const clv_exchange *x);
const char *
clv_exchange_path(const clv_exchange *x); /* decoded, without the query; always starts with "/" */
const char *clv_exchange_query(const clv_exchange *x); /* without "?"; "" if none */
const char *clv_exchange_header(const clv_exchange *x,
                                const char *lower_case_name); /* NULL if absent */
const char *clv_exchange_peer(const clv_exchange *x);         /* "127.0.0.1:4711", for logs */
/* The client, the same on all its connections: its certificate, else its address, or over a
 * Unix-domain socket its user (net/caller.h). */
const char *clv_exchange_who(const clv_exchange *x);
clv_body *
clv_exchange_body(const clv_exchange *x); /* never NULL after `request`, borrowed: ref to keep */
int64_t clv_exchange_start_us(const clv_exchange *x); /* when the headers were complete */
int64_t clv_exchange_end_us(const clv_exchange *x);   /* when the last byte of the body was read */
void clv_exchange_set_data(clv_exchange *x, void *data); /* the handler's own */
void *clv_exchange_data(const clv_exchange *x);
/* Something more that lives as long as the exchange: given up by `release(kept)` at its end, on any
 * thread. Set once, before the exchange is answered. */
void clv_exchange_keep(clv_exchange *x, void *kept, void (*release)(void *kept));
void *clv_exchange_kept(const clv_exchange *x); /* NULL: nothing */

typedef struct clv_response {
    int status;
    const clv_header *headers; /* copied; content-length is added */
    size_t n_headers;
    const clv_slice *body; /* the array is copied, the bytes are not: they are released when sent */
    size_t n_body;
    const clv_header *trailers; /* HTTP/2 only */
    size_t n_trailers;
} clv_response;

/* From any thread; ends the exchange, `x` is not to be used afterwards. */
void clv_exchange_respond(clv_exchange *x, const clv_response *response);

#endif
