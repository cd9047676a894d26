/* Small networks with times, for the policies' tests: random ones, and ones drawn by hand. */
#ifndef CLV_TESTS_PLAN_POLICY_PROBLEMS_H
#define CLV_TESTS_PLAN_POLICY_PROBLEMS_H

#include "base/mem.h"
#include "base/rng.h"
#include "graph/graph_maker.h"
#include "plan/policies_priv.h"

#include <stdlib.h>
#include <string.h>

enum { TOY_UNITS_MAX = 64 };

/* A problem with what it borrows. Unit times are free; toy_measure() makes times of segments. */
typedef struct toy {
    clv_graph *g;
    clv_cuts *cuts;
    int64_t edge_ns[TOY_UNITS_MAX], cloud_ns[TOY_UNITS_MAX];
    clv_plan_time *times[4];
    size_t cap; /* of the cuts; 0: the usual */
    clv_plan_problem p;
} toy;

static inline void toy_begin(toy *t)
{
    *t = (toy){.g = graph_new()};
}

/* The graph is drawn: find its cuts, and a plain problem of two devices with a link of 1 byte a ns. */
static inline void toy_end(toy *t)
{
    clv_error err = {0};
    clv_status status = clv_cuts_enumerate(t->g, t->cap ? t->cap : CLV_CUTS_CAP, &t->cuts, &err);
    if (status) abort();
    for (int i = 0; i < 4; i++) t->times[i] = clv_alloc_array(t->cuts->n, sizeof *t->times[i]);
    t->p = (clv_plan_problem){.graph = t->g,
                              .cuts = t->cuts,
                              .n_devices = 2,
                              .codecs = &clv_plan_raw,
                              .n_codecs = 1,
                              .limits = clv_plan_no_limits};
    for (int d = 0; d < 2; d++)
        t->p.devices[d] = (clv_plan_device){.name = "edge",
                                            .prefix = t->times[2 * d],
                                            .suffix = t->times[2 * d + 1],
                                            .unit_ns = d ? t->cloud_ns : t->edge_ns,
                                            .active_mw = 1000,
                                            .memory_bytes_max = CLV_PLAN_NO_LIMIT};
    memcpy(t->p.devices[1].name, "cloud", 6);
    t->p.hops[0] = (clv_plan_hop){.up = true, .up_ps_per_byte = 1000, .down_ps_per_byte = 1000};
}

/* Segments take `percent` of their units' times (a fused whole is less than its parts), and `start` more. */
static inline void toy_measure(toy *t, int64_t percent, int64_t start)
{
    for (size_t i = 0; i < t->cuts->n; i++)
        for (int d = 0; d < 2; d++) {
            const int64_t *ns = d ? t->cloud_ns : t->edge_ns;
            int64_t before = 0, after = 0;
            for (size_t u = 0; u < t->g->n_units; u++)
                *(clv_cut_has(&t->cuts->items[i], (int)u) ? &before : &after) += ns[u];
            t->times[2 * d][i].ns = i ? before * percent / 100 + start : 0;
            t->times[2 * d + 1][i].ns = i + 1 < t->cuts->n ? after * percent / 100 + start : 0;
        }
}

static inline void toy_done(toy *t)
{
    for (int i = 0; i < 4; i++) free(t->times[i]);
    clv_cuts_free(t->cuts);
    clv_graph_free(t->g);
    *t = (toy){0};
}

/* A chain: unit u takes edge[u] and cloud[u], tensor i (0 the input) has bytes[i]. */
static inline void toy_chain(toy *t, size_t n, const int64_t *edge, const int64_t *cloud,
                             const size_t *bytes)
{
    toy_begin(t);
    int x = add_input(t->g, "x");
    for (size_t u = 0; u < n; u++) {
        t->g->tensors[x].bytes = bytes[u];
        x = add_next(t->g, &x, 1);
        t->edge_ns[u] = edge[u];
        t->cloud_ns[u] = cloud[u];
    }
    t->g->tensors[x].bytes = bytes[n];
    t->g->tensors[x].is_output = true;
    toy_end(t);
    toy_measure(t, 100, 0);
}

/* A random network of up to `most` units with one input and one last unit, so that every ideal is a cut
 * of its own; everything else random too. */
