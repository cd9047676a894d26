#include "cost/correction.h"

#include "base/mem.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Standard deviations of z: a run's own noise; how far a device is from its profile, as a rule; how
 * far one cut is from the others; and that of what every run takes besides, as a share of the whole
 * network's time. */
#define RUN_SIGMA      0.10
#define LEVEL_SIGMA    0.15
#define RESIDUAL_SIGMA 0.03
#define BESIDES_SIGMA  0.02

void clv_correction_init(clv_correction *c, size_t n_cuts)
{
    *c = (clv_correction){.residual = clv_alloc_array(n_cuts, sizeof *c->residual), .n = n_cuts};
}

void clv_correction_done(clv_correction *c)
{
    free(c->residual);
    *c = (clv_correction){0};
}

/* What is left of a deviation after so long: the memory of an Ornstein-Uhlenbeck process. */
static double memory(const clv_correction_state *s, int64_t now_us)
{
    double us = (double)(now_us - s->at_us);
    if (!s->at_us) return 0;
    return us > 0 ? exp(-us / (double)CLV_CORRECTION_FADE_US) : 1;
}

/* Time passes: z returns to the profile, and its variance to that of a device of which nothing is known. */
static void fade(clv_correction_state *s, double sigma, int64_t now_us)
{
    double left = memory(s, now_us);
    s->z *= left;
    s->var = left * left * s->var + (1 - left * left) * sigma * sigma;
    s->at_us = now_us;
}

static void learn(clv_correction_state *s, double innovation, double total_var)
{
    double gain = s->var / total_var;
    s->z += gain * innovation;
    s->var *= 1 - gain;
}

/* One more run far off on this side. Are there enough to believe the nearest? */
static bool device_changed(clv_correction *c, double innovation)
{
    int side = innovation > 0 ? 1 : -1;
    if (c->strikes * side <= 0) {
        c->strikes = 0;
        c->struck = innovation;
    }
    c->strikes += side;
    if (fabs(innovation) < fabs(c->struck)) c->struck = innovation;
    return abs(c->strikes) >= CLV_CORRECTION_STRIKES;
}

/* How far the segment may be from its device. */
static double residual_sigma(const clv_correction_run *run)
{
    double parts = fmax(run->whole_us / run->predicted_us, 1);
    return hypot(RESIDUAL_SIGMA, BESIDES_SIGMA * fmin(parts, 1 / BESIDES_SIGMA));
}

static bool tells(const clv_correction_run *run)
{
    return run->predicted_us > 0 && run->measured_us > 0 && isfinite(run->measured_us) &&
           isfinite(run->predicted_us) && isfinite(run->whole_us);
}

void clv_correction_observe(clv_correction *c, size_t cut, const clv_correction_run *run,
                            int64_t now_us)
{
    if (cut >= c->n || !tells(run)) return;
    clv_correction_state *own = &c->residual[cut];
    fade(&c->level, LEVEL_SIGMA, now_us);
    fade(own, residual_sigma(run), now_us);
    double z = log(run->measured_us / run->predicted_us);
    double innovation = z - c->level.z - own->z;
    double var = c->level.var + own->var + RUN_SIGMA * RUN_SIGMA;
    if (fabs(innovation) > CLV_CORRECTION_GATE * sqrt(var)) {
        if (device_changed(c, innovation)) {
            c->level.z += c->struck;
            c->level.var = LEVEL_SIGMA * LEVEL_SIGMA;
            c->strikes = 0;
        }
        return;
    }
    c->strikes = 0;
    learn(&c->level, innovation, var);
    learn(own, innovation, var);
}

double clv_correction_factor(const clv_correction *c, size_t cut, int64_t now_us)
{
    double z = c->level.z * memory(&c->level, now_us);
    if (cut < c->n) z += c->residual[cut].z * memory(&c->residual[cut], now_us);
    return exp(fmax(-log(CLV_CORRECTION_MAX), fmin(log(CLV_CORRECTION_MAX), z)));
}
