/* Inside net/: what all exchanges of one server share: the handler, who may ask, and the counts
 * that bound them. Exchanges may outlive the server (a worker answers late), so it is counted.
 *
 *     clv_service *s = clv_service_new(&(clv_service_options){.loop = loop, .handler = &h});
 *     clv_service_enter(s);                          // an exchange starts
 *     clv_service_admit(s, path, authorization, &err);
 *     clv_service_leave(s);                          // it is over
 *     clv_service_unref(s);                          // the server's own reference
 *
 * Threads: the loop's, except that _leave and the negative _buffer come only from there too.
 */
#ifndef CLV_NET_SERVICE_H
#define CLV_NET_SERVICE_H

#include "net/server.h"

#include <openssl/sha.h>
#include <stdatomic.h>

enum { CLV_HTTP_EXCHANGES_MAX = 16384 }; /* of one server, abandoned ones that compute included */

typedef struct clv_service_options {
    clv_loop *loop;
    const clv_http_handler *handler; /* copied */
    void *ctx;
    const char *token;             /* copied */
    const char *const *open_paths; /* copied */
    size_t body_max;               /* 0: CLV_HTTP_BODY_MAX_DEFAULT */
    size_t buffered_max;           /* 0: CLV_HTTP_BUFFERED_MAX_DEFAULT */
} clv_service_options;

typedef struct clv_service {
    int refs; /* the server's and one an exchange */
    clv_loop *loop;
    clv_http_handler handler;
    void *ctx;
    bool has_token;
    unsigned char token_digest[SHA256_DIGEST_LENGTH];
    char **open_paths;
    size_t body_max, buffered_max, buffered;
    size_t active;
    void (*idle)(void *arg);
    void *idle_arg;
} clv_service;

clv_service *clv_service_new(const clv_service_options *o);
void clv_service_unref(clv_service *s);

void clv_service_enter(clv_service *s);
void clv_service_leave(clv_service *s); /* calls `idle` after the last, and unrefs */
/* May this request be served: the token is right, and there are not too many. CLV_EAUTH, CLV_EBUSY.
 * The token is compared by its digest in constant time, so that time does not tell its bytes. */
CLV_MUST
clv_status clv_service_admit(const clv_service *s, const char *path, const char *authorization,
                             clv_error *err);
/* Count bytes of collected bodies, or take them off; false when over `buffered_max`. */
bool clv_service_buffer(clv_service *s, int64_t bytes);

#endif
