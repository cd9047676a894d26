/* A listening socket: hands over each connection that it accepts.
 *
 *     clv_listener_new(loop, "127.0.0.1", 8000, on_accept, me, &listener, &err);
 *     clv_listener_new_socket(loop, "/run/cleave.sock", on_accept, me, &listener, &err);
 *
 * A Unix-domain socket is a file: CLV_LISTENER_MODE says who may connect, whatever the umask. One
 * that a process left behind when it died, so that nobody answers there, is replaced; one that
 * somebody answers at, and any other file, is an error. The file goes with the listener, if it is
 * still this one's. Of two nodes that replace the same file in the same moment the later one has it.
 *
 * Out of descriptors, it rests until clv_listener_resume() instead of spinning. Threads: the
 * loop's.
 */
#ifndef CLV_NET_LISTENER_H
#define CLV_NET_LISTENER_H

#include "net/loop.h"

enum { CLV_LISTENER_MODE = 0660 }; /* owner and group */

typedef struct clv_listener clv_listener;

/* `host`: an address or a name (its first address counts); port 0: any free one. `on_accept` owns
 * `fd`, which does not block. Errors name host, port and reason. */
CLV_MUST
clv_status clv_listener_new(clv_loop *loop, const char *host, int port,
                            void (*on_accept)(void *arg, int fd), void *arg, clv_listener **out,
                            clv_error *err);
/* The same at a path; errors name it. */
CLV_MUST
clv_status clv_listener_new_socket(clv_loop *loop, const char *path,
                                   void (*on_accept)(void *arg, int fd), void *arg,
                                   clv_listener **out, clv_error *err);
int clv_listener_port(const clv_listener *l); /* 0 of a path */
void clv_listener_resume(clv_listener *l);    /* if it rests */
void clv_listener_free(clv_listener *l);      /* NULL is fine */

#endif
