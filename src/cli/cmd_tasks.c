/* cleave tasks: queue mode. A stream of mixed requests through a node in this process. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/unit.h"
#include "cli/cli.h"
#include "cli/node.h"
#include "cli/progress.h"
#include "cli/tasks_report.h"
#include "cli/workload.h"
#include "repo/verify.h"
#include "tensor/random.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define CLV_SETTLE_LOOK_US 20000

typedef struct tasks_options {
    clv_text_list mix;
    int64_t count, concurrency, seed, settle_us, timeout_us;
    double rate;
    const char *trace, *replay, *cloud_power;
    bool check, json;
    int log_level;
} tasks_options;

static const clv_opt tasks_opts[] = {
    CLV_OPT(tasks_options, count, INT, "count", "100", .letter = 'n', .min = 1,
            .max = CLV_TASKS_MAX, .help = "number of requests"),
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
            .help = "record arrivals and results as JSON lines"),
    CLV_OPT(tasks_options, replay, TEXT, "replay", NULL, .arg = "FILE",
            .help = "repeat the arrivals of a trace"),
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
        "cleave tasks -m models --peer http://10.0.0.2:8000 --rate 20 --trace run.jsonl\n"
        "cleave tasks -m models --replay run.jsonl --check\n",
};

typedef struct clv_tasks {
    const tasks_options *o;
    clv_node node;
    clv_workload work;
    clv_tensors *inputs;   /* n_models x CLV_TASK_INPUTS */
    clv_tensors *expected; /* the uncut network's outputs, with --check */
    clv_task_result *results;
    clv_timer *timer;
    clv_progress *progress;
    int64_t start_us, settle_until_us;
    size_t next, ended, in_flight, failed;
    bool interrupted;
    clv_error error;
} tasks;

static void give_up(tasks *t)
{
    clv_loop_stop(t->node.loop);
}

static clv_tensors *slot(clv_tensors *list, const clv_task *task)
{
    return &list[(size_t)task->model * CLV_TASK_INPUTS + (size_t)task->input];
}

static void pump(void *arg);

typedef struct flight {
    tasks *t;
    size_t index;
    clv_request *r;
} flight;

static bool same_outputs(const clv_tensors *got, const clv_tensors *expected)
{
    for (size_t i = 0; i < expected->n; i++) {
        const clv_tensor *t = clv_tensors_find(got, expected->items[i].name);
        if (!t || !(clv_tensor_difference(t, &expected->items[i]).relative <= CLV_VERIFY_TOLERANCE))
            return false;
    }
    return got->n == expected->n;
}

/* On the loop's thread: one request has ended. */
static void landed(void *arg)
{
    CLV_AUTO(clv_free) flight *f = arg;
    tasks *t = f->t;
    clv_request *r = f->r;
    clv_task_result *out = &t->results[f->index];
    out->status = r->error.status;
    out->timing = r->timing;
    memcpy(out->plan, r->plan, sizeof out->plan);
    out->recovered = r->recovered[0] != 0;
    const clv_energy_use use = clv_request_use(r);
    out->energy = clv_energy_j(&t->node.rates, &use);
    if (r->error.status) {
        if (t->failed++ == 0) t->error = r->error;
    } else if (t->expected) {
        out->mismatch = !same_outputs(&r->outputs, slot(t->expected, &t->work.tasks[f->index]));
    }
    clv_request_free(r);
    t->in_flight--;
    t->ended++;
    pump(t);
}

static void on_done(clv_request *r)
{
    flight *f = r->asker;
    clv_loop_post(f->t->node.loop, landed, f);
}

static void launch(tasks *t, size_t index)
{
    const clv_task *task = &t->work.tasks[index];
    const clv_tensors *in = slot(t->inputs, task);
    clv_request *r = clv_request_new(t->work.models[task->model]);
    for (size_t i = 0; i < in->n; i++)
        clv_tensors_add(&r->inputs,
                        clv_tensor_view(in->items[i].name, in->items[i].dtype, in->items[i].shape,
                                        in->items[i].data, in->items[i].bytes));
    flight *f = clv_alloc(sizeof *f);
    *f = (flight){t, index, r};
    r->asker = f;
    r->done = on_done;
    if (t->o->timeout_us) r->deadline_us = r->accepted_us + t->o->timeout_us;
    t->results[index].at_us = r->accepted_us - t->start_us;
    t->in_flight++;
    clv_server_submit(t->node.server, r);
}

