/* A server and a client in one process, over loopback or a Unix-domain socket, for the tests of net/. The server runs on its
 * own thread; the test's thread makes calls and waits for them. */
#ifndef CLV_TESTS_NET_NODE_H
#define CLV_TESTS_NET_NODE_H

#include "unit.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "net/client.h"
#include "net/grpc.h"
#include "net/server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct node {
    clv_loop *loop; /* the server's */
    clv_http_server *server;
    pthread_t thread;
    char url[128];
    int port;
} node;

/* A path of this process's own for a Unix-domain socket. */
static inline const char *node_socket(void)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/clv-net-%d.sock", (int)getpid());
    return path;
}

static inline void *node_run(void *arg)
{
    clv_loop_run(((node *)arg)->loop);
    return NULL;
}

static inline void node_start(node *n, clv_http_server_options o, const clv_http_handler *handler,
                              void *ctx)
{
    clv_error err = {0};
    n->loop = clv_loop_new();
    if (!o.host) o.host = "127.0.0.1";
    assert_ok(clv_http_server_new(n->loop, &o, handler, ctx, &n->server, &err), err);
    n->port = clv_http_server_port(n->server);
    snprintf(n->url, sizeof n->url, "%s://127.0.0.1:%d", o.tls ? "https" : "http", n->port);
    if (o.socket) snprintf(n->url, sizeof n->url, "unix:%s", o.socket);
    pthread_create(&n->thread, NULL, node_run, n);
}

static inline void node_stop(node *n)
{
    clv_loop_stop(n->loop);
    pthread_join(n->thread, NULL);
    clv_http_server_free(n->server);
    clv_loop_free(n->loop);
}

/* What a call ended with, copied out of its reply. */
typedef struct outcome {
    clv_loop *loop; /* stopped when all that is awaited is there */
    int *awaited;
    int status, calls;
    clv_error error;
    clv_body *body;
    char type[64], grpc_status[16];
    clv_reply times;
} outcome;

static inline void outcome_done(outcome *o)
{
    if (--*o->awaited == 0) clv_loop_stop(o->loop);
}

static inline void on_outcome(void *arg, const clv_reply *r)
{
    outcome *o = arg;
    o->calls++;
    o->status = r->status;
    if (r->error) o->error = *r->error;
    o->body = clv_body_ref(r->body);
    const char *type = clv_reply_header(r, "content-type");
    snprintf(o->type, sizeof o->type, "%s", type ? type : "");
    const char *grpc = clv_reply_header(r, "grpc-status");
    snprintf(o->grpc_status, sizeof o->grpc_status, "%s", grpc ? grpc : "");
    o->times = *r;
    outcome_done(o);
}

/* Make one call and run `loop` until it ends. The body of the outcome is the caller's. */
static inline outcome call_and_wait(clv_loop *loop, clv_client *c, clv_call call)
{
    int awaited = 1;
    outcome o = {.loop = loop, .awaited = &awaited};
    call.done = on_outcome;
    call.arg = &o;
    if (!call.method) call.method = "GET";
    clv_client_call(c, &call);
    clv_loop_run(loop);
    assert_int_equal(o.calls, 1);
    return o;
}

static inline clv_client *client_of(clv_loop *loop, clv_client_options o)
{
    clv_error err = {0};
    clv_client *c;
    assert_ok(clv_client_new(loop, &o, &c, &err), err);
    return c;
}

/* Handler: answers with the request's method, path, query and body. */
static inline void echo(void *ctx, clv_exchange *x)
{
    (void)ctx;
    char *copy = clv_format("%s %s %s\n", clv_exchange_method(x), clv_exchange_path(x),
                            clv_exchange_query(x));
    size_t n = strlen(copy);
    clv_body *body = clv_exchange_body(x);
    clv_slice slices[] = {
        {copy, n, free, copy},
        {clv_body_data(body), clv_body_bytes(body), clv_body_unref, clv_body_ref(body)}};
    clv_header type = {"content-type", "text/plain"};
    clv_exchange_respond(
        x, &(clv_response){
               .status = 200, .headers = &type, .n_headers = 1, .body = slices, .n_body = 2});
}

static inline void assert_body(const outcome *o, const char *text)
{
    if (o->error.status) fail_msg("%s", o->error.text);
    assert_int_equal(clv_body_bytes(o->body), strlen(text));
    assert_memory_equal(clv_body_data(o->body), text, strlen(text));
}

#endif
