#include "split/deployment.h"

#include "base/mem.h"

#include <stdlib.h>

clv_status clv_deployment_new(clv_network *network, size_t cut, clv_deployment **out,
                              clv_error *err)
{
    const clv_cuts *cuts = clv_network_cuts(network);
    size_t last = cuts->n - 1;
    clv_deployment *d = clv_alloc(sizeof *d);
    atomic_init(&d->refs, 1);
    d->cut = cut;
    clv_status status = CLV_OK;
    if (cut > 0) status = clv_network_segment(network, 0, cut, &d->head, err);
    if (!status && cut < last) status = clv_network_segment(network, cut, last, &d->tail, err);
    if (status) {
        clv_deployment_unref(d);
        return status;
    }
    d->any_batch = (!d->head || clv_segment_any_batch(d->head)) &&
                   (!d->tail || clv_segment_any_batch(d->tail));
    d->label = cut == 0      ? clv_strdup("remote")
               : cut == last ? clv_strdup("local")
                             : clv_cut_label(cuts, clv_network_graph(network), cut);
    *out = d;
    return CLV_OK;
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
    free(d);
}
