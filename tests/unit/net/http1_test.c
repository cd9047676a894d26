/* HTTP/1 from the outside: raw bytes over a socket, as a browser, a load balancer or an attacker
 * sends them. */
#include "node.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static const clv_http_handler echoing = {.request = echo};

static int dial(const node *n)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons((uint16_t)n->port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval patience = {.tv_sec = 10}; /* a server that does not close fails the test */
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static void say(int fd, const char *bytes, size_t n)
{
    while (n) {
        ssize_t w = send(fd, bytes, n, MSG_NOSIGNAL);
        if (w <= 0) return; /* refused in the middle */
        bytes += w;
        n -= (size_t)w;
    }
}

static void read_all(int fd, clv_buf *out)
{
    char buffer[4096];
    ssize_t n;
    while ((n = read(fd, buffer, sizeof buffer)) > 0) clv_buf_add(out, buffer, (size_t)n);
    clv_buf_reserve(out, 0);
}

/* Send all of it, return all that comes until the server closes. */
static clv_buf converse(const node *n, const char *bytes, size_t count)
{
    clv_buf out = {0};
    int fd = dial(n);
    say(fd, bytes, count);
    read_all(fd, &out);
    close(fd);
    return out;
}

static size_t occurrences(const clv_buf *in, const char *what)
{
    size_t n = 0;
    for (const char *at = in->data; (at = strstr(at, what)); at += strlen(what)) n++;
    return n;
}

static void well_formed_requests_are_answered(void **state)
{
    (void)state;
    static const struct {
        const char *request, *answer;
    } cases[] = {
        {"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET /x \n"},
        {"GET /x%2fy?q=%20 HTTP/1.0\r\n\r\n", "GET /x/y q=%20\n"},
        {"\r\n\r\nGET / HTTP/1.1\r\nhOST:a\r\nconnection: close\r\n\r\n", "GET / \n"},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
         "POST / \nabc"},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
         "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\n",
         "POST / \nabcde"},
        {"GET http://a/abs?q HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET /abs q\n"},
        {"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "OPTIONS / \n"},
        {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: close, upgrade\r\n\r\n",
         "GET / \n"},
        {"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n"
         "Connection: close\r\n\r\nz",
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"}};
    node n;
    node_start(&n, (clv_http_server_options){0}, &echoing, NULL);
    for (size_t i = 0; i < CLV_COUNT(cases); i++) {
        clv_buf out = converse(&n, cases[i].request, strlen(cases[i].request));
        if (!strstr(out.data, "HTTP/1.1 200 OK\r\n") || !strstr(out.data, cases[i].answer)) {
            fail_msg("'%s' is answered by '%s'", cases[i].request, out.data);
        }
        clv_buf_done(&out);
    }
    node_stop(&n);
}

/* Each is refused and the connection is closed, so that nothing behind it can be a request. */
static void probes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
         "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"
         "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nabc", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\nabc", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
         "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400},
        {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
         "11111111111111111\r\nabc\r\n",
         400},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: y\rContent-Length: 30\r\n\r\n"
         "GET /smuggled HTTP/1.1\r\n\r\n",
         400},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n folded: line\r\n\r\n", 400},
        {"GET / HTTP/1.1\nHost: a\n\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: y\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nX\x01: y\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nX: y\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        {"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
        {"GET / HTTP/1.9\r\nHost: a\r\n\r\n", 400},
        {"GET nonsense HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 400},
        {"GET /%00 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 400},
        {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501},
        {"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
        {"POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n", 417},
        {"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", 400},
        {"\x16\x03\x01\x02\x02\x01\x01\xfc\x03\x03", 400}};
    node n;
    node_start(&n, (clv_http_server_options){0}, &echoing, NULL);
    for (size_t i = 0; i < CLV_COUNT(cases); i++) {
        char status[24];
        snprintf(status, sizeof status, "HTTP/1.1 %d ", cases[i].status);
        clv_buf out = converse(&n, cases[i].request, strlen(cases[i].request));
        if (strncmp(out.data, status, strlen(status)) != 0 || occurrences(&out, "HTTP/1.1 ") != 1 ||
            !strstr(out.data, "connection: close\r\n") || !strstr(out.data, "{\"error\": \"")) {
            fail_msg("'%s' is answered by '%s', not by %d", cases[i].request, out.data,
                     cases[i].status);
        }
        clv_buf_done(&out);
    }
    node_stop(&n);
}

static void requests_of_one_connection_are_answered_in_turn(void **state)
{
    (void)state;
    node n;
    clv_buf request = {0};
    node_start(&n, (clv_http_server_options){0}, &echoing, NULL);
    for (int i = 0; i < 500; i++) {
        clv_buf_printf(&request, "POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", i);
    }
    clv_buf_text(&request, "HEAD /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    clv_buf out = converse(&n, request.data, request.len);
    const char *at = out.data;
    for (int i = 0; i < 500; i++) {
        char body[32];
        snprintf(body, sizeof body, "\r\n\r\nPOST /%d \nhi", i);
        at = strstr(at, body);
        assert_non_null(at);
    }
    assert_int_equal(occurrences(&out, "HTTP/1.1 200 OK"), 501);
    assert_non_null(strstr(at, "content-length: 12\r\n"));
    assert_string_equal(out.data + out.len - 4, "\r\n\r\n"); /* HEAD has no body */
    clv_buf_done(&request);
    clv_buf_done(&out);
    node_stop(&n);
}

static void limits_have_their_own_answers(void **state)
{
    (void)state;
    node n;
    node_start(&n, (clv_http_server_options){.body_max = 100}, &echoing, NULL);
    static const struct {
        const char *before, *after;
        size_t filler;
        int status;
    } cases[] = {
        {"GET /", " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 2047, 200},
        {"GET /", " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 2048, 414},
        {"GET /?", " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 8190, 200},
        {"GET /?", " HTTP/1.1\r\nHost: a\r\n\r\n", 8191, 414},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: ", "\r\n\r\n", 16000, 200},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: ", "\r\n\r\n", 16384, 431},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: ", "\r\n\r\n", 1 << 20, 431},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n", "", 101, 413},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", "", 1 << 20, 413},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\nConnection: close\r\n\r\n", "", 100,
         200},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n", "\r\n0\r\n\r\n",
         101, 413},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;", "", 1 << 20, 400}};
    for (size_t i = 0; i < CLV_COUNT(cases); i++) {
        clv_buf request = {0};
        clv_buf_text(&request, cases[i].before);
        for (size_t j = 0; j < cases[i].filler; j++) clv_buf_char(&request, 'x');
        clv_buf_text(&request, cases[i].after);
        char status[24];
        snprintf(status, sizeof status, "HTTP/1.1 %d ", cases[i].status);
        clv_buf out = converse(&n, request.data, request.len);
        if (strncmp(out.data, status, strlen(status)) != 0) {
            fail_msg("case %zu: '%.200s', not %d", i, out.data, cases[i].status);
        }
        clv_buf_done(&request);
        clv_buf_done(&out);
    }
    clv_buf many = {0};
    clv_buf_text(&many, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < CLV_HTTP_HEADERS_MAX; i++) clv_buf_printf(&many, "x%d: y\r\n", i);
    clv_buf_text(&many, "\r\n");
    clv_buf out = converse(&n, many.data, many.len);
    assert_memory_equal(out.data, "HTTP/1.1 431 ", 13);
    clv_buf_done(&many);
    clv_buf_done(&out);
    node_stop(&n);
}

static void slow_peers_are_not_waited_for(void **state)
{
    (void)state;
    static const struct {
        const char *said, *answer;
    } cases[] = {{"GET / HTTP/1.1\r\nHost:", "HTTP/1.1 408 "},
                 {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", "HTTP/1.1 408 "},
                 {"PRI * HT", ""},
                 {"", ""},
                 {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\n"}};
    node n;
    node_start(&n, (clv_http_server_options){.read_timeout_us = 100000, .idle_timeout_us = 200000},
               &echoing, NULL);
    for (size_t i = 0; i < CLV_COUNT(cases); i++) {
        clv_buf out = converse(&n, cases[i].said, strlen(cases[i].said)); /* ends: it was closed */
        assert_memory_equal(out.data, cases[i].answer, strlen(cases[i].answer));
        clv_buf_done(&out);
    }
    /* One byte at a time does not help: the whole head has one deadline. */
    int fd = dial(&n);
    clv_buf out = {0};
    char buffer[256];
    static const char head[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    say(fd, head, sizeof head - 1);
    while (recv(fd, buffer, sizeof buffer, MSG_DONTWAIT) < 0) {
        say(fd, "x", 1);
        clv_sleep_us(5000);
    }
    read_all(fd, &out);
    clv_buf_done(&out);
    close(fd);
    node_stop(&n);
}

static atomic_int gone_count;
static _Atomic(clv_exchange *) held;
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

static void a_peer_that_leaves_is_noticed(void **state)
{
    (void)state;
    static const clv_http_handler handler = {.request = hold, .gone = count_gone};
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    node n;
    node_start(&n, (clv_http_server_options){0}, &handler, NULL);
    int fd = dial(&n);
    say(fd, request, sizeof request - 1);
    while (!atomic_load(&held)) clv_sleep_us(1000);
    close(fd);
    while (!atomic_load(&gone_count)) clv_sleep_us(1000);
    echo(NULL, atomic_load(&held));
    node_stop(&n);
}

/* --- streamed bodies --- */

typedef struct spool {
    clv_buf got;
    int writes, gone, requests;
} spool;

static clv_status spool_write(void *arg, const void *bytes, size_t n, clv_error *err)
{
    spool *s = arg;
    s->writes++;
    if (n && memchr(bytes, '!', n)) return clv_fail(err, CLV_EMISMATCH, "no '!' please");
    clv_buf_add(&s->got, bytes, n);
    return CLV_OK;
}

static clv_status spool_begin(void *ctx, clv_exchange *x, clv_body_sink *sink, size_t *body_max,
                              clv_error *err)
{
    if (!strcmp(clv_exchange_path(x), "/no")) return clv_fail(err, CLV_EDENIED, "not here");
    *sink = (clv_body_sink){spool_write, ctx};
    *body_max = 3000000;
    return CLV_OK;
}

static void spool_request(void *ctx, clv_exchange *x)
{
    ((spool *)ctx)->requests++;
    assert_int_equal(clv_body_bytes(clv_exchange_body(x)), 0);
    echo(NULL, x);
}

static void spool_gone(void *ctx, clv_exchange *x)
{
    (void)x;
    ((spool *)ctx)->gone++;
}

static void bodies_can_be_streamed(void **state)
{
    (void)state;
    static const clv_http_handler handler = {
        .begin = spool_begin, .request = spool_request, .gone = spool_gone};
    static const struct {
        const char *path, *end;
        size_t filler;
        int status, requests, gone;
    } cases[] = {{"/", "", 2999999, 200, 1, 0},
                 {"/", "", 3000001, 413, 0, 1},
                 {"/", "!", 70000, 412, 0, 1},
                 {"/no", "", 10, 403, 0, 0}};
    for (size_t i = 0; i < 2 * CLV_COUNT(cases); i++) { /* HTTP/1, then HTTP/2 */
        size_t k = i / 2;
        node n;
        spool s = {0};
        node_start(&n, (clv_http_server_options){0}, &handler, &s);
        clv_buf body = {0};
        clv_buf request = {0};
        for (size_t j = 0; j < cases[k].filler; j++) clv_buf_char(&body, (char)('a' + j % 26));
        clv_buf_text(&body, cases[k].end);
        int status;
        if (i % 2) {
            clv_loop *loop = clv_loop_new();
            clv_client *c = client_of(loop, (clv_client_options){.url = n.url});
            clv_slice slice = {body.data, body.len, NULL, NULL};
            outcome o = call_and_wait(
                loop, c,
                (clv_call){.method = "PUT", .path = cases[k].path, .body = &slice, .n_body = 1});
            status = o.status;
            clv_body_unref(o.body);
            clv_client_free(c);
            clv_loop_free(loop);
        } else {
            clv_buf_printf(&request, "PUT %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n",
                           cases[k].path);
            clv_buf_printf(&request, "Content-Length: %zu\r\n\r\n", body.len);
            clv_buf_add(&request, body.data, body.len);
            clv_buf out = converse(&n, request.data, request.len);
            status = out.len > 9 ? (int)strtol(out.data + 9, NULL, 10) : 0;
            clv_buf_done(&out);
        }
        node_stop(&n);
        assert_int_equal(status, cases[k].status);
        assert_int_equal(s.requests, cases[k].requests);
        assert_int_equal(s.gone, cases[k].gone);
        if (status == 200) {
            assert_true(s.writes > 1);
            assert_int_equal(s.got.len, body.len);
            assert_memory_equal(s.got.data, body.data, body.len);
        }
        clv_buf_done(&s.got);
        clv_buf_done(&body);
        clv_buf_done(&request);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_requests_are_answered),
        cmocka_unit_test(probes_are_refused),
        cmocka_unit_test(requests_of_one_connection_are_answered_in_turn),
        cmocka_unit_test(limits_have_their_own_answers),
        cmocka_unit_test(slow_peers_are_not_waited_for),
        cmocka_unit_test(a_peer_that_leaves_is_noticed),
        cmocka_unit_test(bodies_can_be_streamed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
