/* The pictures of clv_plan_report. */
#include "base/mem.h"
#include "base/unit.h"
#include "cli/chart.h"
#include "cli/plan_question.h"
#include "cli/plan_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CURVE_POINTS = 60, CURVES_MAX = 12, BARS_MAX = 56, LABEL_SHOWN = 40 };

static const clv_plan_problem *problem_of(const clv_plan_report *r)
{
    return &r->devices->tables->problem;
}

/* One curve: the rates in Mbit/s, latencies in ms or energies in mJ. */
typedef struct curve {
    double x[CURVE_POINTS], y[CURVE_POINTS];
} curve;

static bool of_energy(const clv_plan_report *r)
{
    return problem_of(r)->objective.goal == CLV_GOAL_ENERGY;
}

static double value_at(const clv_plan_report *r, const clv_plan_span *s, double rate)
{
    if (s->cut == CLV_PLAN_NO_CUT) return (double)NAN;
    clv_plan_point at = clv_plan_at_rate(problem_of(r), s->cut, s->codec, rate);
    return fmax(of_energy(r) ? at.j * 1e3 : at.us / 1e3, 1e-3);
}

/* A span's placement over all rates, or (NULL) the best at each. Returns the points with a value. */
static size_t fill_curve(const clv_plan_report *r, const clv_plan_span *placement, curve *c)
{
    double lo = r->spans[0].from_bytes_per_s, hi = r->spans[r->n_spans - 1].to_bytes_per_s;
    size_t n = 0;
    for (int i = 0; i < CURVE_POINTS; i++) {
        double rate = lo * pow(hi / lo, (double)i / (CURVE_POINTS - 1));
        const clv_plan_span *s = placement ? placement : r->spans;
        while (!placement && s + 1 < r->spans + r->n_spans && rate > s->to_bytes_per_s) s++;
        double y = value_at(r, s, rate);
        if (!isfinite(y)) continue;
        c->x[n] = rate * 8 / 1e6;
        c->y[n++] = y;
    }
    return n;
}

/* A placement that wins in two spans has one curve. */
static bool seen_before(const clv_plan_report *r, size_t span)
{
    for (size_t i = 0; i < span; i++)
        if (r->spans[i].cut == r->spans[span].cut && r->spans[i].codec == r->spans[span].codec)
            return true;
    return false;
}

static void name_span(const clv_plan_report *r, const clv_plan_span *s, char *name, size_t size)
{
    CLV_AUTO(clv_text_free) char *label = clv_plan_report_label(r, s->cut);
    const clv_plan_problem *p = problem_of(r);
    const char *codec = s->codec > 0 ? p->codecs[s->codec].name : "";
    snprintf(name, size, "%.26s%s%s, from %s", label, *codec ? " " : "", codec,
             clv_show_rate(s->from_bytes_per_s).s);
}

static void show_sweep(const clv_plan_report *r, const clv_chart_line *lines, size_t n,
                       clv_buf *out)
{
    CLV_AUTO(clv_free) clv_chart_mark *marks = clv_alloc_array(r->n_spans, sizeof *marks);
    CLV_AUTO(clv_free) clv_unit_text *texts = clv_alloc_array(r->n_spans, sizeof *texts);
    size_t n_marks = 0;
    for (size_t i = 1; i < r->n_spans; i++, n_marks++) {
        texts[n_marks] = clv_show_rate(r->spans[i].from_bytes_per_s);
        marks[n_marks] = (clv_chart_mark){r->spans[i].from_bytes_per_s * 8 / 1e6, texts[n_marks].s};
    }
    const clv_plan_devices *d = r->devices;
    char subtitle[420];
    snprintf(subtitle, sizeof subtitle, "least %s; round trip %s; %.40s: %.60s, %.40s: %.60s",
             clv_plan_objective_show(&problem_of(r)->objective).s,
             clv_show_duration(d->tables->links[0].rtt_us).s, problem_of(r)->devices[0].name,
             d->files.profiles[0]->engine, problem_of(r)->devices[1].name,
             d->files.profiles[1]->engine);
    clv_chart_axes axes = {.x_title = "rate of the link, Mbit/s",
                           .y_title =
                               of_energy(r) ? "predicted energy, mJ" : "predicted latency, ms",
                           .marks = marks,
                           .n_marks = n_marks};
    clv_chart_lines(out, &(clv_chart_text){d->files.profiles[0]->model, subtitle}, &axes, lines, n);
}

void clv_plan_report_svg_sweep(const clv_plan_report *r, clv_buf *out)
{
    CLV_AUTO(clv_free) curve *curves = clv_alloc_array(CURVES_MAX + 1, sizeof *curves);
    clv_chart_line lines[CURVES_MAX + 1] = {0};
    char names[CURVES_MAX + 1][96] = {"the best"};
    size_t n = 1;
    lines[0] = (clv_chart_line){.name = names[0],
                                .x = curves[0].x,
                                .y = curves[0].y,
                                .n = fill_curve(r, NULL, &curves[0]),
                                .strong = true};
    for (size_t i = 0; i < r->n_spans && n <= CURVES_MAX; i++) {
        if (r->spans[i].cut == CLV_PLAN_NO_CUT || seen_before(r, i)) continue;
        name_span(r, &r->spans[i], names[n], sizeof names[n]);
        lines[n] = (clv_chart_line){.name = names[n],
                                    .x = curves[n].x,
                                    .y = curves[n].y,
                                    .n = fill_curve(r, &r->spans[i], &curves[n]),
                                    .kind = (int)n};
        n++;
    }
    show_sweep(r, lines, n, out);
}

