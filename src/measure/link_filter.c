#include "measure/link_filter.h"

#include <math.h>
#include <string.h>

enum { RTT = CLV_LINK_RTT, UP = CLV_LINK_UP, DOWN = CLV_LINK_DOWN };
enum { STEPS = 6 }; /* Gauss-Newton steps of one update; three are enough for a factor of ten */

#define PRIOR_ALIKE 0.97 /* correlation of the two directions: a factor of 1.6 apart */
#define STEP_ALIKE  0.98 /* correlation of the directions in a step */
#define RTT_ALIKE   0.5  /* and of the round trip with them */
static const double state_first[CLV_LINK_STATES] = {10.8, -0.2, -0.2}; /* 50 ms, 10 Mbit/s */
static const double state_min[CLV_LINK_STATES] = {0, -14, -14};        /* 1 us, 1 TB/s */
static const double state_max[CLV_LINK_STATES] = {18, 9.2, 9.2};       /* a minute, 100 bytes/s */

void clv_link_filter_init(clv_link_filter *f)
{
    *f = (clv_link_filter){0};
    for (int i = 0; i < CLV_LINK_STATES; i++) {
        f->state[i] = state_first[i];
        f->var[i][i] = CLV_LINK_PRIOR_VAR;
    }
    f->var[UP][DOWN] = f->var[DOWN][UP] = PRIOR_ALIKE * CLV_LINK_PRIOR_VAR;
}

static double predict(const double state[CLV_LINK_STATES], const clv_link_seen *o,
                      double share[CLV_LINK_STATES])
{
    double total = 0;
    for (int i = 0; i < CLV_LINK_STATES; i++) total += share[i] = o->amount[i] * exp(state[i]);
    for (int i = 0; i < CLV_LINK_STATES; i++) share[i] /= total;
    return log(total);
}

/* vh = var * h; returns h' * var * h */
static double spread(const clv_link_filter *f, const double h[CLV_LINK_STATES],
                     double vh[CLV_LINK_STATES])
{
    double total = 0;
    for (int i = 0; i < CLV_LINK_STATES; i++) {
        vh[i] = 0;
        for (int k = 0; k < CLV_LINK_STATES; k++) vh[i] += f->var[i][k] * h[k];
        total += h[i] * vh[i];
    }
    return total;
}

/* The estimate that weighs what was known against the observation: Gauss-Newton, each step with the
 * shares at the last one. Leaves the shares and var * shares of the last step. */
static void fit(clv_link_filter *f, const clv_link_seen *o, double obs_var,
                double h[CLV_LINK_STATES], double vh[CLV_LINK_STATES])
{
    double at[CLV_LINK_STATES];
    memcpy(at, f->state, sizeof at);
    for (int step = 0; step < STEPS; step++) {
        double error = log(o->us) - predict(at, o, h);
        for (int i = 0; i < CLV_LINK_STATES; i++) error -= h[i] * (f->state[i] - at[i]);
        double total = spread(f, h, vh) + obs_var;
        for (int i = 0; i < CLV_LINK_STATES; i++)
            at[i] = fmin(fmax(f->state[i] + vh[i] * error / total, state_min[i]), state_max[i]);
    }
    spread(f, h, vh);
    memcpy(f->state, at, sizeof at);
}

/* var after the observation, in Joseph's form, which keeps it symmetric and positive. */
static void narrow(clv_link_filter *f, double obs_var, const double h[CLV_LINK_STATES],
                   const double vh[CLV_LINK_STATES])
{
    double total = obs_var, gain[CLV_LINK_STATES];
    double half[CLV_LINK_STATES][CLV_LINK_STATES], keep[CLV_LINK_STATES][CLV_LINK_STATES];
    for (int i = 0; i < CLV_LINK_STATES; i++) total += h[i] * vh[i];
    for (int i = 0; i < CLV_LINK_STATES; i++) {
        gain[i] = vh[i] / total;
        for (int k = 0; k < CLV_LINK_STATES; k++) keep[i][k] = (i == k) - gain[i] * h[k];
    }
    for (int i = 0; i < CLV_LINK_STATES; i++)
        for (int k = 0; k < CLV_LINK_STATES; k++) {
            half[i][k] = 0;
            for (int j = 0; j < CLV_LINK_STATES; j++) half[i][k] += keep[i][j] * f->var[j][k];
        }
    for (int i = 0; i < CLV_LINK_STATES; i++)
        for (int k = 0; k < CLV_LINK_STATES; k++) {
            f->var[i][k] = gain[i] * gain[k] * obs_var;
            for (int j = 0; j < CLV_LINK_STATES; j++) f->var[i][k] += half[i][j] * keep[k][j];
        }
}

double clv_link_filter_predict(const clv_link_filter *f, const clv_link_seen *o,
                               double share[CLV_LINK_STATES])
{
    return predict(f->state, o, share);
}

double clv_link_filter_spread(const clv_link_filter *f, const double h[CLV_LINK_STATES])
{
    double vh[CLV_LINK_STATES];
    return spread(f, h, vh);
}

void clv_link_filter_learn(clv_link_filter *f, const clv_link_seen *o, double var)
{
    double h[CLV_LINK_STATES], vh[CLV_LINK_STATES];
    fit(f, o, var, h, vh);
    narrow(f, var, h, vh);
}

void clv_link_filter_correct(clv_link_filter *f, const double h[CLV_LINK_STATES], double error,
                             double var)
{
    double vh[CLV_LINK_STATES], total = spread(f, h, vh) + var;
    for (int i = 0; i < CLV_LINK_STATES; i++) f->state[i] += vh[i] * error / total;
    narrow(f, var, h, vh);
}

void clv_link_filter_set_rtt(clv_link_filter *f, double us, double var)
{
    f->state[RTT] = fmin(fmax(log(us), state_min[RTT]), state_max[RTT]);
    f->var[RTT][RTT] = var;
}

void clv_link_filter_set_rates(clv_link_filter *f, double up, double down, double var)
{
    f->state[UP] = up;
    f->state[DOWN] = down;
    for (int i = UP; i <= DOWN; i++) {
        f->var[i][RTT] = f->var[RTT][i] = 0;
        for (int k = UP; k <= DOWN; k++) f->var[i][k] = var * (i == k ? 1 : STEP_ALIKE);
    }
}

void clv_link_filter_widen(clv_link_filter *f, int state, double factor)
{
    double most = fmin(factor, CLV_LINK_PRIOR_VAR / f->var[state][state]);
    if (most <= 1) return;
    for (int k = 0; k < CLV_LINK_STATES; k++) {
        f->var[state][k] *= sqrt(most);
        f->var[k][state] *= sqrt(most);
    }
}

void clv_link_filter_open_rates(clv_link_filter *f, double var)
{
    for (int i = UP; i <= DOWN; i++)
        for (int k = UP; k <= DOWN; k++) f->var[i][k] += var * (i == k ? 1 : STEP_ALIKE);
}

void clv_link_filter_open_all(clv_link_filter *f, double var)
{
    clv_link_filter_open_rates(f, var);
    for (int i = UP; i <= DOWN; i++) {
        f->var[i][RTT] += RTT_ALIKE * var;
        f->var[RTT][i] += RTT_ALIKE * var;
    }
}

void clv_link_filter_hold_together(clv_link_filter *f, double forget)
{
    /* as an observation each time, it sums up to the prior's */
    double var = 2 * CLV_LINK_PRIOR_VAR * (1 - PRIOR_ALIKE) / (1 - forget);
    clv_link_filter_correct(f, (double[]){0, 1, -1}, f->state[DOWN] - f->state[UP], var);
}
