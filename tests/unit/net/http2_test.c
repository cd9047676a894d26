/* HTTP/2 from the outside: raw frames, as a careless or hostile peer sends them, and slow ones. */
#include "node.h"

#include "net/http2.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define PREFACE       "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define SETTINGS      "\0\0\0\4\0\0\0\0\0"
#define BYTES(text)   (text), sizeof(text) - 1
#define POST_FIELDS_N 6
static const char post_fields[] = "\x83\x86\x84\x41\x01\x61"; /* POST http / with authority "a" */

static const clv_http_handler echoing = {.request = echo};

static int dial(const node *n)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons((uint16_t)n->port)};
    struct timeval patience = {.tv_sec = 20};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static bool say(int fd, const void *bytes, size_t n)
{
    return send(fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static size_t frame(unsigned char *out, int type, int flags, unsigned id, const void *payload,
                    size_t n)
{
    const unsigned char head[] = {
        (unsigned char)(n >> 16),  (unsigned char)(n >> 8),  (unsigned char)n,
        (unsigned char)type,       (unsigned char)flags,     (unsigned char)(id >> 24),
        (unsigned char)(id >> 16), (unsigned char)(id >> 8), (unsigned char)id};
    memcpy(out, head, sizeof head);
    if (n) memcpy(out + sizeof head, payload, n);
    return sizeof head + n;
}

/* Reads until a frame of `type` (-1: until the end); true when there was one. */
static bool await_frame(int fd, int type)
{
    unsigned char head[9], payload[4096];
    for (;;) {
        if (recv(fd, head, sizeof head, MSG_WAITALL) != sizeof head) return false;
        size_t left = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
        while (left) {
            size_t part = left < sizeof payload ? left : sizeof payload;
            if (recv(fd, payload, part, MSG_WAITALL) != (ssize_t)part) return false;
            left -= part;
        }
        if (head[3] == type) return true;
    }
}

static atomic_int request_count;
static void count_request(void *ctx, clv_exchange *x)
{
    atomic_fetch_add(&request_count, 1);
    echo(ctx, x);
}

/* CVE-2023-44487: requests that are reset at once cost the sender nothing. All of them are said at once, so that the server
 * reads thousands together: what is behind the reset that is one too many is not looked at. */
static void rapid_resets_are_cut_off(void **state)
{
    (void)state;
    static const clv_http_handler handler = {.request = count_request};
    enum { RESETS = 20000, PAIR_BYTES = 9 + POST_FIELDS_N + 9 + 4 };
    node n;
    node_start(&n, (clv_http_server_options){0}, &handler, NULL);
    int fd = dial(&n);
    int64_t start_us = clv_now_us();
    unsigned char *frames = clv_alloc((size_t)RESETS * PAIR_BYTES);
    size_t at = 0;
    for (unsigned i = 0; i < RESETS; i++) {
        at += frame(frames + at, 1, 5, 2 * i + 1, post_fields, POST_FIELDS_N);
        at += frame(frames + at, 3, 0, 2 * i + 1, "\0\0\0\x08", 4);
    }
    say(fd, BYTES(PREFACE SETTINGS));
    say(fd, frames, at);
    assert_true(await_frame(fd, 7));
    assert_false(await_frame(fd, -1));
    int64_t seconds = (clv_now_us() - start_us) / 1000000 + 1;
    assert_in_range(atomic_load(&request_count), CLV_HTTP2_RESETS_BURST,
                    CLV_HTTP2_RESETS_BURST + 1 + CLV_HTTP2_RESETS_PER_S * seconds);
    free(frames);
    close(fd);
    node_stop(&n);
}

static void garbage_is_cut_off_with_a_goaway(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
    } cases[] = {{BYTES(PREFACE "GET / HTTP/1.1\r\n\r\n")},
                 {BYTES(PREFACE SETTINGS "\xff\xff\xff\0\0\0\0\0\1")}, /* DATA of 16 MiB */
                 {BYTES(PREFACE SETTINGS "\0\0\1\0\0\0\0\0\5x")},      /* DATA of an idle stream */
                 {BYTES(PREFACE SETTINGS "\0\0\2\1\5\0\0\0\1\xff\xff")},
                 {BYTES(PREFACE SETTINGS "\0\0\0\1\5\0\0\0\2")}}; /* an even stream */
    node n;
    node_start(&n, (clv_http_server_options){0}, &echoing, NULL);
    for (size_t i = 0; i < CLV_COUNT(cases); i++) {
        int fd = dial(&n);
        assert_true(say(fd, cases[i].bytes, cases[i].n));
        if (!await_frame(fd, 7)) fail_msg("case %zu: no GOAWAY", i);
        assert_false(await_frame(fd, -1));
        close(fd);
    }
    node_stop(&n);
}

static atomic_int gone_count;
static clv_status begin_any(void *ctx, clv_exchange *x, clv_body_sink *sink, size_t *body_max,
                            clv_error *err)
{
    (void)ctx, (void)x, (void)sink, (void)body_max, (void)err;
    return CLV_OK;
}

/* A body whose frame comes in drips, with padding: nothing of it is waited for in vain, nor is what
 * comes later. */
static void a_frame_may_come_in_drips(void **state)
{
    (void)state;
    enum { BODY = 300000, PAD = 200, FRAME = 9 + 1 + BODY + PAD };
    static const size_t pieces[] = {5, 60000, 1, 100000, 139000, 1000, 150, FRAME};
    node n;
    node_start(&n, (clv_http_server_options){0}, &echoing, NULL);
    int fd = dial(&n);
    unsigned char head[64], *payload = clv_alloc_array(1 + BODY + PAD, 1),
                            *data = clv_alloc_array(FRAME, 1);
    payload[0] = PAD;
    assert_true(say(fd, BYTES(PREFACE)) && say(fd, BYTES(SETTINGS)) && await_frame(fd, 4));
    assert_true(say(fd, BYTES("\0\0\0\4\1\0\0\0\0"))); /* their SETTINGS: large frames */
    assert_true(say(fd, head, frame(head, 1, 4, 1, post_fields, POST_FIELDS_N)));
    frame(data, 0, 9, 1, payload, 1 + BODY + PAD); /* padded, and the last */
    for (size_t i = 0, at = 0; at < FRAME; at += pieces[i++]) {
        assert_true(say(fd, data + at, CLV_MIN(pieces[i], FRAME - at)));
        clv_sleep_us(2000);
    }
    assert_true(await_frame(fd, 1)); /* the echo begins */
    assert_true(say(fd, head, frame(head, 6, 0, 0, "12345678", 8)));
    assert_true(await_frame(fd, 6)); /* PING's answer */
    free(payload);
    free(data);
    close(fd);
    node_stop(&n);
}

static void count_gone(void *ctx, clv_exchange *x)
{
    (void)ctx, (void)x;
    atomic_fetch_add(&gone_count, 1);
}

static void a_stalled_upload_is_reset(void **state)
{
    (void)state;
    static const clv_http_handler handler = {
        .begin = begin_any, .request = echo, .gone = count_gone};
    node n;
    atomic_store(&gone_count, 0);
    node_start(&n, (clv_http_server_options){.read_timeout_us = 100000}, &handler, NULL);
    int fd = dial(&n);
    unsigned char headers[32];
    size_t headers_n = frame(headers, 1, 4, 1, post_fields, POST_FIELDS_N);
    say(fd, BYTES(PREFACE SETTINGS));
    say(fd, headers, headers_n);
    assert_true(await_frame(fd, 3));
    assert_int_equal(atomic_load(&gone_count), 1);
    close(fd);
    node_stop(&n);
}

/* --- uploads: one after the other --- */

enum { UPLOADS = 3, WHOLE_BYTES = 6 << 20 };
static size_t upload_got[UPLOADS],
    upload_others[UPLOADS]; /* what the later ones had when one was complete */

static clv_status take_upload(void *arg, const void *bytes, size_t n, clv_error *err)
{
    (void)bytes, (void)err;
    *(size_t *)arg += n;
    return CLV_OK;
}

static size_t upload_number(const clv_exchange *x)
{
    return (size_t)(clv_exchange_path(x)[1] - '0');
}

static clv_status begin_upload(void *ctx, clv_exchange *x, clv_body_sink *sink, size_t *body_max,
                               clv_error *err)
{
    (void)ctx, (void)body_max, (void)err;
    *sink = (clv_body_sink){.write = take_upload, .arg = &upload_got[upload_number(x)]};
    return CLV_OK;
}

static void end_upload(void *ctx, clv_exchange *x)
{
    (void)ctx;
    size_t i = upload_number(x);
    for (size_t k = i + 1; k < UPLOADS; k++) upload_others[i] += upload_got[k];
    clv_exchange_respond(x, &(clv_response){.status = 200});
}

/* Taken in turns, all of them would be there only when the last one is. */
static void bodies_go_out_one_after_the_other(void **state)
{
    (void)state;
    static const clv_http_handler handler = {.begin = begin_upload, .request = end_upload};
    node n;
    node_start(&n, (clv_http_server_options){0}, &handler, NULL);
    clv_loop *loop = clv_loop_new();
    clv_client *c = client_of(loop, (clv_client_options){.url = n.url});
    char *bytes = clv_alloc(WHOLE_BYTES);
    clv_slice body = {.data = bytes, .bytes = WHOLE_BYTES};
    int awaited = UPLOADS;
    outcome o[UPLOADS];
    for (int i = 0; i < UPLOADS; i++) {
        char path[3] = {'/', (char)('0' + i)};
        o[i] = (outcome){.loop = loop, .awaited = &awaited};
        clv_client_call(c, &(clv_call){.method = "POST",
                                       .path = path,
                                       .body = &body,
                                       .n_body = 1,
                                       .done = on_outcome,
                                       .arg = &o[i]});
    }
    clv_loop_run(loop);
    for (int i = 0; i < UPLOADS; i++) {
        assert_int_equal(o[i].status, 200);
        clv_body_unref(o[i].body);
    }
    clv_client_free(c);
    clv_loop_free(loop);
    node_stop(&n);
    free(bytes);
    for (size_t i = 0; i < UPLOADS; i++) {
        assert_int_equal(upload_got[i], WHOLE_BYTES);
        assert_int_equal(upload_others[i], 0);
    }
}

static void an_idle_connection_is_closed(void **state)
{
    (void)state;
    node n;
    node_start(&n, (clv_http_server_options){.idle_timeout_us = 50000}, &echoing, NULL);
    int fd = dial(&n);
    say(fd, BYTES(PREFACE SETTINGS));
    assert_true(await_frame(fd, 7));
    assert_false(await_frame(fd, -1));
    close(fd);
    node_stop(&n);
}

/* --- a slow link: the peer takes the body in small sips and then answers --- */

enum { SIPS = 60, SIP_BYTES = 32 * 1024, UPLOAD_BYTES = SIPS * SIP_BYTES };

static void *sip(void *arg)
{
    static const char hello[] =
        "\0\0\6\4\0\0\0\0\0\0\4\x7f\xff\xff\xff" /* SETTINGS: largest stream window */
        "\0\0\4\x8\0\0\0\0\0\x7f\xff\0\0";       /* and connection window */
    static const char reply[] = "\0\0\1\1\5\0\0\0\1\x88";
    int fd = accept(*(int *)arg, NULL, NULL);
    char *buffer = clv_alloc(SIP_BYTES);
    say(fd, hello, sizeof hello - 1);
    for (int i = 0; i < SIPS; i++) {
        recv(fd, buffer, SIP_BYTES, MSG_WAITALL);
        clv_sleep_us(10000);
    }
    say(fd, reply, sizeof reply - 1);
    while (recv(fd, buffer, SIP_BYTES, 0) > 0) continue;
    close(fd);
    free(buffer);
    return NULL;
}

static void a_slow_link_is_not_taken_for_a_dead_peer(void **state)
{
    (void)state;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int small = 8192, listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(listener, 1), 0);
    getsockname(listener, (struct sockaddr *)&a, &n);
    pthread_t thread;
    pthread_create(&thread, NULL, sip, &listener);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", ntohs(a.sin_port));
    clv_loop *loop = clv_loop_new();
    clv_client *c = client_of(loop, (clv_client_options){.url = url, .dead_after_us = 400000});
    char *data = clv_alloc(UPLOAD_BYTES);
    clv_slice slice = {data, UPLOAD_BYTES, NULL, NULL};
    outcome o = call_and_wait(
        loop, c, (clv_call){.method = "POST", .path = "/", .body = &slice, .n_body = 1});
    if (o.error.status) fail_msg("%s", o.error.text);
    assert_int_equal(o.status, 200);
    assert_true(o.times.end_us - o.times.start_us > 500000); /* it was longer than dead_after_us */
    clv_body_unref(o.body);
    clv_client_free(c);
    clv_loop_free(loop);
    pthread_join(thread, NULL);
    close(listener);
    free(data);
}

