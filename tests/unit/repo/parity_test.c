/* Every legal cut of small networks, each with something that is hard to cut, gives the answer of the whole. */
#include "base/file.h"
#include "engine_rig.h"
#include "model.h"
#include "repo/verify.h"

/* Takes the model; leaves the file for the engine to map. */
static clv_network *open_dims(model *m, const char *const *dims, size_t n_dims)
{
    char *path = clv_path_join(folder, "model.onnx");
    model_write(m, path);
    model_free(m);
    clv_network *net;
    clv_error err = {0};
    assert_ok(clv_network_open(path, engine, &(clv_network_options){.dims = dims, .n_dims = n_dims},
                               &net, &err),
              err);
    free(path);
    return net;
}

static clv_verify_report verified(clv_network *net, int64_t batch)
{
    clv_error err = {0};
    clv_verify_report r;
    assert_ok(clv_verify(net, &(clv_verify_options){.batch = batch, .seed = 7}, &r, &err), err);
    if (r.mismatches) fail_msg("%zu of %zu cuts differ, first '%s'", r.mismatches, r.cuts, r.worst);
    free(r.worst);
    return r;
}

/* All cuts agree at batch 1 and at batch 3, and there are this many. */
static void agrees(model *m, size_t cuts)
{
    clv_network *net = open_dims(m, NULL, 0);
    if (clv_network_uncut_reason(net)) fail_msg("not cut: %s", clv_network_uncut_reason(net));
    assert_int_equal(clv_network_cuts(net)->n, cuts);
    assert_int_equal(verified(net, 1).cuts, cuts);
    clv_verify_report r = verified(net, 3);
    assert_int_equal(r.cuts, cuts);
    assert_int_equal(r.skipped, 0);
    clv_network_unref(net);
}

static void bn(model *m, const char *name, uint64_t seed, const char *channels, const char *in,
               const char *out)
{
    const char *const parts[] = {"scale", "bias", "mean", "var"};
    char names[4][32], inputs[200];
    for (int i = 0; i < 4; i++) {
        snprintf(names[i], sizeof names[i], "%s_%s", name, parts[i]);
        Onnx__TensorProto *t = model_weights(m, names[i], seed + (uint64_t)i, channels);
        float *v = (float *)(void *)t->raw_data.data;
        for (size_t k = 0; i == 3 && k < t->raw_data.len / 4; k++) v[k] = fabsf(v[k]) + 0.1f;
    }
    snprintf(inputs, sizeof inputs, "%s,%s,%s,%s,%s", in, names[0], names[1], names[2], names[3]);
    model_node(m, "BatchNormalization", inputs, out, NULL);
}

/* Two residual blocks with pooling: convolution + normalisation + ReLU are one unit, additions are
 * fused, tensors skip. */
static model *residual(void)
{
    model *m = model_new(13);
    model_input(m, "x", ONNX_F32, "N,3,16,16");
    model_weights(m, "w0", 1, "8,3,3,3");
    model_node(m, "Conv", "x,w0", "c0", "pads=1,1,1,1");
    bn(m, "bn0", 10, "8", "c0", "b0");
    model_node(m, "Relu", "b0", "r0", NULL);
    model_weights(m, "w1", 2, "8,8,3,3");
    model_node(m, "Conv", "r0,w1", "c1", "pads=1,1,1,1");
    bn(m, "bn1", 20, "8", "c1", "b1");
    model_node(m, "Relu", "b1", "r1", NULL);
    model_weights(m, "w2", 3, "8,8,3,3");
    model_node(m, "Conv", "r1,w2", "c2", "pads=1,1,1,1");
    model_node(m, "Add", "c2,r0", "a", NULL);
    model_node(m, "Relu", "a", "r2", NULL);
    model_node(m, "GlobalAveragePool", "r2", "g", NULL);
    model_node(m, "Flatten", "g", "f", NULL);
    model_weights(m, "w3", 4, "10,8");
    model_weights(m, "b3", 5, "10");
    model_node(m, "Gemm", "f,w3,b3", "y", "transB=1");
    model_output(m, "y", ONNX_F32, "N,10");
    return m;
}

static void residual_blocks(void **state)
{
    (void)state;
    agrees(residual(),
           9); /* eight units in a row: the engine fuses each addition only when it runs */
}

