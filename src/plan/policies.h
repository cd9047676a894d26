/* Ways to choose a placement: the exact planner, and what others have published, on the same tables.
 *
 *     clv_policy_choice c;
 *     clv_policy_options o = {.seed = 1};
 *     if (clv_policy_choose(&problem, CLV_POLICY_DADS_DSL, &o, &c, &err) == CLV_OK) …
 *     clv_policy_choice_done(&c);
 *
 * A policy chooses by what *it* takes for the cost; all are then weighed by the one true cost,
 * clv_plan_weigh(): segments as they were measured, the round trip, the wait, the way back. Regret
 * is that score over the exact plan's, less 1.
 *
 * The policies of others know two devices, send tensors raw, and choose among the cuts that can be
 * carried out (measured on both sides, the link up, and no pin, privacy or memory limit broken):
 * they never propose what is forbidden. Deadline, energy and price limits they do not know. Where the
 * cuts passed the cap, dads and qdmp find their minimum cut by flow (plan/gadgets.h) among all ideals;
 * the others choose among the cuts that there are. Their
 * unit times are the problem's unit_ns, that is: shares of a fused whole, kinder to them than the
 * isolated layers that they time themselves.
 *
 * Sources, and our reading of each:
 *
 *   exact         clv_plan_solve().
 *   edge, cloud   everything on the first (last) device; "cloud" sends the input raw.
 *   random        one of the cuts, each as likely, by the seed. What knowing nothing costs.
 *   neurosurgeon  Kang et al., "Neurosurgeon: Collaborative Intelligence Between the Cloud and Mobile
 *                 Edge", ASPLOS 2017, and the Python program of that name. The units in a row; cuts
 *                 where one tensor lives. A linear regression for each kind of unit and device
 *                 predicts its time from the paper's features (conv: input size, (kernel/stride)^2
 *                 times filters; linear: neurons in and out; pooling: sizes in and out; else: size
 *                 in); we fit it by least squares on the problem's own unit times, which is the best
 *                 it can be; a kind that has no features is fitted on MACs and bytes written.
 *                 Negative predictions become 0, as in the program. It minimises edge + bytes / rate
 *                 + cloud, or, when the objective is energy, watts * time of the edge and its radio.
 *                 No round trip, no way back, no wait. The program charges even an all-local plan for
 *                 an upload; the paper does not, and nor do we.
 *   dads-dsl      Hu et al., "Dynamic Adaptive DNN Surgery for Inference Acceleration on the Edge",
 *                 INFOCOM 2019, light load: the minimum of edge + bytes / rate + cloud over all cuts
 *                 of the DAG (its min-cut), unit times added up, each tensor paid once. As the paper
 *                 means it: the program forgets that data may not flow back, and charges a Concat's
 *                 whole input list on every edge.
 *   dads-dsh      the same, heavy load: min-cuts with the edge's times multiplied by alpha and the
 *                 cloud's by gamma, over a grid of both (powers of two, 1/64 to 64: the paper leaves
 *                 the grid open); the result with the least max(edge, link, cloud) is taken.
 *   qdmp          Zhang et al., "Towards Real-time Cooperative Deep Inference over the Cloud and Edge
 *                 End Devices", IMWUT 2020: the min-cut, but only between two adjacent cut vertices
 *                 (units through which all paths go). How the two are found we read so: the best cut
 *                 behind a cut vertex, and the better of its two neighbours. So it can miss the
 *                 optimum of the sums.
 *   cas           Wang et al., "Context-aware Adaptive Surgery", IMWUT 2021: search among the
 *                 neighbours of the last plan. Our reading of its partition state graph: a state is a
 *                 cut, its neighbours are the next larger cuts that hold it and the next smaller that
 *                 it holds; breadth first from the last plan, until three rings in a row bring
 *                 nothing better. Costs as dads-dsl's.
 *   greedy        as exact. In a running node it moves to whatever is best at the moment, where
 *                 exact weighs what a switch costs and how sure the gain is: what is left of
 *                 adaptation without that.
 *
 * Pure functions: the same problem and options give the same choice. Threads: any.
 */
#ifndef CLV_PLAN_POLICIES_H
#define CLV_PLAN_POLICIES_H

#include "plan/plan.h"

