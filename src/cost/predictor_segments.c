/* Segments and whole profiles from units: sums, borders, and what measured prefixes teach. */
#include "base/mem.h"
#include "cost/belief.h"
#include "cost/predictor_priv.h"

#include <math.h>
#include <stdlib.h>

/* ---- segments ---- */

typedef struct job {
    const clv_graph *graph;
    const clv_cuts *cuts;
    const clv_calibration_border *border; /* NULL: segments are sums */
    clv_belief *belief;
    double *parts; /* of the latest segment */
} job;

static job job_of(const clv_graph *g, const clv_cuts *cuts, const clv_prediction *units,
                  size_t levels, const clv_calibration_border *border)
{
    return (job){.graph = g,
                 .cuts = cuts,
                 .border = border,
                 .belief = clv_belief_new(g, units, levels),
                 .parts = clv_alloc_array(g->n_units + 1, sizeof(double))};
}

static void job_done(job *j)
{
    clv_belief_free(j->belief);
    free(j->parts);
}

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

/* What a segment takes, its parts into j->parts. */
static double parts_of(const job *j, size_t cut, bool prefix)
{
    const clv_cut *c = &j->cuts->items[cut];
    size_t n = prefix ? c->n_units : j->graph->n_units - c->n_units;
    double border = 0;
    if (j->border)
        border = j->border->run_us + j->border->unit_us * (double)n +
                 made_bytes(j, cut) / 1e6 * (prefix ? j->border->out_us : j->border->in_us);
    return clv_belief_parts(j->belief, c, prefix, border, j->parts);
}

static clv_time segment(const job *j, size_t cut, bool prefix)
{
    size_t n = j->cuts->items[cut].n_units;
    if (prefix ? n == 0 : n == j->graph->n_units) return (clv_time){0};
    double us = fmin(parts_of(j, cut, prefix), CLV_PROFILE_US_MAX);
    double sigma = us > 0 ? us * clv_belief_sigma(j->belief, j->parts) : 0;
    return (clv_time){.us = us, .sigma_us = fmin(sigma, CLV_PROFILE_US_MAX), .n = 1};
}

/* ---- the correction ---- */

/* No measurement is surer than this, whatever its runs say: the machine changes from minute to minute. */
#define MEASURED_SIGMA 0.05

static void learn(job *j, const clv_predictor_seen *seen)
{
    const clv_time *t = &seen->prefix;
    if (t->n == 0 || seen->cut == 0 || seen->cut >= j->cuts->n || !(t->us > 0)) return;
    double sigma = t->sigma_us / t->us, var = MEASURED_SIGMA * MEASURED_SIGMA;
    parts_of(j, seen->cut, true);
    clv_belief_learn(j->belief, j->parts, t->us, var + 1.57 * sigma * sigma / t->n);
}

/* The whole first: what is common to all is best known from it. */
static void learn_all(job *j, const clv_predictor_seen *seen, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (seen[i].cut + 1 == j->cuts->n) learn(j, &seen[i]);
    for (size_t i = 0; i < n; i++)
        if (seen[i].cut + 1 != j->cuts->n) learn(j, &seen[i]);
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
                                    const clv_prediction *units, size_t levels,
                                    const clv_calibration_border *border,
                                    const clv_predictor_seen *seen, size_t n_seen)
{
    CLV_AUTO(job_done) job j = job_of(g, cuts, units, levels, border);
    learn_all(&j, seen, n_seen);
    clv_profile *out = clv_alloc(sizeof *out);
    out->slowdown = 1;
    out->cuts = clv_alloc_array(cuts->n, sizeof *out->cuts);
    out->n_cuts = cuts->n;
    for (size_t i = 0; i < cuts->n; i++) {
        out->cuts[i] = describe_cut(g, cuts, i);
        out->cuts[i].prefix = segment(&j, i, true);
        out->cuts[i].suffix = segment(&j, i, false);
    }
    for (size_t i = 0; i < n_seen; i++)
        if (seen[i].cut > 0 && seen[i].cut < cuts->n && seen[i].prefix.n > 0)
            out->cuts[seen[i].cut].prefix = seen[i].prefix;
    out->cuts[0].suffix = out->cuts[cuts->n - 1].prefix; /* the whole, both */
    clv_profile_describe(out, g);
    double total = parts_of(&j, cuts->n - 1, true) - j.parts[g->n_units];
    for (size_t u = 0; u < g->n_units && total > 0; u++)
        out->units[u].us = j.parts[u] * out->cuts[0].suffix.us / total;
    return out;
}

/* ---- which prefixes to measure ---- */

enum { CHOICE_MAX = 96 }; /* cuts that are looked at, spread over all */

/* A segment among those that the choice is for, and its parts. */
typedef struct stake {
    size_t cut;
    bool prefix;
    double *parts, var; /* var: of its logarithm, so far */
} stake;

