#include "zoo/zoo.h"

#include "base/buf.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

static const clv_zoo_network networks[] = {
    {"lenet", "LeNet-5 on 1x28x28, ReLU and max pooling (LeCun et al. 1998)", clv_zoo_lenet},
    {"alexnet", "AlexNet, one tower (Krizhevsky 2014)", clv_zoo_alexnet},
    {"vgg16", "VGG-16, configuration D (Simonyan and Zisserman 2014)", clv_zoo_vgg16},
    {"mobilenet_v2", "MobileNetV2, width 1.0 (Sandler et al. 2018)", clv_zoo_mobilenet_v2},
    {"resnet18", "ResNet-18 (He et al. 2015)", clv_zoo_resnet18},
    {"googlenet", "GoogLeNet with batch norm, without auxiliary heads (Szegedy et al. 2014)",
     clv_zoo_googlenet},
};

const clv_zoo_network *clv_zoo_networks(size_t *n)
{
    *n = CLV_COUNT(networks);
    return networks;
}

clv_status clv_zoo_find(const char *name, const clv_zoo_network **out, clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf known = {0};
    for (size_t i = 0; i < CLV_COUNT(networks); i++) {
        if (strcmp(networks[i].name, name) == 0) {
            *out = &networks[i];
            return CLV_OK;
        }
        clv_buf_printf(&known, "%s%s", i ? ", " : "", networks[i].name);
    }
    return clv_fail(err, CLV_ENOTFOUND, "no network '%s', there are %s", name, known.data);
}

static void builder_free(clv_builder **b)
{
    clv_builder_free(*b);
}

static clv_builder *build(const clv_zoo_network *network, uint64_t seed)
{
    clv_builder *b = clv_builder_new(network->name, seed);
    network->build(b);
    return b;
}

static clv_zoo_facts facts_of(const clv_zoo_network *network, const clv_builder *b)
{
    return (clv_zoo_facts){
        .network = network, .params = clv_builder_params(b), .macs = clv_builder_macs(b)};
}

clv_zoo_facts clv_zoo_count(const clv_zoo_network *network)
{
    CLV_AUTO(builder_free) clv_builder *b = build(network, 0);
    return facts_of(network, b);
}

clv_status clv_zoo_write(const clv_zoo_network *network, uint64_t seed, const char *dir,
                         clv_zoo_facts *facts, clv_error *err)
{
    CLV_AUTO(builder_free) clv_builder *b = build(network, seed);
    CLV_AUTO(clv_text_free) char *folder = clv_format("%s/%s/1", dir, network->name);
    CLV_AUTO(clv_text_free) char *path = clv_path_join(folder, "model.onnx");
    clv_zoo_facts made = facts_of(network, b);
    clv_status st = clv_dir_make(folder, err);
    if (!st) st = clv_builder_write(b, path, &made.file_bytes, err);
    if (st) return st;
    made.path = clv_steal(&path);
    *facts = made;
    return CLV_OK;
}

void clv_zoo_facts_done(clv_zoo_facts *facts)
{
    clv_free(&facts->path);
}
