/* A real node in this process: a server as rig.h has it, behind a real port. */
#ifndef CLV_TESTS_SERVE_CLOUD_H
#define CLV_TESTS_SERVE_CLOUD_H

#include "api/api.h"
#include "serve/rig.h"

static const char cloud_token[] = "a-token-of-the-test";

typedef struct cloud {
    rig r;
    clv_http_server *http;
    char url[64];
    int port;
} cloud;

/* The same address again if there was one. */
static inline void cloud_start(cloud *c)
{
    clv_error err = {0};
    serve(&c->r, true);
    clv_loop_stop(c->r.loop); /* the port is made before the loop runs */
    pthread_join(c->r.thread, NULL);
    clv_http_server_options o = {.host = "127.0.0.1", .port = c->port, .token = cloud_token};
    assert_ok(clv_http_server_new(c->r.loop, &o, &clv_api_handler, c->r.server, &c->http, &err),
              err);
    c->port = clv_http_server_port(c->http);
    snprintf(c->url, sizeof c->url, "http://127.0.0.1:%d", c->port);
    pthread_create(&c->r.thread, NULL, edge_run, c->r.loop);
}

static inline void cloud_stop(cloud *c)
{
    if (!c->http) return;
    clv_loop_stop(c->r.loop);
    pthread_join(c->r.thread, NULL);
    clv_http_server_free(c->http);
    c->http = NULL;
    pthread_create(&c->r.thread, NULL, edge_run, c->r.loop); /* for unserve() */
    unserve(&c->r);
}

static inline void folders(rig *r, const char *folder, const char *name)
{
    clv_error err = {0};
    r->models = clv_format("%s/%s-models", folder, name);
    r->profiles = clv_format("%s/%s-profiles", folder, name);
    assert_ok(clv_dir_make(r->models, &err), err);
}

#endif
