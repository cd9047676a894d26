#include "net/resolve.h"

#include "base/mem.h"
#include "net/loop_uv.h"

#include <netdb.h>
#include <stdlib.h>

struct clv_resolve {
    uv_getaddrinfo_t uv;
    void (*done)(void *arg, struct addrinfo *addresses, const char *failure);
    void *arg;
};

static void on_resolved(uv_getaddrinfo_t *uv, int status, struct addrinfo *found)
{
    clv_resolve *r = uv->data;
    if (!r->done) {
        uv_freeaddrinfo(found);
    } else if (status || !found) {
        r->done(r->arg, NULL, status ? uv_strerror(status) : "no address");
    } else {
        r->done(r->arg, found, NULL);
    }
    free(r);
}

clv_resolve *
clv_resolve_new(clv_loop *loop, const char *host, int port,
                void (*done)(void *arg, struct addrinfo *addresses, const char *failure), void *arg)
{
    clv_resolve *r = clv_alloc(sizeof *r);
    char service[8];
    snprintf(service, sizeof service, "%d", port);
    r->uv.data = r;
    r->done = done;
    r->arg = arg;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    if (uv_getaddrinfo(clv_loop_uv(loop), &r->uv, on_resolved, host, service, &hints)) abort();
    return r;
}

void clv_resolve_free(clv_resolve *r)
{
    if (!r) return;
    r->done = NULL;
    uv_cancel((uv_req_t *)&r->uv);
}
