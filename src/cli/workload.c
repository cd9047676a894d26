#include "cli/workload.h"

#include "base/mem.h"
#include "base/rng.h"

#include <string.h>

clv_status clv_workload_make(const clv_workload_mix *mix, clv_run *out, clv_error *err)
{
    clv_run t = {.seed = mix->seed};
    for (size_t i = 0; i < mix->n_models; i++) {
        if (clv_run_name(&t.models, mix->models[i]) >= 0) continue;
        clv_run_done(&t);
        return clv_fail(err, CLV_ELIMIT,
                        "model '%.200s': a run has at most %d models, with names of less than %d "
                        "bytes",
                        mix->models[i], CLV_RUN_NAMES_MAX, CLV_RUN_NAME_MAX);
    }
    clv_rng rng = clv_rng_seeded(mix->seed);
    double at_us = 0;
    for (size_t i = 0; i < mix->count; i++) {
        if (mix->rate_per_s > 0 && i > 0)
            at_us += clv_rng_exponential(&rng) * 1e6 / mix->rate_per_s;
        clv_run_request r = {.at_us = (int64_t)at_us, .plan = -1};
        r.model = (int)clv_rng_below(&rng, t.models.n);
        r.input = (int64_t)clv_rng_below(&rng, CLV_TASK_INPUTS);
        clv_run_add_request(&t, &r);
    }
    *out = t;
    return CLV_OK;
}

void clv_workload_again(const clv_run *recorded, clv_run *out)
{
    *out = (clv_run){.seed = recorded->seed};
    for (size_t i = 0; i < recorded->models.n; i++)
        clv_text_list_add(&out->models, recorded->models.items[i],
                          strlen(recorded->models.items[i]));
    for (size_t i = 0; i < recorded->n_requests; i++) {
        const clv_run_request *r = &recorded->requests[i];
        clv_run_add_request(
            out, &(clv_run_request){
                     .at_us = r->at_us, .model = r->model, .input = r->input, .plan = -1});
    }
}
