#include "plan/sweep.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

/* a + b * x, x in picoseconds for a byte sent up */
typedef struct line {
    double a, b;
} line;

typedef struct track {
    line ns, nj, score;
    double end; /* the largest x at which all limits are kept */
    int cut, codec;
} track;

static double at(line l, double x)
{
    return l.a + l.b * x;
}

/* What the crossing adds: bytes over the link, the round trip, and what both cost. */
static void add_crossing(const clv_plan_problem *p, track *t, double *pm)
{
    const clv_plan_hop *h = &p->hops[0];
    clv_plan_transfer bytes = clv_plan_transfer_of(p, 0, (size_t)t->cut, (size_t)t->codec);
    double up = (double)bytes.up_bytes, down = (double)bytes.down_bytes;
    double idle_mw = (double)p->devices[0].idle_mw, fixed = (double)(h->rtt_ns + h->overhead_ns);
    double up_ns = up / 1e3, /* for one picosecond a byte */
        down_ns = down / 1e3 * (double)h->down_ps_per_byte / (double)h->up_ps_per_byte;
    t->ns.a += fixed;
    t->ns.b = up_ns + down_ns;
    t->nj.a +=
        (idle_mw * fixed + (double)h->up_pj_per_byte * up + (double)h->down_pj_per_byte * down) /
        1e3;
    t->nj.b = (((double)h->tx_mw + idle_mw) * up_ns + ((double)h->rx_mw + idle_mw) * down_ns) / 1e3;
    *pm += (double)h->up_pm_per_byte * up + (double)h->down_pm_per_byte * down;
}

/* Everything besides the crossing; false: not measured, or not allowed. */
static bool work_of(const clv_plan_problem *p, size_t cut, size_t codec, clv_plan_amount *sum)
{
    size_t last = p->cuts->n - 1;
    if (cut != last && !clv_plan_offered(p, cut, codec)) return false;
    *sum = clv_plan_segment(p, 0, 0, cut);
    if (cut > 0) *sum = clv_plan_add(*sum, clv_plan_wait(p, 0));
    if (!clv_plan_may_run(p, 0, 0, cut)) return false;
    if (cut == last) return sum->ns != CLV_PLAN_UNKNOWN;
    if (!clv_plan_may_run(p, 1, cut, last)) return false;
    const clv_plan_amount parts[] = {clv_plan_encode(p, 0, cut, codec),
                                     clv_plan_decode(p, 1, cut, codec), clv_plan_wait(p, 1),
                                     clv_plan_segment(p, 1, cut, last)};
    for (size_t i = 0; i < CLV_COUNT(parts); i++) *sum = clv_plan_add(*sum, parts[i]);
    return sum->ns != CLV_PLAN_UNKNOWN && sum->drop_ppm <= p->limits.drop_ppm;
}

static void end_at(track *t, line l, int64_t limit)
{
    if (limit == CLV_PLAN_NO_LIMIT) return;
    double room = (double)limit - l.a;
    t->end = fmin(t->end, room < 0 ? -1 : l.b > 0 ? room / l.b : (double)INFINITY);
}

static bool track_of(const clv_plan_problem *p, size_t cut, size_t codec, track *out)
{
    const clv_plan_objective *o = &p->objective;
    clv_plan_amount sum;
    if (!work_of(p, cut, codec, &sum)) return false;
    bool local = cut + 1 == p->cuts->n;
    track t = {.ns = {(double)sum.ns, 0},
               .nj = {(double)sum.nj, 0},
               .end = (double)INFINITY,
               .cut = (int)cut,
               .codec = local ? -1 : (int)codec};
    double pm = (double)sum.pm;
    if (!local) add_crossing(p, &t, &pm);
    double of_ns = o->goal == CLV_GOAL_LATENCY ? 1 : 0, of_nj = o->goal == CLV_GOAL_ENERGY ? 1 : 0,
           of_pm = o->goal == CLV_GOAL_PRICE ? 1 : 0;
    if (o->goal == CLV_GOAL_WEIGHTED) {
        of_ns = (double)o->second_weight * 1000;
        of_nj = (double)o->joule_weight * 1000;
        of_pm = (double)o->money_weight;
    }
    t.score = (line){of_ns * t.ns.a + of_nj * t.nj.a + of_pm * pm, of_ns * t.ns.b + of_nj * t.nj.b};
    end_at(&t, t.ns, p->limits.deadline_ns);
    end_at(&t, t.nj, p->limits.energy_nj);
    end_at(&t, (line){pm, 0}, p->limits.price_pm);
    *out = t;
    return true;
}

/* As at(), but for two placements whose scores are equal at x: less on the wire, then the later cut. */
static bool precedes(const track *a, const track *b)
{
    if (a->score.b != b->score.b) return a->score.b < b->score.b;
    return a->ns.b != b->ns.b ? a->ns.b < b->ns.b : a->cut > b->cut;
}

