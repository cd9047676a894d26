/* The reference network: a small fixed one that tells how fast a machine is at the moment.
 *
 *     clv_buf model = {0};
 *     clv_reference_network(&model);             // the bytes of an ONNX model, always the same
 *     clv_file_write(path, model.data, model.len, &err);
 *     clv_buf_done(&model);
 *
 * Made for measure/speedometer.h. A machine's neighbours take caches, memory and clock in other shares from
 * one minute to the next, and networks differ in what they need of them. So it has what classic networks spend their
 * time in, convolutions, and depthwise and pointwise ones, an addition and pools between them. No large weights: how
 * fast they stream depends on which pages a process happened to get, by more than the machine's speed changes. About
 * 0.12 G multiply-accumulates: some milliseconds. One input "input" of 1×3×112×112, one output.
 *
 * Times of it are kept in files and compared only where the bytes of the network are the same: whoever changes it
 * makes the speeds in older files unknown, no more.
 */
#ifndef CLV_ZOO_REFERENCE_H
#define CLV_ZOO_REFERENCE_H

#include "base/buf.h"

/* Appends the model. */
void clv_reference_network(clv_buf *out);

#endif
