/* What is believed of a network's units before and after some of its segments were measured.
 *
 *     clv_belief *b = clv_belief_new(graph, units, levels);     // predicted times, each with its sigma
 *     double *parts = …;                                         // n + 1
 *     double us = clv_belief_parts(b, cut, true, border_us, parts);
 *     double sigma = clv_belief_sigma(b, parts);                 // relative: that of its logarithm
 *     clv_belief_learn(b, parts, measured_us, variance);         // that of ln measured_us
 *     clv_belief_free(b);
 *
 * The state is z, the logarithm of how much longer each unit takes than was predicted, and one more for
 * the border. Before anything is measured z is 0, with the covariance
 *
 *     C[u][v] = COMMON^2 + s[u] s[v] (KIN [u and v are of one kind] + (1 - KIN) [u = v])
 *
 * s the predicted deviation of a unit: a machine is faster or slower than when it was calibrated, which
 * is common to all units; what is wrong about one convolution is partly wrong about the next; the rest is
 * a unit's own. A measured segment is one number, the logarithm of a sum of times, so learning is an
 * extended Kalman filter's update, after which the covariance is less by the square of one vector.
 * Suffixes, and prefixes between those measured, follow from the same z; times stay above 0.
 *
 * Caches: a segment that is run alone, and is small, finds its weights still there from the run before, where
 * inside the whole network they have been driven out. So each unit comes with its time at several levels, for
 * CLV_BELIEF_STEP times less beside it each, and a segment takes what belongs to its own bytes, the
 * logarithms interpolated.
 *
 * Cost: n for each segment and each one learnt. Threads: one at a time changes it.
 * Source: linear Gaussian conditioning, Rasmussen and Williams 2006, chapter 2; the covariance is ours.
 */
#ifndef CLV_COST_BELIEF_H
#define CLV_COST_BELIEF_H

#include "cost/predictor.h"
#include "graph/cuts.h"

typedef struct clv_belief clv_belief;

#define CLV_BELIEF_STEP 4.0

/* units[levels * n_units]: first all of the whole network. */
clv_belief *clv_belief_new(const clv_graph *g, const clv_prediction *units, size_t levels);
void clv_belief_free(clv_belief *b);

/* Into parts[n_units + 1] what each unit of the prefix (suffix) takes, 0 for those outside, and last the
 * border. Returns their sum. */
double clv_belief_parts(const clv_belief *b, const clv_cut *cut, bool prefix, double border_us,
                        double *parts);
/* Of the logarithm of a sum of such parts. */
double clv_belief_sigma(const clv_belief *b, const double *parts);
/* The sum was measured; `variance` is that of the measurement's logarithm. What is no time teaches
 * nothing. */
void clv_belief_learn(clv_belief *b, const double *parts, double measured_us, double variance);
/* How much clv_belief_sigma(of) squared would fall if `seen` were measured. */
double clv_belief_worth(const clv_belief *b, const double *seen, double variance, const double *of);

#endif
