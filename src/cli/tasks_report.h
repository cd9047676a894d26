/* What came of a stream of requests: the summary for people and programs, and the trace. */
#ifndef CLV_CLI_TASKS_REPORT_H
#define CLV_CLI_TASKS_REPORT_H

#include "cli/workload.h"
#include "split/request.h"

#include <stdio.h>

typedef struct clv_task_result {
    int64_t at_us; /* when it was handed in, since the start */
    clv_status status;
    clv_timing timing;
    char plan[128];
    bool recovered, mismatch;
    clv_energy energy; /* by the report's rates */
} clv_task_result;

typedef struct clv_tasks_report {
    const clv_workload *work;
    const clv_task_result *results; /* one a task */
    size_t n;                       /* ended ones */
    int64_t took_us;
    const clv_energy_rates *rates; /* what is not known adds nothing; NULL: nothing is known */
} clv_tasks_report;

/* A table and a sentence, or docs/json.md's document. Quantiles are of the requests that were answered well. */
void clv_tasks_print(FILE *out, const clv_tasks_report *report, bool json);
/* JSON lines that clv_workload_read() reads back. `seed` is that of the inputs. "-" is standard output. */
CLV_MUST
clv_status clv_tasks_write_trace(const char *path, const clv_tasks_report *report, uint64_t seed,
                                 clv_error *err);

#endif
