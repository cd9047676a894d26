#include "zoo/builder_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL_DEVIATION 0.1 /* of biases, and of what batch norms learned */

clv_layer_name clv_layer(const char *fmt, ...)
{
    clv_layer_name name;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name.s, sizeof name.s, fmt, ap);
    va_end(ap);
    return name;
}

clv_builder *clv_builder_new(const char *network, uint64_t seed)
{
    clv_builder *b = clv_alloc(sizeof *b);
    b->graph = clv_proto_graph(network);
    b->seed = seed;
    return b;
}

void clv_builder_free(clv_builder *b)
{
    if (!b) return;
    for (size_t i = 0; i < b->n_features; i++) free(b->features[i].name);
    for (size_t i = 0; i < b->n_initialisers; i++) {
        free(b->initialisers[i].name);
        clv_weights_done(&b->initialisers[i].weights);
    }
    free(b->features);
    free(b->initialisers);
    clv_proto_free(b->graph);
    free(b);
}

/* Stays valid until the next feature is added. */
static const clv_feature *feature(const clv_builder *b, clv_value x)
{
    return &b->features[x];
}

static clv_value add_feature(clv_builder *b, const char *name, clv_feature f)
{
    f.name = clv_strdup(name);
    clv_grow(&b->features, &b->features_cap, b->n_features + 1, sizeof *b->features);
    b->features[b->n_features] = f;
    return (clv_value)b->n_features++;
}

static size_t add_initialiser(clv_builder *b, const char *name, clv_initialiser init)
{
    init.name = clv_strdup(name);
    clv_grow(&b->initialisers, &b->initialisers_cap, b->n_initialisers + 1,
             sizeof *b->initialisers);
    b->initialisers[b->n_initialisers] = init;
    return b->n_initialisers++;
}

/* FNV-1a of network and tensor: weights do not depend on what stands before them. */
static uint64_t seed_of(const clv_builder *b, const char *name)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (const char *c = b->graph->name; *c; c++) h = (h ^ (unsigned char)*c) * 0x100000001b3u;
    h = (h ^ '/') * 0x100000001b3u;
    for (const char *c = name; *c; c++) h = (h ^ (unsigned char)*c) * 0x100000001b3u;
    return h ^ b->seed * 0x9e3779b97f4a7c15u;
}

static size_t add_weights(clv_builder *b, const char *name, clv_shape shape, clv_weights w)
{
    w.seed = seed_of(b, name);
    w.rows = shape.rank > 1 ? shape.dim[0] : 1;
    w.fan_in = 1;
    for (int i = shape.rank > 1; i < shape.rank; i++) w.fan_in *= shape.dim[i];
    b->params += (uint64_t)(w.rows * w.fan_in);
    return add_initialiser(
        b, name, (clv_initialiser){.shape = shape, .fill = CLV_FILL_WEIGHTS, .weights = w});
}

/* Of a convolution or linear layer: `gain` is the variance it gives its result, but for the bias. */
static size_t add_kernel(clv_builder *b, const char *name, clv_shape shape, const clv_feature *in,
                         double gain)
{
    double fan_in = 1;
    for (int i = 1; i < shape.rank; i++) fan_in *= (double)shape.dim[i];
    bool alone = shape.dim[1] == 1; /* one channel: without its mean only edges would be left */
    return add_weights(b, name, shape,
                       (clv_weights){.scale = sqrt(gain / (fan_in * in->variance)),
                                     .centred = in->mean > 0 && !alone});
}

static void add_drawn(clv_builder *b, const char *name, int64_t n, double mean)
{
    add_weights(b, name, clv_shape_of(1, (int)n),
                (clv_weights){.scale = SMALL_DEVIATION, .offset = mean});
}

static void add_statistic(clv_builder *b, const char *name, const clv_feature *f, clv_fill fill,
                          double moment)
{
    add_initialiser(b, name,
                    (clv_initialiser){.shape = clv_shape_of(1, (int)f->c),
                                      .fill = fill,
                                      .source = f->weights,
                                      .moment = moment});
}

static void add_constant(clv_builder *b, const char *name, clv_shape shape, double value)
{
    add_initialiser(
        b, name, (clv_initialiser){.shape = shape, .fill = CLV_FILL_CONSTANT, .constant = value});
}

/* A node whose output is named like itself. */
static Onnx__NodeProto *add_node(clv_builder *b, const char *op, const char *name,
                                 const char *const *inputs, size_t n)
{
    return clv_proto_node(b->graph, op, name, inputs, n, &name, 1);
}

