/* A run of `cleave tasks`: a stream of requests through a node in this process, and what became of it.
 *
 *     clv_tasks_outcome out = {0};
 *     clv_tasks_run(&(clv_tasks_run_options){...}, &out, &err);
 *     clv_run_write("run.jsonl", &out.run, &err);
 *     clv_run_done(&out.run);
 *
 * Requests are handed in when they are due, at most `concurrency` at a time. SIGINT ends the
 * stream: what is under way is waited for; again: it is not, and counts as unanswered. In a lab
 * ($CLEAVE_LAB) its links are watched, and driven by `recorded` if that is given (cli/wire.h).
 * Threads: the caller's is the node's loop while it runs.
 */
#ifndef CLV_CLI_TASKS_RUN_H
#define CLV_CLI_TASKS_RUN_H

#include "cli/node.h"
#include "cli/run.h"

typedef struct clv_tasks_run_options {
    const clv_node_options *node;
    const clv_device_options *device;
    const clv_run *recorded;  /* its arrivals and links once more; NULL: a new stream */
    const clv_text_list *mix; /* models to ask; empty: all */
    int64_t count, concurrency, seed, settle_us, timeout_us;
    double rate_per_s;
    const char *at; /* keep this cut: its index, its label, "local" or "remote"; NULL: as planned */
    bool check;     /* compare outputs with the uncut network's */
    clv_energy_rates cloud; /* the peer's, for the energy of requests */
} clv_tasks_run_options;

typedef struct clv_tasks_outcome {
    clv_run run; /* requests that were not answered have not ended */
    int64_t took_us;
    size_t failed;            /* answered with an error */
    size_t mismatches;        /* of a check: not the uncut network's output */
    size_t twice, unanswered; /* answered more than once, or handed in and never answered */
    clv_error first;          /* why the first that failed did */
    clv_energy_rates rates;
} clv_tasks_outcome;

/* Fails when nothing could be asked. `out` is to be done either way. */
CLV_MUST
clv_status clv_tasks_run(const clv_tasks_run_options *options, clv_tasks_outcome *out,
                         clv_error *err);

#endif
