/* cleave tasks: queue mode. A stream of mixed requests through a node in this process. */
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/run_chart.h"
#include "cli/tasks_report.h"
#include "cli/tasks_run.h"

#include <signal.h>

typedef struct tasks_options {
    clv_text_list mix;
    int64_t count, concurrency, seed, settle_us, timeout_us;
    double rate;
    const char *trace, *replay, *show, *svg, *at, *cloud_power;
    bool check, json;
    int log_level;
} tasks_options;

static const clv_opt tasks_opts[] = {
    CLV_OPT(tasks_options, count, INT, "count", "100", .letter = 'n', .min = 1,
            .max = CLV_RUN_REQUESTS_MAX, .help = "number of requests"),
    CLV_OPT(tasks_options, mix, LIST, "mix", NULL, .arg = "NAME,...",
            .help = "models to ask, drawn with equal odds (default: all)"),
    CLV_OPT(tasks_options, rate, REAL, "rate", "0", .max = 1e6, .arg = "PER_S",
            .help =
                "mean arrivals per second (Poisson); 0: the next as soon as --concurrency allows"),
    CLV_OPT(tasks_options, concurrency, INT, "concurrency", "4", .min = 1, .max = 4096,
            .help = "requests in flight at the most"),
    CLV_OPT(tasks_options, seed, INT, "seed", "1", .help = "of arrivals and inputs"),
    CLV_OPT(tasks_options, timeout_us, DURATION, "timeout", NULL, .max = 3600e6,
            .help = "deadline of each request (default: none)"),
    CLV_OPT(tasks_options, settle_us, DURATION, "settle", "600s", .max = 3600e6,
            .help = "wait at most this long for models, profiles and the first plan"),
    CLV_OPT(tasks_options, trace, TEXT, "trace", NULL, .arg = "FILE",
            .help = "record the run as JSON lines: requests, link, plans, queue"),
    CLV_OPT(tasks_options, replay, TEXT, "replay", NULL, .arg = "FILE",
            .help = "repeat the arrivals of a recorded run, and in a lab its link"),
    CLV_OPT(tasks_options, show, TEXT, "show", NULL, .arg = "FILE",
            .help = "ask nothing: the summary, or with --svg the picture, of a recorded run"),
    CLV_OPT(tasks_options, svg, TEXT, "svg", NULL, .arg = "FILE",
            .help = "draw the run over time: link, plan, latency, queue"),
    CLV_OPT(tasks_options, at, TEXT, "at", NULL, .arg = "CUT",
            .help = "keep this cut, whatever the link does: local, remote, a label or an index, "
                    "and a codec: 'pool3 q8'"),
    CLV_OPT(tasks_options, cloud_power, TEXT, "cloud-power", NULL, .arg = "SPEC",
            .help = "what the peer takes, for the summary: idle=80W,active=300W,price=0.5/h"),
    CLV_OPT(tasks_options, check, FLAG, "check", NULL,
            .help = "compare every output with the uncut network's (as `cleave verify` does)"),
    CLV_OPT(tasks_options, json, FLAG, "json", NULL, .help = "the summary as JSON"),
    CLV_OPT(tasks_options, log_level, CHOICE, "log", "warn", .choices = "debug|info|warn|error",
            .help = "least level to log"),
};

static const clv_cli_about about = {
    .usage = "cleave tasks [-m DIR] [--peer URL] [--mix NAME,...] [options]",
    .text = "Queue mode: a stream of mixed requests, several in flight, through a node in this "
            "process. The link is watched in "
            "the background and plans change as it changes. The summary gives throughput, latency "
            "quantiles and every plan used.",
    .examples =
        "cleave tasks -m models --peer http://10.0.0.2:8000 --count 500 --mix alexnet,vgg16\n"
        "cleave tasks -m models --peer http://10.0.0.2:8000 --rate 20 --trace run.jsonl --svg "
        "run.svg\n"
        "cleave tasks -m models --replay run.jsonl --check\n"
        "cleave tasks --show run.jsonl --svg run.svg\n"
        "cleave lab run --cloud 'cleave serve -m models --host {cloud}' --wait 8000 \\\n"
        "  --edge 'cleave tasks -m models --peer http://{cloud}:8000 --replay run.jsonl'\n",
};

