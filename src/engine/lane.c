#include "engine/lane.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "policy/fair.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLV_LATELY_US     5000000
#define CLV_LOAD_QUANTILE 0.8

struct clv_lane {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    clv_fair queue; /* of clv_job copies */
    size_t queue_max;
    char name[32];
    int cpu;
    bool background;
    bool stop;
    int running;
    int64_t started_us, running_cost_us;
    int64_t waited_us[CLV_LANE_WAITS], waited_at_us[CLV_LANE_WAITS]; /* a ring */
    uint64_t ran, together, withdrawn;
};

/* A job as it waits. */
typedef struct waiting {
    clv_job job;
    int64_t since_us;
} waiting;

static clv_fair_job fair_job(const clv_job *job, int64_t now_us)
{
    return (clv_fair_job){.asker = job->asker,
                          .deadline_us = job->deadline_us,
                          .since_us = now_us,
                          .cost_us = job->cost_us,
                          .kind = job->kind,
                          .what = job->arg};
}

/* Pinning and naming are best effort: a lane without them works as well, only less steadily. */
static void settle(const clv_lane *lane)
{
    pthread_setname_np(pthread_self(), lane->name);
    if (lane->background) (void)nice(CLV_LANE_NICE); /* on Linux, of this thread */
    if (lane->cpu < 0 || lane->cpu >= CPU_SETSIZE) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)lane->cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

/* ---- what runs next: under the lock ---- */

static waiting *pop(clv_lane *lane)
{
    clv_fair_job next;
    return clv_fair_pop(&lane->queue, &next) ? next.with : NULL;
}

/* The first job and those to run together with it. */
static size_t take(clv_lane *lane, waiting **batch)
{
    waiting *first = batch[0] = pop(lane);
    size_t n = 1, others = clv_fair_count(&lane->queue, first->job.kind), want = 1;
    if (first->job.kind && others) {
        int64_t slack = first->job.deadline_us ? first->job.deadline_us - clv_now_us() : INT64_MAX;
        want = first->job.together(first->job.kind, first->job.arg, 1 + others, slack);
    }
    clv_fair_job next;
    while (n < CLV_MIN(want, (size_t)CLV_LANE_TOGETHER_MAX) &&
           clv_fair_pop_alike(&lane->queue, first->job.kind, &next))
        batch[n++] = next.with;
    return n;
}

static void begin(clv_lane *lane, waiting *const *batch, size_t n, int64_t *queue_us)
{
    lane->running = (int)n;
    lane->started_us = clv_now_us();
    lane->running_cost_us = 0;
    for (size_t i = 0; i < n; i++) {
        queue_us[i] = lane->started_us - batch[i]->since_us;
        lane->running_cost_us += batch[i]->job.cost_us;
        lane->waited_us[lane->ran % CLV_LANE_WAITS] = queue_us[i];
        lane->waited_at_us[lane->ran++ % CLV_LANE_WAITS] = lane->started_us;
    }
    if (n > 1) lane->together += n;
}

/* Each asker pays its part of what it really took. */
static void end(clv_lane *lane, waiting *const *batch, size_t n)
{
    int64_t each_us = (clv_now_us() - lane->started_us) / (int64_t)n;
    lane->running = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t charged_us = CLV_MAX(batch[i]->job.cost_us, 1);
        clv_fair_settle(&lane->queue, batch[i]->job.asker, each_us - charged_us);
    }
}

static void run(waiting *const *batch, const int64_t *queue_us, size_t n)
{
    const clv_job *first = &batch[0]->job;
    void *args[CLV_LANE_TOGETHER_MAX];
    for (size_t i = 0; i < n; i++) args[i] = batch[i]->job.arg;
    if (n == 1)
        first->run(first->arg, queue_us[0]);
    else
        first->run_together(first->kind, args, queue_us, n);
}

static void *work(void *arg)
{
    clv_lane *lane = arg;
    settle(lane);
    pthread_mutex_lock(&lane->lock);
    for (;;) {
        while (!lane->queue.n && !lane->stop) pthread_cond_wait(&lane->wake, &lane->lock);
        if (!lane->queue.n) break;
        waiting *batch[CLV_LANE_TOGETHER_MAX];
        int64_t queue_us[CLV_LANE_TOGETHER_MAX];
        size_t n = take(lane, batch);
        begin(lane, batch, n, queue_us);
        pthread_mutex_unlock(&lane->lock);
        run(batch, queue_us, n);
        pthread_mutex_lock(&lane->lock);
        end(lane, batch, n);
        for (size_t i = 0; i < n; i++) free(batch[i]);
    }
    pthread_mutex_unlock(&lane->lock);
    return NULL;
}

/* ---- the face ---- */

