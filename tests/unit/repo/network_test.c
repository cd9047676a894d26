/* Opening, caching, exporting, refusing. Parity of the cuts is in parity_test.c. */
#include "base/file.h"
#include "engine_rig.h"
#include "model.h"
#include "repo/network.h"

#include <pthread.h>

static char *write_model(model *m)
{
    char *path = clv_path_join(folder, "model.onnx");
    model_write(m, path);
    model_free(m);
    return path;
}

/* Three matrix products with activations: cuts 0 to 6, the product in the middle has a large weight. */
static model *chain(void)
{
    model *m = model_new(13);
    model_input(m, "x", ONNX_F32, "N,4");
    model_weights(m, "w1", 1, "4,64");
    model_weights(m, "w2", 2, "64,64");
    model_weights(m, "w3", 3, "64,4");
    model_node(m, "MatMul", "x,w1", "a", NULL);
    model_node(m, "Tanh", "a", "b", NULL);
    model_node(m, "MatMul", "b,w2", "c", NULL);
    model_node(m, "Sigmoid", "c", "d", NULL);
    model_node(m, "MatMul", "d,w3", "e", NULL);
    model_node(m, "Tanh", "e", "y", NULL);
    model_output(m, "y", ONNX_F32, "N,4");
    return m;
}

static clv_network *open_chain(void)
{
    clv_error err = {0};
    clv_network *net;
    char *path = write_model(chain());
    assert_ok(clv_network_open(path, engine, &(clv_network_options){0}, &net, &err), err);
    free(path);
    return net;
}

static void a_network_knows_itself(void **state)
{
    (void)state;
    clv_network *net = open_chain();
    size_t n;
    assert_int_equal(clv_network_cuts(net)->n, 7);
    assert_int_equal(clv_network_graph(net)->n_units, 6);
    assert_int_equal(clv_graph_params(clv_network_graph(net)), 4 * 64 + 64 * 64 + 64 * 4);
    assert_int_equal(clv_graph_macs(clv_network_graph(net)), 4 * 64 + 64 * 64 + 64 * 4);
    assert_string_equal(clv_network_graph(net)->units[2].op, "MatMul");
    assert_int_equal(clv_network_inputs(net, &n)[0].shape.dim[0], -1);
    assert_int_equal(n, 1);
    assert_string_equal(clv_network_outputs(net, &n)[0].name, "y");
    clv_buf bytes = {0};
    clv_error err = {0};
    assert_ok(clv_file_read(clv_network_path(net), 1 << 20, &bytes, &err), err);
    char digest[CLV_DIGEST_TEXT];
    clv_digest *d = clv_digest_new();
    clv_digest_add(d, bytes.data, bytes.len);
    clv_digest_end(d, digest);
    clv_buf_done(&bytes);
    assert_string_equal(clv_network_digest(net), digest);
    assert_int_equal(
        clv_cuts_find(clv_network_cuts(net), clv_network_graph(net), (const char *const[]){"c"}, 1),
        3);
    clv_network_unref(net);
}

static void a_segment_has_the_original_names_and_types(void **state)
{
    (void)state;
    clv_network *net = open_chain();
    clv_error err = {0};
    clv_segment *s;
    size_t n;
    assert_ok(clv_network_segment(net, 2, 4, &s, &err), err);
    const clv_tensor_spec *in = clv_segment_inputs(s, &n);
    assert_int_equal(n, 1);
    assert_string_equal(in->name, "b");
    assert_int_equal(in->dtype, CLV_F32);
    assert_string_equal(clv_shape_show(&in->shape).s, "[?,64]");
    assert_string_equal(clv_segment_outputs(s, &n)->name, "d");
    assert_int_equal(n, 1);
    assert_true(clv_segment_any_batch(s));
    float b[128] = {0};
    clv_tensor wrong = clv_tensor_view("b", CLV_F32, clv_shape_of(2, 1, 63), b, 63 * 4);
    clv_tensors out = {0};
    assert_int_equal(clv_segment_run(s, &wrong, 1, &out, &err), CLV_EINVAL);
    assert_string_equal(err.text, "input 'b': shape [1,63], expected [?,64]");
    clv_tensor_done(&wrong);
    clv_tensor two = clv_tensor_view("b", CLV_F32, clv_shape_of(2, 2, 64), b, sizeof b);
    assert_ok(clv_segment_run(s, &two, 1, &out, &err), err);
    assert_float_equal(((float *)out.items[0].data)[127], 0.5, 1e-6); /* sigmoid of 0 */
    clv_tensors_done(&out);
    clv_tensor_done(&two);
    clv_segment_unref(s);
    assert_int_equal(clv_network_segment(net, 4, 2, &s, &err), CLV_EINVAL);
    assert_int_equal(clv_network_segment(net, 2, 2, &s, &err), CLV_EINVAL);
    assert_int_equal(clv_network_segment(net, 2, 99, &s, &err), CLV_EINVAL);
    clv_network_unref(net);
}

