/* How long a device takes until a cut is reached, as a number that never falls along inclusion. */
#include "base/mem.h"
#include "plan/tables_priv.h"

#include <string.h>

/* Prefix, whole less suffix, or the mean of both; within 0 and the whole. */
static clv_plan_time estimate(const clv_plan_device *d, size_t cut, int64_t whole_ns)
{
    const clv_plan_time *front = &d->prefix[cut], *back = &d->suffix[cut];
    bool has_front = front->ns != CLV_PLAN_UNKNOWN, has_back = back->ns != CLV_PLAN_UNKNOWN;
    if (!has_front && !has_back) return CLV_TABLES_UNKNOWN;
    int64_t ns = has_front && has_back ? (front->ns + whole_ns - back->ns) / 2
                 : has_front           ? front->ns
                                       : whole_ns - back->ns;
    int64_t var = has_front && has_back ? (front->var_us2 + back->var_us2) / 4
                  : has_front           ? front->var_us2
                                        : back->var_us2;
    return (clv_plan_time){CLV_MIN(CLV_MAX(ns, 0), whole_ns), var};
}

static void take(const clv_plan_time *from, clv_plan_time *into, bool largest)
{
    if (from->ns == CLV_PLAN_UNKNOWN) return;
    into->ns = largest ? CLV_MAX(into->ns, from->ns) : CLV_MIN(into->ns, from->ns);
    into->var_us2 =
        largest ? CLV_MAX(into->var_us2, from->var_us2) : CLV_MIN(into->var_us2, from->var_us2);
}

/* Both bounds of every known cut: a cut that holds another has a higher index. */
static void even_out(const clv_cuts *cuts, const clv_plan_time *raw, clv_plan_time *out)
{
    CLV_AUTO(clv_free) clv_plan_time *low = clv_alloc_array(cuts->n, sizeof *low);
    CLV_AUTO(clv_free) clv_plan_time *high = clv_alloc_array(cuts->n, sizeof *high);
    memcpy(low, raw, cuts->n * sizeof *low);
    memcpy(high, raw, cuts->n * sizeof *high);
    for (size_t i = 0; i < cuts->n; i++) {
        if (raw[i].ns == CLV_PLAN_UNKNOWN) continue;
        for (size_t k = i + 1; k < cuts->n; k++) {
            if (raw[k].ns == CLV_PLAN_UNKNOWN || !clv_cut_within(cuts, i, k)) continue;
            take(&raw[i], &low[k], true);
            take(&raw[k], &high[i], false);
        }
    }
    for (size_t i = 0; i < cuts->n; i++)
        out[i] = raw[i].ns == CLV_PLAN_UNKNOWN
                     ? CLV_TABLES_UNKNOWN
                     : (clv_plan_time){(low[i].ns + high[i].ns) / 2,
                                       (low[i].var_us2 + high[i].var_us2) / 2};
}

/* Sums of units, for cuts that the device has measured at all. */
static void add_up(const clv_graph *g, const clv_cuts *cuts, const clv_plan_device *d,
                   const clv_plan_time *raw, clv_plan_time *out)
{
    for (size_t i = 0; i < cuts->n; i++) {
        out[i] = raw[i];
        if (raw[i].ns == CLV_PLAN_UNKNOWN) continue;
        out[i] = (clv_plan_time){0};
        for (size_t u = 0; u < g->n_units; u++)
            if (clv_cut_has(&cuts->items[i], (int)u)) out[i].ns += d->unit_ns[u];
    }
}

void clv_tables_progress(const clv_graph *g, const clv_cuts *cuts, const clv_plan_device *d,
                         clv_plan_time *progress)
{
    size_t last = cuts->n - 1;
    CLV_AUTO(clv_free) clv_plan_time *raw = clv_alloc_array(cuts->n, sizeof *raw);
    for (size_t i = 1; i < last; i++) raw[i] = estimate(d, i, d->prefix[last].ns);
    raw[last] = d->prefix[last];
    if (cuts->n <= CLV_TABLES_PAIRS_MAX)
        even_out(cuts, raw, progress);
    else if (d->unit_ns)
        add_up(g, cuts, d, raw, progress);
    else
        for (size_t i = 0; i < cuts->n; i++) progress[i] = CLV_TABLES_UNKNOWN;
}
