/* From a bound to a proof: branch and bound over where units run. Private to plan/.
 *
 *     int64_t bound = clv_branch_search(gadgets, codec, enough, &choice);
 *
 * Where the bound of plan/lagrange.h and the best placement met do not agree, a unit on which the mix of
 * placements is undecided is put on device 0, and on device 1; the bound is then searched in both. The
 * half with the lowest bound goes on first. It ends with a proof, or after HALVES_MAX halves or
 * CLV_LAGRANGE_STEPS_MAX steps; then the bound is that of the lowest half that is still open. How much
 * is spent depends on the problem only, never on the clock, so a plan is the same everywhere.
 *
 * Source: Land and Doig, 1960; with Lagrangian bounds: Geoffrion, 1974.
 */
#ifndef CLV_PLAN_BRANCH_H
#define CLV_PLAN_BRANCH_H

#include "plan/choice.h"

/* No placement that runs units on both devices with this codec and keeps all limits scores less than
 * what is returned and less than the choice and less than `enough`, a score that is there already
 * (CLV_PLAN_UNKNOWN: none). CLV_PLAN_UNKNOWN: none is left at all. */
int64_t clv_branch_search(clv_gadgets *g, size_t codec, int64_t enough, clv_choice *choice);

#endif
