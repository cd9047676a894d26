#include "plan/gadgets.h"

#include "base/mem.h"
#include "plan/parts.h"

/* What is paid once, whatever the units: device 0's wait; all of the link but bytes, and its wait. */
static clv_plan_amount paid_once(const clv_plan_problem *p, const bool runs[2])
{
    clv_plan_amount a = {0};
    clv_plan_transfer nothing = {0};
    if (runs[0]) a = clv_part_add(a, clv_part_wait(p, 0, CLV_NEED_ALL));
    if (runs[1]) {
        a = clv_part_add(a, clv_part_wait(p, 1, CLV_NEED_ALL));
        a = clv_part_add(a, clv_part_cross_of(p, 0, &nothing, CLV_NEED_ALL));
    }
    return a;
}

clv_plan_amount clv_gadgets_once(const clv_plan_problem *p)
{
    return paid_once(p, (bool[2]){true, true});
}

clv_plan_cost clv_gadgets_weigh(const clv_gadgets *g, const uint8_t *unit_device)
{
    const clv_plan_problem *p = clv_gadgets_problem(g);
    const clv_plan_hop *h = &p->hops[0];
    clv_sums s = clv_gadgets_sums(g, unit_device);
    bool runs[2] = {false, false};
    for (size_t u = 0; u < p->graph->n_units; u++) runs[unit_device[u]] = true;
    int64_t up = s.at[CLV_DIM_UP], down = s.at[CLV_DIM_DOWN];
    int64_t work0 = s.at[CLV_DIM_WORK0], work1 = s.at[CLV_DIM_WORK1];
    clv_plan_amount units = {.ns = clv_part_sum(clv_part_sum(work0, work1), clv_part_sum(up, down)),
                             .var_us2 = clv_part_sum(clv_part_variance(up, h->up_rel_ppm),
                                                     clv_part_variance(down, h->down_rel_ppm)),
                             .nj = s.at[CLV_DIM_NJ],
                             .pm = s.at[CLV_DIM_PM]};
    if (runs[1]) units.drop_ppm = clv_gadgets_drop_ppm(g);
    clv_plan_cost c = {.total = clv_part_add(units, paid_once(p, runs)),
                       .period_ns = CLV_MAX(CLV_MAX(work0, work1), CLV_MAX(up, down)),
                       .wire_bytes = s.at[CLV_DIM_WIRE]};
    c.latency_ns = clv_plan_latency_ns(&p->objective, &c.total);
    c.score = p->objective.goal == CLV_GOAL_THROUGHPUT ? c.period_ns
                                                       : clv_plan_score(&p->objective, &c.total);
    return c;
}

static double over(int64_t value, int64_t limit)
{
    if (limit == CLV_PLAN_NO_LIMIT || value <= limit) return 0;
    return ((double)value - (double)limit) / ((double)limit + 1);
}

double clv_gadgets_excess(const clv_gadgets *g, const uint8_t *unit_device,
                          const clv_plan_cost *cost)
{
    const clv_plan_problem *p = clv_gadgets_problem(g);
    const clv_plan_limits *l = &p->limits;
    double sum = over(cost->latency_ns, l->deadline_ns) + over(cost->total.nj, l->energy_nj) +
                 over(cost->total.pm, l->price_pm);
    for (uint8_t d = 0; d < 2; d++) {
        int64_t max = p->devices[d].memory_bytes_max;
        if (max != CLV_PLAN_NO_LIMIT) sum += over(clv_gadgets_memory(g, unit_device, d), max);
    }
    return sum;
}

/* Does the device still hold tensor `t` behind unit `u`: read later, sent away, or the answer? */
static bool held_after(const clv_graph_tensor *t, const uint8_t *unit_device, uint8_t device, int u)
{
    bool made_here = t->producer != CLV_NO_UNIT && unit_device[t->producer] == device;
    if (t->is_output && made_here) return true;
    for (size_t i = 0; i < t->n_consumers; i++) {
        int reader = t->consumers[i];
        bool here = unit_device[reader] == device;
        bool leaves = !here && (made_here || (t->producer == CLV_NO_UNIT && device == 0));
        if (leaves || (here && reader > u)) return true;
    }
    return false;
}

static bool listed_before(const int *items, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (items[k] == items[i]) return true;
    return false;
}

/* Bytes that are there before the device's first unit. */
static int64_t arriving(const clv_graph *graph, const uint8_t *unit_device, uint8_t device)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < graph->n_tensors; i++) {
        const clv_graph_tensor *t = &graph->tensors[i];
        unsigned made_on;
        bool crosses = clv_gadgets_crosses(t, unit_device, &made_on);
        bool input = t->producer == CLV_NO_UNIT && device == 0 && t->n_consumers;
        if (input || (crosses && made_on != device)) bytes += (int64_t)t->bytes;
    }
    return bytes;
}

int64_t clv_gadgets_memory(const clv_gadgets *g, const uint8_t *unit_device, uint8_t device)
{
    const clv_graph *graph = clv_gadgets_problem(g)->graph;
    int64_t weights = 0, held = arriving(graph, unit_device, device), peak = held;
    bool runs = false;
    for (size_t i = 0; i < graph->n_units; i++) {
        const clv_unit *u = &graph->units[i];
        if (unit_device[i] != device) continue;
        runs = true;
        weights += (int64_t)u->weight_bytes;
        for (size_t k = 0; k < u->n_outputs; k++)
            held += (int64_t)graph->tensors[u->outputs[k]].bytes;
        peak = CLV_MAX(peak, held);
        for (size_t k = 0; k < u->n_inputs + u->n_outputs; k++) {
            bool input = k < u->n_inputs;
            int t = input ? u->inputs[k] : u->outputs[k - u->n_inputs];
            if (input && listed_before(u->inputs, k)) continue;
            if (!held_after(&graph->tensors[t], unit_device, device, (int)i))
                held -= (int64_t)graph->tensors[t].bytes;
        }
    }
    return runs ? weights + peak : 0;
}
