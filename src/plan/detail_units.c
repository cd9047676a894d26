/* The stages of planner D's answer: two devices, sums of units, perhaps a return to device 0. What a
 * device takes is the sum of its units; encoding, decoding and the way are the sums of its tensors. The
 * energy and money of coding, of the way and of device 0 stand in device 0's stage. */
#include "base/mem.h"
#include "plan/gadgets.h"
#include "plan/parts.h"
#include "plan/planners.h"

/* Bytes that come down: tensors made on device 1 that device 0 reads or answers with. */
static int64_t down_bytes(const clv_plan_problem *p, const uint8_t *unit_device)
{
    int64_t sum = 0;
    for (size_t t = 0; t < p->graph->n_tensors; t++) {
        const clv_graph_tensor *tensor = &p->graph->tensors[t];
        unsigned made_on;
        bool read = clv_gadgets_crosses(tensor, unit_device, &made_on);
        if (made_on == 1 && (read || tensor->is_output)) sum += (int64_t)tensor->bytes;
    }
    return sum;
}

static clv_plan_stage stage_of(const clv_plan_problem *p, const uint8_t *unit_device, size_t device)
{
    clv_plan_stage s = {.codec = -1};
    for (size_t u = 0; u < p->graph->n_units; u++) {
        if (unit_device[u] != device) continue;
        clv_plan_time t = {.ns = p->devices[device].unit_ns[u]};
        clv_plan_amount a = clv_part_work(p, device, t, CLV_NEED_ALL);
        s.n_units++;
        s.compute_ns = clv_part_sum(s.compute_ns, a.ns);
        s.nj = clv_part_sum(s.nj, a.nj);
        s.pm = clv_part_sum(s.pm, a.pm);
    }
    if (!s.n_units) return s;
    clv_plan_amount wait = clv_part_wait(p, device, CLV_NEED_ALL);
    s.wait_ns = wait.ns;
    s.nj = clv_part_sum(s.nj, wait.nj);
    return s;
}

static void cross(const clv_plan_problem *p, const clv_sums *sums, const clv_planner_answer *a,
                  clv_plan_stage stages[2])
{
    stages[0].codec = a->chain.codec[0];
    stages[0].drop_ppm = a->cost.total.drop_ppm;
    stages[0].overhead_ns = p->hops[0].overhead_ns;
    stages[0].rtt_ns = p->hops[0].rtt_ns;
    stages[0].up_ns = sums->at[CLV_DIM_UP];
    stages[0].down_ns = sums->at[CLV_DIM_DOWN];
    stages[0].down_bytes = down_bytes(p, a->unit_device);
    stages[0].up_bytes = sums->at[CLV_DIM_WIRE] - stages[0].down_bytes;
    stages[0].encode_ns = sums->at[CLV_DIM_WORK0] - stages[0].compute_ns;
    stages[1].decode_ns = sums->at[CLV_DIM_WORK1] - stages[1].compute_ns;
}

void clv_plan_detail_units(const clv_plan_problem *p, clv_planner_answer *answer, clv_plan *out)
{
    const uint8_t *unit_device = answer->unit_device;
    CLV_AUTO(clv_gadgets_release)
    clv_gadgets *g = clv_gadgets_new(p, (size_t)answer->chain.codec[0]);
    clv_sums sums = clv_gadgets_sums(g, unit_device);
    clv_plan plan = {.planner = CLV_PLANNER_MIN_CUT,
                     .chain = answer->chain,
                     .cost = answer->cost,
                     .n_units = p->graph->n_units};
    for (uint8_t d = 0; d < 2; d++) {
        plan.stages[d] = stage_of(p, unit_device, d);
        plan.stages[d].memory_bytes = clv_gadgets_memory(g, unit_device, d);
        plan.stages[d].from = d ? plan.chain.cut[0] : 0;
        plan.stages[d].to = plan.chain.cut[d];
        if (plan.stages[d].n_units) plan.n_stages = d + 1u;
    }
    if (plan.stages[1].n_units) cross(p, &sums, answer, plan.stages);
    if (plan.n_stages == 1) plan.stages[1] = (clv_plan_stage){0};
    plan.stages[0].nj = plan.cost.total.nj - plan.stages[1].nj;
    plan.stages[0].pm = plan.cost.total.pm - plan.stages[1].pm;
    plan.unit_device = clv_steal(&answer->unit_device);
    *out = plan;
}
