/* Predicted profiles held against measured ones: what `cleave calibrate --evaluate` does.
 *
 *     clv_evaluation *e = clv_evaluation_new(calibration, seen, &err);
 *     clv_evaluation_add(e, "resnet18", graph, cuts, measured, NULL, &err);    // for each model
 *     clv_evaluation_print(e, stdout);
 *     clv_evaluation_free(e);
 *
 * Each network is predicted in three ways: from the calibration alone; corrected by a few measured
 * prefixes, taken from the measured profile (they then do not count); and by Neurosurgeon's regressions
 * fitted on the same rows (cost/layerwise.h). A profile that was measured at another time may stand in as a
 * fourth: no prediction is better than measuring is repeatable.
 *
 * All of them count twice: as they are; and at the speed that the machine had when the truth was measured, multiplied by
 * what the reference network took then over what it took when the other was made (cost/speed.h). Where one of the two
 * files does not know it, or they are of other threads, that factor is 1.
 */
#ifndef CLV_CLI_EVALUATE_H
#define CLV_CLI_EVALUATE_H

#include "base/buf.h"
#include "cost/predictor.h"

#include <stdio.h>

typedef struct clv_evaluation clv_evaluation;

CLV_MUST
clv_status clv_evaluation_new(const clv_calibration *c, size_t seen, clv_evaluation **out,
                              clv_error *err);
void clv_evaluation_free(clv_evaluation *e); /* NULL is fine */
/* `again`: of the same network and device, or NULL; its times are brought to the speed of `measured`. */
CLV_MUST
clv_status clv_evaluation_add(clv_evaluation *e, const char *model, const clv_graph *g,
                              const clv_cuts *cuts, const clv_profile *measured, clv_profile *again,
                              clv_error *err);
void clv_evaluation_print(const clv_evaluation *e, FILE *out);
char *clv_evaluation_json(const clv_evaluation *e); /* heap text */
/* Predicted against measured times. */
void clv_evaluation_svg(const clv_evaluation *e, clv_buf *out);

#endif
