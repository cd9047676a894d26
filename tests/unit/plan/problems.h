/* Seeded random planning problems with whole-number costs, and the slow and obvious solver that the
 * planner is checked against. */
#ifndef CLV_TESTS_PLAN_PROBLEMS_H
#define CLV_TESTS_PLAN_PROBLEMS_H

#include "base/mem.h"
#include "base/rng.h"
#include "plan/plan.h"

#include <math.h>

enum { PROBLEM_CUTS_MAX = 12 };

/* Rates of 1, 2 or 4 bytes a microsecond and whole microseconds: every latency is a multiple of a
 * quarter microsecond, exact in a double, and ties are common. */
static inline clv_plan_problem problem_random(clv_rng *r)
{
    size_t n = 2 + clv_rng_below(r, PROBLEM_CUTS_MAX - 1);
    clv_plan_problem p = {.cuts = clv_alloc_array(n, sizeof *p.cuts),
                          .n_cuts = n,
                          .queue_us = (double)clv_rng_below(r, 20),
                          .overhead_us = (double)clv_rng_below(r, 20),
                          .edge_queue_us = (double)clv_rng_below(r, 20)};
    p.link = (clv_link){.up_bytes_per_s = 1e6 * (double)(1u << clv_rng_below(r, 3)),
                        .down_bytes_per_s = 1e6 * (double)(1u << clv_rng_below(r, 3)),
                        .rtt_us = (double)clv_rng_below(r, 30),
                        .up = clv_rng_below(r, 10) > 0};
    for (size_t i = 0; i < n; i++) {
        bool last = i + 1 == n;
        p.cuts[i] = (clv_plan_cut){.label = "t",
                                   .edge_index = (int)i,
                                   .cloud_index = (int)i,
                                   .edge_us = i ? (double)clv_rng_below(r, 100) : 0,
                                   .cloud_us = last ? 0 : (double)clv_rng_below(r, 50),
                                   .up_bytes = last ? 0 : clv_rng_below(r, 100),
                                   .down_bytes = last ? 0 : clv_rng_below(r, 10)};
    }
    return p;
}

/* Latency in nanoseconds, INT64_MAX where the link is needed and down. */
static inline int64_t problem_ns(const clv_plan_problem *p, size_t cut)
{
    const clv_plan_cut *c = &p->cuts[cut];
    if (cut + 1 == p->n_cuts) return llround((c->edge_us + p->edge_queue_us) * 1000);
    if (!p->link.up) return INT64_MAX;
    double up = (double)c->up_bytes / p->link.up_bytes_per_s * 1e9;
    double down = (double)c->down_bytes / p->link.down_bytes_per_s * 1e9;
    double work = c->edge_us + c->cloud_us + p->queue_us + p->overhead_us + p->link.rtt_us;
    return llround(up + down + (work + (cut ? p->edge_queue_us : 0)) * 1000);
}

/* The least, and among equals the last. */
static inline size_t problem_best(const clv_plan_problem *p)
{
    size_t best = 0;
    for (size_t i = 1; i < p->n_cuts; i++)
        if (problem_ns(p, i) <= problem_ns(p, best)) best = i;
    return best;
}

#endif
