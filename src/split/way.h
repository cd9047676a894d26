/* A way to a peer, for one network: has the peer the model, what does it cost there, what stands
 * behind it. A splitter has one for each of its peers: the next hop first, then those that it uses
 * while that one is lost (adapt.c chooses).
 *
 *     clv_way_init(&w, splitter, peer);
 *     if (!clv_peer_link(w.peer).up) clv_way_lost(&w);   // at each look
 *     else clv_way_ask(&w);                              // the next question, if one is due
 *     if (clv_way_ready(&w)) ... plan over it
 *     clv_way_done(&w);
 *
 * One question is under way at a time; each answer looks at the splitter again (clv_adapt_step).
 * Another model under the same name, another version of what nodes say to each other, or a peer
 * that takes no models: the way is refused, which is said once and asked anew every five seconds.
 *
 * Threads: the loop's, but for `peer`, which never changes. Private to split/.
 */
#ifndef CLV_SPLIT_WAY_H
#define CLV_SPLIT_WAY_H

#include "base/log.h"
#include "plan/tables.h"
#include "policy/wait.h"
#include "split/chain.h"
#include "split/learning.h"
#include "split/peer.h"
#include "split/route.h"
#include "split/told.h"

#include <stdatomic.h>

enum { CLV_WAYS_MAX = CLV_PLAN_DEVICES_MAX - 1 };
#define CLV_ASK_AGAIN_US 5000000

typedef enum clv_way_stage {
    CLV_WAY_ASK,     /* does the peer have the model? */
    CLV_WAY_PUSH,    /* it does not: send it */
    CLV_WAY_PROFILE, /* it does: what does it cost there? */
    CLV_WAY_CHAIN,   /* what stands behind it? Asked again now and then */
    CLV_WAY_READY,
    CLV_WAY_REFUSED /* another model under the same name, or pushing is not allowed */
} clv_way_stage;

typedef struct clv_way {
    struct clv_splitter *s; /* borrowed: whose network it is */
    clv_peer *peer;         /* borrowed */
    clv_way_stage stage;
    bool asking;          /* a question to the peer is under way */
    bool pushed;          /* the model, since the peer was last lost */
    int64_t ask_after_us; /* not before: backoff after a refusal */
    /* since when the peer cannot be reached or answers with errors; 0: it does not */
    int64_t hindered_us;
    clv_profile *profile; /* of the peer's device; NULL: not known yet */
    /* the peer and what stands behind it; n 0: it does not tell, or not yet if it is pending; NULL:
     * not known yet */
    clv_chain *chain;
    bool lacks_profiles;      /* the chain has nodes whose profiles are to be asked for */
    int64_t chain_seen_us;    /* when, last; 0: at once again */
    bool chain_doubted;       /* a request met a node that does not do its part */
    clv_plan_problem problem; /* the last, for whoever asked */
    clv_plan_tables *tables;  /* of this device and what is behind; NULL: not made yet */
    clv_learning learning;    /* what requests over it, and those here, taught */
    clv_wait wait;            /* in the peer's queue: which to plan with (policy/wait.h) */
    int64_t answered_us;      /* when the peer last answered a request */
    int64_t heard_us;         /* when the peer told its load, as far as it is in `wait` */
    clv_told told;            /* to the log, of its troubles */
} clv_way;

void clv_way_init(clv_way *w, struct clv_splitter *s, clv_peer *peer);
void clv_way_done(clv_way *w);

/* The next question to the peer, if one is due. */
void clv_way_ask(clv_way *w);
/* Is it time to ask what stands behind the peer? And ask. */
bool clv_way_chain_due(const clv_way *w);
void clv_way_ask_chain(clv_way *w);
/* What stands behind the peer is not what it was said to be: look again with the next look at the
 * link, not seconds later. */
void clv_way_doubt_chain(clv_way *w);
/* Is the peer up, with the model and its costs known? */
bool clv_way_ready(const clv_way *w);
/* The peer is not up: who comes back may have other models. */
void clv_way_lost(clv_way *w);
/* The peer is not what it was said to be: ask it anew, not before `after_us` from now. */
void clv_way_doubt(clv_way *w, int64_t after_us);
/* The way cannot be used as the peer is; says why. */
void clv_way_refuse(clv_way *w, const char *why);
/* A trouble to the log, once (split/told.h). */
void clv_way_say(clv_way *w, clv_log_level level, const char *event, const char *text);
/* The wait in the peer's queue to plan with now. */
double clv_way_wait_us(clv_way *w);

/* Have the peer, and those behind it on the route, hold what they are to run of it. */
void clv_way_prepare(clv_way *w, const clv_route *route, clv_peer_done_fn done, void *arg);

/* The profiles are known: make the planner's tables, once for each chain of nodes. */
void clv_way_join(clv_way *w, const clv_profile *own);
/* The planner's question over this way, for the nodes that can be reached now, with the links as it
 * is now and what requests have taught. Borrowed until the next call. CLV_EUNAVAIL: a profile is
 * missing. */
CLV_MUST
clv_status clv_way_problem(clv_way *w, const clv_plan_problem **problem, clv_error *err);

#endif
