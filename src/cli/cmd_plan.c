/* cleave plan: the best placement for measured devices and links, the runners-up, and why. */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/unit.h"
#include "cli/cli.h"
#include "cli/plan_question.h"
#include "cli/plan_report.h"
#include "onnx/onnx.h"
#include "repo/locate.h"

#include <stdio.h>
#include <string.h>

typedef struct plan_options {
    const char *csv, *svg, *repository, *given;
    int policy, sweep, chart;
    double slowest, fastest;
    bool json;
} plan_options;

enum { SWEEP_NONE, SWEEP_RATE };
enum { CHART_AUTO, CHART_SWEEP, CHART_CUTS };
#define POLICY_ALL CLV_POLICY_COUNT

static const clv_opt plan_opts[] = {
    CLV_OPT(plan_options, repository, TEXT, "models", NULL, .arg = "DIR",
            .help = "repository in which a bare model name is looked up"),
    CLV_OPT(plan_options, policy, CHOICE, "policy", "exact",
            .choices = &(CLV_POLICY_MAP(CLV_POLICY_CHOICE) "|all")[1],
            .help = "who chooses: exact, or what others have published; all: side by side"),
    CLV_OPT(plan_options, given, TEXT, "given", NULL, .arg = "TEXT|FILE",
            .help = "weigh this plan: the line after 'as text:', or a file with it or from --json"),
    CLV_OPT(plan_options, sweep, CHOICE, "sweep", "none", .choices = "none|rate",
            .help = "which cut wins at which bandwidth, exactly"),
    CLV_OPT(plan_options, slowest, RATE, "from", "0.1Mbit", .min = 1, .max = 1e12,
            .help = "lowest rate of the sweep"),
    CLV_OPT(plan_options, fastest, RATE, "to", "1Gbit", .min = 1, .max = 1e12,
            .help = "highest rate of the sweep"),
    CLV_OPT(plan_options, csv, TEXT, "csv", NULL, .arg = "FILE",
            .help = "write the sweep, else the ranked cuts, '-' for standard output"),
    CLV_OPT(plan_options, svg, TEXT, "svg", NULL, .arg = "FILE", .help = "write a chart"),
    CLV_OPT(plan_options, chart, CHOICE, "chart", "auto", .choices = "auto|sweep|cuts",
            .help = "of the sweep, or of what each cut takes; auto: the sweep if there is one"),
    CLV_OPT(plan_options, json, FLAG, "json", NULL, .help = "print everything as JSON"),
};

static const clv_cli_about plan_about = {
    .usage = "cleave plan MODEL --edge FILE --cloud FILE --link LINK",
    .text =
        "Prints the best placement of a network on measured devices and links: what runs where, "
        "what each part takes in time and energy, the runners-up, which limit binds, whether it is "
        "proven optimal, and one sentence on why. Exit status 1 when nothing keeps the limits, "
        "with "
        "the smallest change of each limit that would do.",
    .examples =
        "cleave plan resnet18.onnx --edge edge.json --cloud cloud.json --link wifi\n"
        "cleave plan resnet18.onnx --edge edge.json --cloud cloud.json --link 5.85Mbit,60ms\n"
        "cleave plan resnet18.onnx --edge edge.json --cloud cloud.json --objective energy \\\n"
        "      --power edge=idle=2W,active=7W --radio wifi --deadline 200ms\n"
        "cleave plan resnet18.onnx --device pi=a.json --device hub=b.json --device gpu=c.json \\\n"
        "      --link wifi --link lan --memory pi=64MiB --private input\n"
        "cleave plan resnet18.onnx --edge edge.json --cloud cloud.json --policy all\n"
        "cleave plan resnet18.onnx --edge edge.json --cloud cloud.json --link wifi \\\n"
        "      --given 'edge - | raw | cloud ..output'\n"
        "cleave plan resnet18.onnx --edge edge.json --cloud cloud.json --sweep rate --svg s.svg\n"
        "cleave plan resnet18.onnx --edge edge.json --cloud cloud.json --chart cuts --svg c.svg\n",
    .positionals_min = 1,
    .positionals_max = 1,
};

