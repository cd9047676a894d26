/* Planner A of plan/planners.h: two devices, every cut with every codec.
 *
 * A cut's cost without its codec bounds it from below, so once a few good placements are known most
 * cuts are dismissed after two additions. Only the numbers that the objective and the limits look at
 * are computed; limits are looked at only for what would otherwise be kept. */
#include "base/mem.h"
#include "plan/parts.h"
#include "plan/planners.h"

#include <string.h>

enum { KEPT_MAX = CLV_PLAN_RIVALS_MAX + 1, EDGE = 0, CLOUD = 1 };

typedef struct candidate {
    size_t cut, codec;
    clv_plan_cost cost;
} candidate;

typedef struct search {
    const clv_plan_problem *p;
    unsigned needs;
    int64_t z_ppm;
    uint64_t *forbidden[2]; /* bitsets of the units that a device may not run; NULL: may run all */
    candidate kept[KEPT_MAX];
    size_t n_kept;
} search;

static void search_done(search *s)
{
    free(s->forbidden[EDGE]);
}

static search search_of(const clv_plan_problem *p)
{
    search s = {.p = p, .needs = clv_plan_needs(p), .z_ppm = clv_part_z_ppm(&p->objective)};
    if (!p->limits.unit_devices && !p->limits.stays) return s;
    size_t words = p->cuts->words;
    s.forbidden[EDGE] = clv_alloc_array(2 * words, sizeof *s.forbidden[EDGE]);
    s.forbidden[CLOUD] = s.forbidden[EDGE] + words;
    for (size_t u = 0; u < p->graph->n_units; u++) {
        unsigned devices = clv_plan_unit_devices(p, u);
        for (int d = EDGE; d <= CLOUD; d++)
            if (!(devices >> d & 1)) s.forbidden[d][u / 64] |= (uint64_t)1 << (u % 64);
    }
    return s;
}

/* Pins, privacy and memory. */
static bool may_cut(const search *s, size_t cut)
{
    const clv_plan_problem *p = s->p;
    const uint64_t *units = p->cuts->items[cut].units;
    for (size_t w = 0; s->forbidden[EDGE] && w < p->cuts->words; w++)
        if (units[w] & s->forbidden[EDGE][w] || ~units[w] & s->forbidden[CLOUD][w]) return false;
    int64_t edge_max = p->devices[EDGE].memory_bytes_max;
    int64_t cloud_max = p->devices[CLOUD].memory_bytes_max;
    if (edge_max != CLV_PLAN_NO_LIMIT && clv_plan_memory(p, 0, cut) > edge_max) return false;
    return cloud_max == CLV_PLAN_NO_LIMIT || clv_plan_memory(p, cut, p->cuts->n - 1) <= cloud_max;
}

static bool keeps_sums(const clv_plan_limits *l, const clv_plan_cost *cost)
{
    return cost->latency_ns <= l->deadline_ns && cost->total.nj <= l->energy_nj &&
           cost->total.pm <= l->price_pm;
}

static bool wanted(const search *s, const clv_plan_cost *cost)
{
    return s->n_kept < KEPT_MAX || clv_plan_better(cost, &s->kept[KEPT_MAX - 1].cost);
}

static void keep(search *s, const candidate *c)
{
    size_t at = s->n_kept < KEPT_MAX ? s->n_kept++ : KEPT_MAX - 1;
    for (; at > 0 && clv_plan_better(&c->cost, &s->kept[at - 1].cost); at--)
        s->kept[at] = s->kept[at - 1];
    s->kept[at] = *c;
}

static clv_plan_cost cost_of(const search *s, const clv_plan_amount *total, int64_t period_ns,
                             int64_t wire_bytes)
{
    const clv_plan_objective *o = &s->p->objective;
    clv_plan_cost cost = {.total = *total, .period_ns = period_ns, .wire_bytes = wire_bytes};
    cost.latency_ns = clv_part_latency_ns(s->z_ppm, total);
    cost.score =
        o->goal == CLV_GOAL_THROUGHPUT ? period_ns : clv_part_score(o, cost.latency_ns, total);
    return cost;
}

static void try_local(search *s)
{
    size_t last = s->p->cuts->n - 1;
    clv_plan_amount work = clv_part_segment(s->p, EDGE, 0, last, s->needs);
    clv_plan_amount total = clv_part_add(clv_part_wait(s->p, EDGE, s->needs), work);
    if (total.ns == CLV_PLAN_UNKNOWN) return;
    candidate c = {.cut = last, .cost = cost_of(s, &total, work.ns, 0)};
    if (keeps_sums(&s->p->limits, &c.cost) && may_cut(s, last)) keep(s, &c);
}

