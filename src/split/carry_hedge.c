/* The peer's part of a request begun here as well, because its answer will be too late
 * (policy/hedge.h says when). The first answer wins; the other side is told, or its answer is
 * thrown away. All on the loop's thread, so that there is one order of what happens. */
#include "split/carry.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>

/* What the part takes here; 0: not known. */
static int64_t run_us(const clv_carry *c)
{
    int64_t run = clv_pace_us(clv_pace_of(&c->s->pace, clv_deployment_cut(c->d), c->s->last), 1);
    return run > 0 ? run : atomic_load(&c->d->expected_tail_us);
}

/* The same behind what waits. */
int64_t clv_carry_here_us(const clv_carry *c)
{
    int64_t run = run_us(c);
    clv_job job = clv_carry_job(c);
    return run > 0 ? run + clv_lane_ahead_us(c->s->o.compute, &job) : 0;
}

static clv_hedge_question question(const clv_carry *c)
{
    return (clv_hedge_question){.sent_us = c->asked_us,
                                .expected_us = c->expected_us,
                                .here_us = clv_carry_here_us(c),
                                .deadline_us = c->r->deadline_us,
                                .upload_us = c->upload_us};
}

/* Does the link not get its bytes there? */
static bool is_stuck(const clv_carry *c, const clv_hedge_question *q, int64_t now_us)
{
    clv_hedge_progress p;
    return clv_peer_look(c->s->ways[c->way].peer, &p) && clv_hedge_stuck(q, &p, now_us);
}

/* No budget for a hedge: leave the peer's part be, or, before a deadline, give it up while the tail
 * can still make it. But a peer that answers others is only busy, and who cannot take its load is
 * no help. */
static void give_up(clv_carry *c)
{
    bool answers = c->s->ways[c->way].answered_us > c->asked_us;
    if (!c->r->deadline_us || (answers && !clv_carry_affords(c, run_us(c)))) return;
    c->hedge.gave_up = true;
    clv_peer_cancel(c->s->ways[c->way].peer, c->call);
}

static void begin(clv_carry *c)
{
    c->hedge.running = true;
    c->hedge.begun_us = clv_now_us();
    atomic_fetch_add(&c->refs, 1);
    clv_carry_run(c, clv_deployment_cut(c->d), c->s->last, c->d->tail, clv_carry_run_hedge);
}

static void on_time(void *arg);

/* At `at_us`, or when its bytes are to be looked at before that. */
static void set_timer(clv_carry *c, const clv_hedge_question *q, int64_t at_us, int64_t now_us)
{
    int64_t next_us = CLV_MIN(at_us, clv_hedge_look_us(q, now_us));
    if (next_us >= c->peer_deadline_us) return;
    atomic_fetch_add(&c->refs, 1);
    c->hedge.timer = clv_timer_new(c->s->o.loop, on_time, c);
    clv_timer_start(c->hedge.timer, CLV_MAX(next_us - now_us, 0), 0);
}

static void on_time(void *arg)
{
    clv_carry *c = arg;
    int64_t now_us = clv_now_us();
    clv_carry_disarm(c);
    if (atomic_load(&c->answered) || atomic_load(&c->recalled) || !c->peer_open) return;
    clv_hedge_question q = question(c);
    bool due = now_us >= c->hedge.at_us, stuck = !due && is_stuck(c, &q, now_us);
    if (!due && !stuck)
        set_timer(c, &q, c->hedge.at_us, now_us);
    else if (!clv_hedge_helps(&q, now_us))
        return; /* others came before it here */
    else if (clv_hedge_take(&c->s->hedge))
        begin(c);
    else if (due)
        give_up(c);
    else
        set_timer(c, &q, c->hedge.at_us, now_us);
}

static void arm(void *arg)
{
    clv_carry *c = arg;
    if (c->peer_open && !atomic_load(&c->answered)) {
        clv_peer *peer = c->s->ways[c->way].peer;
        clv_hedge_progress p;
        clv_hedge_sent(&c->s->hedge);
        if (clv_peer_look(peer, &p)) {
            clv_link link = clv_peer_link(peer);
            c->upload_us = (int64_t)clv_link_exchange_us(&link, p.bytes, 0);
        }
        clv_hedge_question q = question(c);
        c->hedge.at_us = clv_hedge_at_us(&c->s->hedge, &q);
        set_timer(c, &q, c->hedge.at_us, c->asked_us);
    }
    clv_carry_unref(c);
}

void clv_carry_arm(clv_carry *c)
{
    clv_loop_post(c->s->o.loop, arm, c);
}

void clv_carry_disarm(clv_carry *c)
{
    if (!c->hedge.timer) return;
    clv_timer_free(c->hedge.timer);
    c->hedge.timer = NULL;
    clv_carry_unref(c);
}

void clv_carry_hedge_drop(clv_carry *c)
{
    if (!c->hedge.running || !clv_lane_withdraw(c->s->o.compute, c)) return;
    c->hedge.running = false;
    clv_carry_unref(c);
}

static void win(clv_carry *c)
{
    clv_timing *t = &c->r->timing;
    t->lost_us = c->hedge.begun_us - c->asked_us;
    t->wait_us += c->hedge.wait_us;
    t->decode_us += c->hedge.decode_us;
    t->edge_us += c->hedge.run_us;
    snprintf(c->r->hedged, sizeof c->r->hedged, "here");
    if (c->peer_open) clv_peer_cancel(c->s->ways[c->way].peer, c->call);
    clv_carry_answer(c, &c->hedge.out);
}

void clv_carry_hedge_ended(void *arg)
{
    clv_carry *c = arg;
    bool failed = c->hedge.error.status != CLV_OK;
    c->hedge.running = false;
    c->hedge.failed = failed;
    if (atomic_load(&c->answered) || (failed && c->peer_open))
        clv_carry_unref(c); /* the peer was first, or is waited for alone */
    else if (atomic_load(&c->recalled))
        (void)clv_carry_given_up(c);
    else if (failed)
        clv_carry_fail(c, &c->hedge.error);
    else
        win(c);
}
