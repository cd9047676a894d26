/* The rows of a run's picture: one for each plan of each model, in order of first use. Private to run_chart.c. */
#ifndef CLV_CLI_RUN_ROWS_H
#define CLV_CLI_RUN_ROWS_H

#include "cli/run_chart.h"

typedef struct clv_run_row_id {
    int model, plan; /* -1, -1: all that have no row of their own */
} clv_run_row_id;

typedef struct clv_run_rows {
    clv_run_row_id items[CLV_RUN_CHART_ROWS];
    size_t n;
} clv_run_rows;

void clv_run_rows_init(clv_run_rows *rows, const clv_run *run);
/* The row of this model and plan; the last one if it has none of its own. */
int clv_run_row(const clv_run_rows *rows, int model, int plan);
/* "pool3", or "alexnet: pool3" in a run of several models. Heap text. */
char *clv_run_row_name(const clv_run_rows *rows, const clv_run *run, size_t row);
/* The models of the run. Heap text. */
char *clv_run_title(const clv_run *run);

#endif
