#include "split/deployment.h"

#include "base/mem.h"
#include "split/itinerary.h"

#include <stdlib.h>

clv_status clv_deployment_new(clv_network *network, size_t from, const clv_route *route,
                              clv_deployment **out, clv_error *err)
{
    const clv_cuts *cuts = clv_network_cuts(network);
    size_t last = cuts->n - 1, cut = route->cut[0];
    clv_deployment *d = clv_alloc(sizeof *d);
    atomic_init(&d->refs, 1);
    d->from = from;
    d->route = *route;
    clv_status status = CLV_OK;
    if (route->n > 2)
        status = clv_itinerary_text(route, cuts, clv_network_graph(network), &d->itinerary, err);
    if (!status && cut > from) status = clv_network_segment(network, from, cut, &d->head, err);
    if (!status && cut < last) status = clv_network_segment(network, cut, last, &d->tail, err);
    if (status) {
        clv_deployment_unref(d);
        return status;
    }
    d->any_batch = (!d->head || clv_segment_any_batch(d->head)) &&
                   (!d->tail || clv_segment_any_batch(d->tail));
    d->label = clv_route_label(route, cuts, clv_network_graph(network));
    *out = d;
    return CLV_OK;
}

void clv_deployment_warm_up(clv_deployment *d)
{
    clv_segment *first = d->head || d->route.n > 1 ? d->head : d->tail;
    if (first) clv_segment_warm_up(first);
}

clv_deployment *clv_deployment_ref(clv_deployment *d)
{
    atomic_fetch_add(&d->refs, 1);
    return d;
}

void clv_deployment_unref(clv_deployment *d)
{
    if (!d || atomic_fetch_sub(&d->refs, 1) > 1) return;
    clv_segment_unref(d->head);
    clv_segment_unref(d->tail);
    free(d->label);
    free(d->itinerary);
    free(d);
}
