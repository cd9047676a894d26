/* TLS between client and server, with certificates made here. */
#include "node.h"
#include "pki.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static const clv_http_handler echoing = {.request = echo};

static void large_bodies_go_over_tls(void **state)
{
    const pki *p = *state;
    node n;
    clv_tls_options server_tls = {.cert = p->cert, .key = p->key}, client_tls = {.ca = p->ca};
    node_start(&n, (clv_http_server_options){.tls = &server_tls}, &echoing, NULL);
    clv_loop *loop = clv_loop_new();
    clv_client *c = client_of(loop, (clv_client_options){.url = n.url, .tls = &client_tls});
    size_t bytes = 20u << 20;
    unsigned char *data = clv_alloc(bytes);
    for (size_t i = 0; i < bytes; i++) data[i] = (unsigned char)(i * 2654435761u >> 13);
    clv_slice slices[] = {{data, 1, NULL, NULL}, {data + 1, bytes - 1, NULL, NULL}};
    for (int round = 0; round < 2; round++) {
        outcome o = call_and_wait(
            loop, c, (clv_call){.method = "POST", .path = "/", .body = slices, .n_body = 2});
        if (o.error.status) fail_msg("%s", o.error.text);
        assert_int_equal(clv_body_bytes(o.body), bytes + 8);
        assert_memory_equal((const char *)clv_body_data(o.body) + 8, data, bytes);
        clv_body_unref(o.body);
    }
    free(data);
    clv_client_free(c);
    clv_loop_free(loop);
    node_stop(&n);
}

/* One GET over `co`; the error's text is left in `text`. */
static void get_fails(clv_client_options co, const char *part)
{
    clv_loop *loop = clv_loop_new();
    clv_client *c = client_of(loop, co);
    outcome o = call_and_wait(loop, c, (clv_call){.path = "/"});
    assert_int_equal(o.error.status, CLV_EUNAVAIL);
    if (!strstr(o.error.text, part)) fail_msg("'%s' has no '%s'", o.error.text, part);
    assert_non_null(strstr(o.error.text, co.url));
    clv_body_unref(o.body);
    clv_client_free(c);
    clv_loop_free(loop);
}

static void a_certificate_that_is_not_trusted_is_named(void **state)
{
    const pki *p = *state;
    node n;
    clv_tls_options right = {.cert = p->cert, .key = p->key}, ca = {.ca = p->ca};
    clv_tls_options other = {.cert = p->other_cert, .key = p->other_key};
    node_start(&n, (clv_http_server_options){.tls = &right}, &echoing, NULL);
    get_fails((clv_client_options){.url = n.url}, "unable to get local issuer certificate");
    node_stop(&n);
    node_start(&n, (clv_http_server_options){.tls = &other}, &echoing, NULL);
    get_fails((clv_client_options){.url = n.url, .tls = &ca}, "IP address mismatch");
    node_stop(&n);
}

static void plain_and_tls_do_not_match(void **state)
{
    const pki *p = *state;
    node n;
    clv_tls_options right = {.cert = p->cert, .key = p->key}, ca = {.ca = p->ca};
    char url[64];
    node_start(&n, (clv_http_server_options){.tls = &right}, &echoing, NULL);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", n.port);
    get_fails((clv_client_options){.url = url}, "wants https");
    node_stop(&n);
    node_start(&n, (clv_http_server_options){0}, &echoing, NULL);
    snprintf(url, sizeof url, "https://127.0.0.1:%d", n.port);
    get_fails((clv_client_options){.url = url, .tls = &ca}, "peer does not speak TLS");
    node_stop(&n);
}

static void a_server_may_demand_certificates(void **state)
{
    const pki *p = *state;
    node n;
    clv_tls_options server = {.cert = p->cert, .key = p->key, .ca = p->ca};
    clv_tls_options with = {.cert = p->other_cert, .key = p->other_key, .ca = p->ca};
    clv_tls_options without = {.ca = p->ca};
    node_start(&n, (clv_http_server_options){.tls = &server}, &echoing, NULL);
    clv_loop *loop = clv_loop_new();
    clv_client *c = client_of(loop, (clv_client_options){.url = n.url, .tls = &with});
    outcome o = call_and_wait(loop, c, (clv_call){.path = "/"});
    assert_body(&o, "GET / \n");
    clv_body_unref(o.body);
    clv_client_free(c);
    clv_loop_free(loop);
    get_fails((clv_client_options){.url = n.url, .tls = &without}, "certificate required");
    node_stop(&n);
}

static void say_who(void *ctx, clv_exchange *x)
{
    (void)ctx;
    char *copy = clv_strdup(clv_exchange_who(x));
    clv_slice who = {.data = copy, .bytes = strlen(copy), .release = free, .owner = copy};
    clv_exchange_respond(x, &(clv_response){.status = 200, .body = &who, .n_body = 1});
}

/* Whom the server takes a new connection for; heap text. */
static char *who_is(const node *n, const clv_tls_options *tls)
{
    clv_loop *loop = clv_loop_new();
    clv_client *c = client_of(loop, (clv_client_options){.url = n->url, .tls = tls});
    outcome o = call_and_wait(loop, c, (clv_call){.path = "/"});
    if (o.error.status) fail_msg("%s", o.error.text);
    char *who =
        clv_format("%.*s", (int)clv_body_bytes(o.body), (const char *)clv_body_data(o.body));
    clv_body_unref(o.body);
    clv_client_free(c);
    clv_loop_free(loop);
    return who;
}

