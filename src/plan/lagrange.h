/* The best placement by units under limits, and a bound that none passes. Private to plan/.
 *
 *     clv_lagrange *l = clv_lagrange_new(gadgets, codec, &choice);
 *     int64_t bound = clv_lagrange_bound(l, enough);      // of the units as they are fixed now
 *     int unit = clv_lagrange_undecided(l);               // the one to fix next
 *     clv_lagrange_free(l);
 *
 * For what is no plain sum, or has limits, a minimum cut is not enough: finding the best placement is
 * NP-hard (a knapsack is a special case). So limits become prices. For prices l >= 0 the least of
 * cost + sum of l * (use - limit) is a minimum cut, and no placement that keeps the limits costs less.
 * The search looks for the prices with the highest such bound; every cut it meets on the way is a
 * placement, which is weighed as it is and offered to `choice`. The same for
 *   throughput   the longest of a device's work and the link's two ways is at least any weighted mean of
 *                them, so the weights are what is searched;
 *   a quantile   the deviation of a sum is convex: it lies above each of its tangents, and a tangent is
 *                a sum. Tangents are added where they are needed;
 *   memory       of the weights that a device holds; the peak of activations is no sum, and is looked
 *                at when a placement is weighed.
 *
 * The prices come from a matrix game: one side mixes bounds (rows), the other placements (columns) that
 * were met; each cut against the present mix adds a column, until none helps. That is Kelley's cutting
 * plane for the Lagrangian dual, so the bound ends at the dual's value, except for a limit whose
 * price would pass PRICE_MAX. Floating point only says where to look: the bound itself is a minimum cut
 * in whole numbers, with what rounding can take subtracted.
 *
 * Source: Everett, "Generalized Lagrange multiplier method", 1963; Kelley, 1960. DADS (INFOCOM 2019)
 * searches a grid of two weights for throughput: ours gives the bound too, and limits, and the way down.
 */
#ifndef CLV_PLAN_LAGRANGE_H
#define CLV_PLAN_LAGRANGE_H

#include "plan/choice.h"

typedef struct clv_lagrange clv_lagrange;

/* `choice` is offered what is met. Both are borrowed. */
clv_lagrange *clv_lagrange_new(clv_gadgets *g, size_t codec, clv_choice *choice);
/* Of clv_gadgets_steps(), for all codecs of a problem together. Once a codec has spent its share, most
 * rounds are left out. */
enum { CLV_LAGRANGE_STEPS_MAX = 5000000 };
bool clv_lagrange_spent(const clv_lagrange *l);
void clv_lagrange_free(clv_lagrange *l);
void clv_lagrange_release(clv_lagrange **l); /* for CLV_AUTO */

/* No placement that runs units on both devices with this codec, keeps all limits, and has the units
 * where clv_gadgets_fix() put them, scores less. CLV_PLAN_UNKNOWN: none is legal. The search ends when
 * the bound reaches `enough` or the choice's score. Placements met before are used again, so to fix one
 * unit more costs a few cuts. */
int64_t clv_lagrange_bound(clv_lagrange *l, int64_t enough);
/* Of the free units the one that the best mix of placements is least decided on; CLV_NO_UNIT: all are
 * fixed. */
int clv_lagrange_undecided(const clv_lagrange *l);
/* A score that no placement which keeps the limits passes: a bound above it says that there is none. */
int64_t clv_lagrange_worst(const clv_lagrange *l);

#endif
