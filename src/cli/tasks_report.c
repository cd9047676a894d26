#include "cli/tasks_report.h"

#include "base/mem.h"
#include "base/stats.h"
#include "base/unit.h"
#include "cli/table.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* The good ones of a model under a plan (-1: any). */
typedef struct group {
    int model, plan;
    size_t n, recovered;
    double p50_us, p95_us, p99_us, mean_us;
    double energy_j, price;                                 /* of all its requests */
    double tensor_bytes, coded_bytes, up_bytes, down_bytes; /* means */
} group;

static bool in_group(const clv_run_request *r, const group *g)
{
    return r->ended && r->status == CLV_OK && (g->model < 0 || r->model == g->model) &&
           (g->plan < 0 || r->plan == g->plan);
}

static group measure(const clv_tasks_report *report, int model, int plan)
{
    const clv_run *t = report->run;
    group g = {.model = model, .plan = plan};
    CLV_AUTO(clv_free) double *us = clv_alloc_array(t->n_requests, sizeof *us);
    for (size_t i = 0; i < t->n_requests; i++) {
        const clv_run_request *r = &t->requests[i];
        if (!in_group(r, &g)) continue;
        us[g.n++] = (double)r->timing.total_us;
        g.recovered += r->recovered;
        g.energy_j += r->energy_j;
        g.price += r->price;
        g.tensor_bytes += (double)r->tensor_bytes;
        g.coded_bytes += (double)r->coded_bytes;
        g.up_bytes += (double)r->up_bytes;
        g.down_bytes += (double)r->down_bytes;
    }
    double *const sums[] = {&g.tensor_bytes, &g.coded_bytes, &g.up_bytes, &g.down_bytes};
    for (size_t i = 0; i < CLV_COUNT(sums); i++) *sums[i] /= g.n ? (double)g.n : 1;
    g.mean_us = clv_mean(us, g.n);
    g.p50_us = clv_quantile(us, g.n, 0.50);
    g.p95_us = clv_quantile(us, g.n, 0.95);
    g.p99_us = clv_quantile(us, g.n, 0.99);
    return g;
}

/* Every pair of model and plan that was used, by model, in order of first use. Returns their number. */
static size_t plans_used(const clv_tasks_report *report, group **out)
{
    const clv_run *t = report->run;
    size_t n = 0, n_plans = t->plans.n + 1; /* and none */
    CLV_AUTO(clv_free) bool *seen = clv_alloc_array(t->models.n * n_plans, sizeof *seen);
    group *groups = NULL;
    size_t cap = 0;
    for (size_t m = 0; m < t->models.n; m++)
        for (size_t i = 0; i < t->n_requests; i++) {
            const clv_run_request *r = &t->requests[i];
            if (!r->ended || r->model != (int)m || r->status || r->plan < 0) continue;
            bool *here = &seen[m * n_plans + (size_t)r->plan];
            if (*here) continue;
            *here = true;
            clv_grow(&groups, &cap, n + 1, sizeof *groups);
            groups[n++] = measure(report, (int)m, r->plan);
        }
    *out = groups;
    return n;
}

typedef struct totals {
    size_t n, failed, recovered, hedged, stayed, mismatches, switches;
    double per_s;
} totals;

static totals count(const clv_tasks_report *report)
{
    totals t = {0};
    for (size_t i = 0; i < report->run->n_requests; i++) {
        const clv_run_request *r = &report->run->requests[i];
        if (!r->ended) continue;
        t.n++;
        t.failed += r->status != CLV_OK;
        t.recovered += r->recovered;
        t.hedged += r->hedged;
        t.stayed += r->stayed;
        t.mismatches += r->mismatch;
    }
    t.switches = report->run->n_switches;
    for (size_t m = 0; m < report->run->models.n; m++) {
        size_t i = 0; /* the first plan of a model is no switch */
        while (i < report->run->n_switches && report->run->switches[i].model != (int)m) i++;
        t.switches -= i < report->run->n_switches;
    }
    t.per_s = report->took_us > 0 ? (double)(t.n - t.failed) * 1e6 / (double)report->took_us : 0;
    return t;
}

static bool has_energy(const clv_tasks_report *r)
{
    return r->rates && clv_energy_known(r->rates);
}

static bool has_price(const clv_tasks_report *r)
{
    return r->rates && clv_energy_priced(r->rates);
}

/* Means of one request. */
static void add_energy(json_t *doc, const clv_tasks_report *r, const group *g)
{
    double n = g->n ? (double)g->n : 1;
    if (has_energy(r)) json_object_set_new(doc, "energy_j", json_real(g->energy_j / n));
    if (has_price(r)) json_object_set_new(doc, "price", json_real(g->price / n));
}

static void add_energy_totals(json_t *doc, const clv_tasks_report *r, const group *all)
{
    if (has_energy(r)) {
        json_object_set_new(doc, "total_energy_j", json_real(all->energy_j));
        json_object_set_new(doc, "power",
                            json_pack("{s:s, s:s, s:s}", "edge",
                                      clv_power_source_name(r->rates->edge.source), "radio",
                                      clv_power_source_name(r->rates->radio.source), "cloud",
                                      clv_power_source_name(r->rates->cloud.source)));
    }
    if (has_price(r)) json_object_set_new(doc, "total_price", json_real(all->price));
}

