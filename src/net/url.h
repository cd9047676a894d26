/* Inside net/: the address of a peer, "http://host[:port]" or "https://host[:port]". */
#ifndef CLV_NET_URL_H
#define CLV_NET_URL_H

#include "base/status.h"

#include <stdbool.h>

enum { CLV_HOST_MAX = 254 };

typedef struct clv_url {
    bool tls;
    char host[CLV_HOST_MAX]; /* without the brackets of an IPv6 address */
    int port;                /* 80 or 443 if not given */
} clv_url;

/* A path other than "/", a user or a query are errors: a peer is a host and a port. */
CLV_MUST
clv_status clv_url_parse(const char *text, clv_url *url, clv_error *err);

#endif
