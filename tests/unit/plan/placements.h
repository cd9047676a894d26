/* The slow and obvious solver for placements unit by unit, returns allowed or not: every way to put the
 * units on two devices, in every codec, weighed from the text of plan/gadgets.h. Calls nothing of plan/.
 *
 *     placements *all = placements_new(q);           // tables of what each unit and tensor costs
 *     placement best;
 *     bool feasible = placements_best(all, &best);   // best.cost.score, best.away, best.codec
 *     free(all);
 */
#ifndef CLV_TESTS_PLAN_PLACEMENTS_H
#define CLV_TESTS_PLAN_PLACEMENTS_H

#include "problems.h"

enum { PLACEMENTS_TENSORS = 40 };

typedef struct placed_part {
    int64_t work[2], up_ns, down_ns, nj, pm, wire;
} placed_part;

typedef struct placements {
    const problem *q;
    size_t n_units, n_tensors;
    unsigned made[PLACEMENTS_TENSORS],
        read[PLACEMENTS_TENSORS]; /* bits of units; made 0: an input */
    placed_part run[2][PROBLEM_UNITS_MAX];
    placed_part up[PROBLEM_CODECS_MAX][PLACEMENTS_TENSORS], down[PLACEMENTS_TENSORS];
    placed_part once[2]; /* work is never in it */
    int64_t once_ns[2];
    unsigned only[2]; /* units that must be on the device */
    /* the most of any cut; UNKNOWN: a device lacks the codec */
    int64_t drop_ppm[PROBLEM_CODECS_MAX];
    bool returns;
} placements;

typedef struct placement {
    unsigned away; /* bit u: the unit runs on device 1 */
    int codec;
    naive_cost cost;
} placement;

/* A good link and cheap bytes, so that many placements use both devices. */
static inline void placements_favour_sharing(problem *q)
{
    clv_plan_hop *h = &q->p.hops[0];
    h->up_ps_per_byte = 1 + h->up_ps_per_byte / 20;
    h->down_ps_per_byte = 1 + h->down_ps_per_byte / 20;
    h->rtt_ns /= 20;
    h->overhead_ns /= 20;
    h->tx_mw /= 4;
    h->rx_mw /= 4;
    h->up_pj_per_byte /= 40;
    h->down_pj_per_byte /= 40;
    h->up_pm_per_byte /= 8;
    h->down_pm_per_byte /= 8;
    q->p.devices[1].queue_ns /= 20;
}

static inline int64_t placed_work(const problem *q, int d, int64_t ns, placed_part *part)
{
    int64_t mw = q->p.devices[d].active_mw + (d ? q->p.devices[0].idle_mw : 0);
    part->work[d] += ns;
    part->nj += naive_up((naive_wide)mw * ns, 1000);
    part->pm += naive_price(&q->p.devices[d], ns);
    return ns;
}

static inline placed_part placed_up(const problem *q, int codec, int64_t raw)
{
    const clv_plan_hop *h = &q->p.hops[0];
    const clv_plan_codec *c = &q->p.codecs[codec];
    placed_part part = {0};
    placed_work(q, 0, naive_up((naive_wide)raw * c->encode_ps_per_byte[0], 1000), &part);
    placed_work(q, 1, naive_up((naive_wide)raw * c->decode_ps_per_byte[1], 1000), &part);
    part.wire = naive_up((naive_wide)raw * c->bytes_per_kib, 1024);
    part.up_ns = naive_up((naive_wide)part.wire * h->up_ps_per_byte, 1000);
    int64_t pj = (h->tx_mw + q->p.devices[0].idle_mw) * part.up_ns + part.wire * h->up_pj_per_byte;
    part.nj += naive_up(pj, 1000);
    part.pm += part.wire * h->up_pm_per_byte;
    return part;
}

static inline placed_part placed_down(const problem *q, int64_t raw)
{
    const clv_plan_hop *h = &q->p.hops[0];
    placed_part part = {.wire = raw, .pm = raw * h->down_pm_per_byte};
    part.down_ns = naive_up((naive_wide)raw * h->down_ps_per_byte, 1000);
    int64_t mw = h->rx_mw + q->p.devices[0].idle_mw;
    part.nj = naive_up(mw * part.down_ns + raw * h->down_pj_per_byte, 1000);
    return part;
}

