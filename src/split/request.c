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
