#include "plan/relax.h"

#include "base/buf.h"
#include "base/mem.h"
#include "plan/planners.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static bool any_drop(const clv_plan_problem *p)
{
    bool any = false;
    for (size_t k = 0; k < p->n_codecs; k++) any |= p->codecs[k].cut_drop_ppm != NULL;
    return any;
}

bool clv_plan_has_limit(const clv_plan_problem *p, clv_plan_limit limit)
{
    bool memory = false, down = false;
    for (size_t k = 0; k < p->n_devices; k++)
        memory |= p->devices[k].memory_bytes_max != CLV_PLAN_NO_LIMIT;
    for (size_t k = 0; k + 1 < p->n_devices; k++) down |= !p->hops[k].up;
    switch (limit) {
    case CLV_LIMIT_DEADLINE: return p->limits.deadline_ns != CLV_PLAN_NO_LIMIT;
    case CLV_LIMIT_ENERGY: return p->limits.energy_nj != CLV_PLAN_NO_LIMIT;
    case CLV_LIMIT_PRICE: return p->limits.price_pm != CLV_PLAN_NO_LIMIT;
    case CLV_LIMIT_DROP: return p->limits.drop_ppm != CLV_PLAN_NO_LIMIT && any_drop(p);
    case CLV_LIMIT_MEMORY: return memory;
    case CLV_LIMIT_PINS: return p->limits.unit_devices;
    case CLV_LIMIT_PRIVACY: return p->limits.stays;
    case CLV_LIMIT_LINK: return down;
    case CLV_LIMIT_NONE:
    case CLV_LIMIT_COUNT: break;
    }
    return false;
}

static void put_up(clv_plan_hop *h)
{
    if (h->up) return;
    h->up = true;
    h->up_ps_per_byte = CLV_MAX(h->up_ps_per_byte, 1);
    h->down_ps_per_byte = CLV_MAX(h->down_ps_per_byte, 1);
}

clv_plan_problem clv_plan_without(const clv_plan_problem *p, clv_plan_limit limit)
{
    clv_plan_problem q = *p;
    switch (limit) {
    case CLV_LIMIT_DEADLINE: q.limits.deadline_ns = CLV_PLAN_NO_LIMIT; break;
    case CLV_LIMIT_ENERGY: q.limits.energy_nj = CLV_PLAN_NO_LIMIT; break;
    case CLV_LIMIT_PRICE: q.limits.price_pm = CLV_PLAN_NO_LIMIT; break;
    case CLV_LIMIT_DROP: q.limits.drop_ppm = CLV_PLAN_NO_LIMIT; break;
    case CLV_LIMIT_MEMORY:
        for (size_t k = 0; k < q.n_devices; k++) q.devices[k].memory_bytes_max = CLV_PLAN_NO_LIMIT;
        break;
    case CLV_LIMIT_PINS: q.limits.unit_devices = NULL; break;
    case CLV_LIMIT_PRIVACY: q.limits.stays = NULL; break;
    case CLV_LIMIT_LINK:
        for (size_t k = 0; k + 1 < q.n_devices; k++) put_up(&q.hops[k]);
        break;
    case CLV_LIMIT_NONE:
    case CLV_LIMIT_COUNT: break;
    }
    return q;
}

static clv_plan_problem without_others(const clv_plan_problem *p, clv_plan_limit limit)
{
    clv_plan_problem q = *p;
    for (int l = CLV_LIMIT_NONE; l < CLV_LIMIT_COUNT; l++)
        if (l != (int)limit && l != CLV_LIMIT_LINK) q = clv_plan_without(&q, (clv_plan_limit)l);
    return q;
}

/* Planners other than A, which take longer, find a size to a 64th. */
enum { COARSE = 64 };

/* The cost of the best placement; false: none was found. */
static bool ask(const clv_plan_problem *p, clv_plan_cost *cost)
{
    clv_planner planner;
    clv_planner_answer a;
    clv_error ignored = {0};
    if (clv_planner_ask(p, &planner, &a, &ignored) != CLV_OK) return false;
    free(a.unit_device);
    *cost = a.cost;
    return true;
}

static bool keeps_within(const clv_plan_problem *p, int64_t drop_ppm)
{
    clv_plan_problem q = *p;
    clv_plan_cost cost;
    q.limits.drop_ppm = drop_ppm;
    return ask(&q, &cost);
}

