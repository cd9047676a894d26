/* What a tensor tells about the input, and which tensors must therefore stay where they were made.
 *
 *     clv_privacy privacy;
 *     clv_privacy_parse("class:map", &privacy, &err);            // or "none", "input", "first:5"
 *     bool *stays = clv_alloc_array(g->n_tensors, sizeof *stays);
 *     clv_privacy_tensors(&privacy, g, stays, &err);
 *     if (stays[t]) ...                                          // t must not leave the device
 *
 * The planner forbids such placements; the sender asks again before a byte leaves (split/).
 *
 * Leakage classes, from most to least telling, by geometry alone:
 *   input    an input of the network
 *   image    a map that keeps a quarter or more of the input's height and of its width (one place
 *            less also counts: convolutions without padding lose it at the border): a person would
 *            recognise the picture in it
 *   map      any other tensor with places (height * width > 1)
 *   features one vector
 *   answer   an output of the network that no unit reads on; one that is read on counts by its
 *            geometry
 * Places are read as ONNX lays them out: N C H W..., N T C, T C. For `image` also the other order
 * (N H W C, N C T) counts, and with several inputs that are maps the smallest one decides. What only
 * rewrites a tensor (Reshape, Flatten, Transpose, Concat, Cast, ...) tells what the tensor told: a
 * flattened map is a map, the input with its axes swapped the input. A tensor of unknown shape counts
 * as an image.
 *
 * A policy is words joined by commas, and keeps all that any of them keeps:
 *   none         nothing (stands alone)
 *   class:C      all tensors of class C and of those more telling
 *   input        the same as class:input
 *   first:N      what the first N units read, so these units run where the input is
 *   tensor:NAME  one tensor
 *
 * Values; threads: any. Source of the idea that early feature maps can be inverted and late ones less
 * so: Mahendran and Vedaldi, "Understanding Deep Image Representations by Inverting Them", CVPR 2015.
 * The borders between the classes are ours; they are a rule, not a proof of privacy: an input that
 * was only scaled is an image, and features can still tell a face.
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
/* The classes of all tensors into of[g->n_tensors]; of one (as slow as of all). */
void clv_leakage_all(const clv_graph *g, clv_leakage *of);
clv_leakage clv_leakage_of(const clv_graph *g, size_t tensor);

enum { CLV_PRIVACY_TENSORS_MAX = 32, CLV_PRIVACY_NAME_MAX = 255 };

/* Zeroed: nothing stays. */
typedef struct clv_privacy {
    int classes; /* how many leakage classes stay, the most telling first: 0 none, 1 input, ... */
    size_t first_units; /* 0: no such rule */
    char tensors[CLV_PRIVACY_TENSORS_MAX][CLV_PRIVACY_NAME_MAX + 1];
    size_t n_tensors;
} clv_privacy;

/* CLV_EINVAL: an unknown word (the error shows right ones); CLV_ELIMIT: too many or too long names. */
CLV_MUST
clv_status clv_privacy_parse(const char *text, clv_privacy *out, clv_error *err);
bool clv_privacy_any(const clv_privacy *privacy); /* does it keep anything? */
/* Fills stays[n_tensors]. CLV_ENOTFOUND: a tensor of the policy is not in the graph, which is named;
 * CLV_EINVAL: more first units than the graph has. */
CLV_MUST
clv_status clv_privacy_tensors(const clv_privacy *privacy, const clv_graph *g, bool *stays,
                               clv_error *err);

#endif
