#include "cli/demo_report.h"

#include "base/mem.h"
#include "base/unit.h"
#include "cli/table.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

void clv_demo_rows_add(clv_demo_rows *rows, const clv_demo_row *row)
{
    clv_grow(&rows->items, &rows->cap, rows->n + 1, sizeof *rows->items);
    rows->items[rows->n++] = *row;
}

void clv_demo_rows_done(clv_demo_rows *rows)
{
    free(rows->items);
    *rows = (clv_demo_rows){0};
}

/* The numbers of a row: JSON key and field. */
typedef struct number {
    const char *key;
    size_t offset;
    bool optional; /* 0: not known, left out */
} number;

static const number numbers[] = {
    {"p50_us", offsetof(clv_demo_row, p50_us), false},
    {"floor_us", offsetof(clv_demo_row, floor_us), false},
    {"wire_floor_us", offsetof(clv_demo_row, wire_floor_us), false},
    {"local_us", offsetof(clv_demo_row, local_us), false},
    {"cloud_us", offsetof(clv_demo_row, cloud_us), false},
    {"best_cut_us", offsetof(clv_demo_row, best_cut_us), false},
    {"predicted_us", offsetof(clv_demo_row, predicted_us), false},
    {"regret", offsetof(clv_demo_row, regret), false},
    {"tensor_bytes", offsetof(clv_demo_row, tensor_bytes), true},
    {"coded_bytes", offsetof(clv_demo_row, coded_bytes), true},
    {"energy_j", offsetof(clv_demo_row, energy_j), true},
    {"local_energy_j", offsetof(clv_demo_row, local_energy_j), true},
    {"cloud_energy_j", offsetof(clv_demo_row, cloud_energy_j), true},
};

static json_t *contender_json(const clv_demo_contender *c)
{
    json_t *doc =
        json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:i, s:b}", "cut", c->label, "predicted_us",
                  c->predicted_us, "p50_us", c->p50_us, "sigma_us", c->sigma_us, "fps", c->fps,
                  "fps_sigma", c->fps_sigma, "n", c->n, "rival", (int)c->rival);
    if (c->energy_j > 0) json_object_set_new(doc, "energy_j", json_real(c->energy_j));
    return doc;
}

static json_t *choice_json(const clv_demo_choice *c)
{
    return json_pack("{s:s, s:i, s:f}", "policy", c->policy, "contender", c->contender,
                     "believed_us", c->believed_us);
}

static json_t *row_json(const clv_demo_row *row)
{
    json_t *doc = json_pack("{s:s, s:s, s:s, s:s, s:i}", "network", row->network, "link", row->link,
                            "plan", row->plan, "best_cut", row->best_cut, "rounds", row->rounds);
    for (size_t i = 0; i < CLV_COUNT(numbers); i++) {
        double value;
        memcpy(&value, (const char *)row + numbers[i].offset, sizeof value);
        if (numbers[i].optional && value == 0) continue;
        json_object_set_new(doc, numbers[i].key, json_real(value));
    }
    json_t *contenders = json_array(), *choices = json_array();
    for (size_t i = 0; i < row->n_contenders; i++)
        json_array_append_new(contenders, contender_json(&row->contenders[i]));
    for (size_t i = 0; i < row->n_choices; i++)
        json_array_append_new(choices, choice_json(&row->choices[i]));
    json_object_set_new(doc, "contenders", contenders);
    json_object_set_new(doc, "choices", choices);
    return doc;
}

char *clv_demo_row_json(const clv_demo_row *row)
{
    json_t *doc = row_json(row);
    char *text = json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(doc);
    return text;
}

static void copy_text(char *to, size_t size, json_t *doc, const char *key)
{
    const char *text = json_string_value(json_object_get(doc, key));
    snprintf(to, size, "%s", text ? text : "");
}

static double number_of(json_t *doc, const char *key)
{
    return json_number_value(json_object_get(doc, key));
}

static void parse_contenders(json_t *list, clv_demo_row *row)
{
    size_t n = CLV_MIN(json_array_size(list), (size_t)CLV_DEMO_CONTENDERS_MAX);
    for (size_t i = 0; i < n; i++) {
        json_t *item = json_array_get(list, i);
        clv_demo_contender *c = &row->contenders[row->n_contenders++];
        *c = (clv_demo_contender){.predicted_us = number_of(item, "predicted_us"),
                                  .p50_us = number_of(item, "p50_us"),
                                  .sigma_us = number_of(item, "sigma_us"),
                                  .fps = number_of(item, "fps"),
                                  .fps_sigma = number_of(item, "fps_sigma"),
                                  .energy_j = number_of(item, "energy_j"),
                                  .n = (int)json_integer_value(json_object_get(item, "n")),
                                  .rival = json_is_true(json_object_get(item, "rival"))};
        copy_text(c->label, sizeof c->label, item, "cut");
    }
}