static void several_inputs_and_outputs(void **state)
{
    (void)state;
    model *m = model_new(13);
    model_input(m, "a", ONNX_F32, "N,4");
    model_input(m, "b", ONNX_F32, "N,4");
    model_weights(m, "w", 1, "4,4"); /* used on both sides of most cuts */
    model_node(m, "MatMul", "a,w", "aw", NULL);
    model_node(m, "MatMul", "b,w", "bw", NULL);
    model_node(m, "Tanh", "aw", "ta", NULL);
    model_node(m, "Sigmoid", "bw", "sb", NULL);
    model_node(m, "Mul", "ta,sb", "p", NULL);
    model_node(m, "MatMul", "p,w", "q", NULL);
    model_node(m, "Add", "q,a", "y", NULL); /* an input that skips everything */
    model_output(m, "y", ONNX_F32, "N,4");
    model_output(m, "ta", ONNX_F32, "N,4"); /* an output from the middle */
    /* ideals of two chains of two (3 x 3), then two more in a row: the last addition is fused */
    agrees(m, 11);
}

static void integers_on_a_cut(void **state)
{
    (void)state;
    model *m = model_new(13);
    model_input(m, "ids", ONNX_I64, "N,5");
    model_weights(m, "table", 1, "4,6");
    model_ints(m, "one", "", "1");
    model_node(m, "Add", "ids,one", "shifted", NULL);
    model_node(m, "Gather", "table,shifted", "rows", "axis=0");
    model_node(m, "Cast", "shifted", "real", "to=1");
    model_node(m, "ReduceSum", "rows", "sum", "keepdims=0");
    model_ints(m, "axes", "1", "1");
    model_node(m, "Unsqueeze", "real,axes", "u", NULL);
    model_node(m, "ReduceMax", "u", "max", "keepdims=0");
    model_node(m, "Add", "sum,max", "y", NULL);
    model_output(m, "y", ONNX_F32, NULL);
    clv_network *net = open_dims(m, NULL, 0);
    assert_true(clv_network_cuts(net)->n > 4);
    int tensor = clv_graph_tensor_index(clv_network_graph(net), "shifted");
    assert_true(tensor >= 0);
    assert_int_equal(clv_network_graph(net)->tensors[tensor].dtype, CLV_I64);
    verified(net, 1);
    verified(net, 3);
    clv_network_unref(net);
}

/* y.view(y.size(0), -1), as PyTorch writes it */
static void shape_arithmetic_stays_with_its_tensor(void **state)
{
    (void)state;
    model *m = model_new(13);
    model_input(m, "x", ONNX_F32, "N,2,4,4");
    model_weights(m, "w", 1, "3,2,3,3");
    model_node(m, "Conv", "x,w", "c", NULL);
    model_node(m, "MaxPool", "c", "p", "kernel_shape=2,2");
    model_node(m, "Shape", "p", "s", NULL);
    model_ints(m, "zero", "", "0");
    model_node(m, "Gather", "s,zero", "n", "axis=0");
    model_ints(m, "axes", "1", "0");
    model_node(m, "Unsqueeze", "n,axes", "n1", NULL);
    model_ints(m, "rest", "1", "-1");
    model_node(m, "Concat", "n1,rest", "to", "axis=0");
    model_node(m, "Reshape", "p,to", "flat", NULL);
    model_weights(m, "fc", 2, "3,5");
    model_node(m, "MatMul", "flat,fc", "y", NULL);
    model_output(m, "y", ONNX_F32, "N,5");
    agrees(m, 5);
}

/* The shape of an early tensor is used late: past its last use only a constant is left, good for batch 1. */
static void a_shape_across_the_cut_fixes_the_batch(void **state)
{
    (void)state;
    model *m = model_new(13);
    model_input(m, "x", ONNX_F32, "N,6");
    model_node(m, "Shape", "x", "s", NULL);
    model_weights(m, "w", 1, "6,6");
    model_node(m, "MatMul", "x,w", "a", NULL);
    model_node(m, "Softmax", "a", "b", NULL);
    model_ints(m, "flat", "1", "-1");
    model_node(m, "Reshape", "b,flat", "c", NULL);
    model_node(m, "Sigmoid", "c", "d", NULL);
    model_node(m, "Reshape", "d,s", "e", NULL);
    model_node(m, "Tanh", "e", "y", NULL);
    model_output(m, "y", ONNX_F32, "N,6");
    clv_network *net = open_dims(m, NULL, 0);
    size_t n = clv_network_cuts(net)->n;
    assert_true(n >= 6);
    assert_int_equal(verified(net, 1).cuts, n);
    clv_verify_report r = verified(net, 3);
    assert_true(r.skipped >= 3);
    assert_true(r.cuts >= 3); /* the trivial ones, and behind the last Reshape */
    assert_int_equal(r.cuts + r.skipped, n);
    clv_network_unref(net);
}

