#include "engine/ort.h"
#include "model.h"

#include <pthread.h>

static clv_engine *engine_new(void)
{
    clv_engine *e;
    clv_error err = {0};
    assert_ok(clv_ort_engine_new(&(clv_ort_options){.threads = 1}, &e, &err), err);
    return e;
}

static clv_source source_of(model *m)
{
    clv_source s = {.name = "test"};
    size_t n;
    s.model = model_bytes(m, &n);
    s.model_bytes = n;
    return s;
}

/* y = relu(x @ w), i = ids + ids, t = t0 */
static model *several(void)
{
    model *m = model_new(13);
    model_input(m, "x", ONNX_F32, "N,4");
    model_input(m, "ids", ONNX_I64, "N,2");
    model_input(m, "t0", 8, "2");
    model_weights(m, "w", 3, "4,5");
    model_node(m, "MatMul", "x,w", "xw", NULL);
    model_node(m, "Relu", "xw", "y", NULL);
    model_node(m, "Add", "ids,ids", "i", NULL);
    model_node(m, "Identity", "t0", "t", NULL);
    model_output(m, "y", ONNX_F32, "N,5");
    model_output(m, "i", ONNX_I64, "N,2");
    model_output(m, "t", 8, "2");
    return m;
}

static void runs_tensors_of_several_types(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_engine *e = engine_new();
    model *m = several();
    clv_source source = source_of(m);
    clv_session *s;
    assert_ok(clv_engine_compile(e, &source, &s, &err), err);
    assert_int_equal(s->n_inputs, 3);
    assert_string_equal(s->inputs[0].name, "x");
    assert_int_equal(s->inputs[0].shape.dim[0], -1);
    assert_int_equal(s->outputs[0].shape.dim[1], 5);
    _Alignas(8) char storage[33];
    float x[12];
    for (int i = 0; i < 12; i++) x[i] = (float)i - 6;
    int64_t ids[6] = {1, -2, 3, 4, 5, 1LL << 40};
    memcpy(storage + 1, ids, 32);
    const char text[] = "\3\0\0\0a\0c\0\0\0\0";
    clv_tensor in[] = {
        clv_tensor_view("t0", CLV_TEXT, clv_shape_of(1, 2), text, 11),
        clv_tensor_view("ids", CLV_I64, clv_shape_of(2, 2, 2), storage + 1, 32), /* unaligned */
        clv_tensor_view("unused", CLV_F32, clv_shape_of(1, 1), x, 4),
        clv_tensor_view("x", CLV_F32, clv_shape_of(2, 2, 4), x, 32)};
    clv_tensors out = {0};
    assert_ok(clv_session_run(s, in, 4, &out, &err), err);
    assert_int_equal(out.n, 3);
    const float *w = (const float *)(const void *)m->graph.initializer[0]->raw_data.data;
    for (int r = 0; r < 2; r++)
        for (int c = 0; c < 5; c++) {
            float sum = 0;
            for (int k = 0; k < 4; k++) sum += x[4 * r + k] * w[5 * k + c];
            assert_float_equal(((float *)out.items[0].data)[5 * r + c], sum > 0 ? sum : 0, 1e-5);
        }
    for (int i = 0; i < 4; i++) assert_int_equal(((int64_t *)out.items[1].data)[i], 2 * ids[i]);
    assert_int_equal(out.items[2].bytes, 11);
    assert_memory_equal(out.items[2].data, text, 11);
    clv_session_free(s);
    clv_engine_free(e);
    assert_int_equal(((int64_t *)out.items[1].data)[0], 2); /* outputs outlive the session */
    clv_tensors_done(&out);
    for (int i = 0; i < 4; i++) clv_tensor_done(&in[i]);
    model_free(m);
}

static void refuses(clv_session *s, clv_tensor x, const char *text)
{
    clv_error err = {0};
    clv_tensors out = {0};
    assert_int_equal(clv_session_run(s, &x, 1, &out, &err), CLV_EINVAL);
    assert_string_equal(err.text, text);
    assert_int_equal(out.n, 0);
    clv_tensor_done(&x);
}

static void wrong_inputs_are_named(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_engine *e = engine_new();
    model *m = model_new(13);
    model_input(m, "x", ONNX_F32, "N,4");
    model_node(m, "Relu", "x", "y", NULL);
    model_output(m, "y", ONNX_F32, "N,4");
    clv_source source = source_of(m);
    clv_session *s;
    assert_ok(clv_engine_compile(e, &source, &s, &err), err);
    double data[8] = {0};
    refuses(s, clv_tensor_view("z", CLV_F32, clv_shape_of(2, 1, 4), data, 16),
            "input 'x' is missing");
    refuses(s, clv_tensor_view("x", CLV_F64, clv_shape_of(2, 1, 4), data, 32),
            "input 'x': dtype FP64, expected FP32");
    refuses(s, clv_tensor_view("x", CLV_F32, clv_shape_of(2, 1, 5), data, 20),
            "input 'x': shape [1,5], expected [?,4]");
    refuses(s, clv_tensor_view("x", CLV_F32, clv_shape_of(1, 4), data, 16),
            "input 'x': shape [4], expected [?,4]");
    clv_session_free(s);
    clv_engine_free(e);
    model_free(m);
}

