/* What a caller sees when the other side refuses, stalls, dies or goes away. */
#include "node.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct rig {
    node n;
    clv_loop *loop;
    clv_client *client;
} rig;

static void rig_up(rig *r, const clv_http_handler *handler, clv_http_server_options so,
                   clv_client_options co)
{
    node_start(&r->n, so, handler, NULL);
    r->loop = clv_loop_new();
    if (!co.url) co.url = r->n.url;
    r->client = client_of(r->loop, co);
}

static void rig_down(rig *r)
{
    clv_client_free(r->client);
    clv_loop_free(r->loop);
    node_stop(&r->n);
}

static void assert_error(outcome *o, clv_status status, const char *part)
{
    assert_int_equal(o->status, 0);
    if (o->error.status != status || !strstr(o->error.text, part)) {
        fail_msg("got %s '%s', not %s '%s'", clv_status_name(o->error.status), o->error.text,
                 clv_status_name(status), part);
    }
    clv_body_unref(o->body);
}

static const clv_http_handler echoing = {.request = echo};

static void a_refused_connection_names_url_and_reason(void **state)
{
    (void)state;
    clv_loop *loop = clv_loop_new();
    clv_client *c = client_of(loop, (clv_client_options){.url = "http://127.0.0.1:1"});
    outcome o = call_and_wait(loop, c, (clv_call){.path = "/"});
    assert_error(&o, CLV_EUNAVAIL, "connect to http://127.0.0.1:1: Connection refused");
    o = call_and_wait(loop, c, (clv_call){.path = "/"}); /* backing off */
    assert_error(&o, CLV_EUNAVAIL, "connect to http://127.0.0.1:1: Connection refused");
    assert_false(clv_client_path(c).connected);
    clv_client_free(c);
    c = client_of(loop, (clv_client_options){.url = "unix:/nowhere/at.sock"});
    o = call_and_wait(loop, c, (clv_call){.path = "/"});
    assert_error(&o, CLV_EUNAVAIL, "connect to unix:/nowhere/at.sock: No such file or directory");
    assert_false(clv_client_path(c).connected);
    clv_client_free(c);
    clv_loop_free(loop);
}

static void bad_urls_are_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "",           "127.0.0.1:8000", "http://",         "http://a:0",  "http://a:65536",
        "http://a:b", "ftp://a",        "http://a:1/path", "http://[::1", "http://u@a:1",
        "unix:",      "unix://a/b"};
    clv_loop *loop = clv_loop_new();
    for (size_t i = 0; i < CLV_COUNT(urls); i++) {
        clv_error err = {0};
        clv_client *c = NULL;
        clv_client_options o = {.url = urls[i]};
        assert_int_equal(clv_client_new(loop, &o, &c, &err), CLV_EINVAL);
        assert_non_null(strstr(err.text, urls[i]));
        assert_null(c);
    }
    clv_loop_free(loop);
}

static _Atomic(clv_exchange *) held;
static atomic_int gone_count;

static void hold(void *ctx, clv_exchange *x)
{
    (void)ctx;
    atomic_store(&held, x);
}

static void count_gone(void *ctx, clv_exchange *x)
{
    (void)ctx, (void)x;
    atomic_fetch_add(&gone_count, 1);
}

static const clv_http_handler holding = {.request = hold, .gone = count_gone};

static void wait_for_gone(void)
{
    while (!atomic_load(&gone_count)) clv_sleep_us(1000);
}

static void a_deadline_ends_the_call_and_tells_the_handler(void **state)
{
    (void)state;
    rig r;
    atomic_store(&gone_count, 0);
    rig_up(&r, &holding, (clv_http_server_options){0}, (clv_client_options){0});
    outcome o = call_and_wait(r.loop, r.client,
                              (clv_call){.path = "/", .deadline_us = clv_now_us() + 50000});
    assert_error(&o, CLV_ETIMEOUT, "no answer within");
    wait_for_gone();
    echo(NULL, atomic_load(&held)); /* late answers are thrown away */
    o = call_and_wait(r.loop, r.client, (clv_call){.path = "/", .deadline_us = clv_now_us() - 1});
    assert_error(&o, CLV_ETIMEOUT, "the deadline has passed");
    rig_down(&r);
}

