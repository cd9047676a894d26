/* Networks that are one layer after the other: a table each. */
#include "zoo/zoo.h"

#include "base/mem.h"

typedef enum kind { CONV, POOL, LINEAR } kind;

/* A rectifier follows every convolution and every linear layer but the last. */
typedef struct layer {
    kind kind;
    int out, kernel, stride, pad;
} layer;

typedef struct chain {
    int channels, size; /* of the input image */
    const layer *layers;
    size_t n;
} chain;

static const layer lenet[] = {
    {CONV, 6, 5, 1, 2},   {POOL, 0, 2, 2, 0},  {CONV, 16, 5, 1, 0}, {POOL, 0, 2, 2, 0},
    {LINEAR, .out = 120}, {LINEAR, .out = 84}, {LINEAR, .out = 10},
};

static const layer alexnet[] = {
    {CONV, 64, 11, 4, 2},  {POOL, 0, 3, 2, 0},    {CONV, 192, 5, 1, 2},  {POOL, 0, 3, 2, 0},
    {CONV, 384, 3, 1, 1},  {CONV, 256, 3, 1, 1},  {CONV, 256, 3, 1, 1},  {POOL, 0, 3, 2, 0},
    {LINEAR, .out = 4096}, {LINEAR, .out = 4096}, {LINEAR, .out = 1000},
};

static const layer vgg16[] = {
    {CONV, 64, 3, 1, 1},   {CONV, 64, 3, 1, 1}, {POOL, 0, 2, 2, 0},    {CONV, 128, 3, 1, 1},
    {CONV, 128, 3, 1, 1},  {POOL, 0, 2, 2, 0},  {CONV, 256, 3, 1, 1},  {CONV, 256, 3, 1, 1},
    {CONV, 256, 3, 1, 1},  {POOL, 0, 2, 2, 0},  {CONV, 512, 3, 1, 1},  {CONV, 512, 3, 1, 1},
    {CONV, 512, 3, 1, 1},  {POOL, 0, 2, 2, 0},  {CONV, 512, 3, 1, 1},  {CONV, 512, 3, 1, 1},
    {CONV, 512, 3, 1, 1},  {POOL, 0, 2, 2, 0},  {LINEAR, .out = 4096}, {LINEAR, .out = 4096},
    {LINEAR, .out = 1000},
};

static void build(clv_builder *b, chain c)
{
    clv_value x = clv_builder_input(b, "input", c.channels, c.size, c.size);
    int convs = 0, pools = 0, linears = 0;
    for (size_t i = 0; i < c.n; i++) {
        const layer *l = &c.layers[i];
        switch (l->kind) {
        case CONV:
            x = clv_builder_conv(b, clv_layer("conv%d", ++convs).s, x,
                                 (clv_conv){l->out, l->kernel, l->stride, l->pad, .bias = true});
            x = clv_builder_relu(b, clv_layer("conv%d.relu", convs).s, x);
            break;
        case POOL:
            x = clv_builder_max_pool(b, clv_layer("pool%d", ++pools).s, x,
                                     (clv_pool){l->kernel, l->stride, l->pad, .ceil = false});
            break;
        case LINEAR:
            if (++linears == 1) x = clv_builder_flatten(b, "flatten", x);
            if (i + 1 == c.n) {
                x = clv_builder_linear(b, "logits", x, l->out);
                break;
            }
            x = clv_builder_linear(b, clv_layer("fc%d", linears).s, x, l->out);
            x = clv_builder_relu(b, clv_layer("fc%d.relu", linears).s, x);
            break;
        }
    }
    clv_builder_output(b, x);
}

void clv_zoo_lenet(clv_builder *b)
{
    build(b, (chain){1, 28, lenet, CLV_COUNT(lenet)});
}
void clv_zoo_alexnet(clv_builder *b)
{
    build(b, (chain){3, 224, alexnet, CLV_COUNT(alexnet)});
}
void clv_zoo_vgg16(clv_builder *b)
{
    build(b, (chain){3, 224, vgg16, CLV_COUNT(vgg16)});
}
