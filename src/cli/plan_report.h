/* What `cleave plan` says of a plan: for people, as JSON (docs/json.md), CSV and SVG. */
#ifndef CLV_CLI_PLAN_REPORT_H
#define CLV_CLI_PLAN_REPORT_H

#include "base/buf.h"
#include "plan/sweep.h"

#include <stdio.h>

typedef struct clv_plan_report { /* owns everything it points to */
    clv_profile *edge, *cloud;
    clv_plan_problem problem;
    clv_plan plan;
    clv_plan_cost *ranked; /* problem.n_cuts */
    clv_plan_span *spans;  /* of a sweep over the rate, else NULL */
    size_t n_spans;
    double planning_us; /* joining the profiles and solving */
} clv_plan_report;

void clv_plan_report_done(clv_plan_report *r);

void clv_plan_report_print(const clv_plan_report *r, FILE *out);
void clv_plan_report_json(const clv_plan_report *r, FILE *out);
/* The sweep, "cut,label,from_bytes_per_s,to_bytes_per_s,from_us,to_us", or without one the ranked
 * cuts, "cut,label,up_bytes,down_bytes,edge_us,link_us,queue_us,cloud_us,overhead_us,latency_us". */
void clv_plan_report_csv(const clv_plan_report *r, clv_buf *out);
/* Latency over the rate of every cut that wins somewhere, and of the best. Needs the sweep. */
void clv_plan_report_svg(const clv_plan_report *r, clv_buf *out);

#endif
