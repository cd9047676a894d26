#include "plan/bounds.h"

#include "base/mem.h"
#include "plan/parts.h"

#include <stdlib.h>

enum { EDGE = 0, CLOUD = 1, FORMS_MAX = 4 };

/* Far more than double precision errs by in a sum of some ten products. */
#define SURE (1 - 1e-12)

/* How much of an objective a nanosecond, a nanojoule and a 10^-12 of money are. */
typedef struct weights {
    double ns, nj, pm;
} weights;

/* A sum of an objective, or what a limit is on, as prices of what a cut has. */
typedef struct form {
    double once, edge_wait; /* of every cut, and of those that have units on the edge */
    double edge_ns, cloud_ns;
    double up_byte, down_byte;
    double raw_byte; /* written, sent and read, in the best codec of those that are a ratio */
    double coding[CLV_PLAN_CODECS_MAX]; /* writing and reading a raw byte */
    int64_t max;
} form;

/* A codec that both devices know: coded bytes and nanoseconds for a raw byte. */
typedef struct coding {
    size_t codec;
    bool measured; /* it has bytes of its own, and no ratio */
    double ratio, encode_ns, decode_ns;
} coding;

typedef struct bounds {
    const clv_plan_problem *p;
    form forms[FORMS_MAX]; /* the objective first, then what limits are on */
    size_t n_forms;
    size_t
        measured[CLV_PLAN_CODECS_MAX]; /* codecs with bytes of their own that both devices know */
    size_t n_measured;
    coding codings[CLV_PLAN_CODECS_MAX];
    size_t n_codings;
    uint64_t *forbidden[2]; /* bitsets of the units that a device may not run; NULL: may run all */
} bounds;

static bool is_known(const clv_plan_codec *c)
{
    return c->encode_ps_per_byte[EDGE] != CLV_PLAN_UNKNOWN &&
           c->decode_ps_per_byte[CLOUD] != CLV_PLAN_UNKNOWN;
}

/* The least that a raw byte costs: every codec that is a ratio, raw first, which always is. */
static double raw_byte_of(const clv_plan_problem *p, const form *f)
{
    double least = f->up_byte + f->coding[0];
    for (size_t k = 1; k < p->n_codecs; k++) {
        const clv_plan_codec *c = &p->codecs[k];
        if (c->cut_bytes || !is_known(c)) continue;
        double price = f->up_byte * (double)c->bytes_per_kib / 1024 + f->coding[k];
        least = CLV_MIN(least, price);
    }
    return least;
}

static form form_of(const clv_plan_problem *p, weights w, int64_t max)
{
    const clv_plan_device *edge = &p->devices[EDGE], *cloud = &p->devices[CLOUD];
    const clv_plan_hop *h = &p->hops[0];
    double idle_ns = w.ns + w.nj * (double)edge->idle_mw * 1e-3; /* waiting for link or cloud */
    double up_ns = idle_ns + w.nj * (double)h->tx_mw * 1e-3;
    double down_ns = idle_ns + w.nj * (double)h->rx_mw * 1e-3;
    form f = {
        .once = idle_ns * ((double)h->rtt_ns + (double)h->overhead_ns + (double)cloud->queue_ns),
        .edge_wait = w.ns * (double)edge->queue_ns,
        .edge_ns = w.ns + w.nj * (double)edge->active_mw * 1e-3 +
                   w.pm * (double)edge->price_pm_per_s * 1e-9,
        .cloud_ns = idle_ns + w.nj * (double)cloud->active_mw * 1e-3 +
                    w.pm * (double)cloud->price_pm_per_s * 1e-9,
        .up_byte = up_ns * (double)h->up_ps_per_byte * 1e-3 +
                   w.nj * (double)h->up_pj_per_byte * 1e-3 + w.pm * (double)h->up_pm_per_byte,
        .down_byte = down_ns * (double)h->down_ps_per_byte * 1e-3 +
                     w.nj * (double)h->down_pj_per_byte * 1e-3 + w.pm * (double)h->down_pm_per_byte,
        .max = max};
    for (size_t k = 0; k < p->n_codecs; k++)
        f.coding[k] = f.edge_ns * (double)p->codecs[k].encode_ps_per_byte[EDGE] * 1e-3 +
                      f.cloud_ns * (double)p->codecs[k].decode_ps_per_byte[CLOUD] * 1e-3;
    f.raw_byte = raw_byte_of(p, &f);
    return f;
}

