/* One request through a splitter: head, peer, tail. */
#include "split/carry.h"
#include "split/forecast.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLV_COLD_REQUESTS = 2 };

void clv_carry_unref(void *arg)
{
    clv_carry *c = arg;
    if (atomic_fetch_sub(&c->refs, 1) > 1) return;
    clv_splitter *s = c->s;
    clv_segment_unref(c->own);
    clv_deployment_unref(c->d);
    clv_tensors_done(&c->given);
    clv_tensors_done(&c->made);
    clv_tensors_done(&c->plain);
    clv_tensors_done(&c->coded);
    clv_tensors_done(&c->hedge.out);
    free(c);
    atomic_fetch_sub(&s->busy, 1);
}

/* Is this a request of one input, as profiles are? */
bool clv_carry_is_single(const clv_carry *c)
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

static void carry_end(clv_carry *c)
{
    atomic_store(&c->answered, true);
    clv_recall_watch(c->r->recall, NULL, NULL);
    clv_request_finish(c->r);
    atomic_fetch_sub(&c->s->unanswered, 1);
    clv_carry_unref(c);
}

void clv_carry_fail(clv_carry *c, const clv_error *error)
{
    c->r->error = *error;
    clv_tensors_done(&c->r->outputs);
    carry_end(c);
}

bool clv_carry_wants(const clv_carry *c, const char *output)
{
    const clv_text_list *wanted = &c->r->wanted;
    for (size_t i = 0; i < wanted->n; i++)
        if (strcmp(wanted->items[i], output) == 0) return true;
    return wanted->n == 0;
}

/* Tell the way that it went (what ran here alone tells all ways) what this request took, unless it
 * ran on cold segments: the first few of a deployment do. */
static void teach(clv_carry *c)
{
    clv_deployment *d = c->cut == c->s->last ? c->s->local : c->d;
    if (c->r->recovered[0] || c->r->shared || c->r->stayed || c->hedge.begun_us) return;
    if (atomic_fetch_add(&d->answered, 1) < CLV_COLD_REQUESTS || !clv_carry_is_single(c)) return;
    for (size_t i = 0; i < c->s->n_ways; i++)
        if (d->route.n == 1 || d->route.way == i)
            clv_learning_saw(&c->s->ways[i].learning, &d->route, &c->r->timing, &c->r->trip);
}

static clv_status copy_tensor(const clv_tensor *t, clv_tensor *out, clv_error *err)
{
    clv_status status = clv_tensor_new(out, t->name, t->dtype, t->shape, err);
    if (!status && t->bytes) memcpy(out->data, t->data, t->bytes);
    return status;
}

/* Move the network's outputs that were asked for into the answer, in the network's order: the
 * tail's, and those that the head made already. */
void clv_carry_answer(clv_carry *c, clv_tensors *tail)
{
    size_t n;
    clv_error err = {0};
    const clv_tensor_spec *outputs = clv_network_outputs(c->s->network, &n);
    for (size_t i = 0; i < n; i++) {
        if (!clv_carry_wants(c, outputs[i].name)) continue;
        clv_tensor *t = clv_tensors_find(tail, outputs[i].name);
        clv_tensor *made = t ? NULL : clv_tensors_find(&c->made, outputs[i].name);
        if (made && atomic_load(&c->refs) > 1) { /* a message or a hedge may still read it */
            clv_tensor copy;
            if (copy_tensor(made, &copy, &err)) break;
            clv_tensors_add(&c->r->outputs, copy);
        } else if (t || made) {
            clv_tensors_add(&c->r->outputs, t ? *t : *made);
            *(t ? t : made) = (clv_tensor){0};
        }
    }
    if (err.status) {
        clv_carry_fail(c, &err);
        return;
    }
    bool planned = c->from == 0 && c->s->o.peer && !c->r->route;
    if (planned && c->cut == clv_deployment_cut(c->d) && !c->r->recovered[0] && !c->hedge.begun_us)
        atomic_fetch_add(&c->d->served, 1);
    if (planned && !c->unsure) teach(c);
    carry_end(c);
}

/* The tensors that a segment needs, from what the head made or the request brought: views, in a heap array.
 * A missing one is left out: the segment names it. */
clv_tensor *clv_carry_gather(const clv_carry *c, const clv_segment *segment, size_t *n)
{
    size_t n_specs;
    const clv_tensor_spec *specs = clv_segment_inputs(segment, &n_specs);
    clv_tensor *views = clv_alloc_array(n_specs, sizeof *views);
    *n = 0;
    for (size_t i = 0; i < n_specs; i++) {
        const clv_tensor *t = clv_tensors_find(&c->made, specs[i].name);
        if (!t) t = clv_tensors_find(&c->plain, specs[i].name);
        if (!t) t = clv_tensors_find(&c->given, specs[i].name);
        if (t) views[(*n)++] = *t;
    }
    return views;
}

clv_job clv_carry_job(const clv_carry *c)
{
    return (clv_job){.deadline_us = c->r->patient ? 0 : c->r->deadline_us, .asker = c->r->account};
}

