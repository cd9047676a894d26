#include "measure/stopwatch.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VISIT_US 4000   /* timed runs of short segments in one visit */
#define LONG_US  200000 /* from here on a cold cache is lost in the run itself */
enum { VISIT_RUNS_MAX = 5 };

static clv_status run_once(clv_stopwatch *w, clv_tensors *outputs, double *us, clv_error *err)
{
    clv_tensors made = {0};
    int64_t start_ns = clv_now_ns();
    clv_status s = clv_segment_run(w->segment, w->inputs, w->n_inputs, &made, err);
    *us = (double)(clv_now_ns() - start_ns) / 1000;
    if (s == CLV_OK && outputs) {
        for (size_t i = 0; i < made.n; i++) {
            clv_tensors_add(outputs, made.items[i]);
            made.items[i] = (clv_tensor){0};
        }
    }
    clv_tensors_done(&made);
    return s;
}

clv_status clv_stopwatch_start(clv_stopwatch *w, clv_network *network, size_t from, size_t to,
                               const clv_tensor *inputs, size_t n_inputs, clv_tensors *outputs,
                               clv_error *err)
{
    *w = (clv_stopwatch){
        .network = network, .from = from, .to = to, .inputs = inputs, .n_inputs = n_inputs};
    clv_segment *before = clv_network_resident(network, from, to);
    w->was_resident = before != NULL;
    if (before) clv_segment_unref(before);
    clv_status s = clv_network_segment(network, from, to, &w->segment, err);
    if (s == CLV_OK) s = run_once(w, outputs, &w->first_us, err);
    if (s != CLV_OK) clv_stopwatch_done(w);
    return s;
}

clv_status clv_stopwatch_visit(clv_stopwatch *w, clv_error *err)
{
    double us = w->first_us;
    if (us < LONG_US) {
        clv_status s = run_once(w, NULL, &us, err);
        if (s != CLV_OK) return s;
    }
    int runs = (int)fmin(fmax(VISIT_US / fmax(us, 1), 1), VISIT_RUNS_MAX);
    for (int i = 0; i < runs; i++) {
        clv_status s = run_once(w, NULL, &us, err);
        if (s != CLV_OK) return s;
        clv_grow(&w->us, &w->cap, w->n + 1, sizeof *w->us);
        w->us[w->n++] = us;
    }
    return CLV_OK;
}

clv_time clv_stopwatch_time(const clv_stopwatch *w)
{
    if (w->n == 0) return (clv_time){0};
    CLV_AUTO(clv_free) double *x = clv_alloc_array(w->n, sizeof *x);
    memcpy(x, w->us, w->n * sizeof *x);
    double median = clv_median(x, w->n);
    return (clv_time){.us = median, .sigma_us = clv_mad_sigma(x, w->n), .n = (int)w->n};
}

double clv_stopwatch_precision(const clv_stopwatch *w)
{
    if (w->n < 3) return (double)INFINITY;
    clv_time t = clv_stopwatch_time(w);
    return 1.2533 * t.sigma_us / sqrt((double)t.n) / fmax(t.us, 1e-3);
}

void clv_stopwatch_done(clv_stopwatch *w)
{
    bool had = w->segment != NULL;
    clv_segment_unref(w->segment);
    if (had && !w->was_resident) clv_network_evict(w->network, w->from, w->to);
    free(w->us);
    *w = (clv_stopwatch){0};
}
