/* Requests that wait for the same segment, run as one: their inputs one behind the other along the
 * first dimension, the outputs taken apart again. That a batch of a network is as good as its rows
 * is the models' habit, not a law (a mean over the batch, a normalisation): so the first time that
 * two could share a run, one is run alone and again above a row of zeros, and only if its outputs
 * are the same does the segment ever run for several requests. */
#include "split/carry.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CLV_SAME 1e-4 /* of the largest value: how far rows may be from themselves alone */

/* Is the first dimension, and no other, free? */
static bool by_rows(const clv_tensor_spec *specs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const clv_shape *s = &specs[i].shape;
        if (s->rank < 1 || s->dim[0] >= 0 || specs[i].dtype == CLV_TEXT) return false;
        for (int d = 1; d < s->rank; d++)
            if (s->dim[d] < 0) return false;
    }
    return n > 0;
}

bool clv_carry_may_share(const clv_carry *c)
{
    if (c->s->o.batch_max < 2 || !c->part || !c->rows ||
        atomic_load(&c->part->mixing) == CLV_PACE_MIXED || !clv_segment_any_batch(c->run))
        return false;
    size_t n_in, n_out;
    const clv_tensor_spec *in = clv_segment_inputs(c->run, &n_in);
    const clv_tensor_spec *out = clv_segment_outputs(c->run, &n_out);
    return by_rows(in, n_in) && by_rows(out, n_out);
}

size_t clv_carry_together(void *kind, void *first, size_t waiting, int64_t slack_us)
{
    const clv_carry *c = first;
    if (atomic_load(&c->part->mixing) == CLV_PACE_MIXED) return 1;
    return clv_pace_choose(kind, c->rows, waiting, slack_us, c->s->o.batch_max);
}

/* ---- rows ---- */

/* Inputs of several requests: [n_inputs] of each. */
typedef struct stack {
    /* gathered views; NULL: a row of zeros like the first one's */
    clv_tensor *in[CLV_LANE_TOGETHER_MAX];
    size_t rows[CLV_LANE_TOGETHER_MAX];
    size_t n, n_inputs, total;
} stack;

static size_t row_bytes(const clv_tensor *t)
{
    return t->shape.dim[0] > 0 ? t->bytes / (size_t)t->shape.dim[0] : 0;
}

/* Does this request's input look like the first one's, but for the number of rows? */
static bool alike(const clv_tensor *a, const clv_tensor *b, size_t rows)
{
    clv_shape shape = b->shape;
    if (shape.rank < 1 || (size_t)shape.dim[0] != rows || b->coded) return false;
    shape.dim[0] = a->shape.dim[0];
    return a->dtype == b->dtype && clv_shape_equal(&a->shape, &shape) &&
           row_bytes(a) == row_bytes(b);
}

static bool push(stack *s, clv_carry *c)
{
    size_t n;
    if (clv_carry_read(c, c->run, &c->r->timing.decode_us, NULL))
        return false; /* it says why when it runs alone */
    clv_tensor *in = clv_carry_gather(c, c->run, &n);
    size_t n_specs;
    clv_segment_inputs(c->run, &n_specs);
    bool fits = n == n_specs;
    for (size_t i = 0; fits && i < n; i++)
        fits = alike(s->n ? &s->in[0][i] : &in[i], &in[i], c->rows);
    if (!fits) {
        free(in);
        return false;
    }
    s->in[s->n] = in;
    s->rows[s->n++] = c->rows;
    s->n_inputs = n;
    s->total += c->rows;
    return true;
}

static void stack_done(stack *s)
{
    for (size_t i = 0; i < s->n; i++) free(s->in[i]);
}

