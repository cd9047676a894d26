/* Who is at the other end of a connection: for logs, and to tell one client from another however
 * many connections it opens.
 *
 *     clv_caller c = {0};
 *     clv_caller_address(&c, address);           // text "10.0.0.7:4711", who "10.0.0.7"
 *     clv_caller_certificate(&c, ssl);           // after the handshake: who "cert:5d41…"
 *     clv_caller_process(&c, fd);                // text "unix:uid=1000,pid=4711", who "uid:1000"
 *
 * A client certificate, verified against the issuers that the operator named, is the best that is
 * known of anybody: it is the same from every address and after every renewal, so `who` is made of
 * issuer and subject (or, where the subject is empty, of the public key). Else the address counts,
 * without the port, so that many connections of one host are one caller. Of IPv6 that is the
 * network of 64 bits: a host has all addresses of it to itself. Over a Unix-domain socket the user
 * counts, for the same reason: the processes of one may be as many as it likes. A bearer token tells nobody apart:
 * a node has one for all. Behind a translator of addresses or a proxy many hosts are one caller;
 * give them certificates.
 *
 * Plain values. Threads: any.
 */
#ifndef CLV_NET_CALLER_H
#define CLV_NET_CALLER_H

#include "net/http.h"

#include <openssl/ssl.h>
#include <sys/socket.h>

enum { CLV_WHO_TEXT_MAX = 80 };

typedef struct clv_caller {
    char text[CLV_PEER_TEXT_MAX]; /* "127.0.0.1:4711", "[::1]:4711", "unix:uid=0,pid=4711" */
    char who[CLV_WHO_TEXT_MAX];   /* of the client, not of the connection */
} clv_caller;

void clv_caller_address(clv_caller *c, const struct sockaddr *address);
/* Of a connected Unix-domain socket: who called connect(), as the kernel of this side sees it
 * (SO_PEERCRED; pid 0: in a container whose processes are not seen here). */
void clv_caller_process(clv_caller *c, int fd);
/* Leaves `who` as it is when there is no verified certificate. */
void clv_caller_certificate(clv_caller *c, const SSL *ssl);

#endif
