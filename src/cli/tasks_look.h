/* Looks at the node of a run now and then: the link, the plans and the queue, into its trace and
 * onto the live line. Private to `cleave tasks`.
 *
 *     clv_tasks_look look = {.server = s, .trace = &trace, .start_us = now};
 *     clv_tasks_look_now(&look, now_us - start_us, &(clv_run_load){...});     // on a timer
 *     clv_tasks_look_link(&look, at_us);                                        // and after each answer
 *     clv_tasks_look_done(&look);
 *
 * What did not change since the last look is not noted again, except once a second the link, whose
 * certainty ages. Loop's thread.
 */
#ifndef CLV_CLI_TASKS_LOOK_H
#define CLV_CLI_TASKS_LOOK_H

#include "cli/live.h"
#include "serve/server.h"

#define CLV_TASKS_LOOK_US 50000

typedef struct clv_tasks_look {
    clv_server *server;
    clv_run *trace;
    clv_live_window window; /* latencies of good answers */
    int *plans;             /* of each model, as last seen; -1: none yet */
    int64_t recovered, hedged;
} clv_tasks_look;

/* All models of the trace must have been named. */
void clv_tasks_look_now(clv_tasks_look *l, int64_t at_us, const clv_run_load *load);
void clv_tasks_look_link(clv_tasks_look *l, int64_t at_us);
/* An answer, for the live line. */
void clv_tasks_look_saw(clv_tasks_look *l, const clv_run_request *r);
/* As clv_live_line(). */
char *clv_tasks_look_line(const clv_tasks_look *l);
void clv_tasks_look_done(clv_tasks_look *l);

#endif