static clv_status run_stack(const stack *s, clv_segment *segment, clv_tensors *out, clv_error *err)
{
    clv_tensors in = {0};
    clv_status status = CLV_OK;
    for (size_t i = 0; !status && i < s->n_inputs; i++) {
        const clv_tensor *first = &s->in[0][i];
        clv_shape shape = first->shape;
        shape.dim[0] = (int64_t)s->total;
        clv_tensor all;
        if ((status = clv_tensor_new(&all, first->name, first->dtype, shape, err))) break;
        char *at = all.data;
        for (size_t k = 0; k < s->n; k++) {
            size_t bytes = s->rows[k] * row_bytes(first);
            if (bytes && s->in[k])
                memcpy(at, s->in[k][i].data, bytes);
            else if (bytes)
                memset(at, 0, bytes);
            at += bytes;
        }
        clv_tensors_add(&in, all);
    }
    if (!status) status = clv_segment_run(segment, in.items, in.n, out, err);
    for (size_t i = 0; !status && i < out->n; i++)
        if (out->items[i].shape.rank < 1 || out->items[i].shape.dim[0] != (int64_t)s->total)
            status = clv_fail(err, CLV_EENGINE, "output '%s': %s of %zu rows", out->items[i].name,
                              clv_shape_show(&out->items[i].shape).s, s->total);
    clv_tensors_done(&in);
    return status;
}

/* Rows [at, at + n) of all outputs, as copies: each request's live and die by themselves. */
static clv_status rows_of(const clv_tensors *all, size_t at, size_t n, clv_tensors *out,
                          clv_error *err)
{
    for (size_t i = 0; i < all->n; i++) {
        const clv_tensor *t = &all->items[i];
        size_t bytes = row_bytes(t);
        clv_shape shape = t->shape;
        shape.dim[0] = (int64_t)n;
        clv_tensor part;
        clv_status status = clv_tensor_new(&part, t->name, t->dtype, shape, err);
        if (status) return status;
        if (n > 0 && bytes > 0) memcpy(part.data, (const char *)t->data + at * bytes, n * bytes);
        clv_tensors_add(out, part);
    }
    return CLV_OK;
}

/* ---- do rows mix? ---- */

static bool all_zeros(const stack *s)
{
    for (size_t i = 0; i < s->n_inputs; i++) {
        const clv_tensor *t = &s->in[0][i];
        const char *bytes = t->data;
        for (size_t k = 0; k < t->bytes; k++)
            if (bytes[k]) return false;
    }
    return true;
}

/* The first rows of `above` are `alone`. */
static bool same_rows(const clv_tensors *alone, const clv_tensors *above)
{
    for (size_t i = 0; i < alone->n; i++) {
        const clv_tensor *a = &alone->items[i], *b = clv_tensors_find(above, a->name);
        if (!b || b->dtype != a->dtype || b->bytes < a->bytes) return false;
        if (a->dtype != CLV_F32) {
            if (a->bytes && memcmp(a->data, b->data, a->bytes) != 0) return false;
            continue;
        }
        const float *x = a->data, *y = b->data;
        double largest = 0, apart = 0;
        for (size_t k = 0; k < a->bytes / sizeof *x; k++) {
            largest = fmax(largest, fabs((double)x[k]));
            apart = fmax(apart, fabs((double)x[k] - (double)y[k]));
            if (isfinite(x[k]) != isfinite(y[k])) return false;
        }
        if (apart > CLV_SAME * largest) return false;
    }
    return true;
}

/* Run `c` alone, which is its answer; then above zeros, and compare. */
static void prove(clv_carry *c, clv_tensors *out, clv_error *err)
{
    stack s = {0};
    clv_tensors above = {0};
    clv_error why = {0};
    clv_pace_mixing verdict = CLV_PACE_MIXED;
    if (!push(&s, c)) return;
    int64_t start = clv_now_us();
    if (run_stack(&s, c->run, out, err)) {
        stack_done(&s);
        return;
    }
    c->r->timing.edge_us += clv_now_us() - start;
    bool blank = all_zeros(&s);
    s.in[s.n] = NULL;
    s.rows[s.n++] = c->rows;
    s.total += c->rows;
    start = clv_now_us();
    if (!blank && run_stack(&s, c->run, &above, &why) == CLV_OK && same_rows(out, &above)) {
        verdict = CLV_PACE_APART;
        clv_pace_saw(c->part, 2 * c->rows, clv_now_us() - start);
    }
    if (!blank) atomic_store(&c->part->mixing, verdict);
    if (!blank && verdict == CLV_PACE_MIXED)
        clv_log(CLV_LOG_INFO, "split", "rows mix", "model=%s from=%zu to=%zu text=\"%s\"",
                c->s->model, c->part->from, c->part->to, why.text);
    clv_tensors_done(&above);
    stack_done(&s);
}

