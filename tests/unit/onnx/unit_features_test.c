/* What the zoo's networks and small models of other kinds say of their units, against what is known of
 * them. */
#include "base/file.h"
#include "engine_rig.h"
#include "model.h"
#include "repo/network.h"
#include "zoo/zoo.h"

static clv_network *open_path(const char *path)
{
    clv_error err = {0};
    clv_network *net;
    assert_ok(clv_network_open(path, engine, &(clv_network_options){0}, &net, &err), err);
    return net;
}

static clv_network *open_zoo(const char *name)
{
    clv_error err = {0};
    const clv_zoo_network *z;
    clv_zoo_facts facts = {0};
    assert_ok(clv_zoo_find(name, &z, &err), err);
    assert_ok(clv_zoo_write(z, 1, folder, &facts, &err), err);
    clv_network *net = open_path(facts.path);
    clv_zoo_facts_done(&facts);
    return net;
}

/* Takes the model. */
static clv_network *open_model(model *m)
{
    char *path = clv_path_join(folder, "model.onnx");
    model_write(m, path);
    model_free(m);
    clv_network *net = open_path(path);
    free(path);
    return net;
}

static void count_kinds(const clv_network *net, int *n)
{
    const clv_graph *g = clv_network_graph(net);
    for (size_t u = 0; u < g->n_units; u++) n[g->units[u].features.kind]++;
}

static const clv_unit_features *of(const clv_network *net, const char *output)
{
    const clv_graph *g = clv_network_graph(net);
    int t = clv_graph_tensor_index(g, output);
    assert_true(t >= 0 && g->tensors[t].producer >= 0);
    return &g->units[g->tensors[t].producer].features;
}

static void a_mobile_net_is_of_points_and_depths(void **state)
{
    (void)state;
    clv_network *net = open_zoo("mobilenet_v2");
    int n[CLV_UNIT_KIND_COUNT] = {0};
    count_kinds(net, n);
    assert_int_equal(n[CLV_UNIT_CONV], 1);
    assert_int_equal(n[CLV_UNIT_DEPTHWISE], 17);
    assert_int_equal(n[CLV_UNIT_POINTWISE], 34);
    assert_int_equal(n[CLV_UNIT_ELEMENTWISE], 10);
    assert_int_equal(n[CLV_UNIT_LINEAR], 1);
    assert_int_equal(n[CLV_UNIT_OTHER], 0);
    const clv_unit_features *f = of(net, "stem.relu6");
    assert_int_equal(f->in_channels, 3);
    assert_int_equal(f->in_h, 224);
    assert_int_equal(f->out_channels, 32);
    assert_int_equal(f->out_w, 112);
    assert_int_equal(f->kernel_h, 3);
    assert_int_equal(f->stride, 2);
    assert_int_equal(f->macs, 112 * 112 * 32 * 27);
    assert_int_equal(f->in_bytes, 3 * 224 * 224 * 4);
    assert_int_equal(f->out_bytes, 32 * 112 * 112 * 4);
    f = of(net, "block2.depth.relu6");
    assert_int_equal(f->kind, CLV_UNIT_DEPTHWISE);
    assert_int_equal(f->groups, 96);
    clv_network_unref(net);
}

static void a_google_net_joins_and_pools(void **state)
{
    (void)state;
    clv_network *net = open_zoo("googlenet");
    int n[CLV_UNIT_KIND_COUNT] = {0};
    count_kinds(net, n);
    assert_int_equal(n[CLV_UNIT_CONCAT], 9);
    assert_int_equal(n[CLV_UNIT_MAX_POOL], 13);
    assert_int_equal(n[CLV_UNIT_GLOBAL_POOL], 1);
    assert_int_equal(n[CLV_UNIT_CONV] + n[CLV_UNIT_POINTWISE], 57);
    const clv_unit_features *f = of(net, "pool1");
    assert_int_equal(f->kernel_w, 3);
    assert_int_equal(f->stride, 2);
    clv_network_unref(net);
}

static void every_other_kind_is_known(void **state)
{
    (void)state;
    model *m = model_new(17);
    model_input(m, "x", ONNX_F32, "1,8,6,6");
    model_weights(m, "w", 1, "16,2,3,3");
    model_node(m, "Conv", "x,w", "grouped", "group=4;pads=1,1,1,1");
    model_node(m, "AveragePool", "grouped", "mean", "kernel_shape=2,2;strides=2,2");
    model_node(m, "Softmax", "mean", "soft", "axis=1");
    model_node(m, "Transpose", "soft", "turned", "perm=0,1,3,2");
    model_node(m, "MatMul", "soft,turned", "product", NULL);
    model_node(m, "Tanh", "product", "tanh", NULL);
    model_node(m, "Add", "tanh,soft", "sum", NULL);
    model_node(m, "Relu", "sum", "relu", NULL);
    model_weights(m, "l", 2, "3,5");
    model_node(m, "MatMul", "relu,l", "linear", NULL);
    model_output(m, "linear", ONNX_F32, "1,16,3,5");
    model_output(m, "mean", ONNX_F32, "1,16,3,3");
    clv_network *net = open_model(m);
    assert_int_equal(of(net, "grouped")->kind, CLV_UNIT_GROUPED);
    assert_int_equal(of(net, "grouped")->groups, 4);
    assert_int_equal(of(net, "mean")->kind, CLV_UNIT_MEAN_POOL);
    assert_int_equal(of(net, "soft")->kind, CLV_UNIT_SOFTMAX);
    assert_int_equal(of(net, "tanh")->smooth, 1);
    assert_int_equal(of(net, "sum")->kind, CLV_UNIT_ELEMENTWISE);
    assert_int_equal(of(net, "sum")->in_bytes, 2 * 16 * 9 * 4);
    assert_int_equal(of(net, "relu")->kind, CLV_UNIT_ACTIVATION);
    assert_int_equal(of(net, "relu")->smooth, 0);
    assert_int_equal(of(net, "linear")->kind, CLV_UNIT_LINEAR);
    clv_network_unref(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mobile_net_is_of_points_and_depths),
        cmocka_unit_test(a_google_net_joins_and_pools),
        cmocka_unit_test(every_other_kind_is_known),
    };
    return cmocka_run_group_tests(tests, engine_rig_start, engine_rig_stop);
}
