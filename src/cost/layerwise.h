/* Neurosurgeon's predictor, for comparison: a linear regression for each kind of layer, and a network
 * as the sum of its layers.
 *
 *     clv_layerwise l;
 *     clv_layerwise_fit(&l, calibration);
 *     double us = clv_layerwise_us(&l, &unit_features);
 *
 * Source: Kang et al., "Neurosurgeon", ASPLOS 2017, section 4.2, and its public re-implementations. Our
 * reading: convolutions by (number of features in the input map) and (filter size / stride)^2 * number
 * of filters; linear layers by inputs and outputs; pools by input and output sizes; everything else by
 * its input's size. Least squares of absolute times, as there; what comes out below 0 counts as 0, as
 * in their code. The paper picks linear or logarithmic by kind; the code has linear only. Fitted on the
 * same rows as our own predictor (fused units in context, moods taken out): better data than theirs.
 */
#ifndef CLV_COST_LAYERWISE_H
#define CLV_COST_LAYERWISE_H

#include "cost/calibration.h"

enum { CLV_LAYERWISE_NUMBERS = 3 }; /* with the constant */

typedef struct clv_layerwise {
    double weight[CLV_UNIT_KIND_COUNT][CLV_LAYERWISE_NUMBERS];
} clv_layerwise;

void clv_layerwise_fit(clv_layerwise *l, const clv_calibration *c);
double clv_layerwise_us(const clv_layerwise *l, const clv_unit_features *f);

#endif