typedef struct asker {
    clv_network *net;
    clv_segment *got;
} asker;

static void *ask(void *arg)
{
    asker *a = arg;
    if (clv_network_segment(a->net, 0, 3, &a->got, NULL)) a->got = NULL;
    return NULL;
}

static void a_segment_is_compiled_once(void **state)
{
    (void)state;
    clv_network *net = open_chain();
    assert_null(clv_network_resident(net, 0, 3));
    asker askers[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        askers[i] = (asker){.net = net};
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
    }
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    assert_non_null(askers[0].got);
    for (int i = 1; i < 4; i++) assert_ptr_equal(askers[i].got, askers[0].got);
    clv_segment *resident = clv_network_resident(net, 0, 3);
    assert_ptr_equal(resident, askers[0].got);
    clv_network_evict(net, 0, 3);
    assert_null(clv_network_resident(net, 0, 3));
    clv_network_unref(net); /* the segments keep it */
    float x[4] = {1, 2, 3, 4};
    clv_tensor in = clv_tensor_view("x", CLV_F32, clv_shape_of(2, 1, 4), x, sizeof x);
    clv_tensors out = {0};
    clv_error err = {0};
    assert_ok(clv_segment_run(resident, &in, 1, &out, &err), err);
    clv_tensor_done(&in);
    clv_segment_unref(resident);
    for (int i = 0; i < 4; i++) clv_segment_unref(askers[i].got);
    assert_int_equal(out.items[0].bytes, 256); /* outputs outlive everything but the engine */
    assert_true(((float *)out.items[0].data)[0] * 0 == 0);
    clv_tensors_done(&out);
}

static void run_file(const char *path, const clv_tensor *in, clv_tensors *out)
{
    clv_error err = {0};
    clv_network *net;
    clv_segment *s;
    assert_ok(clv_network_open(path, engine, &(clv_network_options){0}, &net, &err), err);
    assert_ok(clv_network_segment(net, 0, clv_network_cuts(net)->n - 1, &s, &err), err);
    assert_ok(clv_segment_run(s, in, 1, out, &err), err);
    clv_segment_unref(s);
    clv_network_unref(net);
}

static void an_export_stands_alone(void **state)
{
    (void)state;
    clv_network *net = open_chain();
    clv_error err = {0};
    char *other, *prefix, *suffix;
    assert_ok(clv_dir_temp("export", &other, &err), err);
    prefix = clv_path_join(other, "prefix.onnx");
    suffix = clv_path_join(other, "suffix.onnx");
    assert_ok(clv_network_export(net, 0, 3, prefix, &err), err);
    assert_ok(clv_network_export(net, 3, 6, suffix, &err), err);
    float x[8] = {1, -2, 3, -4, 0.5, 0.25, 0, 1};
    clv_tensor in = clv_tensor_view("x", CLV_F32, clv_shape_of(2, 2, 4), x, sizeof x);
    clv_tensors whole = {0}, middle = {0}, out = {0};
    run_file(clv_network_path(net), &in, &whole);
    run_file(prefix, &in, &middle);
    assert_string_equal(middle.items[0].name, "c");
    run_file(suffix, middle.items, &out);
    assert_string_equal(out.items[0].name, "y");
    assert_memory_equal(out.items[0].data, whole.items[0].data, 32);
    clv_tensors_done(&whole), clv_tensors_done(&middle), clv_tensors_done(&out);
    clv_tensor_done(&in);
    assert_int_equal(clv_network_export(net, 0, 3, "/nowhere/at/all.onnx", &err), CLV_ENOTFOUND);
    clv_network_unref(net);
    clv_dir_remove(other);
    free(other), free(prefix), free(suffix);
}

static void refuses(model *m, clv_status status, const char *text)
{
    clv_error err = {0};
    clv_network *net;
    char *path = write_model(m);
    clv_status got = clv_network_open(path, engine, &(clv_network_options){0}, &net, &err);
    free(path);
    if (!strstr(err.text, text)) fail_msg("expected '%s' in '%s'", text, err.text);
    assert_int_equal(got, status);
}

