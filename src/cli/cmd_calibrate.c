/* cleave calibrate: what units take on this machine, and how well that predicts whole networks. */
#include "base/clock.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/device_options.h"
#include "cli/evaluate.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "measure/calibrator.h"
#include "measure/profiler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct calibrate_options {
    const char *output, *calibration, *profiles, *again, *svg;
    bool quick, fresh, evaluate, json;
    int64_t networks, seed, seen, budget_us;
} calibrate_options;

static const clv_opt calibrate_opts[] = {
    CLV_OPT(calibrate_options, output, TEXT, "output", NULL, .letter = 'o', .arg = "FILE",
            .help = "write the calibration; one that is there and not complete is gone on with"),
    CLV_OPT(calibrate_options, quick, FLAG, "quick", NULL,
            .help = "under a minute instead of a few"),
    CLV_OPT(calibrate_options, fresh, FLAG, "fresh", NULL,
            .help = "start anew even if the file is there"),
    CLV_OPT(calibrate_options, networks, INT, "networks", "0", .max = 5000,
            .help = "random networks to look at; 0: 140, or up to 32 with --quick"),
    CLV_OPT(calibrate_options, seed, INT, "seed", "1", .max = 1e6, .help = "of the networks"),
    CLV_OPT(calibrate_options, evaluate, FLAG, "evaluate", NULL,
            .help = "hold predictions for the models against what is measured here"),
    CLV_OPT(calibrate_options, calibration, TEXT, "calibration", NULL, .letter = 'c', .arg = "FILE",
            .help = "with --evaluate: predict from this one instead of a new quick one"),
    CLV_OPT(calibrate_options, profiles, TEXT, "profiles", NULL, .arg = "DIR",
            .help = "with --evaluate: take DIR/MODEL.json as measured; those missing are written"),
    CLV_OPT(calibrate_options, again, TEXT, "again", NULL, .arg = "DIR",
            .help =
                "with --evaluate: profiles measured another time: how repeatable is measuring?"),
    CLV_OPT(calibrate_options, seen, INT, "seen", "5", .min = 1, .max = 100,
            .help = "with --evaluate: measured prefixes that correct a prediction"),
    CLV_OPT(calibrate_options, budget_us, DURATION, "budget", "30s", .min = 1000, .max = 3.6e9,
            .help = "with --evaluate: time to measure each model, about"),
    CLV_OPT(calibrate_options, svg, TEXT, "svg", NULL, .arg = "FILE",
            .help = "with --evaluate: write predicted against measured times as a chart"),
    CLV_OPT(calibrate_options, json, FLAG, "json", NULL, .help = "print JSON"),
};

static const clv_cli_about calibrate_about = {
    .usage = "cleave calibrate -o FILE [--quick] | cleave calibrate --evaluate MODEL... [-c FILE]",
    .text = "Times units of all kinds (convolutions, matrix products, pools, ...) inside small "
            "random networks on this machine and learns to predict any network's prefixes and "
            "suffixes from them. 'cleave plan' takes the file in place of a profile. --evaluate "
            "measures models that were not among those and prints how far the predictions are off.",
    .examples = "cleave calibrate -o edge.json                             a few minutes\n"
                "cleave calibrate -o edge.json --quick --threads 1         under a minute\n"
                "cleave calibrate --evaluate models/resnet18 -c edge.json  how good is it?\n",
    .positionals_min = 0,
    .positionals_max = 1000,
};

/* What measuring needs. */
typedef struct tools {
    clv_engine *engine;
    clv_speedometer *speedometer;
} tools;

/* ---- calibrating ---- */

typedef struct watcher {
    const calibrate_options *o;
    clv_progress *bar;
    int64_t saved_us;
} watcher;

#define SAVE_EVERY_US 5000000

static void watch(void *arg, const clv_calibration *c, size_t done, size_t total)
{
    watcher *w = arg;
    clv_progress_show(w->bar, done, "%zu networks, step %zu of %zu", c->n_networks, done, total);
    if (!w->o->output || strcmp(w->o->output, "-") == 0) return;
    if (clv_now_us() - w->saved_us < SAVE_EVERY_US) return;
    clv_error ignored; /* the last write says whether it can be written */
    clv_status s = clv_calibration_write(w->o->output, c, &ignored);
    (void)s;
    w->saved_us = clv_now_us();
}

