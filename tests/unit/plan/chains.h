/* Every chain of a problem's cuts with every codec, weighed from tables that the naive cost of
 * problems.h fills: the oracle of the planners that go over several hops. Calls nothing of plan/.
 *
 *     chain_best best;
 *     chains_try(q, &best);
 *     if (best.n_kept) … best.chain, best.cost, best.of_last[k]
 */
#ifndef CLV_TESTS_PLAN_CHAINS_H
#define CLV_TESTS_PLAN_CHAINS_H

#include "plan/plan.h"
#include "problems.h"

typedef struct chain_segment {
    naive_cost cost; /* without the wait */
    bool nested, may;
} chain_segment;

typedef struct chain_end {
    bool found;
    clv_plan_chain chain;
    naive_cost cost;
} chain_end;

typedef struct chain_best {
    chain_end best, of_last[PROBLEM_DEVICES_MAX];
    size_t n_kept; /* placements that keep all limits */
} chain_best;

typedef struct chain_walk {
    const problem *q;
    chain_segment *segments[PROBLEM_DEVICES_MAX]; /* [from * n + to] */
    naive_cost *codings[PROBLEM_DEVICES_MAX][2];  /* [cut * codecs + codec] decoding, encoding */
    naive_cost *hops[PROBLEM_DEVICES_MAX];
    clv_plan_chain chain;
    chain_best *out;
} chain_walk;

/* The units' devices when device k runs those between two cuts. */
static inline void chain_devices(const problem *q, size_t from, size_t to, int k, int *device)
{
    for (size_t u = 0; u < q->graph->n_units; u++) {
        bool before = q->cuts->items[from].units[0] >> u & 1;
        bool upto = q->cuts->items[to].units[0] >> u & 1;
        device[u] = before ? k - 1 : upto ? k : k + 1;
    }
}

static inline chain_segment chain_segment_of(const problem *q, size_t from, size_t to, int k)
{
    int device[PROBLEM_UNITS_MAX];
    const clv_plan_limits *l = &q->p.limits;
    chain_segment s = {.cost = {.known = true}, .may = true};
    s.nested = !(q->cuts->items[from].units[0] & ~q->cuts->items[to].units[0]);
    if (!s.nested || from == to) return s;
    if (k == 0 && from != 0) return s; /* device 0 begins with nothing */
    chain_devices(q, from, to, k, device);
    naive_segment(q, device, k, &s.cost);
    for (size_t u = 0; u < q->graph->n_units; u++) {
        const clv_unit *unit = &q->graph->units[u];
        if (device[u] != k) continue;
        if (l->unit_devices) s.may &= l->unit_devices[u] >> k & 1;
        for (size_t i = 0; l->stays && k && i < unit->n_inputs; i++)
            s.may &= !l->stays[unit->inputs[i]];
        for (size_t i = 0; l->stays && k && i < unit->n_outputs; i++)
            s.may &= !l->stays[unit->outputs[i]];
    }
    if (q->p.devices[k].memory_bytes_max != CLV_PLAN_NO_LIMIT)
        s.may &= naive_memory(q, device, k) <= q->p.devices[k].memory_bytes_max;
    return s;
}

static inline void chain_fill(chain_walk *w, const problem *q)
{
    size_t n = q->cuts->n, codecs = q->p.n_codecs;
    int device[PROBLEM_UNITS_MAX];
    for (size_t k = 0; k < q->p.n_devices; k++) {
        w->segments[k] = clv_alloc_array(n * n, sizeof(chain_segment));
        for (size_t i = 0; i < n * n; i++)
            w->segments[k][i] = chain_segment_of(q, i / n, i % n, (int)k);
        for (int way = 0; way < 2; way++)
            w->codings[k][way] = clv_alloc_array(n * codecs, sizeof(naive_cost));
        w->hops[k] = clv_alloc_array(n * codecs, sizeof(naive_cost));
        for (size_t i = 0; i < n * codecs; i++) {
            naive_cost *c[3] = {&w->codings[k][0][i], &w->codings[k][1][i], &w->hops[k][i]};
            for (int j = 0; j < 3; j++) c[j]->known = true;
            for (size_t u = 0; u < q->graph->n_units; u++)
                device[u] = q->cuts->items[i / codecs].units[0] >> u & 1 ? (int)k : (int)k + 1;
            naive_coding(q, device, (int)k, (int)k, false, (int)(i % codecs), c[0]);
            naive_coding(q, device, (int)k, (int)k, true, (int)(i % codecs), c[1]);
            if (k + 1 < q->p.n_devices) naive_cross(q, device, (int)k, (int)(i % codecs), c[2]);
        }
    }
}