typedef struct canceller {
    clv_client *client;
    uint64_t id;
} canceller;

static void *cancel_when_held(void *arg)
{
    canceller *c = arg;
    while (!atomic_load(&held)) clv_sleep_us(1000);
    clv_client_cancel(c->client, c->id);
    return NULL;
}

static void a_cancelled_call_ends_and_tells_the_handler(void **state)
{
    (void)state;
    rig r;
    atomic_store(&gone_count, 0);
    atomic_store(&held, NULL);
    rig_up(&r, &holding, (clv_http_server_options){0}, (clv_client_options){0});
    canceller c = {r.client, 1};
    pthread_t thread;
    pthread_create(&thread, NULL, cancel_when_held, &c);
    outcome o = call_and_wait(r.loop, r.client, (clv_call){.path = "/"});
    pthread_join(thread, NULL);
    assert_error(&o, CLV_ECANCELED, "cancelled");
    wait_for_gone();
    clv_client_cancel(r.client, 12345); /* unknown: nothing happens */
    echo(NULL, atomic_load(&held));
    rig_down(&r);
}

/* --- peers made of raw sockets --- */

typedef struct raw_peer {
    int fd, port;
    char url[64];
    const char *say; /* sent to the connection, then it is closed; NULL: never a word */
    size_t say_n;
    pthread_t thread;
    atomic_bool stop;
} raw_peer;

static void *raw_run(void *arg)
{
    raw_peer *p = arg;
    char buffer[4096];
    int fd = accept(p->fd, NULL, NULL);
    if (fd >= 0 && p->say) {
        (void)!read(fd, buffer, sizeof buffer);
        (void)!write(fd, p->say, p->say_n);
        shutdown(fd, SHUT_WR);
        while (read(fd, buffer, sizeof buffer) > 0) continue;
    }
    while (!atomic_load(&p->stop)) clv_sleep_us(2000);
    if (fd >= 0) close(fd);
    return NULL;
}

static void raw_start(raw_peer *p, const char *say, size_t say_n)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    *p = (raw_peer){.fd = socket(AF_INET, SOCK_STREAM, 0), .say = say, .say_n = say_n};
    assert_int_equal(bind(p->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(p->fd, 5), 0);
    getsockname(p->fd, (struct sockaddr *)&a, &n);
    p->port = ntohs(a.sin_port);
    snprintf(p->url, sizeof p->url, "http://127.0.0.1:%d", p->port);
    pthread_create(&p->thread, NULL, raw_run, p);
}

static void raw_stop(raw_peer *p)
{
    atomic_store(&p->stop, true);
    pthread_join(p->thread, NULL);
    close(p->fd);
}

static void fails_against_bytes(const char *say, size_t n, const char *part)
{
    raw_peer p;
    raw_start(&p, say, n);
    clv_loop *loop = clv_loop_new();
    clv_client *c = client_of(loop, (clv_client_options){.url = p.url, .dead_after_us = 200000});
    outcome o = call_and_wait(loop, c, (clv_call){.path = "/"});
    assert_error(&o, CLV_EUNAVAIL, p.url);
    if (!strstr(o.error.text, part)) fail_msg("'%s' has no '%s'", o.error.text, part);
    clv_client_free(c);
    clv_loop_free(loop);
    raw_stop(&p);
}

static void fails_against_raw(const char *say, const char *part)
{
    fails_against_bytes(say, say ? strlen(say) : 0, part);
}

static void a_silent_peer_is_given_up(void **state)
{
    (void)state;
    fails_against_raw(NULL, "no sign of life");
}

static void a_foreign_peer_is_named(void **state)
{
    (void)state;
    fails_against_raw("HTTP/1.1 400 Bad Request\r\n\r\n",
                      "'HTTP/1.1 400 Bad Request' instead of HTTP/2");
    fails_against_raw("\x15\x03\x01", "use https://");
    fails_against_raw("+OK POP3 server ready, welcome\r\n", "does not speak HTTP/2");
    fails_against_raw("", "closed the connection before it spoke HTTP/2");
}