/* A run in which anything went wrong has failed. */
static clv_status judge(const clv_tasks_outcome *out, clv_error *err)
{
    size_t n = clv_run_ended(&out->run);
    if (out->failed)
        return clv_fail(err, out->first.status, "%zu of %zu requests failed; the first: %.400s",
                        out->failed, n, out->first.text);
    if (out->mismatches)
        return clv_fail(err, CLV_EINTERNAL, "%zu of %zu outputs are not the uncut network's",
                        out->mismatches, n);
    if (out->twice)
        return clv_fail(err, CLV_EINTERNAL, "%zu of %zu requests were answered more than once",
                        out->twice, n);
    if (out->unanswered)
        return clv_fail(err, CLV_ECANCELED, "interrupted with %zu requests not answered",
                        out->unanswered);
    return CLV_OK;
}

/* The summary, and what was asked for of the run. */
static clv_status report(const tasks_options *o, const clv_tasks_outcome *out, clv_error *err)
{
    clv_status status = CLV_OK;
    if (o->svg) {
        CLV_AUTO(clv_buf_done) clv_buf svg = {0};
        clv_run_chart(&svg, &out->run);
        status = clv_file_write(o->svg, svg.data, svg.len, err);
    }
    if (!status && o->trace) status = clv_run_write(o->trace, &out->run, err);
    const clv_tasks_report what = {
        .run = &out->run,
        .took_us = out->took_us,
        .rates = &out->rates,
        .twice = out->twice,
        .unanswered = out->unanswered,
    };
    clv_tasks_print(stdout, &what, o->json);
    return status ? status : judge(out, err);
}

/* A recorded run, without asking anything. */
static clv_status show(const tasks_options *o, clv_error *err)
{
    clv_tasks_outcome out = {0};
    clv_status status = clv_run_read(o->show, &out.run, err);
    if (status) return status;
    out.took_us = clv_run_took_us(&out.run);
    if (clv_run_ended(&out.run) == 0)
        status = clv_fail(err, CLV_EINVAL, "'%s' has arrivals only, nothing has become of them",
                          o->show);
    else
        status = report(o, &out, err);
    clv_run_done(&out.run);
    return status;
}

static clv_status run(const tasks_options *o, const clv_node_options *node,
                      const clv_device_options *device, clv_error *err)
{
    clv_tasks_run_options options = {.node = node,
                                     .device = device,
                                     .mix = &o->mix,
                                     .count = o->count,
                                     .concurrency = o->concurrency,
                                     .seed = o->seed,
                                     .settle_us = o->settle_us,
                                     .timeout_us = o->timeout_us,
                                     .rate_per_s = o->rate,
                                     .at = o->at,
                                     .check = o->check};
    clv_error why = {0};
    if (o->cloud_power && clv_power_parse(o->cloud_power, 1, &options.cloud.cloud,
                                          &options.cloud.cloud_price_per_s, &why))
        return clv_fail(err, CLV_EUSAGE, "--cloud-power: %s", why.text);
    clv_run recorded = {0};
    if (o->replay && clv_run_read(o->replay, &recorded, err)) return err->status;
    if (o->replay) options.recorded = &recorded;
    clv_tasks_outcome out = {0};
    clv_status status = clv_tasks_run(&options, &out, err);
    if (!status) status = report(o, &out, err);
    clv_run_done(&out.run);
    clv_run_done(&recorded);
    return status;
}

clv_status clv_cmd_tasks(clv_args *args, clv_error *err)
{
    tasks_options o = {0};
    clv_node_options node = {0};
    clv_device_options device = {0};
    const clv_opt_set sets[] = {{tasks_opts, CLV_COUNT(tasks_opts), &o},
                                {clv_node_opts, clv_node_opts_n, &node},
                                CLV_OFFER_OPTS(&node.offer),
                                {clv_device_opts, clv_device_opts_n, &device}};
    bool help;
    if (clv_cli_begin(&about, sets, CLV_COUNT(sets), args, &help, err)) return err->status;
    if (help) return CLV_OK;
    clv_log_set_level((clv_log_level)o.log_level);
    signal(SIGPIPE, SIG_IGN);
    clv_status status = o.show ? show(&o, err) : run(&o, &node, &device, err);
    clv_opt_done(sets, CLV_COUNT(sets));
    return status;
}
