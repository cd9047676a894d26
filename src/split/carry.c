/* One request through a splitter: head, peer, tail. */
#include "split/splitter_priv.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A remote part may take this many times its prediction, and the patience beyond, before it is given up. */
enum { CLV_REMOTE_SLACK = 3 };
#define CLV_PATIENCE_DEFAULT_US 1000000
enum { CLV_COLD_REQUESTS = 2 };

/* A request on its way. It is held by whoever runs the next step, and by the message to the peer as long as that may still be
 * read by the socket: a lost peer's message can outlive the answer. So the tensors are the carry's, not the request's. */
typedef struct carry {
    clv_splitter *s;
    clv_request *r;
    atomic_int refs;
    clv_tensors given; /* the request's inputs */
    clv_deployment *d;
    size_t from;      /* the cut that the request's inputs are at */
    size_t cut;       /* the cut up to which it is run here, when all goes well */
    clv_tensors made; /* by the head: live tensors and outputs of the network */
    clv_segment *run; /* what a local run is to run; borrowed */
    clv_segment *own; /* a reference that only this request holds, or NULL */
} carry;

static void carry_unref(void *arg)
{
    carry *c = arg;
    if (atomic_fetch_sub(&c->refs, 1) > 1) return;
    clv_splitter *s = c->s;
    clv_segment_unref(c->own);
    clv_deployment_unref(c->d);
    clv_tensors_done(&c->given);
    clv_tensors_done(&c->made);
    free(c);
    atomic_fetch_sub(&s->busy, 1);
}

/* Is this a request of one input, as profiles are? */
static bool is_single(const carry *c)
{
    size_t n;
    const clv_tensor_spec *specs = clv_network_inputs(c->s->network, &n);
    for (size_t i = 0; i < n; i++) {
        const clv_tensor *t = clv_tensors_find(&c->given, specs[i].name);
        if (t && specs[i].shape.rank > 0 && specs[i].shape.dim[0] < 0 && t->shape.rank > 0 &&
            t->shape.dim[0] != 1)
            return false;
    }
    return true;
}

static void carry_end(carry *c)
{
    clv_request_finish(c->r);
    atomic_fetch_sub(&c->s->unanswered, 1);
    carry_unref(c);
}

static void carry_fail(carry *c, const clv_error *error)
{
    c->r->error = *error;
    clv_tensors_done(&c->r->outputs);
    carry_end(c);
}

static bool is_wanted(const clv_request *r, const char *name)
{
    for (size_t i = 0; i < r->wanted.n; i++)
        if (strcmp(r->wanted.items[i], name) == 0) return true;
    return r->wanted.n == 0;
}

/* Tell what this request took, unless it ran on cold segments: the first few of a deployment do. */
static void teach(carry *c)
{
    clv_deployment *d = c->cut == c->s->last ? c->s->local : c->d;
    if (atomic_fetch_add(&d->answered, 1) >= CLV_COLD_REQUESTS && is_single(c))
        clv_learning_saw(&c->s->learning, c->cut, &c->r->timing);
}

/* Move the network's outputs that were asked for into the answer, in the network's order: the tail's, and those that the head
 * made already. */
static void carry_answer(carry *c, clv_tensors *tail)
{
    size_t n;
    const clv_tensor_spec *outputs = clv_network_outputs(c->s->network, &n);
    for (size_t i = 0; i < n; i++) {
        if (!is_wanted(c->r, outputs[i].name)) continue;
        clv_tensor *t = clv_tensors_find(tail, outputs[i].name);
        if (!t) t = clv_tensors_find(&c->made, outputs[i].name);
        if (!t) continue;
        clv_tensors_add(&c->r->outputs, *t);
        *t = (clv_tensor){0};
    }
    if (c->from == 0 && c->s->o.peer && !c->r->recovered[0]) teach(c);
    carry_end(c);
}

static bool carry_late(carry *c)
{
    if (!c->r->deadline_us || clv_now_us() < c->r->deadline_us) return false;
    clv_error err = {0};
    clv_fail(&err, CLV_ETIMEOUT,
             "model '%s': the deadline passed %lld us ago, before the request could run",
             c->s->model, (long long)(clv_now_us() - c->r->deadline_us));
    carry_fail(c, &err);
    return true;
}

static void submit(carry *c, clv_lane *lane, void (*step)(void *, int64_t))
{
    clv_error err = {0};
    if (clv_lane_submit(lane, &(clv_job){.run = step, .arg = c, .deadline_us = c->r->deadline_us},
                        &err))
        carry_fail(c, &err);
}

/* The tensors that a segment needs, from what the head made or the request brought: views, in a heap array.
 * A missing one is left out: the segment names it. */
static clv_tensor *gather(const carry *c, const clv_segment *segment, size_t *n)
{
    size_t n_specs;
    const clv_tensor_spec *specs = clv_segment_inputs(segment, &n_specs);
    clv_tensor *views = clv_alloc_array(n_specs, sizeof *views);
    *n = 0;
    for (size_t i = 0; i < n_specs; i++) {
        const clv_tensor *t = clv_tensors_find(&c->made, specs[i].name);
        if (!t) t = clv_tensors_find(&c->given, specs[i].name);
        if (t) views[(*n)++] = *t;
    }
    return views;
}

