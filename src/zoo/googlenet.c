/* GoogLeNet as torchvision has it: batch norm behind every convolution, and 3×3 where the paper's
 * third branch has 5×5. */
#include "zoo/zoo.h"

#include "base/mem.h"

#define EPSILON 1e-3

/* Channels of the four branches: 1×1 | 1×1, 3×3 | 1×1, 3×3 | pool, 1×1. */
typedef struct inception {
    const char *name;
    int one, narrow_a, a, narrow_b, b, pooled;
    int pool_after; /* kernel of the pool that follows, 0: none */
} inception;

static const inception inceptions[] = {
    {"3a", 64, 96, 128, 16, 32, 32, 0},     {"3b", 128, 128, 192, 32, 96, 64, 3},
    {"4a", 192, 96, 208, 16, 48, 64, 0},    {"4b", 160, 112, 224, 24, 64, 64, 0},
    {"4c", 128, 128, 256, 24, 64, 64, 0},   {"4d", 112, 144, 288, 32, 64, 64, 0},
    {"4e", 256, 160, 320, 32, 128, 128, 2}, {"5a", 256, 160, 320, 32, 128, 128, 0},
    {"5b", 384, 192, 384, 48, 128, 128, 0},
};

static clv_value filter(clv_builder *b, const char *name, clv_value x, clv_conv conv)
{
    x = clv_builder_conv(b, clv_layer("%s.conv", name).s, x, conv);
    x = clv_builder_norm(b, clv_layer("%s.bn", name).s, x, EPSILON);
    return clv_builder_relu(b, clv_layer("%s.relu", name).s, x);
}

static clv_value narrow_then_filter(clv_builder *b, const char *name, clv_value x, int narrow,
                                    int out)
{
    x = filter(b, clv_layer("%s.1", name).s, x, (clv_conv){.out = narrow, .kernel = 1});
    return filter(b, clv_layer("%s.2", name).s, x, (clv_conv){.out = out, .kernel = 3, .pad = 1});
}

static clv_value add_inception(clv_builder *b, const inception *in, clv_value x)
{
    clv_value branches[4];
    branches[0] = filter(b, clv_layer("inception%s.branch1", in->name).s, x,
                         (clv_conv){.out = in->one, .kernel = 1});
    branches[1] =
        narrow_then_filter(b, clv_layer("inception%s.branch2", in->name).s, x, in->narrow_a, in->a);
    branches[2] =
        narrow_then_filter(b, clv_layer("inception%s.branch3", in->name).s, x, in->narrow_b, in->b);
    branches[3] = clv_builder_max_pool(b, clv_layer("inception%s.branch4.pool", in->name).s, x,
                                       (clv_pool){3, 1, 1, true});
    branches[3] = filter(b, clv_layer("inception%s.branch4", in->name).s, branches[3],
                         (clv_conv){.out = in->pooled, .kernel = 1});
    x = clv_builder_concat(b, clv_layer("inception%s", in->name).s, branches, 4);
    if (!in->pool_after) return x;
    return clv_builder_max_pool(b, clv_layer("inception%s.pool", in->name).s, x,
                                (clv_pool){in->pool_after, 2, 0, true});
}

void clv_zoo_googlenet(clv_builder *b)
{
    static const clv_pool halve = {3, 2, 0, true};
    clv_value x = clv_builder_input(b, "input", 3, 224, 224);
    x = filter(b, "conv1", x, (clv_conv){64, 7, 2, .pad = 3});
    x = clv_builder_max_pool(b, "pool1", x, halve);
    x = filter(b, "conv2", x, (clv_conv){.out = 64, .kernel = 1});
    x = filter(b, "conv3", x, (clv_conv){.out = 192, .kernel = 3, .pad = 1});
    x = clv_builder_max_pool(b, "pool2", x, halve);
    for (size_t i = 0; i < CLV_COUNT(inceptions); i++) x = add_inception(b, &inceptions[i], x);
    x = clv_builder_flatten(b, "flatten", clv_builder_global_mean(b, "pool3", x));
    clv_builder_output(b, clv_builder_linear(b, "logits", x, 1000));
}
