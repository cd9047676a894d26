/* Planner A of plan/planners.h: two devices, every cut with every codec.
 *
 * A cut's cost in the codec that is smallest there, were it free to write and read, bounds it from below. One pass
 * over the cuts makes these bounds; the few lowest are weighed first, and of the others only those
 * whose bound does not exceed what is then kept. Limits are looked at only for what would be kept. */
#include "base/mem.h"
#include "plan/parts.h"
#include "plan/planners.h"

#include <string.h>

enum { KEPT_MAX = CLV_PLAN_RIVALS_MAX + 1, EDGE = 0, CLOUD = 1 };

typedef struct candidate {
    size_t cut, codec;
    clv_plan_cost cost;
} candidate;

/* Candidates in order, the best first. */
typedef struct shortlist {
    candidate items[KEPT_MAX];
    size_t n;
} shortlist;

typedef struct search {
    const clv_plan_problem *p;
    unsigned needs;
    int64_t z_ppm;
    int64_t least_kib;      /* of the codecs that have no bytes of their own for each cut */
    int64_t once_ns;        /* of any cut: round trip, overhead, the last device's wait */
    uint64_t *forbidden[2]; /* bitsets of the units that a device may not run; NULL: may run all */
    int64_t *bounds;        /* [cuts->n] no score of the cut is lower; before that, the least of
                               the bytes that a codec has there */
    shortlist kept;
} search;

static void search_done(search *s)
{
    free(s->forbidden[EDGE]);
    free(s->bounds);
}

static void find_least_bytes(search *s)
{
    const clv_plan_problem *p = s->p;
    for (size_t i = 0; i < p->cuts->n; i++) s->bounds[i] = CLV_PLAN_UNKNOWN;
    s->least_kib = p->codecs[0].bytes_per_kib;
    for (size_t k = 1; k < p->n_codecs; k++) {
        const clv_plan_codec *c = &p->codecs[k];
        if (!c->cut_bytes) s->least_kib = CLV_MIN(s->least_kib, c->bytes_per_kib);
        for (size_t i = 0; c->cut_bytes && i < p->cuts->n; i++)
            s->bounds[i] = CLV_MIN(s->bounds[i], c->cut_bytes[i]);
    }
}

static search search_of(const clv_plan_problem *p)
{
    search s = {.p = p, .needs = clv_plan_needs(p), .z_ppm = clv_part_z_ppm(&p->objective)};
    s.once_ns = p->hops[0].rtt_ns + p->hops[0].overhead_ns + p->devices[CLOUD].queue_ns;
    s.bounds = clv_alloc_array(p->cuts->n, sizeof *s.bounds);
    find_least_bytes(&s);
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
    return clv_part_fits(p, EDGE, 0, cut) && clv_part_fits(p, CLOUD, cut, p->cuts->n - 1);
}

static bool keeps_sums(const clv_plan_limits *l, const clv_plan_cost *cost)
{
    return cost->latency_ns <= l->deadline_ns && cost->total.nj <= l->energy_nj &&
           cost->total.pm <= l->price_pm && cost->total.drop_ppm <= l->drop_ppm;
}

/* Ties go to the later cut, which leaves less to others, and to the first codec. */
static bool better(const candidate *a, const candidate *b)
{
    if (clv_plan_better(&a->cost, &b->cost)) return true;
    if (clv_plan_better(&b->cost, &a->cost)) return false;
    return a->cut > b->cut;
}

static bool wanted(const shortlist *list, const candidate *c)
{
    return list->n < KEPT_MAX || better(c, &list->items[KEPT_MAX - 1]);
}

static void keep(shortlist *list, const candidate *c)
{
    size_t at = list->n < KEPT_MAX ? list->n++ : KEPT_MAX - 1;
    for (; at > 0 && better(c, &list->items[at - 1]); at--) list->items[at] = list->items[at - 1];
    list->items[at] = *c;
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
    if (keeps_sums(&s->p->limits, &c.cost) && may_cut(s, last)) keep(&s->kept, &c);
}

