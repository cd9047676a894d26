/* The layers that zoo/random.c draws networks from and zoo/reference.c is made of. Private to zoo/.
 *
 *     clv_spot x = clv_draft_input(&d, 3, 32, 32);
 *     x = clv_draft_conv(&d, x, (clv_filter){.out = 16, .kh = 3, .kw = 3, .stride = 1, .relu = true});
 *     clv_filter wide = {.out = 16, .kh = 1, .kw = 1, .stride = 1};
 *     x = clv_draft_binary(&d, "Add", x, clv_draft_conv(&d, x, wide));
 *
 * Each adds nodes to the draft's graph and returns the tensor that they make; a spot is a plain value
 * and may be read by several layers. Weights are drawn from d->rng, so a seed gives one network. Layers
 * add their multiply-accumulates to d->macs; who draws stops when macs_max is near.
 * Beside zoo/builder.h, which writes the published networks in their authors' terms and streams
 * hundreds of megabytes of weights, this makes small graphs in memory, of more kinds of layers. */
#ifndef CLV_ZOO_RANDOM_PRIV_H
#define CLV_ZOO_RANDOM_PRIV_H

#include "base/rng.h"
#include "zoo/proto.h"
#include "zoo/random.h"

#include <stdbool.h>

typedef struct clv_draft {
    Onnx__GraphProto *graph;
    clv_rng rng;
    int n;                 /* tensors named so far */
    double macs, macs_max; /* so far; about where to stop */
} clv_draft;

/* A tensor: an image of c × h × w, or (sequence) h places of c numbers. */
typedef struct clv_spot {
    char name[16];
    int64_t c, h, w;
} clv_spot;

/* A convolution's window. One activation at most. */
typedef struct clv_filter {
    int64_t out;
    int kh, kw, stride;
    int64_t groups; /* 0: 1 */
    bool relu, relu6, silu;
} clv_filter;

clv_spot clv_draft_input(clv_draft *d, int64_t c, int64_t h, int64_t w);
/* Padded so that stride 1 keeps the size; with bias, and the activation behind it. */
clv_spot clv_draft_conv(clv_draft *d, clv_spot x, clv_filter f);
/* An operator of one (two) tensors by its ONNX name, which keeps the shape. */
clv_spot clv_draft_unary(clv_draft *d, const char *op, clv_spot x);
clv_spot clv_draft_relu6(clv_draft *d, clv_spot x);
clv_spot clv_draft_silu(clv_draft *d, clv_spot x);
clv_spot clv_draft_binary(clv_draft *d, const char *op, clv_spot x, clv_spot y);
/* "MaxPool" or "AveragePool" with a square window; "GlobalAveragePool", which looks at none of the numbers. */
clv_spot clv_draft_pool(clv_draft *d, const char *op, clv_spot x, int kernel, int stride, int pad);
clv_spot clv_draft_norm(clv_draft *d, clv_spot x); /* batch normalisation */
clv_spot clv_draft_concat(clv_draft *d, const clv_spot *x, size_t n);
/* Channels [from, from + n). */
clv_spot clv_draft_slice(clv_draft *d, clv_spot x, int64_t from, int64_t n);
/* Channels of the groups taken in turns, as ShuffleNet does; `groups` divides c. */
clv_spot clv_draft_shuffle(clv_draft *d, clv_spot x, int64_t groups);
/* Twice as high and wide, nearest neighbour. */
clv_spot clv_draft_upsample(clv_draft *d, clv_spot x);
clv_spot clv_draft_flatten(clv_draft *d, clv_spot x);
clv_spot clv_draft_gemm(clv_draft *d, clv_spot x, int64_t out, bool relu);
/* Of sequences. */
clv_spot clv_draft_tokens(clv_draft *d, clv_spot image);
clv_spot clv_draft_layer_norm(clv_draft *d, clv_spot x);
clv_spot clv_draft_project(clv_draft *d, clv_spot x, int64_t out);
clv_spot clv_draft_gelu(clv_draft *d, clv_spot x);
clv_spot clv_draft_attention(clv_draft *d, clv_spot x, int64_t heads);

#endif
