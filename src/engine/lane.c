#include "engine/lane.h"
#include "base/clock.h"
#include "base/mem.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct waiting {
    clv_job job;
    int64_t key;       /* deadline, INT64_MAX for none */
    uint64_t sequence; /* of arrival */
    int64_t since_us;
} waiting;

struct clv_lane {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    waiting *heap; /* smallest (key, sequence) first */
    size_t n, cap, queue_max;
    uint64_t arrivals;
    char name[32];
    int cpu;
    bool running, stop;
};

static bool before(const waiting *a, const waiting *b)
{
    return a->key != b->key ? a->key < b->key : a->sequence < b->sequence;
}

static void swap(waiting *a, waiting *b)
{
    waiting t = *a;
    *a = *b;
    *b = t;
}

static void push(clv_lane *lane, waiting w)
{
    clv_grow(&lane->heap, &lane->cap, lane->n + 1, sizeof *lane->heap);
    size_t i = lane->n++;
    lane->heap[i] = w;
    for (; i && before(&lane->heap[i], &lane->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&lane->heap[i], &lane->heap[(i - 1) / 2]);
}

static waiting pop(clv_lane *lane)
{
    waiting first = lane->heap[0];
    lane->heap[0] = lane->heap[--lane->n];
    for (size_t i = 0;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < lane->n; child++)
            if (before(&lane->heap[child], &lane->heap[least])) least = child;
        if (least == i) return first;
        swap(&lane->heap[i], &lane->heap[least]);
        i = least;
    }
}

/* Pinning and naming are best effort: a lane without them works as well, only less steadily. */
static void settle(const clv_lane *lane)
{
    pthread_setname_np(pthread_self(), lane->name);
    if (lane->cpu < 0 || lane->cpu >= CPU_SETSIZE) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)lane->cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void *work(void *arg)
{
    clv_lane *lane = arg;
    settle(lane);
    pthread_mutex_lock(&lane->lock);
    for (;;) {
        while (!lane->n && !lane->stop) pthread_cond_wait(&lane->wake, &lane->lock);
        if (!lane->n) break;
        waiting w = pop(lane);
        lane->running = true;
        pthread_mutex_unlock(&lane->lock);
        w.job.run(w.job.arg, clv_now_us() - w.since_us);
        pthread_mutex_lock(&lane->lock);
        lane->running = false;
    }
    pthread_mutex_unlock(&lane->lock);
    return NULL;
}

clv_lane *clv_lane_new(const char *name, size_t queue_max, int cpu)
{
    clv_lane *lane = clv_alloc(sizeof *lane);
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

clv_status clv_lane_submit(clv_lane *lane, const clv_job *job, clv_error *err)
{
    waiting w = {.job = *job,
                 .key = job->deadline_us ? job->deadline_us : INT64_MAX,
                 .since_us = clv_now_us()};
    pthread_mutex_lock(&lane->lock);
    bool full = lane->n >= lane->queue_max;
    if (!full) {
        w.sequence = lane->arrivals++;
        push(lane, w);
    }
    pthread_mutex_unlock(&lane->lock);
    if (!full)
        pthread_cond_signal(&lane->wake); /* unlocked: the woken thread need not wait again */
    if (full)
        return clv_fail(err, CLV_EBUSY, "lane '%s': %zu jobs are waiting already", lane->name,
                        lane->queue_max);
    return CLV_OK;
}

int clv_lane_depth(const clv_lane *lane)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&lane->lock; /* logically const */
    pthread_mutex_lock(lock);
    int depth = (int)lane->n + (lane->running ? 1 : 0);
    pthread_mutex_unlock(lock);
    return depth;
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
    free(lane->heap);
    free(lane);
}
