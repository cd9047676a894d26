/* The sentence that says why a plan was chosen: what it does, what that takes, and what the two
 * obvious placements and the limits would have made of it. */
#include "base/buf.h"
#include "base/unit.h"
#include "plan/planners.h"
#include "plan/relax.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_SHOWN = 48 };
typedef struct short_text {
    char s[LABEL_SHOWN + 16];
} short_text;

/* A label joins tensor names and may be long: its start is shown, and never half a UTF-8 letter. */
static short_text label_of(const clv_plan_problem *p, size_t cut)
{
    short_text t;
    char *label = clv_cut_label(p->cuts, p->graph, cut);
    size_t n = strlen(label);
    bool whole = n <= LABEL_SHOWN;
    if (!whole) n = LABEL_SHOWN;
    while (!whole && n > 0 && ((unsigned char)label[n] & 0xc0) == 0x80) n--;
    snprintf(t.s, sizeof t.s, "%.*s%s", (int)n, label, whole ? "" : "...");
    free(label);
    return t;
}

/* A score as people read it: "12 ms", "3 mJ", "30.1 requests/s". */
static short_text show(const clv_plan_problem *p, double score)
{
    short_text t;
    switch (p->objective.goal) {
    case CLV_GOAL_LATENCY:
        snprintf(t.s, sizeof t.s, "%s", clv_show_duration(score * 1e-3).s);
        break;
    case CLV_GOAL_ENERGY: snprintf(t.s, sizeof t.s, "%s", clv_show_energy(score * 1e-9).s); break;
    case CLV_GOAL_PRICE: snprintf(t.s, sizeof t.s, "%.3g millionths", score * 1e-6); break;
    case CLV_GOAL_THROUGHPUT:
        snprintf(t.s, sizeof t.s, "%.3g requests/s", score > 0 ? 1e9 / score : (double)INFINITY);
        break;
    case CLV_GOAL_WEIGHTED:
    case CLV_GOAL_COUNT: snprintf(t.s, sizeof t.s, "a sum of %.4g", score * 1e-15); break;
    }
    return t;
}

static const char *verb(const clv_plan_problem *p)
{
    static const char *const verbs[CLV_GOAL_COUNT] = {[CLV_GOAL_LATENCY] = "takes",
                                                      [CLV_GOAL_ENERGY] = "takes",
                                                      [CLV_GOAL_PRICE] = "costs",
                                                      [CLV_GOAL_THROUGHPUT] = "serves",
                                                      [CLV_GOAL_WEIGHTED] = "makes"};
    return verbs[p->objective.goal];
}

/* " takes 12 ms", with the quantile where there is one. */
static void add_score(clv_buf *b, const clv_plan_problem *p, const clv_plan *plan)
{
    clv_buf_printf(b, " %s %s", verb(p), show(p, (double)plan->cost.score).s);
    bool quantile = p->objective.quantile_ppm && p->objective.goal == CLV_GOAL_LATENCY;
    if (quantile) clv_buf_printf(b, " in %g%% of cases", p->objective.quantile_ppm * 1e-4);
}

/* "758 ms less than", "12 mJ more than", "as much as", "3.1 times the rate of". */
static void add_comparison(clv_buf *b, const clv_plan_problem *p, int64_t mine, int64_t other)
{
    double saved = (double)other - (double)mine;
    if (mine == other)
        clv_buf_text(b, p->objective.goal == CLV_GOAL_LATENCY ? "as long as" : "as much as");
    else if (p->objective.goal == CLV_GOAL_THROUGHPUT)
        clv_buf_printf(b, "%.3g times the rate of", mine ? (double)other / (double)mine : 1);
    else
        clv_buf_printf(b, "%s %s than", show(p, fabs(saved)).s, saved > 0 ? "less" : "more");
}

static const char *name_of(const clv_plan_problem *p, size_t device)
{
    return p->devices[device].name;
}

