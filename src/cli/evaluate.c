#include "cli/evaluate.h"
#include "base/mem.h"
#include "cli/chart.h"
#include "cli/table.h"
#include "cost/accuracy.h"
#include "cost/layerwise.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

/* The ways to predict, in the order in which they are shown. */
#define WAY_MAP(X)                                                                                 \
    X(PREDICTED, "predicted", "calibration alone")                                                 \
    X(CORRECTED, "corrected", "with a few measured prefixes")                                      \
    X(BASELINE, "baseline", "Neurosurgeon's regressions on the same rows")                         \
    X(AGAIN, "again", "measured another time on the same device")
typedef enum way {
#define X(name, text, about) WAY_##name,
    WAY_MAP(X)
#undef X
        WAY_COUNT
} way;
static const char *const way_names[] = {
#define X(name, text, about) text,
    WAY_MAP(X)
#undef X
};
static const char *const way_abouts[] = {
#define X(name, text, about) about,
    WAY_MAP(X)
#undef X
};

/* At the speed of measuring, and as calibrated (or measured). */
enum { AT_SPEED, AS_IT_WAS, SPEED_COUNT };

typedef struct row {
    char *model;
    size_t n_cuts, n_seen;
    double speed; /* how many times slower the machine was than calibrated; 1 also: not known */
    clv_accuracy by[SPEED_COUNT][WAY_COUNT];
} row;

/* One network and what is known of it. */
typedef struct subject {
    const clv_graph *graph;
    const clv_cuts *cuts;
    const clv_profile *measured;
    const clv_predictor_seen *seen;
    size_t n_seen;
    const bool *skip;
} subject;

typedef struct points {
    double *measured, *predicted;
    size_t n, cap_measured, cap_predicted;
} points;

struct clv_evaluation {
    clv_predictor *predictor;
    clv_speed reference; /* the calibration's */
    int threads;
    clv_layerwise layerwise;
    size_t seen;
    row *rows;
    size_t n, cap;
    points dots[WAY_COUNT];
};

clv_status clv_evaluation_new(const clv_calibration *c, size_t seen, clv_evaluation **out,
                              clv_error *err)
{
    clv_predictor *p = NULL;
    clv_status s = clv_predictor_new(c, &p, err);
    if (s != CLV_OK) return s;
    clv_evaluation *e = clv_alloc(sizeof *e);
    e->predictor = p;
    e->reference = c->reference;
    e->threads = c->threads;
    e->seen = seen;
    clv_layerwise_fit(&e->layerwise, c);
    *out = e;
    return CLV_OK;
}

void clv_evaluation_free(clv_evaluation *e)
{
    if (!e) return;
    for (size_t i = 0; i < e->n; i++) free(e->rows[i].model);
    free(e->rows);
    for (int w = 0; w < WAY_COUNT; w++) {
        free(e->dots[w].measured);
        free(e->dots[w].predicted);
    }
    clv_predictor_free(e->predictor);
    free(e);
}

static void add_dot(points *p, const clv_time *measured, const clv_time *predicted)
{
    if (measured->n == 0 || !(measured->us > 0) || !(predicted->us > 0)) return;
    clv_grow(&p->measured, &p->cap_measured, p->n + 1, sizeof *p->measured);
    clv_grow(&p->predicted, &p->cap_predicted, p->n + 1, sizeof *p->predicted);
    p->measured[p->n] = measured->us / 1000;
    p->predicted[p->n++] = predicted->us / 1000;
}

static void add_dots(points *p, const clv_profile *measured, const clv_profile *predicted,
                     const bool *skip)
{
    for (size_t i = 1; i + 1 < measured->n_cuts; i++) {
        if (!skip || !skip[i]) add_dot(p, &measured->cuts[i].prefix, &predicted->cuts[i].prefix);
        add_dot(p, &measured->cuts[i].suffix, &predicted->cuts[i].suffix);
    }
}