/* Send what is due, as far as the concurrency allows. */
static void pump(void *arg)
{
    tasks *t = arg;
    size_t n = t->interrupted ? t->next : t->work.n;
    int64_t now = clv_now_us() - t->start_us;
    while (t->next < n && t->in_flight < (size_t)t->o->concurrency &&
           t->work.tasks[t->next].at_us <= now)
        launch(t, t->next++);
    clv_progress_show(t->progress, t->ended, "%zu of %zu done, %zu in flight, %zu failed", t->ended,
                      n, t->in_flight, t->failed);
    if (t->ended >= n && t->in_flight == 0)
        clv_loop_stop(t->node.loop);
    else if (t->next < n && t->in_flight < (size_t)t->o->concurrency)
        clv_timer_start(t->timer, CLV_MAX(t->work.tasks[t->next].at_us - now, 1), 0);
}

/* Inputs of each model of the mix, and what the uncut network makes of them. */
static clv_status make_inputs(tasks *t, clv_error *err)
{
    size_t n = t->work.n_models * CLV_TASK_INPUTS;
    t->inputs = clv_alloc_array(n, sizeof *t->inputs);
    if (t->o->check) t->expected = clv_alloc_array(n, sizeof *t->expected);
    clv_rng rng = clv_rng_seeded((uint64_t)t->o->seed);
    clv_status status = CLV_OK;
    for (size_t m = 0; !status && m < t->work.n_models; m++) {
        clv_model_info info;
        status = clv_server_model_ready(t->node.server, t->work.models[m], NULL, &info, err);
        if (status) break;
        clv_segment *whole = NULL;
        if (!status && t->o->check)
            status = clv_network_segment(info.network, 0, clv_network_cuts(info.network)->n - 1,
                                         &whole, err);
        for (int k = 0; !status && k < CLV_TASK_INPUTS; k++) {
            size_t n_specs, at = m * CLV_TASK_INPUTS + (size_t)k;
            const clv_tensor_spec *specs = clv_network_inputs(info.network, &n_specs);
            status = clv_tensors_random(specs, n_specs, 1, &rng, &t->inputs[at], err);
            if (!status && whole)
                status =
                    clv_segment_run(whole, t->inputs[at].items, n_specs, &t->expected[at], err);
        }
        clv_segment_unref(whole);
        clv_model_info_done(&info);
    }
    return status;
}

static clv_status make_work(tasks *t, clv_error *err)
{
    if (t->o->replay) return clv_workload_read(t->o->replay, &t->work, err);
    size_t n;
    clv_model_info *models = clv_server_models(t->node.server, &n);
    const char **names = clv_alloc_array(n + t->o->mix.n, sizeof *names);
    size_t n_names = 0;
    for (size_t i = 0; i < t->o->mix.n; i++) names[n_names++] = t->o->mix.items[i];
    for (size_t i = 0; n_names == i && i < n && t->o->mix.n == 0; i++)
        names[n_names++] = models[i].name;
    clv_status status = CLV_OK;
    if (n_names == 0)
        status = clv_fail(err, CLV_EINVAL, "no models in the repository");
    else
        clv_workload_make(&(clv_workload_mix){.count = (size_t)t->o->count,
                                              .rate_per_s = t->o->rate,
                                              .models = names,
                                              .n_models = n_names,
                                              .seed = (uint64_t)t->o->seed},
                          &t->work);
    for (size_t i = 0; i < n; i++) clv_model_info_done(&models[i]);
    free(models);
    free(names);
    return status;
}

