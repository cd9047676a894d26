/* When to change plans: a metrical task system, decided by work functions. Pure: costs in, a verdict out.
 *
 *     clv_switching s;
 *     clv_switching_init(&s);
 *     int slot = clv_switching_admit(&s, 0);             // the caller remembers which plan stands in which slot
 *     prospects[slot] = (clv_prospect){.cost = us, .entry = entry_us, .own_sigma = …};
 *     clv_switching_step(&s, prospects, tasks, &verdict); // verdict.to: the slot to be in
 *     clv_switching_moved(&s, verdict.to);                // when it is carried out
 *
 * Every request is a task, and costs in each plan what is predicted for it there; changing plans
 * costs something too. The work function w(p) is the least that serving all tasks so far and being
 * in p now could have cost, for one who knew them all:
 *
 *     w(p) = min over q of (w(q) + cost(q) + entry(p) if q is another)
 *
 * The plan changes when the present one's work function has reached another's plus its own entry:
 * when to have been there, and to come back, would have been as cheap as to stay. So a large gain
 * moves at once and a small one after a while, what goes up and down by turns cancels, and whatever
 * the costs do, in all no more than 2N - 1 times as much is paid as by one who knows the future
 * (Borodin, Linial and Saks, "An optimal on-line algorithm for metrical task system", JACM 1992: N
 * states).
 *
 * Our differences:
 *   - Predictions are uncertain: the other plan must also promise, now, to be cheaper by more than
 *     the interval of the difference, CLV_SWITCHING_SIGMAS standard deviations. The two plans'
 *     predictions are off together where they rest on the same thing (the rate of the link, say),
 *     so each plan states how far it moves with each common factor, and what is common cancels.
 *     That costs no more than the interval, for each request; in exchange noise alone moves
 *     nothing.
 *   - A plan that is resident already costs little to enter (`entry`), another much, whoever comes:
 *     distances are no metric. The work function of a plan that is dear to enter lies that much
 *     behind, so it is entered late; it is left as soon as any other.
 *   - The set of plans changes: of many hundred cuts only a few ever are the best. A new plan gets
 *     a slot, with the work function of one who would move there now: the greatest that it can
 *     have. Who is the furthest from being chosen makes room.
 *   - The first plan is free: nothing was chosen before.
 *
 * Costs and sigmas are in one unit, any; tasks are counted. Threads: one at a time.
 */
#ifndef CLV_POLICY_SWITCHING_H
#define CLV_POLICY_SWITCHING_H

#include <stdbool.h>
#include <stdint.h>

enum { CLV_SWITCHING_PLANS = 4, CLV_SWITCHING_FACTORS = 32, CLV_SWITCHING_NONE = -1 };
#define CLV_SWITCHING_SIGMAS 3.0

/* What a plan promises for the next request. */
typedef struct clv_prospect {
    double cost; /* above 0; INFINITY: it cannot be carried out now */
    /* what moving to it costs, 0 or more: little if it is resident, else the preparation's share */
    double entry;
    double own_sigma; /* standard deviation of what only this plan rests on */
    double factor
        [CLV_SWITCHING_FACTORS]; /* how much the cost moves for one standard deviation of each common factor; the same
                                             factor has the same place in all plans */
} clv_prospect;

typedef struct clv_switching {
    bool known[CLV_SWITCHING_PLANS];
    double work[CLV_SWITCHING_PLANS]; /* the least of them is 0 */
    double most;                      /* the dearest entry of the last step: of plans to come */
    int live;                         /* CLV_SWITCHING_NONE: nothing was chosen yet */
} clv_switching;

typedef struct clv_switching_verdict {
    int to; /* the slot to be in; `live`: stay. CLV_SWITCHING_NONE: no plan can be carried out */
    /* of the others the one that is the nearest to being chosen, worth keeping resident; NONE:
     * there is none */
    int second;
    double gain;     /* what `to` promises against `live`, for one request; 0 when staying */
    double interval; /* that the gain had to exceed */
} clv_switching_verdict;

void clv_switching_init(clv_switching *s);
/* A slot for a plan that is not known yet. `keep` has a bit for each slot that must not be given
 * away; `live` never is. NONE: all are to be kept. */
int clv_switching_admit(clv_switching *s, unsigned keep);
/* `tasks` requests came, each costing what `prospects` (one for each slot; those of unknown slots
 * are not read) say; 0: only look. A plan whose cost is not above 0, or not a number, counts as one
 * that cannot be carried out. */
void clv_switching_step(clv_switching *s, const clv_prospect prospects[CLV_SWITCHING_PLANS],
                        double tasks, clv_switching_verdict *out);
/* This plan is carried out now, whatever the verdict was. */
void clv_switching_moved(clv_switching *s, int slot);
/* Standard deviation of the difference of two plans' costs. */
double clv_prospect_sigma(const clv_prospect *a, const clv_prospect *b);

#endif
