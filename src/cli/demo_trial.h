/* One row of the demo: what one request takes, by cut, in turns. */
#ifndef CLV_CLI_DEMO_TRIAL_H
#define CLV_CLI_DEMO_TRIAL_H

#include "cli/demo_node.h"

/* Measuring thread. Fills the row, except for its names. */
CLV_MUST
clv_status clv_demo_trial(clv_demo_node *n, const char *model, clv_network *network,
                          const clv_tensors *inputs, clv_demo_row *row, clv_error *err);

#endif
