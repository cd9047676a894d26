/* What `cleave plan` says of a plan: for people, as JSON (docs/json.md), CSV and SVG. */
#ifndef CLV_CLI_PLAN_REPORT_H
#define CLV_CLI_PLAN_REPORT_H

#include "base/buf.h"
#include "cli/plan_devices.h"
#include "cli/plan_given.h"
#include "plan/policies.h"
#include "plan/sweep.h"

#include <stdio.h>

typedef struct clv_plan_candidate {
    clv_plan_chain chain;
    clv_plan_cost cost;
    clv_plan_limit violated; /* NONE: it keeps all */
} clv_plan_candidate;

typedef struct clv_plan_report {
    const clv_plan_devices *devices; /* borrowed; all else is owned */
    clv_policy policy;
    clv_plan_given given; /* was the plan given, not chosen? */
    clv_plan plan;
    /* those that keep the limits first, each from best to worst. Two devices: every cut in every
     * codec that was measured; more: the plan and its rivals */
    clv_plan_candidate *candidates;
    size_t n_candidates;
    clv_policy_row *policies; /* CLV_POLICY_COUNT, or NULL */
    clv_plan_span *spans;     /* of a sweep over the rate, else NULL */
    size_t n_spans;
    double planning_us; /* making the tables and solving */
} clv_plan_report;

/* Fills the candidates; needs devices and plan. */
void clv_plan_report_rank(clv_plan_report *r);
void clv_plan_report_done(clv_plan_report *r);

void clv_plan_report_print(const clv_plan_report *r, FILE *out);
void clv_plan_report_json(const clv_plan_report *r, FILE *out);
/* The sweep, "cut,label,from_bytes_per_s,to_bytes_per_s,from_us,to_us,from_j,to_j,codec", or without one
 * the candidates, "cut,label,up_bytes,down_bytes,edge_us,link_us,queue_us,cloud_us,overhead_us,latency_us,
 * coding_us,energy_j,codec,accuracy_drop". */
void clv_plan_report_csv(const clv_plan_report *r, clv_buf *out);
/* Latency (energy, when that is the objective) over the rate: of every placement that wins
 * somewhere, and of the best, with the rates at which the plan changes. Needs the sweep. */
void clv_plan_report_svg_sweep(const clv_plan_report *r, clv_buf *out);
/* The figure of Neurosurgeon: for cut after cut what the edge, the link and the cloud take, in time
 * and (where watts are stated) in energy, the chosen one marked. Two devices. */
void clv_plan_report_svg_cuts(const clv_plan_report *r, clv_buf *out);

/* What a chain takes, by place: the first device, all links, the other devices. The times add up to
 * its mean latency. */
typedef struct clv_plan_parts {
    double edge_us, link_us, queue_us, cloud_us, overhead_us, coding_us;
    double edge_j, link_j, cloud_j;
    int64_t up_bytes, down_bytes;
} clv_plan_parts;
clv_plan_parts clv_plan_parts_of(const clv_plan_problem *p, const clv_plan_chain *chain);
/* Of the plan, which may have no chain. */
clv_plan_parts clv_plan_parts_of_plan(const clv_plan_report *r);
/* The label of a cut, "(a set of units)" for CLV_PLAN_NO_CUT. Heap text. */
char *clv_plan_report_label(const clv_plan_report *r, int cut);
/* Did anybody state watts? Else all energies are 0 and not worth showing. */
bool clv_plan_report_has_watts(const clv_plan_report *r);

#endif
