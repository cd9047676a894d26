/* A node is asked over real sockets; the node here is net/'s server with hand-made answers. */
#include "base/wire.h"
#include "cli/remote.h"
#include "net/grpc.h"
#include "net/loop.h"
#include "net/server.h"
#include "split/coding.h"
#include "split/oip.h"
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct node {
    clv_loop *loop;
    clv_http_server *server;
    pthread_t thread;
    char url[64];
    bool says_timing;
    const char *_Atomic tells; /* to any GET about the model; NULL: 404 */
} node;

static clv_buf metadata(void)
{
    clv_buf b = {0}, spec = {0}, shape = {0};
    const int64_t dims[] = {-1, 2, 3};
    clv_wire_put_text(&b, 1, "net");
    clv_wire_put_text(&b, 2, "1");
    clv_wire_put_text(&b, 2, "12");
    clv_wire_put_text(&spec, 1, "x");
    clv_wire_put_text(&spec, 2, "FP32");
    for (int i = 0; i < 3; i++) clv_wire_put_varint(&shape, (uint64_t)dims[i]);
    clv_wire_put_bytes(&spec, 3, shape.data, shape.len);
    clv_wire_put_bytes(&b, 4, spec.data, spec.len);
    clv_buf_clear(&spec);
    clv_wire_put_text(&spec, 1, "n");
    clv_wire_put_text(&spec, 2, "INT64");
    clv_wire_put_number(&spec, 3, 7); /* not packed */
    clv_wire_put_bytes(&b, 4, spec.data, spec.len);
    clv_wire_put_bytes(&b, 5, "", 0); /* outputs are of no interest */
    clv_buf_done(&spec);
    clv_buf_done(&shape);
    return b;
}

/* The inputs come back as outputs. */
static void echo(const node *n, clv_exchange *x, const clv_oip_bytes *in)
{
    clv_error err = {0};
    clv_request *r = NULL;
    if (clv_oip_decode_question(in, 1, &r, &err)) {
        clv_grpc_respond_error(x, err.status, err.text);
        return;
    }
    if (strcmp(r->model, "net") != 0) {
        clv_grpc_respond_error(x, CLV_ENOTFOUND, "no model 'nat', there is net");
        clv_request_free(r);
        return;
    }
    const clv_tensor_spec spec = {
        .name = (char *)(uintptr_t) "x", .dtype = CLV_F32, .shape = clv_shape_of(3, -1, 2, 3)};
    if (clv_coding_read(&r->inputs, &spec, 1, &r->outputs, &err)) {
        clv_grpc_respond_error(x, err.status, err.text);
        clv_request_free(r);
        return;
    }
    if (r->outputs.n == 0) {
        r->outputs = r->inputs;
        r->inputs = (clv_tensors){0};
    }
    if (n->says_timing) {
        r->timing = (clv_timing){.edge_us = 1, .cloud_us = 2, .total_us = 3};
        snprintf(r->plan, sizeof r->plan, "conv2");
        snprintf(r->recovered, sizeof r->recovered, "peer gone");
    }
    clv_oip_message m = clv_oip_encode_answer(r);
    clv_grpc_respond(x, m.slices, m.n);
    clv_oip_message_done(&m);
}

static void on_request(void *ctx, clv_exchange *x)
{
    node *n = ctx;
    clv_error err = {0};
    clv_oip_bytes in = {0};
    if (!clv_grpc_is(x)) {
        const char *tells =
            n->tells && strstr(clv_exchange_path(x), "/v2/models/net") ? n->tells : NULL;
        const clv_slice body = {.data = tells, .bytes = tells ? strlen(tells) : 0};
        clv_exchange_respond(
            x,
            &(clv_response){.status = tells ? 200 : 404, .body = &body, .n_body = tells ? 1 : 0});
        return;
    }
    if (clv_grpc_message(clv_exchange_body(x), NULL, 1 << 20, &in.owner, &in.data, &in.bytes, &err))
        clv_grpc_respond_error(x, err.status, err.text);
    else if (strcmp(clv_exchange_path(x), CLV_OIP_METHOD) == 0)
        echo(n, x, &in);
    else {
        clv_buf b = metadata();
        clv_slice slice = {.data = b.data, .bytes = b.len, .release = free, .owner = b.data};
        clv_grpc_respond(x, &slice, 1);
    }
    clv_body_unref(in.owner);
}

static void *run(void *arg)
{
    clv_loop_run(arg);
    return NULL;
}

