/* A stream of requests as a value: when, for which model, with which of its inputs. Made from a seed, or read from a trace.
 *
 *     clv_workload w;
 *     clv_workload_make(&(clv_workload_mix){.count = 100, .rate_per_s = 20, .models = names, .n_models = 2, .seed = 1}, &w);
 *     clv_workload_read("run.trace", &w, &err);      // the arrivals of a recorded run
 *
 * A trace is JSON lines (docs/json.md): a header, then a line a request with what became of it. Only t_us, model and input are read back;
 * lines are in order of t_us.
 */
#ifndef CLV_CLI_WORKLOAD_H
#define CLV_CLI_WORKLOAD_H

#include "base/status.h"

#include <stdint.h>

enum { CLV_TASKS_MAX = 1000000, CLV_TASK_INPUTS = 4, CLV_TRACE_SCHEMA = 1 };

typedef struct clv_task {
    int64_t at_us; /* since the start */
    int model;     /* index into models */
    int input;     /* which of the model's CLV_TASK_INPUTS inputs */
} clv_task;

typedef struct clv_workload {
    clv_task *tasks; /* by at_us */
    size_t n;
    char **models;
    size_t n_models;
} clv_workload;

typedef struct clv_workload_mix {
    size_t count;
    double rate_per_s; /* mean of a Poisson process; 0: all at once, the concurrency paces them */
    const char *const *models; /* drawn with equal odds */
    size_t n_models;
    uint64_t seed;
} clv_workload_mix;

void clv_workload_make(const clv_workload_mix *mix, clv_workload *out);
CLV_MUST
clv_status clv_workload_read(const char *path, clv_workload *out, clv_error *err);
CLV_MUST
clv_status clv_workload_parse(const char *text, size_t bytes, clv_workload *out, clv_error *err);
void clv_workload_done(clv_workload *w);

#endif
