#include "cost/correction.h"

#include "base/mem.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Standard deviations of z. A run's own noise; how far a device may be from its profile before
 * anything is known; how far one cut may be from the others; how both wander in a second. */
#define RUN_SIGMA      0.05
#define LEVEL_SIGMA    0.30
#define LEVEL_DRIFT    0.02
#define RESIDUAL_SIGMA 0.05
#define RESIDUAL_DRIFT 0.002

void clv_correction_init(clv_correction *c, size_t n_cuts)
{
    *c = (clv_correction){.level = {.var = LEVEL_SIGMA * LEVEL_SIGMA},
                          .residual = clv_alloc_array(n_cuts, sizeof *c->residual),
                          .n = n_cuts};
    for (size_t i = 0; i < n_cuts; i++) c->residual[i].var = RESIDUAL_SIGMA * RESIDUAL_SIGMA;
}

void clv_correction_done(clv_correction *c)
{
    free(c->residual);
    *c = (clv_correction){0};
}

/* Time passes: what was known is less sure, up to knowing nothing. */
static void drift(clv_correction_state *s, double per_second, double most, int64_t now_us)
{
    double seconds = s->at_us ? (double)(now_us - s->at_us) / 1e6 : 0;
    if (seconds > 0) s->var = fmin(s->var + per_second * per_second * seconds, most * most);
    s->at_us = now_us;
}

static void learn(clv_correction_state *s, double innovation, double total_var)
{
    double gain = s->var / total_var;
    s->z += gain * innovation;
    s->var *= 1 - gain;
}

/* One more run far off on this side. Are there enough to believe them? */
static bool device_changed(clv_correction *c, double z, bool above)
{
    if ((c->strikes > 0) != above || c->strikes == 0) {
        c->strikes = 0;
        c->struck = 0;
    }
    c->strikes += above ? 1 : -1;
    c->struck += z;
    return abs(c->strikes) >= CLV_CORRECTION_STRIKES;
}

void clv_correction_observe(clv_correction *c, size_t cut, double predicted_us, double measured_us,
                            int64_t now_us)
{
    if (cut >= c->n || !(predicted_us > 0) || !(measured_us > 0)) return;
    clv_correction_state *own = &c->residual[cut];
    drift(&c->level, LEVEL_DRIFT, LEVEL_SIGMA, now_us);
    drift(own, RESIDUAL_DRIFT, RESIDUAL_SIGMA, now_us);
    double z = log(measured_us / predicted_us);
    double innovation = z - c->level.z - own->z;
    double var = c->level.var + own->var + RUN_SIGMA * RUN_SIGMA;
    if (fabs(innovation) > CLV_CORRECTION_GATE * sqrt(var)) {
        if (device_changed(c, z, innovation > 0)) {
            c->level.z = c->struck / abs(c->strikes) - own->z;
            c->level.var = LEVEL_SIGMA * LEVEL_SIGMA;
            c->strikes = 0;
        }
        return;
    }
    c->strikes = 0;
    learn(&c->level, innovation, var);
    learn(own, innovation, var);
}

double clv_correction_factor(const clv_correction *c, size_t cut)
{
    double z = c->level.z + (cut < c->n ? c->residual[cut].z : 0);
    return exp(fmax(-log(CLV_CORRECTION_MAX), fmin(log(CLV_CORRECTION_MAX), z)));
}
