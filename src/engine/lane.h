/* A lane: one worker thread with a bounded queue of jobs, one lane for each thing that computes (a
 * device). Jobs run in order of deadline, then of arrival; a job's waiting time is measured.
 *
 *     clv_job job = {.run = run_prefix, .arg = request, .deadline_us = d};
 *     clv_lane_submit(lane, &job, &err); // CLV_EBUSY: queue full
 *
 * Ownership: `arg` stays the submitter's. Every accepted job's `run` is called exactly once, also
 * at shutdown.
 */
#ifndef CLV_ENGINE_LANE_H
#define CLV_ENGINE_LANE_H

#include "base/status.h"

#include <stdint.h>

typedef struct clv_lane clv_lane;

typedef struct clv_job {
    void (*run)(void *arg,
                int64_t queue_us); /* on the lane's thread; queue_us: time from submit to start */
    void *arg;
    int64_t deadline_us; /* monotonic; 0: none (last) */
} clv_job;

/* `cpu`: pin the thread to this processor, -1: do not. */
clv_lane *clv_lane_new(const char *name, size_t queue_max, int cpu);
CLV_MUST
clv_status clv_lane_submit(clv_lane *lane, const clv_job *job, clv_error *err);
int clv_lane_depth(const clv_lane *lane); /* jobs waiting or running */
/* Runs what is queued, then stops and frees. NULL is fine. */
void clv_lane_free(clv_lane *lane);

#endif
