/* The live line of `cleave tasks`: one line that says how a run goes, as text. Pure; cli/progress.h draws it.
 *
 *     clv_live_window_add(&w, latency_us);                       // every answer
 *     clv_live live = {.peer = true, .link = ..., .plan = "pool3", ..., .p50_us = clv_live_window_quantile(&w, 0.5)};
 *     char *line = clv_live_line(&live);
 *     // "18.9 Mbit/s ±4 %, 5.10 ms | pool3 | 2 wait, 4 run | p50 118 ms, p95 160 ms"
 *
 * What went wrong comes first, and only if something did: a terminal cuts the line's end.
 */
#ifndef CLV_CLI_LIVE_H
#define CLV_CLI_LIVE_H

#include "cli/run.h"

enum { CLV_LIVE_WINDOW = 128 };

/* The latest latencies. Zeroed, it is empty. */
typedef struct clv_live_window {
    double us[CLV_LIVE_WINDOW];
    size_t n, next;
} clv_live_window;
void clv_live_window_add(clv_live_window *w, double us);
double clv_live_window_quantile(const clv_live_window *w, double q); /* 0: empty */

typedef struct clv_live {
    bool peer; /* false: there is none, and the line says nothing of a link */
    clv_run_link link;
    const char *plan;  /* NULL: none yet */
    size_t more_plans; /* of other models */
    int64_t waiting, in_flight, failed, recovered, hedged;
    double p50_us, p95_us; /* 0: not known */
} clv_live;
char *clv_live_line(const clv_live *l); /* heap text */

#endif
