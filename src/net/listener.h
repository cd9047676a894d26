/* A listening socket: hands over each connection that it accepts.
 *
 *     clv_listener_new(loop, "127.0.0.1", 8000, on_accept, me, &listener, &err);
 *
 * Out of descriptors, it rests until clv_listener_resume() instead of spinning. Threads: the
 * loop's.
 */
#ifndef CLV_NET_LISTENER_H
#define CLV_NET_LISTENER_H

#include "net/loop.h"

typedef struct clv_listener clv_listener;

/* `host`: an address or a name (its first address counts); port 0: any free one. `on_accept` owns
 * `fd`, which does not block. Errors name host, port and reason. */
CLV_MUST
clv_status clv_listener_new(clv_loop *loop, const char *host, int port,
                            void (*on_accept)(void *arg, int fd), void *arg, clv_listener **out,
                            clv_error *err);
int clv_listener_port(const clv_listener *l);
void clv_listener_resume(clv_listener *l); /* if it rests */
void clv_listener_free(clv_listener *l);   /* NULL is fine */

#endif