/* A peer that vanishes after half of its reply: SETTINGS, then HEADERS of stream 1, then the end. */
static void a_reply_cut_short_is_an_error(void **state)
{
    (void)state;
    static const char frames[] = "\0\0\0\4\0\0\0\0\0" /* SETTINGS */
                                 "\0\0\1\1\4\0\0\0\1" /* HEADERS, END_HEADERS, stream 1 */
                                 "\x88";              /* :status 200 */
    fails_against_bytes(frames, sizeof frames - 1, "peer closed the connection");
}

static void the_token_must_be_right(void **state)
{
    (void)state;
    static const char *const open[] = {"/open", NULL};
    node n;
    node_start(&n, (clv_http_server_options){.token = "secret", .open_paths = open}, &echoing,
               NULL);
    static const struct {
        const char *token, *path;
        int status;
    } cases[] = {{"secret", "/", 200}, {"secreT", "/", 401},  {"secret1", "/", 401},
                 {"secre", "/", 401},  {NULL, "/", 401},      {NULL, "/open", 200},
                 {"x", "/open", 200},  {NULL, "/open/", 401}, {NULL, "/opeN", 401}};
    for (size_t i = 0; i < CLV_COUNT(cases); i++) {
        clv_loop *loop = clv_loop_new();
        clv_client *c =
            client_of(loop, (clv_client_options){.url = n.url, .token = cases[i].token});
        outcome o = call_and_wait(loop, c, (clv_call){.path = cases[i].path});
        assert_int_equal(o.status, cases[i].status);
        clv_body_unref(o.body);
        clv_header grpc = {"content-type", "application/grpc"};
        o = call_and_wait(
            loop, c,
            (clv_call){.method = "POST", .path = cases[i].path, .headers = &grpc, .n_headers = 1});
        assert_int_equal(o.status, 200);
        assert_string_equal(o.grpc_status, cases[i].status == 401 ? "16" : "");
        clv_body_unref(o.body);
        clv_client_free(c);
        clv_loop_free(loop);
    }
    node_stop(&n);
}

static void a_token_that_no_header_can_carry_is_refused(void **state)
{
    (void)state;
    static const char *const tokens[] = {"", "a b", "from a file\n", "caf\xc3\xa9"};
    clv_loop *loop = clv_loop_new();
    for (size_t i = 0; i < CLV_COUNT(tokens); i++) {
        clv_error err = {0};
        clv_client *c;
        clv_http_server *s;
        clv_client_options co = {.url = "http://localhost:1", .token = tokens[i]};
        clv_http_server_options so = {.token = tokens[i]};
        assert_int_equal(clv_client_new(loop, &co, &c, &err), CLV_EINVAL);
        assert_int_equal(clv_http_server_new(loop, &so, &echoing, NULL, &s, &err), CLV_EINVAL);
        assert_non_null(strstr(err.text, "token"));
    }
    clv_loop_free(loop);
}

static void a_body_over_the_limit_is_refused(void **state)
{
    (void)state;
    rig r;
    rig_up(&r, &echoing, (clv_http_server_options){.body_max = 1000},
           (clv_client_options){.reply_max = 1010});
    static char data[1 << 20];
    clv_slice at = {data, 1000, NULL, NULL}, over = {data, 1001, NULL, NULL};
    clv_slice far = {data, sizeof data, NULL, NULL};
    clv_call call = {.method = "POST", .path = "/", .body = &at, .n_body = 1};
    outcome o = call_and_wait(r.loop, r.client, call);
    assert_int_equal(o.status, 200);
    clv_body_unref(o.body);
    call.body = &over;
    o = call_and_wait(r.loop, r.client, call);
    assert_int_equal(o.status, 413);
    clv_body_unref(o.body);
    call.body = &far;
    o = call_and_wait(r.loop, r.client, call);
    assert_int_equal(o.status, 413);
    clv_body_unref(o.body);
    call.body = &at;
    call.path = "/longer"; /* the reply is longer than the client takes */
    o = call_and_wait(r.loop, r.client, call);
    assert_error(&o, CLV_ELIMIT, "reply");
    rig_down(&r);
}

