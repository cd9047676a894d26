#include "base/mem.h"
#include "base/stats.h"
#include "plan/parts.h"

#include <math.h>
#include <string.h>

const clv_plan_codec clv_plan_raw = {.name = "raw", .bytes_per_kib = 1024};
const clv_plan_limits clv_plan_no_limits = {.deadline_ns = CLV_PLAN_NO_LIMIT,
                                            .energy_nj = CLV_PLAN_NO_LIMIT,
                                            .price_pm = CLV_PLAN_NO_LIMIT,
                                            .drop_ppm = CLV_PLAN_NO_LIMIT};

__extension__ typedef __int128 wide;

static int64_t narrow(wide x)
{
    return x < CLV_PART_MAX ? (int64_t)x : CLV_PART_MAX;
}

int64_t clv_part_ratio_wide(int64_t a, int64_t b, int64_t divisor)
{
    return narrow(((wide)a * b + divisor - 1) / divisor);
}

int64_t clv_part_radio_nj(const clv_plan_problem *p, size_t hop, const clv_plan_transfer *t,
                          int64_t total_ns)
{
    const clv_plan_hop *h = &p->hops[hop];
    wide pj = (wide)h->tx_mw * t->up_ns + (wide)h->rx_mw * t->down_ns +
              (wide)p->devices[0].idle_mw * total_ns + (wide)h->up_pj_per_byte * t->up_bytes +
              (wide)h->down_pj_per_byte * t->down_bytes;
    if (pj < CLV_PART_MAX) return ((int64_t)pj + 999) / 1000;
    return narrow((pj + 999) / 1000);
}

int64_t clv_part_z_ppm(const clv_plan_objective *o)
{
    return o->quantile_ppm ? llround(1e6 * clv_normal_quantile(o->quantile_ppm / 1e6)) : 0;
}

int64_t clv_part_latency_ns(int64_t z_ppm, const clv_plan_amount *total)
{
    if (!z_ppm || total->ns == CLV_PLAN_UNKNOWN) return total->ns;
    double above_ns = (double)z_ppm * sqrt((double)total->var_us2) * 1e-3;
    return clv_part_sum(total->ns, llround(above_ns));
}

int64_t clv_part_score(const clv_plan_objective *o, int64_t latency_ns,
                       const clv_plan_amount *total)
{
    if (latency_ns == CLV_PLAN_UNKNOWN) return CLV_PLAN_UNKNOWN;
    switch (o->goal) {
    case CLV_GOAL_LATENCY: return latency_ns;
    case CLV_GOAL_ENERGY: return total->nj;
    case CLV_GOAL_PRICE: return total->pm;
    case CLV_GOAL_WEIGHTED: {
        wide sum = (wide)o->second_weight * 1000 * latency_ns +
                   (wide)o->joule_weight * 1000 * total->nj + (wide)o->money_weight * total->pm;
        return sum < INT64_MAX - 1 ? (int64_t)sum : INT64_MAX - 1;
    }
    case CLV_GOAL_THROUGHPUT:
    case CLV_GOAL_COUNT: break;
    }
    return CLV_PLAN_UNKNOWN;
}

clv_plan_amount clv_plan_segment(const clv_plan_problem *p, size_t device, size_t from, size_t to)
{
    return clv_part_segment(p, device, from, to, CLV_NEED_ALL);
}

clv_plan_amount clv_plan_wait(const clv_plan_problem *p, size_t device)
{
    return clv_part_wait(p, device, CLV_NEED_ALL);
}

clv_plan_amount clv_plan_cross(const clv_plan_problem *p, size_t hop, size_t cut, size_t codec)
{
    return clv_part_cross(p, hop, cut, codec, CLV_NEED_ALL);
}

clv_plan_transfer clv_plan_transfer_of(const clv_plan_problem *p, size_t hop, size_t cut,
                                       size_t codec)
{
    if (!p->hops[hop].up || !clv_part_offered(p, cut, codec)) return (clv_plan_transfer){0};
    return clv_part_transfer(p, hop, cut, codec);
}

int64_t clv_plan_up_ns(const clv_plan_problem *p, size_t hop, size_t cut, size_t codec)
{
    if (!p->hops[hop].up || !clv_part_offered(p, cut, codec)) return CLV_PLAN_UNKNOWN;
    return clv_part_transfer(p, hop, cut, codec).up_ns;
}

int64_t clv_plan_down_ns(const clv_plan_problem *p, size_t hop, size_t cut)
{
    if (!p->hops[hop].up) return CLV_PLAN_UNKNOWN;
    return clv_part_transfer(p, hop, cut, 0).down_ns;
}

bool clv_plan_offered(const clv_plan_problem *p, size_t cut, size_t codec)
{
    return clv_part_offered(p, cut, codec);
}

size_t clv_plan_down_bytes(const clv_plan_problem *p, size_t cut)
{
    return p->cuts->items[cut].down_bytes;
}

clv_plan_amount clv_plan_encode(const clv_plan_problem *p, size_t device, size_t cut, size_t codec)
{
    return clv_part_encode(p, device, cut, codec, CLV_NEED_ALL);
}