static void add_window(Onnx__NodeProto *node, int kernel, int stride, int pad)
{
    clv_proto_ints(node, "kernel_shape", (int64_t[]){kernel, kernel}, 2);
    clv_proto_ints(node, "strides", (int64_t[]){stride, stride}, 2);
    clv_proto_ints(node, "pads", (int64_t[]){pad, pad, pad, pad}, 4);
}

clv_value clv_builder_input(clv_builder *b, const char *name, int c, int h, int w)
{
    clv_proto_input(b->graph, name, CLV_F32, clv_shape_of(4, -1, c, h, w));
    return add_feature(b, name, (clv_feature){.c = c, .h = h, .w = w, .variance = 1});
}

clv_value clv_builder_conv(clv_builder *b, const char *name, clv_value x, clv_conv conv)
{
    clv_feature in = *feature(b, x);
    int groups = CLV_MAX(conv.groups, 1), stride = CLV_MAX(conv.stride, 1), k = conv.kernel;
    clv_shape shape = clv_shape_of(4, conv.out, (int)in.c / groups, k, k);
    clv_layer_name weight = clv_layer("%s.weight", name), bias = clv_layer("%s.bias", name);
    clv_feature out = {.c = conv.out,
                       .h = (in.h + 2 * conv.pad - k) / stride + 1,
                       .w = (in.w + 2 * conv.pad - k) / stride + 1,
                       .variance = 1,
                       .input_mean = in.mean,
                       .input_variance = in.variance};
    out.weights = add_kernel(b, weight.s, shape, &in, conv.bias ? 1 : 2);
    if (conv.bias) add_drawn(b, bias.s, conv.out, 0);
    b->macs += (uint64_t)(out.c * out.h * out.w * (in.c / groups) * k * k);
    const char *inputs[] = {in.name, weight.s, bias.s};
    Onnx__NodeProto *node = add_node(b, "Conv", name, inputs, conv.bias ? 3 : 2);
    add_window(node, k, stride, conv.pad);
    clv_proto_int(node, "group", groups);
    return add_feature(b, name, out);
}

clv_value clv_builder_norm(clv_builder *b, const char *name, clv_value x, double epsilon)
{
    clv_feature f = *feature(b, x);
    clv_layer_name part[4];
    static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};
    for (size_t i = 0; i < CLV_COUNT(part); i++) part[i] = clv_layer("%s.%s", name, parts[i]);
    add_drawn(b, part[0].s, f.c, 1);
    add_drawn(b, part[1].s, f.c, 0);
    add_statistic(b, part[2].s, &f, CLV_FILL_MEAN, f.input_mean);
    add_statistic(b, part[3].s, &f, CLV_FILL_VARIANCE, f.input_variance);
    const char *inputs[] = {f.name, part[0].s, part[1].s, part[2].s, part[3].s};
    clv_proto_float(add_node(b, "BatchNormalization", name, inputs, 5), "epsilon", (float)epsilon);
    return add_feature(b, name,
                       (clv_feature){.c = f.c, .h = f.h, .w = f.w, .mean = 0, .variance = 1});
}

/* Moments of max(x, 0) for a bell-shaped x: exact for mean 0 and far from it; between, the integral
 * of the bell is replaced by a root, which every machine rounds alike. */
static void rectify(clv_feature *f)
{
    double t = f->mean / sqrt(f->variance), mean = f->mean;
    double above = 0.5 * (1 + t / sqrt(t * t + 1.5707963)); /* share of x above 0 */
    f->mean = 0.5 * (mean + sqrt(mean * mean + 0.6366198 * f->variance));
    f->variance = f->variance * above + f->mean * (mean - f->mean);
}

clv_value clv_builder_relu(clv_builder *b, const char *name, clv_value x)
{
    clv_feature f = *feature(b, x);
    add_node(b, "Relu", name, (const char *[]){f.name}, 1);
    rectify(&f);
    return add_feature(b, name, f);
}

clv_value clv_builder_relu6(clv_builder *b, const char *name, clv_value x)
{
    clv_feature f = *feature(b, x); /* 6 is six deviations away */
    if (!b->has_clip_bounds) {
        add_constant(b, "relu6.min", clv_shape_of(0), 0);
        add_constant(b, "relu6.max", clv_shape_of(0), 6);
        b->has_clip_bounds = true;
    }
    add_node(b, "Clip", name, (const char *[]){f.name, "relu6.min", "relu6.max"}, 3);
    rectify(&f);
    return add_feature(b, name, f);
}