static weights weights_of(const clv_plan_objective *o)
{
    switch (o->goal) {
    case CLV_GOAL_ENERGY: return (weights){.nj = 1};
    case CLV_GOAL_PRICE: return (weights){.pm = 1};
    case CLV_GOAL_WEIGHTED:
        return (weights){1000 * (double)o->second_weight, 1000 * (double)o->joule_weight,
                         (double)o->money_weight};
    case CLV_GOAL_LATENCY:
    case CLV_GOAL_THROUGHPUT: /* its coding is in nanoseconds; period_of() */
    case CLV_GOAL_COUNT: break;
    }
    return (weights){.ns = 1};
}

static void add_limit(bounds *b, weights w, int64_t max)
{
    if (max != CLV_PLAN_NO_LIMIT) b->forms[b->n_forms++] = form_of(b->p, w, max);
}

static void find_forbidden(bounds *b)
{
    const clv_plan_problem *p = b->p;
    size_t words = p->cuts->words;
    b->forbidden[EDGE] = clv_alloc_array(2 * words, sizeof *b->forbidden[EDGE]);
    b->forbidden[CLOUD] = b->forbidden[EDGE] + words;
    for (size_t u = 0; u < p->graph->n_units; u++) {
        unsigned devices = clv_plan_unit_devices(p, u);
        for (int d = EDGE; d <= CLOUD; d++)
            if (!(devices >> d & 1)) b->forbidden[d][u / 64] |= (uint64_t)1 << (u % 64);
    }
}

static void find_codings(bounds *b)
{
    const clv_plan_problem *p = b->p;
    for (size_t k = 0; k < p->n_codecs; k++) {
        const clv_plan_codec *c = &p->codecs[k];
        if (!is_known(c)) continue;
        if (c->cut_bytes) b->measured[b->n_measured++] = k;
        b->codings[b->n_codings++] = (coding){k, c->cut_bytes, (double)c->bytes_per_kib / 1024,
                                              (double)c->encode_ps_per_byte[EDGE] * 1e-3,
                                              (double)c->decode_ps_per_byte[CLOUD] * 1e-3};
    }
}

static bounds bounds_of(const clv_plan_problem *p)
{
    bounds b = {.p = p, .n_forms = 1};
    b.forms[0] = form_of(p, weights_of(&p->objective), CLV_PLAN_NO_LIMIT);
    add_limit(&b, (weights){.ns = 1}, p->limits.deadline_ns);
    add_limit(&b, (weights){.nj = 1}, p->limits.energy_nj);
    add_limit(&b, (weights){.pm = 1}, p->limits.price_pm);
    find_codings(&b);
    if (p->limits.unit_devices || p->limits.stays) find_forbidden(&b);
    return b;
}

/* What a cut has. */
typedef struct place {
    size_t cut;
    double edge_ns, cloud_ns, raw_bytes, down_bytes;
} place;

/* Coded bytes of a codec that has its own; below 0: not here. */
static inline double coded_at(const clv_plan_problem *p, size_t cut, size_t codec)
{
    const clv_plan_codec *c = &p->codecs[codec];
    bool lossy = c->cut_drop_ppm && c->cut_drop_ppm[cut] > p->limits.drop_ppm;
    return lossy || c->cut_bytes[cut] == CLV_PLAN_UNKNOWN ? -1 : (double)c->cut_bytes[cut];
}

static inline double sum_of(const bounds *b, const form *f, const place *at)
{
    double crossing = f->raw_byte * at->raw_bytes;
    for (size_t i = 0; i < b->n_measured; i++) {
        double coded = coded_at(b->p, at->cut, b->measured[i]);
        double other = f->up_byte * coded + f->coding[b->measured[i]] * at->raw_bytes;
        if (coded >= 0) crossing = CLV_MIN(crossing, other);
    }
    return f->once + (at->cut ? f->edge_wait : 0) + f->edge_ns * at->edge_ns +
           f->cloud_ns * at->cloud_ns + f->down_byte * at->down_bytes + crossing;
}