static void model_if(model *m, model *yes, model *no)
{
    model_node(yes, "Mul", "a,x", "t", NULL); /* captures a and x */
    model_output(yes, "t", ONNX_F32, "N,4");
    model_weights(no, "bias", 9, "4");
    model_node(no, "Add", "a,bias", "e", NULL);
    model_output(no, "e", ONNX_F32, "N,4");
    Onnx__NodeProto *n = model_node(m, "If", "cond", "chosen", NULL);
    model_subgraph(m, n, "then_branch", yes);
    model_subgraph(m, n, "else_branch", no);
}

static void branches_are_kept_whole(void **state)
{
    (void)state;
    model *m = model_new(13), *yes = model_new(13), *no = model_new(13);
    model_input(m, "x", ONNX_F32, "N,4");
    model_input(m, "cond", ONNX_BOOL, "");
    model_weights(m, "w", 1, "4,4");
    model_node(m, "MatMul", "x,w", "mm", NULL);
    model_node(m, "Tanh", "mm", "a", NULL);
    model_if(m, yes, no);
    model_node(m, "Sigmoid", "chosen", "y", NULL);
    model_output(m, "y", ONNX_F32, "N,4");
    clv_network *net = open_dims(m, NULL, 0);
    model_free(yes);
    model_free(no);
    assert_int_equal(clv_network_cuts(net)->n, 5);
    /* before the If, the captured x must cross with a and the condition */
    const char *const live[] = {"a", "cond", "x"};
    assert_true(clv_cuts_find(clv_network_cuts(net), clv_network_graph(net), live, 3) > 0);
    verified(net, 1);
    verified(net, 3);
    clv_network_unref(net);
}

static void loops_are_kept_whole(void **state)
{
    (void)state;
    model *m = model_new(13), *body = model_new(13);
    model_input(body, "i", ONNX_I64, "");
    model_input(body, "go", ONNX_BOOL, "");
    model_input(body, "carry", ONNX_F32, NULL);
    model_node(body, "Add", "carry,a", "sum", NULL); /* captures a */
    model_node(body, "Identity", "go", "go_on", NULL);
    model_output(body, "go_on", ONNX_BOOL, "");
    model_output(body, "sum", ONNX_F32, NULL);
    model_input(m, "x", ONNX_F32, "N,4");
    model_ints(m, "times", "", "3");
    model_node(m, "Sigmoid", "x", "a", NULL);
    Onnx__NodeProto *loop = model_node(m, "Loop", "times,,x", "l", NULL);
    model_subgraph(m, loop, "body", body);
    model_node(m, "Tanh", "l", "y", NULL);
    model_output(m, "y", ONNX_F32, "N,4");
    clv_network *net = open_dims(m, NULL, 0);
    model_free(body);
    if (clv_network_uncut_reason(net)) fail_msg("not cut: %s", clv_network_uncut_reason(net));
    assert_true(clv_network_cuts(net)->n >= 3);
    verified(net, 1);
    verified(net, 3);
    clv_network_unref(net);
}

