/* cleave plan: the best cut for two profiles and a link, the runners-up, and why. */
#include "base/clock.h"
#include "base/file.h"
#include "base/unit.h"
#include "cli/cli.h"
#include "cli/plan_report.h"
#include "onnx/onnx.h"
#include "repo/locate.h"

#include <stdio.h>
#include <string.h>

typedef struct plan_options {
    const char *edge, *cloud, *link, *csv, *svg, *repository;
    int policy, sweep;
    int64_t queue_us, overhead_us;
    double slowest, fastest;
    bool json;
} plan_options;

enum { SWEEP_NONE, SWEEP_RATE };

static const clv_opt plan_opts[] = {
    CLV_OPT(plan_options, edge, TEXT, "edge", NULL, .arg = "FILE",
            .help = "profile of the edge, from 'cleave profile'"),
    CLV_OPT(plan_options, cloud, TEXT, "cloud", NULL, .arg = "FILE",
            .help = "profile of the cloud"),
    CLV_OPT(plan_options, link, TEXT, "link", "wifi", .arg = "LINK",
            .help = "cat1, 3g, lte, wifi, lan, down, RATE,RTT or UP/DOWN,RTT"),
    CLV_OPT(plan_options, repository, TEXT, "models", NULL, .arg = "DIR",
            .help = "repository in which a bare model name is looked up"),
    CLV_OPT(plan_options, policy, CHOICE, "policy", "exact", .choices = CLV_POLICY_CHOICES,
            .help = "exact tries every cut; edge and cloud run all on one side"),
    CLV_OPT(plan_options, queue_us, DURATION, "queue", "0us",
            .help = "wait at the cloud before it computes"),
    CLV_OPT(plan_options, overhead_us, DURATION, "overhead", "0us",
            .help = "fixed cost of a remote exchange besides the link"),
    CLV_OPT(plan_options, sweep, CHOICE, "sweep", "none", .choices = "none|rate",
            .help = "which cut wins at which bandwidth, exactly"),
    CLV_OPT(plan_options, slowest, RATE, "from", "0.1Mbit", .min = 1, .max = 1e12,
            .help = "lowest rate of the sweep"),
    CLV_OPT(plan_options, fastest, RATE, "to", "1Gbit", .min = 1, .max = 1e12,
            .help = "highest rate of the sweep"),
    CLV_OPT(plan_options, csv, TEXT, "csv", NULL, .arg = "FILE",
            .help = "write the sweep, else the ranked cuts, '-' for standard output"),
    CLV_OPT(plan_options, svg, TEXT, "svg", NULL, .arg = "FILE",
            .help = "write a chart of the sweep"),
    CLV_OPT(plan_options, json, FLAG, "json", NULL, .help = "print everything as JSON"),
};

static const clv_cli_about plan_about = {
    .usage = "cleave plan MODEL --edge FILE --cloud FILE --link LINK",
    .text = "Prints the best cut of a network for two measured devices and a link, the runners-up, "
            "what the edge, the link and the cloud take, and one sentence on why.",
    .examples =
        "cleave plan resnet18.onnx --edge edge.json --cloud cloud.json --link wifi\n"
        "cleave plan resnet18.onnx --edge edge.json --cloud cloud.json --link 5.85Mbit,60ms\n"
        "cleave plan resnet18.onnx --edge edge.json --cloud cloud.json --sweep rate --svg s.svg\n",
    .positionals_min = 1,
    .positionals_max = 1,
};

static void close_model(clv_onnx **model)
{
    clv_onnx_free(*model);
}

/* Both profiles must be of this very model: its digest is in them. No engine is needed for that. */
static clv_status check_model(const char *name, const char *repository, const clv_profile *edge,
                              clv_error *err)
{
    CLV_AUTO(clv_located_done) clv_located at = {0};
    CLV_AUTO(close_model) clv_onnx *model = NULL;
    char digest[CLV_DIGEST_TEXT];
    clv_status s = clv_locate(name, repository, &at, err);
    if (s == CLV_OK) s = clv_onnx_open(at.path, &model, err);
    if (s != CLV_OK) return s;
    clv_onnx_digest(model, digest);
    if (strcmp(digest, edge->digest) != 0)
        return clv_fail(err, CLV_EMISMATCH,
                        "model '%s' has digest %.12s, the profiles are of '%s' with %.12s: profile "
                        "it again",
                        name, digest, edge->model, edge->digest);
    return CLV_OK;
}

static clv_status sweep(const plan_options *o, clv_plan_report *r, clv_error *err)
{
    if (o->sweep != SWEEP_RATE) return CLV_OK;
    if (o->slowest >= o->fastest)
        return clv_fail(err, CLV_EUSAGE, "--from %s: must be below --to %s",
                        clv_show_rate(o->slowest).s, clv_show_rate(o->fastest).s);
    return clv_plan_sweep(&r->problem, o->slowest, o->fastest, &r->spans, &r->n_spans, err);
}

static clv_status decide(const plan_options *o, const clv_link *link, clv_plan_report *r,
                         clv_error *err)
{
    int64_t start_ns = clv_now_ns();
    clv_status s = clv_plan_problem_join(r->edge, r->cloud, link, &r->problem, err);
    if (s != CLV_OK) return s;
    r->problem.queue_us = (double)o->queue_us;
    r->problem.overhead_us = (double)o->overhead_us;
    s = clv_plan_solve(&r->problem, (clv_policy)o->policy, &r->plan, err);
    r->planning_us = (double)(clv_now_ns() - start_ns) / 1000;
    if (s != CLV_OK) return s;
    r->ranked = clv_alloc_array(r->problem.n_cuts, sizeof *r->ranked);
    clv_plan_rank(&r->problem, r->ranked);
    return sweep(o, r, err);
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
        clv_plan_report_svg(r, &svg);
        s = clv_file_write(o->svg, svg.data, svg.len, err);
    }
    if (s != CLV_OK) return s;
    if (o->json)
        clv_plan_report_json(r, stdout);
    else if (!o->csv || strcmp(o->csv, "-") != 0)
        clv_plan_report_print(r, stdout);
    return CLV_OK;
}

static clv_status plan(const char *model, const plan_options *o, clv_error *err)
{
    if (!o->edge || !o->cloud)
        return clv_fail(err, CLV_EUSAGE, "--%s is missing: a profile written by 'cleave profile'",
                        o->edge ? "cloud" : "edge");
    if (o->svg && o->sweep != SWEEP_RATE)
        return clv_fail(err, CLV_EUSAGE, "--svg '%s': needs --sweep rate", o->svg);
    clv_link link;
    clv_status s = clv_link_parse(o->link, &link, err);
    if (s != CLV_OK) return clv_fail(err, CLV_EUSAGE, "--%s", err ? err->text : "link");
    CLV_AUTO(clv_plan_report_done) clv_plan_report r = {0};
    s = clv_profile_read(o->edge, &r.edge, err);
    if (s == CLV_OK) s = clv_profile_read(o->cloud, &r.cloud, err);
    if (s == CLV_OK) s = check_model(model, o->repository, r.edge, err);
    if (s == CLV_OK) s = decide(o, &link, &r, err);
    return s == CLV_OK ? write_report(o, &r, err) : s;
}

clv_status clv_cmd_plan(clv_args *args, clv_error *err)
{
    plan_options o = {0};
    const clv_opt_set sets[] = {{plan_opts, CLV_COUNT(plan_opts), &o}};
    bool help;
    clv_status s = clv_cli_begin(&plan_about, sets, CLV_COUNT(sets), args, &help, err);
    if (s || help) return s;
    return plan(args->argv[0], &o, err);
}
