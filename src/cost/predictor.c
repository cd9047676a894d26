#include "cost/predictor.h"
#include "base/mem.h"
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

clv_prediction clv_predictor_unit(const clv_predictor *p, const clv_unit_place *place)
{
    double x[CLV_PLACE_NUMBERS], causes[CLV_CAUSES], sigma = UNKNOWN_SIGMA, bend = 0;
    clv_unit_kind k = place->features.kind;
    const clv_calibration_kind *kind = &p->kinds[p->kinds[k].known ? k : CLV_UNIT_OTHER];
    clv_predictor_causes(&place->features, causes);
    double us = clv_predictor_base(kind, causes) * exp(kind->level);
    if (p->process[k] && p->kinds[k].known && k != CLV_UNIT_OTHER) {
        clv_unit_place_numbers(place, x);
        bend = clv_gaussian_predict(p->process[k], x, &sigma);
    }
    double span = log(CLV_PREDICTOR_SPAN);
    us = fmin(us * exp(fmin(fmax(bend, -span), span)), CLV_PROFILE_US_MAX);
    us *= 1 - p->kinds[k].merged[clv_unit_place_mark(place)];
    us = fmax(us, CLV_PREDICTOR_US_MIN / 2) * p->slowdown;
    return (clv_prediction){.us = us, .sigma_us = us * fmin(sigma, 2)};
}

/* ---- segments ---- */

/* Errors of units go the same way in part: they are of one kind, and of one shape. */
#define TOGETHER 0.3

typedef struct job {
    const clv_graph *graph;
    const clv_cuts *cuts;
    const clv_prediction *units;
    const clv_calibration_border *border;
    double *factor; /* of each unit */
    double border_factor;
} job;

/* Bytes at the cut that a unit makes (what the network is given comes as it is). */
static double made_bytes(const job *j, size_t cut)
{
    double bytes = 0;
    const clv_cut *c = &j->cuts->items[cut];
    for (size_t i = 0; i < c->n_live; i++) {
        const clv_graph_tensor *t = &j->graph->tensors[c->live[i]];
        if (t->producer >= 0) bytes += (double)t->bytes;
    }
    return bytes;
}

static clv_time segment(const job *j, size_t cut, bool prefix)
{
    double us = 0, var = 0, same = 0;
    int n = 0;
    for (size_t u = 0; u < j->graph->n_units; u++) {
        if (clv_cut_has(&j->cuts->items[cut], (int)u) != prefix) continue;
        double factor = j->factor ? j->factor[u] : 1, sigma = j->units[u].sigma_us * factor;
        us += j->units[u].us * factor;
        var += sigma * sigma;
        same += sigma;
        n++;
    }
    if (n == 0) return (clv_time){0};
    double whole = us;
    if (j->border) {
        double mb = made_bytes(j, cut) / 1e6;
        double extra = j->border->run_us + j->border->unit_us * n +
                       mb * (prefix ? j->border->out_us : j->border->in_us);
        whole = fmax(us + extra * j->border_factor, us / 4);
    }
    whole = fmin(whole, CLV_PROFILE_US_MAX);
    double sigma = sqrt((1 - TOGETHER) * var + TOGETHER * same * same);
    return (clv_time){.us = whole, .sigma_us = fmin(sigma, CLV_PROFILE_US_MAX), .n = 1};
}

/* ---- the correction ---- */

/* How unlike the whole network a part of it may be, before it is measured. */
#define PART_SIGMA 0.15
#define RATIO_MAX  6.0

static int by_units(const clv_cuts *cuts, size_t a, size_t b)
{
    return (cuts->items[a].n_units > cuts->items[b].n_units) -
           (cuts->items[a].n_units < cuts->items[b].n_units);
}

