/* What learning (predictor_settle.c), units (predictor.c) and segments (predictor_segments.c) share. */
#ifndef CLV_COST_PREDICTOR_PRIV_H
#define CLV_COST_PREDICTOR_PRIV_H

#include "cost/predictor.h"

enum { CLV_PREDICTOR_LEVELS = 5 };        /* of what passes through the caches (cost/belief.h) */
#define CLV_PREDICTOR_US_MIN 0.2          /* less is not told from nothing */
enum { CLV_PREDICTOR_SAMPLES_MAX = 800 }; /* of a kind, in its process */

/* What is learnt from: rows of one kind, less their network's mood. */
typedef struct clv_samples {
    double *x, *us, *causes; /* n rows of CLV_PLACE_NUMBERS; n; n rows of CLV_CAUSES */
    double *extra;           /* n: variance of ln us for what the clock cannot tell */
    int *network;            /* n: whose they are */
    size_t n;
} clv_samples;

/* At most `max` samples of the kind, spread over all. OTHER: of every kind. */
clv_samples clv_samples_of(const clv_calibration *c, clv_unit_kind kind, size_t max);
void clv_samples_done(clv_samples *s);

void clv_predictor_causes(const clv_unit_features *f, double causes[CLV_CAUSES]);
/* The part of a time that is sure not to be negative. */
double clv_predictor_base(const clv_calibration_kind *k, const double causes[CLV_CAUSES]);
/* NULL: too few samples, the base alone counts. */
clv_gaussian *clv_predictor_process(const clv_calibration *c, clv_unit_kind kind);

/* clv_predictor_unit() without its sigma. */
double clv_predictor_us(const clv_predictor *p, const clv_unit_place *place);
/* [CLV_PREDICTOR_LEVELS * n_units] as a belief takes them, heap. */
clv_prediction *clv_predictor_units(const clv_predictor *p, const clv_graph *g);
/* clv_predictor_choose() for these times. */
size_t clv_choice_from_units(const clv_graph *g, const clv_cuts *cuts, const clv_prediction *units,
                             size_t levels, const clv_calibration_border *border, const bool *may,
                             size_t *at, size_t n);
/* On the device as it is stated to be: slowed. */
clv_calibration_border clv_predictor_border(const clv_predictor *p);
/* Of which device and engine a predicted profile is. */
void clv_predictor_sign(const clv_predictor *p, clv_profile *made);

#endif