static void bad_models_are_named(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_network *net;
    assert_int_equal(
        clv_network_open("/nowhere.onnx", engine, &(clv_network_options){0}, &net, &err),
        CLV_ENOTFOUND);
    assert_non_null(strstr(err.text, "/nowhere.onnx"));
    model *m = model_new(13);
    model_input(m, "x", ONNX_F32, "N,4");
    model_node(m, "Frobnicate", "x", "y", NULL);
    model_output(m, "y", ONNX_F32, "N,4");
    refuses(m, CLV_EENGINE, "Frobnicate");
    m = model_new(13);
    model_input(m, "x", ONNX_F32, "N,4");
    model_weights(m, "w", 1, "5,4");
    model_node(m, "MatMul", "x,w", "y", NULL); /* 4 does not meet 5 */
    model_output(m, "y", ONNX_F32, "N,4");
    refuses(m, CLV_EENGINE, "MatMul");
    char *path = write_model(chain());
    const char *const bad[] = {"x"};
    assert_int_equal(clv_network_open(path, engine,
                                      &(clv_network_options){.dims = bad, .n_dims = 1}, &net, &err),
                     CLV_EINVAL);
    assert_non_null(strstr(err.text, "dimension 'x': expected name=value"));
    free(path);
}

static void an_output_that_is_no_result_keeps_it_whole(void **state)
{
    (void)state;
    model *m = chain();
    model_output(m, "x", ONNX_F32, "N,4");
    clv_error err = {0};
    clv_network *net;
    char *path = write_model(m);
    assert_ok(clv_network_open(path, engine, &(clv_network_options){0}, &net, &err), err);
    assert_string_equal(clv_network_uncut_reason(net), "the output 'x' is no operator's result");
    clv_segment *s;
    assert_ok(clv_network_segment(net, 0, 1, &s, &err), err);
    float x[4] = {1, 2, 3, 4};
    clv_tensor in = clv_tensor_view("x", CLV_F32, clv_shape_of(2, 1, 4), x, sizeof x);
    clv_tensors out = {0};
    assert_ok(clv_segment_run(s, &in, 1, &out, &err), err);
    assert_int_equal(out.n, 2);
    assert_memory_equal(out.items[1].data, x, 16);
    clv_tensors_done(&out);
    clv_tensor_done(&in);
    clv_segment_unref(s);
    clv_network_unref(net);
    free(path);
}

enum { SIDE = 1536 }; /* 9.4 MB: worth sharing */

/* y = transpose(transpose(x) * w): the engine's optimiser drops the transposes and turns `w` around
 * under its old name. Handed over by pointer, the old `w` would be used in its place. */
static void a_rewritten_weight_is_not_handed_over(void **state)
{
    (void)state;
    model *m = model_new(13);
    model_input(m, "x", ONNX_F32, "1536,1536");
    float *w = (float *)(void *)model_weights(m, "w", 1, "1536,1536")->raw_data.data;
    model_node(m, "Transpose", "x", "t", "perm=1,0");
    model_node(m, "Mul", "t,w", "p", NULL);
    model_node(m, "Transpose", "p", "y", "perm=1,0");
    model_output(m, "y", ONNX_F32, "1536,1536");
    char *path = clv_path_join(folder, "model.onnx");
    model_write(m, path);
    clv_error err = {0};
    clv_tensor x;
    clv_tensors out = {0};
    assert_ok(clv_tensor_new(&x, "x", CLV_F32, clv_shape_of(2, SIDE, SIDE), &err), err);
    float *in = x.data;
    for (size_t i = 0; i < (size_t)SIDE * SIDE; i++) in[i] = (float)(i % 101) - 50;
    run_file(path, &x, &out);
    const float *y = out.items[0].data;
    for (size_t r = 0; r < SIDE; r += 7)
        for (size_t c = 0; c < SIDE; c += 5)
            assert_float_equal(y[r * SIDE + c], in[r * SIDE + c] * w[c * SIDE + r], 1e-5);
    clv_tensors_done(&out);
    clv_tensor_done(&x);
    model_free(m);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_knows_itself),
        cmocka_unit_test(a_segment_has_the_original_names_and_types),
        cmocka_unit_test(a_segment_is_compiled_once),
        cmocka_unit_test(an_export_stands_alone),
        cmocka_unit_test(a_rewritten_weight_is_not_handed_over),
        cmocka_unit_test(bad_models_are_named),
        cmocka_unit_test(an_output_that_is_no_result_keeps_it_whole),
    };
    return cmocka_run_group_tests(tests, engine_rig_start, engine_rig_stop);
}
