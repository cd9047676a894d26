/* The emulated links around a run in `cleave lab`: watched, so that its trace tells the truth, or
 * driven by a trace, so that a recorded run meets the same links again.
 *
 *     clv_wire *w;
 *     clv_wire_new(control, &recorded, &w, &err);      // recorded NULL: only watch
 *     clv_wire_begin(w, start_us);                     // the run's clock starts
 *     ... the run ...
 *     clv_wire_end(w, &trace, &err);                   // what the links were, into the trace
 *     clv_wire_free(w);
 *
 * A recorded run that was itself in a lab says how its links were made (`wire` lines), and these
 * are made so again, to the millisecond. One that was not says only what the node took its link to
 * be (`link` lines): the lab's first link becomes that, with the rates of what a transfer got
 * raised by the share of headers that an emulated link counts.
 *
 * The first step, if it is at the start, is taken by clv_wire_new(): the node makes its first plan
 * for the link that the run begins with.
 *
 * Threads: one at a time; a thread of its own asks the lab, which would hold up the node's.
 */
#ifndef CLV_CLI_WIRE_H
#define CLV_CLI_WIRE_H

#include "cli/run.h"

typedef struct clv_wire clv_wire;

/* `control` is the lab's socket ($CLEAVE_LAB). CLV_EINVAL: the trace has a link that the lab lacks. */
CLV_MUST
clv_status clv_wire_new(const char *control, const clv_run *recorded, clv_wire **out,
                        clv_error *err);
void clv_wire_begin(clv_wire *w, int64_t start_us);
/* Adds to `trace` what the links were. An error is that of driving; what was seen is added all the same. */
CLV_MUST
clv_status clv_wire_end(clv_wire *w, clv_run *trace, clv_error *err);
void clv_wire_free(clv_wire *w); /* NULL is fine */

/* The pure part: what a recorded run asks of a lab's links, in order of time; a heap array. */
clv_run_wire *clv_wire_steps(const clv_run *recorded, size_t *n);

#endif
