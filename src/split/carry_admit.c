/* Is there any use in beginning with this request? */
#include "split/carry.h"

#include "base/clock.h"
#include "base/mem.h"
#include "policy/admit.h"

#include <stdio.h>

/* How many rows its inputs have, as far as the first one tells. */
static size_t rows_given(const clv_carry *c)
{
    const clv_tensor *t = c->given.n ? &c->given.items[0] : NULL;
    return t && t->shape.rank > 0 && t->shape.dim[0] > 0 ? (size_t)t->shape.dim[0] : 1;
}

static void name(const clv_carry *c, char *what, size_t size)
{
    snprintf(what, size, "model '%.80s'", c->s->model);
}

static clv_admit_question question(const clv_carry *c, int64_t run_us, bool on_lane)
{
    clv_job job = clv_carry_job(c);
    return (clv_admit_question){.now_us = clv_now_us(),
                                .deadline_us = c->r->deadline_us,
                                .ahead_us = on_lane ? clv_lane_ahead_us(c->s->o.compute, &job) : 0,
                                .run_us = run_us};
}

/* What the peer's part is predicted to take; 0: not known, or not this node's to plan. */
static int64_t remote_us(const clv_carry *c)
{
    return c->r->route ? 0 : CLV_MAX(atomic_load(&c->d->expected_remote_us), 0);
}

/* The head, if there is one, behind what waits here; then the peer's part as it is predicted. */
static clv_status admit_split(const clv_carry *c, const char *what, clv_error *err)
{
    size_t cut = clv_deployment_cut(c->d);
    int64_t then_us = remote_us(c);
    if (then_us == 0) return CLV_OK;
    int64_t head_us = c->d->head ? clv_pace_us(clv_pace_of(&c->s->pace, 0, cut), rows_given(c)) : 0;
    clv_admit_question q = question(c, head_us + then_us, c->d->head != NULL);
    return clv_admit(&q, what, err);
}

bool clv_carry_affords(const clv_carry *c, int64_t run_us)
{
    return clv_arrivals_rate(&c->s->arrivals, clv_now_us()) * (double)run_us < 1e6;
}

clv_status clv_carry_admit(clv_carry *c, bool *here, clv_error *err)
{
    char what[96];
    clv_error why = {0};
    if (!c->r->deadline_us) return CLV_OK;
    name(c, what, sizeof what);
    if (!*here && admit_split(c, what, &why) == CLV_OK) return CLV_OK;
    clv_pace_part *part = clv_pace_of(&c->s->pace, c->from, c->s->last);
    clv_admit_question q = question(c, clv_pace_us(part, rows_given(c)), true);
    if (why.status && !clv_carry_affords(c, q.run_us)) {
        *err = why;
        return why.status;
    }
    clv_status status = clv_admit(&q, what, err);
    if (status == CLV_ETIMEOUT) clv_pace_doubt(part);
    if (!status) *here = true;
    return status;
}

bool clv_carry_too_late(const clv_carry *c, clv_error *err)
{
    char what[96];
    if (!c->r->deadline_us || clv_lane_depth(c->s->o.compute) < 2) return false;
    bool all = c->part && c->part->to == c->s->last;
    int64_t run_us = clv_pace_us(c->part, c->rows) + (all ? 0 : remote_us(c));
    clv_admit_question q = question(c, run_us, false);
    name(c, what, sizeof what);
    return clv_admit(&q, what, err) != CLV_OK;
}
