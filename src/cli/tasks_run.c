#include "cli/tasks_run.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/progress.h"
#include "cli/tasks_inputs.h"
#include "cli/tasks_look.h"
#include "cli/tasks_pin.h"
#include "cli/wire.h"
#include "cli/workload.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define CLV_SETTLE_LOOK_US 20000
/* Answered requests that are kept for a while: a second answer to one is then seen. */
enum { CLV_KEPT = 1024 };

typedef struct tasks tasks;

typedef struct flight {
    tasks *t;
    size_t index;
    clv_request *r;
    atomic_int answers;
} flight;

struct tasks {
    const clv_tasks_run_options *o;
    clv_tasks_outcome *out;
    clv_node node;
    clv_tasks_inputs inputs;
    clv_tasks_look look;
    clv_tasks_pin *pin;
    clv_wire *wire;
    clv_timer *timer, *look_timer;
    clv_progress *progress;
    flight *kept[CLV_KEPT];
    int64_t start_us, settle_until_us;
    size_t next, ended, in_flight;
    bool begun, interrupted;
    clv_error error;
};

static void give_up(tasks *t)
{
    clv_loop_stop(t->node.loop);
}

static void pump(void *arg);

/* Let go of an answered request, and see whether it was answered again meanwhile. */
static void forget(tasks *t, flight *f)
{
    if (!f) return;
    if (atomic_load(&f->answers) > 1) t->out->twice++;
    clv_request_free(f->r);
    free(f);
}

static void keep(tasks *t, flight *f)
{
    clv_tensors_done(&f->r->outputs);
    flight **place = &t->kept[t->ended % CLV_KEPT];
    forget(t, *place);
    *place = f;
}

static void note(tasks *t, const flight *f)
{
    const clv_request *r = f->r;
    clv_run_request *out = &t->out->run.requests[f->index];
    out->ended = true;
    out->status = r->error.status;
    out->timing = r->timing;
    out->predicted_us = r->predicted.us.total_us;
    out->up_bytes = (int64_t)r->up_bytes;
    out->down_bytes = (int64_t)r->down_bytes;
    if (r->crossed.n) {
        out->tensor_bytes = r->crossed.hops[0].tensor_bytes;
        out->coded_bytes = r->crossed.hops[0].coded_bytes;
    }
    out->plan = r->plan[0] ? clv_run_name(&t->out->run.plans, r->plan) : -1;
    out->recovered = r->recovered[0] != 0 || strcmp(r->hedged, "here") == 0;
    out->hedged = r->hedged[0] != 0;
    out->stayed = r->stayed;
    const clv_energy_use use = clv_request_use(r);
    const clv_energy energy = clv_energy_j(&t->out->rates, &use);
    out->energy_j = energy.total_j;
    out->price = energy.price;
    if (r->error.status) {
        if (t->out->failed++ == 0) t->out->first = r->error;
    } else if (t->o->check) {
        out->mismatch = !clv_tasks_inputs_right(&t->inputs, out, r);
        t->out->mismatches += out->mismatch;
    }
}

/* On the loop's thread: one request has ended. */
static void landed(void *arg)
{
    flight *f = arg;
    tasks *t = f->t;
    note(t, f);
    clv_tasks_look_saw(&t->look, &t->out->run.requests[f->index]);
    clv_tasks_look_link(&t->look, clv_now_us() - t->start_us);
    keep(t, f);
    t->in_flight--;
    t->ended++;
    pump(t);
}

static void on_done(clv_request *r)
{
    flight *f = r->asker;
    if (atomic_fetch_add(&f->answers, 1) == 0) clv_loop_post(f->t->node.loop, landed, f);
}

static void launch(tasks *t, size_t index)
{
    clv_run_request *task = &t->out->run.requests[index];
    const clv_tensors *in = clv_tasks_inputs_of(&t->inputs, task);
    clv_request *r = clv_request_new(t->out->run.models.items[task->model]);
    for (size_t i = 0; i < in->n; i++)
        clv_tensors_add(&r->inputs,
                        clv_tensor_view(in->items[i].name, in->items[i].dtype, in->items[i].shape,
                                        in->items[i].data, in->items[i].bytes));
    flight *f = clv_alloc(sizeof *f);
    f->t = t;
    f->index = index;
    f->r = r;
    r->asker = f;
    r->done = on_done;
    if (t->o->timeout_us) r->deadline_us = r->accepted_us + t->o->timeout_us;
    task->sent_us = r->accepted_us - t->start_us;
    t->in_flight++;
    clv_server_submit(t->node.server, r);
}

static size_t due(const tasks *t)
{
    return t->interrupted ? t->next : t->out->run.n_requests;
}

/* Send what is due, as far as the concurrency allows. */
static void pump(void *arg)
{
    tasks *t = arg;
    const clv_run_request *requests = t->out->run.requests;
    size_t n = due(t);
    int64_t now = clv_now_us() - t->start_us;
    while (t->next < n && t->in_flight < (size_t)t->o->concurrency &&
           requests[t->next].at_us <= now)
        launch(t, t->next++);
    if (t->ended >= n && t->in_flight == 0)
        clv_loop_stop(t->node.loop);
    else if (t->next < n && t->in_flight < (size_t)t->o->concurrency)
        clv_timer_start(t->timer, CLV_MAX(requests[t->next].at_us - now, 1), 0);
}

