/* Planner A of plan/planners.h: two devices, every cut with every codec.
 *
 * One pass over the cuts bounds each from below (plan/bounds.h); the few lowest are weighed first,
 * and of the others only those that could still be better than what is then kept. Equal bounds are
 * common (watts that nobody measured, one stage that sets the period), and the bytes on the wire
 * decide then as they do between plans. Memory is looked at only for what would be kept. */
#include "base/mem.h"
#include "plan/bounds.h"
#include "plan/parts.h"
#include "plan/planners.h"

#include <stdlib.h>

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
    int64_t least_kib; /* of the codecs that have no bytes of their own for each cut */
    bool measured;     /* some codec has */
    int64_t *bounds;   /* [cuts->n] no score of the cut is lower */
    shortlist kept;
} search;

static void search_done(search *s)
{
    free(s->bounds);
}

static search search_of(const clv_plan_problem *p)
{
    search s = {.p = p, .needs = clv_plan_needs(p), .z_ppm = clv_part_z_ppm(&p->objective)};
    s.least_kib = p->codecs[0].bytes_per_kib;
    for (size_t k = 1; k < p->n_codecs; k++) {
        s.measured = s.measured || p->codecs[k].cut_bytes;
        if (!p->codecs[k].cut_bytes) s.least_kib = CLV_MIN(s.least_kib, p->codecs[k].bytes_per_kib);
    }
    return s;
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
    if (keeps_sums(&s->p->limits, &c.cost) && clv_plan_may_run(s->p, EDGE, 0, last))
        keep(&s->kept, &c);
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

static bool fits(const search *s, size_t cut)
{
    return clv_part_fits(s->p, EDGE, 0, cut) && clv_part_fits(s->p, CLOUD, cut, s->p->cuts->n - 1);
}

/* Keeps the cut with its best codec. */
static void try_cut(search *s, size_t cut)
{
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
    if (found && fits(s, cut)) keep(&s->kept, &best);
}

/* The fewest bytes that any codec sends for the cut, and the answer's. */
static inline int64_t least_wire_bytes(const search *s, size_t cut)
{
    const clv_plan_problem *p = s->p;
    const clv_cut *c = &p->cuts->items[cut];
    int64_t up = clv_part_ratio((int64_t)c->bytes, s->least_kib, 1024);
    for (size_t k = 1; k < p->n_codecs && s->measured; k++)
        if (p->codecs[k].cut_bytes) up = CLV_MIN(up, p->codecs[k].cut_bytes[cut]);
    return clv_part_sum(up, (int64_t)c->down_bytes);
}

/* The cuts of the lowest bounds, in order; of equal ones, those of fewer bytes first. */
typedef struct lowest {
    size_t cut[KEPT_MAX];
    int64_t bound[KEPT_MAX], wire_bytes[KEPT_MAX];
    size_t n;
} lowest;

static inline bool is_lower(const lowest *l, size_t at, int64_t bound, int64_t wire_bytes)
{
    return bound < l->bound[at] || (bound == l->bound[at] && wire_bytes < l->wire_bytes[at]);
}

static void take_lower(lowest *l, size_t cut, int64_t bound, int64_t wire_bytes)
{
    if (l->n == KEPT_MAX && !is_lower(l, KEPT_MAX - 1, bound, wire_bytes)) return;
    size_t at = l->n < KEPT_MAX ? l->n++ : KEPT_MAX - 1;
    for (; at > 0 && is_lower(l, at - 1, bound, wire_bytes); at--) {
        l->cut[at] = l->cut[at - 1];
        l->bound[at] = l->bound[at - 1];
        l->wire_bytes[at] = l->wire_bytes[at - 1];
    }
    l->cut[at] = cut;
    l->bound[at] = bound;
    l->wire_bytes[at] = wire_bytes;
}

/* In strides: bounds mostly rise or fall along the cuts, and in that order each would be lower
 * than all before it. */
static lowest find_lowest(const search *s)
{
    enum { STRIDE = 23 };
    lowest first = {.n = 0};
    for (size_t start = 0; start < STRIDE; start++)
        for (size_t cut = start; cut + 1 < s->p->cuts->n; cut += STRIDE) {
            int64_t bound = s->bounds[cut];
            bool late = first.n == KEPT_MAX && bound > first.bound[KEPT_MAX - 1];
            if (late || bound == CLV_PLAN_UNKNOWN) continue;
            take_lower(&first, cut, bound, least_wire_bytes(s, cut));
        }
    return first;
}

/* Tries the cuts of the lowest bounds, and is done with them. */
static void try_lowest(search *s)
{
    lowest first = find_lowest(s);
    for (size_t i = 0; i < first.n; i++) {
        try_cut(s, first.cut[i]);
        s->bounds[first.cut[i]] = CLV_PLAN_UNKNOWN;
    }
}

/* False: by its bound, everything kept is better than the cut in any codec. */
static inline bool may_be_kept(const search *s, size_t cut)
{
    if (s->bounds[cut] == CLV_PLAN_UNKNOWN) return false;
    if (s->kept.n < KEPT_MAX) return true;
    const clv_plan_cost *last = &s->kept.items[KEPT_MAX - 1].cost;
    if (s->bounds[cut] != last->score) return s->bounds[cut] < last->score;
    return least_wire_bytes(s, cut) <= last->wire_bytes;
}

static void try_cuts(search *s)
{
    s->bounds = clv_alloc_array(s->p->cuts->n, sizeof *s->bounds);
    clv_bounds_make(s->p, s->bounds);
    try_lowest(s);
    for (size_t cut = s->p->cuts->n - 1; cut-- > 0;)
        if (may_be_kept(s, cut)) try_cut(s, cut);
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