/* The nested ones of `seen`, from few units to many. */
static size_t nested(const clv_cuts *cuts, const clv_predictor_seen *seen, size_t n,
                     clv_predictor_seen *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (seen[i].prefix.n == 0 || seen[i].cut == 0 || seen[i].cut >= cuts->n) continue;
        size_t at = kept;
        while (at > 0 && by_units(cuts, seen[i].cut, out[at - 1].cut) < 0) at--;
        bool fits = (at == 0 || (clv_cut_within(cuts, out[at - 1].cut, seen[i].cut) &&
                                 out[at - 1].cut != seen[i].cut)) &&
                    (at == kept || clv_cut_within(cuts, seen[i].cut, out[at].cut));
        if (!fits) continue;
        for (size_t k = kept++; k > at; k--) out[k] = out[k - 1];
        out[at] = seen[i];
    }
    return kept;
}

static double limited(double ratio)
{
    return isfinite(ratio) ? fmin(fmax(ratio, 1 / RATIO_MAX), RATIO_MAX) : 1;
}

/* Between two seen prefixes the units have one factor. */
static void learn_factors(job *j, const clv_predictor_seen *seen, size_t n)
{
    double overall = limited(seen[n - 1].prefix.us / segment(j, seen[n - 1].cut, true).us);
    double before_us = 0, before_var = 0, before_want = 0;
    double *factor = clv_alloc_array(j->graph->n_units, sizeof *factor);
    for (size_t u = 0; u < j->graph->n_units; u++) factor[u] = overall;
    for (size_t i = 0; i < n; i++) {
        double us = segment(j, seen[i].cut, true).us;
        const clv_time *t = &seen[i].prefix;
        double var = 1.57 * t->sigma_us * t->sigma_us / t->n + 1e-4 * t->us * t->us;
        double expected = fmax((us - before_us) * overall, 1e-3);
        double ratio = limited((t->us - before_want) / expected);
        double unsure = (var + before_var) / (expected * expected);
        double trust = PART_SIGMA * PART_SIGMA / (PART_SIGMA * PART_SIGMA + unsure);
        ratio = exp(trust * log(ratio));
        for (size_t u = 0; u < j->graph->n_units; u++) {
            bool here = clv_cut_has(&j->cuts->items[seen[i].cut], (int)u) &&
                        (i == 0 || !clv_cut_has(&j->cuts->items[seen[i - 1].cut], (int)u));
            if (here) factor[u] = overall * ratio;
        }
        before_us = us;
        before_want = t->us;
        before_var = var;
    }
    j->factor = factor;
    j->border_factor = overall;
}

/* ---- profiles ---- */

static size_t down_bytes(const clv_graph *g, const clv_cut *cut)
{
    size_t bytes = 0;
    for (size_t i = 0; i < g->n_tensors; i++) {
        const clv_graph_tensor *t = &g->tensors[i];
        if (t->is_output && t->producer >= 0 && !clv_cut_has(cut, t->producer)) bytes += t->bytes;
    }
    return bytes;
}

static clv_profile_cut describe_cut(const clv_graph *g, const clv_cuts *cuts, size_t i)
{
    const clv_cut *cut = &cuts->items[i];
    clv_profile_cut c = {.label = clv_cut_label(cuts, g, i),
                         .live = clv_alloc_array(cut->n_live, sizeof *c.live),
                         .n_live = cut->n_live,
                         .up_bytes = cut->bytes,
                         .down_bytes = i + 1 < cuts->n ? down_bytes(g, cut) : 0};
    for (size_t k = 0; k < cut->n_live; k++) c.live[k] = clv_strdup(g->tensors[cut->live[k]].name);
    return c;
}