static void close_model(clv_onnx **model)
{
    clv_onnx_free(*model);
}

/* The profiles must be of this very model: its digest is in them. No engine is needed for that. */
static clv_status check_model(const char *name, const char *path, const clv_profile *profile,
                              clv_error *err)
{
    CLV_AUTO(close_model) clv_onnx *model = NULL;
    char digest[CLV_DIGEST_TEXT];
    clv_status s = clv_onnx_open(path, &model, err);
    if (s != CLV_OK) return s;
    clv_onnx_digest(model, digest);
    if (strcmp(digest, profile->digest) != 0)
        return clv_fail(err, CLV_EMISMATCH,
                        "model '%s' has digest %.12s, the profiles are of '%s' with %.12s: profile "
                        "it again",
                        name, digest, profile->model, profile->digest);
    return CLV_OK;
}

static clv_status sweep(const plan_options *o, clv_plan_report *r, clv_error *err)
{
    if (o->sweep != SWEEP_RATE) return CLV_OK;
    if (o->slowest >= o->fastest)
        return clv_fail(err, CLV_EUSAGE, "--from %s: must be below --to %s",
                        clv_show_rate(o->slowest).s, clv_show_rate(o->fastest).s);
    clv_status s = clv_plan_sweep(&r->devices->tables->problem, o->slowest, o->fastest, &r->spans,
                                  &r->n_spans, err);
    return s ? clv_within(err, "--sweep rate") : CLV_OK;
}

static clv_status compare(const plan_options *o, clv_plan_report *r, clv_error *err)
{
    if (o->policy != POLICY_ALL) return CLV_OK;
    r->policies = clv_alloc_array(CLV_POLICY_COUNT, sizeof *r->policies);
    return clv_policies_compare(&r->devices->tables->problem, &(clv_policy_options){.seed = 1},
                                r->policies, err);
}

static clv_status decide(const plan_options *o, clv_plan_report *r, clv_error *err)
{
    const clv_plan_problem *p = &r->devices->tables->problem;
    r->policy = o->policy == POLICY_ALL ? CLV_POLICY_EXACT : (clv_policy)o->policy;
    int64_t start_ns = clv_now_ns();
    clv_status s = CLV_OK;
    clv_plan_chain chain;
    if (o->given) {
        s = clv_plan_given_read(o->given, r->devices->files.profiles[0]->digest, p, &chain, err);
        if (s == CLV_OK) s = clv_plan_given_weigh(p, &chain, &r->plan, &r->given, err);
    } else {
        s = clv_policy_plan(p, r->policy, &(clv_policy_options){.seed = 1}, &r->plan, err);
    }
    r->planning_us += (double)(clv_now_ns() - start_ns) / 1000;
    if (s != CLV_OK) return s;
    clv_plan_report_rank(r);
    s = sweep(o, r, err);
    return s == CLV_OK ? compare(o, r, err) : s;
}

static clv_status write_report(const plan_options *o, const clv_plan_report *r, clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf csv = {0};
    CLV_AUTO(clv_buf_done) clv_buf svg = {0};
    clv_status s = CLV_OK;
    if (o->csv) {
        clv_plan_report_csv(r, &csv);
        s = clv_file_write(o->csv, csv.data, csv.len, err);
    }
    if (o->svg && s == CLV_OK) {
        if (o->chart == CHART_SWEEP || (o->chart == CHART_AUTO && r->spans))
            clv_plan_report_svg_sweep(r, &svg);
        else
            clv_plan_report_svg_cuts(r, &svg);
        s = clv_file_write(o->svg, svg.data, svg.len, err);
    }
    if (s != CLV_OK) return s;
    if (o->json)
        clv_plan_report_json(r, stdout);
    else if (!o->csv || strcmp(o->csv, "-") != 0)
        clv_plan_report_print(r, stdout);
    return CLV_OK;
}

