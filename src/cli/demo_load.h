/* One row of the demo under load: frames per second with several requests in flight, by cut, in turns.
 *
 * With enough in flight the edge, the link and the cloud all work at once, on different requests;
 * then the slowest of the three says how many a second come out, not their sum. */
#ifndef CLV_CLI_DEMO_LOAD_H
#define CLV_CLI_DEMO_LOAD_H

#include "cli/demo_node.h"

/* Measuring thread. Fills the row, except for its names. */
CLV_MUST
clv_status clv_demo_load(clv_demo_node *n, const char *model, clv_network *network,
                         const clv_tensors *inputs, clv_demo_row *row, clv_error *err);

#endif
