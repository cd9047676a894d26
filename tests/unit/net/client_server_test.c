/* Each test runs over TCP, and where it matters over a Unix-domain socket: its state is the path. */
#include "node.h"

static const clv_http_handler echoing = {.request = echo};

static void a_call_gets_its_answer(void **state)
{
    node n;
    node_start(&n, (clv_http_server_options){.socket = *state}, &echoing, NULL);
    clv_loop *loop = clv_loop_new();
    clv_client *c = client_of(loop, (clv_client_options){.url = n.url});
    outcome o = call_and_wait(loop, c, (clv_call){.path = "/a%20b?x=1&y"});
    assert_int_equal(o.status, 200);
    assert_body(&o, "GET /a b x=1&y\n");
    assert_string_equal(o.type, "text/plain");
    assert_true(o.times.start_us <= o.times.sent_us && o.times.sent_us <= o.times.end_us);
    assert_true(o.times.first_byte_us >= o.times.start_us);
    assert_true(o.times.connect_us > 0);
    assert_true(o.times.start_us + o.times.connect_us <= o.times.first_byte_us);
    clv_body_unref(o.body);
    assert_true(clv_client_path(c).connected);
    o = call_and_wait(loop, c, (clv_call){.path = "/"}); /* on the same connection */
    assert_int_equal(o.times.connect_us, 0);
    clv_body_unref(o.body);
    clv_client_free(c);
    clv_loop_free(loop);
    node_stop(&n);
}

static atomic_int releases;
static void count_release(void *owner)
{
    (void)owner;
    atomic_fetch_add(&releases, 1);
}

static void large_bodies_go_both_ways(void **state)
{
    node n;
    node_start(&n, (clv_http_server_options){.socket = *state}, &echoing, NULL);
    clv_loop *loop = clv_loop_new();
    clv_client *c = client_of(loop, (clv_client_options){.url = n.url});
    size_t bytes = 40u << 20;
    unsigned char *data = clv_alloc(bytes);
    for (size_t i = 0; i < bytes; i++) data[i] = (unsigned char)(i * 2654435761u >> 13);
    atomic_store(&releases, 0);
    clv_slice slices[] = {{data, 1000, count_release, NULL},
                          {data + 1000, bytes - 1000, count_release, NULL}};
    outcome o = call_and_wait(
        loop, c, (clv_call){.method = "POST", .path = "/", .body = slices, .n_body = 2});
    assert_int_equal(o.status, 200);
    size_t head = strlen("POST / \n");
    assert_int_equal(clv_body_bytes(o.body), bytes + head);
    assert_memory_equal((const char *)clv_body_data(o.body) + head, data, bytes);
    assert_int_equal((uintptr_t)clv_body_data(o.body) % 64, 0);
    assert_int_equal(atomic_load(&releases), 2);
    assert_true(o.times.sent_us > 0 && o.times.sent_us <= o.times.end_us);
    clv_body_unref(o.body);
    free(data);
    clv_client_free(c);
    clv_loop_free(loop);
    node_stop(&n);
}

enum { MANY = 200 };

static void many_calls_run_at_once(void **state)
{
    node n;
    node_start(&n, (clv_http_server_options){.socket = *state}, &echoing, NULL);
    clv_loop *loop = clv_loop_new();
    clv_client *c = client_of(loop, (clv_client_options){.url = n.url});
    static unsigned char data[30000];
    int awaited = MANY;
    outcome *all = clv_alloc_array(MANY, sizeof *all);
    for (int i = 0; i < MANY; i++) {
        char path[32];
        snprintf(path, sizeof path, "/%d", i);
        all[i] = (outcome){.loop = loop, .awaited = &awaited};
        clv_slice slice = {data, (size_t)i * 100, NULL, NULL};
        clv_client_call(c, &(clv_call){.method = "PUT",
                                       .path = path,
                                       .body = &slice,
                                       .n_body = 1,
                                       .done = on_outcome,
                                       .arg = &all[i]});
    }
    clv_loop_run(loop);
    for (int i = 0; i < MANY; i++) {
        char head[32];
        int head_n = snprintf(head, sizeof head, "PUT /%d \n", i);
        assert_int_equal(all[i].calls, 1);
        assert_int_equal(all[i].status, 200);
        assert_int_equal(clv_body_bytes(all[i].body), (size_t)(head_n + i * 100));
        assert_memory_equal(clv_body_data(all[i].body), head, (size_t)head_n);
        clv_body_unref(all[i].body);
    }
    free(all);
    clv_client_free(c);
    clv_loop_free(loop);
    node_stop(&n);
}

/* A handler that answers from a thread of its own. */
static void *answer_later(void *arg)
{
    clv_sleep_us(2000);
    echo(NULL, arg);
    return NULL;
}

static void in_thread(void *ctx, clv_exchange *x)
{
    (void)ctx;
    pthread_t thread;
    pthread_create(&thread, NULL, answer_later, x);
    pthread_detach(thread);
}

static void answers_come_from_other_threads(void **state)
{
    static const clv_http_handler handler = {.request = in_thread};
    node n;
    node_start(&n, (clv_http_server_options){.socket = *state}, &handler, NULL);
    clv_loop *loop = clv_loop_new();
    clv_client *c = client_of(loop, (clv_client_options){.url = n.url});
    outcome o = call_and_wait(loop, c, (clv_call){.path = "/later"});
    assert_body(&o, "GET /later \n");
    clv_body_unref(o.body);
    clv_client_free(c);
    clv_loop_free(loop);
    node_stop(&n);
}

