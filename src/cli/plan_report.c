#include "cli/plan_report.h"

#include "base/unit.h"
#include "cli/chart.h"
#include "cli/table.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RUNNERS_UP = 6, CURVE_POINTS = 60, CURVES_MAX = 12 };

void clv_plan_report_done(clv_plan_report *r)
{
    clv_plan_problem_done(&r->problem);
    clv_profile_free(r->edge);
    clv_profile_free(r->cloud);
    free(r->ranked);
    free(r->spans);
    *r = (clv_plan_report){0};
}

static const char *label(const clv_plan_report *r, size_t cut)
{
    return r->problem.cuts[cut].label;
}

static double share(double part_us, const clv_plan_cost *c)
{
    return c->latency_us > 0 && isfinite(c->latency_us) ? 100 * part_us / c->latency_us : 0;
}

static void print_ranked(const clv_plan_report *r, FILE *out)
{
    static const clv_column columns[] = {
        {"", CLV_LEFT},       {"cut", CLV_RIGHT},   {"after", CLV_LEFT},
        {"sends", CLV_RIGHT}, {"edge", CLV_RIGHT},  {"link", CLV_RIGHT},
        {"cloud", CLV_RIGHT}, {"total", CLV_RIGHT}, {"slower", CLV_RIGHT}};
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    for (size_t i = 0, shown = 0; i < r->problem.n_cuts; i++) {
        const clv_plan_cost *c = &r->ranked[i];
        bool mine = c->cut == r->plan.cut, end = c->cut == 0 || c->cut + 1 == r->problem.n_cuts;
        if (!isfinite(c->latency_us) || (++shown > RUNNERS_UP && !mine && !end)) continue;
        clv_table_cell(t, "%s", mine ? "*" : "");
        clv_table_cell(t, "%d", r->problem.cuts[c->cut].edge_index);
        clv_table_cell(t, "%s", label(r, c->cut));
        clv_table_cell(t, "%s", clv_show_size((double)r->problem.cuts[c->cut].up_bytes).s);
        clv_table_cell(t, "%s", clv_show_duration(c->edge_us).s);
        clv_table_cell(t, "%s", clv_show_duration(c->link_us).s);
        clv_table_cell(t, "%s", clv_show_duration(c->cloud_us).s);
        clv_table_cell(t, "%s", clv_show_duration(c->latency_us).s);
        clv_table_cell(t, "%+.1f %%", 100 * (c->latency_us / r->ranked[0].latency_us - 1));
    }
    clv_table_print(t, out);
    clv_table_free(t);
}

static void print_sweep(const clv_plan_report *r, FILE *out)
{
    static const clv_column columns[] = {{"from", CLV_RIGHT},       {"to", CLV_RIGHT},
                                         {"cut", CLV_RIGHT},        {"after", CLV_LEFT},
                                         {"takes from", CLV_RIGHT}, {"to", CLV_RIGHT}};
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    for (size_t i = 0; i < r->n_spans; i++) {
        const clv_plan_span *s = &r->spans[i];
        clv_table_cell(t, "%s", clv_show_rate(s->from_bytes_per_s).s);
        clv_table_cell(t, "%s", clv_show_rate(s->to_bytes_per_s).s);
        clv_table_cell(t, "%d", r->problem.cuts[s->cut].edge_index);
        clv_table_cell(t, "%s", label(r, s->cut));
        clv_table_cell(t, "%s", clv_show_duration(s->from_us).s);
        clv_table_cell(t, "%s", clv_show_duration(s->to_us).s);
    }
    fputs("\nthe best cut at every rate\n", out);
    clv_table_print(t, out);
    clv_table_free(t);
}

static void print_parts(const clv_plan_report *r, FILE *out)
{
    static const clv_column columns[] = {
        {"part", CLV_LEFT}, {"time", CLV_RIGHT}, {"share", CLV_RIGHT}};
    const clv_plan_cost *c = &r->plan.cost;
    const struct {
        const char *name;
        double us;
        bool always;
    } parts[] = {{"edge", c->edge_us, true},
                 {"link", c->link_us, true},
                 {"cloud", c->cloud_us, true},
                 {"queues", c->queue_us, false},
                 {"overhead", c->overhead_us, false}};
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    for (size_t i = 0; i < CLV_COUNT(parts); i++) {
        if (!parts[i].always && parts[i].us <= 0) continue;
        clv_table_cell(t, "%s", parts[i].name);
        clv_table_cell(t, "%s", clv_show_duration(parts[i].us).s);
        clv_table_cell(t, "%.0f %%", share(parts[i].us, c));
    }
    clv_table_print(t, out);
    clv_table_free(t);
}