clv_profile *clv_profile_from_units(const clv_graph *g, const clv_cuts *cuts,
                                    const clv_prediction *units,
                                    const clv_calibration_border *border,
                                    const clv_predictor_seen *seen, size_t n_seen)
{
    job j = {.graph = g, .cuts = cuts, .units = units, .border = border, .border_factor = 1};
    CLV_AUTO(clv_free) clv_predictor_seen *chain = clv_alloc_array(n_seen + 1, sizeof *chain);
    size_t n_chain = nested(cuts, seen, n_seen, chain);
    if (n_chain) learn_factors(&j, chain, n_chain);
    clv_profile *out = clv_alloc(sizeof *out);
    out->slowdown = 1;
    out->cuts = clv_alloc_array(cuts->n, sizeof *out->cuts);
    out->n_cuts = cuts->n;
    for (size_t i = 0; i < cuts->n; i++) {
        out->cuts[i] = describe_cut(g, cuts, i);
        out->cuts[i].prefix = segment(&j, i, true);
        out->cuts[i].suffix = segment(&j, i, false);
    }
    for (size_t i = 0; i < n_chain; i++) out->cuts[chain[i].cut].prefix = chain[i].prefix;
    out->cuts[0].suffix = out->cuts[cuts->n - 1].prefix; /* the whole, both */
    clv_profile_describe(out, g);
    double total = 0, whole = out->cuts[0].suffix.us;
    for (size_t u = 0; u < g->n_units; u++) total += units[u].us * (j.factor ? j.factor[u] : 1);
    for (size_t u = 0; u < g->n_units && total > 0; u++)
        out->units[u].us = units[u].us * (j.factor ? j.factor[u] : 1) * whole / total;
    free(j.factor);
    return out;
}

static clv_prediction *predict_units(const clv_predictor *p, const clv_graph *g)
{
    clv_prediction *units = clv_alloc_array(g->n_units, sizeof *units);
    for (size_t u = 0; u < g->n_units; u++) {
        clv_unit_place place = clv_unit_place_of(g, u);
        units[u] = clv_predictor_unit(p, &place);
    }
    return units;
}

size_t clv_predictor_choose(const clv_predictor *p, const clv_graph *g, const clv_cuts *cuts,
                            size_t *at, size_t n)
{
    CLV_AUTO(clv_free) clv_prediction *units = predict_units(p, g);
    job j = {.graph = g, .cuts = cuts, .units = units, .border_factor = 1};
    double whole = segment(&j, cuts->n - 1, true).us;
    size_t kept = 0, before = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        double x = (double)(i + 1) / (double)n; /* 0 … 1, drawn to both ends */
        double want = whole * (0.5 - 0.5 * cos(x * acos(-1))), nearest = INFINITY;
        size_t best = 0;
        for (size_t c = 1; c + 1 < cuts->n; c++) {
            if (!clv_cut_within(cuts, before, c)) continue;
            double off = fabs(segment(&j, c, true).us - want);
            if (off >= nearest) continue;
            nearest = off;
            best = c;
        }
        if (best == 0 || best == before) continue;
        at[kept++] = before = best;
    }
    if (n > 0) at[kept++] = cuts->n - 1;
    return kept;
}

clv_status clv_predictor_profile(const clv_predictor *p, const clv_graph *g, const clv_cuts *cuts,
                                 const clv_predictor_seen *seen, size_t n_seen, clv_profile **out,
                                 clv_error *err)
{
    if (cuts->n < 2 || g->n_units == 0)
        return clv_fail(err, CLV_EINVAL,
                        "a network of %zu units and %zu cuts has nothing to predict", g->n_units,
                        cuts->n);
    CLV_AUTO(clv_free) clv_prediction *units = predict_units(p, g);
    clv_calibration_border border = p->border;
    border.run_us *= p->slowdown;
    border.unit_us *= p->slowdown;
    border.in_us *= p->slowdown;
    border.out_us *= p->slowdown;
    clv_profile *made = clv_profile_from_units(g, cuts, units, &border, seen, n_seen);
    for (size_t i = 0; i < sizeof made->device; i++) made->device[i] = p->device[i];
    for (size_t i = 0; i + 16 < sizeof made->engine; i++) made->engine[i] = p->engine[i];
    size_t end = 0;
    while (made->engine[end]) end++;
    static const char mark[] = ", predicted";
    for (size_t i = 0; i < sizeof mark; i++) made->engine[end + i] = mark[i];
    made->threads = p->threads;
    made->slowdown = p->slowdown;
    *out = made;
    return CLV_OK;
}