/* The least loss of accuracy that will do, by bisection. */
static int64_t least_drop(const clv_plan_problem *p)
{
    int64_t low = 0, high = CLV_PLAN_DROP_MAX * (int64_t)(p->n_devices - 1);
    if (!keeps_within(p, high)) return CLV_PLAN_UNKNOWN;
    if (keeps_within(p, 0)) return 0;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        *(keeps_within(p, middle) ? &high : &low) = middle;
    }
    return high;
}

/* The least that a placement has of what the limit bounds, the limit itself dropped. */
static int64_t least_of(const clv_plan_problem *p, clv_plan_limit limit)
{
    if (limit == CLV_LIMIT_DROP) return least_drop(p);
    clv_plan_problem q = clv_plan_without(p, limit);
    clv_plan_cost cost;
    q.objective.goal = limit == CLV_LIMIT_DEADLINE ? CLV_GOAL_LATENCY
                       : limit == CLV_LIMIT_ENERGY ? CLV_GOAL_ENERGY
                                                   : CLV_GOAL_PRICE;
    if (!ask(&q, &cost)) return CLV_PLAN_UNKNOWN;
    return limit == CLV_LIMIT_DEADLINE ? cost.latency_ns
           : limit == CLV_LIMIT_ENERGY ? cost.total.nj
                                       : cost.total.pm;
}

/* More than any segment needs. */
static int64_t memory_of_all(const clv_plan_problem *p)
{
    int64_t sum = 0;
    for (size_t u = 0; u < p->graph->n_units; u++) sum += (int64_t)p->graph->units[u].weight_bytes;
    for (size_t t = 0; t < p->graph->n_tensors; t++) sum += (int64_t)p->graph->tensors[t].bytes;
    return sum;
}

/* Does it do to give a device so much? */
static bool fits_in(const clv_plan_problem *p, size_t device, int64_t bytes)
{
    clv_plan_problem q = *p;
    clv_plan_cost cost;
    q.devices[device].memory_bytes_max = bytes;
    return ask(&q, &cost);
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The same for planner A, where it is what the device needs at one of the cuts. The largest will do. */
static int64_t least_size(const clv_plan_problem *p, size_t device)
{
    size_t n = p->cuts->n, low = 0, high = n - 1;
    CLV_AUTO(clv_free) int64_t *sizes = clv_alloc_array(n, sizeof *sizes);
    for (size_t c = 0; c < n; c++)
        sizes[c] = device ? clv_plan_memory(p, c, n - 1) : clv_plan_memory(p, 0, c);
    qsort(sizes, n, sizeof *sizes, by_size);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (fits_in(p, device, sizes[middle]))
            high = middle;
        else
            low = middle + 1;
    }
    return sizes[high];
}

/* The least memory of one device that will do, by bisection. */
static int64_t least_memory(const clv_plan_problem *p, size_t device)
{
    if (!fits_in(p, device, CLV_PLAN_NO_LIMIT)) return CLV_PLAN_UNKNOWN;
    if (clv_planner_for(p) == CLV_PLANNER_ONE_CUT) return least_size(p, device);
    if (fits_in(p, device, 0)) return 0;
    int64_t low = 0, high = memory_of_all(p);
    while (high - low > 1 + high / COARSE) {
        int64_t middle = low + (high - low) / 2;
        *(fits_in(p, device, middle) ? &high : &low) = middle;
    }
    return high;
}

static bool only_dropped(clv_plan_limit limit)
{
    return limit == CLV_LIMIT_PINS || limit == CLV_LIMIT_PRIVACY || limit == CLV_LIMIT_LINK;
}

static clv_plan_relief relieve(const clv_plan_problem *p, clv_plan_limit limit)
{
    clv_plan_relief r = {.limit = limit, .needed = CLV_PLAN_UNKNOWN};
    const clv_plan_limits *l = &p->limits;
    r.now = limit == CLV_LIMIT_DEADLINE ? l->deadline_ns
            : limit == CLV_LIMIT_ENERGY ? l->energy_nj
            : limit == CLV_LIMIT_PRICE  ? l->price_pm
            : limit == CLV_LIMIT_DROP   ? l->drop_ppm
                                        : 0;
    if (!only_dropped(limit)) {
        clv_plan_problem alone = without_others(p, limit);
        r.least = least_of(&alone, limit);
        r.needed = least_of(p, limit);
        r.enough = r.needed != CLV_PLAN_UNKNOWN;
        return r;
    }
    clv_plan_problem q = clv_plan_without(p, limit);
    clv_plan_cost cost;
    r.enough = ask(&q, &cost);
    if (r.enough) r.needed = 0;
    return r;
}

