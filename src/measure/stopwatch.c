#include "measure/stopwatch.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "engine/pages.h"

#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>

#define VISIT_US 4000   /* timed runs of short segments in one visit */
#define LONG_US  200000 /* from here on a cold cache is lost in the run itself */
enum { VISIT_RUNS_MAX = 5 };

static long switches(void)
{
    struct rusage u;
    return getrusage(RUSAGE_SELF, &u) == 0 ? u.ru_nivcsw : 0;
}

static clv_status run_once(clv_stopwatch *w, clv_tensors *outputs, clv_lap *lap, clv_error *err)
{
    clv_tensors made = {0};
    long before = switches();
    int64_t start_ns = clv_now_ns();
    clv_status s = clv_segment_run(w->segment, w->inputs, w->n_inputs, &made, err);
    lap->us = (double)(clv_now_ns() - start_ns) / 1000;
    lap->at_us = (double)start_ns / 1000 + lap->us / 2;
    lap->disturbed = switches() != before;
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
    clv_lap first = {0};
    if (s == CLV_OK) s = run_once(w, outputs, &first, err);
    w->first_us = first.us;
    clv_pages_enlarge(); /* as a node has them; and no two processes get the same small ones */
    if (s != CLV_OK) clv_stopwatch_done(w);
    return s;
}

clv_status clv_stopwatch_visit(clv_stopwatch *w, clv_error *err)
{
    clv_lap lap = {.us = w->first_us};
    if (lap.us < LONG_US) {
        clv_status s = run_once(w, NULL, &lap, err);
        if (s != CLV_OK) return s;
    }
    w->visits++;
    int runs = (int)fmin(fmax(VISIT_US / fmax(lap.us, 1), 1), VISIT_RUNS_MAX);
    for (int i = 0; i < runs; i++) {
        clv_status s = run_once(w, NULL, &lap, err);
        if (s != CLV_OK) return s;
        clv_grow(&w->laps, &w->cap, w->n + 1, sizeof *w->laps);
        w->laps[w->n++] = lap;
    }
    return CLV_OK;
}

clv_time clv_stopwatch_time(const clv_stopwatch *w, size_t first)
{
    if (w->n <= first) return (clv_time){0};
    size_t calm = 0, n = 0;
    for (size_t i = first; i < w->n; i++) calm += !w->laps[i].disturbed;
    CLV_AUTO(clv_free) double *x = clv_alloc_array(w->n - first, sizeof *x);
    for (size_t i = first; i < w->n; i++)
        if (calm < CLV_STOPWATCH_CALM || !w->laps[i].disturbed) x[n++] = w->laps[i].us;
    double median = clv_median(x, n);
    return (clv_time){.us = median, .sigma_us = clv_mad_sigma(x, n), .n = (int)n};
}

double clv_time_error_us(const clv_time *t)
{
    return t->n < 3 ? (double)INFINITY : 1.2533 * t->sigma_us / sqrt((double)t->n);
}

void clv_stopwatch_done(clv_stopwatch *w)
{
    bool had = w->segment != NULL;
    clv_segment_unref(w->segment);
    if (had && !w->was_resident) clv_network_evict(w->network, w->from, w->to);
    free(w->laps);
    *w = (clv_stopwatch){0};
}
