#include "plan/gadgets.h"

#include "plan/flow.h"
#include "plan/parts.h"

#include <stdlib.h>
#include <string.h>

enum { SOURCE, SINK, FIRST_UNIT };

/* An arc and what is paid on it. */
typedef struct charge {
    int arc;
    clv_sums cost;
} charge;

struct clv_gadgets {
    const clv_plan_problem *p;
    clv_flow *flow;
    charge *run[2];    /* [n_units] on each device */
    charge *up, *down; /* [n_tensors]; arc -1: never paid */
    uint8_t *fixed;    /* [n_units] */
    size_t codec;
    int64_t drop_ppm;
};

static clv_sums unit_cost(const clv_plan_problem *p, size_t device, size_t u)
{
    clv_plan_time t = {.ns = p->devices[device].unit_ns[u]};
    clv_plan_amount a = clv_part_work(p, device, t, CLV_NEED_ALL);
    clv_sums s = {.at = {[CLV_DIM_NJ] = a.nj, [CLV_DIM_PM] = a.pm}};
    s.at[device ? CLV_DIM_WORK1 : CLV_DIM_WORK0] = a.ns;
    s.at[device ? CLV_DIM_WEIGHTS1 : CLV_DIM_WEIGHTS0] = (int64_t)p->graph->units[u].weight_bytes;
    return s;
}

static clv_sums transfer_cost(const clv_plan_problem *p, const clv_plan_transfer *t)
{
    const clv_plan_hop *h = &p->hops[0];
    return (clv_sums){
        .at = {[CLV_DIM_UP] = t->up_ns,
               [CLV_DIM_DOWN] = t->down_ns,
               [CLV_DIM_NJ] = clv_part_radio_nj(p, 0, t, t->up_ns + t->down_ns),
               [CLV_DIM_PM] = clv_part_sum(clv_part_ratio(t->up_bytes, h->up_pm_per_byte, 1),
                                           clv_part_ratio(t->down_bytes, h->down_pm_per_byte, 1)),
               [CLV_DIM_WIRE] = t->up_bytes + t->down_bytes}};
}

static clv_sums up_cost(const clv_plan_problem *p, size_t codec, int64_t bytes)
{
    const clv_plan_codec *c = &p->codecs[codec];
    clv_plan_transfer t = {.up_bytes = clv_part_ratio(bytes, c->bytes_per_kib, 1024)};
    t.up_ns = clv_part_ratio(t.up_bytes, p->hops[0].up_ps_per_byte, 1000);
    clv_sums s = transfer_cost(p, &t);
    int64_t ps[2] = {c->encode_ps_per_byte[0], c->decode_ps_per_byte[1]};
    for (size_t d = 0; d < 2; d++) {
        clv_plan_time time = {.ns = clv_part_ratio(bytes, ps[d], 1000)};
        clv_plan_amount a = clv_part_work(p, d, time, CLV_NEED_ALL);
        s.at[d ? CLV_DIM_WORK1 : CLV_DIM_WORK0] += a.ns;
        s.at[CLV_DIM_NJ] += a.nj;
        s.at[CLV_DIM_PM] += a.pm;
    }
    return s;
}

static clv_sums down_cost(const clv_plan_problem *p, int64_t bytes)
{
    clv_plan_transfer t = {.down_bytes = bytes};
    t.down_ns = clv_part_ratio(bytes, p->hops[0].down_ps_per_byte, 1000);
    return transfer_cost(p, &t);
}

static bool may_cross(const clv_graph_tensor *t)
{
    return t->dtype != CLV_DTYPE_NONE && t->shape.rank >= 0;
}

static int node_of(int unit)
{
    return unit == CLV_NO_UNIT ? SOURCE : FIRST_UNIT + unit;
}

static void add_unit(clv_gadgets *g, size_t u)
{
    unsigned devices = clv_plan_unit_devices(g->p, u);
    int node = node_of((int)u);
    for (size_t d = 0; d < 2; d++) {
        bool may = devices >> d & 1;
        int from = d ? SOURCE : node, to = d ? node : SINK;
        g->run[d][u].cost = unit_cost(g->p, d, u);
        g->run[d][u].arc = may ? clv_flow_add_arc(g->flow, from, to, 0) : -1;
        if (!may) clv_flow_add_arc(g->flow, from, to, CLV_FLOW_INFINITE);
    }
}

