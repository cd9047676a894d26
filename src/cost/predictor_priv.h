/* What learning (predictor_settle.c) and predicting (predictor.c) share. */
#ifndef CLV_COST_PREDICTOR_PRIV_H
#define CLV_COST_PREDICTOR_PRIV_H

#include "cost/predictor.h"

#define CLV_PREDICTOR_US_MIN 0.2          /* less is not told from nothing */
enum { CLV_PREDICTOR_SAMPLES_MAX = 400 }; /* of a kind, in its process */

/* What is learnt from: rows of one kind, less their network's mood. */
typedef struct clv_samples {
    double *x, *us, *causes; /* n rows of CLV_PLACE_NUMBERS; n; n rows of CLV_CAUSES */
    double *extra;           /* n: variance of ln us for what the clock cannot tell */
    size_t n;
} clv_samples;

/* At most `max` rows of the kind, spread over all. OTHER: of every kind. */
clv_samples clv_samples_of(const clv_calibration *c, clv_unit_kind kind, size_t max);
void clv_samples_done(clv_samples *s);

void clv_predictor_causes(const clv_unit_features *f, double causes[CLV_CAUSES]);
/* The part of a time that is sure not to be negative. */
double clv_predictor_base(const clv_calibration_kind *k, const double causes[CLV_CAUSES]);
/* NULL: too few samples, the base alone counts. */
clv_gaussian *clv_predictor_process(const clv_calibration *c, clv_unit_kind kind);

#endif