/* What a cut costs whatever the codec. */
typedef struct base {
    clv_plan_amount edge, cloud, total; /* computing; total: with the waits */
} base;

static inline base base_of(const clv_plan_problem *p, size_t cut, unsigned needs)
{
    base b = {.edge = clv_part_segment(p, EDGE, 0, cut, needs),
              .cloud = clv_part_segment(p, CLOUD, cut, p->cuts->n - 1, needs)};
    b.total = clv_part_add(clv_part_wait(p, CLOUD, needs), clv_part_add(b.edge, b.cloud));
    if (cut > 0) b.total = clv_part_add(b.total, clv_part_wait(p, EDGE, needs));
    return b;
}

/* Its cost's total is UNKNOWN where the codec cannot be used. */
static candidate with_codec(const search *s, size_t cut, size_t codec, const base *b)
{
    const clv_plan_problem *p = s->p;
    candidate unknown = {.cost = {.total = {.ns = CLV_PLAN_UNKNOWN}}};
    if (!clv_part_offered(p, cut, codec)) return unknown;
    clv_plan_amount encode = clv_part_encode(p, EDGE, cut, codec, s->needs);
    clv_plan_amount decode = clv_part_decode(p, CLOUD, cut, codec, s->needs);
    clv_plan_transfer t = clv_part_transfer(p, 0, cut, codec);
    clv_plan_amount total = clv_part_add(b->total, clv_part_cross_of(p, 0, &t, s->needs));
    total = clv_part_add(clv_part_add(total, encode), decode);
    if (total.ns == CLV_PLAN_UNKNOWN) return unknown;
    int64_t edge_ns = b->edge.ns + encode.ns, cloud_ns = b->cloud.ns + decode.ns;
    int64_t period_ns = CLV_MAX(CLV_MAX(edge_ns, cloud_ns), CLV_MAX(t.up_ns, t.down_ns));
    clv_plan_cost cost = cost_of(s, &total, period_ns, clv_part_sum(t.up_bytes, t.down_bytes));
    return (candidate){.cut = cut, .codec = codec, .cost = cost};
}

/* Keeps the cut with its best codec. */
static void try_cut(search *s, size_t cut)
{
    if (s->bounds[cut] == CLV_PLAN_UNKNOWN) return;
    base b = base_of(s->p, cut, s->needs);
    candidate best = {0};
    bool found = false;
    for (size_t codec = 0; codec < s->p->n_codecs; codec++) {
        candidate c = with_codec(s, cut, codec, &b);
        if (c.cost.total.ns == CLV_PLAN_UNKNOWN || !wanted(&s->kept, &c) ||
            !keeps_sums(&s->p->limits, &c.cost))
            continue;
        if (found && !better(&c, &best)) continue;
        best = c;
        found = true;
    }
    if (found && may_cut(s, cut)) keep(&s->kept, &best);
}

/* The crossing in the fewest bytes that any codec has. */
static inline clv_plan_transfer least_transfer(const search *s, size_t cut)
{
    int64_t by_kib = clv_part_ratio((int64_t)s->p->cuts->items[cut].bytes, s->least_kib, 1024);
    return clv_part_transfer_of(s->p, 0, cut, CLV_MIN(by_kib, s->bounds[cut]));
}

/* Bounds are UNKNOWN when the cut is not measured, or when no codec keeps the limits. Variance only ever
 * adds, and is left out. */