static void add_way_up(clv_gadgets *g, size_t index)
{
    const clv_graph_tensor *t = &g->p->graph->tensors[index];
    int from = node_of(t->producer);
    if (!t->n_consumers) return;
    if (may_cross(t)) {
        int to = t->n_consumers > 1 ? clv_flow_add_node(g->flow) : node_of(t->consumers[0]);
        g->up[index].cost = up_cost(g->p, g->codec, (int64_t)t->bytes);
        g->up[index].arc = clv_flow_add_arc(g->flow, from, to, 0);
        if (t->n_consumers == 1) return;
        from = to;
    }
    for (size_t i = 0; i < t->n_consumers; i++)
        clv_flow_add_arc(g->flow, from, node_of(t->consumers[i]), CLV_FLOW_INFINITE);
}

static void add_way_down(clv_gadgets *g, size_t index)
{
    const clv_graph_tensor *t = &g->p->graph->tensors[index];
    int to = node_of(t->producer);
    if (t->producer == CLV_NO_UNIT) return;
    bool returns = g->p->may_return && may_cross(t) && t->n_consumers;
    if (t->is_output || returns) {
        int from = t->is_output ? SOURCE : clv_flow_add_node(g->flow);
        g->down[index].cost = down_cost(g->p, (int64_t)t->bytes);
        g->down[index].arc = clv_flow_add_arc(g->flow, from, to, 0);
        if (returns && t->is_output) return; /* it comes down anyway */
        if (returns) to = from;
    }
    for (size_t i = 0; i < t->n_consumers; i++)
        clv_flow_add_arc(g->flow, node_of(t->consumers[i]), to, CLV_FLOW_INFINITE);
}

static int64_t most_drop_ppm(const clv_plan_problem *p, size_t codec)
{
    const int64_t *drops = p->codecs[codec].cut_drop_ppm;
    int64_t most = 0;
    for (size_t i = 0; drops && i < p->cuts->n; i++)
        if (clv_part_offered(p, i, codec)) most = CLV_MAX(most, drops[i]);
    return most;
}

bool clv_gadgets_offered(const clv_plan_problem *p, size_t codec)
{
    const clv_plan_codec *c = &p->codecs[codec];
    return c->encode_ps_per_byte[0] != CLV_PLAN_UNKNOWN &&
           c->decode_ps_per_byte[1] != CLV_PLAN_UNKNOWN &&
           most_drop_ppm(p, codec) <= p->limits.drop_ppm;
}

clv_gadgets *clv_gadgets_new(const clv_plan_problem *p, size_t codec)
{
    clv_gadgets *g = clv_alloc(sizeof *g);
    *g = (clv_gadgets){.p = p, .codec = codec, .flow = clv_flow_new()};
    g->drop_ppm = most_drop_ppm(p, codec);
    for (size_t i = 0; i < FIRST_UNIT + p->graph->n_units; i++) clv_flow_add_node(g->flow);
    for (size_t d = 0; d < 2; d++) g->run[d] = clv_alloc_array(p->graph->n_units, sizeof(charge));
    g->fixed = clv_alloc_array(p->graph->n_units + 1, 1);
    memset(g->fixed, CLV_GADGETS_ANY, p->graph->n_units);
    g->up = clv_alloc_array(p->graph->n_tensors, sizeof(charge));
    g->down = clv_alloc_array(p->graph->n_tensors, sizeof(charge));
    for (size_t u = 0; u < p->graph->n_units; u++) add_unit(g, u);
    for (size_t t = 0; t < p->graph->n_tensors; t++) {
        g->up[t].arc = g->down[t].arc = -1;
        add_way_up(g, t);
        add_way_down(g, t);
    }
    return g;
}

void clv_gadgets_free(clv_gadgets *g)
{
    if (!g) return;
    clv_flow_free(g->flow);
    free(g->run[0]);
    free(g->run[1]);
    free(g->up);
    free(g->fixed);
    free(g->down);
    free(g);
}

void clv_gadgets_release(clv_gadgets **g)
{
    clv_gadgets_free(*g);
    *g = NULL;
}

static void add_to(clv_sums *sum, const clv_sums *part)
{
    for (size_t k = 0; k < CLV_DIM_COUNT; k++) sum->at[k] = clv_part_sum(sum->at[k], part->at[k]);
}