static inline int64_t placed_drop(const problem *q, const clv_plan_codec *c)
{
    int64_t most = 0;
    if (c->encode_ps_per_byte[0] == CLV_PLAN_UNKNOWN ||
        c->decode_ps_per_byte[1] == CLV_PLAN_UNKNOWN)
        return CLV_PLAN_UNKNOWN;
    for (size_t i = 0; c->cut_drop_ppm && i < q->cuts->n; i++)
        if (!c->cut_bytes || c->cut_bytes[i] != CLV_PLAN_UNKNOWN)
            most = CLV_MAX(most, c->cut_drop_ppm[i]);
    return most;
}

static inline placements *placements_new(const problem *q)
{
    placements *a = clv_alloc(sizeof *a);
    *a = (placements){.q = q, .n_units = q->graph->n_units, .n_tensors = q->graph->n_tensors};
    a->returns = q->p.may_return;
    if (a->n_tensors > PLACEMENTS_TENSORS) abort();
    for (size_t u = 0; u < a->n_units; u++)
        for (int d = 0; d < 2; d++) {
            placed_work(q, d, q->p.devices[d].unit_ns[u], &a->run[d][u]);
            const clv_unit *unit = &q->graph->units[u];
            bool may = !q->p.limits.unit_devices || q->p.limits.unit_devices[u] >> d & 1;
            for (size_t i = 0; i < unit->n_inputs && d && q->p.limits.stays; i++)
                may &= !q->p.limits.stays[unit->inputs[i]];
            for (size_t i = 0; i < unit->n_outputs && d && q->p.limits.stays; i++)
                may &= !q->p.limits.stays[unit->outputs[i]];
            if (!may) a->only[!d] |= 1u << u;
        }
    for (size_t t = 0; t < a->n_tensors; t++) {
        const clv_graph_tensor *tensor = &q->graph->tensors[t];
        a->made[t] = tensor->producer == CLV_NO_UNIT ? 0 : 1u << tensor->producer;
        for (size_t i = 0; i < tensor->n_consumers; i++) a->read[t] |= 1u << tensor->consumers[i];
        for (int c = 0; c < (int)q->p.n_codecs; c++)
            if (placed_drop(q, &q->p.codecs[c]) != CLV_PLAN_UNKNOWN)
                a->up[c][t] = placed_up(q, c, (int64_t)tensor->bytes);
        a->down[t] = placed_down(q, (int64_t)tensor->bytes);
    }
    for (size_t k = 0; k < q->p.n_codecs; k++) a->drop_ppm[k] = placed_drop(q, &q->p.codecs[k]);
    const clv_plan_hop *h = &q->p.hops[0];
    int64_t idle = q->p.devices[0].idle_mw, exchange = h->rtt_ns + h->overhead_ns;
    a->once_ns[0] = q->p.devices[0].queue_ns;
    a->once_ns[1] = q->p.devices[1].queue_ns + exchange;
    a->once[1].nj =
        naive_up(idle * q->p.devices[1].queue_ns, 1000) + naive_up(idle * exchange, 1000);
    return a;
}

static inline bool placement_legal(const placements *a, unsigned away)
{
    unsigned all = (1u << a->n_units) - 1;
    if (away & a->only[0] || (all & ~away) & a->only[1]) return false;
    if (away && !a->q->p.hops[0].up) return false;
    for (size_t t = 0; t < a->n_tensors && !a->returns; t++)
        if (a->made[t] & away && a->read[t] & ~away) return false;
    return true;
}

static inline void placed_add(naive_cost *c, int64_t work[2], int64_t ways[2],
                              const placed_part *part)
{
    for (int d = 0; d < 2; d++) work[d] += part->work[d];
    ways[0] += part->up_ns;
    ways[1] += part->down_ns;
    c->nj += part->nj;
    c->pm += part->pm;
    c->wire_bytes += part->wire;
}

