/* A request that came with its way (split/itinerary.h): this node runs its part and hands the rest
 * on, or hands on what it got. */
#include "split/carry.h"

#include "base/clock.h"
#include "split/itinerary.h"
#include "split/relay.h"

#include <stdio.h>

/* Compile what nobody had prepared, then go on. */
static void build(void *arg, int64_t queue_us)
{
    clv_carry *c = arg;
    clv_error err = {0};
    int64_t start = clv_now_us();
    clv_status status = clv_relay_make(c->s, c->from, &c->route, &c->d, &err);
    c->r->timing.wait_us += queue_us + clv_now_us() - start;
    if (status)
        clv_carry_fail(c, &err);
    else
        clv_carry_start(c);
}

clv_status clv_carry_relay(clv_carry *c, bool *taken, clv_error *err)
{
    const clv_cuts *cuts = clv_network_cuts(c->s->network);
    clv_status status = clv_itinerary_parse(c->r->route, c->from, cuts,
                                            clv_network_graph(c->s->network), &c->route, err);
    *taken = false;
    if (status) return clv_within(err, "model '%s': parameter 'cleave_route'", c->s->model);
    int way = clv_relay_way(c->s);
    if (c->route.n < 2) return CLV_OK;
    if (way < 0) {
        snprintf(c->r->recovered, sizeof c->r->recovered, "%s",
                 c->s->n_ways ? "the next node cannot be reached" : "this node has no next one");
        return CLV_OK;
    }
    *taken = true;
    c->way = (size_t)way;
    clv_deployment_unref(c->d);
    c->d = clv_relay_find(c->s, c->from, &c->route);
    if (c->d)
        clv_carry_start(c);
    else
        clv_carry_build(c, build);
    return CLV_OK;
}
