/* The seeded inputs of a run of `cleave tasks`, and what the uncut network makes of them. Private to it.
 *
 *     clv_tasks_inputs in = {0};
 *     clv_tasks_inputs_make(server, &run, true, &in, &err);      // runs the uncut network: blocks
 *     clv_tasks_inputs_of(&in, request) ... clv_tasks_inputs_right(&in, request, &outputs) ...
 *     clv_tasks_inputs_done(&in);
 */
#ifndef CLV_CLI_TASKS_INPUTS_H
#define CLV_CLI_TASKS_INPUTS_H

#include "cli/run.h"
#include "serve/server.h"

typedef struct clv_tasks_inputs {
    size_t n;
    clv_tensors *inputs;   /* n_models x CLV_TASK_INPUTS */
    clv_tensors *expected; /* the same; NULL: not to be checked */
} clv_tasks_inputs;

/* `out` is zeroed before, and to be done also after an error. */
CLV_MUST
clv_status clv_tasks_inputs_make(clv_server *server, const clv_run *run, bool check,
                                 clv_tasks_inputs *out, clv_error *err);
const clv_tensors *clv_tasks_inputs_of(const clv_tasks_inputs *in, const clv_run_request *r);
/* Are these the uncut network's outputs, within the tolerance of `cleave verify`; or, where the
 * plan says that tensors went in a lossy codec, within what its error may become by the end? (A
 * coarse look: `cleave verify --codec` holds each encoding to what it states.) */
bool clv_tasks_inputs_right(const clv_tasks_inputs *in, const clv_run_request *r,
                            const clv_request *answer);
void clv_tasks_inputs_done(clv_tasks_inputs *in);

#endif