static inline naive_cost placement_cost(const placements *a, unsigned away, int codec)
{
    const clv_plan_objective *o = &a->q->p.objective;
    const clv_plan_hop *h = &a->q->p.hops[0];
    naive_cost c = {.known = true};
    int64_t work[2] = {0}, ways[2] = {0};
    for (size_t u = 0; u < a->n_units; u++) placed_add(&c, work, ways, &a->run[away >> u & 1][u]);
    for (size_t t = 0; t < a->n_tensors; t++) {
        bool made_away = a->made[t] & away;
        if (!made_away && a->read[t] & away) placed_add(&c, work, ways, &a->up[codec][t]);
        bool wanted = a->q->graph->tensors[t].is_output || a->read[t] & ~away;
        if (made_away && wanted) placed_add(&c, work, ways, &a->down[t]);
    }
    unsigned all = (1u << a->n_units) - 1;
    for (int d = 0; d < 2; d++) {
        if (!(d ? away : all & ~away)) continue;
        c.ns += a->once_ns[d];
        placed_add(&c, work, ways, &a->once[d]);
    }
    c.ns += work[0] + work[1] + ways[0] + ways[1];
    c.drop_ppm = away ? a->drop_ppm[codec] : 0;
    if (away)
        c.var_us2 = h->rtt_var_us2 + naive_spread(ways[0], h->up_rel_ppm) +
                    naive_spread(ways[1], h->down_rel_ppm);
    c.latency_ns = c.ns;
    if (o->quantile_ppm) {
        long long z_ppm = llround(1e6 * clv_normal_quantile(o->quantile_ppm / 1e6));
        c.latency_ns += llround((double)z_ppm * sqrt((double)c.var_us2) * 1e-3);
    }
    c.period_ns = CLV_MAX(CLV_MAX(work[0], work[1]), CLV_MAX(ways[0], ways[1]));
    c.score = naive_score(o, &c);
    return c;
}

/* Weights and peak: at each unit of the device, all that is there. */
static inline int64_t placement_memory(const placements *a, unsigned away, int d)
{
    int64_t weights = 0, peak = 0, arrived = 0;
    for (size_t at = 0; at < a->n_units; at++) {
        if ((away >> at & 1) != (unsigned)d) continue;
        weights += (int64_t)a->q->graph->units[at].weight_bytes;
        int64_t held = 0;
        arrived = 0;
        for (size_t t = 0; t < a->n_tensors; t++) {
            unsigned here = d ? away : ~away, readers = a->read[t], later = ~0u << at;
            bool given = a->made[t] == 0 && d == 0, mine = a->made[t] & here;
            bool comes = (given && readers) || (!mine && !given && readers & here);
            bool leaves = (mine || given) && readers & ~here;
            bool kept = leaves || (mine && a->q->graph->tensors[t].is_output);
            bool made_by_now = comes || (mine && a->made[t] <= 1u << at);
            arrived += comes ? (int64_t)a->q->graph->tensors[t].bytes : 0;
            if (made_by_now && (kept || readers & here & later || a->made[t] == 1u << at))
                held += (int64_t)a->q->graph->tensors[t].bytes;
        }
        peak = CLV_MAX(peak, held);
    }
    return weights + CLV_MAX(peak, arrived);
}

static inline bool placement_keeps(const placements *a, unsigned away, const naive_cost *c)
{
    const clv_plan_limits *l = &a->q->p.limits;
    if (c->latency_ns > l->deadline_ns || c->nj > l->energy_nj || c->pm > l->price_pm ||
        c->drop_ppm > l->drop_ppm)
        return false;
    unsigned all = (1u << a->n_units) - 1;
    for (int d = 0; d < 2; d++) {
        int64_t max = a->q->p.devices[d].memory_bytes_max;
        if (max == CLV_PLAN_NO_LIMIT || !(d ? away : all & ~away)) continue;
        if (placement_memory(a, away, d) > max) return false;
    }
    return true;
}

static inline bool placements_best(const placements *a, placement *best)
{
    bool found = false;
    for (unsigned away = 0; away < 1u << a->n_units; away++) {
        if (!placement_legal(a, away)) continue;
        for (int c = 0; c < (int)a->q->p.n_codecs; c++) {
            if (a->drop_ppm[c] == CLV_PLAN_UNKNOWN) continue;
            placement m = {.away = away, .codec = c, .cost = placement_cost(a, away, c)};
            if ((!found || naive_better(&m.cost, &best->cost)) &&
                placement_keeps(a, away, &m.cost)) {
                *best = m;
                found = true;
            }
            if (!away) break;
        }
    }
    return found;
}

#endif