#define CLV_POLICY_MAP(X)                                                                          \
    X(EXACT, "exact", "the best placement, proven")                                                \
    X(EDGE, "edge", "everything here")                                                             \
    X(CLOUD, "cloud", "everything on the peer")                                                    \
    X(RANDOM, "random", "any cut")                                                                 \
    X(NEUROSURGEON, "neurosurgeon", "chain cuts, times from linear regressions")                   \
    X(DADS_DSL, "dads-dsl", "minimum cut of summed times")                                         \
    X(DADS_DSH, "dads-dsh", "least longest stage of weighted minimum cuts")                        \
    X(QDMP, "qdmp", "minimum cut between two cut vertices")                                        \
    X(CAS, "cas", "the best near the last plan")                                                   \
    X(GREEDY, "greedy", "the best placement of the moment, whatever a switch costs")
typedef enum clv_policy {
#define X(name, text, about) CLV_POLICY_##name,
    CLV_POLICY_MAP(X)
#undef X
        CLV_POLICY_COUNT
} clv_policy;
/* "exact|edge|...": the choices of an option (base/opt.h). */
#define CLV_POLICY_CHOICE(name, text, about) "|" text
#define CLV_POLICY_CHOICES                   (&(CLV_POLICY_MAP(CLV_POLICY_CHOICE))[1])
const char *clv_policy_name(clv_policy policy);  /* "?" out of range */
const char *clv_policy_about(clv_policy policy); /* a few words; "?" out of range */

typedef struct clv_policy_options {
    uint64_t seed;                  /* random */
    const clv_plan_chain *previous; /* cas: the last plan; NULL: everything on the peer */
    bool unlisted; /* may the choice be none of the problem's cuts? Else it can be carried out as
                      it is. It matters only past the cap of the cuts, and if units may return */
} clv_policy_options;

typedef struct clv_policy_choice {
    clv_plan_chain chain;
    /* what the policy minimises: LATENCY, ENERGY, or THROUGHPUT (its longest stage) */
    clv_plan_goal goal;
    int64_t believed;   /* what it takes that to be: ns or nj. Of exact: its true score;
                           CLV_PLAN_UNKNOWN of edge, cloud and random, which ask nothing */
    size_t considered;  /* cuts that it looked at */
    clv_plan_cost cost; /* the true one */
    /* owned, [n_units]; NULL unless chain.cut[] is CLV_PLAN_NO_CUT: a placement that is none of the
     * problem's cuts, whose true cost is by sums */
    uint8_t *unit_device;
} clv_policy_choice;
void clv_policy_choice_done(clv_policy_choice *c);

/* CLV_EINVAL: a problem that is not well formed, or one that the policy cannot see (more than two
 * devices, no unit times). CLV_EINFEASIBLE: nothing that it could choose can be carried out.
 * CLV_EUNAVAIL: cloud, and the link is down. */
CLV_MUST
clv_status clv_policy_choose(const clv_plan_problem *p, clv_policy policy,
                             const clv_policy_options *options, clv_policy_choice *out,
                             clv_error *err);

/* The policy's choice, one of the problem's cuts, as a whole plan. That of exact is
 * clv_plan_solve()'s; of another, `bound` is the exact plan's score where that goal can be met, and
 * `gap` its regret. */
CLV_MUST
clv_status clv_policy_plan(const clv_plan_problem *p, clv_policy policy,
                           const clv_policy_options *options, clv_plan *out, clv_error *err);

/* One policy beside the others. */
typedef struct clv_policy_row {
    clv_policy policy;
    clv_error error; /* status CLV_OK: the rest is set; else why it has no choice */
    clv_policy_choice choice;
    /* the first limit that it breaks: then its score is no rival to exact's */
    clv_plan_limit violated;
    double regret; /* score / exact's - 1; NAN when exact has no plan */
} clv_policy_row;
void clv_policy_rows_done(clv_policy_row rows[CLV_POLICY_COUNT]);

/* All policies on one problem, in the table's order, with `unlisted` choices. Where the exact plan
 * is none of the problem's cuts, all costs are by sums of units, so that they can be compared.
 * CLV_EINVAL: the problem is not well formed. */
CLV_MUST
clv_status clv_policies_compare(const clv_plan_problem *p, const clv_policy_options *options,
                                clv_policy_row rows[CLV_POLICY_COUNT], clv_error *err);

#endif
