/* Times that were never measured: of units, segments, and whole profiles, from a calibration.
 *
 *     clv_predictor *p;
 *     clv_predictor_new(calibration, &p, &err);
 *     clv_prediction t = clv_predictor_unit(p, &place);          // t.us, give or take t.sigma_us
 *     clv_profile *profile;
 *     clv_predictor_profile(p, graph, cuts, NULL, 0, &profile, &err);   // plan with it as with any
 *     clv_predictor_free(p);
 *
 * A unit's time is causes * exp(level + process): `causes` is a sum of operators, multiply-accumulates
 * and bytes with weights that are not negative, so there is a time above 0 for every unit, and one that
 * grows as the work does far away from all samples; the Gaussian process (cost/gaussian.h) is the
 * logarithm of how this shape differs, and goes on as at the border there, while its interval widens. What the process
 * adds stays within a factor CLV_PREDICTOR_SPAN. A kind without samples has the causes of all kinds
 * together and a wide interval.
 *
 * A segment's time is the sum of its units' and its border: a constant, and the bytes at its two ends,
 * where images leave the engine's blocked layout and enter it again.
 *
 * Correction: a few measured prefixes of the very network correct all others, and the suffixes, by as
 * much as errors go together (cost/belief.h).
 *
 * Sources: nn-Meter (Zhang et al., MobiSys 2021): predict what the engine fuses, not layers.
 * Neurosurgeon (ASPLOS 2017): regressions by kind. Our differences: docs/prediction.md.
 * Threads: any; only read after it was made.
 */
#ifndef CLV_COST_PREDICTOR_H
#define CLV_COST_PREDICTOR_H

#include "cost/calibration.h"
#include "cost/profile.h"
#include "graph/cuts.h"

#define CLV_PREDICTOR_SPAN 6.0
enum { CLV_PREDICTOR_SEEN = 5 }; /* prefixes that are usually measured for a correction */

typedef struct clv_prediction {
    double us, sigma_us; /* above 0 */
} clv_prediction;

typedef struct clv_predictor clv_predictor;

/* CLV_EINVAL: nothing was learnt (the calibration was interrupted). */
CLV_MUST
clv_status clv_predictor_new(const clv_calibration *c, clv_predictor **out, clv_error *err);
void clv_predictor_free(clv_predictor *p);

clv_prediction clv_predictor_unit(const clv_predictor *p, const clv_unit_place *place);

/* A measured prefix. */
typedef struct clv_predictor_seen {
    size_t cut;
    clv_time prefix;
} clv_predictor_seen;

/* Which prefixes to measure, `n` at most: the whole, then each time the one after which most segments are
 * expected to come within 10 %. may[cuts->n]: which ones can be; NULL: all. Returns how many. */
size_t clv_predictor_choose(const clv_predictor *p, const clv_graph *g, const clv_cuts *cuts,
                            const bool *may, size_t *at, size_t n);
/* Every prefix and suffix with its sigma (n = 1), corrected by what was seen, in any order. Model and
 * digest are the caller's to fill in. */
CLV_MUST
clv_status clv_predictor_profile(const clv_predictor *p, const clv_graph *g, const clv_cuts *cuts,
                                 const clv_predictor_seen *seen, size_t n_seen, clv_profile **out,
                                 clv_error *err);

/* The same from other times of the units, at as many levels as there are (cost/belief.h; 1: units take the
 * same in any segment): how other predictors are compared. `border` may be NULL: segments are sums. */
clv_profile *clv_profile_from_units(const clv_graph *g, const clv_cuts *cuts,
                                    const clv_prediction *units, size_t levels,
                                    const clv_calibration_border *border,
                                    const clv_predictor_seen *seen, size_t n_seen);

/* Learn everything that a predictor needs (kinds, moods, border) from a calibration's rows. Takes
 * seconds; `progress` may be NULL. */
void clv_predictor_settle(clv_calibration *c,
                          void (*progress)(void *arg, size_t done, size_t total), void *arg);

#endif