/* What a cut costs whatever the codec. */
typedef struct base {
    clv_plan_amount edge, cloud, total; /* computing; total: with the waits */
} base;

static candidate with_codec(const search *s, size_t cut, size_t codec, const base *b)
{
    const clv_plan_problem *p = s->p;
    clv_plan_amount encode = clv_part_encode(p, EDGE, cut, codec, s->needs);
    clv_plan_amount decode = clv_part_decode(p, CLOUD, cut, codec, s->needs);
    clv_plan_transfer t = clv_part_transfer(p, 0, cut, codec);
    clv_plan_amount total = clv_part_add(b->total, clv_part_cross_of(p, 0, &t, s->needs));
    total = clv_part_add(clv_part_add(total, encode), decode);
    int64_t edge_ns = b->edge.ns + encode.ns, cloud_ns = b->cloud.ns + decode.ns;
    int64_t period_ns = CLV_MAX(CLV_MAX(edge_ns, cloud_ns), CLV_MAX(t.up_ns, t.down_ns));
    clv_plan_cost cost = cost_of(s, &total, period_ns, clv_part_sum(t.up_bytes, t.down_bytes));
    return (candidate){.cut = cut, .codec = codec, .cost = cost};
}

/* Keeps the cut with its best codec. */
static void try_cut(search *s, size_t cut)
{
    const clv_plan_problem *p = s->p;
    size_t last = p->cuts->n - 1;
    base b = {.edge = clv_part_segment(p, EDGE, 0, cut, s->needs),
              .cloud = clv_part_segment(p, CLOUD, cut, last, s->needs)};
    b.total = clv_part_add(clv_part_wait(p, CLOUD, s->needs), clv_part_add(b.edge, b.cloud));
    if (cut > 0) b.total = clv_part_add(b.total, clv_part_wait(p, EDGE, s->needs));
    if (b.total.ns == CLV_PLAN_UNKNOWN) return;
    clv_plan_cost least = cost_of(s, &b.total, CLV_MAX(b.edge.ns, b.cloud.ns), 0);
    if (!wanted(s, &least) || !keeps_sums(&p->limits, &least)) return;
    candidate best = {0};
    bool found = false;
    for (size_t codec = 0; codec < p->n_codecs; codec++) {
        candidate c = with_codec(s, cut, codec, &b);
        if (!wanted(s, &c.cost) || !keeps_sums(&p->limits, &c.cost)) continue;
        if (found && !clv_plan_better(&c.cost, &best.cost)) continue;
        best = c;
        found = true;
    }
    if (found && may_cut(s, cut)) keep(s, &best);
}

static clv_plan_chain chain_of(const search *s, const candidate *c)
{
    clv_plan_chain chain = {.cut = {(int)c->cut, (int)s->p->cuts->n - 1}};
    chain.codec[0] = (int)c->codec;
    return chain;
}

/* The kept ones once more, with every number. */
static clv_status answer(const search *s, clv_planner_answer *out, clv_error *err)
{
    clv_planner_answer a = {.bound = INT64_MIN, .chain = chain_of(s, &s->kept[0])};
    clv_status status = clv_plan_weigh(s->p, &a.chain, &a.cost, err);
    for (size_t i = 1; i < s->n_kept && status == CLV_OK; i++) {
        clv_plan_rival *rival = &a.rivals[a.n_rivals++];
        rival->chain = chain_of(s, &s->kept[i]);
        status = clv_plan_weigh(s->p, &rival->chain, &rival->cost, err);
    }
    a.considered = 1 + (s->p->hops[0].up ? (s->p->cuts->n - 1) * s->p->n_codecs : 0);
    if (status == CLV_OK) *out = a;
    return status;
}

clv_status clv_plan_one_cut(const clv_plan_problem *p, clv_planner_answer *out, clv_error *err)
{
    CLV_AUTO(search_done) search s = search_of(p);
    try_local(&s);
    for (size_t cut = p->cuts->n - 1; cut-- > 0 && p->hops[0].up;) try_cut(&s, cut);
    if (!s.n_kept) return clv_fail(err, CLV_EINFEASIBLE, "no cut and no codec keeps all limits");
    return answer(&s, out, err);
}
