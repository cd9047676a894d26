/* A network that is ready to be cut: an ONNX model, its graph of units, its legal cuts, and the
 * segments between cuts.
 *
 *     clv_network *net;
 *     clv_network_open(path, engine, &(clv_network_options){0}, &net, &err);
 *     clv_segment *tail; // compiled now, or the resident one
 *     clv_network_segment(net, cut, clv_network_cuts(net)->n - 1, &tail, &err);
 *     clv_segment_run(tail, tensors, n, &outputs, &err);
 *     clv_segment_unref(tail);
 *     clv_network_unref(net);
 *
 * The segment (from, to) holds the units of ideal `to` that are not in ideal `from` (from must be
 * within to). Its inputs are the tensors that are live at `from` and needed by its units; its
 * outputs are the tensors live at `to` that it makes and the graph outputs that it makes. (0, last)
 * is the whole network. The weights are mapped once for each network and shared by its segments.
 *
 * How the units are found (design: the engine says what a unit is): the model's free dimensions are
 * set to batch 1, the engine writes its optimised graph, whose nodes are the units. Every tensor
 * between units has the same name in the original model, and segments are cut out of the original.
 * What the engine folded to a constant (shape arithmetic) is put into the segment as that constant.
 * The same at batch 2 tells which dimensions and constants follow the batch: a segment that needs
 * none of the latter runs at any batch, the others (`any_batch` false) only at 1.
 *
 * Threads: all functions from any thread. A segment is compiled once, also when asked for by
 * several threads at a time.
 */
#ifndef CLV_REPO_NETWORK_H
#define CLV_REPO_NETWORK_H

#include "base/digest.h"
#include "engine/engine.h"
#include "graph/cuts.h"

typedef struct clv_network clv_network;
typedef struct clv_segment clv_segment;

typedef struct clv_network_options {
    size_t cuts_cap;         /* 0: CLV_CUTS_CAP */
    const char *const *dims; /* "name=value" for free dimensions other than the batch */
    size_t n_dims;
} clv_network_options;

CLV_MUST
clv_status clv_network_open(const char *path, clv_engine *engine,
                            const clv_network_options *options, clv_network **out, clv_error *err);
clv_network *clv_network_ref(clv_network *net);
void clv_network_unref(clv_network *net);

const clv_graph *clv_network_graph(const clv_network *net);
const clv_cuts *clv_network_cuts(const clv_network *net);
const char *
clv_network_digest(const clv_network *net); /* SHA-256 of the model and its external data */
const char *clv_network_path(const clv_network *net);
/* All files of the model: the .onnx, then its external data. */
const char *const *clv_network_files(const clv_network *net, size_t *n);
/* Declared inputs and outputs of the whole model, in its order; -1 for free dimensions. */
const clv_tensor_spec *clv_network_inputs(const clv_network *net, size_t *n);
const clv_tensor_spec *clv_network_outputs(const clv_network *net, size_t *n);
/* Why the network can only run whole (units not found, free dimensions other than the batch), or
 * NULL. It then has the cuts 0 and 1. */
const char *clv_network_uncut_reason(const clv_network *net);

/* The resident segment, compiling it first if needed (blocks for as long as that takes). The caller
 * unrefs. */
CLV_MUST
clv_status clv_network_segment(clv_network *net, size_t from, size_t to, clv_segment **out,
                               clv_error *err);
/* The resident segment or NULL, never blocks. The caller unrefs. */
clv_segment *clv_network_resident(clv_network *net, size_t from, size_t to);
/* Forget the network's own reference to a segment; it is freed when its last user is done. */
void clv_network_evict(clv_network *net, size_t from, size_t to);
/* The ONNX bytes of a segment as a stand-alone file with its weights inside. */
CLV_MUST
clv_status clv_network_export(clv_network *net, size_t from, size_t to, const char *path,
                              clv_error *err);

/* What each unit takes inside a run of the whole network (clv_engine_trace): us[n_units] of the
 * graph, 0 for one that the engine has merged into another. What the engine does besides (changes of
 * layout) is added to the unit that it is done for; what it does behind the last is left out. Needs
 * unit and tensor names that are no prefixes of each other's. */
CLV_MUST
clv_status clv_network_trace(clv_network *net, const clv_tensor *inputs, size_t n, int runs,
                             double *us, clv_error *err);

void clv_segment_unref(clv_segment *s);
const clv_tensor_spec *clv_segment_inputs(const clv_segment *s, size_t *n);
const clv_tensor_spec *clv_segment_outputs(const clv_segment *s, size_t *n);
bool clv_segment_any_batch(const clv_segment *s);
/* The first run of a segment takes several times as long as the next ones. Run it on made-up values,
 * unless it has run that way before. What comes of it is no matter: a network may refuse such values,
 * and runs all the same. */
void clv_segment_warm_up(clv_segment *s);
/* Inputs by name in any order; extra ones are ignored. Appends the outputs. */
CLV_MUST
clv_status clv_segment_run(clv_segment *s, const clv_tensor *inputs, size_t n, clv_tensors *outputs,
                           clv_error *err);

#endif
