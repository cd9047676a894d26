/* The layers that zoo/random.c draws networks from: private to zoo/. */
#ifndef CLV_ZOO_RANDOM_PRIV_H
#define CLV_ZOO_RANDOM_PRIV_H

#include "base/rng.h"
#include "zoo/proto.h"
#include "zoo/random.h"

#include <stdbool.h>

typedef struct clv_draft {
    Onnx__GraphProto *graph;
    clv_rng rng;
    int n; /* tensors named so far */
    double macs, macs_max;
} clv_draft;

/* A tensor: an image of c × h × w, or (sequence) h places of c numbers. */
typedef struct clv_spot {
    char name[16];
    int64_t c, h, w;
} clv_spot;

typedef struct clv_filter {
    int64_t out;
    int kh, kw, stride;
    int64_t groups; /* 0: 1 */
    bool relu, relu6, silu;
} clv_filter;

clv_spot clv_draft_input(clv_draft *d, int64_t c, int64_t h, int64_t w);
/* Padded so that stride 1 keeps the size; with bias, and the activation behind it. */
clv_spot clv_draft_conv(clv_draft *d, clv_spot x, clv_filter f);
clv_spot clv_draft_unary(clv_draft *d, const char *op, clv_spot x);
clv_spot clv_draft_relu6(clv_draft *d, clv_spot x);
clv_spot clv_draft_silu(clv_draft *d, clv_spot x);
clv_spot clv_draft_binary(clv_draft *d, const char *op, clv_spot x, clv_spot y);
clv_spot clv_draft_pool(clv_draft *d, const char *op, clv_spot x, int kernel, int stride, int pad);
clv_spot clv_draft_norm(clv_draft *d, clv_spot x); /* batch normalisation */
clv_spot clv_draft_concat(clv_draft *d, const clv_spot *x, size_t n);
/* Channels [from, from + n). */
clv_spot clv_draft_slice(clv_draft *d, clv_spot x, int64_t from, int64_t n);
clv_spot clv_draft_shuffle(clv_draft *d, clv_spot x, int64_t groups);
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
