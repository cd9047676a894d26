/* Inside net/: the server's end of one HTTP/2 connection: streams become exchanges.
 *
 *     clv_http2_server *s = clv_http2_server_new(service, out, peer, wake, me);
 *     clv_http2_server_receive(s, bytes, n, &err);
 *     clv_http2_server_produce(s);           // answers as frames into `out`
 *     clv_http2_server_free(s);              // its exchanges are told `gone`
 *
 * `wake` is called when an answer came while nobody was receiving: then call _produce. It may be
 * called from inside any function of a handler. Threads: the loop's.
 */
#ifndef CLV_NET_HTTP2_SERVER_H
#define CLV_NET_HTTP2_SERVER_H

#include "net/exchange.h"

typedef struct clv_http2_server clv_http2_server;

clv_http2_server *clv_http2_server_new(clv_service *service, clv_outq *out, const clv_caller *peer,
                                       void (*wake)(void *arg), void *arg);
void clv_http2_server_free(clv_http2_server *s);
CLV_MUST
clv_status clv_http2_server_receive(clv_http2_server *s, const unsigned char *bytes, size_t n,
                                    clv_error *err);
size_t clv_http2_server_missing(const clv_http2_server *s);           /* see clv_http2_missing() */
unsigned char *clv_http2_server_room(clv_http2_server *s, size_t *n); /* see clv_http2_room() */
void clv_http2_server_produce(clv_http2_server *s);
size_t clv_http2_server_streams(const clv_http2_server *s);
/* Reset the streams whose request has paused since before `since_us`, unless another one has
 * gone on: bodies may come one after the other. */
void clv_http2_server_expire(clv_http2_server *s, int64_t since_us);
/* Go away: announce at the first call, refuse new streams from the second on. */
void clv_http2_server_drain(clv_http2_server *s);
bool clv_http2_server_is_over(const clv_http2_server *s);

#endif
