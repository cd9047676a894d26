#include "cost/place.h"

#include <math.h>

static bool convolves(clv_unit_kind k)
{
    return k == CLV_UNIT_CONV || k == CLV_UNIT_POINTWISE || k == CLV_UNIT_DEPTHWISE ||
           k == CLV_UNIT_GROUPED;
}

/* Who works on images, in whatever layout the engine likes. */
static bool blocked(clv_unit_kind k)
{
    return convolves(k) || k == CLV_UNIT_MAX_POOL || k == CLV_UNIT_MEAN_POOL ||
           k == CLV_UNIT_GLOBAL_POOL || k == CLV_UNIT_CONCAT || k == CLV_UNIT_NORM ||
           k == CLV_UNIT_ELEMENTWISE || k == CLV_UNIT_ACTIVATION;
}

static int maker(const clv_graph *g, int tensor)
{
    const clv_graph_tensor *t = &g->tensors[tensor];
    return t->producer >= 0 && t->n_consumers == 1 && !t->is_output ? t->producer : -1;
}

/* A maker of an input that only this unit reads, one that multiplies if there is. */
static int sole_maker(const clv_graph *g, int unit)
{
    int best = -1;
    for (size_t i = 0; i < g->units[unit].n_inputs; i++) {
        int m = maker(g, g->units[unit].inputs[i]);
        if (m < 0) continue;
        if (best < 0 || g->units[m].features.macs > g->units[best].features.macs) best = m;
    }
    return best;
}

clv_unit_place clv_unit_place_of(const clv_graph *g, size_t unit)
{
    const clv_unit *u = &g->units[unit];
    clv_unit_place p = {.features = u->features, .inputs = (int)u->n_inputs};
    for (size_t i = 0; i < g->n_units; i++)
        p.beside_bytes +=
            (int64_t)(g->units[i].features.weight_bytes + g->units[i].features.out_bytes);
    int before = sole_maker(g, (int)unit);
    if (before >= 0 && g->units[before].features.kind == CLV_UNIT_ELEMENTWISE) {
        int further = sole_maker(g, before);
        if (further >= 0) before = further;
    }
    if (before >= 0) p.after = g->units[before].features.kind;
    const clv_graph_tensor *most = NULL;
    for (size_t i = 0; i < u->n_inputs; i++)
        if (!most || g->tensors[u->inputs[i]].bytes > most->bytes) most = &g->tensors[u->inputs[i]];
    if (most && most->producer >= 0) p.from = g->units[most->producer].features.kind;
    if (u->n_outputs == 1 && g->tensors[u->outputs[0]].n_consumers == 1) {
        const clv_unit *reader = &g->units[g->tensors[u->outputs[0]].consumers[0]];
        p.added = reader->features.kind == CLV_UNIT_ELEMENTWISE && reader->n_inputs > 1;
    }
    return p;
}

clv_unit_kind clv_unit_place_kind(const clv_unit_place *p)
{
    enum { VECTOR = 4 };
    const clv_unit_features *f = &p->features;
    bool ragged = f->out_channels % VECTOR || (f->in_channels > VECTOR && f->in_channels % VECTOR);
    return convolves(f->kind) && ragged ? CLV_UNIT_GROUPED : f->kind;
}

static double ln(double x)
{
    return log(fmax(x, 1));
}

/* How much more there is when counted in whole blocks. */
static double waste(int64_t n, int64_t block)
{
    return n > 0 ? log((double)((n + block - 1) / block * block) / (double)n) : 0;
}

void clv_unit_place_numbers(const clv_unit_place *p, double x[CLV_PLACE_NUMBERS])
{
    const clv_unit_features *f = &p->features;
    const double numbers[CLV_PLACE_NUMBERS] = {
        ln((double)f->macs),
        ln((double)f->in_bytes),
        ln((double)f->out_bytes),
        ln((double)f->weight_bytes),
        ln((double)f->in_channels),
        ln((double)f->out_channels),
        ln((double)f->out_h * (double)f->out_w),
        ln((double)(f->kernel_h * f->kernel_w)),
        ln((double)f->kernel_w) - ln((double)f->kernel_h),
        ln((double)f->stride),
        ln((double)f->groups),
        waste(f->in_channels, 16),
        waste(f->out_channels, 16),
        f->in_channels % 16 ? 4 : 0,
        f->in_channels % 4 ? 2 : 0,
        waste(f->out_w, 6),
        (double)(p->inputs < 32 ? p->inputs : 32),
        f->smooth ? 2 : 0,
        convolves(p->after) ? 3 : 0,
        blocked(p->from) ? 2 : 0,
        ln((double)f->steps),
        ln((double)(f->out_w < f->out_h ? f->out_w : f->out_h)),
        p->added ? 2 : 0,
        ln((double)f->in_h * (double)f->in_w),
        ln((double)p->beside_bytes),
    };
    for (int i = 0; i < CLV_PLACE_NUMBERS; i++) x[i] = numbers[i];
}

int clv_unit_place_mark(const clv_unit_place *p)
{
    const clv_unit_features *f = &p->features;
    bool alike = f->in_bytes >= (uint64_t)p->inputs * f->out_bytes;
    return (convolves(p->after) ? 1 : 0) | (blocked(p->from) ? 2 : 0) | (alike ? 4 : 0) |
           (f->smooth ? 8 : 0);
}
