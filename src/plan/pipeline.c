/* Planner C: throughput, and limits on memory.
 *
 * The period of a pipeline is no sum along a way, so it is not minimised but guessed: for a given
 * period, a search over sums finds a placement that keeps it, or says that there is none, and how
 * long a period must be at least for the answer to change. What the labels carry is the work of the
 * device at hand, and the least of it is enough. Each guess halves what is left between the shortest
 * period that was kept and the longest that was proven too short; all last devices share the guesses.
 * Then, of all placements with the best period, one with the fewest bytes and the lowest latency.
 *
 * Segments come from the lattice of the cuts (plan/climb.h), or from all pairs of cuts where a
 * device has a limit on memory or a progress that falls (plan/pairs.h). O(devices × ideals × width)
 * or O(devices × pairs) a guess, some twenty guesses.
 *
 * Source: Tarnawski et al., NeurIPS 2020 minimise the largest load by a programme over pairs of
 * ideals; guessing the bound is the parametric search of chains-on-chains partitioning (Pinar and
 * Aykanat, "Fast optimal load balancing algorithms for 1D partitioning", JPDC 2004). Our differences:
 * ideals of a DAG with it; codecs, and both ways of a link as stages of their own.
 */
#include "base/mem.h"
#include "plan/climb.h"
#include "plan/pairs.h"

typedef struct pipeline {
    const clv_plan_problem *p;
    clv_climb climb;
    clv_pairs pairs;
    bool by_pairs;
    clv_layers layers;
} pipeline;

/* Of the placements with one last device: none is faster than `least_ns`. */
typedef struct guess {
    bool found;
    int64_t least_ns, best_ns;
    clv_plan_chain chain;
} guess;

static bool any_memory_limit(const clv_plan_problem *p)
{
    bool any = false;
    for (size_t k = 0; k < p->n_devices; k++)
        any |= p->devices[k].memory_bytes_max != CLV_PLAN_NO_LIMIT;
    return any;
}

static void pipeline_init(pipeline *s, const clv_plan_problem *p)
{
    *s = (pipeline){.p = p, .by_pairs = any_memory_limit(p)};
    if (!s->by_pairs) {
        clv_climb_init(&s->climb, p);
        s->by_pairs = !clv_climb_holds(&s->climb, p);
    }
    if (s->by_pairs) clv_pairs_init(&s->pairs, p, CLV_PAIRS_CUTS_MAX);
    clv_layers_init(&s->layers, p, clv_terms_of(p));
    s->layers.thinned = s->by_pairs && s->pairs.n_cuts < p->cuts->n;
}

static void pipeline_done(pipeline *s)
{
    clv_pairs_done(&s->pairs);
    clv_climb_done(&s->climb);
    clv_layers_done(&s->layers);
}

static void search(pipeline *s, clv_layers *l)
{
    if (s->by_pairs)
        clv_layers_search(l, clv_pairs_run, &s->pairs);
    else
        clv_layers_search(l, clv_climb_run, &s->climb);
}

static void try_period(pipeline *s, int64_t period_ns, guess *guesses)
{
    clv_layers *l = &s->layers;
    l->terms.period_ns_max = period_ns;
    search(s, l);
    for (size_t k = 0; k < s->p->n_devices; k++) {
        guess *g = &guesses[k];
        if (!l->ends[k].found) {
            g->least_ns = CLV_MAX(g->least_ns, l->next_period_ns);
        } else if (!g->found || l->ends[k].score < g->best_ns) {
            g->found = true;
            g->best_ns = l->ends[k].score;
            g->chain = clv_layers_chain(l, k);
        }
    }
}

/* The next period to try, -1: all is known. */
static int64_t next_try(const pipeline *s, const guess *guesses)
{
    for (size_t k = 0; k < s->p->n_devices; k++)
        if (guesses[k].found && guesses[k].least_ns < guesses[k].best_ns)
            return guesses[k].least_ns + (guesses[k].best_ns - guesses[k].least_ns) / 2;
    return -1;
}

/* Of the placements that are as fast, the one that is to be preferred. */
static clv_status settle_tie(pipeline *s, clv_planner_answer *out, clv_error *err)
{
    CLV_AUTO(clv_layers_done) clv_layers l;
    clv_layers_init(&l, s->p, clv_terms_within(s->p, out->cost.period_ns));
    search(s, &l);
    int last = clv_layers_best(&l);
    if (last < 0) return CLV_OK; /* labels were dropped: the first will do */
    clv_plan_chain chain = clv_layers_chain(&l, (size_t)last);
    clv_plan_cost cost;
    clv_status st = clv_plan_weigh(s->p, &chain, &cost, err);
    if (st || !clv_plan_better(&cost, &out->cost)) return st;
    out->chain = chain;
    out->cost = cost;
    return CLV_OK;
}

static clv_status fastest(pipeline *s, clv_planner_answer *out, clv_error *err)
{
    guess guesses[CLV_PLAN_DEVICES_MAX] = {0};
    for (int64_t ns = INT64_MAX; ns >= 0; ns = next_try(s, guesses)) try_period(s, ns, guesses);
    const clv_plan_chain *chains[CLV_PLAN_DEVICES_MAX];
    size_t n = 0;
    for (size_t k = 0; k < s->p->n_devices; k++)
        if (guesses[k].found) chains[n++] = &guesses[k].chain;
    clv_status st = clv_layers_rank(&s->layers, chains, n, out, err);
    return st ? st : settle_tie(s, out, err);
}

clv_status clv_plan_pipeline(const clv_plan_problem *p, clv_planner_answer *out, clv_error *err)
{
    CLV_AUTO(pipeline_done) pipeline s;
    clv_planner_answer answer;
    clv_status st;
    pipeline_init(&s, p);
    if (p->objective.goal == CLV_GOAL_THROUGHPUT) {
        st = fastest(&s, &answer, err);
    } else {
        search(&s, &s.layers);
        st = clv_layers_answer(&s.layers, &answer, err);
    }
    if (st) return st;
    if (s.by_pairs) answer.considered = s.pairs.tried;
    if (s.layers.thinned) answer.bound = clv_climb_bound(p);
    *out = answer;
    return CLV_OK;
}