static inline void chain_add(naive_cost *sum, const naive_cost *c)
{
    sum->known &= c->known;
    sum->ns += c->ns;
    sum->var_us2 += c->var_us2;
    sum->nj += c->nj;
    sum->pm += c->pm;
    sum->drop_ppm += c->drop_ppm;
    sum->wire_bytes += c->wire_bytes;
    sum->period_ns = CLV_MAX(sum->period_ns, c->period_ns);
}

static inline void chain_whole(chain_walk *w, naive_cost c, size_t last)
{
    const clv_plan_objective *o = &w->q->p.objective;
    const clv_plan_limits *l = &w->q->p.limits;
    if (!c.known) return;
    c.latency_ns = c.ns;
    if (o->quantile_ppm) {
        long long z_ppm = llround(1e6 * clv_normal_quantile(o->quantile_ppm / 1e6));
        c.latency_ns += llround((double)z_ppm * sqrt((double)c.var_us2) * 1e-3);
    }
    c.score = naive_score(o, &c);
    if (c.latency_ns > l->deadline_ns || c.nj > l->energy_nj || c.pm > l->price_pm ||
        c.drop_ppm > l->drop_ppm)
        return;
    chain_end end = {true, w->chain, c}, *best = &w->out->best, *of_last = &w->out->of_last[last];
    w->out->n_kept++;
    if (!best->found || naive_better(&c, &best->cost)) *best = end;
    if (!of_last->found || naive_better(&c, &of_last->cost)) *of_last = end;
}

static inline void chain_step(chain_walk *w, size_t k, size_t from, size_t codec, naive_cost before)
{
    const problem *q = w->q;
    size_t n = q->cuts->n, codecs = q->p.n_codecs;
    for (size_t to = k + 1 < q->p.n_devices ? from : n - 1; to < n; to++) {
        const chain_segment *s = &w->segments[k][from * n + to];
        bool runs = from != to, writes = runs || k == 0;
        naive_cost c = before;
        int64_t work = 0;
        if (!s->nested || !s->may || !s->cost.known) continue;
        if (runs) {
            int64_t wait = q->p.devices[k].queue_ns;
            naive_add(&c, wait, 0, k ? q->p.devices[0].idle_mw * wait : 0, 0);
            chain_add(&c, &s->cost);
            if (k) chain_add(&c, &w->codings[k][0][from * codecs + codec]);
            work = s->cost.ns + (k ? w->codings[k][0][from * codecs + codec].ns : 0);
        }
        w->chain.cut[k] = (int)to;
        if (to + 1 == n) {
            for (size_t d = k; d < q->p.n_devices; d++) w->chain.cut[d] = (int)to;
            c.period_ns = CLV_MAX(c.period_ns, work);
            chain_whole(w, c, k);
            continue;
        }
        for (size_t next = writes ? 0 : codec; next < (writes ? codecs : codec + 1); next++) {
            naive_cost over = c;
            const naive_cost *encode = &w->codings[k][1][to * codecs + next];
            if (writes) chain_add(&over, encode);
            over.period_ns = CLV_MAX(over.period_ns, work + (writes ? encode->ns : 0));
            chain_add(&over, &w->hops[k][to * codecs + next]);
            w->chain.codec[k] = (int)next;
            if (over.known) chain_step(w, k + 1, to, next, over);
        }
    }
}

static inline void chains_try(const problem *q, chain_best *out)
{
    chain_walk w = {.q = q, .out = out};
    *out = (chain_best){0};
    chain_fill(&w, q);
    chain_step(&w, 0, 0, 0, (naive_cost){.known = true});
    for (size_t k = 0; k < q->p.n_devices; k++) {
        free(w.segments[k]);
        free(w.codings[k][0]);
        free(w.codings[k][1]);
        free(w.hops[k]);
    }
}

/* The scores of the other last devices' best, in order. */
static inline size_t chain_rivals(const problem *q, const chain_best *best, int64_t *scores)
{
    size_t n = 0;
    for (size_t k = 0; k < q->p.n_devices; k++) {
        if (!best->of_last[k].found) continue;
        size_t at = n++;
        for (; at > 0 && best->of_last[k].cost.score < scores[at - 1]; at--)
            scores[at] = scores[at - 1];
        scores[at] = best->of_last[k].cost.score;
    }
    for (size_t i = 1; i < n; i++) scores[i - 1] = scores[i];
    return n ? n - 1 : 0;
}

#endif
