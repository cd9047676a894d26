/* Inside net/: looking up a name without blocking the loop. */
#ifndef CLV_NET_RESOLVE_H
#define CLV_NET_RESOLVE_H

#include "net/loop.h"

struct addrinfo;
typedef struct clv_resolve clv_resolve;

/* `done` comes later on the loop's thread: with addresses (the receiver's, freeaddrinfo), or with
 * the reason of a failure. The lookup is freed after it. */
clv_resolve *clv_resolve_new(clv_loop *loop, const char *host, int port,
                             void (*done)(void *arg, struct addrinfo *addresses,
                                          const char *failure),
                             void *arg);
void clv_resolve_free(clv_resolve *r); /* before `done`: it will not come. NULL is fine */

#endif
