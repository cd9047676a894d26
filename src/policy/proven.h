/* What a plan has shown that it gets through: requests answered a second, while it was in use.
 *
 *     clv_proven p = {0};
 *     per_s = clv_proven_look(&p, plan, answered, now_us);   // now and then; `answered`: by this plan, ever
 *
 * A prediction may be too low: a peer that runs several requests at once takes less for each than a
 * profile of single runs says. A plan that has answered forty a second gets through forty, whatever
 * is predicted for it, and is not to be left for one that promises thirty. It says nothing of what more it could do: under a light load few are shown.
 *
 * Counted over CLV_PROVEN_WINDOW_US, anew for each plan: 0 until one has been in use for so long.
 * A clock that goes back begins anew. Pure. Threads: one at a time. */
#ifndef CLV_POLICY_PROVEN_H
#define CLV_POLICY_PROVEN_H

#include <stdint.h>

#define CLV_PROVEN_WINDOW_US 2000000

typedef struct clv_proven {
    const void *plan; /* told from others by its address */
    uint64_t answered;
    int64_t since_us;
    double per_s;
} clv_proven;

double clv_proven_look(clv_proven *p, const void *plan, uint64_t answered, int64_t now_us);

#endif
