/* What may not leave this device, and the sender's last look before a byte does.
 *
 *     clv_guard g;
 *     clv_guard_init(&g, network, &privacy);              // graph/leakage.h
 *     problem.limits.stays = g.stays;                     // so no plan asks for it,
 *     if (!clv_guard_allows(&g, cut)) ...                 // no pin,
 *     if (clv_guard_check(&g, cut, tensors, n, &err)) ... // and whatever asked, it is not sent
 *     clv_guard_done(&g);
 *
 * The rule is the planner's (plan/problem.h): a tensor that stays is neither read nor made by
 * another device. A policy that does not fit the network (it names a tensor that the network lacks)
 * lets nothing leave: a mistyped name must not be a leak.
 *
 * Values, constant after clv_guard_init() but for the count. Threads: any. Private to split/.
 */
#ifndef CLV_SPLIT_GUARD_H
#define CLV_SPLIT_GUARD_H

#include "graph/leakage.h"
#include "repo/network.h"

#include <stdatomic.h>

typedef struct clv_guard {
    const clv_network *network;      /* borrowed */
    bool *stays;                     /* [n_tensors]; NULL: everything may leave */
    bool *allowed;                   /* [cuts->n]: may another device run what is behind the cut? */
    char misfit[CLV_ERROR_TEXT_MAX]; /* why the policy does not fit; "" if it does */
    atomic_size_t withheld;          /* how often the sender had to stop something */
} clv_guard;

/* `privacy` may be NULL: nothing stays. */
void clv_guard_init(clv_guard *g, const clv_network *network, const clv_privacy *privacy);
void clv_guard_done(clv_guard *g);

bool clv_guard_allows(const clv_guard *g, size_t cut);
/* May these tensors go out, for another device to run what is behind the cut? CLV_EDENIED names the
 * tensor and is counted. A tensor that the network does not have may not go either. */
CLV_MUST
clv_status clv_guard_check(clv_guard *g, size_t cut, const clv_tensor *tensors, size_t n,
                           clv_error *err);

#endif
