/* The sentence of plan/plan.h that says why a plan was chosen. */
#include "base/unit.h"
#include "plan/plan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LABEL_SHOWN = 48 };
typedef struct label_text {
    char s[LABEL_SHOWN + 4];
} label_text;

/* A label joins tensor names and may be long: its start is shown, and never half a UTF-8 letter. */
static label_text shown(const char *label)
{
    label_text t;
    size_t n = strlen(label);
    if (n <= LABEL_SHOWN) {
        memcpy(t.s, label, n + 1);
        return t;
    }
    n = LABEL_SHOWN;
    while (n > 0 && ((unsigned char)label[n] & 0xc0) == 0x80) n--;
    memcpy(t.s, label, n);
    memcpy(t.s + n, "...", 4);
    return t;
}

/* "12 ms less than" or "12 ms more than": how `mine` stands to `other`. */
static void compare(double mine_us, double other_us, char *text, size_t size)
{
    double saved = other_us - mine_us;
    if (fabs(saved) < 1e-3)
        snprintf(text, size, "as long as");
    else
        snprintf(text, size, "%s %s than", clv_show_duration(fabs(saved)).s,
                 saved > 0 ? "less" : "more");
}

/* The best cut other than `cut` that crosses the link; false when there is none. */
static bool best_remote(const clv_plan_problem *p, size_t cut, clv_plan_cost *best)
{
    bool found = false;
    for (size_t i = 0; i + 1 < p->n_cuts && p->link.up; i++) {
        clv_plan_cost c = clv_plan_cost_of(p, i);
        if (i == cut || (found && c.latency_us > best->latency_us)) continue;
        *best = c;
        found = true;
    }
    return found;
}

static void why_edge(const clv_plan_problem *p, const clv_plan_cost *mine, char *text, size_t size)
{
    clv_plan_cost other = {0};
    clv_unit_text took = clv_show_duration(mine->latency_us);
    if (!p->link.up) {
        snprintf(text, size, "the link is down, so everything runs here in %s", took.s);
        return;
    }
    if (!best_remote(p, mine->cut, &other)) {
        snprintf(text, size, "everything runs here in %s: no other cut is measured on both sides",
                 took.s);
        return;
    }
    char how[64];
    compare(mine->latency_us, other.latency_us, how, sizeof how);
    snprintf(text, size,
             "running all here takes %s, %s the best plan with the cloud (%s%s), %s of "
             "which is the link",
             took.s, how, other.cut == 0 ? "send the " : "cut after ",
             shown(p->cuts[other.cut].label).s, clv_show_duration(other.link_us).s);
}

static void why_cloud(const clv_plan_problem *p, const clv_plan_cost *mine, char *text, size_t size)
{
    clv_plan_cost here = clv_plan_cost_of(p, p->n_cuts - 1), other = {0};
    char than_here[64], than_cut[64];
    compare(mine->latency_us, here.latency_us, than_here, sizeof than_here);
    int n = snprintf(text, size,
                     "sending the input (%s) takes %s on this link and the cloud %s: %s "
                     "running all here",
                     clv_show_size((double)p->cuts[mine->cut].up_bytes).s,
                     clv_show_duration(mine->link_us).s, clv_show_duration(mine->cloud_us).s,
                     than_here);
    if (n < 0 || (size_t)n >= size || !best_remote(p, mine->cut, &other)) return;
    compare(mine->latency_us, other.latency_us, than_cut, sizeof than_cut);
    snprintf(text + n, size - (size_t)n, ", %s cutting after %s", than_cut,
             shown(p->cuts[other.cut].label).s);
}

static void why_between(const clv_plan_problem *p, const clv_plan_cost *mine, char *text,
                        size_t size)
{
    const clv_plan_cut *cut = &p->cuts[mine->cut], *input = &p->cuts[0];
    clv_plan_cost here = clv_plan_cost_of(p, p->n_cuts - 1), sent = clv_plan_cost_of(p, 0);
    char than_here[64], than_sent[64], instead[64] = "";
    compare(mine->latency_us, here.latency_us, than_here, sizeof than_here);
    if (cut->up_bytes < input->up_bytes)
        snprintf(instead, sizeof instead, " instead of %s",
                 clv_show_size((double)input->up_bytes).s);
    int n = snprintf(text, size, "cutting after %s sends %s%s and takes %s, %s running all here",
                     shown(cut->label).s, clv_show_size((double)cut->up_bytes).s, instead,
                     clv_show_duration(mine->latency_us).s, than_here);
    if (n < 0 || (size_t)n >= size) return;
    compare(mine->latency_us, sent.latency_us, than_sent, sizeof than_sent);
    snprintf(text + n, size - (size_t)n, " and %s sending the input", than_sent);
}

void clv_plan_explain(const clv_plan_problem *p, const clv_plan *plan, char *text, size_t size)
{
    if (plan->cut + 1 == p->n_cuts)
        why_edge(p, &plan->cost, text, size);
    else if (plan->cut == 0)
        why_cloud(p, &plan->cost, text, size);
    else
        why_between(p, &plan->cost, text, size);
}