static clv_plan_relief relieve_memory(const clv_plan_problem *p, size_t device)
{
    clv_plan_problem alone = without_others(p, CLV_LIMIT_MEMORY);
    for (size_t k = 0; k < p->n_devices; k++)
        if (k != device) alone.devices[k].memory_bytes_max = CLV_PLAN_NO_LIMIT;
    clv_plan_relief r = {.limit = CLV_LIMIT_MEMORY,
                         .device = device,
                         .now = p->devices[device].memory_bytes_max,
                         .least = least_memory(&alone, device),
                         .needed = least_memory(p, device)};
    r.enough = r.needed != CLV_PLAN_UNKNOWN;
    return r;
}

clv_plan_relaxation clv_plan_relax(const clv_plan_problem *p)
{
    clv_plan_relaxation r = {.n = 0};
    for (int l = CLV_LIMIT_NONE; l < CLV_LIMIT_COUNT; l++) {
        clv_plan_limit limit = (clv_plan_limit)l;
        if (limit != CLV_LIMIT_MEMORY && clv_plan_has_limit(p, limit))
            r.items[r.n++] = relieve(p, limit);
        for (size_t k = 0; limit == CLV_LIMIT_MEMORY && k < p->n_devices; k++)
            if (p->devices[k].memory_bytes_max != CLV_PLAN_NO_LIMIT)
                r.items[r.n++] = relieve_memory(p, k);
    }
    return r;
}

/* ---- for people ---- */

typedef struct value_text {
    char s[40];
} value_text;

/* Rounded up in the last place that is shown, so that a limit set to what is read will do. */
static value_text show(clv_plan_limit limit, int64_t value)
{
    value_text t;
    long long up = (long long)(value / 1000 + (value % 1000 != 0)); /* us, uJ or 10^-9 of money */
    if (value == CLV_PLAN_UNKNOWN)
        snprintf(t.s, sizeof t.s, "out of reach");
    else if (limit == CLV_LIMIT_DEADLINE)
        snprintf(t.s, sizeof t.s, "%lld.%03lld ms", up / 1000, up % 1000);
    else if (limit == CLV_LIMIT_ENERGY)
        snprintf(t.s, sizeof t.s, "%lld.%03lld mJ", up / 1000, up % 1000);
    else if (limit == CLV_LIMIT_DROP)
        snprintf(t.s, sizeof t.s, "%lld.%04lld points", (long long)value / 10000,
                 (long long)value % 10000);
    else if (limit == CLV_LIMIT_PRICE)
        snprintf(t.s, sizeof t.s, "%lld.%03lld millionths", up / 1000, up % 1000);
    else
        snprintf(t.s, sizeof t.s, "%" PRId64 " bytes", value);
    return t;
}

static void add_name(clv_buf *b, const clv_plan_problem *p, const clv_plan_relief *r)
{
    clv_buf_text(b, clv_plan_limit_name(r->limit));
    if (r->limit == CLV_LIMIT_MEMORY) clv_buf_printf(b, " of '%.20s'", p->devices[r->device].name);
}

static void add_reach(clv_buf *b, const clv_plan_problem *p, const clv_plan_relaxation *r)
{
    const char *before = ": ";
    for (size_t i = 0; i < r->n; i++) {
        const clv_plan_relief *item = &r->items[i];
        if (only_dropped(item->limit)) continue;
        clv_buf_text(b, before);
        add_name(b, p, item);
        clv_buf_printf(b, " %s (%s at best)", show(item->limit, item->now).s,
                       show(item->limit, item->least).s);
        before = ", ";
    }
}

void clv_plan_relax_text(const clv_plan_problem *p, const clv_plan_relaxation *r, char *text,
                         size_t size)
{
    CLV_AUTO(clv_buf_done) clv_buf b = {0};
    const char *before = "; enough alone would be ";
    bool any = false;
    clv_buf_text(&b, "no placement keeps all limits");
    add_reach(&b, p, r);
    for (size_t i = 0; i < r->n; i++) {
        const clv_plan_relief *item = &r->items[i];
        if (!item->enough) continue;
        clv_buf_text(&b, any ? " or " : before);
        any = true;
        if (item->limit == CLV_LIMIT_LINK) {
            clv_buf_text(&b, "a link that is up");
            continue;
        }
        if (only_dropped(item->limit)) clv_buf_text(&b, "no ");
        add_name(&b, p, item);
        if (!only_dropped(item->limit))
            clv_buf_printf(&b, " %s", show(item->limit, item->needed).s);
    }
    if (!any) clv_buf_text(&b, "; no single limit, moved alone, is enough");
    snprintf(text, size, "%s", b.data);
}