static int64_t pooled(int64_t size, clv_pool pool)
{
    int64_t span = size + 2 * pool.pad - pool.kernel, stride = pool.stride;
    int64_t n = (span + (pool.ceil ? stride - 1 : 0)) / stride + 1;
    return (n - 1) * stride >= size + pool.pad ? n - 1 : n; /* a window starts within */
}

clv_value clv_builder_max_pool(clv_builder *b, const char *name, clv_value x, clv_pool pool)
{
    clv_feature f = *feature(b, x);
    pool.stride = CLV_MAX(pool.stride, 1);
    Onnx__NodeProto *node = add_node(b, "MaxPool", name, (const char *[]){f.name}, 1);
    add_window(node, pool.kernel, pool.stride, pool.pad);
    if (pool.ceil) clv_proto_int(node, "ceil_mode", 1);
    f.h = pooled(f.h, pool);
    f.w = pooled(f.w, pool);
    /* of four or nine rectified neighbours, somewhat alike; measured on these networks */
    f.mean += (pool.kernel > 2 ? 1.1 : 0.7) * sqrt(f.variance);
    f.variance *= pool.kernel > 2 ? 0.9 : 1.0;
    return add_feature(b, name, f);
}

clv_value clv_builder_global_mean(clv_builder *b, const char *name, clv_value x)
{
    clv_feature f = *feature(b, x);
    add_node(b, "GlobalAveragePool", name, (const char *[]){f.name}, 1);
    f.variance /= sqrt((double)(f.h * f.w)); /* places are neither alike nor independent */
    f.h = f.w = 1;
    return add_feature(b, name, f);
}

clv_value clv_builder_flatten(clv_builder *b, const char *name, clv_value x)
{
    clv_feature f = *feature(b, x);
    clv_proto_int(add_node(b, "Flatten", name, (const char *[]){f.name}, 1), "axis", 1);
    f.c *= f.h * f.w;
    f.h = f.w = 0;
    return add_feature(b, name, f);
}

clv_value clv_builder_linear(clv_builder *b, const char *name, clv_value x, int out)
{
    clv_feature f = *feature(b, x);
    clv_layer_name weight = clv_layer("%s.weight", name), bias = clv_layer("%s.bias", name);
    add_kernel(b, weight.s, clv_shape_of(2, out, (int)f.c), &f, 1);
    add_drawn(b, bias.s, out, 0);
    b->macs += (uint64_t)out * (uint64_t)f.c;
    Onnx__NodeProto *node =
        add_node(b, "Gemm", name, (const char *[]){f.name, weight.s, bias.s}, 3);
    clv_proto_int(node, "transB", 1);
    return add_feature(b, name, (clv_feature){.c = out, .variance = 1});
}

clv_value clv_builder_add(clv_builder *b, const char *name, clv_value x, clv_value y)
{
    clv_feature f = *feature(b, x);
    const clv_feature *g = feature(b, y);
    add_node(b, "Add", name, (const char *[]){f.name, g->name}, 2);
    f.mean += g->mean;
    f.variance += g->variance;
    return add_feature(b, name, f);
}

clv_value clv_builder_concat(clv_builder *b, const char *name, const clv_value *x, size_t n)
{
    CLV_AUTO(clv_free) const char **inputs = clv_alloc_array(n, sizeof *inputs);
    clv_feature f = *feature(b, x[0]);
    double mean = 0, square = 0;
    f.c = 0;
    for (size_t i = 0; i < n; i++) {
        const clv_feature *g = feature(b, x[i]);
        inputs[i] = g->name;
        f.c += g->c;
        mean += g->mean * (double)g->c;
        square += (g->variance + g->mean * g->mean) * (double)g->c;
    }
    f.mean = mean / (double)f.c;
    f.variance = square / (double)f.c - f.mean * f.mean;
    clv_proto_int(add_node(b, "Concat", name, inputs, n), "axis", 1);
    return add_feature(b, name, f);
}

clv_shape clv_builder_shape(const clv_builder *b, clv_value x)
{
    const clv_feature *f = feature(b, x);
    if (!f->h) return clv_shape_of(2, 1, (int)f->c);
    return clv_shape_of(4, 1, (int)f->c, (int)f->h, (int)f->w);
}

void clv_builder_output(clv_builder *b, clv_value x)
{
    clv_shape shape = clv_builder_shape(b, x);
    shape.dim[0] = -1;
    clv_proto_output(b->graph, feature(b, x)->name, CLV_F32, shape);
}

uint64_t clv_builder_params(const clv_builder *b)
{
    return b->params;
}
uint64_t clv_builder_macs(const clv_builder *b)
{
    return b->macs;
}
