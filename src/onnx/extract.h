/* Segments: the part of a model between two cuts, as an ONNX model of its own.
 *
 *     clv_extracted e;
 *     clv_extract(units, cuts, from, to, &e, &err);     // external references into the model's files
 *     ... compile e.bytes with folder clv_onnx_folder() and the weights e.stored ...
 *     clv_extracted_done(&e);
 *     clv_extract_file(units, cuts, from, to, "prefix.onnx", &err);   // stand-alone, weights inside
 *
 * The segment (from, to) holds the nodes of the original model that its outputs need, found by
 * walking back from them to the tensors that are live at `from`. Its inputs are those live tensors
 * that the walk met, in the order of the graph; its outputs are the tensors live at `to` and the
 * network's outputs that its units make. Names and types are the original's; dimensions that follow
 * the batch are free. Functions, operator sets and IR version are the model's. Sub-graphs (If,
 * Loop) go whole with their node.
 *
 * Shape arithmetic. A value that the engine folded is put in as a constant if it is the same at
 * every batch. If it follows the batch, its operators are kept where the segment has all they need;
 * where it has not (the shape of a tensor on the other side of the cut), the constant for batch 1
 * is put in, all dimensions are fixed, and `any_batch` is false.
 *
 * Threads: any; nothing is changed.
 */
#ifndef CLV_ONNX_EXTRACT_H
#define CLV_ONNX_EXTRACT_H

#include "graph/cuts.h"
#include "onnx/units.h"

typedef struct clv_extracted {
    void *bytes; /* a serialised ModelProto */
    size_t n;
    clv_stored *stored; /* the stored tensors that it refers to */
    size_t n_stored;
    bool any_batch;
} clv_extracted;

/* `from` must be within `to`, and not equal: CLV_EINVAL. */
CLV_MUST
clv_status clv_extract(const clv_units *u, const clv_cuts *cuts, size_t from, size_t to,
                       clv_extracted *out, clv_error *err);
void clv_extracted_done(clv_extracted *e);
/* Written beside the target and renamed; weights are streamed from the map. CLV_ELIMIT above 2 GiB. */
CLV_MUST
clv_status clv_extract_file(const clv_units *u, const clv_cuts *cuts, size_t from, size_t to,
                            const char *path, clv_error *err);

#endif
