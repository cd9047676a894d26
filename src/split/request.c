#include "split/request.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>

clv_request *clv_request_new(const char *model)
{
    clv_request *r = clv_alloc(sizeof *r);
    r->model = clv_strdup(model);
    r->accepted_us = clv_now_us();
    return r;
}

void clv_request_free(clv_request *r)
{
    if (!r) return;
    free(r->model);
    free(r->version);
    free(r->id);
    free(r->digest);
    free(r->route);
    clv_recall_unref(r->recall);
    clv_tensors_done(&r->inputs);
    clv_text_list_done(&r->wanted);
    clv_tensors_done(&r->outputs);
    free(r);
}

void clv_request_finish(clv_request *r)
{
    r->timing.total_us = clv_now_us() - r->accepted_us;
    r->done(r);
}

clv_trip clv_request_trip(const clv_request *r)
{
    const clv_timing *t = &r->timing;
    const clv_trip_node here = {.wait_us = t->wait_us,
                                .compute_us = t->edge_us,
                                .encode_us = t->encode_us,
                                .link_us = t->link_us,
                                .decode_us = t->decode_us,
                                .lost_us = t->lost_us};
    return clv_trip_of(&here, &r->trip);
}

clv_energy_use clv_request_use(const clv_request *r)
{
    const clv_timing *t = &r->timing;
    double up = (double)r->up_bytes, down = (double)r->down_bytes;
    double up_share = up + down > 0 ? up / (up + down) : 1;
    return (clv_energy_use){.edge_us = (double)(t->edge_us + t->encode_us + t->decode_us),
                            .cloud_us = (double)t->cloud_us,
                            .up_us = (double)t->link_us * up_share,
                            .down_us = (double)t->link_us * (1 - up_share),
                            .idle_us = (double)(t->queue_us + t->relay_us + t->lost_us),
                            .up_bytes = up,
                            .down_bytes = down};
}