void clv_plan_report_print(const clv_plan_report *r, FILE *out)
{
    const clv_plan_cut *cut = &r->problem.cuts[r->plan.cut];
    fprintf(out, "%s, policy %s: cut %d, %s%s, %s\n%s\n\n", r->edge->model,
            clv_policy_name(r->plan.policy), cut->edge_index,
            r->plan.cut == 0 || r->plan.cut + 1 == r->problem.n_cuts ? "at the " : "after ",
            cut->label, clv_show_duration(r->plan.cost.latency_us).s, r->plan.why);
    print_parts(r, out);
    fputc('\n', out);
    print_ranked(r, out);
    if (r->spans) print_sweep(r, out);
}

static json_t *us_json(double us)
{
    return json_real(round(us * 1000) / 1000);
}

static json_t *text_json(const char *text)
{
    json_t *t = json_string(text);
    return t ? t : json_string("?");
}

static json_t *cost_json(const clv_plan_report *r, const clv_plan_cost *c)
{
    const clv_plan_cut *cut = &r->problem.cuts[c->cut];
    return json_pack("{s:i,s:o,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o}", "cut", cut->edge_index, "label",
                     text_json(cut->label), "up_bytes", (json_int_t)cut->up_bytes, "down_bytes",
                     (json_int_t)cut->down_bytes, "edge_us", us_json(c->edge_us), "link_us",
                     us_json(c->link_us), "queue_us", us_json(c->queue_us), "cloud_us",
                     us_json(c->cloud_us), "overhead_us", us_json(c->overhead_us), "latency_us",
                     us_json(c->latency_us));
}

static json_t *plan_json(const clv_plan_report *r)
{
    const clv_plan_cost *c = &r->plan.cost;
    json_t *plan = cost_json(r, c);
    json_object_set_new(plan, "policy", json_string(clv_policy_name(r->plan.policy)));
    json_object_set_new(plan, "edge_share", json_real(share(c->edge_us, c) / 100));
    json_object_set_new(plan, "link_share", json_real(share(c->link_us, c) / 100));
    json_object_set_new(plan, "cloud_share", json_real(share(c->cloud_us, c) / 100));
    json_object_set_new(plan, "why", text_json(r->plan.why));
    return plan;
}

static json_t *sweep_json(const clv_plan_report *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->n_spans; i++) {
        const clv_plan_span *s = &r->spans[i];
        json_array_append_new(
            list, json_pack("{s:i,s:o,s:f,s:f,s:o,s:o}", "cut", r->problem.cuts[s->cut].edge_index,
                            "label", text_json(label(r, s->cut)), "from_bytes_per_s",
                            s->from_bytes_per_s, "to_bytes_per_s", s->to_bytes_per_s, "from_us",
                            us_json(s->from_us), "to_us", us_json(s->to_us)));
    }
    return list;
}

