/* At the cut: the rest is handed to the peer, in the route's codec, or goes on here. */
#include "split/carry.h"

#include "base/clock.h"
#include "base/mem.h"
#include "policy/handover.h"
#include "split/coding.h"

#include <stdlib.h>

#define CLV_SIGN_LOOK_US 1000 /* while a sign of life is waited for */

bool clv_carry_goes_as_it_came(const clv_carry *c)
{
    bool plain = false;
    for (size_t i = 0; i < c->given.n; i++) plain |= !c->given.items[i].coded;
    bool written = !c->r->route && plain && clv_codec_index(c->d->route.codec[0]);
    return !c->d->head && !written;
}

/* Write what goes to the peer. The tensors themselves stay, to finish here if need be. */
static clv_status write_coded(clv_carry *c, clv_error *err)
{
    size_t n;
    clv_codec codec = c->d->route.codec[0];
    if (!clv_codec_index(codec) || clv_carry_goes_as_it_came(c)) return CLV_OK;
    int64_t start = clv_now_us();
    clv_tensor *in = clv_carry_gather(c, c->d->tail, &n);
    clv_status status = clv_coding_write(codec, in, n, &c->coded, err);
    c->r->timing.encode_us += clv_now_us() - start;
    free(in);
    return status;
}

/* May it go on here? Not where the asker says what runs where, where others wait here behind it or
 * this node could not do all of every request, nor where it would be late. */
static bool may_stay(const clv_carry *c, int64_t here_us)
{
    if (c->from > 0 || c->r->route || !atomic_load(&c->d->may_stay)) return false;
    int own = clv_carry_goes_as_it_came(c) ? 0 : 1;
    if (clv_lane_depth(c->s->o.compute) > own) return false;
    int64_t whole_us = clv_pace_us(clv_pace_of(&c->s->pace, 0, c->s->last), 1);
    bool late = c->r->deadline_us && clv_now_us() + here_us > c->r->deadline_us;
    return !late && whole_us > 0 && clv_carry_affords(c, whole_us);
}

/* As everything is now; nothing is known of `here` where it may not go on. */
static clv_handover_question question(const clv_carry *c)
{
    clv_peer *peer = c->s->ways[c->way].peer;
    int64_t here_us = clv_carry_here_us(c);
    return (clv_handover_question){.remote_us = atomic_load(&c->d->expected_remote_us),
                                   .here_us = may_stay(c, here_us) ? here_us : 0,
                                   .silent_us = clv_peer_silent_us(peer),
                                   .rtt_us = (int64_t)clv_peer_link(peer).rtt_us};
}

/* Where a head ran, this is its lane, and the rest follows at once: as if it had been all local. */
static void stay(clv_carry *c)
{
    size_t cut = clv_deployment_cut(c->d);
    c->r->stayed = true;
    clv_carry_set_plan(c, "local");
    c->cut = c->s->last;
    if (clv_carry_goes_as_it_came(c))
        clv_carry_run(c, cut, c->s->last, c->d->tail, clv_carry_run_rest);
    else
        clv_carry_go_on(c, cut, c->s->last, c->d->tail);
}

static void decide(clv_carry *c, const clv_handover_question *q)
{
    clv_error err = {0};
    if (!clv_handover_wise(q))
        stay(c);
    else if (write_coded(c, &err))
        clv_carry_recover(c, &err);
    else
        clv_carry_ask_peer(c);
}

static void on_waited(void *arg, int64_t queue_us)
{
    clv_carry *c = arg;
    c->r->timing.wait_us += queue_us;
    if (clv_carry_given_up(c)) return;
    const clv_handover_question q = question(c);
    decide(c, &q);
}

static void look_again(clv_carry *c);

/* On the loop's thread, and then on the lane again: it may be to be written. */
static void on_time(void *arg)
{
    clv_carry *c = arg;
    const clv_handover_question q = question(c);
    clv_timer_free(c->sign.timer);
    c->sign.timer = NULL;
    c->sign.wait_us = clv_handover_wait_us(&q);
    if (c->sign.wait_us > 0) {
        look_again(c);
        return;
    }
    c->r->timing.lost_us += clv_now_us() - c->sign.since_us;
    clv_carry_run(c, clv_deployment_cut(c->d), clv_deployment_cut(c->d), NULL, on_waited);
}

/* The sign may come before the wait is over. */
static void look_again(clv_carry *c)
{
    c->sign.timer = clv_timer_new(c->s->o.loop, on_time, c);
    clv_timer_start(c->sign.timer, CLV_MIN(c->sign.wait_us, (int64_t)CLV_SIGN_LOOK_US), 0);
}

static void wait_for_sign(void *arg)
{
    look_again(arg);
}

void clv_carry_hand_over(clv_carry *c)
{
    const clv_handover_question q = question(c);
    c->sign.wait_us = clv_handover_wait_us(&q);
    c->sign.since_us = clv_now_us();
    if (c->sign.wait_us > 0)
        clv_loop_post(c->s->o.loop, wait_for_sign, c);
    else
        decide(c, &q);
}
