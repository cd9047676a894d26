/* What the policies of others see of a problem. Private to plan/policy_*.c, policies.c and tests. */
#ifndef CLV_PLAN_POLICIES_PRIV_H
#define CLV_PLAN_POLICIES_PRIV_H

#include "plan/policies.h"

/* A cut that can be carried out, and its costs as the peers add them up: unit times, bytes / rate. */
typedef struct clv_policy_cut {
    int cut;
    int64_t edge_ns, up_ns, cloud_ns;
} clv_policy_cut;

typedef struct clv_policy_view {
    const clv_plan_problem *p;
    clv_policy_cut *cuts; /* owned, ascending */
    size_t n;
} clv_policy_view;

/* Every cut that breaks no pin, privacy, memory or link. CLV_EINFEASIBLE when there is none.
 * `sums` false: cuts only, for policies that ask no unit times. */
CLV_MUST
clv_status clv_policy_view_init(const clv_plan_problem *p, const char *policy, bool sums,
                                clv_policy_view *out, clv_error *err);
void clv_policy_view_done(clv_policy_view *v);

/* edge * alpha + up + cloud * gamma; weights in 64ths. */
int64_t clv_policy_weighted(const clv_policy_cut *c, int64_t alpha, int64_t gamma);
int64_t clv_policy_sum(const clv_policy_cut *c); /* both weights 1 */
/* Time of `bytes` at ps_per_byte, to the nearest nanosecond; it saturates. */
int64_t clv_policy_bytes_ns(int64_t bytes, int64_t ps_per_byte);

/* Each takes a view and gives the index of its choice among view->cuts, what it believes, and how many cuts it
 * looked at. */
typedef struct clv_policy_pick {
    size_t index;
    int64_t believed;
    size_t considered;
} clv_policy_pick;
clv_policy_pick clv_policy_neurosurgeon(const clv_policy_view *v);
clv_policy_pick clv_policy_dads_dsl(const clv_policy_view *v);
clv_policy_pick clv_policy_dads_dsh(const clv_policy_view *v);
clv_policy_pick clv_policy_qdmp(const clv_policy_view *v);
/* The indices, among view->cuts, of the two cuts between which qdmp looks; how many cut vertices it saw. */
size_t clv_policy_qdmp_range(const clv_policy_view *v, size_t *low, size_t *high);
clv_policy_pick clv_policy_cas(const clv_policy_view *v, int previous_cut);

/* dads-dsl, dads-dsh and qdmp by flow, over all ideals: chain, unit_device, goal, believed and considered
 * (paths filled) of a choice. CLV_EINFEASIBLE when no placement is allowed. */
CLV_MUST
clv_status clv_policy_wide(const clv_policy_view *v, clv_policy policy, clv_policy_choice *out,
                           clv_error *err);

/* Neurosurgeon's regression: for each unit of the graph, the time that a linear fit for its kind
 * gives it, 0 or more. `predicted` holds n_units. */
void clv_policy_regress(const clv_graph *g, const int64_t *unit_ns, int64_t *predicted);

#endif
