/* What plan/plan.h says of one given chain: its cost, the limit it breaks, its stages. */
#include "base/mem.h"
#include "plan/parts.h"
#include "plan/plan.h"

#include <string.h>

bool clv_plan_better(const clv_plan_cost *a, const clv_plan_cost *b)
{
    if (a->score != b->score) return a->score < b->score;
    if (a->wire_bytes != b->wire_bytes) return a->wire_bytes < b->wire_bytes;
    return a->latency_ns < b->latency_ns;
}

static size_t stage_from(const clv_plan_chain *chain, size_t k)
{
    return k ? (size_t)chain->cut[k - 1] : 0;
}

/* Is the hop behind device k crossed? */
static bool crosses(const clv_plan_problem *p, const clv_plan_chain *chain, size_t k)
{
    return k + 1 < p->n_devices && (size_t)chain->cut[k] + 1 != p->cuts->n;
}

static clv_status check_chain(const clv_plan_problem *p, const clv_plan_chain *chain,
                              clv_error *err)
{
    size_t last = p->cuts->n - 1;
    for (size_t k = 0; k < p->n_devices; k++) {
        int cut = chain->cut[k], codec = chain->codec[k];
        if (cut < 0 || (size_t)cut > last ||
            !clv_cut_within(p->cuts, stage_from(chain, k), (size_t)cut))
            return clv_fail(err, CLV_EINVAL,
                            "chain: device %zu ends at cut %d, must be one of %zu cuts that holds "
                            "the one before",
                            k, cut, p->cuts->n);
        if (!crosses(p, chain, k)) continue;
        if (codec < 0 || (size_t)codec >= p->n_codecs)
            return clv_fail(err, CLV_EINVAL, "chain: hop %zu has codec %d of %zu", k, codec,
                            p->n_codecs);
        bool runs = k == 0 || chain->cut[k] != chain->cut[k - 1];
        if (!runs && codec != chain->codec[k - 1])
            return clv_fail(err, CLV_EINVAL,
                            "chain: device %zu runs nothing, so hop %zu has the codec of the hop "
                            "before, %d, not %d",
                            k, k, chain->codec[k - 1], codec);
    }
    if ((size_t)chain->cut[p->n_devices - 1] != last)
        return clv_fail(err, CLV_EINVAL, "chain: the last device ends at cut %d, must be %zu, all",
                        chain->cut[p->n_devices - 1], last);
    return CLV_OK;
}

/* The totals of a chain while its stages are added. */
typedef struct sum {
    clv_plan_amount total;
    int64_t period_ns, wire_bytes;
} sum;

static void stage_pay(clv_plan_stage *stage, sum *s, clv_plan_amount a)
{
    s->total = clv_part_add(s->total, a);
    stage->nj = clv_part_sum(stage->nj, a.nj);
    stage->pm = clv_part_sum(stage->pm, a.pm);
    stage->drop_ppm = clv_part_sum(stage->drop_ppm, a.drop_ppm);
}

static void stage_cross(const clv_plan_problem *p, size_t k, size_t cut, size_t codec,
                        clv_plan_stage *stage, sum *s)
{
    clv_plan_amount encode = clv_part_encode(p, k, cut, codec, CLV_NEED_ALL);
    bool runs = k == 0 || stage->from != stage->to;
    if (runs) stage->encode_ns = encode.ns;
    if (runs) stage_pay(stage, s, encode);
    stage_pay(stage, s, clv_part_cross(p, k, cut, codec, CLV_NEED_ALL));
    if (!p->hops[k].up || !clv_part_offered(p, cut, codec)) return;
    clv_plan_transfer t = clv_part_transfer(p, k, cut, codec);
    stage->codec = (int)codec;
    stage->overhead_ns = p->hops[k].overhead_ns;
    stage->rtt_ns = p->hops[k].rtt_ns;
    stage->up_ns = t.up_ns;
    stage->down_ns = t.down_ns;
    stage->up_bytes = t.up_bytes;
    stage->down_bytes = t.down_bytes;
    s->wire_bytes = clv_part_sum(s->wire_bytes, clv_part_sum(t.up_bytes, t.down_bytes));
    s->period_ns = CLV_MAX(s->period_ns, CLV_MAX(t.up_ns, t.down_ns));
}

