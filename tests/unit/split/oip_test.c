/* The OIP messages: round trips, an independent encoder and decoder (protobuf-c), cuts and lies. */
#include "split/oip.h"

#include "base/buf.h"
#include "gen/oip.pb-c.h"
#include "net/grpc.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Inference__ModelInferRequest pb_request;
typedef Inference__ModelInferRequest__InferInputTensor pb_input;
typedef Inference__ModelInferResponse pb_response;

/* A body as a peer would receive it: gRPC's five bytes, then the message, 64-byte aligned. */
typedef struct received {
    uint8_t *body;
    clv_oip_bytes message;
} received;

static received receive(const clv_oip_message *m)
{
    received r = {.body = clv_try_alloc(m->bytes + CLV_GRPC_PREFIX)};
    size_t at = CLV_GRPC_PREFIX;
    for (size_t i = 0; i < m->n; i++) {
        memcpy(r.body + at, m->slices[i].data, m->slices[i].bytes);
        at += m->slices[i].bytes;
    }
    assert_int_equal(at - CLV_GRPC_PREFIX, m->bytes);
    r.message = (clv_oip_bytes){r.body + CLV_GRPC_PREFIX, m->bytes, NULL};
    return r;
}

static void release_all(clv_oip_message *m)
{
    for (size_t i = 0; i < m->n; i++) m->slices[i].release(m->slices[i].owner);
    clv_oip_message_done(m);
}

static void count_release(void *owner)
{
    ++*(int *)owner;
}

static clv_tensor filled(const char *name, clv_dtype dtype, clv_shape shape)
{
    clv_tensor t;
    clv_error err = {0};
    assert_ok(clv_tensor_new(&t, name, dtype, shape, &err), err);
    for (size_t i = 0; i < t.bytes; i++) ((uint8_t *)t.data)[i] = (uint8_t)(i * 7 + 1);
    return t;
}

static void a_question_round_trips_without_copies(void **state)
{
    (void)state;
    clv_tensor inputs[3] = {filled("conv/1", CLV_F32, clv_shape_of(4, 1, 3, 5, 7)),
                            filled("skip", CLV_F64, clv_shape_of(1, 3)),
                            filled("flag", CLV_U8, clv_shape_of(0))};
    const char *wanted[] = {"prob"};
    int released = 0;
    clv_oip_message m = clv_oip_encode_question(&(clv_oip_question){.model = "net",
                                                                    .version = "3",
                                                                    .id = "r-1",
                                                                    .digest = "abc",
                                                                    .inputs = inputs,
                                                                    .n_inputs = 3,
                                                                    .wanted = wanted,
                                                                    .n_wanted = 1,
                                                                    .timeout_us = 5000,
                                                                    .patient = true,
                                                                    .local_only = true},
                                                count_release, &released);
    received got = receive(&m);
    clv_request *r = NULL;
    clv_error err = {0};
    assert_ok(clv_oip_decode_question(&got.message, 1000, &r, &err), err);
    assert_string_equal(r->model, "net");
    assert_string_equal(r->version, "3");
    assert_string_equal(r->id, "r-1");
    assert_string_equal(r->digest, "abc");
    assert_int_equal(r->accepted_us, 1000);
    assert_int_equal(r->deadline_us, 6000);
    assert_true(r->patient && r->local_only);
    assert_int_equal(r->wanted.n, 1);
    assert_string_equal(r->wanted.items[0], "prob");
    assert_int_equal(r->inputs.n, 3);
    for (int i = 0; i < 3; i++) {
        const clv_tensor *t = &r->inputs.items[i];
        assert_string_equal(t->name, inputs[i].name);
        assert_int_equal(t->dtype, inputs[i].dtype);
        assert_true(clv_shape_equal(&t->shape, &inputs[i].shape));
        assert_memory_equal(t->data, inputs[i].data, inputs[i].bytes);
        assert_int_equal((uintptr_t)t->data % CLV_OIP_ALIGN, 0);
        assert_true((uint8_t *)t->data > got.body && (uint8_t *)t->data < got.body + m.bytes + 5);
    }
    bool points_at_tensor = false;
    for (size_t i = 0; i < m.n; i++) points_at_tensor |= m.slices[i].data == inputs[0].data;
    assert_true(points_at_tensor);
    assert_int_equal(released, 0);
    release_all(&m);
    assert_int_equal(released, 1);
    clv_request_free(r);
    free(got.body);
    for (int i = 0; i < 3; i++) clv_tensor_done(&inputs[i]);
}

