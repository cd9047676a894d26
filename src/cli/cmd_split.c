/* cleave split: write prefix and suffix of a cut as ONNX files. */
#include "base/buf.h"
#include "base/file.h"
#include "base/nearest.h"
#include "base/unit.h"
#include "cli/cli.h"
#include "cli/device_options.h"
#include "cli/model_options.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct split_options {
    const char *at, *out;
    bool json;
} split_options;

static const clv_opt split_opts[] = {
    CLV_OPT(split_options, at, TEXT, "at", NULL, .arg = "CUT",
            .help = "the cut: its index, or the names of the tensors that cross, joined by +"),
    CLV_OPT(split_options, out, TEXT, "out", ".", .letter = 'o', .arg = "DIR",
            .help = "where prefix.onnx and suffix.onnx go"),
    CLV_OPT(split_options, json, FLAG, "json", NULL, .help = "print JSON"),
};

static const clv_cli_about split_about = {
    .usage = "cleave split MODEL --at CUT [-o DIR]",
    .text = "Write the two parts of a network as ONNX files that stand alone, with their weights "
            "inside. What crosses the cut "
            "keeps its names and types, so any ONNX runtime can run the two one after the other. "
            "cleave inspect lists the "
            "cuts.",
    .examples = "cleave split resnet18.onnx --at 12 -o parts\n"
                "cleave split alexnet.onnx --at pool2 -o parts\n"
                "cleave split resnet18.onnx --at relu3+conv4 -o parts\n",
    .positionals_min = 1,
    .positionals_max = 1,
};

/* ---- which cut ---- */

static int cut_by_names(const clv_cuts *cuts, const clv_graph *g, const char *text)
{
    clv_text_list names = {0};
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "+");
        if (n) clv_text_list_add(&names, p, n);
        p += n + (p[n] == '+');
    }
    CLV_AUTO(clv_free) const char **list = clv_alloc_array(names.n, sizeof *list);
    for (size_t i = 0; i < names.n; i++) list[i] = names.items[i];
    int cut = names.n ? clv_cuts_find(cuts, g, list, names.n) : -1;
    clv_text_list_done(&names);
    return cut;
}

enum { NEAR_CUTS = 4 };

/* Cuts whose labels have the text in them, else the one that looks most like it. */
static clv_status no_such_cut(const clv_cuts *cuts, const clv_graph *g, const char *text,
                              clv_error *err)
{
    clv_buf near = {0};
    size_t n = 0;
    clv_nearest nearest = clv_nearest_to(text);
    char **labels = clv_alloc_array(cuts->n, sizeof *labels);
    for (size_t i = 0; i < cuts->n; i++) {
        labels[i] = clv_cut_label(cuts, g, i);
        clv_nearest_try(&nearest, labels[i]);
        if (n < NEAR_CUTS && strcasestr(labels[i], text))
            clv_buf_printf(&near, "%s%zu '%.80s'", n++ ? ", " : "; near ones: ", i, labels[i]);
    }
    if (!n && nearest.name) clv_buf_printf(&near, "; did you mean '%.80s'?", nearest.name);
    clv_status status =
        clv_fail(err, CLV_ENOTFOUND, "no cut '%.80s' among the %zu that cleave inspect lists%s",
                 text, cuts->n, near.data ? near.data : "");
    for (size_t i = 0; i < cuts->n; i++) free(labels[i]);
    free(labels);
    clv_buf_done(&near);
    return status;
}

static clv_status find_cut(const clv_network *net, const char *text, size_t *cut, clv_error *err)
{
    const clv_cuts *cuts = clv_network_cuts(net);
    const clv_graph *g = clv_network_graph(net);
    if (clv_network_uncut_reason(net))
        return clv_fail(err, CLV_EUNSUPPORTED, "this network can only run whole: %s",
                        clv_network_uncut_reason(net));
    int named = cut_by_names(cuts, g, text);
    char *end;
    unsigned long index = strtoul(text, &end, 10);
    bool number = *text >= '0' && *text <= '9' && !*end;
    if (named < 0 && !number) return no_such_cut(cuts, g, text, err);
    *cut = named >= 0 ? (size_t)named : index;
    if (*cut == 0 || *cut >= cuts->n - 1)
        return clv_fail(err, CLV_EUSAGE,
                        "cut %s leaves one side empty or does not exist: expected 1 to %zu", text,
                        cuts->n - 2);
    return CLV_OK;
}