/* ---- the run ---- */

/* What the segment made of one request goes its way. */
static void go_on(clv_carry *c, clv_tensors *out)
{
    if (c->part->to == c->s->last) {
        clv_carry_answer(c, out);
        clv_tensors_done(out);
        return;
    }
    c->made = *out;
    *out = (clv_tensors){0};
    if (!clv_carry_given_up(c)) clv_carry_hand_over(c);
}

static void run_alone(clv_carry *c)
{
    if (c->part->to == c->s->last)
        clv_carry_run_rest(c, 0);
    else
        clv_carry_run_head(c, 0);
}

/* All of them in one run; false: it failed, and nobody was answered. */
static bool run_as_one(clv_carry *const *list, size_t n)
{
    stack s = {0};
    clv_tensors all = {0}, out[CLV_LANE_TOGETHER_MAX] = {0};
    clv_error err = {0};
    bool fine = true;
    for (size_t i = 0; fine && i < n; i++) fine = push(&s, list[i]);
    int64_t start = clv_now_us();
    if (fine && run_stack(&s, list[0]->run, &all, &err)) {
        atomic_store(&list[0]->part->mixing, CLV_PACE_MIXED); /* never again */
        fine = false;
    }
    int64_t took = clv_now_us() - start;
    for (size_t i = 0, at = 0; fine && i < n; at += s.rows[i++])
        fine = rows_of(&all, at, s.rows[i], &out[i], &err) == CLV_OK;
    if (fine) clv_pace_saw(list[0]->part, s.total, took);
    stack_done(&s);
    clv_tensors_done(&all);
    for (size_t i = 0; i < n; i++) {
        if (fine) {
            list[i]->r->timing.edge_us += took;
            list[i]->r->shared = true;
            go_on(list[i], &out[i]);
        } else {
            clv_tensors_done(&out[i]);
        }
    }
    return fine;
}

/* The first one proves that rows do not mix, if it has not been seen yet. How many are answered: 0 or 1. */
static size_t prove_with(clv_carry *first)
{
    clv_tensors out = {0};
    clv_error err = {0};
    if (atomic_load(&first->part->mixing) != CLV_PACE_UNSEEN) return 0;
    prove(first, &out, &err);
    bool answered = err.status || out.n;
    if (err.status)
        clv_carry_fail(first, &err);
    else if (answered)
        go_on(first, &out);
    return answered ? 1 : 0;
}

void clv_carry_run_together(void *kind, void *const *args, const int64_t *queue_us, size_t n)
{
    clv_pace_part *part = kind;
    clv_carry *list[CLV_LANE_TOGETHER_MAX];
    size_t left = 0;
    for (size_t i = 0; i < n; i++) {
        clv_carry *c = args[i];
        c->r->timing.wait_us += queue_us[i];
        if (!clv_carry_turned_away(c)) list[left++] = c;
    }
    if (left == 0) return; /* with the last of them the part may have gone */
    int64_t start = clv_now_us();
    size_t done = left > 1 ? prove_with(list[0]) : 0;
    for (size_t i = done; i < left; i++) list[i]->r->timing.wait_us += clv_now_us() - start;
    bool apart = atomic_load(&part->mixing) == CLV_PACE_APART;
    if (apart && left - done > 1 && run_as_one(list + done, left - done)) return;
    for (start = clv_now_us(); done < left; done++) {
        list[done]->r->timing.wait_us += clv_now_us() - start;
        run_alone(list[done]);
    }
}
