/* gRPC over real sockets: every method, read back by protobuf-c; the way of a tensor without copies. */
#include "api/double.h"

#include "gen/oip.pb-c.h"
#include "split/oip.h"

/* What a unary call ended with. */
typedef struct unary {
    clv_loop *loop;
    clv_error error;
    clv_body *owner;
    const void *message;
    size_t bytes;
} unary;

static void on_unary(void *arg, const clv_reply *reply, const clv_error *error, clv_body *owner,
                     const void *message, size_t bytes)
{
    (void)reply;
    unary *u = arg;
    if (error) u->error = *error;
    if (!u->error.status) {
        u->owner = clv_body_ref(owner);
        u->message = message;
        u->bytes = bytes;
    }
    clv_loop_stop(u->loop);
}

static unary call_slices(fixture *f, const char *method, const clv_slice *slices, size_t n)
{
    unary u = {.loop = f->loop};
    clv_grpc_client_call(f->client, &(clv_grpc_call){.method = method,
                                                     .message = slices,
                                                     .n_message = n,
                                                     .done = on_unary,
                                                     .arg = &u,
                                                     .deadline_us = clv_now_us() + 60000000});
    clv_loop_run(f->loop);
    return u;
}

static unary call(fixture *f, const char *method, const void *message, size_t n)
{
    clv_slice slice = {message, n, NULL, NULL};
    return call_slices(f, method, &slice, 1);
}

static void expect_bool(fixture *f, const char *method, const void *message, size_t n, bool want)
{
    unary u = call(f, method, message, n);
    if (u.error.status) fail_msg("%s: %s", method, u.error.text);
    assert_int_equal(u.bytes, want ? 2 : 0);
    if (want) assert_memory_equal(u.message, "\x08\x01", 2);
    clv_body_unref(u.owner);
}

static void expect_error(fixture *f, const char *method, const void *message, size_t n,
                         clv_status status, const char *part)
{
    unary u = call(f, method, message, n);
    if (clv_status_grpc(u.error.status) != clv_status_grpc(status) || !strstr(u.error.text, part))
        fail_msg("%s: status %d, %s; wanted %s", method, (int)u.error.status, u.error.text, part);
    clv_body_unref(u.owner);
}

#define SERVICE "/inference.GRPCInferenceService"

static void small_methods_answer(void **state)
{
    fixture *f = *state;
    expect_bool(f, SERVICE "/ServerLive", NULL, 0, true);
    expect_bool(f, SERVICE "/ServerReady", NULL, 0, true);
    expect_bool(f, SERVICE "/ModelReady", "\x0a\x01m", 3, true);
    expect_bool(f, SERVICE "/ModelReady", "\x0a\x04slow", 6, false);
    expect_bool(f, "/grpc.health.v1.Health/Check", NULL, 0, true); /* SERVING is 1 */
    f->server.ready = false;
    expect_bool(f, SERVICE "/ServerReady", NULL, 0, false);
    f->server.ready = true;
    unary u = call(f, SERVICE "/ServerMetadata", NULL, 0);
    Inference__ServerMetadataResponse *server =
        inference__server_metadata_response__unpack(NULL, u.bytes, u.message);
    assert_string_equal(server->name, "cleave");
    assert_string_equal(server->extensions[0], "binary_tensor_data");
    inference__server_metadata_response__free_unpacked(server, NULL);
    clv_body_unref(u.owner);
    u = call(f, SERVICE "/ModelMetadata",
             "\x0a\x01m\x12\x01"
             "1",
             6);
    Inference__ModelMetadataResponse *model =
        inference__model_metadata_response__unpack(NULL, u.bytes, u.message);
    assert_string_equal(model->name, "m");
    assert_string_equal(model->platform, "onnx_onnxv1");
    assert_string_equal(model->versions[0], "1");
    assert_int_equal(model->n_inputs, 1);
    assert_string_equal(model->inputs[0]->datatype, "FP32");
    assert_int_equal(model->inputs[0]->n_shape, 2);
    assert_int_equal(model->inputs[0]->shape[0], -1);
    assert_string_equal(model->outputs[0]->name, "y");
    inference__model_metadata_response__free_unpacked(model, NULL);
    clv_body_unref(u.owner);
}