static void an_encoding_keeps_what_it_is_of(void **state)
{
    (void)state;
    clv_tensor inputs[2] = {filled("conv/1", CLV_F32, clv_shape_of(4, 1, 3, 5, 7)),
                            filled("skip", CLV_F64, clv_shape_of(1, 3))};
    inputs[0].coded = true;
    inputs[0].bytes = 31; /* whatever it is: nothing is read here */
    clv_oip_message m = clv_oip_encode_question(
        &(clv_oip_question){.model = "net", .inputs = inputs, .n_inputs = 2, .codec = "q8"}, NULL,
        NULL);
    received got = receive(&m);
    clv_request *r = NULL;
    clv_error err = {0};
    assert_ok(clv_oip_decode_question(&got.message, 1000, &r, &err), err);
    const clv_tensor *t = &r->inputs.items[0];
    assert_true(t->coded);
    assert_int_equal(t->bytes, 31);
    assert_int_equal(t->dtype, CLV_F32);
    assert_true(clv_shape_equal(&t->shape, &inputs[0].shape));
    assert_memory_equal(t->data, inputs[0].data, 31);
    assert_false(r->inputs.items[1].coded);
    clv_request_free(r);
    pb_request *pb =
        inference__model_infer_request__unpack(NULL, got.message.bytes, got.message.data);
    assert_non_null(pb);
    assert_int_equal(pb->inputs[0]->n_parameters, 1);
    assert_string_equal(pb->inputs[0]->parameters[0]->key, "cleave_codec");
    assert_string_equal(pb->inputs[0]->parameters[0]->value->string_param, "q8");
    assert_int_equal(pb->inputs[1]->n_parameters, 0);
    inference__model_infer_request__free_unpacked(pb, NULL);
    release_all(&m);
    free(got.body);
    for (int i = 0; i < 2; i++) clv_tensor_done(&inputs[i]);
}

static void a_coded_answer_is_refused(void **state)
{
    (void)state;
    clv_request *r = clv_request_new("net");
    clv_tensors_add(&r->outputs, filled("prob", CLV_F32, clv_shape_of(2, 1, 10)));
    r->outputs.items[0].coded = true;
    clv_oip_message m = clv_oip_encode_answer(r);
    received got = receive(&m);
    clv_oip_answer a;
    clv_error err = {0};
    assert_int_equal(clv_oip_decode_answer(&got.message, &a, &err), CLV_EPROTO);
    assert_non_null(strstr(err.text, "'prob' is coded"));
    release_all(&m);
    free(got.body);
}

/* What was predicted is told if it was asked for, and only then. */
static void a_prediction_goes_with_the_answer(void **state)
{
    (void)state;
    for (int asked = 0; asked < 2; asked++) {
        clv_request *r = clv_request_new("net");
        r->explain = asked;
        r->predicted.known = true;
        int64_t n = 200;
#define X(name, about)                                                                             \
    r->predicted.us.name = n++;                                                                    \
    r->predicted.sigma_us.name = n++;
        CLV_TIMING_MAP(X)
#undef X
        clv_prediction told = r->predicted;
        clv_oip_message m = clv_oip_encode_answer(r);
        received got = receive(&m);
        clv_oip_answer a;
        clv_error err = {0};
        assert_ok(clv_oip_decode_answer(&got.message, &a, &err), err);
        assert_int_equal(a.predicted.known, asked);
        if (asked) assert_memory_equal(&a.predicted.us, &told.us, sizeof told.us);
        if (asked) assert_memory_equal(&a.predicted.sigma_us, &told.sigma_us, sizeof told.us);
        release_all(&m);
        clv_oip_answer_done(&a);
        free(got.body);
    }
}

static void an_answer_round_trips(void **state)
{
    (void)state;
    clv_request *r = clv_request_new("net");
    r->version = clv_strdup("1");
    r->id = clv_strdup("x");
    clv_tensors_add(&r->outputs, filled("prob", CLV_F32, clv_shape_of(2, 1, 10)));
    int64_t n = 100;
#define X(name, about) r->timing.name = n++;
    CLV_TIMING_MAP(X)
#undef X
    snprintf(r->plan, sizeof r->plan, "cut at conv/1");
    snprintf(r->recovered, sizeof r->recovered, "peer lost");
    r->shared = true;
    r->crossed = (clv_crossings){.hops = {{"q8", 40, 22, 90, 80}, {"raw", 4, 4, 9, 8}}, .n = 2};
    clv_timing timing = r->timing;
    clv_oip_message m = clv_oip_encode_answer(r);
    received got = receive(&m);
    clv_oip_answer a;
    clv_error err = {0};
    assert_ok(clv_oip_decode_answer(&got.message, &a, &err), err);
    assert_string_equal(a.model, "net");
    assert_string_equal(a.version, "1");
    assert_string_equal(a.id, "x");
    assert_string_equal(a.plan, "cut at conv/1");
    assert_string_equal(a.recovered, "peer lost");
    assert_true(a.shared);
    assert_int_equal(a.crossed.n, 2);
    assert_string_equal(a.crossed.hops[0].codec, "q8");
    assert_int_equal(a.crossed.hops[0].coded_bytes, 22);
    assert_int_equal(a.crossed.hops[1].down_bytes, 8);
    assert_memory_equal(&a.timing, &timing, sizeof timing);
    assert_int_equal(a.outputs.n, 1);
    assert_int_equal(a.outputs.items[0].bytes, 40);
    assert_int_equal((uintptr_t)a.outputs.items[0].data % CLV_OIP_ALIGN, 0);
    release_all(&m);
    clv_oip_answer_done(&a);
    free(got.body);
}

