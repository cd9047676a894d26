/* What came of a stream of requests: the summary of a run for people and programs. */
#ifndef CLV_CLI_TASKS_REPORT_H
#define CLV_CLI_TASKS_REPORT_H

#include "cli/run.h"

#include <stdio.h>

typedef struct clv_tasks_report {
    const clv_run *run; /* requests that have not ended do not count */
    int64_t took_us;
    const clv_energy_rates *rates; /* what is not known adds nothing; NULL: nothing is known */
    size_t twice, unanswered;      /* requests that were answered more than once, and never */
} clv_tasks_report;

/* A table and a sentence, or docs/json.md's document. Quantiles are of the requests that were answered well. */
void clv_tasks_print(FILE *out, const clv_tasks_report *report, bool json);

#endif
