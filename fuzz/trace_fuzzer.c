/* A recorded run from anywhere: an error with a text, or lists in order of time that name what
 * there is; and what is written of it is read as the same again. */
#include "cli/run.h"
#include "cli/run_chart.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void need(int fact)
{
    if (!fact) abort();
}

static void check(const clv_run *t)
{
    int models = (int)t->models.n, plans = (int)t->plans.n;
    need(t->n_requests > 0);
    for (size_t i = 0; i < t->n_requests; i++) {
        const clv_run_request *r = &t->requests[i];
        need(r->at_us >= (i ? t->requests[i - 1].at_us : 0));
        need(r->model >= 0 && r->model < models && t->models.items[r->model][0]);
        need(r->input >= 0 && r->input < CLV_TASK_INPUTS);
        need(r->plan >= -1 && r->plan < plans && r->timing.total_us >= 0);
    }
    for (size_t i = 0; i < t->n_links; i++) need(!t->links[i].up || t->links[i].up_bytes_per_s > 0);
    for (size_t i = 0; i < t->n_wires; i++) need(t->wires[i].link >= 0 && t->wires[i].up.loss <= 1);
    for (size_t i = 0; i < t->n_switches; i++)
        need(t->switches[i].model < models && t->switches[i].plan < plans);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    clv_run t, again;
    clv_error err = {0};
    if (clv_run_parse((const char *)data, n, &t, &err)) {
        need(err.text[0] != 0);
        return 0;
    }
    check(&t);
    clv_buf first = {0}, second = {0}, svg = {0};
    clv_run_print(&t, &first);
    need(clv_run_parse(first.data, first.len, &again, NULL) == CLV_OK);
    clv_run_print(&again, &second);
    need(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
    clv_run_chart(&svg, &t);
    need(strstr(svg.data, "nan") == NULL || strstr((const char *)first.data, "nan") != NULL);
    clv_buf_done(&first);
    clv_buf_done(&second);
    clv_buf_done(&svg);
    clv_run_done(&t);
    clv_run_done(&again);
    return 0;
}
