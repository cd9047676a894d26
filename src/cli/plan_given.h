/* A plan that somebody else has made, for `cleave plan --given`: read, and weighed beside the exact one.
 *
 *     clv_plan_chain chain;
 *     clv_plan_given_read("edge ..3:pool2 | raw | cloud ..5:output", digest, &problem, &chain, &err);
 *     clv_plan_given g = {0};
 *     clv_plan_given_weigh(&problem, &chain, &plan, &g, &err);      // clv_plan_done(&plan)
 */
#ifndef CLV_CLI_PLAN_GIVEN_H
#define CLV_CLI_PLAN_GIVEN_H

#include "plan/plan.h"

typedef struct clv_plan_given {
    bool is; /* false: the plan was chosen, and the rest says nothing */
    clv_plan_limit violated;
    double regret; /* score / the exact plan's - 1, below 0 only if it breaks a limit. NAN: nothing
                      keeps the limits, or the exact plan is weighed by sums of units */
} clv_plan_given;

/* `given` is the line of plan/plan_text.h, or a file with it, or one that `cleave plan --json` wrote
 * for the network with this digest. CLV_EINVAL names what does not fit; CLV_EMISMATCH: the file is of
 * another network. */
CLV_MUST
clv_status clv_plan_given_read(const char *given, const char *digest, const clv_plan_problem *p,
                               clv_plan_chain *out, clv_error *err);

/* The chain as a plan, which the caller owns: bound and gap from the exact plan, the exact plan and its
 * runners-up as rivals. The gap is INFINITY when it breaks a limit or nothing is known. CLV_EINVAL: it
 * was not measured; CLV_EUNAVAIL: a hop that it crosses is down. */
CLV_MUST
clv_status clv_plan_given_weigh(const clv_plan_problem *p, const clv_plan_chain *chain,
                                clv_plan *plan, clv_plan_given *out, clv_error *err);

#endif
