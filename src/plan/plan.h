/* Problem in, plan out: where to cut one network between an edge and a cloud. Pure functions on
 * plain values.
 *
 *     clv_plan_problem problem = {0};
 *     clv_plan_problem_join(edge_profile, cloud_profile, &link, &problem, &err);
 *     clv_plan plan;
 *     clv_plan_solve(&problem, CLV_POLICY_EXACT, &plan, &err);
 *     printf("%s: %s\n", problem.cuts[plan.cut].label, plan.why);
 *     clv_plan_problem_done(&problem);
 *
 * Cut 0 runs all on the cloud, the last cut all on the edge and pays nothing for the link; every
 * problem has both. The planner sees values only: it never asks a clock, a device or a socket, so
 * the same problem gives the same plan in a node, in a test and in a simulator.
 *
 * Source: Kang et al., "Neurosurgeon", ASPLOS 2017 (try every cut, take the least sum). Our
 * differences: cuts are order ideals of a DAG, times are those of whole segments, the answer's way
 * back and the round trip are paid, and the last cut pays nothing for the link.
 *
 * Cost: one pass over the cuts, a few nanoseconds each. Threads: any, the functions keep no state.
 */
#ifndef CLV_PLAN_PLAN_H
#define CLV_PLAN_PLAN_H

#include "cost/link.h"
#include "cost/profile.h"

typedef struct clv_plan_cut {
    const char *label;           /* borrowed from the profiles */
    int edge_index, cloud_index; /* of this cut in the two profiles */
    double edge_us, cloud_us;    /* prefix on the edge, suffix on the cloud */
    size_t up_bytes, down_bytes;
} clv_plan_cut;

typedef struct clv_plan_problem {
    clv_plan_cut *cuts; /* owned; those that both devices have measured, from few to many units on
                           the edge; the first is all-cloud, the last all-edge */
    size_t n_cuts;
    clv_link link;
    double queue_us; /* wait at the cloud before it computes */
    double
        overhead_us; /* fixed cost of a remote exchange besides the link: encode, frame, decode */
    double edge_queue_us; /* wait at the edge before it computes (0 when cut 0 needs no edge) */
} clv_plan_problem;

/* Join by the names of live tensors: two devices may fuse, and so cut, a network differently.
 * CLV_EMISMATCH when the digests differ, CLV_EINVAL when one device has not measured the whole
 * network. Labels are borrowed from `edge`, which must outlive the problem. The waits and the
 * overhead start at 0: set them after. */
CLV_MUST
clv_status clv_plan_problem_join(const clv_profile *edge, const clv_profile *cloud,
                                 const clv_link *link, clv_plan_problem *out, clv_error *err);
void clv_plan_problem_done(clv_plan_problem *p);

#define CLV_POLICY_MAP(X)                                                                          \
    X(EXACT, "exact", "the cut with the least predicted latency, all cuts tried")                  \
    X(EDGE, "edge", "everything on the edge")                                                      \
    X(CLOUD, "cloud", "everything on the cloud")

typedef enum clv_policy {
#define X(name, text, about) CLV_POLICY_##name,
    CLV_POLICY_MAP(X)
#undef X
        CLV_POLICY_COUNT
} clv_policy;
const char *clv_policy_name(clv_policy p);
#define CLV_POLICY_CHOICES "exact|edge|cloud"

/* Predicted latency of one cut and its parts; the parts add up to latency_us. With the link down
 * link_us and latency_us of every cut but the last are INFINITY. queue_us holds the waits on both
 * sides. */
typedef struct clv_plan_cost {
    size_t cut;
    double edge_us, link_us, queue_us, cloud_us, overhead_us, latency_us;
} clv_plan_cost;
clv_plan_cost clv_plan_cost_of(const clv_plan_problem *p, size_t cut);

enum { CLV_PLAN_WHY_MAX = 320 };
typedef struct clv_plan {
    size_t cut; /* index into problem.cuts */
    clv_policy policy;
    clv_plan_cost cost;
    char why[CLV_PLAN_WHY_MAX]; /* one plain sentence */
} clv_plan;
/* CLV_EUNAVAIL when the link is down and the policy is CLOUD. With the link down EXACT is all-edge.
 * Ties go to the later cut (less on the wire). */
CLV_MUST
clv_status clv_plan_solve(const clv_plan_problem *p, clv_policy policy, clv_plan *out,
                          clv_error *err);
/* All cuts from best to worst into `costs` (room for n_cuts). Latencies are compared in whole
 * nanoseconds, here and in clv_plan_solve(), so that ties are ties. */
void clv_plan_rank(const clv_plan_problem *p, clv_plan_cost *costs);
/* The sentence of `plan->why`: what the plan does and what it saves against its rivals. Needs
 * plan->cut and plan->cost. Truncated to `size`. */
void clv_plan_explain(const clv_plan_problem *p, const clv_plan *plan, char *text, size_t size);

#endif
