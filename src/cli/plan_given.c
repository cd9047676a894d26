#include "cli/plan_given.h"

#include "base/buf.h"
#include "base/file.h"
#include "plan/plan_text.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { GIVEN_FILE_MAX = 256 << 20 }; /* a report lists every cut in every codec */

static void free_json(json_t **root)
{
    json_decref(*root);
}

/* The field plan.text of a report. */
static clv_status read_report(const clv_buf *file, const char *digest, const clv_plan_problem *p,
                              clv_plan_chain *out, clv_error *err)
{
    json_error_t where;
    CLV_AUTO(free_json) json_t *root = json_loadb(file->data, file->len, 0, &where);
    if (!root) return clv_fail(err, CLV_EINVAL, "line %d: %s", where.line, where.text);
    const char *of = json_string_value(json_object_get(root, "digest"));
    if (of && strcmp(of, digest) != 0)
        return clv_fail(err, CLV_EMISMATCH, "is of a network with digest %.12s, this one has %.12s",
                        of, digest);
    const json_t *plan = json_object_get(root, "plan"), *text = json_object_get(plan, "text");
    if (json_is_null(text))
        return clv_fail(err, CLV_EINVAL,
                        "its plan is a set of units, and only chains of cuts can be weighed");
    if (!json_is_string(text))
        return clv_fail(err, CLV_EINVAL,
                        "field 'plan.text' must be a text, as `cleave plan --json` writes it");
    return clv_plan_chain_parse(p, json_string_value(text), out, err);
}

clv_status clv_plan_given_read(const char *given, const char *digest, const clv_plan_problem *p,
                               clv_plan_chain *out, clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf file = {0};
    if (strcmp(given, "-") != 0 && !clv_file_exists(given)) {
        clv_status parsed = clv_plan_chain_parse(p, given, out, err);
        return parsed ? clv_within(err, "--given, no file of that name") : CLV_OK;
    }
    clv_status status = clv_file_read(given, GIVEN_FILE_MAX, &file, err);
    if (status) return clv_within(err, "--given");
    clv_buf_char(&file, 0); /* an empty file has no data */
    file.len--;
    if (file.data[strspn(file.data, " \t\r\n")] == '{')
        status = read_report(&file, digest, p, out, err);
    else
        status = clv_plan_chain_parse(p, file.data, out, err);
    return status ? clv_within(err, "--given '%s'", given) : CLV_OK;
}

/* over / under - 1, without a division by 0. */
static double share_above(int64_t over, int64_t under)
{
    if (under > 0) return (double)over / (double)under - 1;
    return over > under ? (double)INFINITY : 0;
}

static bool same_cuts(const clv_plan_problem *p, const clv_plan_chain *a, const clv_plan_chain *b)
{
    for (size_t k = 0; k + 1 < p->n_devices; k++) {
        bool crossed = (size_t)a->cut[k] + 1 < p->cuts->n;
        if (a->cut[k] != b->cut[k] || (crossed && a->codec[k] != b->codec[k])) return false;
    }
    return true;
}

static void add_rival(const clv_plan_problem *p, clv_plan *plan, const clv_plan_rival *rival)
{
    if (rival->chain.cut[0] < 0 || plan->n_rivals == CLV_PLAN_RIVALS_MAX ||
        same_cuts(p, &plan->chain, &rival->chain))
        return;
    plan->rivals[plan->n_rivals++] = *rival;
}

/* A minimum cut's costs are sums of units, and no measure of a segment's. */
static void compare(const clv_plan_problem *p, const clv_plan *best, clv_plan *plan,
                    clv_plan_given *out)
{
    if (best->planner == CLV_PLANNER_MIN_CUT) return;
    out->regret = share_above(plan->cost.score, best->cost.score);
    if (!out->violated) {
        plan->bound = best->bound;
        plan->gap = share_above(plan->cost.score, best->bound);
    }
    plan->planner = best->planner;
    plan->considered = best->considered;
    add_rival(p, plan, &(clv_plan_rival){best->chain, best->cost});
    for (size_t i = 0; i < best->n_rivals; i++) add_rival(p, plan, &best->rivals[i]);
}

static void say_why(clv_plan *plan, const clv_plan_given *g)
{
    size_t room = sizeof plan->why;
    int n = 0;
    if (!isfinite(g->regret))
        n = snprintf(plan->why, room, "A given plan; how far it is from the best is not known");
    else if (g->regret < 0)
        n = snprintf(plan->why, room, "A given plan, %.2f %% below the best that keeps all limits",
                     -100 * g->regret);
    else
        n = snprintf(plan->why, room, "A given plan, %.2f %% above the best", 100 * g->regret);
    if (g->violated)
        snprintf(plan->why + n, room - (size_t)n, "; it breaks a limit: %s.",
                 clv_plan_limit_name(g->violated));
    else
        snprintf(plan->why + n, room - (size_t)n, "; it keeps all limits.");
}

clv_status clv_plan_given_weigh(const clv_plan_problem *p, const clv_plan_chain *chain,
                                clv_plan *plan, clv_plan_given *out, clv_error *err)
{
    clv_plan best;
    clv_status status = clv_plan_detail(p, chain, CLV_PLANNER_ONE_CUT, plan, err);
    if (status) return clv_within(err, "--given");
    *out = (clv_plan_given){.is = true, .regret = (double)NAN};
    out->violated = clv_plan_violated(p, chain, &plan->cost);
    plan->bound = 0;
    plan->gap = (double)INFINITY;
    if (clv_plan_solve(p, &best, NULL) == CLV_OK) {
        compare(p, &best, plan, out);
        clv_plan_done(&best);
    }
    say_why(plan, out);
    return CLV_OK;
}