/* A choice of a contender that there is not is dropped. */
static void parse_choices(json_t *list, clv_demo_row *row)
{
    for (size_t i = 0; i < json_array_size(list) && row->n_choices < CLV_DEMO_CHOICES_MAX; i++) {
        json_t *item = json_array_get(list, i);
        json_int_t contender = json_integer_value(json_object_get(item, "contender"));
        if (contender < 0 || contender >= (json_int_t)row->n_contenders) continue;
        clv_demo_choice *c = &row->choices[row->n_choices++];
        *c = (clv_demo_choice){.contender = (int)contender,
                               .believed_us = number_of(item, "believed_us")};
        copy_text(c->policy, sizeof c->policy, item, "policy");
    }
}

clv_status clv_demo_row_parse(const char *line, clv_demo_row *row, clv_error *err)
{
    json_error_t where;
    json_t *doc = json_loads(line, 0, &where);
    if (!doc)
        return clv_fail(err, CLV_EPROTO, "the edge's half printed '%.100s', which is no row: %s",
                        line, where.text);
    *row = (clv_demo_row){.rounds = (int)json_integer_value(json_object_get(doc, "rounds"))};
    copy_text(row->network, sizeof row->network, doc, "network");
    copy_text(row->link, sizeof row->link, doc, "link");
    copy_text(row->plan, sizeof row->plan, doc, "plan");
    copy_text(row->best_cut, sizeof row->best_cut, doc, "best_cut");
    for (size_t i = 0; i < CLV_COUNT(numbers); i++) {
        double value = number_of(doc, numbers[i].key);
        memcpy((char *)row + numbers[i].offset, &value, sizeof value);
    }
    parse_contenders(json_object_get(doc, "contenders"), row);
    parse_choices(json_object_get(doc, "choices"), row);
    json_decref(doc);
    if (row->network[0] && row->link[0]) return CLV_OK;
    return clv_fail(err, CLV_EPROTO, "the edge's half printed '%.100s', which is no row", line);
}

/* The last two are there where there is something to say. */
enum { ENERGY_COLUMN = 11, SENT_COLUMN = 12 };

static void show_sent(clv_table *t, const clv_demo_row *r)
{
    if (r->tensor_bytes > 0)
        clv_table_cell(t, "%s of %s", clv_show_size(r->coded_bytes).s,
                       clv_show_size(r->tensor_bytes).s);
    else
        clv_table_cell(t, "%s", "");
}

static void print_table(FILE *out, const clv_demo_rows *rows)
{
    static const clv_column columns[] = {
        {"network", CLV_LEFT},      {"link", CLV_LEFT},          {"plan", CLV_LEFT},
        {"p50", CLV_RIGHT},         {"floor", CLV_RIGHT},        {"p50/floor", CLV_RIGHT},
        {"all on edge", CLV_RIGHT}, {"all on cloud", CLV_RIGHT}, {"best cut", CLV_RIGHT},
        {"regret", CLV_RIGHT},      {"faster", CLV_RIGHT},       {"energy", CLV_RIGHT},
        {"sent", CLV_RIGHT}};
    bool energy = false, coded = false;
    for (size_t i = 0; i < rows->n; i++) energy |= rows->items[i].energy_j > 0;
    for (size_t i = 0; i < rows->n; i++)
        coded |= rows->items[i].coded_bytes < rows->items[i].tensor_bytes;
    clv_column shown[CLV_COUNT(columns)];
    size_t n = 0;
    for (size_t i = 0; i < CLV_COUNT(columns); i++)
        if (!(i == ENERGY_COLUMN && !energy) && !(i == SENT_COLUMN && !coded))
            shown[n++] = columns[i];
    clv_table *t = clv_table_new(shown, n);
    for (size_t i = 0; i < rows->n; i++) {
        const clv_demo_row *r = &rows->items[i];
        double other = CLV_MIN(r->local_us, r->cloud_us);
        clv_table_cell(t, "%s", r->network);
        clv_table_cell(t, "%s", r->link);
        clv_table_cell(t, "%s", r->plan);
        clv_table_cell(t, "%s", clv_show_duration(r->p50_us).s);
        clv_table_cell(t, "%s", clv_show_duration(r->floor_us).s);
        clv_table_cell(t, "%.2f", r->floor_us > 0 ? r->p50_us / r->floor_us : 0);
        clv_table_cell(t, "%s", clv_show_duration(r->local_us).s);
        clv_table_cell(t, "%s", clv_show_duration(r->cloud_us).s);
        clv_table_cell(t, "%s", clv_show_duration(r->best_cut_us).s);
        clv_table_cell(t, "%.1f %%", 100 * r->regret);
        clv_table_cell(t, "%.2fx", r->p50_us > 0 ? other / r->p50_us : 0);
        if (energy) clv_table_cell(t, "%s", clv_show_energy(r->energy_j).s);
        if (coded) show_sent(t, r);
    }
    clv_table_print(t, out);
    clv_table_free(t);
}