static int64_t bound_of(const search *s, size_t cut, unsigned needs)
{
    const clv_plan_problem *p = s->p;
    base b = base_of(p, cut, needs);
    if (b.total.ns == CLV_PLAN_UNKNOWN) return CLV_PLAN_UNKNOWN;
    clv_plan_transfer t = least_transfer(s, cut);
    clv_plan_amount total = clv_part_add(b.total, clv_part_cross_of(p, 0, &t, needs));
    if (total.ns > p->limits.deadline_ns || total.nj > p->limits.energy_nj ||
        total.pm > p->limits.price_pm)
        return CLV_PLAN_UNKNOWN;
    if (p->objective.goal == CLV_GOAL_THROUGHPUT)
        return CLV_MAX(CLV_MAX(b.edge.ns, b.cloud.ns), CLV_MAX(t.up_ns, t.down_ns));
    return clv_part_score(&p->objective, total.ns, &total);
}

/* The same where only time is looked at: most re-plans, and as little as can be done for a cut. */
static int64_t bound_of_time(const search *s, size_t cut)
{
    const clv_plan_problem *p = s->p;
    int64_t edge = p->devices[EDGE].prefix[cut].ns, cloud = p->devices[CLOUD].suffix[cut].ns;
    if (cut == 0) cloud = p->devices[CLOUD].prefix[p->cuts->n - 1].ns;
    if (edge == CLV_PLAN_UNKNOWN || cloud == CLV_PLAN_UNKNOWN) return CLV_PLAN_UNKNOWN;
    clv_plan_transfer t = least_transfer(s, cut);
    int64_t total = edge + cloud + t.up_ns + t.down_ns + s->once_ns;
    return total > p->limits.deadline_ns ? CLV_PLAN_UNKNOWN : total;
}

/* Bounds every cut but the last, and tries those of the lowest bounds. */
static void bound_cuts(search *s)
{
    size_t last = s->p->cuts->n - 1, order[KEPT_MAX], n = 0;
    unsigned needs = s->needs & ~(unsigned)CLV_NEED_VAR;
    bool only_time = !needs && s->p->objective.goal == CLV_GOAL_LATENCY;
    for (size_t cut = last; cut-- > 0;) {
        int64_t bound = only_time ? bound_of_time(s, cut) : bound_of(s, cut, needs);
        s->bounds[cut] = bound;
        if (n == KEPT_MAX && bound >= s->bounds[order[n - 1]]) continue;
        size_t at = n < KEPT_MAX ? n++ : n - 1;
        for (; at > 0 && bound < s->bounds[order[at - 1]]; at--) order[at] = order[at - 1];
        order[at] = cut;
    }
    for (size_t i = 0; i < n; i++) {
        try_cut(s, order[i]);
        s->bounds[order[i]] = CLV_PLAN_UNKNOWN; /* done with */
    }
}

static void try_cuts(search *s)
{
    bound_cuts(s);
    for (size_t cut = s->p->cuts->n - 1; cut-- > 0;)
        if (s->kept.n < KEPT_MAX || s->bounds[cut] <= s->kept.items[KEPT_MAX - 1].cost.score)
            try_cut(s, cut);
}

static clv_plan_chain chain_of(const search *s, const candidate *c)
{
    clv_plan_chain chain = {.cut = {(int)c->cut}, .codec = {(int)c->codec}};
    for (size_t k = 1; k < CLV_PLAN_DEVICES_MAX; k++) chain.cut[k] = (int)s->p->cuts->n - 1;
    return chain;
}

/* The kept ones once more, with every number. */
static clv_status answer(const search *s, clv_planner_answer *out, clv_error *err)
{
    clv_planner_answer a = {.bound = INT64_MIN, .chain = chain_of(s, &s->kept.items[0])};
    clv_status status = clv_plan_weigh(s->p, &a.chain, &a.cost, err);
    for (size_t i = 1; i < s->kept.n && status == CLV_OK; i++) {
        clv_plan_rival *rival = &a.rivals[a.n_rivals++];
        rival->chain = chain_of(s, &s->kept.items[i]);
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
    if (p->hops[0].up) try_cuts(&s);
    if (!s.kept.n) return clv_fail(err, CLV_EINFEASIBLE, "no cut and no codec keeps all limits");
    return answer(&s, out, err);
}
