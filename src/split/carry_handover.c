/* At the cut: the rest is handed to the peer, in the route's codec, or goes on here. */
#include "split/carry.h"

#include "base/clock.h"
#include "policy/handover.h"
#include "split/coding.h"

#include <stdlib.h>

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

/* May it go on here? Not where the asker says what runs where, where this node could not do all of
 * every request, nor where it would be late. */
static bool may_stay(const clv_carry *c, int64_t here_us)
{
    if (c->from > 0 || c->r->route || !atomic_load(&c->d->may_stay)) return false;
    int64_t whole_us = clv_pace_us(clv_pace_of(&c->s->pace, 0, c->s->last), 1);
    bool late = c->r->deadline_us && clv_now_us() + here_us > c->r->deadline_us;
    return !late && whole_us > 0 && clv_carry_affords(c, whole_us);
}

/* Is it to go on here, as everything is now? */
static bool is_to_stay(const clv_carry *c)
{
    int64_t here_us = clv_carry_here_us(c);
    if (!may_stay(c, here_us)) return false;
    clv_peer *peer = c->s->ways[c->way].peer;
    const clv_handover_question q = {.remote_us = atomic_load(&c->d->expected_remote_us),
                                     .here_us = here_us,
                                     .silent_us = clv_peer_silent_us(peer),
                                     .rtt_us = (int64_t)clv_peer_link(peer).rtt_us};
    return !clv_handover_wise(&q);
}

static void stay(clv_carry *c)
{
    c->r->stayed = true;
    clv_carry_set_plan(c, "local");
    c->cut = c->s->last;
    clv_carry_run(c, clv_deployment_cut(c->d), c->s->last, c->d->tail, clv_carry_run_rest);
}

void clv_carry_hand_over(clv_carry *c)
{
    clv_error err = {0};
    if (is_to_stay(c))
        stay(c);
    else if (write_coded(c, &err))
        clv_carry_recover(c, &err);
    else
        clv_carry_ask_peer(c);
}
