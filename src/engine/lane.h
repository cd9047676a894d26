/* A lane: one worker thread with a bounded queue of jobs, one lane for each thing that computes (a
 * device). The next job is the one with the earliest deadline, with a fair share of the lane for
 * each asker (policy/fair.h); a job's waiting time is measured.
 *
 *     clv_job job = {.run = run_prefix, .arg = request, .deadline_us = d, .asker = connection};
 *     clv_lane_submit(lane, &job, &err); // CLV_EBUSY: queue full
 *     clv_lane_withdraw(lane, request);  // true: it was waiting, and will not run
 *
 * Jobs of one kind may be run together: when one of them is next, the lane asks `together` how many
 * of those that wait already to take, and calls `run_together` once for all of them.
 *
 * Ownership: `arg` stays the submitter's. Of every accepted job that is not withdrawn, `run` is
 * called exactly once, or it is in one `run_together`; also at shutdown. Threads: all functions from
 * any; callbacks come on the lane's, `together` too, under the lane's lock: it must not call the lane.
 */
#ifndef CLV_ENGINE_LANE_H
#define CLV_ENGINE_LANE_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct clv_lane clv_lane;

typedef struct clv_job {
    void (*run)(void *arg,
                int64_t queue_us); /* on the lane's thread; queue_us: time from submit to start */
    void *arg;
    int64_t deadline_us; /* monotonic; 0: none (policy/fair.h says what that counts as) */
    uint64_t asker;      /* whose share of the lane it takes; 0: this node's own */
    int64_t cost_us;     /* what it will take, as far as known; 0: unknown */
    /* For running together; kind NULL: alone. Jobs of equal kind have equal functions. */
    void *kind;
    size_t (*together)(void *kind, void *first, size_t waiting, int64_t slack_us);
    void (*run_together)(void *kind, void *const *args, const int64_t *queue_us, size_t n);
} clv_job;

enum { CLV_LANE_TOGETHER_MAX = 64, CLV_LANE_WAITS = 64 };

/* `cpu`: pin the thread to this processor, -1: do not. */
clv_lane *clv_lane_new(const char *name, size_t queue_max, int cpu);
/* One whose jobs give way to everybody else's: its thread is nicer by CLV_LANE_NICE, where that
 * gets a tenth of a processor that is wanted. Threads that a job starts inherit that. */
#define CLV_LANE_NICE 10
clv_lane *clv_lane_new_background(const char *name, size_t queue_max);
CLV_MUST
clv_status clv_lane_submit(clv_lane *lane, const clv_job *job, clv_error *err);
/* Take out the job with this `arg` if it still waits. */
bool clv_lane_withdraw(clv_lane *lane, const void *arg);
int clv_lane_depth(const clv_lane *lane); /* jobs waiting or running */
/* What a job like this one would wait for: what is left of the running one, and what would be served
 * before it, by their costs. */
int64_t clv_lane_ahead_us(const clv_lane *lane, const clv_job *job);
/* Runs what is queued, then stops and frees. NULL is fine. */
void clv_lane_free(clv_lane *lane);

/* How busy it is, for those who think of coming. */
typedef struct clv_lane_load {
    int waiting, running; /* jobs */
    int64_t ahead_us;     /* costs of all of them, less what the running ones have had */
    int64_t wait_us;      /* 80 % quantile of what jobs waited lately; 0: none came */
    uint64_t ran, together, withdrawn; /* jobs, since the start: run, run with others, taken out */
} clv_lane_load;
clv_lane_load clv_lane_look(const clv_lane *lane);

#endif
