#include "cost/predictor.h"
#include "base/mem.h"
#include "cost/belief.h"
#include "cost/predictor_priv.h"

#include <math.h>
#include <stdlib.h>

#define UNKNOWN_SIGMA 0.8 /* of the logarithm, for kinds without samples */

struct clv_predictor {
    clv_calibration_kind kinds[CLV_UNIT_KIND_COUNT];
    clv_gaussian *process[CLV_UNIT_KIND_COUNT];
    clv_calibration_border border;
    char device[64], engine[128];
    int threads;
    double slowdown;
};

clv_status clv_predictor_new(const clv_calibration *c, clv_predictor **out, clv_error *err)
{
    bool any = false;
    for (int k = 0; k < CLV_UNIT_KIND_COUNT; k++) any = any || c->kinds[k].known;
    if (!any || !c->complete)
        return clv_fail(err, CLV_EINVAL,
                        "the calibration is not complete: run 'cleave calibrate' on it again");
    clv_predictor *p = clv_alloc(sizeof *p);
    p->border = c->border;
    p->threads = c->threads;
    p->slowdown = c->slowdown;
    for (size_t i = 0; i < sizeof p->device; i++) p->device[i] = c->device[i];
    for (size_t i = 0; i < sizeof p->engine; i++) p->engine[i] = c->engine[i];
    for (int k = 0; k < CLV_UNIT_KIND_COUNT; k++) {
        p->kinds[k] = c->kinds[k];
        if (c->kinds[k].known) p->process[k] = clv_predictor_process(c, (clv_unit_kind)k);
    }
    *out = p;
    return CLV_OK;
}

void clv_predictor_free(clv_predictor *p)
{
    if (!p) return;
    for (int k = 0; k < CLV_UNIT_KIND_COUNT; k++) clv_gaussian_free(p->process[k]);
    free(p);
}

/* ---- units ---- */

/* `sigma` of the logarithm; NULL: it is not needed, which is many times faster. */
static double predict(const clv_predictor *p, const clv_unit_place *place, double *sigma)
{
    double x[CLV_PLACE_NUMBERS], causes[CLV_CAUSES], bend = 0, span = log(CLV_PREDICTOR_SPAN);
    clv_unit_kind k = clv_unit_place_kind(place);
    const clv_calibration_kind *kind = &p->kinds[p->kinds[k].known ? k : CLV_UNIT_OTHER];
    clv_predictor_causes(&place->features, causes);
    double us = clv_predictor_base(kind, causes) * exp(kind->level);
    if (sigma) *sigma = UNKNOWN_SIGMA;
    if (p->process[k] && p->kinds[k].known && k != CLV_UNIT_OTHER) {
        clv_unit_place_numbers(place, x);
        bend = clv_gaussian_predict(p->process[k], x, sigma);
    }
    us = fmin(us * exp(fmin(fmax(bend, -span), span)), CLV_PROFILE_US_MAX);
    us *= 1 - p->kinds[k].merged[clv_unit_place_mark(place)];
    return fmax(us, CLV_PREDICTOR_US_MIN / 2) * p->slowdown;
}

double clv_predictor_us(const clv_predictor *p, const clv_unit_place *place)
{
    return predict(p, place, NULL);
}

clv_prediction clv_predictor_unit(const clv_predictor *p, const clv_unit_place *place)
{
    double sigma, us = predict(p, place, &sigma);
    return (clv_prediction){.us = us, .sigma_us = us * fmin(sigma, 2)};
}

clv_prediction *clv_predictor_units(const clv_predictor *p, const clv_graph *g)
{
    clv_prediction *units = clv_alloc_array(CLV_PREDICTOR_LEVELS * g->n_units, sizeof *units);
    for (size_t u = 0; u < g->n_units; u++) {
        clv_unit_place place = clv_unit_place_of(g, u);
        double own = (double)(place.features.weight_bytes + place.features.out_bytes);
        double all = (double)place.beside_bytes;
        units[u] = clv_predictor_unit(p, &place);
        for (int level = 1; level < CLV_PREDICTOR_LEVELS; level++) {
            place.beside_bytes = (int64_t)fmax(all / pow(CLV_BELIEF_STEP, level), own);
            units[(size_t)level * g->n_units + u].us = clv_predictor_us(p, &place);
        }
    }
    return units;
}

clv_calibration_border clv_predictor_border(const clv_predictor *p)
{
    clv_calibration_border b = p->border;
    b.run_us *= p->slowdown;
    b.unit_us *= p->slowdown;
    b.in_us *= p->slowdown;
    b.out_us *= p->slowdown;
    return b;
}

void clv_predictor_sign(const clv_predictor *p, clv_profile *made)
{
    for (size_t i = 0; i < sizeof made->device; i++) made->device[i] = p->device[i];
    for (size_t i = 0; i + 16 < sizeof made->engine; i++) made->engine[i] = p->engine[i];
    size_t end = 0;
    while (made->engine[end]) end++;
    static const char mark[] = ", predicted";
    for (size_t i = 0; i < sizeof mark; i++) made->engine[end + i] = mark[i];
    made->threads = p->threads;
    made->slowdown = p->slowdown;
}
