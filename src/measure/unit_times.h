/* What each unit takes, from the times of prefixes and suffixes.
 *
 * Units are not timed alone: alone they take up to twice as long as fused into a whole. The time at
 * which a chain of nested cuts is reached is estimated twice, as the prefix's time and as the
 * whole's less the suffix's; the mean of both is free of what a segment costs besides its units
 * (calling the engine, handing tensors over), as far as that is alike on both sides. Noise can make
 * that sequence fall, which no time does: isotonic regression (pool adjacent violators; Ayer et al.
 * 1955) gives the nearest one that does not, weighted by how sure each measurement is. Cuts
 * that it had to pool become one point, as their order is not known. The steps between the points
 * sum to the whole. A step of several units is shared out by their work: multiply-accumulates, plus
 * 4 for each byte they write.
 */
#ifndef CLV_MEASURE_UNIT_TIMES_H
#define CLV_MEASURE_UNIT_TIMES_H

#include "cost/profile.h"
#include "graph/cuts.h"

/* The nearest sequence to y[0..n) that never falls, in place; least squares with weights w > 0. */
void clv_isotonic(double *y, const double *w, size_t n);

/* Sets p->units[u].us from p->cuts, whose indices are those of `cuts`. `chain` holds nested cuts
 * from 0 to the last; those that were not measured are skipped. The whole must be measured. */
void clv_unit_times(const clv_graph *g, const clv_cuts *cuts, const size_t *chain, size_t n_chain,
                    clv_profile *p);

#endif