void clv_plan_report_json(const clv_plan_report *r, FILE *out)
{
    const clv_link *l = &r->problem.link;
    json_t *root = json_object(), *candidates = json_array();
    json_object_set_new(root, "model", text_json(r->edge->model));
    json_object_set_new(root, "digest", json_string(r->edge->digest));
    json_object_set_new(root, "link",
                        json_pack("{s:b,s:f,s:f,s:f}", "up", l->up, "up_bytes_per_s",
                                  l->up_bytes_per_s, "down_bytes_per_s", l->down_bytes_per_s,
                                  "rtt_us", l->rtt_us));
    json_object_set_new(root, "plan", plan_json(r));
    for (size_t i = 0; i < r->problem.n_cuts; i++) /* without a link, only all-edge can be had */
        if (isfinite(r->ranked[i].latency_us))
            json_array_append_new(candidates, cost_json(r, &r->ranked[i]));
    json_object_set_new(root, "candidates", candidates);
    json_object_set_new(root, "planning_us", us_json(r->planning_us));
    if (r->spans) json_object_set_new(root, "sweep", sweep_json(r));
    json_dumpf(root, out, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
    fputc('\n', out);
    json_decref(root);
}

static void add_label(const clv_plan_report *r, size_t cut, clv_buf *out)
{
    clv_buf_printf(out, "%d,\"", r->problem.cuts[cut].edge_index);
    for (const char *p = label(r, cut); *p; p++) {
        if (*p == '"') clv_buf_char(out, '"');
        clv_buf_char(out, *p);
    }
    clv_buf_char(out, '"');
}

void clv_plan_report_csv(const clv_plan_report *r, clv_buf *out)
{
    if (r->spans) {
        clv_buf_text(out, "cut,label,from_bytes_per_s,to_bytes_per_s,from_us,to_us\n");
        for (size_t i = 0; i < r->n_spans; i++) {
            const clv_plan_span *s = &r->spans[i];
            add_label(r, s->cut, out);
            clv_buf_printf(out, ",%.3f,%.3f,%.3f,%.3f\n", s->from_bytes_per_s, s->to_bytes_per_s,
                           s->from_us, s->to_us);
        }
        return;
    }
    clv_buf_text(out, "cut,label,up_bytes,down_bytes,edge_us,link_us,queue_us,cloud_us,overhead_us,"
                      "latency_us\n");
    for (size_t i = 0; i < r->problem.n_cuts; i++) {
        const clv_plan_cost *c = &r->ranked[i];
        const clv_plan_cut *cut = &r->problem.cuts[c->cut];
        if (!isfinite(c->latency_us)) continue;
        add_label(r, c->cut, out);
        clv_buf_printf(out, ",%zu,%zu,%.3f,%.3f,%.3f,%.3f,%.3f,%.3f\n", cut->up_bytes,
                       cut->down_bytes, c->edge_us, c->link_us, c->queue_us, c->cloud_us,
                       c->overhead_us, c->latency_us);
    }
}

/* One curve: the rates in Mbit/s, the latencies in ms. */
typedef struct curve {
    double x[CURVE_POINTS], y[CURVE_POINTS];
} curve;

/* A cut's latency over all rates, or with `cut` == n_cuts that of the best. */
static void fill_curve(const clv_plan_report *r, size_t cut, curve *c)
{
    double lo = r->spans[0].from_bytes_per_s, hi = r->spans[r->n_spans - 1].to_bytes_per_s;
    clv_plan_problem p = r->problem;
    double down = p.link.down_bytes_per_s / p.link.up_bytes_per_s;
    for (int i = 0; i < CURVE_POINTS; i++) {
        double rate = lo * pow(hi / lo, (double)i / (CURVE_POINTS - 1));
        p.link.up_bytes_per_s = rate;
        p.link.down_bytes_per_s = rate * down;
        double us = (double)INFINITY;
        if (cut < p.n_cuts)
            us = clv_plan_cost_of(&p, cut).latency_us;
        else
            for (size_t k = 0; k < r->n_spans; k++)
                us = fmin(us, clv_plan_cost_of(&p, r->spans[k].cut).latency_us);
        c->x[i] = rate * 8 / 1e6;
        c->y[i] = fmax(us / 1000, 1e-3);
    }
}

void clv_plan_report_svg(const clv_plan_report *r, clv_buf *out)
{
    size_t shown = CLV_MIN(r->n_spans, (size_t)CURVES_MAX);
    CLV_AUTO(clv_free) curve *curves = clv_alloc_array(shown + 1, sizeof *curves);
    CLV_AUTO(clv_free) clv_chart_line *lines = clv_alloc_array(shown + 1, sizeof *lines);
    char names[CURVES_MAX][80], subtitle[200];
    fill_curve(r, r->problem.n_cuts, &curves[0]);
    lines[0] = (clv_chart_line){.name = "the best cut",
                                .x = curves[0].x,
                                .y = curves[0].y,
                                .n = CURVE_POINTS,
                                .strong = true};
    for (size_t i = 0; i < shown; i++) {
        const clv_plan_span *s = &r->spans[i];
        fill_curve(r, s->cut, &curves[i + 1]);
        snprintf(names[i], sizeof names[i], "%.26s, from %s", label(r, s->cut),
                 clv_show_rate(s->from_bytes_per_s).s);
        lines[i + 1] = (clv_chart_line){.name = names[i],
                                        .x = curves[i + 1].x,
                                        .y = curves[i + 1].y,
                                        .n = CURVE_POINTS,
                                        .kind = (int)i + 1};
    }
    snprintf(subtitle, sizeof subtitle, "round trip %s; edge %.60s, cloud %.60s",
             clv_show_duration(r->problem.link.rtt_us).s, r->edge->engine, r->cloud->engine);
    clv_chart_lines(out, &(clv_chart_text){r->edge->model, subtitle},
                    &(clv_chart_axes){"rate of the link, Mbit/s", "predicted latency, ms"}, lines,
                    shown + 1);
}
