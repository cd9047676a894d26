/* A network of units on two devices as a flow network: a cut of the one is a placement of the other,
 * and its value is what the placement costs. Private to plan/.
 *
 *     clv_gadgets *g = clv_gadgets_new(problem, codec);
 *     clv_sums mean = {.at = {[CLV_DIM_WORK0] = 1, [CLV_DIM_WORK1] = 1, [CLV_DIM_UP] = 1, [CLV_DIM_DOWN] = 1}};
 *     int64_t ns = clv_gadgets_cut(g, &mean, unit_device);    // the placement with the least time
 *     clv_sums costs = clv_gadgets_sums(g, unit_device);      // and what else it costs
 *     clv_gadgets_free(g);
 *
 * The source side is device 0, the sink side device 1. An arc is paid when it leads from the source
 * side to the sink side:
 *
 *     source -> unit       the unit's cost on device 1; infinite when it may not run there
 *     unit -> sink         its cost on device 0; infinite when it may not run there
 *     producer -> t+       tensor t goes up, once; t+ -> each consumer: infinite. A graph input is
 *                          made by the source. (With one consumer the arc goes straight to it.)
 *     source -> producer   t is an output of the network and comes down
 *     consumer -> producer infinite: no return to device 0; or, if the problem may return,
 *     t- -> producer       t comes down, once; consumer -> t-: infinite
 *
 * So each tensor pays once a direction, however many consumers it has. A unit's outputs have a
 * gadget each. What goes up takes its share of bytes_per_kib, since a tensor is at many cuts; what
 * comes down is raw. Tensors of unknown shape cannot cross: their gadget is infinite.
 *
 * The costs are those of plan/problem.h, taken unit by unit and tensor by tensor: each part is rounded
 * up once, and a placement's cost is the sum of these whole numbers, so nothing drifts. What is paid
 * once a placement and not once a unit (waits, round trip, overhead) is not here.
 *
 * Threads: one at a time. The problem is borrowed.
 *
 * Source: Hu et al., "Dynamic Adaptive DNN Surgery for Inference Acceleration on the Edge" (DADS),
 * INFOCOM 2019: the minimum cut, and a node of its own for a tensor with several consumers. Our
 * differences: the arcs back, without which a return costs nothing; the second gadget, with which a
 * return is possible and paid; the answer's way down; units in place of layers; several outputs.
 */
#ifndef CLV_PLAN_GADGETS_H
#define CLV_PLAN_GADGETS_H

#include "plan/plan.h"

/* What a placement uses up, as numbers that add over units and tensors. */
typedef enum clv_dim {
    CLV_DIM_WORK0, /* ns that each device computes: units, encoding, decoding */
    CLV_DIM_WORK1,
    CLV_DIM_UP, /* ns of the bytes alone */
    CLV_DIM_DOWN,
    CLV_DIM_NJ,
    CLV_DIM_PM,
    CLV_DIM_WIRE,     /* bytes on the wire */
    CLV_DIM_WEIGHTS0, /* bytes of the weights that each device holds */
    CLV_DIM_WEIGHTS1,
    CLV_DIM_COUNT
} clv_dim;

typedef struct clv_sums {
    int64_t at[CLV_DIM_COUNT];
} clv_sums;

typedef struct clv_gadgets clv_gadgets;

/* Can both devices use the codec, within the limit on accuracy? */
bool clv_gadgets_offered(const clv_plan_problem *p, size_t codec);
/* The devices must have unit_ns, and the codec be offered. */
clv_gadgets *clv_gadgets_new(const clv_plan_problem *p, size_t codec);
void clv_gadgets_free(clv_gadgets *g);
void clv_gadgets_release(clv_gadgets **g); /* for CLV_AUTO */

/* All parts together: no placement has more of anything. */
clv_sums clv_gadgets_total(const clv_gadgets *g);
/* The legal placement with the least sum of weights[k] * costs[k], of several the one with the most
 * units on device 0. Weights >= 0, and weights * clv_gadgets_total() below CLV_FLOW_INFINITE. Returns
 * that sum; CLV_FLOW_INFINITE, and unit_device untouched, when no placement is legal. */
int64_t clv_gadgets_cut(clv_gadgets *g, const clv_sums *weights, uint8_t *unit_device);
/* From now on the cuts put the unit on this device; on any, with CLV_GADGETS_ANY. */
enum { CLV_GADGETS_ANY = 2 };
void clv_gadgets_fix(clv_gadgets *g, size_t unit, uint8_t device);
uint8_t clv_gadgets_fixed(const clv_gadgets *g, size_t unit);
/* What a legal placement costs. */
clv_sums clv_gadgets_sums(const clv_gadgets *g, const uint8_t *unit_device);
/* Pins and privacy kept, nothing crosses that cannot, no return unless the problem may. */
bool clv_gadgets_legal(const clv_gadgets *g, const uint8_t *unit_device);
/* Does a device read the tensor on which it is not made? *made_on: a graph input is made on 0. */
bool clv_gadgets_crosses(const clv_graph_tensor *t, const uint8_t *unit_device, unsigned *made_on);
const clv_plan_problem *clv_gadgets_problem(const clv_gadgets *g);
/* The accuracy that the codec costs a placement that sends anything: the most of any cut where it is offered. */
int64_t clv_gadgets_drop_ppm(const clv_gadgets *g);
/* Paths filled and arcs looked at, so far. */
size_t clv_gadgets_augmentations(const clv_gadgets *g);
size_t clv_gadgets_steps(const clv_gadgets *g);

/* ---- gadgets_weigh.c: placements as a whole ---- */

/* What a placement on both devices pays besides its units and tensors: waits, round trip, overhead. */
clv_plan_amount clv_gadgets_once(const clv_plan_problem *p);
/* A legal placement's cost, with what is paid once where it is paid. The variance is the link's. */
clv_plan_cost clv_gadgets_weigh(const clv_gadgets *g, const uint8_t *unit_device);
/* By how much it is over the limits, as a sum of shares of them; 0: it keeps all. */
double clv_gadgets_excess(const clv_gadgets *g, const uint8_t *unit_device,
                          const clv_plan_cost *cost);
/* As clv_plan_memory(): weights and peak activations of what one device runs. Tensors that arrive are
 * there from the start, those that leave stay to the end. 0 when it runs nothing. */
int64_t clv_gadgets_memory(const clv_gadgets *g, const uint8_t *unit_device, uint8_t device);

#endif
