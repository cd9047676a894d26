/* MobileNetV2: inverted residuals. A block widens with a 1×1 convolution, filters each channel by
 * itself, and narrows without an activation; when shapes allow, its input is added. */
#include "zoo/zoo.h"

#include "base/mem.h"

#define EPSILON 1e-5

typedef struct stage {
    int widen, out, blocks, stride;
} stage;

/* Table 2 of the paper. */
static const stage stages[] = {
    {1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2},  {6, 64, 4, 2},
    {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1},
};

static clv_value filter(clv_builder *b, const char *name, clv_value x, clv_conv conv)
{
    x = clv_builder_conv(b, clv_layer("%s.conv", name).s, x, conv);
    x = clv_builder_norm(b, clv_layer("%s.bn", name).s, x, EPSILON);
    return clv_builder_relu6(b, clv_layer("%s.relu6", name).s, x);
}

static clv_value block(clv_builder *b, int index, clv_value x, int in, const stage *s, int stride)
{
    clv_value y = x;
    int wide = in * s->widen;
    if (s->widen > 1)
        y = filter(b, clv_layer("block%d.widen", index).s, y, (clv_conv){.out = wide, .kernel = 1});
    y = filter(b, clv_layer("block%d.depth", index).s, y,
               (clv_conv){.out = wide, .kernel = 3, .stride = stride, .pad = 1, .groups = wide});
    y = clv_builder_conv(b, clv_layer("block%d.narrow.conv", index).s, y,
                         (clv_conv){.out = s->out, .kernel = 1});
    y = clv_builder_norm(b, clv_layer("block%d.narrow.bn", index).s, y, EPSILON);
    if (stride > 1 || in != s->out) return y;
    return clv_builder_add(b, clv_layer("block%d.add", index).s, x, y);
}

void clv_zoo_mobilenet_v2(clv_builder *b)
{
    int channels = 32, index = 0;
    clv_value x = clv_builder_input(b, "input", 3, 224, 224);
    x = filter(b, "stem", x, (clv_conv){.out = channels, .kernel = 3, .stride = 2, .pad = 1});
    for (size_t i = 0; i < CLV_COUNT(stages); i++)
        for (int k = 0; k < stages[i].blocks; k++) {
            x = block(b, ++index, x, channels, &stages[i], k ? 1 : stages[i].stride);
            channels = stages[i].out;
        }
    x = filter(b, "head", x, (clv_conv){.out = 1280, .kernel = 1});
    x = clv_builder_flatten(b, "flatten", clv_builder_global_mean(b, "pool", x));
    clv_builder_output(b, clv_builder_linear(b, "logits", x, 1000));
}