/* Run a segment on this lane and count its time. */
static clv_status run_segment(carry *c, clv_segment *segment, clv_tensors *out, clv_error *err)
{
    size_t n;
    clv_tensor *in = gather(c, segment, &n);
    int64_t start = clv_now_us();
    clv_status status = clv_segment_run(segment, in, n, out, err);
    c->r->timing.edge_us += clv_now_us() - start;
    free(in);
    return status;
}

/* Run the rest of the network here: from the request's inputs, or from the tensors that the head made. */
static void run_local(void *arg, int64_t queue_us)
{
    carry *c = arg;
    c->r->timing.wait_us += queue_us;
    if (carry_late(c)) return;
    clv_tensors out = {0};
    clv_error err = {0};
    if (run_segment(c, c->run, &out, &err))
        carry_fail(c, &err);
    else
        carry_answer(c, &out);
    clv_tensors_done(&out);
}

/* Are these the outputs that were asked for, as the network declares them? A peer is believed no more than that. */
static clv_status check_answer(const carry *c, const clv_tensors *outputs, clv_error *err)
{
    size_t n;
    const clv_tensor_spec *specs = clv_segment_outputs(c->d->tail, &n);
    for (size_t i = 0; i < n; i++) {
        if (!is_wanted(c->r, specs[i].name)) continue;
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

/* The peer did not do its part: do it here, from the cut. */
static void recover(carry *c, const clv_error *error)
{
    snprintf(c->r->recovered, sizeof c->r->recovered, "%.150s", error->text);
    c->run = c->d->tail;
    submit(c, c->s->o.compute, run_local);
}

static void on_answer(void *arg, const clv_peer_answer *answer)
{
    carry *c = arg;
    clv_timing *t = &c->r->timing;
    clv_error err = {0};
    atomic_fetch_sub(&c->s->remote_now, 1);
    if (answer->error) err = *answer->error;
    if (answer->withheld) {
        clv_adapt_withheld(c->s, &err);
        recover(c, &err);
        return;
    }
    if (err.status || check_answer(c, answer->outputs, &err)) {
        t->lost_us += answer->total_us;
        if (!answer->lost) clv_adapt_refused(c->s, &err);
        recover(c, &err);
        return;
    }
    t->encode_us += answer->encode_us;
    t->link_us += answer->link_us;
    t->queue_us += answer->queue_us;
    t->cloud_us += answer->cloud_us;
    t->decode_us += answer->decode_us;
    c->r->up_bytes += answer->up_bytes;
    c->r->down_bytes += answer->down_bytes;
    atomic_store(&c->s->queue_us, answer->queue_us);
    carry_answer(c, answer->outputs);
}

/* When to give up on the peer: a multiple of the prediction, as many times as there are parts on their way, and patience; and
 * early enough that the tail can still run here before the request's deadline. */
static int64_t remote_deadline(const carry *c, int64_t now_us)
{
    int64_t patience = c->s->o.patience_us ? c->s->o.patience_us : CLV_PATIENCE_DEFAULT_US;
    int others = atomic_load(&c->s->remote_now);
    int64_t deadline = now_us + patience +
                       CLV_REMOTE_SLACK * atomic_load(&c->d->expected_remote_us) * (1 + others);
    int64_t latest = c->r->deadline_us - atomic_load(&c->d->expected_tail_us);
    return c->r->deadline_us ? CLV_MIN(deadline, latest) : deadline;
}

/* The names of the tail's outputs that the request wants: borrowed, in a heap array. */
static const char **wanted_of_tail(const carry *c, size_t *n)
{
    size_t n_specs;
    const clv_tensor_spec *specs = clv_segment_outputs(c->d->tail, &n_specs);
    const char **names = clv_alloc_array(n_specs, sizeof *names);
    *n = 0;
    for (size_t i = 0; i < n_specs; i++)
        if (is_wanted(c->r, specs[i].name)) names[(*n)++] = specs[i].name;
    return names;
}

static void ask_peer(carry *c)
{
    size_t n, n_wanted;
    CLV_AUTO(clv_free) const char **wanted = wanted_of_tail(c, &n_wanted);
    if (n_wanted == 0) { /* the head has made all of them */
        carry_answer(c, &(clv_tensors){0});
        return;
    }
    CLV_AUTO(clv_free) clv_tensor *in = gather(c, c->d->tail, &n);
    clv_peer_infer_args ask = {.model = c->s->model,
                               .version = c->s->version,
                               .digest = clv_network_digest(c->s->network),
                               .id = c->r->id,
                               .guard = &c->s->guard,
                               .cut = c->d->cut,
                               .inputs = in,
                               .n_inputs = n,
                               .wanted = wanted,
                               .n_wanted = n_wanted,
                               .deadline_us = remote_deadline(c, clv_now_us()),
                               .done = on_answer,
                               .release = carry_unref,
                               .arg = c};
    atomic_fetch_add(&c->s->remote_now, 1);
    atomic_fetch_add(&c->refs, 1);
    clv_peer_infer(c->s->o.peer, &ask);
}

static void run_head(void *arg, int64_t queue_us)
{
    carry *c = arg;
    c->r->timing.wait_us += queue_us;
    if (carry_late(c)) return;
    clv_error err = {0};
    if (run_segment(c, c->d->head, &c->made, &err))
        carry_fail(c, &err);
    else
        ask_peer(c);
}

/* Compile the suffix that a request asks for by its inputs, then run it. */
static void build_suffix(void *arg, int64_t queue_us)
{
    carry *c = arg;
    c->r->timing.wait_us += queue_us;
    clv_error err = {0};
    int64_t start = clv_now_us();
    clv_status status = clv_network_segment(c->s->network, c->from, c->s->last, &c->own, &err);
    c->r->timing.wait_us += clv_now_us() - start;
    if (status) {
        carry_fail(c, &err);
        return;
    }
    c->run = c->own;
    submit(c, c->s->o.compute, run_local);
}

/* The cut that is exactly at the tensors given (inputs of the network may be among them); -1: none. The last cut is at no
 * tensors and leaves nothing to run. */
static int cut_at(const carry *c)
{
    CLV_AUTO(clv_free) const char **names = clv_alloc_array(c->given.n, sizeof *names);
    for (size_t i = 0; i < c->given.n; i++) names[i] = c->given.items[i].name;
    int cut = clv_cuts_find(clv_network_cuts(c->s->network), clv_network_graph(c->s->network),
                            names, c->given.n);
    return cut == (int)c->s->last ? -1 : cut;
}

/* Where does the request start? At the cut that its inputs are at, else at 0 if all inputs of the network are there, whatever
 * else is. */
static clv_status find_start(const carry *c, size_t *from, clv_error *err)
{
    int cut = cut_at(c);
    *from = cut > 0 ? (size_t)cut : 0;
    if (cut >= 0) return CLV_OK;
    size_t n;
    const clv_tensor_spec *specs = clv_network_inputs(c->s->network, &n);
    for (size_t i = 0; i < n; i++)
        if (!clv_tensors_find(&c->given, specs[i].name))
            return clv_fail(
                err, CLV_EINVAL, "model '%s': input '%s' (%s %s) is missing; %s%.100s%s",
                c->s->model, specs[i].name, clv_dtype_oip(specs[i].dtype),
                clv_shape_show(&specs[i].shape).s,
                c->given.n ? "no legal cut starts at what is given: '" : "nothing is given",
                c->given.n ? c->given.items[0].name : "",
                c->given.n > 1 ? "', ..."
                : c->given.n   ? "'"
                               : "");
    return CLV_OK;
}

static clv_status check_wanted(const carry *c, clv_error *err)
{
    size_t n;
    const clv_tensor_spec *outputs = clv_network_outputs(c->s->network, &n);
    for (size_t i = 0; i < c->r->wanted.n; i++) {
        size_t k = 0;
        while (k < n && strcmp(outputs[k].name, c->r->wanted.items[i]) != 0) k++;
        if (k == n)
            return clv_fail(err, CLV_EINVAL, "model '%s': no output '%s'; its %s '%s'%s",
                            c->s->model, c->r->wanted.items[i],
                            n == 1 ? "output is" : "outputs are", n ? outputs[0].name : "",
                            n > 1 ? ", ..." : "");
    }
    return CLV_OK;
}

/* Is this a batch that the deployed segments can take? */
static bool batch_fits(const carry *c)
{
    return c->d->any_batch || is_single(c);
}

static void set_plan(carry *c, const char *label)
{
    snprintf(c->r->plan, sizeof c->r->plan, "%s", label);
}

void clv_splitter_run(clv_splitter *s, clv_request *take)
{
    carry *c = clv_alloc(sizeof *c);
    *c = (carry){.s = s, .r = take, .given = take->inputs};
    atomic_init(&c->refs, 1);
    take->inputs = (clv_tensors){0};
    atomic_fetch_add(&s->busy, 1);
    atomic_fetch_add(&s->unanswered, 1);
    c->d = clv_splitter_live(s);
    clv_error err = {0};
    if (find_start(c, &c->from, &err) || check_wanted(c, &err)) {
        carry_fail(c, &err);
    } else if (c->from == 0 && s->o.peer && !take->local_only && c->d->cut < s->last &&
               batch_fits(c)) {
        set_plan(c, c->d->label);
        c->cut = c->d->cut;
        if (c->d->head)
            submit(c, s->o.compute, run_head);
        else
            ask_peer(c);
    } else if (c->from == 0) {
        set_plan(c, "local");
        c->cut = s->last;
        c->run = s->local->head;
        submit(c, s->o.compute, run_local);
    } else {
        set_plan(c, "tail");
        c->own = clv_network_resident(s->network, c->from, s->last);
        c->run = c->own;
        if (c->own)
            submit(c, s->o.compute, run_local);
        else
            submit(c, s->o.build, build_suffix);
    }
}
