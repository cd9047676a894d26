#include "plan/sweep.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

/* latency(x) = fixed_us + bytes * x, x in microseconds for a byte sent up */
typedef struct line {
    double fixed_us, bytes;
} line;

static line line_of(const clv_plan_problem *p, size_t cut)
{
    clv_plan_cost c = clv_plan_cost_of(p, cut);
    if (cut + 1 == p->n_cuts) return (line){c.latency_us, 0};
    double down_share = p->link.up_bytes_per_s / p->link.down_bytes_per_s;
    return (line){c.edge_us + c.queue_us + c.cloud_us + c.overhead_us + p->link.rtt_us,
                  (double)p->cuts[cut].up_bytes + (double)p->cuts[cut].down_bytes * down_share};
}

static double at(const line *l, double x)
{
    return l->fixed_us + l->bytes * x;
}

/* The best line at x and just behind it: among equals the flattest, then the later cut. */
static size_t best_at(const line *lines, size_t n, double x)
{
    size_t best = n - 1;
    for (size_t i = n - 1; i-- > 0;) {
        double a = at(&lines[i], x), b = at(&lines[best], x);
        if (a < b || (a == b && lines[i].bytes < lines[best].bytes)) best = i;
    }
    return best;
}

/* The first line that goes below `now` behind x; n when none does. Among equals the flattest. */
static size_t next_after(const line *lines, size_t n, size_t now, double x, double *where)
{
    size_t next = n;
    for (size_t i = n; i-- > 0;) {
        if (lines[i].bytes >= lines[now].bytes) continue;
        double cross =
            (lines[i].fixed_us - lines[now].fixed_us) / (lines[now].bytes - lines[i].bytes);
        if (cross < x) cross = x;
        if (next < n &&
            (cross > *where || (cross == *where && lines[i].bytes >= lines[next].bytes)))
            continue;
        next = i;
        *where = cross;
    }
    return next;
}

static void reverse(clv_plan_span *spans, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        clv_plan_span t = spans[i];
        spans[i] = spans[n - 1 - i];
        spans[n - 1 - i] = t;
    }
}

clv_status clv_plan_sweep(const clv_plan_problem *p, double slowest_bytes_per_s,
                          double fastest_bytes_per_s, clv_plan_span **spans, size_t *n,
                          clv_error *err)
{
    if (!(slowest_bytes_per_s > 0 && slowest_bytes_per_s < fastest_bytes_per_s))
        return clv_fail(err, CLV_EINVAL,
                        "rates %g to %g bytes/s: the first must be above 0 and below the second",
                        slowest_bytes_per_s, fastest_bytes_per_s);
    if (!p->link.up || p->n_cuts < 2)
        return clv_fail(err, CLV_EINVAL, "a sweep needs a link that is up and two cuts or more");
    CLV_AUTO(clv_free) line *lines = clv_alloc_array(p->n_cuts, sizeof *lines);
    for (size_t i = 0; i < p->n_cuts; i++) lines[i] = line_of(p, i);
    /* From fast to slow, as x grows. Each step takes a flatter line, so there are at most n spans.
     */
    double x = 1e6 / fastest_bytes_per_s, end = 1e6 / slowest_bytes_per_s;
    clv_plan_span *found = clv_alloc_array(p->n_cuts, sizeof *found);
    size_t n_found = 0, now = best_at(lines, p->n_cuts, x);
    while (now < p->n_cuts) {
        double cross = end;
        size_t next = next_after(lines, p->n_cuts, now, x, &cross);
        if (next == p->n_cuts || cross >= end) {
            next = p->n_cuts;
            cross = end;
        }
        if (cross > x)
            found[n_found++] = (clv_plan_span){now, 1e6 / cross, 1e6 / x, at(&lines[now], cross),
                                               at(&lines[now], x)};
        x = cross;
        now = next;
    }
    reverse(found, n_found);
    *spans = found;
    *n = n_found;
    return CLV_OK;
}
