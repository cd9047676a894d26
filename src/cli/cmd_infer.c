/* cleave infer: one question to a model on this machine or on a node. */
#include "base/clock.h"
#include "base/file.h"
#include "base/stats.h"
#include "cli/cli.h"
#include "cli/device_options.h"
#include "cli/input.h"
#include "cli/model_options.h"
#include "cli/node.h"
#include "cli/offer_options.h"
#include "cli/outcome.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include "cli/upload.h"
#include "measure/profile_cache.h"
#include "split/oip.h"
#include "split/prediction.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { COUNT_MAX = 1000000 };

typedef struct infer_options {
    const char *url, *version;
    const char *ca, *cert, *key, *token_file;
    const char *labels, *out_dir, *codecs;
    double drop_points;
    int64_t timeout_us, count;
    bool json, explain;
} infer_options;

static const clv_opt infer_opts[] = {
    CLV_OPT(
        infer_options, url, TEXT, "url", NULL, .letter = 'u', .arg = "URL",
        .help =
            "ask the node there, http[s]://host:port or unix:path; without: run on this machine"),
    CLV_OPT(infer_options, labels, TEXT, "labels", NULL, .arg = "FILE",
            .help = "names of the classes, one a line"),
    CLV_OPT(infer_options, out_dir, TEXT, "output", NULL, .letter = 'o', .arg = "DIR",
            .help = "write every output there as NAME.npy"),
    CLV_OPT(infer_options, count, INT, "count", "1", .letter = 'n', .min = 1, .max = COUNT_MAX,
            .help = "ask so many times, one after the other"),
    CLV_OPT(infer_options, explain, FLAG, "explain", NULL,
            .help = "show what the plan predicted beside what happened, part by part"),
    CLV_OPT(infer_options, codecs, TEXT, "codecs", "raw", .arg = "LIST",
            .help = "how the inputs may be written for a cleave node, the smallest is taken: auto, "
                    "raw, or names: f16,q8+zstd"),
    CLV_OPT(infer_options, drop_points, REAL, "accuracy-drop", "0.1", .arg = "POINTS",
            .max = CLV_OFFER_DROP_MAX,
            .help = "percentage points of accuracy that this may cost, as the node's profile has "
                    "measured; 100: any"),
    CLV_OPT(infer_options, json, FLAG, "json", NULL, .help = "print JSON (docs/json.md)"),
    CLV_OPT(infer_options, version, TEXT, "model-version", NULL, .arg = "VERSION",
            .help = "of the node's model (default the newest)"),
    CLV_OPT(infer_options, timeout_us, DURATION, "timeout", "30s",
            .help = "for each answer of a node; 0: as long as it takes"),
    CLV_OPT(infer_options, ca, TEXT, "ca", NULL, .arg = "FILE",
            .help = "accepted issuers of the node's certificate (default the system's)"),
    CLV_OPT(infer_options, cert, TEXT, "cert", NULL, .arg = "FILE",
            .help = "certificate to show to the node"),
    CLV_OPT(infer_options, key, TEXT, "key", NULL, .arg = "FILE", .help = "its key"),
    CLV_OPT(infer_options, token_file, TEXT, "token-file", NULL, .arg = "FILE",
            .help = "bearer token for the node, first line of the file (default $CLEAVE_TOKEN)"),
};

static const clv_cli_about infer_about = {
    .usage = "cleave infer MODEL [--url URL] --input FILE",
    .text =
        "One inference: prints the answer and where the time went. MODEL is a file or a\n"
        "directory (NAME/VERSION/model.onnx); with --url it is the name of a model on that node.",
    .examples = "cleave infer resnet18.onnx --input cat.jpg --labels imagenet.txt\n"
                "cleave infer resnet18 --url http://edge:8000 --input cat.jpg\n"
                "cleave infer bert --url https://edge:8443 --ca ca.pem --token-file token "
                "--input ids=ids.npy\n"
                "cleave infer resnet18.onnx --random 1 --count 100 --json\n"
                "cleave infer resnet18 --url http://edge:8000 --random 1 --explain\n"
                "cleave infer fashion_lenet --url http://cloud:8000 --input shoe.png --codecs "
                "q8+zstd\n",
    .positionals_min = 1,
    .positionals_max = 1,
};

/* Everything of one run of the command; done by infer_done() in whatever state it is. */
typedef struct infer {
    infer_options o;
    clv_input_options input;
    clv_device_options device;
    clv_model_options model_options;
    const char *model;
    clv_text_list labels;
    clv_tensors inputs;
    clv_outcome outcome; /* of the last request */
    clv_outcome_latency latency;
    /* on this machine */
    clv_engine *engine;
    clv_located at;
    clv_network *network;
    clv_segment *segment;
    /* on a node */
    char *token;
    clv_remote *remote;
    clv_codec codec; /* of the inputs, on their way there */
} infer;