/* Device k's stage, and what it adds to the sum. */
static clv_plan_stage stage_of(const clv_plan_problem *p, const clv_plan_chain *chain, size_t k,
                               sum *s)
{
    size_t from = stage_from(chain, k), to = (size_t)chain->cut[k];
    clv_plan_stage stage = {.from = (int)from, .to = (int)to, .codec = -1};
    stage.n_units = p->cuts->items[to].n_units - p->cuts->items[from].n_units;
    if (from != to) {
        clv_plan_amount wait = clv_part_wait(p, k, CLV_NEED_ALL), decode = {0};
        clv_plan_amount compute = clv_part_segment(p, k, from, to, CLV_NEED_ALL);
        if (k) decode = clv_part_decode(p, k, from, (size_t)chain->codec[k - 1], CLV_NEED_ALL);
        stage.wait_ns = wait.ns;
        stage.decode_ns = decode.ns;
        stage.compute_ns = compute.ns;
        stage_pay(&stage, s, wait);
        stage_pay(&stage, s, decode);
        stage_pay(&stage, s, compute);
    }
    if (crosses(p, chain, k)) stage_cross(p, k, to, (size_t)chain->codec[k], &stage, s);
    int64_t work = clv_part_sum(clv_part_sum(stage.decode_ns, stage.compute_ns), stage.encode_ns);
    s->period_ns = CLV_MAX(s->period_ns, work);
    return stage;
}

static clv_status check_measured(const clv_plan_problem *p, const clv_plan_stage *stage, size_t k,
                                 bool crossed, clv_error *err)
{
    const char *name = p->devices[k].name;
    if (stage->compute_ns == CLV_PLAN_UNKNOWN)
        return clv_fail(err, CLV_EINVAL,
                        "chain: the segment from cut %d to cut %d was not measured on device '%s'",
                        stage->from, stage->to, name);
    if (crossed && !p->hops[k].up)
        return clv_fail(err, CLV_EUNAVAIL, "chain: the link from '%s' to '%s' is down", name,
                        p->devices[k + 1].name);
    if (crossed && stage->codec < 0)
        return clv_fail(err, CLV_EINVAL, "chain: the codec of hop %zu is not offered at cut %d", k,
                        stage->to);
    if (stage->decode_ns == CLV_PLAN_UNKNOWN || stage->encode_ns == CLV_PLAN_UNKNOWN)
        return clv_fail(
            err, CLV_EINVAL, "chain: it is not known what %s takes on device '%s' at cut %d",
            stage->encode_ns == CLV_PLAN_UNKNOWN ? "writing the codec" : "reading the codec", name,
            stage->encode_ns == CLV_PLAN_UNKNOWN ? stage->to : stage->from);
    return CLV_OK;
}

static clv_plan_cost cost_of(const clv_plan_problem *p, const sum *s)
{
    clv_plan_cost cost = {
        .total = s->total, .period_ns = s->period_ns, .wire_bytes = s->wire_bytes};
    cost.latency_ns = clv_plan_latency_ns(&p->objective, &cost.total);
    cost.score = p->objective.goal == CLV_GOAL_THROUGHPUT
                     ? cost.period_ns
                     : clv_part_score(&p->objective, cost.latency_ns, &cost.total);
    return cost;
}

/* `stages` has room for all devices. */
static clv_status weigh(const clv_plan_problem *p, const clv_plan_chain *chain,
                        clv_plan_stage *stages, clv_plan_cost *out, clv_error *err)
{
    clv_status status = check_chain(p, chain, err);
    sum s = {0};
    for (size_t k = 0; k < p->n_devices && status == CLV_OK; k++) {
        stages[k] = stage_of(p, chain, k, &s);
        status = check_measured(p, &stages[k], k, crosses(p, chain, k), err);
    }
    if (status == CLV_OK) *out = cost_of(p, &s);
    return status;
}