/* What we write, protobuf-c reads; and nothing but the padding is unknown to it. */
static void protobuf_c_reads_what_we_write(void **state)
{
    (void)state;
    clv_tensor input = filled("x", CLV_I16, clv_shape_of(2, 2, 300));
    clv_oip_message m = clv_oip_encode_question(&(clv_oip_question){.model = "net",
                                                                    .digest = "d",
                                                                    .inputs = &input,
                                                                    .n_inputs = 1,
                                                                    .timeout_us = 9,
                                                                    .local_only = true},
                                                NULL, NULL);
    received got = receive(&m);
    pb_request *p = inference__model_infer_request__unpack(NULL, m.bytes, got.message.data);
    assert_non_null(p);
    assert_string_equal(p->model_name, "net");
    assert_int_equal(p->n_inputs, 1);
    assert_string_equal(p->inputs[0]->datatype, "INT16");
    assert_int_equal(p->inputs[0]->n_shape, 2);
    assert_int_equal(p->inputs[0]->shape[1], 300);
    assert_int_equal(p->n_raw_input_contents, 1);
    assert_int_equal(p->raw_input_contents[0].len, input.bytes);
    assert_memory_equal(p->raw_input_contents[0].data, input.data, input.bytes);
    assert_int_equal(p->n_parameters, 3);
    assert_string_equal(p->parameters[1]->key, "timeout");
    assert_int_equal(p->parameters[1]->value->int64_param, 9);
    assert_true(p->base.n_unknown_fields <= 1);
    inference__model_infer_request__free_unpacked(p, NULL);
    release_all(&m);
    free(got.body);
    clv_tensor_done(&input);
}

/* A request packed by protobuf-c: one FP32 tensor [2], typed or raw. */
typedef struct typed_request {
    pb_request request;
    pb_input input, *inputs;
    Inference__InferTensorContents contents;
    int64_t shape[1];
    float values[2];
    ProtobufCBinaryData raw;
} typed_request;

static void typed_request_init(typed_request *t)
{
    *t = (typed_request){.shape = {2}, .values = {1.5f, -2}};
    inference__model_infer_request__init(&t->request);
    inference__model_infer_request__infer_input_tensor__init(&t->input);
    inference__infer_tensor_contents__init(&t->contents);
    static char model[] = "m", name[] = "x", dtype[] = "FP32";
    t->inputs = &t->input;
    t->request.model_name = model;
    t->request.inputs = &t->inputs;
    t->request.n_inputs = 1;
    t->input.name = name;
    t->input.datatype = dtype;
    t->input.shape = t->shape;
    t->input.n_shape = 1;
    t->input.contents = &t->contents;
    t->contents.fp32_contents = t->values;
    t->contents.n_fp32_contents = 2;
}

static clv_status decode_packed(const pb_request *p, clv_request **r, clv_error *err)
{
    size_t n = inference__model_infer_request__get_packed_size(p);
    uint8_t *bytes = malloc(n + 1);
    inference__model_infer_request__pack(p, bytes);
    clv_status st = clv_oip_decode_question(&(clv_oip_bytes){bytes, n, NULL}, 0, r, err);
    if (st)
        free(bytes);
    else
        (*r)->asker = bytes; /* views borrow */
    return st;
}

static void typed_contents_are_read(void **state)
{
    (void)state;
    typed_request t;
    typed_request_init(&t);
    clv_request *r = NULL;
    clv_error err = {0};
    assert_ok(decode_packed(&t.request, &r, &err), err);
    assert_int_equal(r->inputs.items[0].bytes, 8);
    assert_memory_equal(r->inputs.items[0].data, t.values, 8);
    free(r->asker);
    clv_request_free(r);
}