static void look(void *arg)
{
    tasks *t = arg;
    int64_t now = clv_now_us() - t->start_us;
    const clv_run *run = &t->out->run;
    clv_run_load load = {.in_flight = (int64_t)t->in_flight, .failed = (int64_t)t->out->failed};
    for (size_t i = t->next; i < due(t) && run->requests[i].at_us <= now; i++) load.waiting++;
    clv_tasks_look_now(&t->look, now, &load);
    CLV_AUTO(clv_text_free) char *line = clv_tasks_look_line(&t->look);
    clv_progress_show(t->progress, t->ended, "%s", line);
}

static void begin(tasks *t)
{
    clv_progress_free(t->progress);
    t->progress = clv_progress_new("tasks", t->out->run.n_requests);
    clv_timer_free(t->timer);
    t->timer = clv_timer_new(t->node.loop, pump, t);
    t->look_timer = clv_timer_new(t->node.loop, look, t);
    clv_timer_start(t->look_timer, CLV_TASKS_LOOK_US, CLV_TASKS_LOOK_US);
    t->start_us = clv_now_us();
    t->begun = true;
    if (t->wire) clv_wire_begin(t->wire, t->start_us);
    look(t);
    pump(t);
}

static void on_pinned(void *arg, const clv_error *error)
{
    tasks *t = arg;
    if (!error && !t->interrupted) {
        begin(t);
        return;
    }
    if (error) t->error = *error;
    give_up(t);
}

static clv_status make_work(tasks *t, clv_error *err)
{
    if (t->o->recorded) {
        clv_workload_again(t->o->recorded, &t->out->run);
        t->out->run.seed = (uint64_t)t->o->seed;
        return CLV_OK;
    }
    size_t n, n_names = 0;
    const clv_text_list *mix = t->o->mix;
    clv_model_info *models = clv_server_models(t->node.server, &n);
    CLV_AUTO(clv_free) const char **names = clv_alloc_array(n + mix->n, sizeof *names);
    for (size_t i = 0; i < mix->n; i++) names[n_names++] = mix->items[i];
    for (size_t i = 0; mix->n == 0 && i < n; i++) names[n_names++] = models[i].name;
    clv_status status = CLV_OK;
    if (n_names == 0)
        status = clv_fail(err, CLV_EINVAL, "no models in the repository");
    else
        status = clv_workload_make(&(clv_workload_mix){.count = (size_t)t->o->count,
                                                       .rate_per_s = t->o->rate_per_s,
                                                       .models = names,
                                                       .n_models = n_names,
                                                       .seed = (uint64_t)t->o->seed},
                                   &t->out->run, err);
    for (size_t i = 0; i < n; i++) clv_model_info_done(&models[i]);
    free(models);
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
    if (make_work(t, &t->error) ||
        clv_tasks_inputs_make(t->node.server, &t->out->run, t->o->check, &t->inputs, &t->error)) {
        give_up(t);
        return;
    }
    t->look = (clv_tasks_look){.server = t->node.server, .trace = &t->out->run};
    if (t->o->at)
        clv_tasks_pin_all(t->node.server, &t->out->run.models, t->o->at, on_pinned, t, &t->pin);
    else
        begin(t);
}

static void on_signal(void *arg)
{
    tasks *t = arg;
    if (t->interrupted || !t->begun) give_up(t);
    t->interrupted = true;
}

/* After the loop has stopped. */
static void end(tasks *t)
{
    t->out->took_us = clv_now_us() - t->start_us;
    t->out->unanswered = t->next - t->ended;
    clv_error why = {0};
    if (t->wire && clv_wire_end(t->wire, &t->out->run, &why) && t->o->recorded) t->error = why;
}

static clv_status run(tasks *t, clv_error *err)
{
    t->out->rates = t->node.rates;
    t->out->rates.cloud = t->o->cloud.cloud;
    t->out->rates.cloud_price_per_s = t->o->cloud.cloud_price_per_s;
    t->progress = clv_progress_new("tasks", 0);
    t->timer = clv_timer_new(t->node.loop, settle, t);
    clv_timer_start(t->timer, 0, 0);
    clv_loop_on_signal(t->node.loop, SIGINT, on_signal, t);
    clv_loop_run(t->node.loop);
    if (t->begun) end(t);
    clv_timer_free(t->timer);
    clv_timer_free(t->look_timer);
    clv_progress_free(t->progress);
    if (t->error.status) {
        *err = t->error;
        return t->error.status;
    }
    return t->begun ? CLV_OK : clv_fail(err, CLV_ECANCELED, "interrupted");
}

/* In a lab: its links are watched, or repeated. Without one that can be asked there is nothing to see. */
static clv_status open_wire(tasks *t, clv_error *err)
{
    const char *control = getenv("CLEAVE_LAB");
    if (!control || !*control) return CLV_OK;
    const clv_run *recorded = t->o->recorded;
    bool drives = recorded && (recorded->n_wires || recorded->n_links);
    clv_status status = clv_wire_new(control, drives ? recorded : NULL, &t->wire, err);
    return drives ? status : CLV_OK;
}

clv_status clv_tasks_run(const clv_tasks_run_options *options, clv_tasks_outcome *out,
                         clv_error *err)
{
    CLV_AUTO(clv_free) tasks *t = clv_alloc(sizeof *t);
    t->o = options;
    t->out = out;
    t->settle_until_us = clv_now_us() + options->settle_us;
    clv_status status = open_wire(t, err);
    if (!status && !(status = clv_node_start(options->node, options->device, &t->node, err))) {
        status = run(t, err);
        clv_node_stop(&t->node);
    }
    for (size_t i = 0; i < CLV_KEPT; i++) forget(t, t->kept[i]);
    clv_wire_free(t->wire);
    clv_tasks_pin_free(t->pin);
    clv_tasks_look_done(&t->look);
    clv_tasks_inputs_done(&t->inputs);
    return status;
}
