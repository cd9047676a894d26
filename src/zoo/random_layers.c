#include "base/mem.h"
#include "zoo/random_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static clv_spot named(clv_draft *d, int64_t c, int64_t h, int64_t w)
{
    clv_spot s = {.c = c, .h = h, .w = w};
    snprintf(s.name, sizeof s.name, "u%05d", d->n++);
    return s;
}

typedef struct label {
    char s[32];
} label;

static label part(const clv_spot *s, const char *what)
{
    label l;
    snprintf(l.s, sizeof l.s, "%s.%s", s->name, what);
    return l;
}

/* Uniform in ±scale * sqrt(3): deviation `scale`. */
static void weights(clv_draft *d, const char *name, clv_shape shape, double scale)
{
    size_t n = 1;
    for (int i = 0; i < shape.rank; i++) n *= (size_t)shape.dim[i];
    float *data = clv_alloc_array(n, sizeof *data);
    float span = (float)(scale * sqrt(3.0) * 2.0 / 16777216.0);
    for (size_t i = 0; i < n; i += 2) {
        uint64_t r = clv_rng_next(&d->rng);
        data[i] = ((float)(r & 0xffffff) - 8388608.0f) * span;
        if (i + 1 < n) data[i + 1] = ((float)(r >> 40) - 8388608.0f) * span;
    }
    clv_proto_weight(d->graph, name, CLV_F32, shape, data, n * sizeof *data);
    free(data);
}

static void constants(clv_draft *d, const char *name, int64_t n, double value)
{
    float *data = clv_alloc_array((size_t)n, sizeof *data);
    for (int64_t i = 0; i < n; i++) data[i] = (float)value;
    clv_proto_weight(d->graph, name, CLV_F32, clv_shape_of(1, n), data, (size_t)n * sizeof *data);
    free(data);
}

static void scalar(clv_draft *d, const char *name, double value)
{
    float x = (float)value;
    clv_proto_weight(d->graph, name, CLV_F32, clv_shape_of(0), &x, sizeof x);
}

static void integers(clv_draft *d, const char *name, const int64_t *values, int64_t n)
{
    clv_proto_weight(d->graph, name, CLV_I64, clv_shape_of(1, n), values,
                     (size_t)n * sizeof *values);
}

static Onnx__NodeProto *node(clv_draft *d, const char *op, const clv_spot *out,
                             const char *const *inputs, size_t n)
{
    return clv_proto_node(d->graph, op, out->name, inputs, n, (const char *[]){out->name}, 1);
}

clv_spot clv_draft_input(clv_draft *d, int64_t c, int64_t h, int64_t w)
{
    clv_spot s = {.name = "input", .c = c, .h = h, .w = w};
    clv_proto_input(d->graph, s.name, CLV_F32, clv_shape_of(4, (int64_t)1, c, h, w));
    return s;
}

clv_spot clv_draft_conv(clv_draft *d, clv_spot x, clv_filter f)
{
    int64_t groups = f.groups ? f.groups : 1, each = x.c / groups;
    int ph = f.kh == f.stride ? 0 : f.kh / 2, pw = f.kw == f.stride ? 0 : f.kw / 2; /* patches */
    clv_spot y =
        named(d, f.out, (x.h + 2 * ph - f.kh) / f.stride + 1, (x.w + 2 * pw - f.kw) / f.stride + 1);
    label w = part(&y, "w"), b = part(&y, "b");
    double fan_in = (double)(each * f.kh * f.kw);
    weights(d, w.s, clv_shape_of(4, f.out, each, (int64_t)f.kh, (int64_t)f.kw), sqrt(1.6 / fan_in));
    constants(d, b.s, f.out, 0.01);
    Onnx__NodeProto *conv = node(d, "Conv", &y, (const char *[]){x.name, w.s, b.s}, 3);
    clv_proto_ints(conv, "kernel_shape", (int64_t[]){f.kh, f.kw}, 2);
    clv_proto_ints(conv, "strides", (int64_t[]){f.stride, f.stride}, 2);
    clv_proto_ints(conv, "pads", (int64_t[]){ph, pw, ph, pw}, 4);
    clv_proto_int(conv, "group", groups);
    d->macs += fan_in * (double)(f.out * y.h * y.w);
    if (f.relu) return clv_draft_unary(d, "Relu", y);
    if (f.relu6) return clv_draft_relu6(d, y);
    return f.silu ? clv_draft_silu(d, y) : y;
}

clv_spot clv_draft_unary(clv_draft *d, const char *op, clv_spot x)
{
    clv_spot y = named(d, x.c, x.h, x.w);
    node(d, op, &y, (const char *[]){x.name}, 1);
    return y;
}

clv_spot clv_draft_relu6(clv_draft *d, clv_spot x)
{
    clv_spot y = named(d, x.c, x.h, x.w);
    label low = part(&y, "low"), high = part(&y, "high");
    scalar(d, low.s, 0);
    scalar(d, high.s, 6);
    node(d, "Clip", &y, (const char *[]){x.name, low.s, high.s}, 3);
    return y;
}