/* --- calls and cancels from many threads --- */

enum { THREADS = 4, CALLS = 100 };

typedef struct caller {
    clv_client *client;
    atomic_int *left;
    clv_loop *loop;
    pthread_t thread;
} caller;

static void on_counted(void *arg, const clv_reply *r)
{
    caller *c = arg;
    if (r->error) {
        assert_int_equal(r->error->status, CLV_ECANCELED);
    } else {
        assert_int_equal(r->status, 200);
    }
    if (atomic_fetch_sub(c->left, 1) == 1) clv_loop_stop(c->loop);
}

static void *call_many(void *arg)
{
    caller *c = arg;
    static const char data[5000];
    clv_slice slice = {data, sizeof data, NULL, NULL};
    for (int i = 0; i < CALLS; i++) {
        uint64_t id = clv_client_call(c->client, &(clv_call){.method = "POST",
                                                             .path = "/",
                                                             .body = &slice,
                                                             .n_body = 1,
                                                             .done = on_counted,
                                                             .arg = c});
        if (i % 3 == 0) clv_client_cancel(c->client, id);
    }
    return NULL;
}

static void any_thread_may_call_and_cancel(void **state)
{
    (void)state;
    node n;
    node_start(&n, (clv_http_server_options){0}, &echoing, NULL);
    clv_loop *loop = clv_loop_new();
    clv_client *client = client_of(loop, (clv_client_options){.url = n.url});
    atomic_int left = THREADS * CALLS;
    caller callers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        callers[i] = (caller){.client = client, .left = &left, .loop = loop};
        pthread_create(&callers[i].thread, NULL, call_many, &callers[i]);
    }
    clv_loop_run(loop);
    for (int i = 0; i < THREADS; i++) pthread_join(callers[i].thread, NULL);
    assert_int_equal(atomic_load(&left), 0);
    clv_client_free(client);
    clv_loop_free(loop);
    node_stop(&n);
}

static void head_has_a_length_and_no_body(void **state)
{
    (void)state;
    node n;
    node_start(&n, (clv_http_server_options){0}, &echoing, NULL);
    clv_loop *loop = clv_loop_new();
    clv_client *c = client_of(loop, (clv_client_options){.url = n.url});
    outcome o = call_and_wait(loop, c, (clv_call){.method = "HEAD", .path = "/"});
    assert_body(&o, "");
    clv_body_unref(o.body);
    clv_client_free(c);
    clv_loop_free(loop);
    node_stop(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rapid_resets_are_cut_off),
        cmocka_unit_test(garbage_is_cut_off_with_a_goaway),
        cmocka_unit_test(a_frame_may_come_in_drips),
        cmocka_unit_test(a_stalled_upload_is_reset),
        cmocka_unit_test(bodies_go_out_one_after_the_other),
        cmocka_unit_test(an_idle_connection_is_closed),
        cmocka_unit_test(a_slow_link_is_not_taken_for_a_dead_peer),
        cmocka_unit_test(any_thread_may_call_and_cancel),
        cmocka_unit_test(head_has_a_length_and_no_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
