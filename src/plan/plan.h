/* Problem in, plan out: what runs where. Pure functions on plain values.
 *
 *     clv_plan plan;
 *     if (clv_plan_solve(&problem, &plan, &err) == CLV_OK) puts(plan.why);
 *     clv_plan_done(&plan);
 *
 * Which planner answers is chosen by the problem, and stated in the plan:
 *
 *   A one-cut    two devices: every cut with every codec. Exact for any objective and any limit.
 *   B hops       K devices, a sum: shortest path over (device, ideal, codec), with Pareto labels where
 *                a limit or a quantile needs more than one number. Exact.
 *   C pipeline   K devices, throughput or a limit on memory: the same search for guessed periods, and
 *                over nested pairs of ideals where memory is limited. Exact.
 *   D min-cut    two devices, a sum of units, when the ideals pass the cap or units may return to
 *                device 0. Exact for sums of units; with limits, a quantile or throughput it is
 *                branch and bound, which states its gap where it stops before the proof.
 *
 * With capped cuts A, B and C choose among the cuts that there are; `bound` then is what the units would
 * cost without hops, each on its best device, and `gap` says how far away the optimum can be. That is
 * a bound if segments take no less than the sum of their units; fused ones may take less.
 * Ties go to fewer bytes on the wire, then to the lower latency, then to the later cuts.
 *
 * Threads: any; nothing is kept between calls. A plan owns its memory and borrows nothing.
 */
#ifndef CLV_PLAN_PLAN_H
#define CLV_PLAN_PLAN_H

#include "plan/problem.h"

#define CLV_PLANNER_MAP(X)                                                                         \
    X(ONE_CUT, "one-cut", "every cut tried")                                                       \
    X(HOPS, "hops", "shortest path over devices and ideals")                                       \
    X(PIPELINE, "pipeline", "shortest paths for guessed periods, nested pairs of ideals")          \
    X(MIN_CUT, "min-cut", "minimum cut of the network's flow graph")
typedef enum clv_planner {
#define X(name, text, about) CLV_PLANNER_##name,
    CLV_PLANNER_MAP(X)
#undef X
        CLV_PLANNER_COUNT
} clv_planner;
const char *clv_planner_name(clv_planner p);

enum { CLV_PLAN_WHY_MAX = 400, CLV_PLAN_RIVALS_MAX = 5, CLV_PLAN_NO_CUT = -1 };

/* A placement in short: I[k] of each device as a cut, and the codec of each hop. */
typedef struct clv_plan_chain {
    int cut[CLV_PLAN_DEVICES_MAX]; /* from the last device that runs anything on, the full ideal */
    int codec[CLV_PLAN_DEVICES_MAX]; /* of the hop behind device k, where it is crossed */
} clv_plan_chain;

/* Device k's part. The times add up, over all stages, to cost.total.ns; energy and money as well. Stages
 * behind the last device that runs anything are zeroed. Of D, the energy and money of coding and of the
 * hop stand in stage 0. */
typedef struct clv_plan_stage {
    int from, to; /* cuts; from == to: runs nothing; CLV_PLAN_NO_CUT: an ideal that is no cut */
    size_t n_units;
    int64_t wait_ns, decode_ns, compute_ns, encode_ns;
    int64_t overhead_ns, rtt_ns, up_ns, down_ns; /* of the hop behind it, 0 when not crossed */
    int64_t up_bytes, down_bytes;                /* as they are on the wire */
    int codec;                                   /* of that hop; -1 when it is not crossed */
    int64_t nj, pm;                              /* of the device and the hop behind it */
    int64_t drop_ppm;                            /* accuracy lost to what is written for that hop */
    int64_t memory_bytes;
} clv_plan_stage;

/* What a placement costs as a whole. */
typedef struct clv_plan_cost {
    clv_plan_amount total;
    int64_t latency_ns; /* the objective's quantile of total */
    int64_t period_ns;  /* as a pipeline: its longest part (plan/problem.h) */
    int64_t score;      /* what the objective compares: lower is better */
    int64_t wire_bytes; /* up and down, all hops */
} clv_plan_cost;

#define CLV_PLAN_LIMIT_MAP(X)                                                                      \
    X(NONE, "none")                                                                                \
    X(DEADLINE, "deadline")                                                                        \
    X(ENERGY, "energy")                                                                            \
    X(PRICE, "price")                                                                              \
    X(DROP, "accuracy")                                                                            \
    X(MEMORY, "memory")                                                                            \
    X(PINS, "pins")                                                                                \
    X(PRIVACY, "privacy")                                                                          \
    X(LINK, "link")
typedef enum clv_plan_limit {
#define X(name, text) CLV_LIMIT_##name,
    CLV_PLAN_LIMIT_MAP(X)
#undef X
        CLV_LIMIT_COUNT
} clv_plan_limit;
const char *clv_plan_limit_name(clv_plan_limit l);

typedef struct clv_plan_rival {
    clv_plan_chain chain;
    clv_plan_cost cost;
} clv_plan_rival;

typedef struct clv_plan {
    clv_planner planner;
    clv_plan_chain chain; /* of one that never returns; else cut[] is CLV_PLAN_NO_CUT */
    uint8_t *unit_device; /* owned, [n_units]: which device runs it */
    size_t n_units;
    clv_plan_stage stages[CLV_PLAN_DEVICES_MAX];
    size_t n_stages; /* up to the last device that runs anything */
    clv_plan_cost cost;
    /* The next best placements, best first: of A other cuts, each in its best codec; of B and C the
     * best of each other last device; of D none. */
    clv_plan_rival rivals[CLV_PLAN_RIVALS_MAX];
    size_t n_rivals;
    clv_plan_limit binding; /* the one whose absence would help most; NONE: none would */
    int64_t bound;          /* no placement scores below this; capped cuts: see above */
    double gap;             /* score / bound - 1; 0: proven optimal; INFINITY: nothing is known */
    size_t considered;      /* placements (A), labels (B), pairs (C), augmentations (D) */
    char why[CLV_PLAN_WHY_MAX]; /* one plain sentence */
} clv_plan;

/* CLV_EINVAL: the problem is not well formed. CLV_EINFEASIBLE: no placement keeps all limits; the
 * error says by how much and which single limit, moved how far, would do (plan/relax.h). CLV_ELIMIT:
 * too many candidates for all limits at once, some were dropped and the others keep them not; or a
 * weighted sum out of range. */
CLV_MUST
clv_status clv_plan_solve(const clv_plan_problem *p, clv_plan *out, clv_error *err);
void clv_plan_done(clv_plan *plan);

/* One given chain, weighed. CLV_EINVAL when it is no chain, was not measured or has a codec where that
 * is not offered, CLV_EUNAVAIL when a hop that it crosses is down; limits are not looked at: clv_plan_violated(). */
CLV_MUST
clv_status clv_plan_weigh(const clv_plan_problem *p, const clv_plan_chain *chain,
                          clv_plan_cost *out, clv_error *err);
/* The first limit that the chain breaks, NONE if it keeps all. */
clv_plan_limit clv_plan_violated(const clv_plan_problem *p, const clv_plan_chain *chain,
                                 const clv_plan_cost *cost);
/* Is `a` to be preferred: a lower score, then fewer bytes, then a lower latency? Ties: false. */
bool clv_plan_better(const clv_plan_cost *a, const clv_plan_cost *b);
/* Fills stages, costs, unit_device and the rest of a plan from its chain. */
CLV_MUST
clv_status clv_plan_detail(const clv_plan_problem *p, const clv_plan_chain *chain,
                           clv_planner planner, clv_plan *out, clv_error *err);

#endif
