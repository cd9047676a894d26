/* Inside net/: the server's end of one HTTP/1.1 connection. It eats bytes and fills an output
 * queue; it never sees a socket.
 *
 *     clv_http1 *h = clv_http1_new(service, out, peer, wake, me);
 *     clv_http1_receive(h, bytes, n);            // answers appear in `out`
 *     if (clv_http1_is_over(h)) ...              // write `out`, then close
 *     clv_http1_free(h);
 *
 * Requests of one connection are answered in turn: what arrives behind a request that is being
 * answered waits (pipelining), and past CLV_HTTP1_PENDING_MAX _wants_input() is false.
 *
 * Refused, with the connection closed after the answer: what llhttp takes for malformed, requests
 * framed twice (Content-Length and Transfer-Encoding, or two lengths), any transfer coding but
 * "chunked", missing or repeated Host in 1.1, over-long targets and header fields, heads that
 * arrive too slowly. Upgrades are ignored, as RFC 9110 allows. `wake` is called when an answer came
 * while nobody was receiving. Threads: the loop's. Source: RFC 9112.
 */
#ifndef CLV_NET_HTTP1_H
#define CLV_NET_HTTP1_H

#include "net/exchange.h"

enum { CLV_HTTP1_PENDING_MAX = 64 * 1024 };

typedef struct clv_http1 clv_http1;

clv_http1 *clv_http1_new(clv_service *service, clv_outq *out, const clv_caller *peer,
                         void (*wake)(void *arg), void *arg);
void clv_http1_free(clv_http1 *h); /* its exchange is told `gone` */
void clv_http1_receive(clv_http1 *h, const unsigned char *bytes, size_t n);
bool clv_http1_wants_input(const clv_http1 *h);
bool clv_http1_is_busy(const clv_http1 *h); /* inside a request or its answer */
bool clv_http1_is_over(const clv_http1 *h); /* nothing will follow what is in `out` */
/* Refuse a request whose head began, or whose body paused, before `since_us` (408). */
void clv_http1_expire(clv_http1 *h, int64_t since_us);
void clv_http1_drain(clv_http1 *h); /* close after the request in work, at once if there is none */

#endif
