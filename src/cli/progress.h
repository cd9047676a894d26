/* One line that tells a person how far long work is: on a terminal's standard error, and nothing
 * at all on a pipe or in a file.
 *
 *     clv_progress *p = clv_progress_new("profile", n);
 *     for (size_t i = 0; i < n; i++) {
 *         clv_progress_show(p, i, "%s, cut %zu", name, i);    // profile   42%  resnet18, cut 16
 *         ...
 *     }
 *     clv_progress_free(p);                                   // erases the line
 *
 * The line is drawn at most ten times a second. Before something else is printed to the terminal,
 * erase it with clv_progress_clear(); the next show draws it again. Threads: one. */
#ifndef CLV_CLI_PROGRESS_H
#define CLV_CLI_PROGRESS_H

#include "base/status.h"

#include <stdio.h>

typedef struct clv_progress clv_progress;

/* `total` steps, 0 when nobody knows; `label` must outlive the progress. */
clv_progress *clv_progress_new(const char *label, size_t total);
/* As above, on another stream; for tests. */
clv_progress *clv_progress_new_on(FILE *out, const char *label, size_t total);
void clv_progress_show(clv_progress *p, size_t done, const char *fmt, ...) CLV_PRINTF(3, 4);
void clv_progress_clear(clv_progress *p);
void clv_progress_free(clv_progress *p); /* NULL is fine */

#endif