clv_spot clv_draft_silu(clv_draft *d, clv_spot x)
{
    return clv_draft_binary(d, "Mul", x, clv_draft_unary(d, "Sigmoid", x));
}

clv_spot clv_draft_binary(clv_draft *d, const char *op, clv_spot x, clv_spot y)
{
    clv_spot z = named(d, x.c, x.h, x.w);
    node(d, op, &z, (const char *[]){x.name, y.name}, 2);
    return z;
}

clv_spot clv_draft_pool(clv_draft *d, const char *op, clv_spot x, int kernel, int stride, int pad)
{
    clv_spot y = named(d, x.c, 1, 1);
    Onnx__NodeProto *pool = node(d, op, &y, (const char *[]){x.name}, 1);
    if (kernel == 0) return y; /* global */
    y.h = (x.h + 2 * pad - kernel) / stride + 1;
    y.w = (x.w + 2 * pad - kernel) / stride + 1;
    clv_proto_ints(pool, "kernel_shape", (int64_t[]){kernel, kernel}, 2);
    clv_proto_ints(pool, "strides", (int64_t[]){stride, stride}, 2);
    clv_proto_ints(pool, "pads", (int64_t[]){pad, pad, pad, pad}, 4);
    return y;
}

clv_spot clv_draft_norm(clv_draft *d, clv_spot x)
{
    clv_spot y = named(d, x.c, x.h, x.w);
    label scale = part(&y, "s"), shift = part(&y, "b"), mean = part(&y, "m"), var = part(&y, "v");
    constants(d, scale.s, x.c, 0.9);
    constants(d, shift.s, x.c, 0.02);
    constants(d, mean.s, x.c, 0.1);
    constants(d, var.s, x.c, 1.1);
    node(d, "BatchNormalization", &y, (const char *[]){x.name, scale.s, shift.s, mean.s, var.s}, 5);
    return y;
}

clv_spot clv_draft_concat(clv_draft *d, const clv_spot *x, size_t n)
{
    clv_spot y = named(d, 0, x[0].h, x[0].w);
    CLV_AUTO(clv_free) const char **names = clv_alloc_array(n, sizeof *names);
    for (size_t i = 0; i < n; i++) {
        names[i] = x[i].name;
        y.c += x[i].c;
    }
    clv_proto_int(node(d, "Concat", &y, names, n), "axis", 1);
    return y;
}

clv_spot clv_draft_slice(clv_draft *d, clv_spot x, int64_t from, int64_t n)
{
    clv_spot y = named(d, n, x.h, x.w);
    label begin = part(&y, "from"), end = part(&y, "to"), axis = part(&y, "axis");
    int64_t to = from + n;
    integers(d, begin.s, &from, 1);
    integers(d, end.s, &to, 1);
    integers(d, axis.s, (int64_t[]){1}, 1);
    node(d, "Slice", &y, (const char *[]){x.name, begin.s, end.s, axis.s}, 4);
    return y;
}

static clv_spot reshape(clv_draft *d, clv_spot x, const int64_t *shape, int64_t rank, clv_spot like)
{
    clv_spot y = named(d, like.c, like.h, like.w);
    label to = part(&y, "shape");
    integers(d, to.s, shape, rank);
    node(d, "Reshape", &y, (const char *[]){x.name, to.s}, 2);
    return y;
}

static clv_spot transpose(clv_draft *d, clv_spot x, const int64_t *perm, size_t rank, clv_spot like)
{
    clv_spot y = named(d, like.c, like.h, like.w);
    clv_proto_ints(node(d, "Transpose", &y, (const char *[]){x.name}, 1), "perm", perm, rank);
    return y;
}

clv_spot clv_draft_shuffle(clv_draft *d, clv_spot x, int64_t groups)
{
    clv_spot y = reshape(d, x, (int64_t[]){1, groups, x.c / groups, x.h, x.w}, 5, x);
    y = transpose(d, y, (int64_t[]){0, 2, 1, 3, 4}, 5, x);
    return reshape(d, y, (int64_t[]){1, x.c, x.h, x.w}, 4, x);
}

clv_spot clv_draft_upsample(clv_draft *d, clv_spot x)
{
    clv_spot y = named(d, x.c, 2 * x.h, 2 * x.w);
    label scales = part(&y, "scales");
    clv_proto_weight(d->graph, scales.s, CLV_F32, clv_shape_of(1, (int64_t)4),
                     (float[]){1, 1, 2, 2}, 4 * sizeof(float));
    node(d, "Resize", &y, (const char *[]){x.name, "", scales.s}, 3);
    return y;
}

clv_spot clv_draft_flatten(clv_draft *d, clv_spot x)
{
    clv_spot y = named(d, x.c * x.h * x.w, 1, 1);
    node(d, "Flatten", &y, (const char *[]){x.name}, 1);
    return y;
}

