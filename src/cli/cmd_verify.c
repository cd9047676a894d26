/* cleave verify: does the network give the same answer cut as uncut? */
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/device_options.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "repo/verify.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct verify_options {
    const char *cuts, *codec;
    int64_t batch, seed;
    bool json;
} verify_options;

static const clv_opt verify_opts[] = {
    CLV_OPT(verify_options, cuts, TEXT, "cuts", "all", .arg = "all|N|A-B",
            .help = "which cuts: all, N of them, spread evenly, or those numbered A to B"),
    CLV_OPT(verify_options, codec, TEXT, "codec", "raw", .arg = "NAME",
            .help = "write and read what crosses each cut: raw+zstd, f16, q8+zstd, ..."),
    CLV_OPT(verify_options, batch, INT, "batch", "1", .min = 1, .max = 1024,
            .help = "items in a request"),
    CLV_OPT(verify_options, seed, INT, "seed", "1", .help = "of the random inputs"),
    CLV_OPT(verify_options, json, FLAG, "json", NULL, .help = "print JSON"),
};

static const clv_cli_about verify_about = {
    .usage = "cleave verify MODEL [--cuts all|N|A-B]",
    .text = "Run the legal cuts of a network as prefix and suffix on random inputs and compare the "
            "outputs with those of "
            "the whole network: bit by bit, or within 1e-4 of the largest value. Fails if one "
            "differs by more. With a lossy --codec every tensor at a cut must come back within the "
            "error that its encoding states; what that makes of the outputs is told.",
    .examples = "cleave verify resnet18.onnx\n"
                "cleave verify models/googlenet --cuts 20 --batch 3\n"
                "cleave verify inception_v3.onnx --cuts 600-1199\n"
                "cleave verify alexnet.onnx --json\n"
                "cleave verify resnet18.onnx --codec q8+zstd\n",
    .positionals_min = 1,
    .positionals_max = 1,
};

/* One number of at most CLV_CUTS_CAP; where it ends, or NULL. */
static const char *read_number(const char *text, size_t *out)
{
    char *end;
    if (!isdigit((unsigned char)*text)) return NULL;
    unsigned long n = strtoul(text, &end, 10);
    *out = n;
    return n <= CLV_CUTS_CAP ? end : NULL;
}

static clv_status parse_cuts(const char *text, clv_verify_options *out, clv_error *err)
{
    if (strcmp(text, "all") == 0) return CLV_OK;
    size_t a, b;
    const char *end = read_number(text, &a);
    if (end && !*end && a > 0) {
        out->cuts_max = a;
        return CLV_OK;
    }
    if (end && *end == '-' && (end = read_number(end + 1, &b)) && !*end && a <= b && b > 0) {
        out->first = a;
        out->last = b;
        return CLV_OK;
    }
    return clv_fail(err, CLV_EUSAGE,
                    "--cuts '%s': expected all, a number from 1 to %d, or two, as in 100-199", text,
                    CLV_CUTS_CAP);
}

static void show(void *arg, size_t done, size_t total, const char *label)
{
    (void)total;
    clv_progress_show(arg, done, "cut %s", label);
}

static void print_json(const clv_network *net, const verify_options *o, const clv_verify_report *r)
{
    const char *reason = clv_network_uncut_reason(net);
    json_t *root = json_pack(
        "{s:I, s:I, s:f, s:f, s:I, s:I, s:b, s:s?, s:s?, s:s, s:f, s:I, s:I}", "cuts",
        (json_int_t)r->cuts, "mismatches", (json_int_t)r->mismatches, "max_abs_err",
        isfinite(r->max_abs_err) ? r->max_abs_err : -1.0, "max_rel_err",
        isfinite(r->max_rel_err) ? r->max_rel_err : -1.0, "exact", (json_int_t)r->exact, "skipped",
        (json_int_t)r->skipped, "capped", clv_network_cuts(net)->capped, "worst", r->worst,
        "uncut_reason", reason, "codec", o->codec, "coded_err", r->coded_err, "raw_bytes",
        (json_int_t)r->raw_bytes, "coded_bytes", (json_int_t)r->coded_bytes);
    json_dumpf(root, stdout, JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(root);
}

static void print_text(const clv_network *net, const clv_verify_report *r)
{
    printf("%zu cuts, %zu mismatches: %zu equal to the last bit, largest error %g (%.2g of the "
           "largest value)\n",
           r->cuts, r->mismatches, r->exact, r->max_abs_err, r->max_rel_err);
    if (r->worst)
        printf("%s: %s\n", r->mismatches ? "first mismatch" : "largest error at", r->worst);
    if (r->coded_bytes)
        printf("%.3g times fewer bytes; errors at cuts up to %.2g of what the encodings state\n",
               (double)r->raw_bytes / (double)r->coded_bytes, r->coded_err);
    if (r->skipped) printf("%zu cuts skipped: they run at batch 1 only\n", r->skipped);
    if (clv_network_cuts(net)->capped)
        printf("the network has more legal cuts than %d: only cuts through one tensor were tried\n",
               CLV_CUTS_CAP);
    if (clv_network_uncut_reason(net))
        printf("it can only run whole: %s\n", clv_network_uncut_reason(net));
}

static clv_status verify(const char *model, const verify_options *o, const clv_model_options *m,
                         clv_engine *engine, clv_error *err)
{
    clv_located at;
    clv_network *net;
    clv_verify_options options = {.batch = o->batch, .seed = (uint64_t)o->seed, .progress = show};
    clv_error why = {0};
    if (clv_codec_parse(o->codec, &options.codec, &why))
        return clv_fail(err, CLV_EUSAGE, "--codec: %s", why.text);
    clv_status status = parse_cuts(o->cuts, &options, err);
    if (!status) status = clv_model_open(model, m, engine, &at, &net, err);
    if (status) return status;
    clv_progress *p = clv_progress_new("verify", clv_verify_cuts(net, &options));
    options.arg = p;
    clv_verify_report r = {0};
    status = clv_verify(net, &options, &r, err);
    clv_progress_free(p);
    if (!status) {
        if (o->json)
            print_json(net, o, &r);
        else
            print_text(net, &r);
        if (r.mismatches)
            status = clv_fail(err, CLV_EMISMATCH,
                              "%s: %zu of %zu cuts change the answer, the first is '%s'", at.name,
                              r.mismatches, r.cuts, r.worst);
    }
    free(r.worst);
    clv_network_unref(net);
    clv_located_done(&at);
    return status;
}

clv_status clv_cmd_verify(clv_args *args, clv_error *err)
{
    verify_options o = {0};
    clv_device_options device = {0};
    clv_model_options model = {0};
    const clv_opt_set sets[] = {{verify_opts, CLV_COUNT(verify_opts), &o},
                                {clv_model_opts, clv_model_opts_n, &model},
                                {clv_device_opts, clv_device_opts_n, &device}};
    bool help;
    clv_status status = clv_cli_begin(&verify_about, sets, CLV_COUNT(sets), args, &help, err);
    if (status || help) return status;
    clv_engine *engine = NULL;
    status = clv_device_engine(&device, &engine, err);
    if (!status) status = verify(args->argv[0], &o, &model, engine, err);
    clv_engine_free(engine);
    clv_opt_done(sets, CLV_COUNT(sets));
    return status;
}
