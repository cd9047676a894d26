/* What a plan says that a request will take, part by part: the same parts as a request's
 * clv_timing, each with a standard deviation. A value; it goes with the request, so that what was
 * promised can be set beside what happened (`cleave infer --explain`).
 *
 *     clv_prediction p = clv_prediction_of(&problem, &route);
 *     if (p.known) ... p.us.edge_us, p.sigma_us.edge_us ...
 *
 * The parts are counted as the timing counts them: reading what came in a codec is `decode_us`
 * where the rest of the network runs; the fixed cost of an exchange is the link's; what lies behind
 * the peer is `relay_us`, but for its computing, and so is what the nodes before the last read and
 * write. A request's own wait is not predicted: the plan is for one that finds its device free.
 *
 * Threads: any.
 */
#ifndef CLV_SPLIT_PREDICTION_H
#define CLV_SPLIT_PREDICTION_H

#include "plan/problem.h"
#include "split/request.h"
#include "split/route.h"

/* Not known where the problem has not measured a part, lacks the codec, or a link is down. */
clv_prediction clv_prediction_of(const clv_plan_problem *p, const clv_route *route);
/* Of a network that runs here alone, from a measured time of the whole. */
clv_prediction clv_prediction_alone(double us, double sigma_us);

#endif