clv_status clv_plan_weigh(const clv_plan_problem *p, const clv_plan_chain *chain,
                          clv_plan_cost *out, clv_error *err)
{
    clv_plan_stage stages[CLV_PLAN_DEVICES_MAX];
    return weigh(p, chain, stages, out, err);
}

/* Does a unit run where pins (with `stays` aside) or privacy (with pins aside) forbid it? */
static bool misplaced(const clv_plan_problem *p, const clv_plan_chain *chain, bool by_pins)
{
    clv_plan_problem one = *p;
    if (by_pins) one.limits.stays = NULL;
    if (!by_pins) one.limits.unit_devices = NULL;
    if (!one.limits.stays && !one.limits.unit_devices) return false;
    for (size_t k = 0; k < p->n_devices; k++) {
        one.devices[k].memory_bytes_max = CLV_PLAN_NO_LIMIT;
        if (!clv_plan_may_run(&one, k, stage_from(chain, k), (size_t)chain->cut[k])) return true;
    }
    return false;
}

static bool overfull(const clv_plan_problem *p, const clv_plan_chain *chain)
{
    for (size_t k = 0; k < p->n_devices; k++) {
        int64_t max = p->devices[k].memory_bytes_max;
        if (max == CLV_PLAN_NO_LIMIT) continue;
        if (clv_plan_memory(p, stage_from(chain, k), (size_t)chain->cut[k]) > max) return true;
    }
    return false;
}

clv_plan_limit clv_plan_violated(const clv_plan_problem *p, const clv_plan_chain *chain,
                                 const clv_plan_cost *cost)
{
    for (size_t k = 0; k < p->n_devices; k++)
        if (crosses(p, chain, k) && !p->hops[k].up) return CLV_LIMIT_LINK;
    if (misplaced(p, chain, true)) return CLV_LIMIT_PINS;
    if (misplaced(p, chain, false)) return CLV_LIMIT_PRIVACY;
    if (overfull(p, chain)) return CLV_LIMIT_MEMORY;
    if (cost->latency_ns > p->limits.deadline_ns) return CLV_LIMIT_DEADLINE;
    if (cost->total.nj > p->limits.energy_nj) return CLV_LIMIT_ENERGY;
    if (cost->total.pm > p->limits.price_pm) return CLV_LIMIT_PRICE;
    if (cost->total.drop_ppm > p->limits.drop_ppm) return CLV_LIMIT_DROP;
    return CLV_LIMIT_NONE;
}

clv_status clv_plan_detail(const clv_plan_problem *p, const clv_plan_chain *chain,
                           clv_planner planner, clv_plan *out, clv_error *err)
{
    clv_plan plan = {.planner = planner, .chain = *chain, .n_units = p->graph->n_units};
    clv_status status = weigh(p, chain, plan.stages, &plan.cost, err);
    if (status != CLV_OK) return status;
    plan.bound = plan.cost.score;
    plan.unit_device = clv_alloc_array(plan.n_units, sizeof *plan.unit_device);
    for (size_t k = 0; k < p->n_devices; k++) {
        const clv_plan_stage *stage = &plan.stages[k];
        if (stage->from == stage->to) continue;
        plan.n_stages = k + 1;
        plan.stages[k].memory_bytes = clv_plan_memory(p, (size_t)stage->from, (size_t)stage->to);
        for (size_t u = 0; u < plan.n_units; u++)
            if (clv_cut_has(&p->cuts->items[stage->to], (int)u) &&
                !clv_cut_has(&p->cuts->items[stage->from], (int)u))
                plan.unit_device[u] = (uint8_t)k;
    }
    for (size_t k = plan.n_stages; k < p->n_devices; k++) plan.stages[k] = (clv_plan_stage){0};
    *out = plan;
    return CLV_OK;
}
