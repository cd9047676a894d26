/* The parts of a request that run here, on the compute lane. */
#include "split/carry.h"

#include "base/clock.h"
#include "split/coding.h"

#include <stdlib.h>

bool clv_carry_given_up(clv_carry *c)
{
    clv_error err = {0};
    int64_t now = clv_now_us();
    if (atomic_load(&c->recalled))
        clv_fail(&err, CLV_ECANCELED, "model '%s': whoever asked has gone", c->s->model);
    else if (c->r->deadline_us && now >= c->r->deadline_us)
        clv_fail(&err, CLV_ETIMEOUT,
                 "model '%s': the deadline passed %lld us ago, before the request could run",
                 c->s->model, (long long)(now - c->r->deadline_us));
    if (!err.status) return false;
    clv_carry_fail(c, &err);
    return true;
}

bool clv_carry_turned_away(clv_carry *c)
{
    clv_error err = {0};
    if (clv_carry_given_up(c)) return true;
    if (!clv_carry_too_late(c, &err)) return false;
    clv_carry_fail(c, &err);
    return true;
}

clv_status clv_carry_read(clv_carry *c, const clv_segment *segment, int64_t *decode_us,
                          clv_error *err)
{
    size_t n;
    const clv_tensor_spec *specs = clv_segment_inputs(segment, &n);
    int64_t start = clv_now_us();
    clv_status status = clv_coding_read(&c->given, specs, n, &c->plain, err);
    *decode_us += clv_now_us() - start;
    return status;
}

/* Run a segment on this lane and count its time. */
static clv_status run_segment(clv_carry *c, clv_segment *segment, clv_tensors *out, int64_t *us,
                              int64_t *decode_us, clv_error *err)
{
    size_t n;
    clv_status unread = clv_carry_read(c, segment, decode_us, err);
    if (unread) return unread;
    clv_tensor *in = clv_carry_gather(c, segment, &n);
    int64_t start = clv_now_us();
    clv_status status = clv_segment_run(segment, in, n, out, err);
    int64_t took = clv_now_us() - start;
    *us += took;
    if (took >= CLV_LOOP_SLEEPS_US) clv_loop_rouse(c->s->o.loop); /* what came of it goes there */
    if (!status) clv_pace_saw(c->part, c->rows, took);
    free(in);
    return status;
}

void clv_carry_run_rest(void *arg, int64_t queue_us)
{
    clv_carry *c = arg;
    c->r->timing.wait_us += queue_us;
    if (clv_carry_turned_away(c)) return;
    clv_tensors out = {0};
    clv_error err = {0};
    clv_timing *t = &c->r->timing;
    if (run_segment(c, c->run, &out, &t->edge_us, &t->decode_us, &err))
        clv_carry_fail(c, &err);
    else
        clv_carry_answer(c, &out);
    clv_tensors_done(&out);
}

void clv_carry_run_head(void *arg, int64_t queue_us)
{
    clv_carry *c = arg;
    c->r->timing.wait_us += queue_us;
    if (clv_carry_turned_away(c)) return;
    clv_timing *t = &c->r->timing;
    clv_error err = {0};
    if (c->run && run_segment(c, c->run, &c->made, &t->edge_us, &t->decode_us, &err))
        clv_carry_fail(c, &err);
    else if (!clv_carry_given_up(c))
        clv_carry_hand_over(c);
}

void clv_carry_run_hedge(void *arg, int64_t queue_us)
{
    clv_carry *c = arg;
    c->hedge.wait_us = queue_us;
    if (!atomic_load(&c->answered))
        (void)!run_segment(c, c->run, &c->hedge.out, &c->hedge.run_us, &c->hedge.decode_us,
                           &c->hedge.error);
    clv_loop_post(c->s->o.loop, clv_carry_hedge_ended, c);
}

/* How many rows a segment's inputs have in this request; 0: none of them follows the batch. */
static size_t rows_of(const clv_carry *c, clv_segment *segment)
{
    size_t n;
    clv_tensor *in = clv_carry_gather(c, segment, &n);
    size_t rows = n && in[0].shape.rank > 0 ? (size_t)in[0].shape.dim[0] : 0;
    free(in);
    return rows;
}

static void set_run(clv_carry *c, size_t from, size_t to, clv_segment *segment)
{
    c->run = segment;
    c->part = segment ? clv_pace_of(&c->s->pace, from, to) : NULL;
    c->rows = segment ? rows_of(c, segment) : 0;
}

void clv_carry_go_on(clv_carry *c, size_t from, size_t to, clv_segment *segment)
{
    set_run(c, from, to, segment);
    clv_carry_run_rest(c, 0);
}

void clv_carry_run(clv_carry *c, size_t from, size_t to, clv_segment *segment,
                   void (*step)(void *, int64_t))
{
    clv_error err = {0};
    set_run(c, from, to, segment);
    clv_job job = clv_carry_job(c);
    job.run = step;
    job.arg = c;
    job.cost_us = clv_pace_us(c->part, c->rows);
    if (step != clv_carry_run_hedge && clv_carry_may_share(c)) {
        job.kind = c->part;
        job.together = clv_carry_together;
        job.run_together = clv_carry_run_together;
    }
    if (clv_lane_submit(c->s->o.compute, &job, &err) == CLV_OK) return;
    if (step == clv_carry_run_hedge) { /* the peer is still there */
        c->hedge.error = err;
        clv_loop_post(c->s->o.loop, clv_carry_hedge_ended, c);
    } else {
        clv_carry_fail(c, &err);
    }
}