/* The best track at x and just behind it; n: none keeps the limits there. */
static size_t best_at(const track *tracks, size_t n, double x)
{
    size_t best = n;
    for (size_t i = 0; i < n; i++) {
        if (tracks[i].end <= x) continue;
        if (best == n) {
            best = i;
            continue;
        }
        double mine = at(tracks[i].score, x), other = at(tracks[best].score, x);
        if (mine < other || (mine == other && precedes(&tracks[i], &tracks[best]))) best = i;
    }
    return best;
}

/* Where track `now` is first overtaken by a flatter one behind x, or ends; n: by none. */
static size_t next_after(const track *tracks, size_t n, size_t now, double x, double *where)
{
    size_t next = n;
    *where = tracks[now].end;
    for (size_t i = 0; i < n; i++) {
        const line *l = &tracks[i].score, *m = &tracks[now].score;
        if (l->b >= m->b) continue;
        double cross = fmax((l->a - m->a) / (m->b - l->b), x);
        if (cross >= tracks[i].end || cross > *where) continue;
        if (cross == *where && (next == n || !precedes(&tracks[i], &tracks[next]))) continue;
        next = i;
        *where = cross;
    }
    return next;
}

static clv_plan_span span_of(const track *t, double x, double end)
{
    clv_plan_span s = {.cut = CLV_PLAN_NO_CUT,
                       .codec = -1,
                       .from_bytes_per_s = 1e12 / end,
                       .to_bytes_per_s = 1e12 / x};
    if (!t) return s;
    s.cut = t->cut;
    s.codec = t->codec;
    s.from_us = at(t->ns, end) / 1e3;
    s.to_us = at(t->ns, x) / 1e3;
    s.from_j = at(t->nj, end) / 1e9;
    s.to_j = at(t->nj, x) / 1e9;
    return s;
}

/* From fast to slow, as x grows. Each step takes a flatter line or leaves one that ended, so there
 * are at most twice as many spans as tracks, and one where nothing is left. */
static size_t walk(const track *tracks, size_t n, double x, double end, clv_plan_span *spans)
{
    size_t n_spans = 0, now = best_at(tracks, n, x);
    while (x < end) {
        double to = end;
        size_t next = n;
        if (now < n) next = next_after(tracks, n, now, x, &to);
        if (to >= end) to = end;
        if (to > x) spans[n_spans++] = span_of(now < n ? &tracks[now] : NULL, x, to);
        now = next < n ? next : best_at(tracks, n, to);
        x = to;
    }
    return n_spans;
}

static clv_status check(const clv_plan_problem *p, double slowest, double fastest, clv_error *err)
{
    if (!(slowest > 0 && slowest < fastest))
        return clv_fail(err, CLV_EINVAL,
                        "rates %g to %g bytes/s: the first must be above 0 and below the second",
                        slowest, fastest);
    clv_status s = clv_plan_problem_check(p, err);
    if (s != CLV_OK) return s;
    if (p->n_devices != 2 || p->may_return || !p->hops[0].up)
        return clv_fail(err, CLV_EINVAL,
                        "a sweep needs two devices, a link that is up and no way back");
    if (p->objective.quantile_ppm || p->objective.goal == CLV_GOAL_THROUGHPUT)
        return clv_fail(err, CLV_EINVAL,
                        "a sweep is of means: a quantile or a throughput is no straight line");
    return CLV_OK;
}

clv_status clv_plan_sweep(const clv_plan_problem *p, double slowest_bytes_per_s,
                          double fastest_bytes_per_s, clv_plan_span **spans, size_t *n,
                          clv_error *err)
{
    clv_status s = check(p, slowest_bytes_per_s, fastest_bytes_per_s, err);
    if (s != CLV_OK) return s;
    size_t n_tracks = 0, last = p->cuts->n - 1;
    CLV_AUTO(clv_free) track *tracks = clv_alloc_array(p->cuts->n * p->n_codecs, sizeof *tracks);
    for (size_t cut = 0; cut <= last; cut++)
        for (size_t codec = 0; codec < (cut == last ? 1 : p->n_codecs); codec++)
            n_tracks += track_of(p, cut, codec, &tracks[n_tracks]);
    clv_plan_span *found = clv_alloc_array(2 * n_tracks + 1, sizeof *found);
    size_t n_found =
        walk(tracks, n_tracks, 1e12 / fastest_bytes_per_s, 1e12 / slowest_bytes_per_s, found);
    for (size_t i = 0; i < n_found / 2; i++) {
        clv_plan_span t = found[i];
        found[i] = found[n_found - 1 - i];
        found[n_found - 1 - i] = t;
    }
    *spans = found;
    *n = n_found;
    return CLV_OK;
}

clv_plan_point clv_plan_at_rate(const clv_plan_problem *p, int cut, int codec, double bytes_per_s)
{
    track t;
    if (!track_of(p, (size_t)cut, codec < 0 ? 0 : (size_t)codec, &t))
        return (clv_plan_point){(double)INFINITY, (double)INFINITY};
    double x = 1e12 / bytes_per_s;
    return (clv_plan_point){at(t.ns, x) / 1e3, at(t.nj, x) / 1e9};
}