/* ---- writing ---- */

static void print_text(const clv_network *net, size_t cut, const char *prefix, const char *suffix)
{
    const clv_cut *c = &clv_network_cuts(net)->items[cut];
    printf("cut %zu: %zu of %zu units before it\n", cut, c->n_units,
           clv_network_graph(net)->n_units);
    for (size_t i = 0; i < c->n_live; i++) {
        const clv_graph_tensor *t = &clv_network_graph(net)->tensors[c->live[i]];
        printf("  %s %s %s, %zu bytes\n", t->name, clv_dtype_oip(t->dtype),
               clv_shape_show(&t->shape).s, t->bytes);
    }
    printf("%s\n%s\n", prefix, suffix);
}

static void print_json(const clv_network *net, size_t cut, const char *prefix, const char *suffix)
{
    const clv_cut *c = &clv_network_cuts(net)->items[cut];
    json_t *live = json_array();
    for (size_t i = 0; i < c->n_live; i++)
        json_array_append_new(live, json_string(clv_network_graph(net)->tensors[c->live[i]].name));
    json_t *root = json_pack("{s:I, s:o, s:I, s:s, s:s}", "cut", (json_int_t)cut, "tensors", live,
                             "bytes", (json_int_t)c->bytes, "prefix", prefix, "suffix", suffix);
    json_dumpf(root, stdout, 0);
    putchar('\n');
    json_decref(root);
}

static clv_status write_parts(clv_network *net, const split_options *o, clv_error *err)
{
    size_t cut = 0, last = clv_network_cuts(net)->n - 1;
    clv_status status = find_cut(net, o->at, &cut, err);
    if (!status) status = clv_dir_make(o->out, err);
    if (status) return status;
    CLV_AUTO(clv_text_free) char *prefix = clv_path_join(o->out, "prefix.onnx");
    CLV_AUTO(clv_text_free) char *suffix = clv_path_join(o->out, "suffix.onnx");
    status = clv_network_export(net, 0, cut, prefix, err);
    if (!status) status = clv_network_export(net, cut, last, suffix, err);
    if (status) return status;
    if (o->json)
        print_json(net, cut, prefix, suffix);
    else
        print_text(net, cut, prefix, suffix);
    return CLV_OK;
}

static clv_status split(const char *model, const split_options *o, const clv_model_options *m,
                        const clv_device_options *d, clv_error *err)
{
    clv_engine *engine;
    clv_located at;
    clv_network *net;
    if (!o->at)
        return clv_fail(err, CLV_EUSAGE, "--at is missing: which cut? (cleave inspect lists them)");
    clv_status status = clv_device_engine(d, &engine, err);
    if (status) return status;
    status = clv_model_open(model, m, engine, &at, &net, err);
    if (!status) {
        status = write_parts(net, o, err);
        clv_network_unref(net);
        clv_located_done(&at);
    }
    clv_engine_free(engine);
    return status;
}

clv_status clv_cmd_split(clv_args *args, clv_error *err)
{
    split_options o = {0};
    clv_device_options device = {0};
    clv_model_options model = {0};
    const clv_opt_set sets[] = {{split_opts, CLV_COUNT(split_opts), &o},
                                {clv_model_opts, clv_model_opts_n, &model},
                                {clv_device_opts, clv_device_opts_n, &device}};
    bool help;
    clv_status status = clv_cli_begin(&split_about, sets, CLV_COUNT(sets), args, &help, err);
    if (status || help) return status;
    status = split(args->argv[0], &o, &model, &device, err);
    clv_opt_done(sets, CLV_COUNT(sets));
    return status;
}
