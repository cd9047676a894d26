/* When no placement keeps all limits: how far away each limit is, and which one, moved alone, would do.
 *
 *     clv_plan_relaxation r = clv_plan_relax(&problem);
 *     for (size_t i = 0; i < r.n; i++)
 *         if (r.items[i].enough) … r.items[i].limit …, r.items[i].needed …
 *     clv_plan_relax_text(&problem, &r, text, sizeof text);      // the same for people, one line
 *
 * Every number is that of a placement which a planner found when it was asked again with the limit's
 * own quantity as its goal, or with the limit dropped; so it is as exact as that planner. A limit on
 * memory is searched to the byte with planner A, and to a 64th with the others, which take longer; one
 * on accuracy to a millionth with all.
 */
#ifndef CLV_PLAN_RELAX_H
#define CLV_PLAN_RELAX_H

#include "plan/plan.h"

typedef struct clv_plan_relief {
    clv_plan_limit limit;
    size_t device; /* MEMORY: whose */
    int64_t now;   /* the limit: ns, nJ, pm, bytes, ppm; 0 of PINS, PRIVACY and LINK */
    /* what a placement can reach when all other limits are dropped; links stay as they are */
    int64_t least;
    /* the limit that would do, all others kept; 0 of those that can only be dropped */
    int64_t needed;
    bool enough; /* moved so far (or dropped) alone, it would do; else `needed` is UNKNOWN */
} clv_plan_relief;

enum { CLV_PLAN_RELIEFS_MAX = 7 + CLV_PLAN_DEVICES_MAX };

/* One for each limit that the problem has. */
typedef struct clv_plan_relaxation {
    clv_plan_relief items[CLV_PLAN_RELIEFS_MAX];
    size_t n;
} clv_plan_relaxation;

/* Of a checked problem. LINK stands for the hops that are down: asked again as if they were up, at
 * their last rates, or at any rate where these are 0. */
clv_plan_relaxation clv_plan_relax(const clv_plan_problem *p);
void clv_plan_relax_text(const clv_plan_problem *p, const clv_plan_relaxation *r, char *text,
                         size_t size);

/* Has the problem this limit? That on accuracy only if a codec costs any. */
bool clv_plan_has_limit(const clv_plan_problem *p, clv_plan_limit limit);
/* The problem without it. */
clv_plan_problem clv_plan_without(const clv_plan_problem *p, clv_plan_limit limit);

#endif
