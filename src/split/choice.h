/* Which route is the best, and what to expect of it. Private to split/. */
#ifndef CLV_SPLIT_CHOICE_H
#define CLV_SPLIT_CHOICE_H

#include "split/splitter_priv.h"

/* Predicted times of the part behind the cut. */
typedef struct clv_expectation {
    int64_t remote_us; /* by the peer, with the link */
    int64_t tail_us;   /* here */
} clv_expectation;

typedef struct clv_choice {
    clv_route route;
    clv_expectation expected;
} clv_choice;

/* What the policy wants; what is deployed over the same way, or here, if the best is hardly better. */
CLV_MUST
clv_status clv_choice_route(const clv_splitter *s, const clv_way *w, const clv_plan_problem *p,
                            clv_route *route, clv_error *err);
/* What the part behind the cut should take; 0 where that is not known. */
clv_expectation clv_choice_expect(const clv_way *w, const clv_plan_problem *p,
                                  const clv_route *route);

#endif
