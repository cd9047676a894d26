/* The part of a request that the peer does, and what happens when it does not. */
#include "split/carry.h"

#include "split/patience.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>

/* Are these the outputs that were asked for, as the network declares them? A peer is believed no more than that. */
static clv_status check_answer(const clv_carry *c, const clv_tensors *outputs, clv_error *err)
{
    size_t n;
    const clv_tensor_spec *specs = clv_segment_outputs(c->d->tail, &n);
    for (size_t i = 0; i < n; i++) {
        if (!clv_carry_wants(c, specs[i].name)) continue;
        const clv_tensor *t = clv_tensors_find(outputs, specs[i].name);
        if (!t)
            return clv_fail(err, CLV_EPROTO, "the peer's answer lacks output '%s'", specs[i].name);
        bool fits = specs[i].shape.rank < 0 || clv_shape_fits(&t->shape, &specs[i].shape);
        if (t->dtype != specs[i].dtype || !fits)
            return clv_fail(err, CLV_EPROTO,
                            "the peer's answer has output '%s' as %s %s, it should be %s %s",
                            specs[i].name, clv_dtype_oip(t->dtype), clv_shape_show(&t->shape).s,
                            clv_dtype_oip(specs[i].dtype), clv_shape_show(&specs[i].shape).s);
    }
    return CLV_OK;
}

void clv_carry_recover(clv_carry *c, const clv_error *error)
{
    snprintf(c->r->recovered, sizeof c->r->recovered, "%.150s", error->text);
    if (c->hedge.running)
        clv_carry_unref(c);
    else if (c->hedge.failed)
        clv_carry_fail(c, &c->hedge.error);
    else
        clv_carry_run(c, clv_deployment_cut(c->d), c->s->last, c->d->tail, clv_carry_run_rest);
}

/* What an answer, or its being late, tells of the peer. What never was there whole tells of the link. */
static void learn(clv_carry *c, const clv_peer_answer *answer)
{
    clv_status how = answer->error ? answer->error->status : CLV_OK;
    bool cut_short = how == CLV_ECANCELED, hedged = c->hedge.begun_us != 0;
    if (cut_short && hedged && answer->unsent_bytes)
        clv_hedge_spared(&c->s->hedge);
    else if (!how || cut_short || how == CLV_ETIMEOUT)
        clv_hedge_saw(&c->s->hedge, c->expected_us, answer->total_us);
    if (cut_short && (atomic_load(&c->answered) || c->hedge.gave_up))
        clv_peer_late(c->s->ways[c->way].peer, answer->unsent_bytes, answer->total_us);
}

static void take_answer(clv_carry *c, const clv_peer_answer *answer)
{
    clv_timing *t = &c->r->timing;
    t->encode_us += answer->encode_us;
    t->link_us += answer->link_us;
    t->queue_us += answer->queue_us;
    t->cloud_us += answer->cloud_us;
    t->relay_us += answer->relay_us;
    t->decode_us += answer->decode_us;
    c->r->shared |= answer->shared;
    c->r->trip = answer->trip;
    c->crossing.up_bytes = (int64_t)answer->up_bytes;
    c->crossing.down_bytes = (int64_t)answer->down_bytes;
    c->r->crossed = clv_crossings_of(&c->crossing, &answer->crossed);
    if (answer->recovered[0]) { /* a node behind the peer was lost: the peer did its part */
        snprintf(c->r->recovered, sizeof c->r->recovered, "by the peer: %.140s", answer->recovered);
        clv_way_doubt_chain(&c->s->ways[c->way]);
    }
    c->r->up_bytes += answer->up_bytes;
    c->r->down_bytes += answer->down_bytes;
    if (c->hedge.begun_us) snprintf(c->r->hedged, sizeof c->r->hedged, "peer");
    c->unsure = answer->nonsense;
    if (!answer->nonsense)
        clv_wait_met(&c->s->ways[c->way].wait, clv_now_us(), (double)answer->queue_us);
    clv_carry_hedge_drop(c);
    clv_carry_answer(c, answer->outputs);
}

static void on_answer(void *arg, const clv_peer_answer *answer)
{
    clv_carry *c = arg;
    clv_error err = {0};
    atomic_fetch_sub(&c->s->remote_now, 1);
    c->peer_open = false;
    clv_carry_disarm(c);
    if (answer->error) err = *answer->error;
    if (!err.status) c->s->ways[c->way].answered_us = clv_now_us();
    if (!answer->withheld) learn(c, answer);
    if (atomic_load(&c->answered)) { /* the hedge was first */
        clv_carry_unref(c);
        return;
    }
    if (atomic_load(&c->recalled)) {
        clv_carry_hedge_drop(c);
        if (c->hedge.running)
            clv_carry_unref(c);
        else
            (void)clv_carry_given_up(c);
        return;
    }
    if (c->hedge.gave_up && err.status == CLV_ECANCELED)
        clv_fail(&err, CLV_ETIMEOUT, "the peer's answer would come too late for the deadline");
    if (answer->withheld) {
        clv_adapt_withheld(c->s, c->way, &err);
        clv_carry_recover(c, &err);
    } else if (err.status || check_answer(c, answer->outputs, &err)) {
        c->r->timing.lost_us += answer->total_us;
        if (!answer->lost) clv_adapt_refused(c->s, c->way, &err);
        clv_carry_recover(c, &err);
    } else {
        take_answer(c, answer);
    }
}