static node *node_start(const char *token, bool says_timing)
{
    static const clv_http_handler handler = {.request = on_request};
    node *n = clv_alloc(sizeof *n);
    clv_error err = {0};
    n->says_timing = says_timing;
    n->loop = clv_loop_new();
    const clv_http_server_options o = {.host = "127.0.0.1", .token = token};
    assert_ok(clv_http_server_new(n->loop, &o, &handler, n, &n->server, &err), err);
    snprintf(n->url, sizeof n->url, "http://127.0.0.1:%d", clv_http_server_port(n->server));
    pthread_create(&n->thread, NULL, run, n->loop);
    return n;
}

static void node_stop(node *n)
{
    clv_loop_stop(n->loop);
    pthread_join(n->thread, NULL);
    clv_http_server_free(n->server);
    clv_loop_free(n->loop);
    free(n);
}

static clv_remote *remote_to(const char *url, const char *token)
{
    clv_error err = {0};
    clv_remote *r = NULL;
    const clv_remote_options o = {.url = url, .token = token, .timeout_us = 5000000};
    assert_ok(clv_remote_open(&o, &r, &err), err);
    return r;
}

static void a_model_is_described(void **state)
{
    (void)state;
    node *n = node_start("secret", true);
    clv_remote *r = remote_to(n->url, "secret");
    clv_remote_model m;
    clv_error err = {0};
    assert_ok(clv_remote_describe(r, "net", NULL, &m, &err), err);
    assert_int_equal(m.n_inputs, 2);
    assert_string_equal(m.version, "12");
    assert_string_equal(m.inputs[0].name, "x");
    clv_shape wanted = clv_shape_of(3, -1, 2, 3), one = clv_shape_of(1, 7);
    assert_true(m.inputs[0].dtype == CLV_F32 && clv_shape_equal(&m.inputs[0].shape, &wanted));
    assert_true(m.inputs[1].dtype == CLV_I64 && clv_shape_equal(&m.inputs[1].shape, &one));
    clv_remote_model_done(&m);
    clv_remote_free(r);
    node_stop(n);
}

static clv_status ask_in(clv_remote *r, const char *model, clv_codec codec, clv_outcome *out,
                         clv_error *err)
{
    static const float x[] = {1, 2, 3, 4, 5, 6};
    clv_tensors inputs = {0};
    clv_tensors_add(&inputs, clv_tensor_view("x", CLV_F32, clv_shape_of(3, 1, 2, 3), x, sizeof x));
    const clv_remote_question q = {.model = model, .inputs = &inputs, .codec = codec};
    clv_status st = clv_remote_infer(r, &q, out, err);
    if (!st) {
        assert_int_equal(out->outputs.n, 1);
        assert_memory_equal(out->outputs.items[0].data, x, sizeof x);
        assert_true(out->timing.total_us > 0);
    }
    clv_tensors_done(&inputs);
    return st;
}

static clv_status ask(clv_remote *r, const char *model, clv_outcome *out, clv_error *err)
{
    return ask_in(r, model, clv_codec_at(0), out, err);
}

/* The node reads the encoding: what comes back is what was meant. */
static void inputs_go_in_a_codec(void **state)
{
    (void)state;
    node *n = node_start(NULL, true);
    clv_remote *r = remote_to(n->url, NULL);
    clv_error err = {0};
    clv_outcome a;
    assert_ok(ask(r, "net", &a, &err), err);
    assert_int_equal(a.crossed.n, 1);
    assert_string_equal(a.crossed.hops[0].codec, "raw");
    assert_int_equal(a.crossed.hops[0].coded_bytes, 24);
    assert_true(a.crossed.hops[0].up_bytes > 24 && a.crossed.hops[0].down_bytes > 24);
    clv_outcome_done(&a);
    assert_ok(ask_in(r, "net", (clv_codec){CLV_QUANT_F16, CLV_PACK_NONE}, &a, &err), err);
    assert_string_equal(a.crossed.hops[0].codec, "f16");
    assert_int_equal(a.crossed.hops[0].tensor_bytes, 24);
    assert_int_equal(a.crossed.hops[0].coded_bytes, 12 + 12);
    assert_true(a.network_us + a.write_us <= a.timing.total_us);
    clv_outcome_done(&a);
    clv_remote_free(r);
    node_stop(n);
}

static void a_node_says_what_it_is(void **state)
{
    (void)state;
    node *n = node_start(NULL, true);
    clv_remote *r = remote_to(n->url, NULL);
    clv_error err = {0};
    static const struct {
        const char *tells;
        int protocol;
    } rows[] = {{NULL, 0},
                {"{\"parameters\":{\"cleave_protocol\":2}}", 2},
                {"{\"parameters\":{\"cleave_protocol\":-2}}", 0},
                {"{\"parameters\":{\"cleave_protocol\":1e300}}", 0},
                {"{\"parameters\":[2]}", 0},
                {"[", 0},
                {"", 0}};
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        int protocol = 77;
        n->tells = rows[i].tells;
        assert_ok(clv_remote_protocol(r, "net", "", &protocol, &err), err);
        assert_int_equal(protocol, rows[i].protocol);
    }
    clv_profile *p = NULL;
    assert_int_equal(clv_remote_profile(r, "net", NULL, &p, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, n->url));
    assert_non_null(strstr(err.text, "its profile of 'net'"));
    n->tells = NULL;
    assert_int_equal(clv_remote_profile(r, "net", "1", &p, &err), CLV_ENOTFOUND);
    clv_remote_free(r);
    node_stop(n);
}