void clv_carry_build(clv_carry *c, void (*step)(void *, int64_t))
{
    clv_job job = clv_carry_job(c);
    job.run = step;
    job.arg = c;
    clv_error err = {0};
    if (clv_lane_submit(c->s->o.build, &job, &err)) clv_carry_fail(c, &err);
}

/* Compile the suffix that a request asks for by its inputs, then run it. */
static void build_suffix(void *arg, int64_t queue_us)
{
    clv_carry *c = arg;
    c->r->timing.wait_us += queue_us;
    clv_error err = {0};
    int64_t start = clv_now_us();
    clv_status status = clv_network_segment(c->s->network, c->from, c->s->last, &c->own, &err);
    c->r->timing.wait_us += clv_now_us() - start;
    if (status) {
        clv_carry_fail(c, &err);
        return;
    }
    if (!clv_carry_given_up(c)) clv_carry_run(c, c->from, c->s->last, c->own, clv_carry_run_rest);
}

/* The cut that is exactly at the tensors given (inputs of the network may be among them); -1: none.
 * The last cut is at no tensors and leaves nothing to run. */
static int cut_at(const clv_carry *c)
{
    CLV_AUTO(clv_free) const char **names = clv_alloc_array(c->given.n, sizeof *names);
    for (size_t i = 0; i < c->given.n; i++) names[i] = c->given.items[i].name;
    int cut = clv_cuts_find(clv_network_cuts(c->s->network), clv_network_graph(c->s->network),
                            names, c->given.n);
    return cut == (int)c->s->last ? -1 : cut;
}

/* Where does the request start? At the cut that its inputs are at, else at 0 if all inputs of the
 * network are there, whatever else is. */
static clv_status find_start(const clv_carry *c, size_t *from, clv_error *err)
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

static clv_status check_wanted(const clv_carry *c, clv_error *err)
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
static bool batch_fits(const clv_carry *c)
{
    return c->d->any_batch || clv_carry_is_single(c);
}

/* What runs here alone, also when a batch does not fit what is deployed, is predicted as such; a
 * batch or a rest is not. */
void clv_carry_set_plan(clv_carry *c, const char *label)
{
    bool here = strcmp(label, "local") == 0;
    if (c->from == 0 && clv_carry_is_single(c))
        c->r->predicted = clv_forecast_of(c->s, here ? c->s->local : c->d);
    snprintf(c->r->plan, sizeof c->r->plan, "%s", label);
}

static void run_suffix(clv_carry *c)
{
    clv_carry_set_plan(c, "tail");
    c->own = clv_network_resident(c->s->network, c->from, c->s->last);
    if (c->own)
        clv_carry_run(c, c->from, c->s->last, c->own, clv_carry_run_rest);
    else
        clv_carry_build(c, build_suffix);
}

static void run_local(clv_carry *c)
{
    clv_carry_set_plan(c, "local");
    c->cut = c->s->last;
    clv_carry_run(c, 0, c->s->last, c->s->local->head, clv_carry_run_rest);
}

void clv_carry_start(clv_carry *c)
{
    clv_carry_set_plan(c, c->d->label);
    c->cut = clv_deployment_cut(c->d);
    if (!c->r->route && atomic_load(&c->d->may_stay)) clv_adapt_greet(c->s);
    if (clv_carry_goes_as_it_came(c))
        clv_carry_hand_over(c);
    else
        clv_carry_run(c, c->from, c->cut, c->d->head, clv_carry_run_head);
}

/* Whoever asked has gone. The request may be on any lane, or at the peer: the loop looks. */
static void on_recall(void *arg)
{
    clv_carry *c = arg;
    atomic_store(&c->recalled, true);
    atomic_fetch_add(&c->refs, 1);
    clv_loop_post(c->s->o.loop, clv_carry_drop, c);
}

void clv_splitter_run(clv_splitter *s, clv_request *take)
{
    clv_carry *c = clv_alloc(sizeof *c);
    *c = (clv_carry){.s = s, .r = take, .given = take->inputs};
    atomic_init(&c->refs, 1);
    take->inputs = (clv_tensors){0};
    atomic_fetch_add(&s->busy, 1);
    int others = atomic_fetch_add(&s->unanswered, 1);
    c->d = clv_splitter_live(s);
    clv_error err = {0};
    bool here = true, relayed = false;
    clv_status status = find_start(c, &c->from, &err);
    if (!status) status = check_wanted(c, &err);
    if (!status && c->from == 0 && s->n_ways && !take->local_only && !take->route)
        clv_adapt_count(s, others);
    clv_recall_watch(take->recall, on_recall, c);
    if (!status && take->route) status = clv_carry_relay(c, &relayed, &err);
    if (relayed) return;
    if (!status) {
        here = c->from > 0 || !s->o.peer || take->local_only || c->d->route.n < 2 || !batch_fits(c);
        status = clv_carry_admit(c, &here, &err);
    }
    c->way = c->d->route.way;
    if (status)
        clv_carry_fail(c, &err);
    else if (c->from > 0)
        run_suffix(c);
    else if (here)
        run_local(c);
    else
        clv_carry_start(c);
}