/* The file's calibration if there is one to go on with. */
static clv_status start(const calibrate_options *o, const clv_calibrator_options *options,
                        const clv_engine *engine, clv_calibration **out, clv_error *err)
{
    if (o->output && !o->fresh && clv_file_exists(o->output)) {
        clv_status s = clv_calibration_read(o->output, out, err);
        return s == CLV_OK ? s : clv_within(err, "--fresh replaces it");
    }
    *out = clv_calibrator_begin(engine, options);
    return CLV_OK;
}

static clv_status calibrate(const calibrate_options *o, const clv_device_options *d, const tools *t,
                            bool quick, clv_calibration **out, clv_error *err)
{
    clv_calibrator_options options = {.speedometer = t->speedometer,
                                      .threads = clv_device_threads(d),
                                      .slowdown = d->slowdown,
                                      .networks = (int)o->networks,
                                      .seed = (uint64_t)o->seed};
    if (!options.networks && quick) {
        options.networks = CLV_CALIBRATOR_NETWORKS_QUICK;
        options.budget_us = CLV_CALIBRATOR_QUICK_US;
    }
    clv_calibration *c = NULL;
    clv_status s = start(o, &options, t->engine, &c, err);
    if (s != CLV_OK) return s;
    watcher w = {.o = o, .saved_us = clv_now_us()};
    w.bar = clv_progress_new("calibrate", clv_calibrator_steps(&options));
    s = clv_calibrator_run(t->engine, &options, c, watch, &w, err);
    clv_progress_free(w.bar);
    if (s == CLV_OK && o->output) s = clv_calibration_write(o->output, c, err);
    if (s == CLV_OK)
        *out = c;
    else
        clv_calibration_free(c);
    return s;
}

static void print_kinds(const clv_calibration *c)
{
    static const clv_column columns[] = {
        {"kind", CLV_LEFT}, {"samples", CLV_RIGHT}, {"median error", CLV_RIGHT}};
    printf("%s: %zu networks\n", c->engine, c->n_networks);
    if (c->reference.n > 0) printf("reference network: %.2f ms\n", c->reference.us / 1000);
    printf("\n");
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    for (int k = 0; k < CLV_UNIT_KIND_COUNT; k++) {
        if (!c->kinds[k].known || k == CLV_UNIT_OTHER) continue;
        clv_table_cell(t, "%s", clv_unit_kind_name((clv_unit_kind)k));
        clv_table_cell(t, "%d", c->kinds[k].n);
        clv_table_cell(t, "%.1f %%", 100 * c->kinds[k].error);
    }
    clv_table_print(t, stdout);
    clv_table_free(t);
}

/* ---- evaluating ---- */

static void show(void *arg, size_t done, size_t total)
{
    clv_progress_show(arg, done, "%zu steps of %zu", done, total);
}

static clv_status measure(clv_network *net, const char *name, const calibrate_options *o,
                          const clv_device_options *d, const tools *t, clv_profile **p,
                          clv_error *err)
{
    const clv_profiler_options options = {.model = name,
                                          .speedometer = t->speedometer,
                                          .threads = clv_device_threads(d),
                                          .slowdown = d->slowdown,
                                          .budget_us = o->budget_us,
                                          .steady = true};
    clv_progress *bar = clv_progress_new(name, clv_profiler_steps(net, &options));
    clv_status s = clv_profiler_run(net, t->engine, &options, show, bar, p, err);
    clv_progress_free(bar);
    return s;
}

static clv_status read_profile(const clv_network *net, const char *file, clv_profile **p,
                               clv_error *err)
{
    clv_status s = clv_profile_read(file, p, err);
    if (s != CLV_OK || strcmp((*p)->digest, clv_network_digest(net)) == 0) return s;
    return clv_fail(err, CLV_EMISMATCH, "'%s' is of another model than '%s'", file,
                    clv_network_path(net));
}

/* From the folder, or measured and put there. */
static clv_status measured_profile(clv_network *net, const char *name, const calibrate_options *o,
                                   const clv_device_options *d, const tools *t, clv_profile **p,
                                   clv_error *err)
{
    if (!o->profiles) return measure(net, name, o, d, t, p, err);
    CLV_AUTO(clv_text_free) char *file = clv_format("%s/%s.json", o->profiles, name);
    if (!clv_file_exists(file)) {
        clv_status s = clv_dir_make(o->profiles, err);
        if (s == CLV_OK) s = measure(net, name, o, d, t, p, err);
        return s == CLV_OK ? clv_profile_write(file, *p, err) : s;
    }
    return read_profile(net, file, p, err);
}

