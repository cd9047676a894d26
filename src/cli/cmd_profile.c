/* cleave profile: what every prefix and suffix of a network takes on this machine. */
#include "base/clock.h"
#include "base/file.h"
#include "base/unit.h"
#include "cli/cli.h"
#include "cli/codec_report.h"
#include "cli/dataset.h"
#include "cli/device_options.h"
#include "cli/layer_study.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "measure/power_probe.h"
#include "measure/profile_cache.h"
#include "measure/profiler.h"
#include "measure/rapl.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct profile_options {
    const char *output, *csv, *cuts_csv, *svg, *power, *powercap, *data, *labels;
    bool json, all, keep;
    int64_t budget_us, max_cuts, samples;
    clv_text_list mean, std;
} profile_options;

static const clv_opt profile_opts[] = {
    CLV_OPT(profile_options, output, TEXT, "output", NULL, .letter = 'o', .arg = "FILE",
            .help = "write the profile, for 'cleave plan' and 'cleave serve'"),
    CLV_OPT(profile_options, csv, TEXT, "csv", NULL, .arg = "FILE",
            .help = "write one row a unit, '-' for standard output"),
    CLV_OPT(profile_options, cuts_csv, TEXT, "cuts-csv", NULL, .arg = "FILE",
            .help = "write one row a cut and codec, with bytes and accuracy; '-' likewise"),
    CLV_OPT(profile_options, svg, TEXT, "svg", NULL, .arg = "FILE",
            .help = "write a chart of latency and output size of each unit"),
    CLV_OPT(profile_options, json, FLAG, "json", NULL, .help = "print the profile as JSON"),
    CLV_OPT(profile_options, budget_us, DURATION, "budget", "30s", .min = 1000, .max = 3.6e9,
            .help = "time to spend, about; what it leaves unmeasured is no candidate"),
    CLV_OPT(profile_options, max_cuts, INT, "max-cuts", "0", .max = 1e6,
            .help = "time and try at most this many cuts, the most useful first; 0: no limit"),
    CLV_OPT(profile_options, data, TEXT, "data", NULL, .arg = "PATH",
            .help =
                "measure what codecs cost in accuracy on this data: idx, .npy, or a folder with a "
                "folder a class of .png, .jpg, .npy"),
    CLV_OPT(profile_options, labels, TEXT, "labels", NULL, .arg = "FILE",
            .help = "labels of --data, idx or .npy, where they do not lie beside it"),
    CLV_OPT(profile_options, samples, INT, "samples", "1000", .min = 1, .max = 1e9,
            .help = "of --data, at most so many"),
    CLV_OPT(profile_options, mean, LIST, "mean", NULL, .arg = "M,M,M",
            .help = "of pixels in 0..1, one a channel (default ImageNet's, 0 for grey)"),
    CLV_OPT(profile_options, std, LIST, "std", NULL, .arg = "S,S,S",
            .help = "standard deviation, likewise (default ImageNet's, 1 for grey)"),
    CLV_OPT(profile_options, keep, FLAG, "keep", NULL,
            .help = "keep it for the nodes of this machine (same --device and --threads)"),
    CLV_OPT(profile_options, power, TEXT, "power", NULL, .arg = "SPEC",
            .help =
                "what this device takes, instead of measuring it: idle=2W,active=7W,price=0.5/h"),
    CLV_OPT(profile_options, powercap, TEXT, "powercap", CLV_RAPL_ROOT, .arg = "DIR",
            .help = "where the processor's energy counters are"),
    CLV_OPT(profile_options, all, FLAG, "all", NULL,
            .help = "time every cut, however long it takes"),
};

static const clv_cli_about profile_about = {
    .usage = "cleave profile MODEL [-o FILE] [--data PATH] [--csv FILE] [--svg FILE]",
    .text =
        "Times every legal prefix and suffix of a network on this machine, as the compiled "
        "segments that will run, interleaved and repeated until the medians are sure. Profile "
        "the edge on the edge and the cloud on the cloud; 'cleave plan' joins the two. Where the "
        "processor counts its energy (RAPL), its watts at rest and at work are measured too. "
        "With --data, labelled samples go through every cut with every lossy codec: what that "
        "costs "
        "in accuracy is kept in the profile, and plans may then use these codecs.",
    .examples =
        "cleave profile resnet18.onnx -o edge.json            measure and keep\n"
        "cleave profile resnet18.onnx --svg study.svg         the layer study as a chart\n"
        "cleave profile models/fashion_lenet --data /usr/share/datasets/fashion-mnist -o e.json\n"
        "cleave profile resnet18.onnx --data photos --samples 200     a folder for each class\n"
        "cleave profile resnet18.onnx --power idle=2W,active=7W,price=0.05/h\n"
        "cleave profile vgg16.onnx --slowdown 4 --budget 60s  as a box 4 times slower\n",
    .positionals_min = 1,
    .positionals_max = 1,
};