static void an_answer_brings_its_timing(void **state)
{
    (void)state;
    node *n = node_start(NULL, true);
    clv_remote *r = remote_to(n->url, NULL);
    clv_error err = {0};
    for (int i = 0; i < 3; i++) { /* over the same connection */
        clv_outcome a;
        assert_ok(ask(r, "net", &a, &err), err);
        assert_true(a.timed && a.timing.cloud_us == 2);
        assert_int_equal(a.network_us, a.timing.total_us - 3);
        assert_string_equal(a.plan, "conv2");
        assert_string_equal(a.recovered, "peer gone");
        clv_outcome_done(&a);
    }
    clv_remote_free(r);
    node_stop(n);
}

static void another_server_says_nothing_of_time(void **state)
{
    (void)state;
    node *n = node_start(NULL, false);
    clv_remote *r = remote_to(n->url, NULL);
    clv_error err = {0};
    clv_outcome a;
    assert_ok(ask(r, "net", &a, &err), err);
    assert_true(!a.timed && a.network_us == 0 && !a.plan[0]);
    assert_true(a.send_us + a.wait_us + a.receive_us <= a.timing.total_us);
    clv_outcome_done(&a);
    assert_int_equal(ask(r, "nat", &a, &err), CLV_ENOTFOUND);
    assert_non_null(strstr(err.text, n->url));
    assert_non_null(strstr(err.text, "no model 'nat', there is net"));
    clv_remote_free(r);
    node_stop(n);
}

static void refusals_say_what_is_wrong(void **state)
{
    (void)state;
    node *n = node_start("secret", true);
    clv_remote_model m;
    clv_error err = {0};
    clv_remote *r = remote_to(n->url, NULL);
    assert_int_equal(clv_remote_describe(r, "net", NULL, &m, &err), CLV_EAUTH);
    assert_non_null(strstr(err.text, "a token is asked for: --token-file"));
    clv_remote_free(r);
    r = remote_to(n->url, "guess");
    assert_int_equal(clv_remote_describe(r, "net", NULL, &m, &err), CLV_EAUTH);
    assert_non_null(strstr(err.text, "the token is wrong"));
    clv_remote_free(r);
    CLV_AUTO(clv_text_free) char *url = clv_strdup(n->url);
    node_stop(n);
    r = remote_to(url, NULL); /* nobody listens there any more */
    assert_int_equal(clv_remote_describe(r, "net", NULL, &m, &err), CLV_EUNAVAIL);
    assert_non_null(strstr(err.text, url));
    assert_non_null(strstr(err.text, "refused"));
    clv_remote_free(r);
    const clv_remote_options o = {.url = "ftp://x"};
    assert_int_not_equal(clv_remote_open(&o, &r, &err), CLV_OK);
    assert_non_null(strstr(err.text, "ftp://x"));
}

static void damaged_metadata_are_errors(void **state)
{
    (void)state;
    clv_buf b = metadata();
    clv_remote_model m;
    clv_error err = {0};
    assert_ok(clv_remote_model_parse(b.data, b.len, &m, &err), err);
    clv_remote_model_done(&m);
    b.data[b.len - 14] ^= 0x55;
    for (size_t n = 0; n < b.len; n++) /* under the address sanitizer: no byte beyond, no leak */
        if (!clv_remote_model_parse(b.data, n, &m, &err)) clv_remote_model_done(&m);
    assert_int_equal(clv_remote_model_parse("\x22\x05\x0a\x01x\x12\x00", 7, &m, &err), CLV_EPROTO);
    assert_non_null(strstr(err.text, "input 'x' has the datatype ''"));
    assert_int_equal(clv_remote_model_parse("\x22\x7f", 2, &m, &err), CLV_EPROTO);
    clv_buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_is_described),
        cmocka_unit_test(an_answer_brings_its_timing),
        cmocka_unit_test(inputs_go_in_a_codec),
        cmocka_unit_test(a_node_says_what_it_is),
        cmocka_unit_test(another_server_says_nothing_of_time),
        cmocka_unit_test(refusals_say_what_is_wrong),
        cmocka_unit_test(damaged_metadata_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
