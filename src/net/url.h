/* Inside net/: the address of a peer: "http://host[:port]", "https://host[:port]", or of a
 * Unix-domain socket "unix:path" or "unix:///path", as gRPC writes it.
 *
 * Over a Unix-domain socket there is no TLS: who may connect is told by the file's mode. A path is
 * taken as it is (no %-escapes), and may be relative after "unix:".
 */
#ifndef CLV_NET_URL_H
#define CLV_NET_URL_H

#include "net/socket.h"

enum { CLV_HOST_MAX = 254 };

typedef struct clv_url {
    bool tls;
    char host[CLV_HOST_MAX]; /* without the brackets of an IPv6 address; "localhost" of a path */
    int port;                /* 80 or 443 if not given; 0 of a path */
    char path[CLV_SOCKET_PATH_MAX + 1]; /* of a Unix-domain socket, else "" */
} clv_url;

/* A path behind host and port, a user or a query are errors: a peer is a host and a port. */
CLV_MUST
clv_status clv_url_parse(const char *text, clv_url *url, clv_error *err);

#endif