static void infer_done(infer *in)
{
    clv_outcome_done(&in->outcome);
    clv_remote_free(in->remote); /* before the inputs, which it may still be sending */
    clv_tensors_done(&in->inputs);
    clv_text_list_done(&in->labels);
    clv_segment_unref(in->segment);
    clv_network_unref(in->network);
    clv_located_done(&in->at);
    clv_engine_free(in->engine);
    if (in->token) explicit_bzero(in->token, strlen(in->token));
    free(in->token);
}

static clv_status check_options(const infer_options *o, clv_error *err)
{
    const struct {
        const char *flag, *value;
        bool tls;
    } only_remote[] = {{"--model-version", o->version, false},
                       {"--token-file", o->token_file, false},
                       {"--ca", o->ca, true},
                       {"--cert", o->cert, true},
                       {"--key", o->key, true},
                       {"--codecs", strcmp(o->codecs, "raw") ? o->codecs : NULL, false}};
    for (size_t i = 0; i < CLV_COUNT(only_remote); i++) {
        if (!only_remote[i].value) continue;
        if (!o->url)
            return clv_fail(err, CLV_EUSAGE, "%s is for a node: --url is missing%s",
                            only_remote[i].flag, i == 0 ? " (here it is MODEL/VERSION)" : "");
        if (only_remote[i].tls && strncasecmp(o->url, "https:", 6) != 0)
            return clv_fail(err, CLV_EUSAGE, "%s needs an address with TLS, --url is '%s'",
                            only_remote[i].flag, o->url);
    }
    return CLV_OK;
}

/* In which codec the inputs go: only a node of this kind reads any. */
static clv_status choose_codec(infer *in, clv_error *err)
{
    const infer_options *o = &in->o;
    clv_plan_offer offer;
    const clv_offer_options asked = {.codecs = o->codecs, .drop_points = o->drop_points};
    clv_status st = clv_offer_read(&asked, &offer, err);
    if (st || !(offer.codecs >> 1)) return st;
    int protocol = 0;
    st = clv_remote_protocol(in->remote, in->model, o->version, &protocol, err);
    if (!st && protocol != CLV_PEER_PROTOCOL)
        st = clv_fail(err, CLV_EUNSUPPORTED,
                      "%s: cleave_protocol %d, this program's is %d: only a node of the same reads "
                      "codecs; --codecs raw is right for others",
                      o->url, protocol, CLV_PEER_PROTOCOL);
    clv_profile *profile = NULL;
    if (!st && clv_upload_needs_profile(&offer))
        st = clv_remote_profile(in->remote, in->model, o->version, &profile, err);
    clv_upload_choice u = {0};
    if (!st) st = clv_upload_choose(&offer, profile, &in->inputs, &u, err);
    clv_profile_free(profile);
    if (st) return st;
    CLV_AUTO(clv_text_free) char *left_out = clv_plan_left_out_text(&u.left_out, in->model);
    if (left_out) fprintf(stderr, "cleave infer: %s\n", left_out);
    in->codec = u.codec;
    return CLV_OK;
}

static clv_status prepare_remote(infer *in, clv_error *err)
{
    const infer_options *o = &in->o;
    clv_status st = clv_token_read(o->token_file, &in->token, err);
    if (st) return st;
    const clv_remote_options options = {.url = o->url,
                                        .tls = {.cert = o->cert, .key = o->key, .ca = o->ca},
                                        .token = in->token,
                                        .timeout_us = o->timeout_us};
    clv_remote_model m;
    st = clv_remote_open(&options, &in->remote, err);
    if (!st) st = clv_remote_describe(in->remote, in->model, o->version, &m, err);
    if (st) return st;
    st = clv_inputs_make(&in->input, m.inputs, m.n_inputs, &in->inputs, err);
    clv_remote_model_done(&m);
    return st ? st : choose_codec(in, err);
}

static clv_status prepare_local(infer *in, clv_error *err)
{
    size_t n;
    clv_status st = clv_device_engine(&in->device, &in->engine, err);
    if (!st)
        st = clv_model_open(in->model, &in->model_options, in->engine, &in->at, &in->network, err);
    if (st) return st;
    const clv_tensor_spec *specs = clv_network_inputs(in->network, &n);
    st = clv_inputs_make(&in->input, specs, n, &in->inputs, err);
    if (st) return st;
    return clv_network_segment(in->network, 0, clv_network_cuts(in->network)->n - 1, &in->segment,
                               err);
}

static clv_status ask_local(infer *in, clv_outcome *out, clv_error *err)
{
    clv_tensors outputs = {0};
    int64_t start_us = clv_now_us();
    clv_status st = clv_segment_run(in->segment, in->inputs.items, in->inputs.n, &outputs, err);
    int64_t us = clv_now_us() - start_us;
    if (st) return st;
    *out = (clv_outcome){.model = clv_strdup(in->at.name),
                         .version =
                             in->at.version ? clv_format("%lld", (long long)in->at.version) : NULL,
                         .plan = "local",
                         .outputs = outputs,
                         .timed = true,
                         .timing = {.edge_us = us, .total_us = us}};
    return CLV_OK;
}