static size_t measured(const clv_profile *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_cuts; i++)
        n += clv_profile_has_prefix(p, i) && clv_profile_has_suffix(p, i);
    return n;
}

static void print_power(const clv_profile *p, const clv_error *why)
{
    printf("power: %s", clv_power_show(&p->power).s);
    if (why->status) printf(" (%s; give it with --power idle=2W,active=7W)", why->text);
    if (p->price_per_s > 0) printf(", price %g an hour", p->price_per_s * 3600);
    puts("\n");
}

static void print_people(const clv_network *net, const clv_profile *p, const clv_error *no_power)
{
    static const clv_column columns[] = {
        {"#", CLV_RIGHT},    {"unit", CLV_LEFT},   {"op", CLV_LEFT},      {"output", CLV_LEFT},
        {"time", CLV_RIGHT}, {"share", CLV_RIGHT}, {"so far", CLV_RIGHT}, {"cut here", CLV_RIGHT}};
    const clv_time *whole = &p->cuts[p->n_cuts - 1].prefix;
    clv_unit_text us = clv_show_duration(whole->us), sigma = clv_show_duration(whole->sigma_us);
    printf("%s on %s: whole network %s +- %s (median of %d), %zu of %zu cuts measured\n", p->model,
           p->engine, us.s, sigma.s, whole->n, measured(p), p->n_cuts);
    print_power(p, no_power);
    CLV_AUTO(clv_free) size_t *cut_bytes = clv_layer_cut_bytes(clv_network_graph(net));
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    double sum_us = 0;
    for (size_t i = 0; i < p->n_units; i++) {
        const clv_profile_unit *u = &p->units[i];
        sum_us += u->us;
        clv_table_cell(t, "%zu", i + 1);
        clv_table_cell(t, "%s", u->name);
        clv_table_cell(t, "%s", u->op);
        clv_table_cell(t, "%s", u->shape);
        clv_table_cell(t, "%s", clv_show_duration(u->us).s);
        clv_table_cell(t, "%.1f %%", whole->us > 0 ? 100 * u->us / whole->us : 0);
        clv_table_cell(t, "%s", clv_show_duration(sum_us).s);
        clv_table_cell(t, "%s", clv_show_size((double)cut_bytes[i]).s);
    }
    clv_table_print(t, stdout);
    clv_table_free(t);
    clv_codec_print(p, stdout);
}

static clv_status write_files(const clv_network *net, const clv_profile *p,
                              const profile_options *o, clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf csv = {0};
    CLV_AUTO(clv_buf_done) clv_buf cuts = {0};
    CLV_AUTO(clv_buf_done) clv_buf svg = {0};
    clv_status s = o->output ? clv_profile_write(o->output, p, err) : CLV_OK;
    if (o->csv && s == CLV_OK) {
        clv_layer_csv(&csv, net, p, true);
        s = clv_file_write(o->csv, csv.data, csv.len, err);
    }
    if (o->cuts_csv && s == CLV_OK) {
        clv_codec_csv(&cuts, p);
        s = clv_file_write(o->cuts_csv, cuts.data, cuts.len, err);
    }
    if (o->svg && s == CLV_OK) {
        clv_layer_svg(&svg, net, p, true);
        s = clv_file_write(o->svg, svg.data, svg.len, err);
    }
    return s;
}

static bool to_stdout(const char *path)
{
    return path && path[0] == '-' && !path[1];
}

static void show(void *arg, size_t done, size_t total)
{
    (void)total;
    clv_progress_show(arg, done, "%zu steps of %zu", done, total);
}

static clv_status measure(clv_network *net, const clv_located *at, const profile_options *o,
                          const clv_device_options *d, clv_engine *engine, clv_profile **p,
                          clv_error *err)
{
    clv_speedometer *speedometer = NULL;
    clv_status s = clv_speedometer_new(engine, d->slowdown, &speedometer, err);
    if (s != CLV_OK) return s;
    const clv_profiler_options options = {.model = at->name,
                                          .speedometer = speedometer,
                                          .threads = clv_device_threads(d),
                                          .slowdown = d->slowdown,
                                          .budget_us = o->budget_us,
                                          .max_cuts = (size_t)o->max_cuts,
                                          .all = o->all};
    clv_progress *bar = clv_progress_new("profile", clv_profiler_steps(net, &options));
    s = clv_profiler_run(net, engine, &options, show, bar, p, err);
    clv_progress_free(bar);
    clv_speedometer_free(speedometer);
    return s;
}

static void show_samples(void *arg, size_t done, size_t total)
{
    clv_progress_show(arg, done, "%zu batches and cuts of %zu", done, total);
}

