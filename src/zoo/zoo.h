/* The classic networks, written as ONNX with seeded weights: something real to cut where nothing
 * has to be downloaded. Shapes, parameters and multiply-accumulates are the published ones; the
 * weights are random, so an answer means nothing, but it is the same everywhere.
 *
 *     clv_zoo_facts facts;
 *     const clv_zoo_network *net;
 *     clv_zoo_find("alexnet", &net, &err);
 *     clv_zoo_write(net, 1, "models", &facts, &err); // models/alexnet/1/model.onnx
 *     clv_zoo_facts_done(&facts);
 *
 * All take an image as `input` (batch × channels × height × width, float, mean 0 and variance 1 as
 * normalised images have) and give `logits` without softmax, as torchvision's do.
 */
#ifndef CLV_ZOO_ZOO_H
#define CLV_ZOO_ZOO_H

#include "zoo/builder.h"

typedef struct clv_zoo_network {
    const char *name;
    const char *about; /* which one exactly, and its source */
    void (*build)(clv_builder *b);
} clv_zoo_network;

typedef struct clv_zoo_facts {
    const clv_zoo_network *network;
    uint64_t params, macs; /* as clv_builder_params() and clv_builder_macs() count */
    uint64_t file_bytes;   /* 0 when it was not written */
    char *path;            /* NULL when it was not written; clv_zoo_facts_done() frees it */
} clv_zoo_facts;

/* All networks, in the order in which people list them. */
const clv_zoo_network *clv_zoo_networks(size_t *n);
/* CLV_ENOTFOUND lists the known names. */
CLV_MUST
clv_status clv_zoo_find(const char *name, const clv_zoo_network **out, clv_error *err);
/* Counted from the shapes; no weights are made. */
clv_zoo_facts clv_zoo_count(const clv_zoo_network *network);
/* Write DIR/NAME/1/model.onnx, making the folders. Same seed, same bytes, on every machine. */
CLV_MUST
clv_status clv_zoo_write(const clv_zoo_network *network, uint64_t seed, const char *dir,
                         clv_zoo_facts *facts, clv_error *err);
void clv_zoo_facts_done(clv_zoo_facts *facts);

/* chains.c, mobilenet.c, resnet.c, googlenet.c */
void clv_zoo_lenet(clv_builder *b);
void clv_zoo_alexnet(clv_builder *b);
void clv_zoo_vgg16(clv_builder *b);
void clv_zoo_mobilenet_v2(clv_builder *b);
void clv_zoo_resnet18(clv_builder *b);
void clv_zoo_googlenet(clv_builder *b);

#endif
