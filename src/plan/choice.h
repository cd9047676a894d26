/* The best placement by units that a search has seen. Private to plan/.
 *
 *     clv_choice best = clv_choice_new(problem);
 *     clv_choice_offer(&best, gadgets, codec, unit_device);      // as often as one likes
 *     clv_choice_improve(&best, gadgets, codec);                 // and its neighbours
 *     if (best.found) … best.cost …
 *     clv_choice_done(&best);
 *
 * A placement that keeps all limits beats any that does not; of those that keep them the one that
 * clv_plan_better() prefers; of those that do not, the one that is least over. Threads: one at a time. */
#ifndef CLV_PLAN_CHOICE_H
#define CLV_PLAN_CHOICE_H

#include "plan/gadgets.h"

typedef struct clv_choice {
    uint8_t *unit_device; /* [n_units] */
    clv_plan_cost cost;
    double excess; /* over the limits, clv_gadgets_excess(); INFINITY: nothing was offered yet */
    size_t codec;
    bool found; /* it keeps all limits */
} clv_choice;

clv_choice clv_choice_new(const clv_plan_problem *p);
void clv_choice_done(clv_choice *c);
/* Taken if it is legal and better. */
bool clv_choice_offer(clv_choice *c, const clv_gadgets *g, size_t codec,
                      const uint8_t *unit_device);
/* Offers what a search by weights cannot see: the prefixes of the units' order, then the choice with
 * one and with two units moved, until nothing gets better or enough was tried. */
void clv_choice_improve(clv_choice *c, const clv_gadgets *g, size_t codec);

#endif