/* Weights in a file of their own, and large Constant nodes: both stay where they are. */
static void external_data_and_constants(void **state)
{
    (void)state;
    model *m = model_new(13), *store = model_new(13);
    Onnx__TensorProto *w = model_weights(store, "w", 1, "40,40");
    char *path = clv_path_join(folder, "weights.bin");
    clv_error err = {0};
    char padding[100] = {0};
    clv_buf bytes = {0};
    clv_buf_add(&bytes, padding, sizeof padding);
    clv_buf_add(&bytes, w->raw_data.data, w->raw_data.len);
    assert_ok(clv_file_write(path, bytes.data, bytes.len, &err), err);
    clv_buf_done(&bytes);
    free(path);
    Onnx__TensorProto *ref = model_tensor(m, "w", ONNX_F32, "40,40", NULL, 0);
    ref->has_raw_data = 0;
    ref->has_data_location = 1;
    ref->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    const char *const entries[][2] = {
        {"location", "weights.bin"}, {"offset", "100"}, {"length", "6400"}};
    for (int i = 0; i < 3; i++) {
        Onnx__StringStringEntryProto *e =
            MODEL_NEW(m, Onnx__StringStringEntryProto, onnx__string_string_entry_proto__init);
        e->key = model_text(m, entries[i][0]);
        e->value = model_text(m, entries[i][1]);
        model_add(m, &ref->external_data, &ref->n_external_data, e);
    }
    model_add(m, &m->graph.initializer, &m->graph.n_initializer, ref);
    model_input(m, "x", ONNX_F32, "N,40");
    model_node(m, "MatMul", "x,w", "a", NULL);
    Onnx__NodeProto *constant = model_node(m, "Constant", "", "k", NULL);
    Onnx__AttributeProto *value = model_attribute(m, "value");
    value->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR;
    Onnx__TensorProto *k = model_weights(store, "k", 2, "40,40");
    k->name = NULL;
    value->t = k;
    model_add(m, &constant->attribute, &constant->n_attribute, value);
    model_node(m, "Tanh", "a", "b", NULL);
    model_node(m, "MatMul", "b,k", "c", NULL);
    model_node(m, "Sigmoid", "c", "y", NULL);
    model_output(m, "y", ONNX_F32, "N,40");
    clv_network *net = open_dims(m, NULL, 0);
    model_free(store);
    size_t n;
    assert_non_null(strstr(clv_network_files(net, &n)[1], "weights.bin"));
    assert_int_equal(n, 2);
    assert_int_equal(clv_network_cuts(net)->n, 5);
    assert_int_equal(clv_graph_params(clv_network_graph(net)), 3200);
    verified(net, 1);
    verified(net, 3);
    clv_network_unref(net);
}

static void old_models_list_weights_as_inputs(void **state)
{
    (void)state;
    model *m = residual();
    m->proto.ir_version = 3;
    for (size_t i = 0; i < 3; i++) model_input(m, m->graph.initializer[i]->name, ONNX_F32, NULL);
    clv_network *net = open_dims(m, NULL, 0);
    size_t n;
    assert_string_equal(clv_network_inputs(net, &n)[0].name, "x");
    assert_int_equal(n, 1);
    verified(net, 1);
    clv_network_unref(net);
}

static model *free_sides(void)
{
    model *m = model_new(13);
    model_input(m, "x", ONNX_F32, "N,1,H,W");
    model_weights(m, "w", 1, "2,1,3,3");
    model_node(m, "Conv", "x,w", "c", NULL);
    model_node(m, "Exp", "c", "y", NULL);
    model_output(m, "y", ONNX_F32, "N,2,h,w");
    return m;
}

static void other_free_dimensions_need_a_value(void **state)
{
    (void)state;
    clv_network *net = open_dims(free_sides(), NULL, 0);
    assert_non_null(strstr(clv_network_uncut_reason(net), "input 'x': dimension 2 H is free"));
    assert_int_equal(clv_network_cuts(net)->n, 2);
    clv_segment *s;
    clv_error err = {0};
    assert_ok(clv_network_segment(net, 0, 1, &s, &err), err);
    float x[2 * 5 * 7] = {1};
    clv_tensor in = clv_tensor_view("x", CLV_F32, clv_shape_of(4, 2, 1, 5, 7), x, sizeof x);
    clv_tensors out = {0};
    assert_ok(clv_segment_run(s, &in, 1, &out, &err), err);
    assert_int_equal(out.items[0].shape.dim[3], 5);
    clv_tensors_done(&out);
    clv_tensor_done(&in);
    clv_segment_unref(s);
    clv_network_unref(net);
    const char *const dims[] = {"H=8", "x:3=9"};
    net = open_dims(free_sides(), dims, 2);
    assert_null(clv_network_uncut_reason(net));
    assert_int_equal(clv_network_cuts(net)->n, 3);
    verified(net, 2);
    clv_network_unref(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(residual_blocks),
        cmocka_unit_test(several_inputs_and_outputs),
        cmocka_unit_test(integers_on_a_cut),
        cmocka_unit_test(shape_arithmetic_stays_with_its_tensor),
        cmocka_unit_test(a_shape_across_the_cut_fixes_the_batch),
        cmocka_unit_test(branches_are_kept_whole),
        cmocka_unit_test(loops_are_kept_whole),
        cmocka_unit_test(external_data_and_constants),
        cmocka_unit_test(old_models_list_weights_as_inputs),
        cmocka_unit_test(other_free_dimensions_need_a_value),
    };
    return cmocka_run_group_tests(tests, engine_rig_start, engine_rig_stop);
}