static inline void toy_random(toy *t, clv_rng *r, size_t most)
{
    toy_begin(t);
    add_input(t->g, "x");
    size_t n = 2 + clv_rng_below(r, most - 1);
    for (size_t u = 0; u + 1 < n; u++) {
        int back = (int)CLV_MIN(3, t->g->n_tensors);
        int in[2];
        for (int k = 0; k < 2; k++)
            in[k] = (int)t->g->n_tensors - 1 - (int)clv_rng_below(r, (uint64_t)back);
        bool two = in[0] != in[1] && clv_rng_below(r, 2);
        add_next(t->g, in, two ? 2 : 1);
    }
    int loose[TOY_UNITS_MAX];
    size_t n_loose = 0;
    for (size_t i = 0; i < t->g->n_tensors; i++)
        if (t->g->tensors[i].n_consumers == 0) loose[n_loose++] = (int)i;
    int last = add_next(t->g, loose, n_loose);
    t->g->tensors[last].is_output = true;
    for (size_t i = 0; i < t->g->n_tensors; i++) t->g->tensors[i].bytes = 1 + clv_rng_below(r, 200);
    for (size_t u = 0; u < n; u++) {
        t->edge_ns[u] = (int64_t)clv_rng_below(r, 100);
        t->cloud_ns[u] = (int64_t)clv_rng_below(r, 40);
    }
    toy_end(t);
    for (size_t i = 0; i < t->cuts->n; i++) /* measured: near the sums, not the sums */
        for (int k = 0; k < 4; k++) {
            int64_t sum = 0;
            for (size_t u = 0; u < n; u++)
                if (clv_cut_has(&t->cuts->items[i], (int)u) == (k % 2 == 0))
                    sum += k < 2 ? t->edge_ns[u] : t->cloud_ns[u];
            t->times[k][i].ns = sum ? sum * (int64_t)(60 + clv_rng_below(r, 60)) / 100 + 1 : 0;
        }
    for (int k = 0; k < 2; k++) {
        t->times[2 * k][0].ns = 0;
        t->times[2 * k + 1][t->cuts->n - 1].ns = 0;
    }
    t->p.devices[0].queue_ns = (int64_t)clv_rng_below(r, 20);
    t->p.devices[1].queue_ns = (int64_t)clv_rng_below(r, 20);
    t->p.hops[0].rtt_ns = (int64_t)clv_rng_below(r, 60);
    t->p.hops[0].overhead_ns = (int64_t)clv_rng_below(r, 20);
    t->p.hops[0].up_ps_per_byte = 1 + (int64_t)clv_rng_below(r, 2000);
    t->p.hops[0].tx_mw = (int64_t)clv_rng_below(r, 3000);
}

/* ---- the slow and obvious: every predecessor-closed set of units, by its bits ---- */

typedef struct toy_sums {
    int64_t edge, up, cloud;
} toy_sums;

static inline bool toy_closed(const clv_graph *g, uint64_t set)
{
    for (size_t u = 0; u < g->n_units; u++)
        for (size_t i = 0; (set >> u & 1) && i < g->units[u].n_inputs; i++) {
            int from = g->tensors[g->units[u].inputs[i]].producer;
            if (from != CLV_NO_UNIT && !(set >> from & 1)) return false;
        }
    return true;
}

static inline toy_sums toy_sums_of(const toy *t, uint64_t set)
{
    toy_sums s = {0};
    int64_t bytes = 0;
    for (size_t u = 0; u < t->g->n_units; u++)
        *(set >> u & 1 ? &s.edge : &s.cloud) += set >> u & 1 ? t->edge_ns[u] : t->cloud_ns[u];
    for (size_t i = 0; i < t->g->n_tensors; i++) {
        const clv_graph_tensor *x = &t->g->tensors[i];
        if (x->producer != CLV_NO_UNIT && !(set >> x->producer & 1)) continue;
        bool needed = false;
        for (size_t k = 0; k < x->n_consumers; k++) needed |= !(set >> x->consumers[k] & 1);
        if (needed) bytes += (int64_t)x->bytes;
    }
    s.up = clv_policy_bytes_ns(bytes, t->p.hops[0].up_ps_per_byte);
    return s;
}

#endif