/* The network's input at batch 1, with all sizes known. */
static clv_status input_spec(const clv_network *net, clv_tensor_spec *out, clv_error *err)
{
    size_t n;
    const clv_tensor_spec *inputs = clv_network_inputs(net, &n);
    if (n != 1)
        return clv_fail(err, CLV_EUNSUPPORTED,
                        "--data is for networks with one input, this has %zu", n);
    const clv_graph *g = clv_network_graph(net);
    int t = clv_graph_tensor_index(g, inputs[0].name);
    *out = inputs[0];
    if (t >= 0 && g->tensors[t].shape.rank >= 0) out->shape = g->tensors[t].shape;
    return CLV_OK;
}

static clv_status open_data(const clv_network *net, const profile_options *o, clv_dataset **out,
                            clv_error *err)
{
    const clv_dataset_options data = {.path = o->data,
                                      .labels = o->labels,
                                      .samples = (size_t)o->samples,
                                      .mean = &o->mean,
                                      .std = &o->std};
    clv_tensor_spec spec;
    clv_status s = input_spec(net, &spec, err);
    return s == CLV_OK ? clv_dataset_open(&data, &spec, out, err) : s;
}

static clv_status try_data(clv_network *net, const profile_options *o, const clv_dataset *data,
                           clv_profile *p, clv_error *err)
{
    clv_accuracy_study study = {.max_cuts = (size_t)o->max_cuts, .progress = show_samples};
    const clv_samples *samples = clv_dataset_samples(data);
    clv_progress *bar =
        clv_progress_new("accuracy", clv_accuracy_study_steps(net, samples, &study));
    study.arg = bar;
    clv_status s = clv_accuracy_study_run(net, samples, &study, p, err);
    clv_progress_free(bar);
    return s;
}

static clv_status keep(clv_profile *p, clv_error *err)
{
    CLV_AUTO(clv_text_free) char *dir = clv_profile_cache_dir();
    return clv_profile_cache_put(dir, p, err);
}

/* As given, else as the counters tell; `why` says why neither is so. */
static void find_power(clv_network *net, const profile_options *o, clv_profile *p,
                       const clv_power *given, clv_error *why)
{
    const clv_power_probe_options probe = {.root = o->powercap, .cores = p->threads};
    p->power = *given;
    if (!clv_power_known(given) && clv_power_probe(net, &probe, &p->power, why)) p->power = *given;
}

static clv_status profile(const char *model, const profile_options *o, const clv_device_options *d,
                          const clv_model_options *m, clv_engine *engine, clv_error *err)
{
    clv_network *net = NULL;
    clv_located at = {0};
    clv_profile *p = NULL;
    clv_dataset *data = NULL;
    clv_power given = {0};
    double price_per_s = 0;
    clv_error why = {0};
    if (o->power && clv_power_parse(o->power, clv_device_threads(d), &given, &price_per_s, &why))
        return clv_fail(err, CLV_EUSAGE, "--power: %s", why.text);
    clv_status s = clv_model_open(model, m, engine, &at, &net, err);
    if (s != CLV_OK) return s;
    if (o->data) s = open_data(net, o, &data, err); /* what is wrong with it shows at once */
    if (s == CLV_OK) s = measure(net, &at, o, d, engine, &p, err);
    if (s == CLV_OK && data) s = try_data(net, o, data, p, err);
    if (s == CLV_OK) {
        find_power(net, o, p, &given, &why);
        p->price_per_s = price_per_s;
    }
    if (s == CLV_OK) s = write_files(net, p, o, err);
    if (s == CLV_OK && o->keep) s = keep(p, err);
    if (s == CLV_OK && o->json) {
        CLV_AUTO(clv_text_free) char *text = clv_profile_json(p);
        if (text) puts(text);
    } else if (s == CLV_OK && !to_stdout(o->csv) && !to_stdout(o->svg) && !to_stdout(o->output) &&
               !to_stdout(o->cuts_csv)) {
        print_people(net, p, &why);
    }
    clv_profile_free(p);
    clv_dataset_free(data);
    clv_network_unref(net);
    clv_located_done(&at);
    return s;
}

clv_status clv_cmd_profile(clv_args *args, clv_error *err)
{
    profile_options o = {0};
    clv_device_options d = {0};
    clv_model_options m = {0};
    const clv_opt_set sets[] = {{profile_opts, CLV_COUNT(profile_opts), &o},
                                {clv_device_opts, clv_device_opts_n, &d},
                                {clv_model_opts, clv_model_opts_n, &m}};
    bool help;
    clv_status s = clv_cli_begin(&profile_about, sets, CLV_COUNT(sets), args, &help, err);
    if (s || help) return s;
    clv_engine *engine = NULL;
    s = clv_device_engine(&d, &engine, err);
    if (s == CLV_OK) s = profile(args->argv[0], &o, &d, &m, engine, err);
    clv_engine_free(engine);
    clv_opt_done(sets, CLV_COUNT(sets));
    return s;
}