/* Prefixes as they would be measured; `skip` marks them. */
static size_t look_at_some(const clv_evaluation *e, const clv_graph *g, const clv_cuts *cuts,
                           const clv_profile *measured, clv_predictor_seen *seen, bool *skip)
{
    CLV_AUTO(clv_free) size_t *at = clv_alloc_array(e->seen + 1, sizeof *at);
    CLV_AUTO(clv_free) bool *may = clv_alloc_array(cuts->n, sizeof *may);
    for (size_t i = 0; i < cuts->n; i++) may[i] = measured->cuts[i].prefix.n > 0;
    size_t n = clv_predictor_choose(e->predictor, g, cuts, may, at, e->seen), kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (measured->cuts[at[i]].prefix.n == 0) continue;
        seen[kept++] = (clv_predictor_seen){at[i], measured->cuts[at[i]].prefix};
        skip[at[i]] = true;
    }
    return kept;
}

static clv_profile *by_layers(const clv_evaluation *e, const clv_graph *g, const clv_cuts *cuts)
{
    CLV_AUTO(clv_free) clv_prediction *units = clv_alloc_array(g->n_units, sizeof *units);
    for (size_t u = 0; u < g->n_units; u++)
        units[u].us = clv_layerwise_us(&e->layerwise, &g->units[u].features);
    return clv_profile_from_units(g, cuts, units, 1, NULL, NULL, 0);
}

/* The network as it is predicted by each way, at a machine `slower` times as slow as calibrated; NULL: not so. What
 * was seen is taken to the calibration's speed first, so the correction starts from the same prediction. */
static clv_status predict_all(const clv_evaluation *e, const subject *on, double slower,
                              clv_profile *out[WAY_COUNT], clv_error *err)
{
    CLV_AUTO(clv_free) clv_predictor_seen *seen = clv_alloc_array(on->n_seen + 1, sizeof *seen);
    for (size_t i = 0; i < on->n_seen; i++) {
        seen[i] = on->seen[i];
        seen[i].prefix.us /= slower;
        seen[i].prefix.sigma_us /= slower;
    }
    clv_status s =
        clv_predictor_profile(e->predictor, on->graph, on->cuts, NULL, 0, &out[WAY_PREDICTED], err);
    if (s == CLV_OK)
        s = clv_predictor_profile(e->predictor, on->graph, on->cuts, seen, on->n_seen,
                                  &out[WAY_CORRECTED], err);
    if (s == CLV_OK) out[WAY_BASELINE] = by_layers(e, on->graph, on->cuts);
    for (int w = 0; w < WAY_COUNT; w++)
        if (out[w]) clv_profile_scale(out[w], slower);
    return s;
}

static clv_status judge(clv_evaluation *e, const subject *on, double slower,
                        clv_accuracy by[WAY_COUNT], bool draw, clv_error *err)
{
    clv_profile *predicted[WAY_COUNT] = {0};
    clv_status s = predict_all(e, on, slower, predicted, err);
    for (int w = 0; w < WAY_COUNT && s == CLV_OK; w++) {
        if (!predicted[w]) continue;
        const bool *skip = w == WAY_CORRECTED ? on->skip : NULL;
        by[w] = clv_accuracy_of(on->measured, predicted[w], skip);
        if (draw) add_dots(&e->dots[w], on->measured, predicted[w], skip);
    }
    for (int w = 0; w < WAY_COUNT; w++) clv_profile_free(predicted[w]);
    return s;
}

/* Both ways: as calibrated and at the speed of measuring. */
static clv_status judge_both(clv_evaluation *e, const subject *on, clv_profile *again, row *r,
                             clv_error *err)
{
    const clv_speed *now = &on->measured->reference;
    bool alike = on->measured->threads == e->threads;
    r->speed = alike ? clv_speed_factor(now, &e->reference) : 1;
    clv_status s = judge(e, on, 1, r->by[AS_IT_WAS], false, err);
    if (s == CLV_OK) s = judge(e, on, r->speed, r->by[AT_SPEED], true, err);
    if (s != CLV_OK || !again) return s;
    r->by[AS_IT_WAS][WAY_AGAIN] = clv_accuracy_of(on->measured, again, NULL);
    clv_profile_scale(again, clv_speed_factor(now, &again->reference));
    r->by[AT_SPEED][WAY_AGAIN] = clv_accuracy_of(on->measured, again, NULL);
    add_dots(&e->dots[WAY_AGAIN], on->measured, again, NULL);
    return s;
}

