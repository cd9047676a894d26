#include "cost/layerwise.h"

#include <math.h>
#include <string.h>

enum { N = CLV_LAYERWISE_NUMBERS };

/* In millions, so that the sums of squares are of like size. */
static void numbers(const clv_unit_features *f, double x[N])
{
    double in = (double)f->in_channels * (double)f->in_h * (double)f->in_w / 1e6;
    double out = (double)f->out_channels * (double)f->out_h * (double)f->out_w / 1e6;
    x[0] = 1;
    x[1] = in;
    x[2] = out;
    switch (f->kind) {
    case CLV_UNIT_CONV:
    case CLV_UNIT_POINTWISE:
    case CLV_UNIT_DEPTHWISE:
    case CLV_UNIT_GROUPED:
        x[2] = (double)(f->kernel_h * f->kernel_w) / (double)(f->stride * f->stride) *
               (double)f->out_channels / 1e3;
        break;
    case CLV_UNIT_LINEAR:
    case CLV_UNIT_MATMUL:
    case CLV_UNIT_ATTENTION:
    case CLV_UNIT_MAX_POOL:
    case CLV_UNIT_MEAN_POOL:
    case CLV_UNIT_GLOBAL_POOL: break;
    case CLV_UNIT_NORM:
    case CLV_UNIT_ACTIVATION:
    case CLV_UNIT_ELEMENTWISE:
    case CLV_UNIT_CONCAT:
    case CLV_UNIT_RESIZE:
    case CLV_UNIT_SOFTMAX:
    case CLV_UNIT_COPY:
    case CLV_UNIT_OTHER:
    case CLV_UNIT_KIND_COUNT: x[2] = 0; break;
    }
}

/* Gauss with pivots on a small symmetric system; a column that says nothing gets 0. */
static void solve(double a[N][N + 1], double out[N])
{
    int row_of[N] = {-1, -1, -1}, row = 0;
    for (int c = 0; c < N; c++) {
        int best = row;
        for (int r = row; r < N; r++)
            if (fabs(a[r][c]) > fabs(a[best][c])) best = r;
        if (row >= N || fabs(a[best][c]) < 1e-9) continue;
        for (int k = 0; k <= N; k++) {
            double keep = a[row][k];
            a[row][k] = a[best][k];
            a[best][k] = keep;
        }
        for (int r = 0; r < N; r++) {
            double f = r == row ? 0 : a[r][c] / a[row][c];
            for (int k = 0; k <= N; k++) a[r][k] -= f * a[row][k];
        }
        row_of[c] = row++;
    }
    for (int c = 0; c < N; c++) out[c] = row_of[c] < 0 ? 0 : a[row_of[c]][N] / a[row_of[c]][c];
}

void clv_layerwise_fit(clv_layerwise *l, const clv_calibration *c)
{
    for (int k = 0; k < CLV_UNIT_KIND_COUNT; k++) {
        double a[N][N + 1] = {{0}};
        for (size_t i = 0; i < c->n_networks; i++)
            for (size_t r = 0; r < c->networks[i].n_rows; r++) {
                const clv_calibration_row *row = &c->networks[i].rows[r];
                double x[N], us = row->us * exp(-c->networks[i].mood);
                if ((int)row->place.features.kind != k) continue;
                numbers(&row->place.features, x);
                for (int p = 0; p < N; p++) {
                    for (int q = 0; q < N; q++) a[p][q] += x[p] * x[q];
                    a[p][N] += x[p] * us;
                }
            }
        solve(a, l->weight[k]);
    }
}

double clv_layerwise_us(const clv_layerwise *l, const clv_unit_features *f)
{
    double x[N], us = 0;
    numbers(f, x);
    for (int i = 0; i < N; i++) us += l->weight[f->kind][i] * x[i];
    return fmax(us, 0);
}
