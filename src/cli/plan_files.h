/* The files that stand for devices in `cleave plan`: profiles, and calibrations, of which a profile of
 * the network is predicted. Which one a file is, its JSON tells, not its name.
 *
 *     clv_plan_files f = {0};
 *     clv_plan_files_read(paths, n, &located, &f, &err);
 *     … f.profiles[0 .. n), f.graph, f.cuts …
 *     clv_plan_files_done(&f);
 *
 * The graph is that of the first profile. Where all files are calibrations the network is opened with
 * the engine, which says what a unit is; else neither the model nor an engine is needed.
 */
#ifndef CLV_CLI_PLAN_FILES_H
#define CLV_CLI_PLAN_FILES_H

#include "cost/profile.h"
#include "graph/cuts.h"
#include "plan/problem.h"
#include "repo/locate.h"

typedef struct clv_plan_files { /* owns all */
    clv_profile *profiles[CLV_PLAN_DEVICES_MAX];
    bool predicted[CLV_PLAN_DEVICES_MAX];
    size_t n;
    clv_graph *graph;
    clv_cuts *cuts;
} clv_plan_files;

/* Errors name the file. */
CLV_MUST
clv_status clv_plan_files_read(const char *const *paths, size_t n, const clv_located *model,
                               clv_plan_files *out, clv_error *err);
void clv_plan_files_done(clv_plan_files *f);

#endif
