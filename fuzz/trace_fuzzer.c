/* A recorded stream of requests: an error, or tasks in order of time that name a model and an input. */
#include "cli/workload.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    clv_workload w;
    if (clv_workload_parse((const char *)data, n, &w, NULL)) return 0;
    if (w.n == 0) abort();
    for (size_t i = 0; i < w.n; i++) {
        const clv_task *t = &w.tasks[i];
        if (t->at_us < (i ? w.tasks[i - 1].at_us : 0)) abort();
        if (t->model < 0 || (size_t)t->model >= w.n_models || !w.models[t->model][0]) abort();
        if (t->input < 0 || t->input >= CLV_TASK_INPUTS) abort();
    }
    clv_workload_done(&w);
    return 0;
}
