#include "base/mem.h"
#include "base/unit.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "zoo/zoo.h"

#include <jansson.h>
#include <stdlib.h>

typedef struct zoo_options {
    const char *out;
    int64_t seed;
    bool list, json;
} zoo_options;

static const clv_opt zoo_opts[] = {
    CLV_OPT(zoo_options, out, TEXT, "out", NULL, .letter = 'o', .arg = "DIR",
            .help = "model repository to write to: DIR/NAME/1/model.onnx"),
    CLV_OPT(zoo_options, seed, INT, "seed", "1", .help = "of the weights: same seed, same bytes"),
    CLV_OPT(zoo_options, list, FLAG, "list", NULL, .help = "write nothing, say what there is"),
    CLV_OPT(zoo_options, json, FLAG, "json", NULL, .help = "print JSON"),
};

static const clv_cli_about zoo_about = {
    .usage = "cleave zoo [NAME...] -o DIR",
    .text =
        "Write classic networks as ONNX files with seeded random weights: all of them, or those\n"
        "that are named. Sizes and arithmetic are the published ones; answers mean nothing.",
    .examples = "cleave zoo -o models             all networks\n"
                "cleave zoo alexnet lenet -o m    two of them\n"
                "cleave zoo --list                what there is, with parameters and MACs",
    .positionals_max = 64,
};

/* The networks to do: those named, or all. Each once. */
static clv_status choose(const clv_args *args, const clv_zoo_network **chosen, size_t *n,
                         clv_error *err)
{
    size_t n_all;
    const clv_zoo_network *all = clv_zoo_networks(&n_all);
    *n = 0;
    for (size_t i = 0; !args->argc && i < n_all; i++) chosen[(*n)++] = &all[i];
    for (int i = 0; i < args->argc; i++) {
        const clv_zoo_network *found;
        clv_status st = clv_zoo_find(args->argv[i], &found, err);
        if (st) return st;
        size_t k = 0;
        while (k < *n && chosen[k] != found) k++;
        if (k == *n) chosen[(*n)++] = found;
    }
    return CLV_OK;
}

static void print_table(const clv_zoo_facts *facts, size_t n, bool written)
{
    static const clv_column columns[] = {{"network", CLV_LEFT},
                                         {"parameters", CLV_RIGHT},
                                         {"MACs", CLV_RIGHT},
                                         {"size", CLV_RIGHT},
                                         {"file", CLV_LEFT}};
    static const clv_column listed[] = {
        {"network", CLV_LEFT}, {"parameters", CLV_RIGHT}, {"MACs", CLV_RIGHT}, {"what", CLV_LEFT}};
    clv_table *t = written ? clv_table_new(columns, CLV_COUNT(columns))
                           : clv_table_new(listed, CLV_COUNT(listed));
    for (size_t i = 0; i < n; i++) {
        clv_table_cell(t, "%s", facts[i].network->name);
        clv_table_cell(t, "%s", clv_show_count((double)facts[i].params).s);
        clv_table_cell(t, "%s", clv_show_count((double)facts[i].macs).s);
        if (written) clv_table_cell(t, "%s", clv_show_size((double)facts[i].file_bytes).s);
        clv_table_cell(t, "%s", written ? facts[i].path : facts[i].network->about);
    }
    clv_table_print(t, stdout);
    clv_table_free(t);
}

static void print_json(const clv_zoo_facts *facts, size_t n, bool written)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *row = json_pack("{s:s, s:s, s:I, s:I}", "network", facts[i].network->name, "about",
                                facts[i].network->about, "params", (json_int_t)facts[i].params,
                                "macs", (json_int_t)facts[i].macs);
        if (written) {
            json_object_set_new(row, "file", json_string(facts[i].path));
            json_object_set_new(row, "file_bytes", json_integer((json_int_t)facts[i].file_bytes));
        }
        json_array_append_new(list, row);
    }
    json_t *root = json_pack("{s:o}", "networks", list);
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}

static clv_status make(const zoo_options *o, const clv_zoo_network *const *chosen, size_t n,
                       clv_zoo_facts *facts, clv_error *err)
{
    clv_status st = CLV_OK;
    clv_progress *p = clv_progress_new("zoo", n);
    for (size_t i = 0; !st && i < n; i++) {
        clv_progress_show(p, i, "%s", chosen[i]->name);
        if (o->list)
            facts[i] = clv_zoo_count(chosen[i]);
        else
            st = clv_zoo_write(chosen[i], (uint64_t)o->seed, o->out, &facts[i], err);
    }
    clv_progress_free(p);
    return st;
}

clv_status clv_cmd_zoo(clv_args *args, clv_error *err)
{
    zoo_options o = {0};
    const clv_opt_set sets[] = {{zoo_opts, CLV_COUNT(zoo_opts), &o}};
    const clv_zoo_network *chosen[64];
    clv_zoo_facts facts[64] = {0};
    bool help;
    size_t n = 0;
    if (clv_cli_begin(&zoo_about, sets, CLV_COUNT(sets), args, &help, err)) return err->status;
    if (help) return CLV_OK;
    if (!o.out && !o.list)
        return clv_fail(err, CLV_EUSAGE, "where to? give -o DIR, or --list to see what there is");
    clv_status st = choose(args, chosen, &n, err);
    if (!st) st = make(&o, chosen, n, facts, err);
    if (!st && o.json) print_json(facts, n, !o.list);
    if (!st && !o.json) print_table(facts, n, !o.list);
    for (size_t i = 0; i < n; i++) clv_zoo_facts_done(&facts[i]);
    return st;
}
