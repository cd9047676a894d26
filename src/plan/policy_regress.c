/* Neurosurgeon's predictor: for each kind of unit, a plane through its times by least squares. */
#include "plan/policies_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TERMS = 3 }; /* a constant and two features */

typedef struct row {
    const char *kind;
    double x[TERMS];
} row;

static double area(int64_t channels, int64_t h, int64_t w)
{
    return (double)channels * (double)h * (double)w;
}

/* The paper's features where the unit's are known; its work and its bytes where not. */
static row row_of(const clv_graph *g, size_t u)
{
    const clv_unit *unit = &g->units[u];
    const clv_unit_features *f = &unit->features;
    double in = area(f->in_channels, f->in_h, f->in_w),
           out = area(f->out_channels, f->out_h, f->out_w), stride = (double)f->stride;
    row r = {.kind = clv_unit_kind_name(f->kind), .x = {1, in, 0}};
    switch (f->kind) {
    case CLV_UNIT_CONV:
    case CLV_UNIT_POINTWISE:
    case CLV_UNIT_DEPTHWISE:
    case CLV_UNIT_GROUPED:
        r.x[2] = (double)f->kernel_h * (double)f->kernel_w / fmax(1, stride * stride) *
                 (double)f->out_channels;
        break;
    case CLV_UNIT_LINEAR:
    case CLV_UNIT_MATMUL:
    case CLV_UNIT_ATTENTION:
    case CLV_UNIT_MAX_POOL:
    case CLV_UNIT_MEAN_POOL:
    case CLV_UNIT_GLOBAL_POOL: r.x[2] = out; break;
    case CLV_UNIT_OTHER:
        r.kind = unit->op;
        r.x[1] = (double)unit->macs;
        for (size_t i = 0; i < unit->n_outputs; i++)
            r.x[2] += (double)g->tensors[unit->outputs[i]].bytes;
        break;
    case CLV_UNIT_NORM:
    case CLV_UNIT_ACTIVATION:
    case CLV_UNIT_ELEMENTWISE:
    case CLV_UNIT_CONCAT:
    case CLV_UNIT_RESIZE:
    case CLV_UNIT_SOFTMAX:
    case CLV_UNIT_COPY:
    case CLV_UNIT_KIND_COUNT: break;
    }
    return r;
}

/* a * b = y by elimination with pivots; a is symmetric and, with its ridge, positive definite. */
static void eliminate(double a[TERMS][TERMS + 1], double b[TERMS])
{
    for (int i = 0; i < TERMS; i++) {
        int pivot = i;
        for (int k = i + 1; k < TERMS; k++)
            if (fabs(a[k][i]) > fabs(a[pivot][i])) pivot = k;
        for (int j = 0; j <= TERMS; j++) {
            double swap = a[i][j];
            a[i][j] = a[pivot][j];
            a[pivot][j] = swap;
        }
        for (int k = i + 1; k < TERMS; k++) {
            double factor = a[k][i] / a[i][i];
            for (int j = i; j <= TERMS; j++) a[k][j] -= factor * a[i][j];
        }
    }
    for (int i = TERMS; i-- > 0;) {
        b[i] = a[i][TERMS];
        for (int j = i + 1; j < TERMS; j++) b[i] -= a[i][j] * b[j];
        b[i] /= a[i][i];
    }
}

/* The plane of one kind. Features are scaled to 0..1, so that the ridge, which decides between the
 * planes that fit too few units equally well, is small against all of them. */
static void fit(const row *rows, const int64_t *ns, size_t n, const char *kind, double scale[TERMS],
                double b[TERMS])
{
    const double ridge = 1e-9;
    double a[TERMS][TERMS + 1] = {0};
    for (int j = 0; j < TERMS; j++) scale[j] = 0;
    for (size_t u = 0; u < n; u++)
        for (int j = 0; j < TERMS && strcmp(rows[u].kind, kind) == 0; j++)
            scale[j] = fmax(scale[j], rows[u].x[j]);
    for (int j = 0; j < TERMS; j++) scale[j] = scale[j] > 0 ? 1 / scale[j] : 0;
    for (size_t u = 0; u < n; u++) {
        if (strcmp(rows[u].kind, kind) != 0) continue;
        for (int i = 0; i < TERMS; i++) {
            double xi = rows[u].x[i] * scale[i];
            for (int j = 0; j < TERMS; j++) a[i][j] += xi * rows[u].x[j] * scale[j];
            a[i][TERMS] += xi * (double)ns[u];
        }
    }
    for (int i = 0; i < TERMS; i++) a[i][i] += ridge;
    eliminate(a, b);
}

void clv_policy_regress(const clv_graph *g, const int64_t *unit_ns, int64_t *predicted)
{
    size_t n = g->n_units;
    CLV_AUTO(clv_free) row *rows = clv_alloc_array(n, sizeof *rows);
    CLV_AUTO(clv_free) bool *done = clv_alloc_array(n, sizeof *done);
    for (size_t u = 0; u < n; u++) rows[u] = row_of(g, u);
    for (size_t u = 0; u < n; u++) {
        if (done[u]) continue;
        double scale[TERMS], b[TERMS];
        fit(rows, unit_ns, n, rows[u].kind, scale, b);
        for (size_t k = u; k < n; k++) {
            if (strcmp(rows[k].kind, rows[u].kind) != 0) continue;
            done[k] = true;
            double ns = 0;
            for (int j = 0; j < TERMS; j++) ns += b[j] * scale[j] * rows[k].x[j];
            predicted[k] = ns > 0 ? llround(fmin(ns, 1e15)) : 0;
        }
    }
}