clv_spot clv_draft_gemm(clv_draft *d, clv_spot x, int64_t out, bool relu)
{
    clv_spot y = named(d, out, 1, 1);
    label w = part(&y, "w"), b = part(&y, "b");
    weights(d, w.s, clv_shape_of(2, out, x.c), sqrt(1.6 / (double)x.c));
    constants(d, b.s, out, 0.01);
    clv_proto_int(node(d, "Gemm", &y, (const char *[]){x.name, w.s, b.s}, 3), "transB", 1);
    d->macs += (double)(out * x.c);
    return relu ? clv_draft_unary(d, "Relu", y) : y;
}

/* ---- sequences: batch × places × channels ---- */

clv_spot clv_draft_tokens(clv_draft *d, clv_spot image)
{
    clv_spot s = {.c = image.c, .h = image.h * image.w, .w = 1};
    clv_spot y = reshape(d, image, (int64_t[]){1, s.c, s.h}, 3, s);
    return transpose(d, y, (int64_t[]){0, 2, 1}, 3, s);
}

clv_spot clv_draft_layer_norm(clv_draft *d, clv_spot x)
{
    clv_spot y = named(d, x.c, x.h, 1);
    label scale = part(&y, "s"), shift = part(&y, "b");
    constants(d, scale.s, x.c, 1);
    constants(d, shift.s, x.c, 0.01);
    Onnx__NodeProto *norm =
        node(d, "LayerNormalization", &y, (const char *[]){x.name, scale.s, shift.s}, 3);
    clv_proto_int(norm, "axis", -1);
    return y;
}

clv_spot clv_draft_project(clv_draft *d, clv_spot x, int64_t out)
{
    clv_spot y = named(d, out, x.h, 1);
    label w = part(&y, "w"), b = part(&y, "b");
    weights(d, w.s, clv_shape_of(2, x.c, out), sqrt(1.0 / (double)x.c));
    node(d, "MatMul", &y, (const char *[]){x.name, w.s}, 2);
    constants(d, b.s, out, 0.01);
    clv_spot z = named(d, out, x.h, 1);
    node(d, "Add", &z, (const char *[]){y.name, b.s}, 2);
    d->macs += (double)(x.h * x.c * out);
    return z;
}

/* x / 2 * (1 + erf(x / sqrt 2)) */
clv_spot clv_draft_gelu(clv_draft *d, clv_spot x)
{
    clv_spot root = named(d, x.c, x.h, 1), one = named(d, x.c, x.h, 1),
             half = named(d, x.c, x.h, 1);
    label a = part(&root, "k"), b = part(&one, "k"), c = part(&half, "k");
    scalar(d, a.s, sqrt(2.0));
    scalar(d, b.s, 1);
    scalar(d, c.s, 0.5);
    node(d, "Div", &root, (const char *[]){x.name, a.s}, 2);
    clv_spot erf = clv_draft_unary(d, "Erf", root);
    node(d, "Add", &one, (const char *[]){erf.name, b.s}, 2);
    clv_spot product = clv_draft_binary(d, "Mul", x, one);
    node(d, "Mul", &half, (const char *[]){product.name, c.s}, 2);
    return half;
}

static clv_spot heads_of(clv_draft *d, clv_spot x, int64_t heads, bool turned)
{
    int64_t each = x.c / heads;
    clv_spot y = reshape(d, x, (int64_t[]){1, x.h, heads, each}, 4, x);
    int64_t straight[] = {0, 2, 1, 3}, across[] = {0, 2, 3, 1};
    return transpose(d, y, turned ? across : straight, 4, x);
}

clv_spot clv_draft_attention(clv_draft *d, clv_spot x, int64_t heads)
{
    clv_spot q = heads_of(d, clv_draft_project(d, x, x.c), heads, false);
    clv_spot k = heads_of(d, clv_draft_project(d, x, x.c), heads, true);
    clv_spot v = heads_of(d, clv_draft_project(d, x, x.c), heads, false);
    clv_spot scores = clv_draft_binary(d, "MatMul", q, k);
    clv_spot scaled = named(d, x.c, x.h, 1);
    label factor = part(&scaled, "k");
    scalar(d, factor.s, 1 / sqrt((double)(x.c / heads)));
    node(d, "Mul", &scaled, (const char *[]){scores.name, factor.s}, 2);
    clv_spot share = named(d, x.c, x.h, 1);
    clv_proto_int(node(d, "Softmax", &share, (const char *[]){scaled.name}, 1), "axis", -1);
    clv_spot mixed = clv_draft_binary(d, "MatMul", share, v);
    mixed = transpose(d, mixed, (int64_t[]){0, 2, 1, 3}, 4, x);
    mixed = reshape(d, mixed, (int64_t[]){1, x.h, x.c}, 3, x);
    d->macs += 2.0 * (double)(x.h * x.h * x.c);
    return clv_draft_project(d, mixed, x.c);
}