static clv_status evaluate_one(clv_evaluation *e, const char *model, const calibrate_options *o,
                               const clv_device_options *d, const clv_model_options *m,
                               const tools *t, clv_error *err)
{
    clv_network *net = NULL;
    clv_located at = {0};
    clv_profile *p = NULL, *again = NULL;
    clv_status s = clv_model_open(model, m, t->engine, &at, &net, err);
    if (s != CLV_OK) return s;
    s = measured_profile(net, at.name, o, d, t, &p, err);
    if (s == CLV_OK && o->again) {
        CLV_AUTO(clv_text_free) char *file = clv_format("%s/%s.json", o->again, at.name);
        s = read_profile(net, file, &again, err);
    }
    if (s == CLV_OK)
        s = clv_evaluation_add(e, at.name, clv_network_graph(net), clv_network_cuts(net), p, again,
                               err);
    clv_profile_free(p);
    clv_profile_free(again);
    clv_network_unref(net);
    clv_located_done(&at);
    return s;
}

static clv_status print_evaluation(const clv_evaluation *e, const calibrate_options *o,
                                   clv_error *err)
{
    if (o->json) {
        CLV_AUTO(clv_text_free) char *text = clv_evaluation_json(e);
        if (text) puts(text);
    } else {
        clv_evaluation_print(e, stdout);
    }
    if (!o->svg) return CLV_OK;
    CLV_AUTO(clv_buf_done) clv_buf svg = {0};
    clv_evaluation_svg(e, &svg);
    return clv_file_write(o->svg, svg.data, svg.len, err);
}

static clv_status evaluate(const clv_args *args, const calibrate_options *o,
                           const clv_device_options *d, const clv_model_options *m, const tools *t,
                           clv_error *err)
{
    if (args->argc == 0) return clv_fail(err, CLV_EUSAGE, "--evaluate needs a MODEL or more");
    clv_calibration *c = NULL;
    clv_evaluation *e = NULL;
    clv_status s = o->calibration ? clv_calibration_read(o->calibration, &c, err)
                                  : calibrate(o, d, t, true, &c, err);
    if (s == CLV_OK) s = clv_evaluation_new(c, (size_t)o->seen, &e, err);
    for (int i = 0; i < args->argc && s == CLV_OK; i++)
        s = evaluate_one(e, args->argv[i], o, d, m, t, err);
    if (s == CLV_OK) s = print_evaluation(e, o, err);
    clv_evaluation_free(e);
    clv_calibration_free(c);
    return s;
}

static clv_status run(const clv_args *args, const calibrate_options *o, const clv_device_options *d,
                      const clv_model_options *m, const tools *t, clv_error *err)
{
    if (o->evaluate) return evaluate(args, o, d, m, t, err);
    if (args->argc > 0)
        return clv_fail(err, CLV_EUSAGE, "'%s': models are for --evaluate", args->argv[0]);
    clv_calibration *c = NULL;
    clv_status s = calibrate(o, d, t, o->quick, &c, err);
    if (s != CLV_OK) return s;
    if (o->json) {
        CLV_AUTO(clv_text_free) char *text = clv_calibration_json(c);
        if (text) puts(text);
    } else if (!o->output || strcmp(o->output, "-") != 0) {
        print_kinds(c);
    }
    clv_calibration_free(c);
    return CLV_OK;
}

clv_status clv_cmd_calibrate(clv_args *args, clv_error *err)
{
    calibrate_options o = {0};
    clv_device_options d = {0};
    clv_model_options m = {0};
    const clv_opt_set sets[] = {{calibrate_opts, CLV_COUNT(calibrate_opts), &o},
                                {clv_device_opts, clv_device_opts_n, &d},
                                {clv_model_opts, clv_model_opts_n, &m}};
    bool help;
    clv_status s = clv_cli_begin(&calibrate_about, sets, CLV_COUNT(sets), args, &help, err);
    if (s || help) return s;
    tools t = {0};
    s = clv_device_engine(&d, &t.engine, err);
    if (s == CLV_OK) s = clv_speedometer_new(t.engine, d.slowdown, &t.speedometer, err);
    if (s == CLV_OK) s = run(args, &o, &d, &m, &t, err);
    clv_speedometer_free(t.speedometer);
    clv_engine_free(t.engine);
    clv_opt_done(sets, CLV_COUNT(sets));
    return s;
}
