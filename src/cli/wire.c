#include "cli/wire.h"

#include "base/clock.h"
#include "base/mem.h"
#include "lab/lab.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define WATCH_EVERY_US 20000
/* A full TCP segment of 1500 bytes carries 1448: what a transfer gets of a link that counts packets. */
#define PACKET_BYTES  1500.0
#define SEGMENT_BYTES 1448.0

struct clv_wire {
    char *control;
    clv_run_wire *steps; /* to be taken; NULL: only watch */
    size_t n_steps, next;
    clv_run seen; /* its wires */
    clv_shape_values last[CLV_RELAY_LINKS_MAX][CLV_DIRECTIONS];
    clv_lab_reply *reply;
    clv_error error;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool running, ending; /* ending: guarded by the lock */
    int64_t start_us;
};

/* What the node took its link to be, as one that gives transfers these rates. */
static clv_run_wire step_of(const clv_run_link *l)
{
    clv_link link = {.up_bytes_per_s = l->up_bytes_per_s * PACKET_BYTES / SEGMENT_BYTES,
                     .down_bytes_per_s = l->down_bytes_per_s * PACKET_BYTES / SEGMENT_BYTES,
                     .rtt_us = l->rtt_us,
                     .up = l->up};
    clv_run_wire step = {.at_us = l->at_us};
    clv_lab_link_values(&link, &step.up, &step.down);
    return step;
}

clv_run_wire *clv_wire_steps(const clv_run *recorded, size_t *n)
{
    bool known = recorded->n_wires > 0;
    *n = known ? recorded->n_wires : recorded->n_links;
    clv_run_wire *steps = clv_alloc_array(*n, sizeof *steps);
    if (known && *n) memcpy(steps, recorded->wires, *n * sizeof *steps);
    for (size_t i = 0; !known && i < *n; i++) steps[i] = step_of(&recorded->links[i]);
    return steps;
}

static clv_status ask(clv_wire *w, clv_lab_request *q, clv_error *err)
{
    q->version = CLV_LAB_MESSAGE_VERSION;
    return clv_lab_ask(w->control, q, w->reply, err);
}

/* Note the links of the last reply that are not as they were. */
static void note(clv_wire *w, int64_t at_us, bool all)
{
    for (uint32_t i = 0; i < CLV_MIN(w->reply->n_links, (uint32_t)CLV_RELAY_LINKS_MAX); i++) {
        const clv_shape_values *now = w->reply->links[i].values;
        const clv_relay_counts *counts = w->reply->links[i].counts;
        bool same = memcmp(w->last[i], now, sizeof w->last[i]) == 0;
        memcpy(w->last[i], now, sizeof w->last[i]);
        if (all || !same)
            clv_run_add_wire(&w->seen,
                             &(clv_run_wire){.at_us = at_us,
                                             .link = (int64_t)i,
                                             .up = now[CLV_UP],
                                             .down = now[CLV_DOWN],
                                             .up_bytes = (int64_t)counts[CLV_UP].bytes,
                                             .down_bytes = (int64_t)counts[CLV_DOWN].bytes});
    }
}

static clv_status take_step(clv_wire *w, const clv_run_wire *step, clv_error *err)
{
    clv_lab_request q = {
        .op = CLV_LAB_SET,
        .link = (uint32_t)step->link,
        .values = {[CLV_UP] = step->up, [CLV_DOWN] = step->down},
        .fields = {[CLV_UP] = CLV_LAB_ALL_FIELDS, [CLV_DOWN] = CLV_LAB_ALL_FIELDS}};
    return ask(w, &q, err);
}

static clv_status take_steps(clv_wire *w, int64_t now_us, clv_error *err)
{
    clv_status status = CLV_OK;
    while (!status && w->next < w->n_steps && w->steps[w->next].at_us <= now_us)
        status = take_step(w, &w->steps[w->next++], err);
    return status;
}

/* How long until there is something to do. */
static int64_t rest_us(const clv_wire *w)
{
    int64_t until_us = WATCH_EVERY_US;
    if (w->next < w->n_steps)
        until_us = CLV_MIN(until_us, w->steps[w->next].at_us - (clv_now_us() - w->start_us));
    return CLV_MAX(until_us, 0);
}

static bool goes_on(clv_wire *w, int64_t us)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + us % 1000000 * 1000;
    until.tv_sec += us / 1000000 + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&w->lock);
    int late = 0;
    while (!w->ending && !late) late = pthread_cond_timedwait(&w->wake, &w->lock, &until);
    bool on = !w->ending;
    pthread_mutex_unlock(&w->lock);
    return on;
}

static void *follow(void *arg)
{
    clv_wire *w = arg;
    clv_error err = {0};
    do {
        int64_t at_us = clv_now_us() - w->start_us;
        clv_status status = take_steps(w, at_us, &err);
        if (!status) status = ask(w, &(clv_lab_request){.op = CLV_LAB_STATUS}, &err);
        if (status) {
            w->error = err;
            return NULL;
        }
        note(w, at_us, false);
    } while (goes_on(w, rest_us(w)));
    return NULL;
}

static clv_status check_links(const clv_wire *w, clv_error *err)
{
    for (size_t i = 0; i < w->n_steps; i++)
        if (w->steps[i].link >= w->reply->n_links)
            return clv_fail(err, CLV_EINVAL,
                            "the trace has a link %lld, counted from 0; this lab has %u",
                            (long long)w->steps[i].link, w->reply->n_links);
    return CLV_OK;
}

clv_status clv_wire_new(const char *control, const clv_run *recorded, clv_wire **out,
                        clv_error *err)
{
    clv_wire *w = clv_alloc(sizeof *w);
    w->control = clv_strdup(control);
    w->reply = clv_alloc(sizeof *w->reply);
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->wake, &attr);
    pthread_condattr_destroy(&attr);
    if (recorded) w->steps = clv_wire_steps(recorded, &w->n_steps);
    clv_status status = ask(w, &(clv_lab_request){.op = CLV_LAB_STATUS}, err);
    if (!status) status = check_links(w, err);
    if (!status) status = take_steps(w, 0, err);
    if (status) {
        clv_wire_free(w);
        return clv_within(err, "the emulated link");
    }
    *out = w;
    return CLV_OK;
}

void clv_wire_begin(clv_wire *w, int64_t start_us)
{
    clv_error err = {0};
    w->start_us = start_us;
    if (ask(w, &(clv_lab_request){.op = CLV_LAB_STATUS}, &err)) {
        w->error = err;
        return;
    }
    note(w, 0, true);
    w->running = pthread_create(&w->thread, NULL, follow, w) == 0;
    if (!w->running) clv_fail(&w->error, CLV_EIO, "no thread to follow the lab's links");
}

static void stop(clv_wire *w)
{
    if (!w->running) return;
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    w->running = false;
}

clv_status clv_wire_end(clv_wire *w, clv_run *trace, clv_error *err)
{
    stop(w);
    if (!w->error.status && !ask(w, &(clv_lab_request){.op = CLV_LAB_STATUS}, &(clv_error){0}))
        note(w, clv_now_us() - w->start_us, true); /* for what was carried */
    for (size_t i = 0; i < w->seen.n_wires; i++) clv_run_add_wire(trace, &w->seen.wires[i]);
    w->seen.n_wires = 0;
    if (w->error.status)
        return clv_fail(err, w->error.status, "the emulated link: %.400s", w->error.text);
    return CLV_OK;
}

void clv_wire_free(clv_wire *w)
{
    if (!w) return;
    stop(w);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    clv_run_done(&w->seen);
    free(w->steps);
    free(w->reply);
    free(w->control);
    free(w);
}
