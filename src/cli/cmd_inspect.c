/* cleave inspect: what a network is made of, and where it may be cut. */
#include "base/file.h"
#include "base/unit.h"
#include "cli/cli.h"
#include "cli/layer_study.h"
#include "cli/model_options.h"
#include "cli/table.h"
#include "engine/ort.h"
#include "measure/profiler.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { CUTS_SHOWN = 60 };

typedef struct inspect_options {
    const char *csv, *svg;
    bool json;
} inspect_options;

static const clv_opt inspect_opts[] = {
    CLV_OPT(inspect_options, csv, TEXT, "csv", NULL, .arg = "FILE",
            .help = "write one row a unit, '-' for standard output"),
    CLV_OPT(inspect_options, svg, TEXT, "svg", NULL, .arg = "FILE",
            .help = "write a chart of work and output size of each unit"),
    CLV_OPT(inspect_options, json, FLAG, "json", NULL, .help = "print everything as JSON"),
};

static const clv_cli_about inspect_about = {
    .usage = "cleave inspect MODEL [--csv FILE] [--svg FILE] [--json]",
    .text = "Shows the units of a network (what the engine fuses and runs as one), their outputs, "
            "work and parameters, and every legal cut with what crosses it. MODEL is a .onnx file "
            "or a directory NAME with NAME/VERSION/model.onnx.",
    .examples = "cleave inspect resnet18.onnx                units, cuts, totals\n"
                "cleave inspect models/resnet18 --svg r.svg  the same as a chart\n"
                "cleave inspect resnet18.onnx --json         for programs\n",
    .positionals_min = 1,
    .positionals_max = 1,
};

static json_t *text_json(const char *text)
{
    json_t *t = json_string(text);
    return t ? t : json_string("?"); /* a name that is no UTF-8 */
}

static json_t *units_json(const clv_network *net, const clv_profile *p)
{
    CLV_AUTO(clv_free) size_t *cut_bytes = clv_layer_cut_bytes(clv_network_graph(net));
    json_t *units = json_array();
    for (size_t i = 0; i < p->n_units; i++) {
        const clv_profile_unit *u = &p->units[i];
        json_array_append_new(
            units, json_pack("{s:o,s:o,s:o,s:I,s:I,s:I,s:I}", "name", text_json(u->name), "op",
                             text_json(u->op), "shape", text_json(u->shape), "output_bytes",
                             (json_int_t)u->output_bytes, "macs", (json_int_t)u->macs, "params",
                             (json_int_t)u->params, "cut_bytes", (json_int_t)cut_bytes[i]));
    }
    return units;
}

static json_t *cuts_json(const clv_network *net, const clv_profile *p)
{
    const clv_cuts *cuts = clv_network_cuts(net);
    json_t *list = json_array();
    for (size_t i = 0; i < p->n_cuts; i++) {
        const clv_profile_cut *c = &p->cuts[i];
        json_t *live = json_array();
        for (size_t k = 0; k < c->n_live; k++) json_array_append_new(live, text_json(c->live[k]));
        json_array_append_new(list, json_pack("{s:I,s:o,s:I,s:o,s:I,s:I}", "index", (json_int_t)i,
                                              "label", text_json(c->label), "units",
                                              (json_int_t)cuts->items[i].n_units, "live", live,
                                              "bytes", (json_int_t)c->up_bytes, "down_bytes",
                                              (json_int_t)c->down_bytes));
    }
    return list;
}

