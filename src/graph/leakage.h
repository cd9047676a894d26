/* What a tensor tells about the input, and which tensors must therefore stay where they were made.
 *
 *     clv_privacy privacy;
 *     clv_privacy_parse("class:map", &privacy, &err);            // or "none", "input", "first:5"
 *     bool *stays = clv_alloc_array(g->n_tensors, sizeof *stays);
 *     clv_privacy_tensors(&privacy, g, stays);
 *     if (stays[t]) …                                            // t must not leave the device
 *
 * The planner forbids such placements; the sender asks again before a byte leaves (split/).
 *
 * Leakage classes, from most to least telling, by geometry alone:
 *   input    an input of the network
 *   image    a map that keeps a quarter or more of the input's height and width: a person would
 *            recognise the picture in it
 *   map      any other tensor with places (height * width > 1)
 *   features one vector
 *   answer   an output of the network
 * A policy "class:C" keeps all tensors of class C and of those more telling. "first:N" keeps what the
 * first N units read, so these units run where the input is. "input" is "class:input". "tensor:NAME"
 * keeps one tensor. Several, joined by commas, keep all that any of them keeps.
 *
 * Source of the idea that early feature maps can be inverted and late ones less so: Mahendran and
 * Vedaldi, "Understanding Deep Image Representations by Inverting Them", CVPR 2015. The borders
 * between the classes are ours; they are a rule, not a proof of privacy.
 */
#ifndef CLV_GRAPH_LEAKAGE_H
#define CLV_GRAPH_LEAKAGE_H

#include "graph/graph.h"

#define CLV_LEAKAGE_MAP(X)                                                                         \
    X(INPUT, "input")                                                                              \
    X(IMAGE, "image")                                                                              \
    X(MAP, "map")                                                                                  \
    X(FEATURES, "features")                                                                        \
    X(ANSWER, "answer")
typedef enum clv_leakage {
#define X(name, text) CLV_LEAKAGE_##name,
    CLV_LEAKAGE_MAP(X)
#undef X
        CLV_LEAKAGE_COUNT
} clv_leakage;
const char *clv_leakage_name(clv_leakage l);
clv_leakage clv_leakage_of(const clv_graph *g, size_t tensor);

enum { CLV_PRIVACY_TENSORS_MAX = 32 };
typedef struct clv_privacy {
    int upto;          /* the least telling leakage class that stays; -1: none */
    size_t first_units;
    char tensors[CLV_PRIVACY_TENSORS_MAX][256];
    size_t n_tensors;
} clv_privacy;
CLV_MUST
clv_status clv_privacy_parse(const char *text, clv_privacy *out, clv_error *err);
/* Fills stays[n_tensors]. CLV_ENOTFOUND: a tensor of the policy is not in the graph, which is named;
 * CLV_EINVAL: more first units than the graph has. */
CLV_MUST
clv_status clv_privacy_tensors(const clv_privacy *privacy, const clv_graph *g, bool *stays, clv_error *err);

#endif
