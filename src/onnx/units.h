/* A model's units: what the engine makes of it, mapped back onto the original.
 *
 *     clv_onnx_pin(m, &(clv_pin){.batch = 1}, &pinned, &n, &err);
 *     clv_engine_optimise(engine, &source_of(pinned), &one, &n_one, &err);    // the same at batch 2
 *     clv_units *units;
 *     clv_units_find(m, one, n_one, two, n_two, &units, &err);
 *     const clv_graph *g = clv_units_graph(units);
 *     clv_units_free(units);
 *
 * The optimised graph says three things, no more:
 *   - which tensors remain between its nodes. Those whose names the original model has are the
 *     places where it may be cut. Nodes joined by a tensor that only the optimiser knows are one
 *     unit, and so are nodes on a cycle that this creates;
 *   - which values it folded to constants although they depend on an input's shape (shape arithmetic);
 *   - the shape and type of every tensor.
 * What a unit reads is then found in the ORIGINAL graph: by walking back from the unit's outputs to
 * other units' outputs. So the graph of units is, by construction, right for segments that are cut
 * out of the original, whatever the optimiser did. A tensor or folded value whose shape or content
 * differs at batch 2 follows the batch.
 *
 * Constants (values that depend on no input) belong to whoever reads them and are never on a cut.
 */
#ifndef CLV_ONNX_UNITS_H
#define CLV_ONNX_UNITS_H

#include "graph/graph.h"
#include "onnx/onnx.h"

#define CLV_UNITS_MEMORY_MAX ((size_t)1 << 30) /* of an unpacked optimised graph */

typedef struct clv_units clv_units;

/* `two` may be NULL: what follows the batch is then not known, and segments run at batch 1 only.
 * The model must outlive the result. CLV_EUNSUPPORTED says why the model can only run whole (an
 * output that is a constant or an input, a shape that is not known, too many units). */
CLV_MUST
clv_status clv_units_find(const clv_onnx *m, const void *one, size_t n_one, const void *two,
                          size_t n_two, clv_units **out, clv_error *err);
/* The whole model as a single unit, for when it cannot be cut. Shapes are those declared, at batch 1. */
clv_units *clv_units_whole(const clv_onnx *m);
void clv_units_free(clv_units *u);
const clv_graph *clv_units_graph(const clv_units *u);
/* The unit that an operator of the engine's works for, by the operator's name: that of the
 * optimised graph, or the longest name of a node or of its results that it begins with. -1: the
 * engine's own (a change of layout). */
int clv_units_working_for(const clv_units *u, const char *operator_name);

#endif
