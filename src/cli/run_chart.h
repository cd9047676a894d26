/* A run of `cleave tasks` as a picture: what the link did, which plan was chosen, what each request
 * took, what went wrong and how long the queue was, above each other on one time axis.
 *
 *     clv_buf svg = {0};
 *     clv_run_chart(&svg, &trace);
 *     clv_file_write("run.svg", svg.data, svg.len, &err);
 *
 * From the top:
 *   link     rate upwards as the node takes it to be, with the range of two sigmas around it;
 *            dashed, in a lab, what the rate really is. Grey: down.
 *   plan     a row for each plan of each model: a bar while it is the one that requests begin on,
 *            and a mark for each request that did.
 *   latency  a dot for each request in its plan's colour; a ring was finished here after the peer
 *            gave no answer, a triangle was hedged, a red cross failed.
 *   queue    requests that wait to be handed in, and those in flight on top of them.
 * Thin lines through all panels are switches of the plan. Of more than CLV_RUN_CHART_DOTS good
 * requests only every n-th has a dot, and the picture says so; of what went wrong every one has.
 */
#ifndef CLV_CLI_RUN_CHART_H
#define CLV_CLI_RUN_CHART_H

#include "cli/run.h"

enum { CLV_RUN_CHART_DOTS = 6000, CLV_RUN_CHART_ROWS = 16 };

void clv_run_chart(clv_buf *svg, const clv_run *run);

#endif