/* Everything on the first device, or, `there`, on the last. False: it was not measured, or the link
 * is down. */
static bool weigh_side(const clv_plan_problem *p, bool there, clv_plan_cost *cost)
{
    clv_plan_chain chain = {{0}, {0}};
    size_t from = there ? p->n_devices - 1 : 0;
    for (size_t k = from; k < p->n_devices; k++) chain.cut[k] = (int)p->cuts->n - 1;
    clv_error ignored = {0};
    return clv_plan_weigh(p, &chain, cost, &ignored) == CLV_OK;
}

/* ", 758 ms less than running all on edge": of those sides that the plan itself is not. */
static void add_sides(clv_buf *b, const clv_plan_problem *p, const clv_plan *plan, bool here,
                      bool there)
{
    clv_plan_cost cost;
    const char *before = ", ";
    if (plan->planner == CLV_PLANNER_MIN_CUT) return; /* by units: not to be compared */
    if (here && weigh_side(p, false, &cost)) {
        clv_buf_text(b, before);
        add_comparison(b, p, plan->cost.score, cost.score);
        clv_buf_printf(b, " running all on %s", name_of(p, 0));
        before = " and ";
    }
    if (there && weigh_side(p, true, &cost)) {
        clv_buf_text(b, before);
        add_comparison(b, p, plan->cost.score, cost.score);
        clv_buf_text(b, " sending the input");
    }
}

static void add_rival(clv_buf *b, const clv_plan_problem *p, const clv_plan *plan)
{
    if (!plan->n_rivals) return;
    const clv_plan_rival *rival = &plan->rivals[0];
    size_t cut = (size_t)rival->chain.cut[0];
    if (cut + 1 == p->cuts->n) return;
    clv_buf_text(b, ", ");
    add_comparison(b, p, plan->cost.score, rival->cost.score);
    if (p->n_devices > 2)
        clv_buf_text(b, " the next best placement");
    else if (cut == 0)
        clv_buf_text(b, " sending the input");
    else
        clv_buf_printf(b, " cutting after %s", label_of(p, cut).s);
}

static void why_here(clv_buf *b, const clv_plan_problem *p, const clv_plan *plan)
{
    if (!p->hops[0].up)
        clv_buf_printf(b, "the link to %s is down, so everything runs", name_of(p, 1));
    else
        clv_buf_text(b, "running all");
    clv_buf_printf(b, " on %s", name_of(p, 0));
    if (!p->hops[0].up) clv_buf_text(b, ", which");
    add_score(b, p, plan);
    add_rival(b, p, plan);
}

/* "as q8+zstd, 46 ms less than raw, 0.012 points of accuracy lost": what the codec is for, and what it costs. */
static void add_codec(clv_buf *b, const clv_plan_problem *p, const clv_plan *plan)
{
    const clv_plan_stage *s = &plan->stages[0];
    clv_plan_chain raw = plan->chain;
    clv_plan_cost cost;
    clv_error ignored = {0};
    raw.codec[0] = 0;
    clv_buf_printf(b, "as %s", p->codecs[s->codec].name);
    bool by_units = plan->planner == CLV_PLANNER_MIN_CUT; /* not to be compared */
    if (!by_units && clv_plan_weigh(p, &raw, &cost, &ignored) == CLV_OK) {
        clv_buf_text(b, ", ");
        add_comparison(b, p, plan->cost.score, cost.score);
        clv_buf_text(b, " raw");
    }
    if (s->drop_ppm)
        clv_buf_printf(b, ", %.3g points of accuracy lost", (double)s->drop_ppm * 1e-4);
}

