/* Tables for people: aligned columns, numbers to the right, one header line.
 *
 *     static const clv_column columns[] = {
 *         {"network", CLV_LEFT}, {"plan", CLV_LEFT}, {"p50", CLV_RIGHT}};
 *     clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
 *     for (each row) {
 *         clv_table_cell(t, "%s", name);
 *         clv_table_cell(t, "%s", plan);
 *         clv_table_cell(t, "%s", clv_show_duration(us).s);
 *     }
 *     clv_table_print(t, stdout);
 *     clv_table_free(t);
 *
 * On a terminal the header is bold (unless $NO_COLOR is set) and the widest left column is cut with
 * "…" when a line would not fit. Elsewhere the output is plain and complete. For programs there is
 * --json, not this. */
#ifndef CLV_CLI_TABLE_H
#define CLV_CLI_TABLE_H

#include "base/status.h"

#include <stdio.h>

typedef enum clv_align { CLV_LEFT, CLV_RIGHT } clv_align;

typedef struct clv_column {
    const char *head;
    clv_align align;
} clv_column;

typedef struct clv_table clv_table;

/* `columns` must outlive the table. */
clv_table *clv_table_new(const clv_column *columns, size_t n);
/* The next cell, row by row. */
void clv_table_cell(clv_table *t, const char *fmt, ...) CLV_PRINTF(2, 3);
/* A last row that is not full is printed with empty cells. */
void clv_table_print(const clv_table *t, FILE *out);
void clv_table_free(clv_table *t); /* NULL is fine */

#endif