/* The candidates that the figure shows, by their cuts. */
static int by_cut(const void *a, const void *b)
{
    const clv_plan_candidate *const *x = a, *const *y = b;
    return (*x)->chain.cut[0] - (*y)->chain.cut[0];
}

static bool is_plan(const clv_plan_report *r, const clv_plan_candidate *c)
{
    bool local = (size_t)c->chain.cut[0] + 1 == problem_of(r)->cuts->n;
    return c->chain.cut[0] == r->plan.chain.cut[0] &&
           (local || c->chain.codec[0] == r->plan.chain.codec[0]);
}

/* Of cuts after equally many units the best, as each unit of a chain has one; when these are too many,
 * the best of them, and always the plan and both ends. */
static size_t choose_bars(const clv_plan_report *r, const clv_plan_candidate **bars)
{
    const clv_plan_problem *p = problem_of(r);
    CLV_AUTO(clv_free) bool *taken = clv_alloc_array(p->graph->n_units + 1, sizeof *taken);
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < r->n_candidates; i++) { /* the best first */
            const clv_plan_candidate *c = &r->candidates[i];
            const clv_cut *cut = &p->cuts->items[c->chain.cut[0]];
            bool must = cut->n_units == 0 || cut->n_units == p->graph->n_units || is_plan(r, c);
            if (must != (pass == 0) || taken[cut->n_units] || n == BARS_MAX) continue;
            taken[cut->n_units] = true;
            bars[n++] = c;
        }
    qsort(bars, n, sizeof *bars, by_cut);
    return n;
}

enum { PARTS = 4 };
typedef struct bar_values {
    double us[PARTS][BARS_MAX], joules[PARTS][BARS_MAX];
    char *labels[BARS_MAX];
} bar_values;

static void fill_bar(const clv_plan_report *r, const clv_plan_candidate *c, bar_values *v, size_t i)
{
    clv_plan_parts parts = clv_plan_parts_of(problem_of(r), &c->chain);
    v->us[0][i] = parts.edge_us / 1e3;
    v->us[1][i] = (parts.link_us + parts.overhead_us) / 1e3;
    v->us[2][i] = parts.cloud_us / 1e3;
    v->us[3][i] = (parts.queue_us + parts.coding_us) / 1e3;
    v->joules[0][i] = parts.edge_j * 1e3;
    v->joules[1][i] = parts.link_j * 1e3;
    v->joules[2][i] = parts.cloud_j * 1e3;
    CLV_AUTO(clv_text_free) char *label = clv_plan_report_label(r, c->chain.cut[0]);
    v->labels[i] = clv_strndup(label, strnlen(label, LABEL_SHOWN));
}

static void show_bars(const clv_plan_report *r, const bar_values *v, size_t n, size_t marked,
                      clv_buf *out)
{
    const clv_plan_problem *p = problem_of(r);
    const char *const kinds[PARTS] = {p->devices[0].name, "link", p->devices[1].name,
                                      "waits and coding"};
    const double *us[PARTS], *joules[PARTS];
    bool waits = false;
    for (size_t s = 0; s < PARTS; s++) {
        us[s] = v->us[s];
        joules[s] = v->joules[s];
    }
    for (size_t i = 0; i < n; i++) waits |= v->us[3][i] > 0;
    const clv_chart_panel panels[] = {{.title = "Latency",
                                       .unit = "ms",
                                       .stacks = us,
                                       .n_stacks = waits ? PARTS : 3,
                                       .kind_names = kinds,
                                       .n_kinds = waits ? PARTS : 3,
                                       .marked = marked,
                                       .marked_text = "the plan"},
                                      {.title = "Energy",
                                       .unit = "mJ",
                                       .stacks = joules,
                                       .n_stacks = 3,
                                       .kind_names = kinds,
                                       .n_kinds = 3,
                                       .marked = marked,
                                       .marked_text = "the plan"}};
    const clv_link *l = &r->devices->tables->links[0];
    char subtitle[240];
    snprintf(subtitle, sizeof subtitle, "cut after each unit; least %s; link %s, round trip %s",
             clv_plan_objective_show(&p->objective).s,
             l->up ? clv_show_rate(l->up_bytes_per_s).s : "down", clv_show_duration(l->rtt_us).s);
    clv_chart_bars(out, &(clv_chart_text){r->devices->files.profiles[0]->model, subtitle},
                   (const char *const *)v->labels, n, panels, clv_plan_report_has_watts(r) ? 2 : 1);
}

void clv_plan_report_svg_cuts(const clv_plan_report *r, clv_buf *out)
{
    const clv_plan_candidate *bars[BARS_MAX];
    CLV_AUTO(clv_free) bar_values *v = clv_alloc(sizeof *v);
    size_t n = choose_bars(r, bars), marked = 0;
    for (size_t i = 0; i < n; i++) {
        fill_bar(r, bars[i], v, i);
        if (is_plan(r, bars[i])) marked = i + 1;
    }
    show_bars(r, v, n, marked, out);
    for (size_t i = 0; i < n; i++) free(v->labels[i]);
}