static void why_there(clv_buf *b, const clv_plan_problem *p, const clv_plan *plan)
{
    const clv_plan_stage *s = &plan->stages[0];
    clv_buf_printf(b, "sending the input (%s", clv_show_size((double)s->up_bytes).s);
    if (s->codec > 0) clv_buf_char(b, ' ');
    if (s->codec > 0) add_codec(b, p, plan);
    clv_buf_printf(b, ") to %s", name_of(p, 1));
    add_score(b, p, plan);
    if (p->objective.goal == CLV_GOAL_LATENCY)
        clv_buf_printf(
            b, " (%s on the link)",
            clv_show_duration((double)(s->overhead_ns + s->rtt_ns + s->up_ns + s->down_ns) * 1e-3)
                .s);
    add_sides(b, p, plan, true, false);
    add_rival(b, p, plan);
}

static void why_between(clv_buf *b, const clv_plan_problem *p, const clv_plan *plan)
{
    const clv_plan_stage *s = &plan->stages[0];
    int64_t input = (int64_t)p->cuts->items[0].bytes;
    clv_buf_printf(b, "cutting after %s sends %s", label_of(p, (size_t)plan->chain.cut[0]).s,
                   clv_show_size((double)s->up_bytes).s);
    if (s->codec > 0) {
        clv_buf_text(b, " (");
        add_codec(b, p, plan);
        clv_buf_char(b, ')');
    }
    if (s->up_bytes < input) clv_buf_printf(b, " instead of %s", clv_show_size((double)input).s);
    clv_buf_text(b, " and");
    add_score(b, p, plan);
    add_sides(b, p, plan, true, true);
}

/* More devices than two, or a placement that is none of the cuts. */
static void why_shares(clv_buf *b, const clv_plan_problem *p, const clv_plan *plan)
{
    const char *before = "";
    int64_t longest = 0;
    for (size_t k = 0; k < plan->n_stages; k++) {
        const clv_plan_stage *s = &plan->stages[k];
        int64_t work = s->decode_ns + s->compute_ns + s->encode_ns;
        longest = work > longest ? work : longest;
        if (!s->n_units) continue;
        clv_buf_printf(b, "%s%s runs %zu", before, name_of(p, k), s->n_units);
        before = k + 1 == plan->n_stages ? " and " : ", ";
    }
    clv_buf_printf(b, " of the %zu units, which", plan->n_units);
    add_score(b, p, plan);
    if (p->objective.goal == CLV_GOAL_THROUGHPUT)
        clv_buf_printf(b, ": the longest part is %s",
                       plan->cost.period_ns > longest ? "a link" : "a device's work");
    add_sides(b, p, plan, true, true);
}

static void add_limits(clv_buf *b, const clv_plan_problem *p, const clv_plan *plan)
{
    if (plan->binding == CLV_LIMIT_LINK && p->hops[0].up)
        clv_buf_text(b, "; were all links up, it could be better");
    else if (plan->binding != CLV_LIMIT_NONE && plan->binding != CLV_LIMIT_LINK)
        clv_buf_printf(b, "; but for the limit '%s' it could be better",
                       clv_plan_limit_name(plan->binding));
    if (plan->gap > 0 && isfinite(plan->gap))
        clv_buf_printf(b, "; this is at most %.2g%% above the optimum", 100 * plan->gap);
    else if (plan->gap > 0)
        clv_buf_text(b, "; not all cuts were looked at");
}

void clv_plan_explain(const clv_plan_problem *p, clv_plan *plan)
{
    clv_buf b = {0};
    bool chain = plan->chain.cut[0] != CLV_PLAN_NO_CUT;
    if (plan->n_stages == 1)
        why_here(&b, p, plan);
    else if (p->n_devices == 2 && chain && plan->chain.cut[0] == 0)
        why_there(&b, p, plan);
    else if (p->n_devices == 2 && chain)
        why_between(&b, p, plan);
    else
        why_shares(&b, p, plan);
    add_limits(&b, p, plan);
    size_t n = CLV_MIN(b.len, sizeof plan->why - 1);
    while (n < b.len && n > 0 && ((unsigned char)b.data[n] & 0xc0) == 0x80) n--;
    memcpy(plan->why, b.data, n);
    plan->why[n] = 0;
    clv_buf_done(&b);
}