static void a_server_that_stops_is_found_again(void **state)
{
    (void)state;
    rig r;
    rig_up(&r, &echoing, (clv_http_server_options){0}, (clv_client_options){0});
    outcome o = call_and_wait(r.loop, r.client, (clv_call){.path = "/a"});
    assert_body(&o, "GET /a \n");
    clv_body_unref(o.body);
    node_stop(&r.n);
    int tries = 0;
    do {
        o = call_and_wait(r.loop, r.client, (clv_call){.path = "/b"});
        assert_error(&o, CLV_EUNAVAIL, r.n.url);
    } while (!strstr(o.error.text, "refused") && ++tries < 10);
    int port = r.n.port;
    node_start(&r.n, (clv_http_server_options){.port = port}, &echoing, NULL);
    for (tries = 0; tries < 500; tries++) { /* until the backoff is over */
        o = call_and_wait(r.loop, r.client, (clv_call){.path = "/c"});
        clv_body_unref(o.body);
        if (o.status == 200) break;
        clv_sleep_us(10000);
    }
    assert_int_equal(o.status, 200);
    rig_down(&r);
}

static void stop_loop(void *loop)
{
    clv_loop_stop(loop);
}

typedef struct drain {
    node *n;
    atomic_bool done;
} drain;

static void drained(void *arg)
{
    atomic_store(&((drain *)arg)->done, true);
}

static void start_drain(void *arg)
{
    drain *d = arg;
    clv_http_server_drain(d->n->server, drained, d);
}

static void *drain_then_answer(void *arg)
{
    drain *d = arg;
    while (!atomic_load(&held)) clv_sleep_us(1000);
    clv_loop_post(d->n->loop, start_drain, d);
    clv_sleep_us(50000);
    assert_false(atomic_load(&d->done)); /* an exchange is running */
    echo(NULL, atomic_load(&held));
    return NULL;
}

static void draining_lets_running_calls_end(void **state)
{
    (void)state;
    rig r;
    atomic_store(&held, NULL);
    rig_up(&r, &holding, (clv_http_server_options){0}, (clv_client_options){0});
    drain d = {.n = &r.n};
    pthread_t thread;
    pthread_create(&thread, NULL, drain_then_answer, &d);
    outcome o = call_and_wait(r.loop, r.client, (clv_call){.path = "/run"});
    assert_body(&o, "GET /run \n");
    clv_body_unref(o.body);
    pthread_join(thread, NULL);
    o = call_and_wait(r.loop, r.client, (clv_call){.path = "/late"});
    assert_error(&o, CLV_EUNAVAIL, "connect");
    while (!atomic_load(&d.done)) clv_sleep_us(1000);
    rig_down(&r);
}

/* A `done` may free its client. */
static void free_in_done(void *arg, const clv_reply *reply)
{
    clv_client **c = arg;
    assert_int_equal(reply->status, 200);
    clv_client_free(*c);
    *c = NULL;
}

static void a_client_may_be_freed_in_done(void **state)
{
    (void)state;
    rig r;
    rig_up(&r, &echoing, (clv_http_server_options){0}, (clv_client_options){0});
    clv_client_call(
        r.client,
        &(clv_call){.method = "GET", .path = "/", .done = free_in_done, .arg = &r.client});
    clv_timer *timer = clv_timer_new(r.loop, stop_loop, r.loop);
    while (r.client) {
        clv_timer_start(timer, 10000, 0);
        clv_loop_run(r.loop);
    }
    clv_timer_free(timer);
    rig_down(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_connection_names_url_and_reason),
        cmocka_unit_test(bad_urls_are_refused),
        cmocka_unit_test(a_deadline_ends_the_call_and_tells_the_handler),
        cmocka_unit_test(a_cancelled_call_ends_and_tells_the_handler),
        cmocka_unit_test(a_silent_peer_is_given_up),
        cmocka_unit_test(a_foreign_peer_is_named),
        cmocka_unit_test(a_reply_cut_short_is_an_error),
        cmocka_unit_test(the_token_must_be_right),
        cmocka_unit_test(a_token_that_no_header_can_carry_is_refused),
        cmocka_unit_test(a_body_over_the_limit_is_refused),
        cmocka_unit_test(a_server_that_stops_is_found_again),
        cmocka_unit_test(draining_lets_running_calls_end),
        cmocka_unit_test(a_client_may_be_freed_in_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
