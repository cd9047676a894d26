/* The layer study of a network: what `cleave inspect` and `cleave profile` show of it, as CSV, SVG
 * and JSON. One row a unit, in the order in which they run.
 *
 * The bytes at a cut, in a unit's row, are those that cross when the network is cut behind that row:
 * the live tensors of the ideal of all units up to it. For a chain that is the unit's output; where
 * tensors skip ahead it is more.
 */
#ifndef CLV_CLI_LAYER_STUDY_H
#define CLV_CLI_LAYER_STUDY_H

#include "base/buf.h"
#include "cost/profile.h"
#include "repo/network.h"

#include <stdbool.h>

/* Bytes that cross behind each unit: n_units of them, heap. */
size_t *clv_layer_cut_bytes(const clv_graph *g);

/* "unit,op,shape,output_bytes,macs,params[,us,cumulative_us],cut_bytes", the times when `timed`. */
void clv_layer_csv(clv_buf *out, const clv_network *network, const clv_profile *p, bool timed);
/* Latency of each unit (MACs when not `timed`) over output size and bytes at the cut. */
void clv_layer_svg(clv_buf *out, const clv_network *network, const clv_profile *p, bool timed);

#endif