static clv_lane *start(const char *name, size_t queue_max, int cpu, bool background)
{
    clv_lane *lane = clv_alloc(sizeof *lane);
    lane->background = background;
    snprintf(lane->name, 16, "%s", name); /* the kernel's limit for a thread's name */
    lane->queue_max = queue_max;
    lane->cpu = cpu;
    pthread_mutex_init(&lane->lock, NULL);
    pthread_cond_init(&lane->wake, NULL);
    if (pthread_create(&lane->thread, NULL, work, lane)) {
        fputs("cleave: cannot start a thread\n", stderr);
        abort();
    }
    return lane;
}

clv_lane *clv_lane_new(const char *name, size_t queue_max, int cpu)
{
    return start(name, queue_max, cpu, false);
}

clv_lane *clv_lane_new_background(const char *name, size_t queue_max)
{
    return start(name, queue_max, -1, true);
}

clv_status clv_lane_submit(clv_lane *lane, const clv_job *job, clv_error *err)
{
    waiting *w = clv_alloc(sizeof *w);
    *w = (waiting){.job = *job, .since_us = clv_now_us()};
    clv_fair_job fair = fair_job(job, w->since_us);
    fair.with = w;
    pthread_mutex_lock(&lane->lock);
    bool full = lane->queue.n >= lane->queue_max;
    if (!full) clv_fair_push(&lane->queue, &fair);
    pthread_mutex_unlock(&lane->lock);
    if (!full) {
        pthread_cond_signal(&lane->wake); /* unlocked: the woken thread need not wait again */
        return CLV_OK;
    }
    free(w);
    return clv_fail(err, CLV_EBUSY, "lane '%s': %zu jobs are waiting already", lane->name,
                    lane->queue_max);
}

bool clv_lane_withdraw(clv_lane *lane, const void *arg)
{
    clv_fair_job out = {0};
    pthread_mutex_lock(&lane->lock);
    bool found = clv_fair_remove(&lane->queue, arg, &out);
    if (found) lane->withdrawn++;
    pthread_mutex_unlock(&lane->lock);
    free(out.with);
    return found;
}

static pthread_mutex_t *lock_of(const clv_lane *lane)
{
    return (pthread_mutex_t *)(uintptr_t)&lane->lock; /* logically const */
}

int clv_lane_depth(const clv_lane *lane)
{
    pthread_mutex_lock(lock_of(lane));
    int depth = (int)lane->queue.n + lane->running;
    pthread_mutex_unlock(lock_of(lane));
    return depth;
}

/* What is left of the running jobs. Under the lock. */
static int64_t left_us(const clv_lane *lane, int64_t now_us)
{
    return lane->running ? CLV_MAX(lane->running_cost_us - (now_us - lane->started_us), 0) : 0;
}

int64_t clv_lane_ahead_us(const clv_lane *lane, const clv_job *job)
{
    int64_t now = clv_now_us();
    clv_fair_job fair = fair_job(job, now);
    pthread_mutex_lock(lock_of(lane));
    int64_t ahead = left_us(lane, now) + clv_fair_ahead_us(&lane->queue, &fair);
    pthread_mutex_unlock(lock_of(lane));
    return ahead;
}

/* Of what was waited lately. Under the lock. */
static int64_t usual_wait(const clv_lane *lane, int64_t now_us)
{
    double waits[CLV_LANE_WAITS];
    size_t n = 0, all = (size_t)CLV_MIN(lane->ran, (uint64_t)CLV_LANE_WAITS);
    for (size_t i = 0; i < all; i++)
        if (now_us - lane->waited_at_us[i] <= CLV_LATELY_US)
            waits[n++] = (double)lane->waited_us[i];
    return (int64_t)clv_quantile(waits, n, CLV_LOAD_QUANTILE);
}

clv_lane_load clv_lane_look(const clv_lane *lane)
{
    int64_t now = clv_now_us();
    pthread_mutex_lock(lock_of(lane));
    clv_lane_load load = {.waiting = (int)lane->queue.n,
                          .running = lane->running,
                          .ahead_us = left_us(lane, now) + clv_fair_work_us(&lane->queue),
                          .wait_us = usual_wait(lane, now),
                          .ran = lane->ran,
                          .together = lane->together,
                          .withdrawn = lane->withdrawn};
    pthread_mutex_unlock(lock_of(lane));
    return load;
}

void clv_lane_free(clv_lane *lane)
{
    if (!lane) return;
    pthread_mutex_lock(&lane->lock);
    lane->stop = true;
    pthread_cond_signal(&lane->wake);
    pthread_mutex_unlock(&lane->lock);
    pthread_join(lane->thread, NULL);
    pthread_mutex_destroy(&lane->lock);
    pthread_cond_destroy(&lane->wake);
    clv_fair_done(&lane->queue);
    free(lane);
}