static void a_client_is_its_certificate_on_every_connection(void **state)
{
    static const clv_http_handler handler = {.request = say_who};
    const pki *p = *state;
    node n;
    clv_tls_options server = {.cert = p->cert, .key = p->key, .ca = p->ca};
    clv_tls_options one = {.cert = p->other_cert, .key = p->other_key, .ca = p->ca};
    clv_tls_options two = {.cert = p->cert, .key = p->key, .ca = p->ca};
    node_start(&n, (clv_http_server_options){.tls = &server}, &handler, NULL);
    char *first = who_is(&n, &one), *again = who_is(&n, &one), *other = who_is(&n, &two);
    assert_int_equal(strncmp(first, "cert:", 5), 0);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    node_stop(&n);
    free(first);
    free(again);
    free(other);
}

static void options_that_do_not_fit_name_the_file(void **state)
{
    const pki *p = *state;
    struct {
        clv_tls_options o;
        const char *part;
    } cases[] = {{{.cert = p->cert}, "key"},
                 {{.cert = "/no/such.pem", .key = p->key}, "/no/such.pem"},
                 {{.cert = p->cert, .key = "/no/such.pem"}, "/no/such.pem"},
                 {{.cert = p->junk, .key = p->key}, p->junk},
                 {{.cert = p->cert, .key = p->junk}, p->junk},
                 {{.cert = p->cert, .key = p->other_key}, "does not belong"},
                 {{.cert = p->cert, .key = p->key, .ca = p->junk}, p->junk}};
    clv_loop *loop = clv_loop_new();
    for (size_t i = 0; i < CLV_COUNT(cases); i++) {
        clv_error err = {0};
        clv_http_server *s;
        clv_http_server_options o = {.tls = &cases[i].o};
        assert_int_not_equal(clv_http_server_new(loop, &o, &echoing, NULL, &s, &err), CLV_OK);
        if (!strstr(err.text, cases[i].part)) fail_msg("'%s' has no '%s'", err.text, cases[i].part);
    }
    clv_loop_free(loop);
}

/* ---- a long way ---- */

enum { CONNECT_US = 20000, WAY_US = 200000 };

typedef struct way {
    int listener, far; /* far: the port behind it */
} way;

/* Takes one connection, keeps the first bytes back for ten times the connect timeout, then hands on both ways until one side ends. */
static void *carry_late(void *arg)
{
    const way *w = arg;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)w->far),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct pollfd ends[2] = {{accept(w->listener, NULL, NULL), POLLIN, 0},
                             {socket(AF_INET, SOCK_STREAM, 0), POLLIN, 0}};
    char bytes[4096];
    clv_sleep_us(WAY_US);
    bool open = connect(ends[1].fd, (struct sockaddr *)&to, sizeof to) == 0;
    while (open && poll(ends, 2, -1) > 0)
        for (int i = 0; i < 2 && open; i++) {
            ssize_t n = ends[i].revents ? recv(ends[i].fd, bytes, sizeof bytes, 0) : 0;
            if (ends[i].revents)
                open = n > 0 && send(ends[!i].fd, bytes, (size_t)n, MSG_NOSIGNAL) == n;
        }
    close(ends[0].fd);
    close(ends[1].fd);
    return NULL;
}

/* TCP was connected within the connect timeout: no packet was lost, and the handshake may take longer than that. */
static void a_long_handshake_is_waited_for(void **state)
{
    const pki *p = *state;
    clv_tls_options server_tls = {.cert = p->cert, .key = p->key}, tls = {.ca = p->ca};
    node n;
    node_start(&n, (clv_http_server_options){.tls = &server_tls}, &echoing, NULL);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    way w = {.listener = socket(AF_INET, SOCK_STREAM, 0), .far = atoi(strrchr(n.url, ':') + 1)};
    assert_int_equal(bind(w.listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(w.listener, 1), 0);
    getsockname(w.listener, (struct sockaddr *)&a, &size);
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%d", ntohs(a.sin_port));
    pthread_t carrier;
    assert_int_equal(pthread_create(&carrier, NULL, carry_late, &w), 0);
    clv_loop *loop = clv_loop_new();
    clv_client *c = client_of(
        loop, (clv_client_options){.url = url, .tls = &tls, .connect_timeout_us = CONNECT_US});
    outcome o = call_and_wait(loop, c, (clv_call){.path = "/"});
    clv_client_free(c);
    clv_loop_free(loop);
    pthread_join(carrier, NULL);
    assert_int_equal(o.status, 200);
    clv_body_unref(o.body);
    close(w.listener);
    node_stop(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_bodies_go_over_tls),
        cmocka_unit_test(a_certificate_that_is_not_trusted_is_named),
        cmocka_unit_test(plain_and_tls_do_not_match),
        cmocka_unit_test(a_server_may_demand_certificates),
        cmocka_unit_test(a_client_is_its_certificate_on_every_connection),
        cmocka_unit_test(a_long_handshake_is_waited_for),
        cmocka_unit_test(options_that_do_not_fit_name_the_file),
    };
    return cmocka_run_group_tests(tests, make_pki, drop_pki);
}