clv_plan_amount clv_plan_decode(const clv_plan_problem *p, size_t device, size_t cut, size_t codec)
{
    return clv_part_decode(p, device, cut, codec, CLV_NEED_ALL);
}

clv_plan_amount clv_plan_add(clv_plan_amount a, clv_plan_amount b)
{
    return clv_part_add(a, b);
}

int64_t clv_plan_latency_ns(const clv_plan_objective *o, const clv_plan_amount *total)
{
    return clv_part_latency_ns(clv_part_z_ppm(o), total);
}

int64_t clv_plan_score(const clv_plan_objective *o, const clv_plan_amount *total)
{
    return clv_part_score(o, clv_plan_latency_ns(o, total), total);
}

static bool touches_what_stays(const clv_plan_problem *p, const clv_unit *u)
{
    bool found = false;
    for (size_t i = 0; i < u->n_inputs; i++) found |= p->limits.stays[u->inputs[i]];
    for (size_t i = 0; i < u->n_outputs; i++) found |= p->limits.stays[u->outputs[i]];
    return found;
}

uint8_t clv_plan_unit_devices(const clv_plan_problem *p, size_t unit)
{
    unsigned devices = p->limits.unit_devices ? p->limits.unit_devices[unit] : UINT8_MAX;
    if (p->limits.stays && touches_what_stays(p, &p->graph->units[unit])) devices &= 1;
    return (uint8_t)(devices & ((1u << p->n_devices) - 1));
}

static inline bool has(const clv_plan_problem *p, size_t cut, int unit)
{
    return p->cuts->items[cut].units[unit / 64] >> (unit % 64) & 1;
}

/* Is a unit run between two cuts? */
static inline bool between(const clv_plan_problem *p, size_t from, size_t to, int unit)
{
    return has(p, to, unit) && !has(p, from, unit);
}

bool clv_plan_may_run(const clv_plan_problem *p, size_t device, size_t from, size_t to)
{
    if (p->limits.unit_devices || p->limits.stays)
        for (size_t u = 0; u < p->graph->n_units; u++)
            if (between(p, from, to, (int)u) && !(clv_plan_unit_devices(p, u) >> device & 1))
                return false;
    return clv_part_fits(p, device, from, to);
}

/* Is tensor t, held while unit `u` runs, of no more use behind it? */
static bool dies_after(const clv_plan_problem *p, size_t from, size_t to, int t, int u)
{
    const clv_graph_tensor *tensor = &p->graph->tensors[t];
    bool made_here = tensor->producer != CLV_NO_UNIT && between(p, from, to, tensor->producer);
    if (tensor->is_output && made_here) return false;
    for (size_t i = tensor->n_consumers; i-- > 0;) { /* from the last: mostly it is still to come */
        int reader = tensor->consumers[i];
        if (!has(p, to, reader)) return false;
        if (reader > u && !has(p, from, reader)) return false;
    }
    return true;
}

static bool listed_before(const int *items, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (items[k] == items[i]) return true;
    return false;
}

static uint64_t weights(const clv_plan_problem *p, size_t from, size_t to)
{
    uint64_t sum = 0;
    const uint64_t *inner = p->cuts->items[from].units, *outer = p->cuts->items[to].units;
    for (size_t w = 0; w < p->cuts->words; w++)
        for (uint64_t bits = outer[w] & ~inner[w]; bits; bits &= bits - 1)
            sum += p->graph->units[w * 64 + (size_t)__builtin_ctzll(bits)].weight_bytes;
    return sum;
}

int64_t clv_plan_memory(const clv_plan_problem *p, size_t from, size_t to)
{
    if (from == to) return 0;
    uint64_t held = p->cuts->items[from].bytes, peak = held;
    for (size_t i = 0; i < p->graph->n_units; i++) {
        const clv_unit *u = &p->graph->units[i];
        int unit = (int)i;
        if (!between(p, from, to, unit)) continue;
        for (size_t k = 0; k < u->n_outputs; k++) held += p->graph->tensors[u->outputs[k]].bytes;
        peak = CLV_MAX(peak, held);
        for (size_t k = 0; k < u->n_inputs; k++)
            if (dies_after(p, from, to, u->inputs[k], unit) && !listed_before(u->inputs, k))
                held -= p->graph->tensors[u->inputs[k]].bytes;
        for (size_t k = 0; k < u->n_outputs; k++)
            if (dies_after(p, from, to, u->outputs[k], unit))
                held -= p->graph->tensors[u->outputs[k]].bytes;
    }
    return (int64_t)CLV_MIN(weights(p, from, to) + peak, (uint64_t)INT64_MAX - 1);
}

bool clv_part_fits(const clv_plan_problem *p, size_t device, size_t from, size_t to)
{
    int64_t max = p->devices[device].memory_bytes_max;
    if (max == CLV_PLAN_NO_LIMIT || from == to) return true;
    return weights(p, from, to) <= (uint64_t)max && clv_plan_memory(p, from, to) <= max;
}