/* What a contender takes: under load a frame comes out every 1 / fps; what was not measured, as predicted. */
static double takes_us(const clv_demo_contender *c)
{
    return c->fps > 0 ? 1e6 / c->fps : c->n > 0 ? c->p50_us : c->predicted_us;
}

/* How much worse than the best that was measured. */
static double measured_regret(const clv_demo_row *row, const clv_demo_contender *c)
{
    double best = -1;
    for (size_t i = 0; i < row->n_contenders; i++) {
        const clv_demo_contender *k = &row->contenders[i];
        double us = takes_us(k);
        if (k->n > 0 && (k->rival || k->fps > 0) && (best < 0 || us < best)) best = us;
    }
    return best > 0 ? takes_us(c) / best - 1 : 0;
}

/* A line for each policy's choice. */
static void print_choices(FILE *out, const clv_demo_rows *rows)
{
    static const clv_column columns[] = {{"network", CLV_LEFT},    {"link", CLV_LEFT},
                                         {"policy", CLV_LEFT},     {"cut", CLV_LEFT},
                                         {"predicted", CLV_RIGHT}, {"p50", CLV_RIGHT},
                                         {"frames/s", CLV_RIGHT},  {"regret", CLV_RIGHT}};
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    for (size_t i = 0; i < rows->n; i++)
        for (size_t k = 0; k < rows->items[i].n_choices; k++) {
            const clv_demo_row *r = &rows->items[i];
            const clv_demo_contender *c = &r->contenders[r->choices[k].contender];
            clv_table_cell(t, "%s", r->network);
            clv_table_cell(t, "%s", r->link);
            clv_table_cell(t, "%s", r->choices[k].policy);
            clv_table_cell(t, "%s", c->label);
            clv_table_cell(t, "%s", clv_show_duration(c->predicted_us).s);
            clv_table_cell(t, "%s",
                           c->fps > 0  ? ""
                           : c->n == 0 ? "-"
                                       : clv_show_duration(c->p50_us).s);
            if (c->fps > 0)
                clv_table_cell(t, "%.2f", c->fps);
            else
                clv_table_cell(t, "%s", "");
            clv_table_cell(t, "%.1f %%", 100 * measured_regret(r, c));
        }
    clv_table_print(t, out);
    clv_table_free(t);
}

void clv_demo_print(FILE *out, const clv_demo_rows *rows, double slow, bool emulated, bool json)
{
    if (json) {
        json_t *list = json_array(), *doc = json_object();
        for (size_t i = 0; i < rows->n; i++) json_array_append_new(list, row_json(&rows->items[i]));
        json_object_set_new(doc, "slow", json_real(slow));
        json_object_set_new(doc, "emulated", json_boolean(emulated));
        if (rows->power[0]) json_object_set_new(doc, "power", json_string(rows->power));
        json_object_set_new(doc, "rows", list);
        json_dumpf(doc, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        fputc('\n', out);
        json_decref(doc);
        return;
    }
    if (rows->n == 0) return;
    if (rows->items[0].n_choices) {
        print_choices(out, rows);
        fprintf(out,
                "\nThe edge's device is %.3g times slower than the cloud's. Regret: against the "
                "best measured cut.\n",
                slow);
    } else {
        print_table(out, rows);
        fprintf(
            out,
            "\nThe edge's device is %.3g times slower than the cloud's. p50: measured, of the plan "
            "that cleave chose; floor: bare "
            "engine\ntime + bytes / rate + RTT; regret: against the best measured cut; faster: "
            "than the better of one side alone.\n",
            slow);
        if (rows->power[0])
            fprintf(out,
                    "energy: of one request on the edge and its radio, from measured times and "
                    "%s.\n",
                    rows->power);
    }
    if (!emulated)
        fputs("No namespaces here: this ran on plain loopback, whatever the link column says.\n",
              out);
}
