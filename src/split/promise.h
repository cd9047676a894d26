/* What a route promises for the next request, as work functions want to know it: pure.
 *
 *     clv_promises w = {.view = v, .problem = p, .may_stay = true};
 *     prospects[slot] = clv_promise_of(&w, &route, &pace);   // policy/switching.h
 *
 * Lightly loaded, a route costs what its request takes; heavily loaded, its longest stage
 * (policy/load_mode.h). A peer that others keep busy is a longer stage than its segment: of n
 * requests under way there, each waiting w and running s, one ends every (w + s) / n (Little
 * 1961). If only this node's wait there that is s, whatever their number; among eight nodes that
 * do the same it is 8 s: the share that a node gets. What waits is of the route in use: with
 * another, whose part there runs r, one would end every (w + s) / n + r - s. Without it eight nodes
 * at their limits would all take the peer's whole pace for their own, and never leave.
 *
 * Lightly loaded is not unloaded: a route whose longest stage takes longer than requests are apart
 * is charged for the queue that would grow. Without that a peer that is waited for made the way home
 * look short, until all went there.
 *
 * The route in use has shown what it gets through (policy/proven.h): its longest stage counts as no
 * longer than that, however long it is predicted. Heavily loaded, while requests queue all the time,
 * that is also all that it gets through: by how much the prediction was off is its pace, is kept for
 * each route that was in use, and fades like all that runs have taught (cost/correction.h). A route
 * that only promises more than the one in use shows is so tried once, and left again if it does not
 * hold it. A route that has not shown it has the benefit of the doubt, as in Auer, Cesa-Bianchi and
 * Fischer, "Finite-time Analysis of the Multiarmed Bandit Problem", 2002.
 *
 * Two routes' promises are off together where they rest on the same link's rate or round trip;
 * apart, by what their segments' times are uncertain. Where requests may go on here at the cut
 * (policy/handover.h), a route over a link that nobody knows, or that has had the node restless,
 * costs no more than that.
 *
 * Threads: any. Private to split/. */
#ifndef CLV_SPLIT_PROMISE_H
#define CLV_SPLIT_PROMISE_H

#include "split/chooser.h"

typedef struct clv_promises {
    const clv_chooser_view *view;
    const clv_plan_problem *problem; /* the view's, or like it */
    bool may_stay, restless;         /* requests may go on here at the cut; the node moves a lot */
} clv_promises;

/* The route as the planner has it; false: it is over another way, or in a codec that is not
 * offered. */
bool clv_promise_chain(const clv_chooser_view *v, const clv_route *r, clv_plan_chain *out);
/* Does the chain keep the limits? Its cost. */
bool clv_promise_keeps(const clv_plan_problem *p, const clv_plan_chain *chain, clv_plan_cost *cost);
/* A cost that is not finite: the route cannot be carried out. `entry` is left to the caller. */
clv_prospect clv_promise_of(const clv_promises *w, const clv_route *r,
                            const clv_chooser_pace *pace);
/* Do requests on the route in use go on here, as the link is now? */
bool clv_promise_stays(const clv_promises *w);
/* What requests wait for on average while they pile up before a stage of this length. */
double clv_promise_piled_us(const clv_chooser_view *v, double period_us);

/* The route in use may have shown all that it gets through: its pace then. */
void clv_promise_learn(const clv_promises *w, clv_chooser_pace *pace);
/* By how much the route is slower than predicted, a logarithm; 0: it is not, or that is forgotten. */
double clv_promise_slower(const clv_chooser_pace *pace, int64_t now_us);

#endif