static void grpc_echo(void *ctx, clv_exchange *x)
{
    (void)ctx;
    clv_error err = {0};
    clv_body *owner;
    const void *message;
    size_t bytes;
    assert_true(clv_grpc_is(x));
    if (!strcmp(clv_exchange_path(x), "/test/Fail")) {
        clv_grpc_respond_error(x, CLV_ENOTFOUND, "no mod\xc3\xa8l 100%");
        return;
    }
    assert_ok(clv_grpc_message(clv_exchange_body(x), clv_exchange_header(x, "grpc-encoding"),
                               1 << 30, &owner, &message, &bytes, &err),
              err);
    clv_slice slice = {message, bytes, clv_body_unref, owner};
    clv_grpc_respond(x, &slice, 1);
}

typedef struct grpc_outcome {
    clv_loop *loop;
    clv_error error;
    char text[64];
} grpc_outcome;

static void on_grpc(void *arg, const clv_reply *reply, const clv_error *error, clv_body *owner,
                    const void *message, size_t bytes)
{
    (void)owner;
    grpc_outcome *o = arg;
    assert_non_null(reply);
    if (error) o->error = *error;
    snprintf(o->text, sizeof o->text, "%.*s", (int)bytes, (const char *)message);
    clv_loop_stop(o->loop);
}

static void grpc_calls_carry_messages_and_errors(void **state)
{
    static const clv_http_handler handler = {.request = grpc_echo};
    node n;
    node_start(&n, (clv_http_server_options){.socket = *state}, &handler, NULL);
    clv_loop *loop = clv_loop_new();
    clv_client *c = client_of(loop, (clv_client_options){.url = n.url});
    clv_slice slices[] = {{"hel", 3, NULL, NULL}, {"lo", 2, NULL, NULL}};
    grpc_outcome o = {.loop = loop};
    clv_grpc_call call = {.method = "/test/Echo",
                          .message = slices,
                          .n_message = 2,
                          .deadline_us = clv_now_us() + 60000000,
                          .done = on_grpc,
                          .arg = &o};
    clv_grpc_client_call(c, &call);
    clv_loop_run(loop);
    assert_string_equal(o.error.text, "");
    assert_string_equal(o.text, "hello");
    call.method = "/test/Fail";
    clv_grpc_client_call(c, &call);
    clv_loop_run(loop);
    assert_int_equal(o.error.status, CLV_ENOTFOUND);
    assert_string_equal(o.error.text, "no mod\xc3\xa8l 100%");
    clv_client_free(c);
    clv_loop_free(loop);
    node_stop(&n);
}

/* One server has both; a token is asked for on both. */
static void a_port_and_a_socket_are_one_server(void **state)
{
    node n;
    node_start(&n, (clv_http_server_options){.socket = *state, .token = "t"}, &echoing, NULL);
    char tcp[64];
    snprintf(tcp, sizeof tcp, "http://127.0.0.1:%d", n.port);
    const char *const urls[] = {tcp, n.url};
    clv_loop *loop = clv_loop_new();
    for (size_t i = 0; i < CLV_COUNT(urls); i++) {
        for (int with = 0; with < 2; with++) {
            clv_client_options co = {.url = urls[i], .token = with ? "t" : NULL};
            clv_client *c = client_of(loop, co);
            outcome o = call_and_wait(loop, c, (clv_call){.path = "/"});
            assert_int_equal(o.status, with ? 200 : 401);
            clv_body_unref(o.body);
            clv_client_free(c);
        }
    }
    clv_loop_free(loop);
    node_stop(&n);
}

/* The handler's exchanges tell the user and the process at the other end. */
static void whoami(void *ctx, clv_exchange *x)
{
    (void)ctx;
    char *text = clv_format("%s %s", clv_exchange_peer(x), clv_exchange_who(x));
    clv_slice slice = {text, strlen(text), free, text};
    clv_exchange_respond(x, &(clv_response){.status = 200, .body = &slice, .n_body = 1});
}

static void a_process_is_known_by_its_user(void **state)
{
    static const clv_http_handler handler = {.request = whoami};
    node n;
    node_start(&n, (clv_http_server_options){.socket = *state}, &handler, NULL);
    clv_loop *loop = clv_loop_new();
    clv_client *c = client_of(loop, (clv_client_options){.url = n.url});
    outcome o = call_and_wait(loop, c, (clv_call){.path = "/"});
    CLV_AUTO(clv_text_free)
    char *want =
        clv_format("unix:uid=%d,pid=%d uid:%d", (int)getuid(), (int)getpid(), (int)getuid());
    assert_body(&o, want);
    clv_body_unref(o.body);
    clv_client_free(c);
    clv_loop_free(loop);
    node_stop(&n);
}

#define OVER_UNIX(test) cmocka_unit_test_prestate(test, path)

int main(void)
{
    void *path = (void *)(uintptr_t)node_socket();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_gets_its_answer),
        cmocka_unit_test(large_bodies_go_both_ways),
        cmocka_unit_test(many_calls_run_at_once),
        cmocka_unit_test(answers_come_from_other_threads),
        cmocka_unit_test(grpc_calls_carry_messages_and_errors),
        OVER_UNIX(a_call_gets_its_answer),
        OVER_UNIX(large_bodies_go_both_ways),
        OVER_UNIX(many_calls_run_at_once),
        OVER_UNIX(grpc_calls_carry_messages_and_errors),
        OVER_UNIX(a_port_and_a_socket_are_one_server),
        OVER_UNIX(a_process_is_known_by_its_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
