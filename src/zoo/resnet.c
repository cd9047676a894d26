/* ResNet-18: four stages of two basic blocks. Where a stage halves the image, the shortcut is a 1×1
 * convolution of stride 2. */
#include "zoo/zoo.h"

#define EPSILON 1e-5

static clv_value filter(clv_builder *b, const char *block, const char *part, clv_value x,
                        clv_conv conv)
{
    x = clv_builder_conv(b, clv_layer("%s.conv%s", block, part).s, x, conv);
    return clv_builder_norm(b, clv_layer("%s.bn%s", block, part).s, x, EPSILON);
}

static clv_value basic_block(clv_builder *b, const char *name, clv_value x, int out, int stride)
{
    clv_value y = filter(b, name, "1", x, (clv_conv){out, 3, stride, .pad = 1});
    y = clv_builder_relu(b, clv_layer("%s.relu1", name).s, y);
    y = filter(b, name, "2", y, (clv_conv){out, 3, 1, .pad = 1});
    if (stride > 1)
        x = filter(b, name, "0", x, (clv_conv){.out = out, .kernel = 1, .stride = stride});
    y = clv_builder_add(b, clv_layer("%s.add", name).s, y, x);
    return clv_builder_relu(b, clv_layer("%s.relu2", name).s, y);
}

void clv_zoo_resnet18(clv_builder *b)
{
    clv_value x = clv_builder_input(b, "input", 3, 224, 224);
    x = filter(b, "stem", "1", x, (clv_conv){64, 7, 2, .pad = 3});
    x = clv_builder_relu(b, "stem.relu1", x);
    x = clv_builder_max_pool(b, "stem.pool", x, (clv_pool){3, 2, 1, false});
    for (int stage = 1; stage <= 4; stage++)
        for (int k = 0; k < 2; k++)
            x = basic_block(b, clv_layer("layer%d.%d", stage, k).s, x, 32 << stage,
                            stage > 1 && k == 0 ? 2 : 1);
    x = clv_builder_flatten(b, "flatten", clv_builder_global_mean(b, "pool", x));
    clv_builder_output(b, clv_builder_linear(b, "logits", x, 1000));
}
