/* What a plan has shown that it gets through: requests answered a second, while it was in use.
 *
 *     clv_proven p = {0};
 *     if (clv_proven_look(&p, plan, answered, queue, now_us)) ...   // now and then; `answered`: by this plan, ever
 *     // p.per_s; true: it gets through no more, either
 *
 * A prediction may be too low: a peer that runs several requests at once takes less for each than a
 * profile of single runs says. A plan that has answered forty a second gets through forty, whatever
 * is predicted for it, and is not to be left for one that promises thirty. It says nothing of what more it could do: under a light load few are shown.
 *
 * While requests queue all the time (`queue`, at every look) it does: then what is answered is what
 * the plan gets through. It is believed of a window if the one before was so, too: in that what the
 * plan before had left was still under way.
 *
 * Counted over CLV_PROVEN_WINDOW_US, anew for each plan: 0 until one has been in use for so long.
 * A clock that goes back begins anew. Pure. Threads: one at a time. */
#ifndef CLV_POLICY_PROVEN_H
#define CLV_POLICY_PROVEN_H

#include <stdbool.h>
#include <stdint.h>

#define CLV_PROVEN_WINDOW_US 2000000

typedef struct clv_proven {
    const void *plan; /* told from others by its address */
    uint64_t answered;
    int64_t since_us;
    int64_t calm_us; /* when requests did not queue, or the plan was new, the last time */
    double per_s;    /* 0: not known */
} clv_proven;

/* True: a window ends now, and per_s is all that the plan gets through. */
bool clv_proven_look(clv_proven *p, const void *plan, uint64_t answered, bool queue,
                     int64_t now_us);

#endif