/* Wait for models, profiles and the first plan, then begin. */
static void settle(void *arg)
{
    tasks *t = arg;
    bool late = clv_now_us() > t->settle_until_us;
    if (!clv_server_settled(t->node.server) && !late && !t->interrupted) {
        clv_progress_show(t->progress, 0, "loading, profiling, planning");
        clv_timer_start(t->timer, CLV_SETTLE_LOOK_US, 0);
        return;
    }
    if (make_work(t, &t->error) || make_inputs(t, &t->error)) {
        give_up(t);
        return;
    }
    t->results = clv_alloc_array(t->work.n, sizeof *t->results);
    clv_timer_free(t->timer);
    t->timer = clv_timer_new(t->node.loop, pump, t);
    t->start_us = clv_now_us();
    pump(t);
}

static void on_signal(void *arg)
{
    tasks *t = arg;
    if (t->interrupted || !t->results) give_up(t);
    t->interrupted = true;
}

static void tasks_done(tasks *t)
{
    for (size_t i = 0; i < t->work.n_models * CLV_TASK_INPUTS; i++) {
        if (t->inputs) clv_tensors_done(&t->inputs[i]);
        if (t->expected) clv_tensors_done(&t->expected[i]);
    }
    free(t->inputs);
    free(t->expected);
    free(t->results);
    clv_workload_done(&t->work);
}

static clv_status run(const tasks_options *o, const clv_node_options *node,
                      const clv_device_options *device, clv_error *err)
{
    clv_energy_rates cloud = {0};
    clv_error why = {0};
    if (o->cloud_power &&
        clv_power_parse(o->cloud_power, 1, &cloud.cloud, &cloud.cloud_price_per_s, &why))
        return clv_fail(err, CLV_EUSAGE, "--cloud-power: %s", why.text);
    tasks t = {.o = o, .settle_until_us = clv_now_us() + o->settle_us};
    if (clv_node_start(node, device, &t.node, err)) return err->status;
    t.node.rates.cloud = cloud.cloud;
    t.node.rates.cloud_price_per_s = cloud.cloud_price_per_s;
    t.progress = clv_progress_new("tasks", (size_t)o->count);
    t.timer = clv_timer_new(t.node.loop, settle, &t);
    clv_timer_start(t.timer, 0, 0);
    clv_loop_on_signal(t.node.loop, SIGINT, on_signal, &t);
    clv_loop_run(t.node.loop);
    int64_t took_us = clv_now_us() - t.start_us;
    clv_timer_free(t.timer);
    clv_progress_free(t.progress);
    clv_status status = CLV_OK;
    if (!t.results) {
        *err = t.error;
        status = t.error.status ? t.error.status : clv_fail(err, CLV_ECANCELED, "interrupted");
    } else {
        size_t n = t.interrupted ? t.ended : t.work.n;
        clv_tasks_report report = {&t.work, t.results, n, took_us, &t.node.rates};
        if (o->trace) status = clv_tasks_write_trace(o->trace, &report, (uint64_t)o->seed, err);
        clv_tasks_print(stdout, &report, o->json);
        if (!status && t.failed)
            status = clv_fail(err, t.error.status, "%zu of %zu requests failed; the first: %.400s",
                              t.failed, n, t.error.text);
    }
    clv_node_stop(&t.node);
    tasks_done(&t);
    return status;
}

clv_status clv_cmd_tasks(clv_args *args, clv_error *err)
{
    tasks_options o = {0};
    clv_node_options node = {0};
    clv_device_options device = {0};
    const clv_opt_set sets[] = {{tasks_opts, CLV_COUNT(tasks_opts), &o},
                                {clv_node_opts, clv_node_opts_n, &node},
                                {clv_device_opts, clv_device_opts_n, &device}};
    bool help;
    if (clv_cli_begin(&about, sets, CLV_COUNT(sets), args, &help, err)) return err->status;
    if (help) return CLV_OK;
    clv_log_set_level((clv_log_level)o.log_level);
    signal(SIGPIPE, SIG_IGN);
    clv_status status = run(&o, &node, &device, err);
    clv_opt_done(sets, CLV_COUNT(sets));
    return status;
}