static clv_status check_options(const plan_options *o, size_t n_devices, clv_error *err)
{
    if (o->chart != CHART_AUTO && !o->svg)
        return clv_fail(err, CLV_EUSAGE, "--chart: needs --svg FILE to write to");
    if (o->chart == CHART_SWEEP && o->sweep != SWEEP_RATE)
        return clv_fail(err, CLV_EUSAGE, "--chart sweep: needs --sweep rate");
    if (o->given && o->policy != CLV_POLICY_EXACT && o->policy != POLICY_ALL)
        return clv_fail(err, CLV_EUSAGE, "--given: is weighed, --policy %s would choose another",
                        clv_policy_name((clv_policy)o->policy));
    const char *only_two = o->svg                    ? "--svg"
                           : o->csv                  ? "--csv"
                           : o->sweep                ? "--sweep"
                           : o->policy == POLICY_ALL ? "--policy all"
                                                     : NULL;
    if (only_two && n_devices != 2)
        return clv_fail(err, CLV_EUSAGE, "%s: is for two devices, there are %zu", only_two,
                        n_devices);
    return CLV_OK;
}

static clv_status check_codecs(const plan_options *o, const clv_offer_options *offered,
                               clv_error *err)
{
    clv_plan_offer offer;
    clv_policy policy = o->policy == POLICY_ALL ? CLV_POLICY_EXACT : (clv_policy)o->policy;
    clv_status s = clv_offer_read(offered, &offer, err);
    return s ? s : clv_offer_check(&offer, policy, err);
}

/* Who named a codec expects it to be tried. */
static void warn(const clv_plan_devices *d)
{
    CLV_AUTO(clv_text_free)
    char *text = clv_plan_left_out_text(&d->tables->left_out, d->files.profiles[0]->model);
    if (text) fprintf(stderr, "cleave plan: %s\n", text);
}

static clv_status plan(const char *model, const plan_options *o, const clv_plan_devices_options *of,
                       const clv_plan_question_options *asked, clv_error *err)
{
    CLV_AUTO(clv_plan_devices_close) clv_plan_devices devices = {0};
    CLV_AUTO(clv_plan_question_done) clv_plan_question question = {0};
    CLV_AUTO(clv_plan_report_done) clv_plan_report r = {.devices = &devices};
    CLV_AUTO(clv_located_done) clv_located at = {0};
    clv_status s = clv_locate(model, o->repository, &at, err);
    if (s == CLV_OK) s = clv_plan_devices_open(of, &at, &devices, err);
    if (s == CLV_OK) s = check_options(o, devices.files.n, err);
    if (s == CLV_OK) s = check_codecs(o, &of->offer, err);
    if (s == CLV_OK) s = check_model(model, at.path, devices.files.profiles[0], err);
    if (s == CLV_OK) s = clv_plan_question_ask(asked, &devices.tables->problem, &question, err);
    if (s == CLV_OK) warn(&devices);
    r.planning_us = devices.tables_us;
    if (s == CLV_OK) s = decide(o, &r, err);
    return s == CLV_OK ? write_report(o, &r, err) : s;
}

clv_status clv_cmd_plan(clv_args *args, clv_error *err)
{
    plan_options o = {0};
    clv_plan_devices_options of = {0};
    clv_plan_question_options asked = {0};
    const clv_opt_set sets[] = {CLV_PLAN_DEVICES_OPTS(&of),
                                CLV_OFFER_OPTS(&of.offer),
                                CLV_PLAN_QUESTION_OPTS(&asked),
                                {plan_opts, CLV_COUNT(plan_opts), &o}};
    bool help;
    clv_status s = clv_cli_begin(&plan_about, sets, CLV_COUNT(sets), args, &help, err);
    if (s || help) return s;
    s = plan(args->argv[0], &o, &of, &asked, err);
    clv_opt_done(sets, CLV_COUNT(sets));
    return s;
}