static json_t *group_json(const clv_tasks_report *r, const group *g)
{
    json_t *doc = json_pack("{s:I, s:I, s:f, s:f, s:f, s:f}", "count", (json_int_t)g->n,
                            "recovered", (json_int_t)g->recovered, "mean_us", g->mean_us, "p50_us",
                            g->p50_us, "p95_us", g->p95_us, "p99_us", g->p99_us);
    json_object_set_new(doc, "tensor_bytes", json_real(g->tensor_bytes));
    json_object_set_new(doc, "coded_bytes", json_real(g->coded_bytes));
    json_object_set_new(doc, "up_bytes", json_real(g->up_bytes));
    json_object_set_new(doc, "down_bytes", json_real(g->down_bytes));
    add_energy(doc, r, g);
    if (g->model >= 0)
        json_object_set_new(doc, "model", json_string(r->run->models.items[g->model]));
    if (g->plan >= 0) json_object_set_new(doc, "plan", json_string(r->run->plans.items[g->plan]));
    return doc;
}

static void print_json(FILE *out, const clv_tasks_report *r, const group *groups, size_t n_groups)
{
    totals t = count(r);
    group all = measure(r, -1, -1);
    json_t *doc = group_json(r, &all), *plans = json_array();
    json_object_set_new(doc, "count", json_integer((json_int_t)t.n));
    json_object_set_new(doc, "failed", json_integer((json_int_t)t.failed));
    json_object_set_new(doc, "hedged", json_integer((json_int_t)t.hedged));
    json_object_set_new(doc, "stayed", json_integer((json_int_t)t.stayed));
    json_object_set_new(doc, "twice", json_integer((json_int_t)r->twice));
    json_object_set_new(doc, "unanswered", json_integer((json_int_t)r->unanswered));
    json_object_set_new(doc, "switches", json_integer((json_int_t)t.switches));
    json_object_set_new(doc, "mismatches", json_integer((json_int_t)t.mismatches));
    json_object_set_new(doc, "throughput_per_s", json_real(t.per_s));
    json_object_set_new(doc, "took_us", json_integer(r->took_us));
    add_energy_totals(doc, r, &all);
    for (size_t i = 0; i < n_groups; i++) json_array_append_new(plans, group_json(r, &groups[i]));
    json_object_set_new(doc, "plans", plans);
    json_dumpf(doc, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    fputc('\n', out);
    json_decref(doc);
}

static void print_energy(FILE *out, const clv_tasks_report *r, const group *all)
{
    double n = all->n ? (double)all->n : 1;
    if (has_energy(r))
        fprintf(out,
                "Energy %s in all, %s for a request, from measured times and the watts of the edge "
                "(%s), the radio (%s) and the cloud (%s).\n",
                clv_show_energy(all->energy_j).s, clv_show_energy(all->energy_j / n).s,
                clv_power_source_name(r->rates->edge.source),
                clv_power_source_name(r->rates->radio.source),
                clv_power_source_name(r->rates->cloud.source));
    if (has_price(r))
        fprintf(out, "Price %.3g in all, %.3g for a request.\n", all->price, all->price / n);
}

static void print_table(FILE *out, const clv_tasks_report *r, const group *groups, size_t n_groups)
{
    static const clv_column columns[] = {
        {"network", CLV_LEFT},    {"plan", CLV_LEFT},     {"requests", CLV_RIGHT},
        {"recovered", CLV_RIGHT}, {"p50", CLV_RIGHT},     {"p95", CLV_RIGHT},
        {"p99", CLV_RIGHT},       {"tensors", CLV_RIGHT}, {"written", CLV_RIGHT},
        {"sent", CLV_RIGHT},      {"energy", CLV_RIGHT}};
    clv_table *table = clv_table_new(columns, CLV_COUNT(columns) - !has_energy(r));
    group all = measure(r, -1, -1);
    for (size_t i = 0; i <= n_groups; i++) {
        const group *g = i < n_groups ? &groups[i] : &all;
        clv_table_cell(table, "%s", g->model >= 0 ? r->run->models.items[g->model] : "all");
        clv_table_cell(table, "%s", g->plan >= 0 ? r->run->plans.items[g->plan] : "");
        clv_table_cell(table, "%zu", g->n);
        clv_table_cell(table, "%zu", g->recovered);
        clv_table_cell(table, "%s", clv_show_duration(g->p50_us).s);
        clv_table_cell(table, "%s", clv_show_duration(g->p95_us).s);
        clv_table_cell(table, "%s", clv_show_duration(g->p99_us).s);
        const double bytes[] = {g->tensor_bytes, g->coded_bytes, g->up_bytes};
        for (size_t k = 0; k < CLV_COUNT(bytes); k++)
            clv_table_cell(table, "%s", bytes[k] > 0 ? clv_show_size(bytes[k]).s : "");
        if (has_energy(r))
            clv_table_cell(table, "%s", clv_show_energy(g->n ? g->energy_j / (double)g->n : 0).s);
    }
    clv_table_print(table, out);
    clv_table_free(table);
    totals t = count(r);
    fprintf(out,
            "\n%zu requests in %s: %.1f per second, %zu failed, %zu finished here after the peer "
            "was lost",
            t.n, clv_show_duration((double)r->took_us).s, t.per_s, t.failed, t.recovered);
    if (t.hedged) fprintf(out, ", %zu hedged", t.hedged);
    if (t.stayed) fprintf(out, ", %zu went on here at the cut", t.stayed);
    if (t.switches)
        fprintf(out, ", the plan changed %zu time%s", t.switches, t.switches > 1 ? "s" : "");
    if (t.mismatches) fprintf(out, ", %zu with a wrong output", t.mismatches);
    if (r->twice) fprintf(out, ", %zu ANSWERED TWICE", r->twice);
    if (r->unanswered) fprintf(out, ", %zu not answered", r->unanswered);
    fputs(".\n", out);
    print_energy(out, r, &all);
}

void clv_tasks_print(FILE *out, const clv_tasks_report *report, bool json)
{
    group *groups;
    size_t n = plans_used(report, &groups);
    if (json)
        print_json(out, report, groups, n);
    else
        print_table(out, report, groups, n);
    free(groups);
}
