/* The demo's rows: as JSON, as the table that people see. */
#ifndef CLV_CLI_DEMO_REPORT_H
#define CLV_CLI_DEMO_REPORT_H

#include "cli/demo_edge.h"

#include <stdio.h>

/* Zeroed is empty; the rows are owned. */
typedef struct clv_demo_rows {
    clv_demo_row *items;
    size_t n, cap;
    char power
        [CLV_POWER_TEXT_MAX]; /* what the energies are made with, and who says so; "": nothing */
} clv_demo_rows;

void clv_demo_rows_add(clv_demo_rows *rows, const clv_demo_row *row);
void clv_demo_rows_done(clv_demo_rows *rows);

char *clv_demo_row_json(const clv_demo_row *row); /* one line, heap text */
/* A line that clv_demo_row_json() made, from the other process. CLV_EPROTO for anything else: it quotes the line. */
CLV_MUST
clv_status clv_demo_row_parse(const char *line, clv_demo_row *row, clv_error *err);
/* The table and what it says, or all rows as one JSON document. */
void clv_demo_print(FILE *out, const clv_demo_rows *rows, double slow, bool emulated, bool json);

#endif
