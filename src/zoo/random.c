#include "zoo/random.h"
#include "base/mem.h"
#include "zoo/random_priv.h"

#include <math.h>

static const char *const names[CLV_RANDOM_FAMILY_COUNT] = {
#define X(name, text) [CLV_RANDOM_##name] = text,
    CLV_RANDOM_FAMILY_MAP(X)
#undef X
};

const char *clv_random_family_name(clv_random_family f)
{
    return (unsigned)f < CLV_RANDOM_FAMILY_COUNT ? names[f] : "?";
}

/* ---- draws ---- */

static int64_t between(clv_draft *d, double low, double high)
{
    return llround(low * pow(high / low, clv_rng_unit(&d->rng)));
}

static bool chance(clv_draft *d, double p)
{
    return clv_rng_unit(&d->rng) < p;
}

static int one_of(clv_draft *d, const int *items, size_t n)
{
    return items[clv_rng_below(&d->rng, n)];
}
#define ONE_OF(d, ...)                                                                             \
    one_of(d, (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

/* Widths are multiples of 32 or 16 as a rule, sometimes of 8, rarely of 4. */
static int64_t width(clv_draft *d, double low, double high)
{
    int64_t grain = ONE_OF(d, 32, 32, 16, 16, 16, 8, 8, 4);
    int64_t c = between(d, low, high);
    return CLV_MAX((c + grain / 2) / grain * grain, grain);
}

static bool full(const clv_draft *d)
{
    return d->macs > d->macs_max;
}

static clv_spot conv_relu(clv_draft *d, clv_spot x, int64_t out, int kernel, int stride)
{
    return clv_draft_conv(
        d, x, (clv_filter){.out = out, .kh = kernel, .kw = kernel, .stride = stride, .relu = true});
}

static clv_spot conv_bare(clv_draft *d, clv_spot x, int64_t out, int kernel, int stride)
{
    return clv_draft_conv(d, x,
                          (clv_filter){.out = out, .kh = kernel, .kw = kernel, .stride = stride});
}

/* An image and the first convolution; `pools`: the chance that what is large is pooled at once. */
static clv_spot stem(clv_draft *d, double low, double high, double pools)
{
    int64_t side = between(d, 64, 320);
    clv_spot x = clv_draft_input(d, 3, side, side);
    x = conv_relu(d, x, width(d, low, high), ONE_OF(d, 3, 3, 5, 7, 7, 11), ONE_OF(d, 1, 2, 2, 2));
    while (x.h > 64 && chance(d, pools)) x = clv_draft_pool(d, "MaxPool", x, 3, 2, 1);
    return x;
}

static clv_spot head(clv_draft *d, clv_spot x)
{
    x = clv_draft_pool(d, "GlobalAveragePool", x, 0, 0, 0);
    return clv_draft_gemm(d, clv_draft_flatten(d, x), between(d, 10, 2000), false);
}

/* ---- families: one stage each ---- */

static clv_spot plain_stage(clv_draft *d, clv_spot x, int64_t c)
{
    for (int i = ONE_OF(d, 1, 2, 3); i > 0 && !full(d); i--)
        x = conv_relu(d, x, c, ONE_OF(d, 3, 3, 3, 3, 5, 1), 1);
    int kernel = ONE_OF(d, 2, 3);
    return x.h >= 4
               ? clv_draft_pool(d, ONE_OF(d, 0, 0, 1) ? "AveragePool" : "MaxPool", x, kernel, 2, 0)
               : x;
}

static clv_spot residual_block(clv_draft *d, clv_spot x, int64_t c, int stride)
{
    clv_spot y = x;
    int deep = ONE_OF(d, 0, 0, 1, 2);
    if (deep == 0) {
        y = conv_bare(d, conv_relu(d, x, c, 3, stride), c, 3, 1);
    } else {
        int64_t inner = CLV_MAX(c / 4 / 8 * 8, 8);
        clv_filter middle = {.out = inner, .kh = 3, .kw = 3, .stride = stride, .relu = true};
        if (deep == 2) {
            inner = CLV_MAX(c / 2 / 32 * 32, 32);
            middle.out = inner;
            middle.groups = ONE_OF(d, 4, 8, 32, 2);
        }
        y = clv_draft_conv(d, conv_relu(d, x, inner, 1, 1), middle);
        y = conv_bare(d, y, c, 1, 1);
    }
    if (x.c != c || stride > 1) x = conv_bare(d, x, c, 1, stride);
    return clv_draft_unary(d, "Relu", clv_draft_binary(d, "Add", y, x));
}

static clv_spot residual_stage(clv_draft *d, clv_spot x, int64_t c)
{
    int stride = x.h >= 8 ? 2 : 1;
    for (int i = ONE_OF(d, 1, 2, 3); i > 0 && !full(d); i--, stride = 1)
        x = residual_block(d, x, c, stride);
    return x;
}

static clv_spot squeeze(clv_draft *d, clv_spot x, int64_t inner)
{
    clv_spot s = clv_draft_pool(d, "GlobalAveragePool", x, 0, 0, 0);
    clv_filter down = {.out = inner, .kh = 1, .kw = 1, .stride = 1, .silu = true};
    if (chance(d, 0.4)) down.silu = !(down.relu = true);
    s = conv_bare(d, clv_draft_conv(d, s, down), x.c, 1, 1);
    return clv_draft_binary(d, "Mul", x, clv_draft_unary(d, "Sigmoid", s));
}

static clv_spot inverted_stage(clv_draft *d, clv_spot x, int64_t c)
{
    int stride = x.h >= 8 ? ONE_OF(d, 1, 2, 2, 2) : 1, factor = ONE_OF(d, 1, 3, 4, 6, 6);
    int kernel = ONE_OF(d, 3, 3, 5);
    bool squeezes = chance(d, 0.45), silu = chance(d, squeezes ? 0.8 : 0.2);
    c = CLV_MAX(c / 2 / 8 * 8, 8);
    for (int i = ONE_OF(d, 1, 2, 3, 4); i > 0 && !full(d); i--, stride = 1) {
        clv_filter f = {.out = x.c * factor, .kh = 1, .kw = 1, .stride = 1};
        f.silu = silu;
        f.relu6 = !silu;
        clv_spot y = factor > 1 ? clv_draft_conv(d, x, f) : x;
        f.kh = f.kw = kernel;
        f.stride = stride;
        f.groups = y.c;
        y = clv_draft_conv(d, y, f);
        if (squeezes) y = squeeze(d, y, CLV_MAX(x.c / 4, 4));
        y = conv_bare(d, y, c, 1, 1);
        x = x.c == c && stride == 1 ? clv_draft_binary(d, "Add", x, y) : y;
    }
    return x;
}

static clv_spot across(clv_draft *d, clv_spot x, int64_t out, int kh, int kw)
{
    return clv_draft_conv(d, x,
                          (clv_filter){.out = out, .kh = kh, .kw = kw, .stride = 1, .relu = true});
}

static clv_spot inception_block(clv_draft *d, clv_spot x, int64_t c)
{
    clv_spot b[4];
    size_t n = 0;
    int64_t part = CLV_MAX(c / 4 / 8 * 8, 8);
    bool wide = chance(d, 0.3);
    if (chance(d, 0.25)) { /* SqueezeNet's: a narrow one, then two */
        x = conv_relu(d, x, part, 1, 1);
        b[n++] = conv_relu(d, x, 2 * part, 1, 1);
        b[n++] = conv_relu(d, x, 2 * part, 3, 1);
        return clv_draft_concat(d, b, n);
    }
    b[n++] = conv_relu(d, x, width(d, (double)part / 2, (double)part * 1.5), 1, 1);
    clv_spot y = conv_relu(d, x, width(d, (double)part / 2, (double)part), 1, 1);
    b[n++] = wide ? across(d, across(d, y, part, 1, 7), part, 7, 1)
                  : conv_relu(d, y, width(d, (double)part, (double)part * 2), 3, 1);
    y = conv_relu(d, x, width(d, (double)part / 6, (double)part), 1, 1);
    b[n++] = conv_relu(d, y, width(d, (double)part / 3, (double)part), ONE_OF(d, 3, 5), 1);
    y = clv_draft_pool(d, chance(d, 0.5) ? "MaxPool" : "AveragePool", x, 3, 1, 1);
    b[n++] = conv_relu(d, y, width(d, (double)part / 3, (double)part), 1, 1);
    return clv_draft_concat(d, b, n);
}

static clv_spot inception_stage(clv_draft *d, clv_spot x, int64_t c)
{
    for (int i = ONE_OF(d, 1, 2); i > 0 && !full(d); i--) x = inception_block(d, x, c);
    return x.h >= 8 ? clv_draft_pool(d, "MaxPool", x, 3, 2, ONE_OF(d, 0, 1)) : x;
}

static clv_spot dense_stage(clv_draft *d, clv_spot x, int64_t c)
{
    clv_spot all[16] = {x};
    int64_t growth = width(d, 12, 48);
    size_t n = 1, layers = (size_t)ONE_OF(d, 2, 4, 6, 8);
    (void)c;
    for (; n <= layers && !full(d); n++) {
        clv_spot y = clv_draft_concat(d, all, n);
        y = clv_draft_unary(d, "Relu", clv_draft_norm(d, y));
        y = conv_relu(d, y, 4 * growth, 1, 1);
        all[n] = conv_bare(d, y, growth, 3, 1);
    }
    x = clv_draft_unary(d, "Relu", clv_draft_norm(d, clv_draft_concat(d, all, n)));
    x = conv_bare(d, x, CLV_MAX(x.c / 2 / 8 * 8, 8), 1, 1);
    return x.h >= 8 ? clv_draft_pool(d, "AveragePool", x, 2, 2, 0) : x;
}

static clv_spot narrow(clv_draft *d, clv_spot x, int64_t c, int stride)
{
    clv_spot y = conv_relu(d, x, c, 1, 1);
    clv_filter f = {.out = c, .kh = 3, .kw = 3, .stride = stride, .groups = c};
    return conv_relu(d, clv_draft_conv(d, y, f), c, 1, 1);
}

static clv_spot shuffle_stage(clv_draft *d, clv_spot x, int64_t c)
{
    int64_t half = CLV_MAX(c / 2 + ONE_OF(d, 0, 0, 2, 6), 8);
    clv_filter f = {.out = x.c, .kh = 3, .kw = 3, .stride = 2, .groups = x.c};
    clv_spot two[2] = {conv_relu(d, clv_draft_conv(d, x, f), half, 1, 1), narrow(d, x, half, 2)};
    x = clv_draft_shuffle(d, clv_draft_concat(d, two, 2), 2);
    for (int i = ONE_OF(d, 1, 2, 3); i > 0 && !full(d); i--) {
        two[0] = clv_draft_slice(d, x, 0, half);
        two[1] = narrow(d, clv_draft_slice(d, x, half, half), half, 1);
        x = clv_draft_shuffle(d, clv_draft_concat(d, two, 2), 2);
    }
    return x;
}

/* ---- whole networks ---- */

typedef clv_spot (*stage)(clv_draft *, clv_spot, int64_t);

typedef struct style {
    stage stage;
    double pools; /* behind the first convolution */
} style;

static const style styles[CLV_RANDOM_FAMILY_COUNT] = {
    [CLV_RANDOM_PLAIN] = {plain_stage, 0.6},       [CLV_RANDOM_RESIDUAL] = {residual_stage, 0.8},
    [CLV_RANDOM_INVERTED] = {inverted_stage, 0.2}, [CLV_RANDOM_INCEPTION] = {inception_stage, 0.8},
    [CLV_RANDOM_DENSE] = {dense_stage, 0.8},       [CLV_RANDOM_SHUFFLE] = {shuffle_stage, 0.8},
};

static clv_spot staged(clv_draft *d, clv_random_family family)
{
    const style *of = &styles[family];
    clv_spot x = stem(d, 16, 96, of->pools);
    double c = (double)x.c * (0.7 + clv_rng_unit(&d->rng));
    for (int i = 0; i < 6 && !full(d); i++) {
        x = of->stage(d, x, width(d, c * 0.8, c * 1.25));
        c = CLV_MIN(c * (1.4 + 0.8 * clv_rng_unit(&d->rng)), 2048.0);
    }
    return x;
}

/* 96 MB: more than the caches next to a core hold, as in AlexNet and VGG. */
#define LINEAR_WEIGHTS_MAX 24e6

static clv_spot plain(clv_draft *d)
{
    clv_spot x = staged(d, CLV_RANDOM_PLAIN);
    if (chance(d, 0.3) || x.c * x.h * x.w > 40000) return head(d, x);
    x = clv_draft_flatten(d, x);
    double out = LINEAR_WEIGHTS_MAX / (double)x.c;
    x = clv_draft_gemm(d, x, CLV_MAX(between(d, CLV_MAX(out / 16, 10.0), CLV_MAX(out, 20.0)), 10),
                       true);
    x = clv_draft_gemm(d, x, between(d, 10, 4096), true);
    return clv_draft_gemm(d, x, between(d, 10, 1000), false);
}

static clv_spot transformer(clv_draft *d)
{
    int patch = ONE_OF(d, 8, 16, 16, 32);
    int64_t side = patch * between(d, 4, 16), heads = ONE_OF(d, 2, 3, 4, 6, 8, 12);
    int64_t c = heads * ONE_OF(d, 32, 64, 64);
    clv_spot x = clv_draft_input(d, 3, side, side);
    clv_filter f = {.out = c, .kh = patch, .kw = patch, .stride = patch};
    x = clv_draft_tokens(d, clv_draft_conv(d, x, f));
    d->macs_max *= 2;
    for (int i = 0; i < 3 && (i == 0 || !full(d)); i++) {
        x = clv_draft_binary(d, "Add", x,
                             clv_draft_attention(d, clv_draft_layer_norm(d, x), heads));
        clv_spot y = clv_draft_project(d, clv_draft_layer_norm(d, x), c * ONE_OF(d, 2, 4, 4));
        x = clv_draft_binary(d, "Add", x, clv_draft_project(d, clv_draft_gelu(d, y), c));
    }
    return clv_draft_layer_norm(d, x);
}

static clv_spot hourglass(clv_draft *d)
{
    int64_t side = 32 * between(d, 2, 7), c = width(d, 8, 32);
    clv_spot x = clv_draft_input(d, 3, side, side), kept[3];
    int depth = ONE_OF(d, 2, 3);
    for (int i = 0; i < depth; i++, c *= 2) {
        kept[i] = conv_relu(d, conv_relu(d, x, c, 3, 1), c, 3, 1);
        x = clv_draft_pool(d, "MaxPool", kept[i], 2, 2, 0);
    }
    x = conv_relu(d, x, c, 3, 1);
    for (int i = depth - 1; i >= 0; i--) {
        c /= 2;
        clv_spot two[2] = {kept[i], conv_relu(d, clv_draft_upsample(d, x), c, ONE_OF(d, 1, 3), 1)};
        x = conv_relu(d, clv_draft_concat(d, two, 2), c, 3, 1);
    }
    return clv_draft_unary(d, "Sigmoid", conv_bare(d, x, 1, 1, 1));
}

void clv_random_network(clv_random_family family, uint64_t seed, clv_buf *out)
{
    clv_draft d = {.graph = clv_proto_graph(clv_random_family_name(family)),
                   .rng = clv_rng_seeded(seed * CLV_RANDOM_FAMILY_COUNT + (uint64_t)family)};
    d.macs_max = CLV_RANDOM_MACS_MAX * (0.05 + 0.75 * clv_rng_unit(&d.rng));
    clv_spot y;
    if (family == CLV_RANDOM_PLAIN)
        y = plain(&d);
    else if (family == CLV_RANDOM_TRANSFORMER)
        y = transformer(&d);
    else if (family == CLV_RANDOM_HOURGLASS)
        y = hourglass(&d);
    else
        y = head(&d, staged(&d, family));
    clv_proto_output(d.graph, y.name, CLV_F32, (clv_shape){.rank = -1});
    clv_proto_pack(d.graph, out);
    clv_proto_free(d.graph);
}
