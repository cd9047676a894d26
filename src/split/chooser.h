/* Which route to be on, as the planner's question changes: the best of the moment, and whether to
 * move to it. Values in, a value out; no clock, no sockets.
 *
 *     clv_chooser c;
 *     clv_chooser_init(&c);
 *     clv_chooser_look(&c, &(clv_chooser_view){.problem = p, .codecs = codecs, .live = &route, .tasks = 2, ...}, &answer, &err);
 *     // answer.to: the route to be on; the next view's `live` says whether that was carried out
 *
 * What each route promises is split/promise.h's: what its request takes, heavily loaded its longest
 * stage. When a route whose longest stage takes longer than requests are apart is the best for one
 * request, the best for many is looked at beside it. When the route in use shows that it gets
 * through less than predicted, what would be the best over links slower by as much is looked at.
 *
 * Of the policy "exact" the work functions of policy/switching.h decide when to move, over these
 * plans: the one in use, all local (the way out), the best, and what would be the best at both ends
 * of the links' intervals: the likeliest to be wanted next. Other policies are followed as they are:
 * they are what is compared with.
 *
 * When the load's mode, the way or the nodes behind it change, and after clv_chooser_init(), the
 * best route is taken at once: nothing that was learnt of the others' costs holds any more.
 *
 * Threads: one at a time. Private to split/. */
#ifndef CLV_SPLIT_CHOOSER_H
#define CLV_SPLIT_CHOOSER_H

#include "plan/policies.h"
#include "policy/switching.h"
#include "split/route.h"

/* What a switch costs, as a share of the best plan's cost: to one whose segments are to be built
 * first, and to one that is resident. */
#define CLV_ENTRY_COLD 0.15
#define CLV_ENTRY_WARM 0.05
/* Each switch lately doubles that for routes that leave this node, and is half forgotten in so
 * long, as routers leave a flapping route (RFC 2439). The way home never costs more. What requests
 * do by themselves at the cut (policy/handover.h) counts as a switch, too. */
#define CLV_RESTLESS_HALF_US 15000000
#define CLV_RESTLESS_MAX     2.0
/* With more than so many, a route that leaves this node costs no more than to go on here at its cut,
 * and a little (split/promise.h): requests follow the link, the plan stays. So it is over a link
 * whose rate is known to no more than CLV_LINK_OPEN_SIGMA, which has stepped, or was not looked at
 * for some ten seconds. */
#define CLV_RESTLESS_STAYS 0.5
/* The ends of a link's interval: so many standard deviations. For this question only, a link that
 * is not seen counts as one whose rate wanders by a factor of 1.6 (one standard deviation) in the
 * first second, 4 in ten, 24 at most: links step, and nobody tells. */
#define CLV_ENDS_SIGMAS    2.0
#define CLV_ENDS_VAR_PER_S 0.2
#define CLV_ENDS_VAR_MAX   10.0
#define CLV_ENDS_EVERY_US  500000 /* how often they are planned for, */
#define CLV_ENDS_WIDER     2      /* and at once when the rate is so much less certain */

/* By how much a route's longest stage was longer than predicted: the logarithm of the ratio. */
typedef struct clv_chooser_pace {
    double ln;
    int64_t at_us; /* 0: it was not seen */
} clv_chooser_pace;

typedef struct clv_chooser {
    clv_switching switching;
    clv_route routes[CLV_SWITCHING_PLANS]; /* of its known slots */
    clv_chooser_pace paces[CLV_SWITCHING_PLANS];
    bool settled; /* a route was chosen and carried out: from now on work functions decide */
    bool heavy;
    size_t way;
    clv_route was;    /* live at the last look */
    int64_t moved_us; /* when it changed */
    double restless;  /* switches lately */
    int64_t restless_us;
    int64_t ends_us;      /* when the ends were looked at last, */
    int64_t ends_rel_ppm; /* and how uncertain the first link's rate was */
    bool doubt;
    bool may_stay; /* as in the answer */
    bool stays;    /* requests on what is live do now */
} clv_chooser;

typedef struct clv_chooser_view {
    const clv_plan_problem *problem; /* its goal: latency */
    const clv_codec *codecs;         /* by the problem's numbers */
    clv_policy policy;
    size_t way; /* that the problem is of */
    bool heavy;
    const clv_route *live;
    const clv_route *const *warm; /* resident besides */
    size_t n_warm;
    double unseen_us;      /* since anything told of the rates of this node's link */
    double in_flight;      /* requests under way at once, the most lately; 0: one */
    double rate_per_s;     /* of requests that come; 0: not known */
    double answered_per_s; /* of those answered as the route in use has it; 0: not known */
    bool shows_all;        /* it has just shown that it gets through no more */
    double tasks;          /* requests since the last look; time counts as some */
    int64_t now_us;
} clv_chooser_view;

typedef struct clv_chooser_answer {
    clv_route to;
    clv_route second;             /* worth keeping resident; equal to `to`: none is */
    double period_us, latency_us; /* of the latency plan: what policy/load_mode.h wants to know */
    bool may_stay; /* the whole network may run here, and nothing but the latency counts */
    bool
        doubt; /* the plan is another at the other end of the links' intervals: a measurement could change it */
} clv_chooser_answer;

void clv_chooser_init(clv_chooser *c);
/* Errors are the planner's: no route keeps all limits, say. */
CLV_MUST
clv_status clv_chooser_look(clv_chooser *c, const clv_chooser_view *v, clv_chooser_answer *out,
                            clv_error *err);

#endif
