/* Whose waiting job is next: earliest deadline first, and a fair share for every asker. A queue as
 * a value, without a clock.
 *
 *     clv_fair q = {0};
 *     clv_fair_push(&q, &(clv_fair_job){.asker = 7, .since_us = now, .cost_us = 3000, ...});
 *     clv_fair_pop(&q, &job);                          // the next one
 *     clv_fair_pop_alike(&q, job.kind, &another);      // one more to run together with it
 *     clv_fair_settle(&q, job.asker, 4100 - 3000);     // it took longer than it was charged for
 *     clv_fair_done(&q);
 *
 * Every asker has an account: the device's time that it has used, counted from the least account of
 * those who wait (whoever comes anew starts there: time that was not used is not saved up). Among
 * the askers whose account is at most CLV_FAIR_BURST_US above the least one, the job with the
 * earliest deadline is next. So deadlines rule while nobody takes much more than the others do, and
 * whoever does waits until the others have had as much: a job waits at most for the burst and one
 * job of each other asker longer than if its asker had a share of the device alone.
 *
 * Nobody waits for ever behind later deadlines either: a job without a deadline counts as if its deadline were
 * CLV_FAIR_PATIENCE_US after its arrival, so what arrives later than that goes behind it.
 *
 * Goyal, Vin and Cheng, "Start-time Fair Queueing", SIGCOMM 1996, for the accounts (their start
 * tags; ours are the askers', not the packets', so that an asker's own jobs may overtake each
 * other); eligibility by a margin is after Bennett and Zhang, "WF2Q", INFOCOM 1996. Unlike theirs
 * our costs are estimates, put right when the job has run.
 *
 * Ownership: `what`, `with` and `kind` stay the caller's. Threads: one at a time. Cost of a call:
 * in the number of askers that wait; of clv_fair_pop_alike, _count, _work_us, _remove and _ahead_us
 * in the number of jobs.
 */
#ifndef CLV_POLICY_FAIR_H
#define CLV_POLICY_FAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLV_FAIR_BURST_US    50000
#define CLV_FAIR_PATIENCE_US 1000000

typedef struct clv_fair_job {
    uint64_t asker;
    int64_t deadline_us; /* 0: none */
    int64_t since_us;    /* its arrival */
    int64_t cost_us;     /* of the device's time, as far as it is known; at least 1 counts */
    const void *kind;    /* jobs of one kind may be run together; NULL: this one runs alone */
    const void *what;    /* tells the job from others */
    void *with;          /* the caller's, handed back */
} clv_fair_job;

typedef struct clv_fair_entry {
    clv_fair_job job;
    int64_t key; /* deadline, or what stands for it */
    uint64_t sequence;
} clv_fair_entry;

typedef struct clv_fair_asker {
    uint64_t id;
    int64_t account_us;
    clv_fair_entry *heap; /* smallest (key, sequence) first */
    size_t n, cap;
} clv_fair_asker;

typedef struct clv_fair {
    clv_fair_asker *askers; /* who waits, and who has used more than the least */
    size_t n_askers, cap_askers;
    size_t n; /* jobs */
    int64_t least_us;
    uint64_t arrivals;
} clv_fair;

void clv_fair_done(clv_fair *q);
void clv_fair_push(clv_fair *q, const clv_fair_job *job);
/* False: nothing waits. The asker is charged the job's cost. */
bool clv_fair_pop(clv_fair *q, clv_fair_job *out);
/* The next one of this kind; false: none. */
bool clv_fair_pop_alike(clv_fair *q, const void *kind, clv_fair_job *out);
/* A job that was popped took this much more than its cost (or less, below 0). */
void clv_fair_settle(clv_fair *q, uint64_t asker, int64_t more_us);
/* Take out the job with this `what`; false: it does not wait here. Nobody is charged. */
bool clv_fair_remove(clv_fair *q, const void *what, clv_fair_job *out);
size_t clv_fair_count(const clv_fair *q, const void *kind);
int64_t clv_fair_work_us(const clv_fair *q); /* costs of all that waits */
/* How much of the device's time goes to jobs of the queue before one like this would be next, if
 * nothing else arrives: exact for one asker, else no less than it will be but for a burst. */
int64_t clv_fair_ahead_us(const clv_fair *q, const clv_fair_job *job);

#endif