static void devices_that_are_not_there_are_errors(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_engine *e = NULL;
    assert_int_equal(clv_ort_engine_new(&(clv_ort_options){.device = "gpu"}, &e, &err), CLV_EINVAL);
    assert_string_equal(err.text, "device 'gpu': expected cpu, cuda or cuda:N");
    assert_int_equal(clv_ort_engine_new(&(clv_ort_options){.device = "cuda:x"}, &e, &err),
                     CLV_EINVAL);
    assert_int_equal(clv_ort_engine_new(&(clv_ort_options){.device = "cuda:300"}, &e, &err),
                     CLV_EINVAL);
    assert_int_equal(clv_ort_engine_new(&(clv_ort_options){.threads = -1}, &e, &err), CLV_EINVAL);
    if (clv_ort_engine_new(&(clv_ort_options){.device = "cuda:250"}, &e, &err) == CLV_OK) {
        clv_engine_free(e); /* a build with CUDA finds out only when a session is made */
        return;
    }
    assert_int_equal(err.status, CLV_EUNAVAIL);
    assert_non_null(strstr(err.text, "device 'cuda:250' is not there"));
    assert_non_null(strstr(err.text, "cpu"));
}

static void bad_models_are_errors(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_engine *e = engine_new();
    clv_session *s;
    clv_source source = {.name = "bad.onnx", .model = "\x08\x08garbage", .model_bytes = 9};
    assert_int_equal(clv_engine_compile(e, &source, &s, &err), CLV_EENGINE);
    assert_memory_equal(err.text, "bad.onnx: compiling: ONNX Runtime:", 33);
    model *m = model_new(13);
    model_input(m, "x", ONNX_F32, "1");
    model_node(m, "NoSuchOperator", "x", "y", NULL);
    model_output(m, "y", ONNX_F32, "1");
    source = source_of(m);
    assert_int_equal(clv_engine_compile(e, &source, &s, &err), CLV_EENGINE);
    assert_non_null(strstr(err.text, "NoSuchOperator"));
    model_free(m);
    clv_engine_free(e);
}

static void the_optimised_graph_shows_fused_units(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_engine *e = engine_new();
    model *m = model_new(13);
    model_input(m, "x", ONNX_F32, "1,3,8,8");
    model_weights(m, "w", 1, "4,3,3,3");
    model_node(m, "Conv", "x,w", "c", "pads=1,1,1,1");
    model_node(m, "Relu", "c", "y", NULL);
    model_output(m, "y", ONNX_F32, "1,4,8,8");
    clv_source source = source_of(m);
    void *bytes;
    size_t n;
    assert_ok(clv_engine_optimise(e, &source, &bytes, &n, &err), err);
    Onnx__ModelProto *o = onnx__model_proto__unpack(NULL, n, bytes);
    assert_non_null(o);
    assert_int_equal(o->graph->n_node, 1);
    assert_string_equal(o->graph->node[0]->op_type, "FusedConv");
    assert_string_equal(o->graph->node[0]->output[0], "y");
    onnx__model_proto__free_unpacked(o, NULL);
    free(bytes);
    model_free(m);
    clv_engine_free(e);
}

typedef struct runner {
    clv_session *s;
    const float *x;
    float y[4];
} runner;

static void *run_many(void *arg)
{
    runner *r = arg;
    clv_tensor in = clv_tensor_view("x", CLV_F32, clv_shape_of(2, 1, 4), r->x, 16);
    for (int i = 0; i < 200; i++) {
        clv_tensors out = {0};
        if (clv_session_run(r->s, &in, 1, &out, NULL)) abort();
        memcpy(r->y, out.items[0].data, sizeof r->y);
        clv_tensors_done(&out);
    }
    clv_tensor_done(&in);
    return NULL;
}

static void one_session_runs_from_several_threads(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_engine *e = engine_new();
    model *m = model_new(13);
    model_input(m, "x", ONNX_F32, "N,4");
    model_weights(m, "w", 5, "4,4");
    model_node(m, "MatMul", "x,w", "y", NULL);
    model_output(m, "y", ONNX_F32, "N,4");
    clv_source source = source_of(m);
    source.pool = clv_engine_pool_new(e);
    clv_session *s;
    assert_ok(clv_engine_compile(e, &source, &s, &err), err);
    const float x[] = {1, 2, 3, 4};
    runner r[3] = {{s, x, {0}}, {s, x, {0}}, {s, x, {0}}};
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_many, &r[i]), 0);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    assert_memory_equal(r[0].y, r[1].y, sizeof r[0].y);
    assert_memory_equal(r[0].y, r[2].y, sizeof r[0].y);
    clv_session_free(s);
    clv_engine_pool_free(e, source.pool);
    clv_engine_free(e);
    model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_tensors_of_several_types),
        cmocka_unit_test(wrong_inputs_are_named),
        cmocka_unit_test(devices_that_are_not_there_are_errors),
        cmocka_unit_test(bad_models_are_errors),
        cmocka_unit_test(the_optimised_graph_shows_fused_units),
        cmocka_unit_test(one_session_runs_from_several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
