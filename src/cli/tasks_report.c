#include "cli/tasks_report.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/stats.h"
#include "base/unit.h"
#include "cli/table.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* The good ones of a model under a plan (NULL: any). */
typedef struct group {
    int model; /* -1: all */
    const char *plan;
    size_t n, recovered;
    double p50_us, p95_us, p99_us, mean_us;
    double energy_j, price; /* of all its requests */
} group;

static bool in_group(const clv_tasks_report *r, size_t i, const group *g)
{
    return r->results[i].status == CLV_OK &&
           (g->model < 0 || r->work->tasks[i].model == g->model) &&
           (!g->plan || strcmp(r->results[i].plan, g->plan) == 0);
}

static group measure(const clv_tasks_report *r, int model, const char *plan)
{
    group g = {.model = model, .plan = plan};
    CLV_AUTO(clv_free) double *us = clv_alloc_array(r->n, sizeof *us);
    for (size_t i = 0; i < r->n; i++) {
        if (!in_group(r, i, &g)) continue;
        us[g.n++] = (double)r->results[i].timing.total_us;
        g.recovered += r->results[i].recovered;
        g.energy_j += r->results[i].energy.total_j;
        g.price += r->results[i].energy.price;
    }
    g.mean_us = clv_mean(us, g.n);
    g.p50_us = clv_quantile(us, g.n, 0.50);
    g.p95_us = clv_quantile(us, g.n, 0.95);
    g.p99_us = clv_quantile(us, g.n, 0.99);
    return g;
}

/* Every pair of model and plan that was used, by model, in order of first use. Returns their number. */
static size_t plans_used(const clv_tasks_report *r, group **out)
{
    group *groups = NULL;
    size_t n = 0, cap = 0;
    for (size_t m = 0; m < r->work->n_models; m++)
        for (size_t i = 0; i < r->n; i++) {
            if (r->work->tasks[i].model != (int)m || r->results[i].status) continue;
            size_t k = 0;
            while (k < n &&
                   (groups[k].model != (int)m || strcmp(groups[k].plan, r->results[i].plan) != 0))
                k++;
            if (k < n) continue;
            clv_grow(&groups, &cap, n + 1, sizeof *groups);
            groups[n++] = measure(r, (int)m, r->results[i].plan);
        }
    *out = groups;
    return n;
}

typedef struct totals {
    size_t failed, recovered, mismatches;
    double per_s;
} totals;

static totals count(const clv_tasks_report *r)
{
    totals t = {0};
    for (size_t i = 0; i < r->n; i++) {
        t.failed += r->results[i].status != CLV_OK;
        t.recovered += r->results[i].recovered;
        t.mismatches += r->results[i].mismatch;
    }
    t.per_s = r->took_us > 0 ? (double)(r->n - t.failed) * 1e6 / (double)r->took_us : 0;
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
    add_energy(doc, r, g);
    if (g->model >= 0) json_object_set_new(doc, "model", json_string(r->work->models[g->model]));
    if (g->plan) json_object_set_new(doc, "plan", json_string(g->plan));
    return doc;
}

static void print_json(FILE *out, const clv_tasks_report *r, const group *groups, size_t n_groups)
{
    totals t = count(r);
    group all = measure(r, -1, NULL);
    json_t *doc = group_json(r, &all), *plans = json_array();
    json_object_set_new(doc, "count", json_integer((json_int_t)r->n));
    json_object_set_new(doc, "failed", json_integer((json_int_t)t.failed));
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
    static const clv_column columns[] = {{"network", CLV_LEFT},   {"plan", CLV_LEFT},
                                         {"requests", CLV_RIGHT}, {"recovered", CLV_RIGHT},
                                         {"p50", CLV_RIGHT},      {"p95", CLV_RIGHT},
                                         {"p99", CLV_RIGHT},      {"energy", CLV_RIGHT}};
    clv_table *table = clv_table_new(columns, CLV_COUNT(columns) - !has_energy(r));
    group all = measure(r, -1, NULL);
    for (size_t i = 0; i <= n_groups; i++) {
        const group *g = i < n_groups ? &groups[i] : &all;
        clv_table_cell(table, "%s", g->model >= 0 ? r->work->models[g->model] : "all");
        clv_table_cell(table, "%s", g->plan ? g->plan : "");
        clv_table_cell(table, "%zu", g->n);
        clv_table_cell(table, "%zu", g->recovered);
        clv_table_cell(table, "%s", clv_show_duration(g->p50_us).s);
        clv_table_cell(table, "%s", clv_show_duration(g->p95_us).s);
        clv_table_cell(table, "%s", clv_show_duration(g->p99_us).s);
        if (has_energy(r))
            clv_table_cell(table, "%s", clv_show_energy(g->n ? g->energy_j / (double)g->n : 0).s);
    }
    clv_table_print(table, out);
    clv_table_free(table);
    totals t = count(r);
    fprintf(out,
            "\n%zu requests in %s: %.1f per second, %zu failed, %zu finished here after the peer "
            "was lost",
            r->n, clv_show_duration((double)r->took_us).s, t.per_s, t.failed, t.recovered);
    if (t.mismatches) fprintf(out, ", %zu with a wrong output", t.mismatches);
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

clv_status clv_tasks_write_trace(const char *path, const clv_tasks_report *r, uint64_t seed,
                                 clv_error *err)
{
    clv_buf text = {0};
    clv_buf_printf(&text, "{\"cleave_trace\": %d, \"seed\": %llu}\n", CLV_TRACE_SCHEMA,
                   (unsigned long long)seed);
    for (size_t i = 0; i < r->n; i++) {
        const clv_task *task = &r->work->tasks[i];
        const clv_task_result *result = &r->results[i];
        json_t *line =
            json_pack("{s:I, s:s, s:i, s:I, s:I, s:s, s:s, s:b}", "t_us", (json_int_t)task->at_us,
                      "model", r->work->models[task->model], "input", task->input, "sent_us",
                      (json_int_t)result->at_us, "latency_us", (json_int_t)result->timing.total_us,
                      "plan", result->plan, "status", clv_status_text(result->status), "recovered",
                      (int)result->recovered);
        char *dump = json_dumps(line, JSON_COMPACT);
        clv_buf_printf(&text, "%s\n", dump);
        free(dump);
        json_decref(line);
    }
    clv_status status = clv_file_write(path, text.data, text.len, err);
    clv_buf_done(&text);
    return status;
}