void clv_carry_drop(void *arg)
{
    clv_carry *c = arg;
    if (!atomic_load(&c->answered)) {
        clv_carry_hedge_drop(c);
        bool waited = !c->hedge.running && (clv_lane_withdraw(c->s->o.compute, c) ||
                                            clv_lane_withdraw(c->s->o.build, c));
        if (c->peer_open) clv_peer_cancel(c->s->ways[c->way].peer, c->call);
        if (waited) (void)clv_carry_given_up(c);
    }
    clv_carry_unref(c);
}

/* When to give up on the peer: no later than the request's deadline, which so travels with it. */
static int64_t remote_deadline(const clv_carry *c, int others)
{
    const clv_patience_question q = {.now_us = c->asked_us,
                                     .patience_us = c->s->o.patience_us,
                                     .expected_us = atomic_load(&c->d->expected_remote_us),
                                     .others = others};
    if (c->r->route && c->r->deadline_us)
        /* only the asker knows what it may take; half is left to do it here */
        return c->asked_us + (c->r->deadline_us - c->asked_us) / 2;
    int64_t until = clv_patience_until(&q);
    return c->r->deadline_us ? CLV_MIN(until, c->r->deadline_us) : until;
}

/* Is that how long this node waits, and not when somebody needs the answer? Half of a deadline is. */
static bool is_patient(const clv_carry *c)
{
    bool asked = c->r->deadline_us && (c->r->route || c->peer_deadline_us == c->r->deadline_us);
    return c->r->patient || !asked;
}

/* The names of the tail's outputs that the request wants: borrowed, in a heap array. */
static const char **wanted_of_tail(const clv_carry *c, size_t *n)
{
    size_t n_specs;
    const clv_tensor_spec *specs = clv_segment_outputs(c->d->tail, &n_specs);
    const char **names = clv_alloc_array(n_specs, sizeof *names);
    *n = 0;
    for (size_t i = 0; i < n_specs; i++)
        if (clv_carry_wants(c, specs[i].name)) names[(*n)++] = specs[i].name;
    return names;
}

void clv_carry_ask_peer(clv_carry *c)
{
    size_t n, n_wanted;
    CLV_AUTO(clv_free) const char **wanted = wanted_of_tail(c, &n_wanted);
    if (n_wanted == 0) { /* the head has made all of them */
        clv_carry_answer(c, &(clv_tensors){0});
        return;
    }
    int others = atomic_load(&c->s->remote_now);
    c->asked_us = clv_now_us();
    c->expected_us = atomic_load(&c->d->expected_remote_us) * (1 + others);
    c->peer_deadline_us = remote_deadline(c, others);
    c->peer_open = true;
    CLV_AUTO(clv_free) clv_tensor *in = clv_carry_gather(c, c->d->tail, &n);
    clv_codec_text codec = clv_codec_show(c->d->route.codec[0]);
    clv_peer_infer_args ask = {.model = c->s->model,
                               .version = c->s->version,
                               .digest = clv_network_digest(c->s->network),
                               .id = c->r->id,
                               .guard = &c->s->guard,
                               .cut = clv_deployment_cut(c->d),
                               .route = c->d->itinerary,
                               .inputs = c->coded.n ? c->coded.items : in,
                               .n_inputs = c->coded.n ? c->coded.n : n,
                               .codec = codec.s,
                               .wanted = wanted,
                               .n_wanted = n_wanted,
                               .expected_us = atomic_load(&c->d->expected_remote_us),
                               .deadline_us = c->peer_deadline_us,
                               .patient = is_patient(c),
                               .done = on_answer,
                               .release = clv_carry_unref,
                               .arg = c};
    c->crossing = clv_crossing_of(ask.inputs, ask.n_inputs);
    atomic_fetch_add(&c->s->remote_now, 1);
    atomic_fetch_add(&c->refs, 2); /* the message's and the arming's */
    c->call = clv_peer_infer(c->s->ways[c->way].peer, &ask);
    if (atomic_load(&c->recalled)) /* maybe when there was no number yet to cancel */
        clv_peer_cancel(c->s->ways[c->way].peer, c->call);
    clv_carry_arm(c);
}