clv_status clv_evaluation_add(clv_evaluation *e, const char *model, const clv_graph *g,
                              const clv_cuts *cuts, const clv_profile *measured, clv_profile *again,
                              clv_error *err)
{
    const clv_profile *odd = measured->n_cuts != cuts->n ? measured : again;
    if (odd && odd->n_cuts != cuts->n)
        return clv_fail(err, CLV_EMISMATCH, "the profile of '%s' has %zu cuts, the network %zu",
                        model, odd->n_cuts, cuts->n);
    CLV_AUTO(clv_free) bool *skip = clv_alloc_array(cuts->n, sizeof *skip);
    CLV_AUTO(clv_free) clv_predictor_seen *seen = clv_alloc_array(e->seen + 1, sizeof *seen);
    row r = {.n_cuts = cuts->n, .n_seen = look_at_some(e, g, cuts, measured, seen, skip)};
    const subject on = {g, cuts, measured, seen, r.n_seen, skip};
    clv_status s = judge_both(e, &on, again, &r, err);
    if (s != CLV_OK) return s;
    r.model = clv_strdup(model);
    clv_grow(&e->rows, &e->cap, e->n + 1, sizeof *e->rows);
    e->rows[e->n++] = r;
    return CLV_OK;
}

static row total(const clv_evaluation *e)
{
    row sum = {0};
    for (size_t i = 0; i < e->n; i++) {
        sum.n_cuts += e->rows[i].n_cuts;
        sum.n_seen += e->rows[i].n_seen;
        for (int k = 0; k < SPEED_COUNT; k++)
            for (int w = 0; w < WAY_COUNT; w++)
                clv_accuracy_add(&sum.by[k][w], &e->rows[i].by[k][w]);
    }
    return sum;
}

/* ---- for people ---- */

static void print_row(clv_table *t, const char *model, double speed, const clv_accuracy *a, way w)
{
    if (w == WAY_AGAIN && a->n == 0) return;
    clv_table_cell(t, "%s", w == 0 ? model : "");
    if (w == 0 && speed > 0)
        clv_table_cell(t, "%.3f", speed);
    else
        clv_table_cell(t, "%s", "");
    clv_table_cell(t, "%s", way_names[w]);
    clv_table_cell(t, "%zu", a->n);
    clv_table_cell(t, "%.1f %%", 100 * clv_accuracy_hit_10(a));
    clv_table_cell(t, "%.1f %%", 100 * clv_accuracy_hit_20(a));
    clv_table_cell(t, "%.1f %%", 100 * clv_accuracy_mape(a));
    clv_table_cell(t, "%.1f %%", 100 * clv_accuracy_rank_error(a));
    clv_table_cell(t, "%.2f %%", 100 * clv_accuracy_regret(a));
    clv_table_cell(t, "%.1f %%", 100 * a->regret_worst);
}

void clv_evaluation_print(const clv_evaluation *e, FILE *out)
{
    static const clv_column columns[] = {{"model", CLV_LEFT},       {"speed", CLV_RIGHT},
                                         {"by", CLV_LEFT},          {"segments", CLV_RIGHT},
                                         {"+-10 %", CLV_RIGHT},     {"+-20 %", CLV_RIGHT},
                                         {"mean error", CLV_RIGHT}, {"wrong order", CLV_RIGHT},
                                         {"regret", CLV_RIGHT},     {"worst", CLV_RIGHT}};
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    for (size_t i = 0; i < e->n; i++)
        for (int w = 0; w < WAY_COUNT; w++) {
            const row *r = &e->rows[i];
            print_row(t, r->model, r->speed, &r->by[AT_SPEED][w], (way)w);
        }
    row sum = total(e);
    for (int w = 0; w < WAY_COUNT; w++) print_row(t, "all", 0, &sum.by[AT_SPEED][w], (way)w);
    for (int w = 0; w < WAY_COUNT; w++)
        print_row(t, "all, as calibrated", 0, &sum.by[AS_IT_WAS][w], (way)w);
    clv_table_print(t, out);
    clv_table_free(t);
    fprintf(out, "\n");
    fprintf(out,
            "what was measured is noisy itself: +-10 %% of it would be hit by %.1f %% of the true "
            "times\n",
            100 * clv_accuracy_ceiling_10(&sum.by[AT_SPEED][WAY_PREDICTED]));
    fprintf(out, "speed: how many times as long the reference network took as when calibrated, by "
                 "which predictions are multiplied; 1.000 also: not known\n");
    for (int w = 0; w < WAY_COUNT; w++)
        if (w != WAY_AGAIN || sum.by[AT_SPEED][w].n > 0)
            fprintf(out, "%s: %s\n", way_names[w], way_abouts[w]);
}

