/* Builds a convolutional network layer by layer and writes it as one ONNX file.
 *
 *     clv_builder *b = clv_builder_new("tiny", seed);
 *     clv_value x = clv_builder_input(b, "input", 3, 32, 32);
 *     x = clv_builder_conv(b, "conv1", x, (clv_conv){.out = 8, .kernel = 3, .pad = 1});
 *     x = clv_builder_relu(b, "relu1", clv_builder_norm(b, "bn1", x, 1e-5));
 *     clv_builder_output(b, clv_builder_linear(b, "logits", clv_builder_flatten(b, "flat", x), 10));
 *     clv_builder_write(b, "tiny.onnx", &bytes, &err);
 *     clv_builder_free(b);
 *
 * A layer makes one tensor that is named like its node, so that a cut is called after the layer it
 * follows; its weights are NAME.weight, NAME.bias and so on. The batch is free. No data are held in
 * memory: weights are made while they are written.
 *
 * Activations stay in range without a calibration run. The builder keeps an estimate of mean and
 * variance of each tensor (inputs: 0 and 1, as normalised images have) and scales weights by it (He
 * et al., "Delving Deep into Rectifiers", 2015). Behind rectifiers, whose results are positive, the
 * weights of an output channel add up to 0 (Huang et al., "Centered Weight Normalization", 2017):
 * else the mean would outweigh the picture, and all inputs of a deep random network would end in
 * nearly the same output. Batch norms get the mean and variance that the weights drawn before them
 * make; biases and the learned part of batch norms are drawn, close to 0 and 1.
 *
 * Every raw_data starts at a multiple of CLV_BUILDER_ALIGN in the file, so that weights can be used
 * in place from a file map: a doc_string of blanks before it, which readers ignore, pads it.
 */
#ifndef CLV_ZOO_BUILDER_H
#define CLV_ZOO_BUILDER_H

#include "tensor/tensor.h"

enum { CLV_BUILDER_ALIGN = 64 };

typedef struct clv_builder clv_builder;
typedef int clv_value; /* a tensor of the network that is being built */

/* Zero stands for stride 1 and one group. Pads are equal on all sides, kernels are square. */
typedef struct clv_conv {
    int out, kernel, stride, pad, groups;
    bool bias;
} clv_conv;

typedef struct clv_pool {
    int kernel, stride, pad;
    bool ceil; /* a last window that is not full counts */
} clv_pool;

/* A layer's name with its place: clv_layer("layer%d.%d.conv1", i, k).s */
typedef struct clv_layer_name {
    char s[64];
} clv_layer_name;
clv_layer_name clv_layer(const char *fmt, ...) CLV_PRINTF(1, 2);

clv_builder *clv_builder_new(const char *network, uint64_t seed);
void clv_builder_free(clv_builder *b);

/* A float image of c × h × w. */
clv_value clv_builder_input(clv_builder *b, const char *name, int c, int h, int w);
clv_value clv_builder_conv(clv_builder *b, const char *name, clv_value x, clv_conv conv);
/* Batch norm in inference form, of a convolution without bias. */
clv_value clv_builder_norm(clv_builder *b, const char *name, clv_value x, double epsilon);
clv_value clv_builder_relu(clv_builder *b, const char *name, clv_value x);
clv_value clv_builder_relu6(clv_builder *b, const char *name, clv_value x);
clv_value clv_builder_max_pool(clv_builder *b, const char *name, clv_value x, clv_pool pool);
clv_value clv_builder_global_mean(clv_builder *b, const char *name, clv_value x);
clv_value clv_builder_flatten(clv_builder *b, const char *name, clv_value x);
clv_value clv_builder_linear(clv_builder *b, const char *name, clv_value x, int out);
clv_value clv_builder_add(clv_builder *b, const char *name, clv_value x, clv_value y);
clv_value clv_builder_concat(clv_builder *b, const char *name, const clv_value *x, size_t n);
void clv_builder_output(clv_builder *b, clv_value x);

/* Trainable parameters (not the statistics of batch norms) and multiply-accumulates of
 * convolutions and linear layers at batch 1, as publications count them. */
uint64_t clv_builder_params(const clv_builder *b);
uint64_t clv_builder_macs(const clv_builder *b);
/* At batch 1. */
clv_shape clv_builder_shape(const clv_builder *b, clv_value x);

/* Write the file (whole or not at all: under another name first, then renamed). `*file_bytes` may
 * be NULL. */
CLV_MUST
clv_status clv_builder_write(clv_builder *b, const char *path, uint64_t *file_bytes,
                             clv_error *err);

#endif