static void every_dtype_has_its_typed_field(void **state)
{
    (void)state;
    static const struct {
        char dtype[8];
        uint8_t contents[12];
        size_t n;
        uint8_t want[8];
        size_t n_want;
    } cases[] = {
        {"BOOL", {0x0a, 2, 1, 0}, 4, {1, 0}, 2},
        {"INT8", {0x10, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x10, 1}, 8, {0}, 0}, /* 32-bit -1: too big */
        {"INT16", {0x12, 2, 5, 6}, 4, {5, 0, 6, 0}, 4},
        {"INT64", {0x18, 1, 0x18, 2}, 4, {0}, 0}, /* 16 bytes: checked by count below */
        {"UINT8", {0x22, 3, 1, 0xc8, 1}, 5, {1, 200}, 2},
        {"UINT8", {0x22, 3, 1, 0x80, 2}, 5, {0}, 0}, /* 256: out of range */
        {"FP32", {0x30, 1}, 2, {0}, 0},              /* wrong wire type */
        {"BYTES", {0x42, 1, 'a', 0x42, 0}, 5, {1, 0, 0, 0, 'a', 0, 0, 0}, 8},
        {"FP16", {0x22, 2, 1, 2}, 4, {0}, 0}, /* has no typed contents */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        clv_buf b = {0};
        size_t n_name = strlen(cases[i].dtype);
        clv_buf_add(&b, "\x0a\x01m\x2a", 4);
        clv_buf_char(&b, (char)(3 + 2 + n_name + 2 + 2 + cases[i].n));
        clv_buf_add(&b, "\x0a\x01x\x12", 4);
        clv_buf_char(&b, (char)n_name);
        clv_buf_text(&b, cases[i].dtype);
        clv_buf_add(&b, "\x18\x02\x2a", 3);
        clv_buf_char(&b, (char)cases[i].n);
        clv_buf_add(&b, cases[i].contents, cases[i].n);
        clv_request *r = NULL;
        clv_error err = {0};
        clv_status st = clv_oip_decode_question(&(clv_oip_bytes){b.data, b.len, NULL}, 0, &r, &err);
        if (cases[i].n_want) {
            if (st) fail_msg("%s: %s", cases[i].dtype, err.text);
            assert_memory_equal(r->inputs.items[0].data, cases[i].want, cases[i].n_want);
        } else if (strcmp(cases[i].dtype, "INT64") == 0) {
            assert_int_equal(st, CLV_OK);
            assert_int_equal(r->inputs.items[0].bytes, 16);
        } else {
            assert_int_equal(st, CLV_EINVAL);
            assert_non_null(strstr(err.text, "tensor 'x'"));
        }
        clv_request_free(r);
        clv_buf_done(&b);
    }
}

static void raw_and_typed_exclude_each_other(void **state)
{
    (void)state;
    typed_request t;
    typed_request_init(&t);
    t.raw = (ProtobufCBinaryData){8, (uint8_t *)t.values};
    t.request.raw_input_contents = &t.raw;
    t.request.n_raw_input_contents = 1;
    clv_request *r = NULL;
    clv_error err = {0};
    assert_int_equal(decode_packed(&t.request, &r, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "use one kind"));
    t.input.contents = NULL;
    assert_ok(decode_packed(&t.request, &r, &err), err);
    assert_int_equal((uintptr_t)r->inputs.items[0].data % 4, 0);
    assert_memory_equal(r->inputs.items[0].data, t.values, 8);
    free(r->asker);
    clv_request_free(r);
}

static void lies_about_shape_and_size_are_refused(void **state)
{
    (void)state;
    typed_request t;
    clv_request *r = NULL;
    clv_error err = {0};
    typed_request_init(&t);
    t.shape[0] = 3;
    assert_int_equal(decode_packed(&t.request, &r, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "2 elements, the shape needs 3"));
    t.shape[0] = INT64_MAX;
    assert_int_not_equal(decode_packed(&t.request, &r, &err), CLV_OK);
    t.shape[0] = -2;
    assert_int_equal(decode_packed(&t.request, &r, &err), CLV_EINVAL);
    int64_t deep[CLV_RANK_MAX + 1];
    for (int i = 0; i <= CLV_RANK_MAX; i++) deep[i] = 1;
    t.values[0] = 1;
    t.contents.n_fp32_contents = 1;
    t.input.shape = deep;
    t.input.n_shape = CLV_RANK_MAX;
    assert_ok(decode_packed(&t.request, &r, &err), err);
    free(r->asker);
    clv_request_free(r);
    t.input.n_shape = CLV_RANK_MAX + 1;
    assert_int_equal(decode_packed(&t.request, &r, &err), CLV_ELIMIT);
    typed_request_init(&t);
    t.input.contents = NULL;
    ProtobufCBinaryData raws[2] = {{8, (uint8_t *)t.values}, {8, (uint8_t *)t.values}};
    t.request.raw_input_contents = raws;
    t.request.n_raw_input_contents = 2;
    assert_int_equal(decode_packed(&t.request, &r, &err), CLV_EINVAL);
    t.request.n_raw_input_contents = 1;
    raws[0].len = 7;
    assert_int_equal(decode_packed(&t.request, &r, &err), CLV_EINVAL);
    static char unknown[] = "FP31";
    typed_request_init(&t);
    t.input.datatype = unknown;
    assert_int_equal(decode_packed(&t.request, &r, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "FP31"));
}