static void errors_have_grpc_codes(void **state)
{
    fixture *f = *state;
    expect_error(f, SERVICE "/Nothing", NULL, 0, CLV_EUNSUPPORTED, "Nothing");
    expect_error(f, SERVICE "/ModelReady", "\x0a\x05other", 7, CLV_ENOTFOUND, "there are: m");
    expect_error(f, SERVICE "/ModelMetadata", "\x0a\x04slow", 6, CLV_EUNAVAIL, "loading");
    expect_error(f, SERVICE "/ModelReady", "\x0a\x7fm", 3, CLV_EINVAL, "protobuf");
    expect_error(f, SERVICE "/ModelInfer", "\x0a\x7fm", 3, CLV_EINVAL, "protobuf");
    expect_error(f, SERVICE "/ModelInfer", NULL, 0, CLV_EINVAL, "names no model");
    expect_error(f, SERVICE "/ModelInfer", "\x0a\x05other", 7, CLV_ENOTFOUND, "other");
    expect_error(f, "/grpc.health.v1.Health/Check", "\x0a\x01x", 3, CLV_ENOTFOUND, "'x'");
}

/* Two tensors of 1 MB: views of the body on the far side, aligned, and back. */
static void tensors_travel_without_copies(void **state)
{
    fixture *f = *state;
    clv_tensor inputs[2];
    clv_error err = {0};
    clv_shape shape = clv_shape_of(2, 500, 521);
    assert_ok(clv_tensor_new(&inputs[0], "x", CLV_F32, shape, &err), err);
    assert_ok(clv_tensor_new(&inputs[1], "other", CLV_F64, shape, &err), err);
    for (size_t i = 0; i < inputs[0].bytes; i++) ((uint8_t *)inputs[0].data)[i] = (uint8_t)(i * 31);
    memset(inputs[1].data, 1, inputs[1].bytes);
    f->server.views = f->server.aligned = 0;
    clv_oip_message m = clv_oip_encode_question(&(clv_oip_question){.model = "m",
                                                                    .id = "7",
                                                                    .digest = "d1",
                                                                    .inputs = inputs,
                                                                    .n_inputs = 2,
                                                                    .timeout_us = 5000000,
                                                                    .local_only = true},
                                                NULL, NULL);
    unary u = call_slices(f, CLV_OIP_METHOD, m.slices, m.n);
    clv_oip_message_done(&m);
    if (u.error.status) fail_msg("%s", u.error.text);
    assert_int_equal(f->server.views, 2);
    assert_int_equal(f->server.aligned, 2);
    assert_true(f->server.local_only);
    assert_true(f->server.deadline_us > 0);
    assert_true(f->server.deadline_us < clv_now_us() + 10000000); /* timeout, not grpc-timeout */
    clv_oip_answer a;
    assert_ok(clv_oip_decode_answer(&(clv_oip_bytes){u.message, u.bytes, u.owner}, &a, &err), err);
    clv_body_unref(u.owner); /* the tensors keep it */
    assert_string_equal(a.id, "7");
    assert_string_equal(a.plan, "local");
    assert_int_equal(a.timing.edge_us, 5);
    assert_true(a.timing.total_us > 0);
    assert_int_equal(a.outputs.n, 1);
    assert_ptr_equal(a.outputs.items[0].release, clv_body_unref);
    assert_int_equal((uintptr_t)a.outputs.items[0].data % 64, 0);
    assert_memory_equal(a.outputs.items[0].data, inputs[0].data, inputs[0].bytes);
    clv_oip_answer_done(&a);
    clv_tensor_done(&inputs[0]);
    clv_tensor_done(&inputs[1]);
}

static int start(void **state)
{
    static fixture f;
    fixture_start(&f);
    *state = &f;
    return 0;
}

static int stop(void **state)
{
    fixture_stop(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_methods_answer),
        cmocka_unit_test(errors_have_grpc_codes),
        cmocka_unit_test(tensors_travel_without_copies),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