clv_sums clv_gadgets_total(const clv_gadgets *g)
{
    clv_sums sum = {0};
    for (size_t u = 0; u < g->p->graph->n_units; u++)
        for (size_t d = 0; d < 2; d++) add_to(&sum, &g->run[d][u].cost);
    for (size_t t = 0; t < g->p->graph->n_tensors; t++) {
        add_to(&sum, &g->up[t].cost);
        add_to(&sum, &g->down[t].cost);
    }
    return sum;
}

static void weigh(clv_gadgets *g, const charge *charges, size_t n, const clv_sums *weights)
{
    for (size_t i = 0; i < n; i++) {
        int64_t capacity = 0;
        for (size_t k = 0; k < CLV_DIM_COUNT; k++)
            capacity += weights->at[k] * charges[i].cost.at[k];
        if (charges[i].arc >= 0) clv_flow_set(g->flow, charges[i].arc, capacity);
    }
}

int64_t clv_gadgets_cut(clv_gadgets *g, const clv_sums *weights, uint8_t *unit_device)
{
    const clv_graph *graph = g->p->graph;
    weigh(g, g->run[0], graph->n_units, weights);
    weigh(g, g->run[1], graph->n_units, weights);
    weigh(g, g->up, graph->n_tensors, weights);
    weigh(g, g->down, graph->n_tensors, weights);
    for (size_t u = 0; u < graph->n_units; u++) {
        const charge *other = g->fixed[u] < 2 ? &g->run[!g->fixed[u]][u] : NULL;
        if (other && other->arc >= 0) clv_flow_set(g->flow, other->arc, CLV_FLOW_INFINITE);
    }
    int64_t value = clv_flow_max(g->flow, SOURCE, SINK);
    if (value == CLV_FLOW_INFINITE) return value;
    for (size_t u = 0; u < graph->n_units; u++)
        unit_device[u] = !clv_flow_source_side(g->flow, node_of((int)u));
    return value;
}

bool clv_gadgets_crosses(const clv_graph_tensor *t, const uint8_t *unit_device, unsigned *made_on)
{
    *made_on = t->producer == CLV_NO_UNIT ? 0 : unit_device[t->producer];
    for (size_t i = 0; i < t->n_consumers; i++)
        if (unit_device[t->consumers[i]] != *made_on) return true;
    return false;
}

clv_sums clv_gadgets_sums(const clv_gadgets *g, const uint8_t *unit_device)
{
    const clv_graph *graph = g->p->graph;
    clv_sums sum = {0};
    for (size_t u = 0; u < graph->n_units; u++) add_to(&sum, &g->run[unit_device[u]][u].cost);
    for (size_t i = 0; i < graph->n_tensors; i++) {
        unsigned made_on;
        bool crosses = clv_gadgets_crosses(&graph->tensors[i], unit_device, &made_on);
        if (crosses && !made_on) add_to(&sum, &g->up[i].cost);
        if (made_on && (crosses || graph->tensors[i].is_output)) add_to(&sum, &g->down[i].cost);
    }
    return sum;
}

bool clv_gadgets_legal(const clv_gadgets *g, const uint8_t *unit_device)
{
    const clv_graph *graph = g->p->graph;
    for (size_t u = 0; u < graph->n_units; u++)
        if (g->run[unit_device[u]][u].arc < 0) return false;
    for (size_t i = 0; i < graph->n_tensors; i++) {
        unsigned made_on;
        if (!clv_gadgets_crosses(&graph->tensors[i], unit_device, &made_on)) continue;
        if (!may_cross(&graph->tensors[i]) || (made_on && !g->p->may_return)) return false;
    }
    return true;
}

void clv_gadgets_fix(clv_gadgets *g, size_t unit, uint8_t device)
{
    g->fixed[unit] = device;
}

uint8_t clv_gadgets_fixed(const clv_gadgets *g, size_t unit)
{
    return g->fixed[unit];
}

size_t clv_gadgets_steps(const clv_gadgets *g)
{
    return clv_flow_steps(g->flow);
}

const clv_plan_problem *clv_gadgets_problem(const clv_gadgets *g)
{
    return g->p;
}

int64_t clv_gadgets_drop_ppm(const clv_gadgets *g)
{
    return g->drop_ppm;
}

size_t clv_gadgets_augmentations(const clv_gadgets *g)
{
    return clv_flow_augmentations(g->flow);
}