/* Cut at every byte: an error or a smaller valid message, never a read past the end (the bytes lie
 * at the end of their own heap block, so that the address sanitizer sees one). */
static void truncation_at_every_byte_is_survived(void **state)
{
    (void)state;
    clv_tensor input = filled("x", CLV_F32, clv_shape_of(1, 9));
    clv_oip_message m = clv_oip_encode_question(&(clv_oip_question){.model = "net",
                                                                    .id = "i",
                                                                    .digest = "d",
                                                                    .inputs = &input,
                                                                    .n_inputs = 1,
                                                                    .timeout_us = 7},
                                                NULL, NULL);
    received got = receive(&m);
    size_t refused = 0;
    for (size_t n = 0; n < m.bytes; n++) {
        uint8_t *cut = malloc(n ? n : 1);
        if (n) memcpy(cut, got.message.data, n);
        clv_request *r = NULL;
        clv_oip_answer a = {0};
        clv_error err = {0};
        clv_oip_bytes in = {cut, n, NULL};
        if (clv_oip_decode_question(&in, 0, &r, &err)) refused++;
        if (clv_oip_decode_answer(&in, &a, &err) == CLV_OK) clv_oip_answer_done(&a);
        clv_request_free(r);
        free(cut);
    }
    assert_true(refused >= m.bytes - 2 * 64); /* a cut between fields leaves a valid message */
    release_all(&m);
    free(got.body);
    clv_tensor_done(&input);
}

static void unknown_fields_and_other_parameters_are_skipped(void **state)
{
    (void)state;
    /* model "m", field 100 varint, field 101 fixed32, a double parameter "a", no tensors */
    static const uint8_t bytes[] = {0x0a, 1, 'm', 0xa0, 6, 5,    0xad, 6, 1, 2, 3, 4, 0x22, 14,
                                    0x0a, 1, 'a', 0x12, 9, 0x21, 0,    0, 0, 0, 0, 0, 0,    0};
    clv_request *r = NULL;
    clv_error err = {0};
    assert_ok(clv_oip_decode_question(&(clv_oip_bytes){bytes, sizeof bytes, NULL}, 5, &r, &err),
              err);
    assert_int_equal(r->inputs.n, 0);
    assert_int_equal(r->deadline_us, 0);
    clv_request_free(r);
}

static void a_bad_answer_is_the_peers_fault(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x0a, 9, 'm'};
    clv_oip_answer a;
    clv_error err = {0};
    assert_int_equal(clv_oip_decode_answer(&(clv_oip_bytes){bytes, sizeof bytes, NULL}, &a, &err),
                     CLV_EPROTO);
    clv_request *r = NULL;
    assert_int_equal(
        clv_oip_decode_question(&(clv_oip_bytes){bytes, sizeof bytes, NULL}, 0, &r, &err),
        CLV_EINVAL);
    assert_int_equal(clv_oip_decode_question(&(clv_oip_bytes){NULL, 0, NULL}, 0, &r, &err),
                     CLV_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_round_trips_without_copies),
        cmocka_unit_test(an_encoding_keeps_what_it_is_of),
        cmocka_unit_test(a_coded_answer_is_refused),
        cmocka_unit_test(a_prediction_goes_with_the_answer),
        cmocka_unit_test(an_answer_round_trips),
        cmocka_unit_test(protobuf_c_reads_what_we_write),
        cmocka_unit_test(typed_contents_are_read),
        cmocka_unit_test(every_dtype_has_its_typed_field),
        cmocka_unit_test(raw_and_typed_exclude_each_other),
        cmocka_unit_test(lies_about_shape_and_size_are_refused),
        cmocka_unit_test(truncation_at_every_byte_is_survived),
        cmocka_unit_test(unknown_fields_and_other_parameters_are_skipped),
        cmocka_unit_test(a_bad_answer_is_the_peers_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