typedef struct choice {
    job *j;
    stake items[2 * CHOICE_MAX];
    size_t n;
} choice;

static void choice_done(choice *c)
{
    for (size_t i = 0; i < c->n; i++) free(c->items[i].parts);
}

static void add_stake(choice *c, size_t cut, bool prefix)
{
    size_t n = c->j->graph->n_units + 1;
    if (!(parts_of(c->j, cut, prefix) > 0)) return;
    stake *s = &c->items[c->n++];
    *s = (stake){.cut = cut, .prefix = prefix, .parts = clv_alloc_array(n, sizeof *s->parts)};
    for (size_t i = 0; i < n; i++) s->parts[i] = c->j->parts[i];
}

/* The share of times that are further off than 10 %. */
static double miss(double var)
{
    return erfc(0.1 / sqrt(2 * fmax(var, 1e-9)));
}

/* How many of the segments come within 10 % if `seen` is measured. */
static double gain(const choice *c, const stake *seen)
{
    double sum = 0, noise = MEASURED_SIGMA * MEASURED_SIGMA;
    for (size_t i = 0; i < c->n; i++) {
        const stake *s = &c->items[i];
        double worth = clv_belief_worth(c->j->belief, seen->parts, noise, s->parts);
        sum += miss(s->var) - miss(s->var - worth);
    }
    return sum;
}

static void take(choice *c, const stake *seen)
{
    double us = 0, noise = MEASURED_SIGMA * MEASURED_SIGMA;
    for (size_t i = 0; i <= c->j->graph->n_units; i++) us += seen->parts[i];
    clv_belief_learn(c->j->belief, seen->parts, us, noise); /* changes how sure, and no time */
    for (size_t i = 0; i < c->n; i++) {
        double sigma = clv_belief_sigma(c->j->belief, c->items[i].parts);
        c->items[i].var = sigma * sigma;
    }
}

/* The index of the stake that is worth most, c->n: none is. */
static size_t best_of(const choice *c, const size_t *at, size_t n)
{
    size_t best = c->n;
    double most = 0;
    for (size_t i = 0; i < c->n; i++) {
        bool taken = !c->items[i].prefix;
        for (size_t k = 0; k < n; k++) taken = taken || at[k] == c->items[i].cut;
        double g = taken ? 0 : gain(c, &c->items[i]);
        if (g <= most) continue;
        most = g;
        best = i;
    }
    return best;
}

size_t clv_choice_from_units(const clv_graph *g, const clv_cuts *cuts, const clv_prediction *units,
                             size_t levels, const clv_calibration_border *border, const bool *may,
                             size_t *at, size_t n)
{
    if (n == 0 || cuts->n < 2) return 0;
    CLV_AUTO(job_done) job j = job_of(g, cuts, units, levels, border);
    CLV_AUTO(choice_done) choice c = {.j = &j};
    size_t last = cuts->n - 1, open = 0, seen = 0, kept = 0;
    for (size_t i = 1; i < last; i++) open += !may || may[i];
    size_t want = CLV_MIN(open, (size_t)CHOICE_MAX - 1);
    for (size_t i = 1; i < last; i++) {
        if (may && !may[i]) continue;
        seen++;
        if (seen * want / open == (seen - 1) * want / open) continue; /* spread evenly */
        add_stake(&c, i, true);
        add_stake(&c, i, false);
    }
    add_stake(&c, last, true);
    for (size_t next = c.n - 1; next < c.n && kept < n; next = best_of(&c, at, kept)) {
        at[kept++] = c.items[next].cut;
        take(&c, &c.items[next]);
    }
    return kept;
}

/* ---- of a predictor ---- */

size_t clv_predictor_choose(const clv_predictor *p, const clv_graph *g, const clv_cuts *cuts,
                            const bool *may, size_t *at, size_t n)
{
    CLV_AUTO(clv_free) clv_prediction *units = clv_predictor_units(p, g);
    clv_calibration_border border = clv_predictor_border(p);
    return clv_choice_from_units(g, cuts, units, CLV_PREDICTOR_LEVELS, &border, may, at, n);
}

clv_status clv_predictor_profile(const clv_predictor *p, const clv_graph *g, const clv_cuts *cuts,
                                 const clv_predictor_seen *seen, size_t n_seen, clv_profile **out,
                                 clv_error *err)
{
    if (cuts->n < 2 || g->n_units == 0)
        return clv_fail(err, CLV_EINVAL,
                        "a network of %zu units and %zu cuts has nothing to predict", g->n_units,
                        cuts->n);
    CLV_AUTO(clv_free) clv_prediction *units = clv_predictor_units(p, g);
    clv_calibration_border border = clv_predictor_border(p);
    clv_profile *made =
        clv_profile_from_units(g, cuts, units, CLV_PREDICTOR_LEVELS, &border, seen, n_seen);
    clv_predictor_sign(p, made);
    *out = made;
    return CLV_OK;
}