static clv_status ask(infer *in, clv_outcome *out, clv_error *err)
{
    if (!in->remote) return ask_local(in, out, err);
    const clv_remote_question q = {.model = in->model,
                                   .version = in->o.version,
                                   .inputs = &in->inputs,
                                   .explain = in->o.explain,
                                   .codec = in->codec};
    return clv_remote_infer(in->remote, &q, out, err);
}

/* The whole network on this machine, as a profile that is kept of it has it. */
static clv_prediction predict_local(infer *in)
{
    CLV_AUTO(clv_text_free) char *dir = clv_profile_cache_dir();
    const clv_profiler_options o = {.model = in->at.name,
                                    .threads = clv_device_threads(&in->device),
                                    .slowdown = in->device.slowdown};
    clv_profile *p = NULL;
    if (clv_profile_cache_find(dir, in->network, in->engine, &o, &p, NULL))
        return (clv_prediction){0};
    const clv_time *whole = &p->cuts[p->n_cuts - 1].prefix;
    clv_prediction out = clv_prediction_alone(whole->n ? whole->us : 0, whole->sigma_us);
    clv_profile_free(p);
    return out;
}

/* What was predicted of the last answer; the node has told with it. */
static void explain(infer *in)
{
    clv_outcome *a = &in->outcome;
    a->explain = true;
    if (!in->remote) a->predicted = predict_local(in);
    a->unexplained =
        in->remote ? "the node tells none: it is no cleave, it has no profile of the model yet, or "
                     "the request is a batch or begins at a cut"
                   : "no profile of this model on this device is kept; a node that shares its work "
                     "makes one";
}

static clv_status ask_all(infer *in, clv_error *err)
{
    size_t n = (size_t)in->o.count;
    CLV_AUTO(clv_free) double *total_us = clv_alloc_array(n, sizeof *total_us);
    clv_progress *progress = n > 1 ? clv_progress_new("infer", n) : NULL;
    clv_status st = CLV_OK;
    for (size_t i = 0; i < n && !st; i++) {
        clv_outcome_done(&in->outcome);
        st = ask(in, &in->outcome, err);
        total_us[i] = (double)in->outcome.timing.total_us;
        if (progress) clv_progress_show(progress, i + 1, "%s", in->model);
    }
    clv_progress_free(progress);
    if (st) return st;
    in->latency = (clv_outcome_latency){.count = n,
                                        .min_us = clv_quantile(total_us, n, 0),
                                        .p50_us = clv_quantile(total_us, n, 0.5),
                                        .p95_us = clv_quantile(total_us, n, 0.95)};
    return CLV_OK;
}

static void show(const infer *in)
{
    const clv_outcome_latency *l = &in->latency;
    if (!in->o.json) {
        clv_outcome_print(&in->outcome, &in->labels, stdout);
        if (l->count > 1) clv_outcome_print_latency(l, stdout);
        return;
    }
    json_t *j = clv_outcome_json(&in->outcome, &in->labels);
    json_object_set_new(j, "latency",
                        json_pack("{s:I, s:f, s:f, s:f}", "count", (json_int_t)l->count, "min_us",
                                  l->min_us, "p50_us", l->p50_us, "p95_us", l->p95_us));
    json_dumpf(j, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(j);
}

static clv_status infer_run(infer *in, clv_error *err)
{
    clv_status st = check_options(&in->o, err);
    if (!st && in->o.labels) st = clv_labels_read(in->o.labels, &in->labels, err);
    if (!st) st = in->o.url ? prepare_remote(in, err) : prepare_local(in, err);
    if (!st) st = ask_all(in, err);
    if (!st && in->o.explain) explain(in);
    if (!st && in->o.out_dir) st = clv_outcome_write(&in->outcome, in->o.out_dir, err);
    if (!st) show(in);
    return st;
}

clv_status clv_cmd_infer(clv_args *args, clv_error *err)
{
    infer in = {0};
    const clv_opt_set sets[] = {{clv_input_opts, CLV_INPUT_OPTS, &in.input},
                                {infer_opts, CLV_COUNT(infer_opts), &in.o},
                                {clv_model_opts, clv_model_opts_n, &in.model_options},
                                {clv_device_opts, clv_device_opts_n, &in.device}};
    bool help;
    clv_status st = clv_cli_begin(&infer_about, sets, CLV_COUNT(sets), args, &help, err);
    if (st || help) return st;
    in.model = args->argv[0];
    st = infer_run(&in, err);
    infer_done(&in);
    clv_opt_done(sets, CLV_COUNT(sets));
    return st;
}
