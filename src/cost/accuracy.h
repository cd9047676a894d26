/* How good a predicted profile is, held against a measured one of the same network and device.
 *
 *     clv_accuracy a = clv_accuracy_of(measured, predicted, skip);
 *     clv_accuracy_add(&total, &a);
 *     printf("%.0f %% within 10 %%\n", 100 * clv_accuracy_hit_10(&total));
 *
 * Over all legal cuts whose prefix or suffix was measured, and predicted (the whole once):
 *   hit_10, hit_20  the share within ±10 % (±20 %) of what was measured
 *   ceiling_10      the share within ±10 % that a prediction without any error would reach, as far as the
 *                   standard errors of what was measured tell; slow changes of the machine come on top
 *   mape            mean absolute error, relative to what was measured
 *   rank_error      the share of pairs of cuts in the wrong order by latency, of those at least
 *                   CLV_ACCURACY_APART apart as measured (edge 4 times slower, over wifi)
 *   regret          how much longer the cut that is best by prediction takes, as measured, than the
 *                   best measured one: mean over links 3g, lte, wifi and lan and edges 1, 4 and 10
 *                   times slower than the cloud
 *
 * Pure functions. Threads: any.
 */
#ifndef CLV_COST_ACCURACY_H
#define CLV_COST_ACCURACY_H

#include "cost/profile.h"

#define CLV_ACCURACY_APART 0.02
enum { CLV_ACCURACY_RANKED_MAX = 1500 }; /* cuts that are ranked, spread over all */

typedef struct clv_accuracy {
    size_t n, n_10, n_20; /* segments, and those within 10 and 20 % */
    double errors;        /* sum of relative errors */
    double ceilings;      /* sum of the chances that the measured is within 10 % of the truth */
    size_t pairs, wrong;
    size_t n_plans;
    double regrets, regret_worst; /* sum; largest */
} clv_accuracy;

/* `skip[n_cuts]`: prefixes that the prediction was told, which therefore do not count; NULL: none. The
 * profiles have the same cuts. */
clv_accuracy clv_accuracy_of(const clv_profile *measured, const clv_profile *predicted,
                             const bool *skip);
void clv_accuracy_add(clv_accuracy *sum, const clv_accuracy *a);
double clv_accuracy_hit_10(const clv_accuracy *a);
double clv_accuracy_hit_20(const clv_accuracy *a);
double clv_accuracy_ceiling_10(const clv_accuracy *a);
double clv_accuracy_mape(const clv_accuracy *a);
double clv_accuracy_rank_error(const clv_accuracy *a);
double clv_accuracy_regret(const clv_accuracy *a);

#endif
