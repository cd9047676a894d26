/* The part of a request that the peer does, and what happens when it does not. */
#include "split/carry.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>

/* A remote part may take this many times its prediction, and the patience beyond, before it is given up. */
enum { CLV_REMOTE_SLACK = 3 };
#define CLV_PATIENCE_DEFAULT_US 1000000

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
    c->run = c->d->tail;
    clv_carry_submit(c, c->s->o.compute, clv_carry_run_rest);
}

static void on_answer(void *arg, const clv_peer_answer *answer)
{
    clv_carry *c = arg;
    clv_timing *t = &c->r->timing;
    clv_error err = {0};
    atomic_fetch_sub(&c->s->remote_now, 1);
    if (answer->error) err = *answer->error;
    if (answer->withheld) {
        clv_adapt_withheld(c->s, c->way, &err);
        clv_carry_recover(c, &err);
        return;
    }
    if (err.status || check_answer(c, answer->outputs, &err)) {
        t->lost_us += answer->total_us;
        if (!answer->lost) clv_adapt_refused(c->s, c->way, &err);
        clv_carry_recover(c, &err);
        return;
    }
    t->encode_us += answer->encode_us;
    t->link_us += answer->link_us;
    t->queue_us += answer->queue_us;
    t->cloud_us += answer->cloud_us;
    t->relay_us += answer->relay_us;
    t->decode_us += answer->decode_us;
    c->r->trip = answer->trip;
    if (answer->recovered[0]) /* a node behind the peer was lost: the peer did its part */
        snprintf(c->r->recovered, sizeof c->r->recovered, "by the peer: %.140s", answer->recovered);
    c->r->up_bytes += answer->up_bytes;
    c->r->down_bytes += answer->down_bytes;
    atomic_store(&c->s->ways[c->way].queue_us, answer->queue_us);
    clv_carry_answer(c, answer->outputs);
}

/* When to give up on the peer: a multiple of the prediction, as many times as there are parts on their way, and patience; and
 * early enough that the tail can still run here before the request's deadline. */
static int64_t remote_deadline(const clv_carry *c, int64_t now_us)
{
    int64_t patience = c->s->o.patience_us ? c->s->o.patience_us : CLV_PATIENCE_DEFAULT_US;
    int others = atomic_load(&c->s->remote_now);
    int64_t deadline = now_us + patience +
                       CLV_REMOTE_SLACK * atomic_load(&c->d->expected_remote_us) * (1 + others);
    if (c->r->route &&
        c->r->deadline_us) /* only the asker knows what it may take; half is left to do it here */
        return now_us + (c->r->deadline_us - now_us) / 2;
    int64_t latest = c->r->deadline_us - atomic_load(&c->d->expected_tail_us);
    return c->r->deadline_us ? CLV_MIN(deadline, latest) : deadline;
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
                               .deadline_us = remote_deadline(c, clv_now_us()),
                               .done = on_answer,
                               .release = clv_carry_unref,
                               .arg = c};
    atomic_fetch_add(&c->s->remote_now, 1);
    atomic_fetch_add(&c->refs, 1);
    clv_peer_infer(c->s->ways[c->way].peer, &ask);
}
