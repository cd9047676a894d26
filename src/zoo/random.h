/* Random networks in the style of real ones: something of every kind of unit and of many shapes, each
 * among neighbours that it has in real networks.
 *
 *     clv_buf model = {0};
 *     clv_random_network(CLV_RANDOM_RESIDUAL, seed, &model);   // the bytes of an ONNX model
 *     clv_file_write(path, model.data, model.len, &err);
 *     clv_buf_done(&model);
 *
 * Made for measure/calibrator.h: what a unit takes depends on what stands around it (layouts, fusion,
 * caches), so units are timed in networks, and these have the shapes that no real network happens to
 * have. Depth, widths, kernels and resolution are drawn, sizes log-uniformly, within what is usual:
 * an image shrinks and gains channels from stage to stage. A network has at most about
 * CLV_RANDOM_MACS_MAX multiply-accumulates. One input "input", batch 1, one output; tensors are named
 * like the nodes that make them. The same family and seed give the same bytes.
 *
 * The families follow: VGG (Simonyan 2014) and AlexNet (Krizhevsky 2012); ResNet and ResNeXt (He 2015,
 * Xie 2016); MobileNet V2/V3 and EfficientNet (Sandler 2018, Howard 2019, Tan 2019); Inception and
 * SqueezeNet (Szegedy 2014, 2015, Iandola 2016); DenseNet (Huang 2016); ShuffleNet V2 (Ma 2018);
 * ViT (Dosovitskiy 2020); U-Net (Ronneberger 2015).
 */
#ifndef CLV_ZOO_RANDOM_H
#define CLV_ZOO_RANDOM_H

#include "base/buf.h"

#include <stdint.h>

#define CLV_RANDOM_FAMILY_MAP(X)                                                                   \
    X(PLAIN, "plain")                                                                              \
    X(RESIDUAL, "residual")                                                                        \
    X(INVERTED, "inverted")                                                                        \
    X(INCEPTION, "inception")                                                                      \
    X(DENSE, "dense")                                                                              \
    X(SHUFFLE, "shuffle")                                                                          \
    X(TRANSFORMER, "transformer")                                                                  \
    X(HOURGLASS, "hourglass")

typedef enum clv_random_family {
#define X(name, text) CLV_RANDOM_##name,
    CLV_RANDOM_FAMILY_MAP(X)
#undef X
        CLV_RANDOM_FAMILY_COUNT
} clv_random_family;

#define CLV_RANDOM_MACS_MAX 1.2e9

const char *clv_random_family_name(clv_random_family f);
/* Appends the model. */
void clv_random_network(clv_random_family family, uint64_t seed, clv_buf *out);

#endif
