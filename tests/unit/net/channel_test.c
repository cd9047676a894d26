/* The watch on a connection: a peer that has died is noticed though every call on it was given up before, by its own deadline; one
 * that is only slow with its answers keeps its connection. */
#include "node.h"

#include "net/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DEADLINE_US = 30000, PATIENCE_US = 60000000 };

/* A call that has no time. */
static outcome hurried(clv_loop *loop, clv_client *c)
{
    return call_and_wait(loop, c,
                         (clv_call){.path = "/", .deadline_us = clv_now_us() + DEADLINE_US});
}

static int listen_tcp(int *port, char *url, size_t n)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(listener, 5), 0);
    getsockname(listener, (struct sockaddr *)&a, &size);
    *port = ntohs(a.sin_port);
    snprintf(url, n, "http://127.0.0.1:%d", *port);
    return listener;
}

static int listen_at(const char *path, char *url, size_t n)
{
    struct sockaddr_un a;
    clv_error err = {0};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_ok(clv_socket_address(path, &a, &err), err);
    assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(listener, 5), 0);
    snprintf(url, n, "unix:%s", path);
    return listener;
}

/* It greets and never says another word, while its kernel still takes bytes. Who listens at its address afterwards is another. */
static void a_dead_peer_is_noticed_though_no_call_waits_for_it(void **state)
{
    static const char settings[] = "\0\0\0\4\0\0\0\0\0";
    char url[128];
    int port = 0,
        listener = *state ? listen_at(*state, url, sizeof url) : listen_tcp(&port, url, sizeof url);
    clv_loop *loop = clv_loop_new();
    clv_client *c = client_of(loop, (clv_client_options){.url = url, .dead_after_us = 200000});
    outcome o = {0};
    int dead = -1;
    for (int64_t until = clv_now_us() + PATIENCE_US; clv_now_us() < until && dead < 0;) {
        o = hurried(loop, c);
        assert_int_not_equal(o.error.status, CLV_OK);
        clv_body_unref(o.body);
        dead = accept(listener, NULL, NULL);
    }
    assert_true(dead >= 0);
    assert_int_equal(send(dead, settings, sizeof settings - 1, MSG_NOSIGNAL), sizeof settings - 1);
    close(listener);
    if (*state) unlink(*state);
    static const clv_http_handler echoing = {.request = echo};
    node n;
    node_start(&n, (clv_http_server_options){.port = port, .socket = *state}, &echoing, NULL);
    for (int64_t until = clv_now_us() + PATIENCE_US; clv_now_us() < until && !o.status;) {
        o = hurried(loop, c);
        clv_body_unref(o.body);
    }
    assert_int_equal(o.status, 200);
    clv_client_free(c);
    clv_loop_free(loop);
    node_stop(&n);
    close(dead);
}

/* ---- a peer that takes its time ---- */

/* A second: a busy machine may keep its thread from answering PINGs for long. */
enum { HELD_MAX = 64, SLOW_DEAD_AFTER_US = 1000000, FOR_US = 1500000 };

typedef struct slow {
    atomic_int n;
    clv_exchange *held[HELD_MAX];
} slow;

static void hold(void *ctx, clv_exchange *x)
{
    slow *s = ctx;
    int at = atomic_load(&s->n);
    assert_true(at < HELD_MAX);
    s->held[at] = x;
    atomic_store(&s->n, at + 1);
}

static void a_slow_peer_keeps_its_connection(void **state)
{
    (void)state;
    static const clv_http_handler holding = {.request = hold};
    slow s = {0};
    node n;
    node_start(&n, (clv_http_server_options){0}, &holding, &s);
    clv_loop *loop = clv_loop_new();
    clv_client *c =
        client_of(loop, (clv_client_options){.url = n.url, .dead_after_us = SLOW_DEAD_AFTER_US});
    int64_t start_us = clv_now_us();
    for (int i = 0; i < HELD_MAX && clv_now_us() - start_us < FOR_US; i++) {
        outcome o = hurried(loop, c);
        assert_int_equal(o.error.status, CLV_ETIMEOUT);
        clv_body_unref(o.body);
    }
    assert_true(s.n > 1);
    for (int i = 0; i < s.n; i++) {
        assert_string_equal(clv_exchange_peer(s.held[i]), clv_exchange_peer(s.held[0]));
        if (i) echo(NULL, s.held[i]);
    }
    echo(NULL, s.held[0]);
    clv_client_free(c);
    clv_loop_free(loop);
    node_stop(&n);
}

int main(void)
{
    void *path = (void *)(uintptr_t)node_socket();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_peer_is_noticed_though_no_call_waits_for_it),
        cmocka_unit_test_prestate(a_dead_peer_is_noticed_though_no_call_waits_for_it, path),
        cmocka_unit_test(a_slow_peer_keeps_its_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
