/* A stream of requests: when, for which model, with which of its inputs. Made from a seed, or those
 * of a recorded run once more.
 *
 *     clv_run t;
 *     clv_workload_mix mix = {.count = 100, .rate_per_s = 20, .models = names, .n_models = 2};
 *     clv_workload_make(&mix, &t);
 *     clv_workload_again(&recorded, &t);      // its arrivals, and nothing of what became of them
 *
 * Either is a trace (cli/run.h) whose requests have not ended. The caller calls clv_run_done().
 */
#ifndef CLV_CLI_WORKLOAD_H
#define CLV_CLI_WORKLOAD_H

#include "cli/run.h"

typedef struct clv_workload_mix {
    size_t count;
    double rate_per_s; /* mean of a Poisson process; 0: all at once, the concurrency paces them */
    const char *const *models; /* drawn with equal odds */
    size_t n_models;
    uint64_t seed;
} clv_workload_mix;

/* CLV_ELIMIT: more models than a trace can hold, or a name that is too long. */
CLV_MUST
clv_status clv_workload_make(const clv_workload_mix *mix, clv_run *out, clv_error *err);
void clv_workload_again(const clv_run *recorded, clv_run *out);

#endif