/* The longest stage in the codec where that is least. */
static double period_of(const bounds *b, const place *at)
{
    const clv_plan_hop *h = &b->p->hops[0];
    double up = (double)h->up_ps_per_byte * 1e-3, least = (double)CLV_PART_MAX;
    for (size_t i = 0; i < b->n_codings; i++) {
        const coding *c = &b->codings[i];
        double coded = c->measured ? coded_at(b->p, at->cut, c->codec) : at->raw_bytes * c->ratio;
        if (coded < 0) continue;
        double edge = at->edge_ns + at->raw_bytes * c->encode_ns;
        double cloud = at->cloud_ns + at->raw_bytes * c->decode_ns;
        double work = CLV_MAX(edge, cloud), longest = CLV_MAX(work, up * coded);
        least = CLV_MIN(least, longest);
    }
    double down = (double)h->down_ps_per_byte * 1e-3 * at->down_bytes;
    return CLV_MAX(least, down);
}

/* Parts end at CLV_PART_MAX, so a score that is truly higher may be no more than that. */
static inline int64_t below(double x)
{
    x *= SURE;
    return x < (double)CLV_PART_MAX ? (int64_t)x : CLV_PART_MAX;
}

static inline bool may_cut(const bounds *b, size_t cut)
{
    const uint64_t *units = b->p->cuts->items[cut].units;
    for (size_t w = 0; b->forbidden[EDGE] && w < b->p->cuts->words; w++)
        if (units[w] & b->forbidden[EDGE][w] || ~units[w] & b->forbidden[CLOUD][w]) return false;
    return true;
}

static inline int64_t bound_of(const bounds *b, size_t cut)
{
    const clv_plan_problem *p = b->p;
    const clv_plan_device *cloud = &p->devices[CLOUD];
    int64_t edge_ns = p->devices[EDGE].prefix[cut].ns;
    int64_t cloud_ns = cut ? cloud->suffix[cut].ns : cloud->prefix[p->cuts->n - 1].ns;
    if (edge_ns == CLV_PLAN_UNKNOWN || cloud_ns == CLV_PLAN_UNKNOWN || !may_cut(b, cut))
        return CLV_PLAN_UNKNOWN;
    const clv_cut *c = &p->cuts->items[cut];
    place at = {cut, (double)edge_ns, (double)cloud_ns, (double)c->bytes, (double)c->down_bytes};
    for (size_t i = 1; i < b->n_forms; i++)
        if (below(sum_of(b, &b->forms[i], &at)) > b->forms[i].max) return CLV_PLAN_UNKNOWN;
    if (p->objective.goal == CLV_GOAL_THROUGHPUT) return below(period_of(b, &at));
    return below(sum_of(b, &b->forms[0], &at));
}

/* Sums, of codecs that are ratios, and nothing forbidden. Most problems are so, and then a cut is four products. */
static bool is_plain(const bounds *b)
{
    return !b->n_measured && !b->forbidden[EDGE] && b->p->objective.goal != CLV_GOAL_THROUGHPUT;
}

/* One form of a plain problem, for all cuts but the first and the last that are still candidates. */
static void bound_plain(const bounds *b, const form *of, bool is_limit, int64_t *out)
{
    const clv_plan_time *edge = b->p->devices[EDGE].prefix, *cloud = b->p->devices[CLOUD].suffix;
    const clv_cut *cuts = b->p->cuts->items;
    const form f = *of;
    double once = f.once + f.edge_wait;
    for (size_t i = 1; i + 1 < b->p->cuts->n; i++) {
        int64_t edge_ns = edge[i].ns, cloud_ns = cloud[i].ns;
        double sum = once + f.edge_ns * (double)edge_ns + f.cloud_ns * (double)cloud_ns +
                     f.raw_byte * (double)(int64_t)cuts[i].bytes +
                     f.down_byte * (double)(int64_t)cuts[i].down_bytes;
        int64_t bound = below(sum);
        if (!is_limit) out[i] = bound;
        if (edge_ns == CLV_PLAN_UNKNOWN || cloud_ns == CLV_PLAN_UNKNOWN || bound > f.max)
            out[i] = CLV_PLAN_UNKNOWN;
    }
}

void clv_bounds_make(const clv_plan_problem *p, int64_t *out)
{
    bounds b = bounds_of(p);
    size_t last = p->cuts->n - 1;
    if (is_plain(&b)) {
        out[0] = bound_of(&b, 0);
        for (size_t i = 0; i < b.n_forms; i++) bound_plain(&b, &b.forms[i], i > 0, out);
    } else {
        for (size_t cut = 0; cut < last; cut++) out[cut] = bound_of(&b, cut);
    }
    out[last] = CLV_PLAN_UNKNOWN;
    free(b.forbidden[EDGE]);
}