/* ---- for programs ---- */

static json_t *accuracy_json(const clv_accuracy *a)
{
    return json_pack("{sIsfsfsfsfsfsfsf}", "segments", (json_int_t)a->n, "hit_10",
                     clv_accuracy_hit_10(a), "hit_20", clv_accuracy_hit_20(a), "ceiling_10",
                     clv_accuracy_ceiling_10(a), "mape", clv_accuracy_mape(a), "rank_error",
                     clv_accuracy_rank_error(a), "regret", clv_accuracy_regret(a), "regret_worst",
                     a->regret_worst);
}

/* What is predicted stands in the object itself, the other ways below their names. */
static json_t *ways_json(const clv_accuracy by[WAY_COUNT])
{
    json_t *o = accuracy_json(&by[WAY_PREDICTED]);
    for (int w = WAY_PREDICTED + 1; w < WAY_COUNT; w++)
        if (w != WAY_AGAIN || by[w].n > 0)
            json_object_set_new(o, way_names[w], accuracy_json(&by[w]));
    return o;
}

static json_t *row_json(const char *model, const row *r)
{
    json_t *o = ways_json(r->by[AT_SPEED]);
    if (model) json_object_set_new(o, "model", json_string(model));
    if (model) json_object_set_new(o, "speed", json_real(r->speed));
    json_object_set_new(o, "cuts", json_integer((json_int_t)r->n_cuts));
    json_object_set_new(o, "seen", json_integer((json_int_t)r->n_seen));
    json_object_set_new(o, "as_calibrated", ways_json(r->by[AS_IT_WAS]));
    return o;
}

char *clv_evaluation_json(const clv_evaluation *e)
{
    json_t *models = json_array(), *root = json_object();
    for (size_t i = 0; i < e->n; i++)
        json_array_append_new(models, row_json(e->rows[i].model, &e->rows[i]));
    row sum = total(e);
    json_object_set_new(root, "models", models);
    json_object_set_new(root, "total", row_json(NULL, &sum));
    char *text = json_dumps(root, JSON_INDENT(2));
    json_decref(root);
    return text;
}

void clv_evaluation_svg(const clv_evaluation *e, clv_buf *out)
{
    double low = INFINITY, high = 0;
    for (int w = 0; w < WAY_COUNT; w++)
        for (size_t i = 0; i < e->dots[w].n; i++) {
            low = fmin(low, e->dots[w].measured[i]);
            high = fmax(high, e->dots[w].measured[i]);
        }
    if (!(high > 0)) low = high = 1;
    const double ends[] = {low, high};
    const clv_chart_line lines[] = {
        {.name = "Neurosurgeon's regressions",
         .kind = 1,
         .dots = true,
         .x = e->dots[WAY_BASELINE].measured,
         .y = e->dots[WAY_BASELINE].predicted,
         .n = e->dots[WAY_BASELINE].n},
        {.name = "predicted",
         .kind = 0,
         .dots = true,
         .x = e->dots[WAY_PREDICTED].measured,
         .y = e->dots[WAY_PREDICTED].predicted,
         .n = e->dots[WAY_PREDICTED].n},
        {.name = "corrected by a few prefixes",
         .kind = 2,
         .dots = true,
         .x = e->dots[WAY_CORRECTED].measured,
         .y = e->dots[WAY_CORRECTED].predicted,
         .n = e->dots[WAY_CORRECTED].n},
        {.name = "as measured", .kind = 6, .x = ends, .y = ends, .n = 2},
    };
    clv_chart_lines(
        out,
        &(clv_chart_text){"Predicted against measured",
                          "every prefix and suffix of networks that were not in the grid"},
        &(clv_chart_axes){.x_title = "measured, ms", .y_title = "predicted, ms"}, lines,
        CLV_COUNT(lines));
}
