/* How a link changes over time: the steps of a recorded or made-up trace.
 *
 *     # time, link
 *     0s,5.85Mbit,60ms
 *     10s,1.1Mbit/5Mbit,100ms
 *     20s,down
 *     25s,wifi
 *
 * One step a line: the time since the start, a comma, a link as `--link` takes it (clv_link_parse()).
 * Times do not go back. Empty lines and lines that begin with '#' are comments. Before the first
 * step the link is what the lab was made with, after the last it stays.
 */
#ifndef CLV_LAB_TRACE_H
#define CLV_LAB_TRACE_H

#include "cost/link.h"

#define CLV_LAB_TRACE_STEPS_MAX 1000000
#define CLV_LAB_TRACE_BYTES_MAX ((size_t)64 << 20)

typedef struct clv_lab_step {
    int64_t at_us;
    clv_link link;
} clv_lab_step;

typedef struct clv_lab_trace {
    clv_lab_step *steps; /* owned */
    size_t n, cap;
} clv_lab_trace;

/* From text of `bytes` bytes, which need not be terminated. Errors name the line. */
CLV_MUST
clv_status clv_lab_trace_parse(const char *text, size_t bytes, clv_lab_trace *out, clv_error *err);
/* From a file of at most CLV_LAB_TRACE_BYTES_MAX; "-" is standard input. */
CLV_MUST
clv_status clv_lab_trace_read(const char *path, clv_lab_trace *out, clv_error *err);
void clv_lab_trace_done(clv_lab_trace *trace);

#endif