static void print_json(const clv_network *net, const clv_located *at, const clv_profile *p)
{
    const clv_graph *g = clv_network_graph(net);
    const char *reason = clv_network_uncut_reason(net);
    json_t *root = json_object();
    json_object_set_new(root, "model", text_json(at->name));
    json_object_set_new(root, "digest", json_string(p->digest));
    json_object_set_new(root, "params", json_integer((json_int_t)clv_graph_params(g)));
    json_object_set_new(root, "macs", json_integer((json_int_t)clv_graph_macs(g)));
    json_object_set_new(root, "units", units_json(net, p));
    json_object_set_new(root, "cuts", cuts_json(net, p));
    json_object_set_new(root, "capped", json_boolean(clv_network_cuts(net)->capped));
    json_object_set_new(root, "uncut_reason", reason ? text_json(reason) : json_null());
    json_dumpf(root, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(root);
}

static void print_units(const clv_network *net, const clv_profile *p)
{
    static const clv_column columns[] = {
        {"#", CLV_RIGHT},    {"unit", CLV_LEFT},  {"op", CLV_LEFT},      {"output", CLV_LEFT},
        {"size", CLV_RIGHT}, {"MACs", CLV_RIGHT}, {"params", CLV_RIGHT}, {"cut here", CLV_RIGHT}};
    CLV_AUTO(clv_free) size_t *cut_bytes = clv_layer_cut_bytes(clv_network_graph(net));
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    for (size_t i = 0; i < p->n_units; i++) {
        const clv_profile_unit *u = &p->units[i];
        clv_table_cell(t, "%zu", i + 1);
        clv_table_cell(t, "%s", u->name);
        clv_table_cell(t, "%s", u->op);
        clv_table_cell(t, "%s", u->shape);
        clv_table_cell(t, "%s", clv_show_size((double)u->output_bytes).s);
        clv_table_cell(t, "%s", u->macs ? clv_show_count((double)u->macs).s : "");
        clv_table_cell(t, "%s", u->params ? clv_show_count((double)u->params).s : "");
        clv_table_cell(t, "%s", clv_show_size((double)cut_bytes[i]).s);
    }
    clv_table_print(t, stdout);
    clv_table_free(t);
}

static void print_cuts(const clv_network *net, const clv_profile *p)
{
    static const clv_column columns[] = {{"cut", CLV_RIGHT},
                                         {"after", CLV_LEFT},
                                         {"units", CLV_RIGHT},
                                         {"tensors", CLV_RIGHT},
                                         {"sends", CLV_RIGHT}};
    const clv_cuts *cuts = clv_network_cuts(net);
    printf("\n%zu legal cuts%s\n", cuts->n,
           cuts->capped
               ? " (more than the cap: only those of one tensor, and the points that every "
                 "path goes through)"
               : "");
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    for (size_t i = 0; i < CLV_MIN(p->n_cuts, (size_t)CUTS_SHOWN); i++) {
        clv_table_cell(t, "%zu", i);
        clv_table_cell(t, "%s", p->cuts[i].label);
        clv_table_cell(t, "%zu", cuts->items[i].n_units);
        clv_table_cell(t, "%zu", p->cuts[i].n_live);
        clv_table_cell(t, "%s", clv_show_size((double)p->cuts[i].up_bytes).s);
    }
    clv_table_print(t, stdout);
    clv_table_free(t);
    if (p->n_cuts > CUTS_SHOWN)
        printf("... and %zu more, all with --json\n", p->n_cuts - CUTS_SHOWN);
}

static void print_people(const clv_network *net, const clv_located *at, const clv_profile *p)
{
    const clv_graph *g = clv_network_graph(net);
    printf("%s: %zu units, %s parameters, %s MACs\n", at->name, p->n_units,
           clv_show_count((double)clv_graph_params(g)).s,
           clv_show_count((double)clv_graph_macs(g)).s);
    if (clv_network_uncut_reason(net))
        printf("it can only run whole: %s\n", clv_network_uncut_reason(net));
    putchar('\n');
    print_units(net, p);
    print_cuts(net, p);
}

static clv_status write_files(const clv_network *net, clv_profile *p, const inspect_options *o,
                              clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf csv = {0};
    CLV_AUTO(clv_buf_done) clv_buf svg = {0};
    clv_status s = CLV_OK;
    if (o->csv) {
        clv_layer_csv(&csv, net, p, false);
        s = clv_file_write(o->csv, csv.data, csv.len, err);
    }
    if (o->svg && s == CLV_OK) {
        clv_layer_svg(&svg, net, p, false);
        s = clv_file_write(o->svg, svg.data, svg.len, err);
    }
    return s;
}

static clv_status inspect(const char *model, const inspect_options *o, const clv_model_options *m,
                          clv_engine *engine, clv_error *err)
{
    clv_network *net = NULL;
    clv_located at = {0};
    clv_status s = clv_model_open(model, m, engine, &at, &net, err);
    if (s != CLV_OK) return s;
    clv_profile *p = clv_profiler_blank(net);
    snprintf(p->model, sizeof p->model, "%s", at.name);
    s = write_files(net, p, o, err);
    if (s == CLV_OK && o->json) print_json(net, &at, p);
    if (s == CLV_OK && !o->json && !o->csv && !o->svg) print_people(net, &at, p);
    clv_profile_free(p);
    clv_network_unref(net);
    clv_located_done(&at);
    return s;
}

clv_status clv_cmd_inspect(clv_args *args, clv_error *err)
{
    inspect_options o = {0};
    clv_model_options m = {0};
    const clv_opt_set sets[] = {{inspect_opts, CLV_COUNT(inspect_opts), &o},
                                {clv_model_opts, clv_model_opts_n, &m}};
    bool help;
    clv_status s = clv_cli_begin(&inspect_about, sets, CLV_COUNT(sets), args, &help, err);
    if (s || help) return s;
    clv_engine *engine = NULL;
    s = clv_ort_engine_new(&(clv_ort_options){.device = "cpu", .threads = 1}, &engine, err);
    if (s == CLV_OK) s = inspect(args->argv[0], &o, &m, engine, err);
    clv_engine_free(engine);
    clv_opt_done(sets, CLV_COUNT(sets));
    return s;
}
