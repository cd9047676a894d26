#include "cli/plan_report.h"

#include "base/mem.h"
#include "base/unit.h"
#include "cli/plan_question.h"
#include "cli/table.h"
#include "plan/plan_text.h"

#include <math.h>
#include <stdlib.h>

enum { RUNNERS_UP = 6 };

static const clv_plan_problem *problem_of(const clv_plan_report *r)
{
    return &r->devices->tables->problem;
}

static clv_unit_text ns_text(int64_t ns)
{
    return clv_show_duration((double)ns / 1e3);
}

static void cell_time(clv_table *t, int64_t ns)
{
    clv_table_cell(t, "%s", ns > 0 ? ns_text(ns).s : "-");
}

static void cell_energy(clv_table *t, int64_t nj)
{
    clv_table_cell(t, "%s", nj > 0 ? clv_show_energy((double)nj / 1e9).s : "-");
}

static void cell_label(clv_table *t, const clv_plan_report *r, int cut)
{
    CLV_AUTO(clv_text_free) char *label = clv_plan_report_label(r, cut);
    clv_table_cell(t, "%s", label);
}

/* The score over the best one's: "+12.0 %". */
static void cell_behind(clv_table *t, const clv_plan_cost *cost, const clv_plan_cost *best)
{
    double behind = 100 * ((double)cost->score / (double)best->score - 1);
    if (best->score > 0) /* a sum of units may be off its segment by a rounding: that is no lead */
        clv_table_cell(t, "%+.1f %%", fabs(behind) < 0.05 ? 0 : behind);
    else
        clv_table_cell(t, "%s", cost->score > 0 ? "more" : "+0.0 %");
}

static void print_stages(const clv_plan_report *r, FILE *out)
{
    static const clv_column columns[] = {
        {"device", CLV_LEFT}, {"units", CLV_RIGHT},    {"until", CLV_LEFT},
        {"waits", CLV_RIGHT}, {"computes", CLV_RIGHT}, {"codes", CLV_RIGHT},
        {"sends", CLV_RIGHT}, {"as", CLV_LEFT},        {"round trip", CLV_RIGHT},
        {"up", CLV_RIGHT},    {"down", CLV_RIGHT},     {"energy", CLV_RIGHT}};
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    for (size_t k = 0; k < r->plan.n_stages; k++) {
        const clv_plan_stage *s = &r->plan.stages[k];
        clv_table_cell(t, "%s", problem_of(r)->devices[k].name);
        clv_table_cell(t, "%zu", s->n_units);
        if (s->n_units)
            cell_label(t, r, s->to);
        else
            clv_table_cell(t, "-");
        cell_time(t, s->wait_ns);
        cell_time(t, s->compute_ns);
        cell_time(t, s->encode_ns + s->decode_ns);
        clv_table_cell(t, "%s", s->codec < 0 ? "-" : clv_show_size((double)s->up_bytes).s);
        clv_table_cell(t, "%s", s->codec < 0 ? "-" : problem_of(r)->codecs[s->codec].name);
        cell_time(t, s->rtt_ns + s->overhead_ns);
        cell_time(t, s->up_ns);
        cell_time(t, s->down_ns);
        cell_energy(t, s->nj);
    }
    clv_table_print(t, out);
    clv_table_free(t);
}

static void print_parts(const clv_plan_report *r, FILE *out)
{
    static const clv_column columns[] = {
        {"part", CLV_LEFT}, {"time", CLV_RIGHT}, {"share", CLV_RIGHT}, {"energy", CLV_RIGHT}};
    clv_plan_parts c = clv_plan_parts_of_plan(r);
    const clv_plan_problem *p = problem_of(r);
    const struct {
        const char *name;
        double us, j;
        bool always;
    } parts[] = {
        {p->devices[0].name, c.edge_us, c.edge_j, true},
        {"link", c.link_us, c.link_j, true},
        {p->n_devices == 2 ? p->devices[1].name : "other devices", c.cloud_us, c.cloud_j, true},
        {"queues", c.queue_us, 0, false},
        {"coding", c.coding_us, 0, false},
        {"overhead", c.overhead_us, 0, false}};
    double all_us = (double)r->plan.cost.total.ns / 1e3;
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    for (size_t i = 0; i < CLV_COUNT(parts); i++) {
        if (!parts[i].always && parts[i].us <= 0) continue;
        clv_table_cell(t, "%s", parts[i].name);
        clv_table_cell(t, "%s", clv_show_duration(parts[i].us).s);
        clv_table_cell(t, "%.0f %%", all_us > 0 ? 100 * parts[i].us / all_us : 0);
        cell_energy(t, llround(parts[i].j * 1e9));
    }
    clv_table_print(t, out);
    clv_table_free(t);
}

static bool same_chain(const clv_plan_report *r, const clv_plan_chain *a)
{
    const clv_plan_problem *p = problem_of(r);
    for (size_t k = 0; k + 1 < p->n_devices; k++) {
        bool crossed = (size_t)a->cut[k] + 1 < p->cuts->n;
        if (a->cut[k] != r->plan.chain.cut[k] || (crossed && a->codec[k] != r->plan.chain.codec[k]))
            return false;
    }
    return true;
}

static void ranked_row(const clv_plan_report *r, const clv_plan_candidate *c, clv_table *t)
{
    const clv_plan_problem *p = problem_of(r);
    clv_plan_parts parts = clv_plan_parts_of(p, &c->chain);
    clv_table_cell(t, "%s", same_chain(r, &c->chain) ? "*" : "");
    clv_table_cell(t, "%d", c->chain.cut[0]);
    cell_label(t, r, c->chain.cut[0]);
    bool local = (size_t)c->chain.cut[0] + 1 == p->cuts->n;
    clv_table_cell(t, "%s", clv_show_size((double)parts.up_bytes).s);
    clv_table_cell(t, "%s", local ? "-" : p->codecs[c->chain.codec[0]].name);
    clv_table_cell(t, "%s", clv_show_duration(parts.edge_us).s);
    clv_table_cell(t, "%s", clv_show_duration(parts.link_us).s);
    clv_table_cell(t, "%s", clv_show_duration(parts.cloud_us).s);
    clv_table_cell(t, "%s", ns_text(c->cost.latency_ns).s);
    cell_energy(t, c->cost.total.nj);
    cell_behind(t, &c->cost, &r->plan.cost);
    clv_table_cell(t, "%s", c->violated ? clv_plan_limit_name(c->violated) : "");
}

/* Is the cut there already, in a better codec? */
static bool ranked_before(const clv_plan_report *r, size_t i)
{
    size_t k = 0;
    while (k < i && r->candidates[k].chain.cut[0] != r->candidates[i].chain.cut[0]) k++;
    return k < i;
}

static void print_ranked(const clv_plan_report *r, FILE *out)
{
    static const clv_column columns[] = {
        {"", CLV_LEFT},       {"cut", CLV_RIGHT},    {"after", CLV_LEFT},   {"sends", CLV_RIGHT},
        {"as", CLV_LEFT},     {"edge", CLV_RIGHT},   {"link", CLV_RIGHT},   {"cloud", CLV_RIGHT},
        {"total", CLV_RIGHT}, {"energy", CLV_RIGHT}, {"behind", CLV_RIGHT}, {"breaks", CLV_LEFT}};
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    int last = (int)problem_of(r)->cuts->n - 1;
    for (size_t i = 0, shown = 0; i < r->n_candidates; i++) {
        const clv_plan_candidate *c = &r->candidates[i];
        bool end = (c->chain.cut[0] == 0 && c->chain.codec[0] == 0) || c->chain.cut[0] == last;
        bool kept = same_chain(r, &c->chain) || end;
        if (!kept && ranked_before(r, i)) continue;
        if (++shown > RUNNERS_UP && !kept) continue;
        ranked_row(r, c, t);
    }
    clv_table_print(t, out);
    clv_table_free(t);
}

/* Of more than two devices: where each ends. */
static void print_rivals(const clv_plan_report *r, FILE *out)
{
    static const clv_column columns[] = {{"", CLV_LEFT},        {"total", CLV_RIGHT},
                                         {"energy", CLV_RIGHT}, {"behind", CLV_RIGHT},
                                         {"breaks", CLV_LEFT},  {"placement", CLV_LEFT}};
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    const clv_plan_problem *p = problem_of(r);
    for (size_t i = 0; i < r->n_candidates; i++) {
        const clv_plan_candidate *c = &r->candidates[i];
        CLV_AUTO(clv_buf_done) clv_buf where = {0};
        for (size_t k = 0; k < p->n_devices; k++) {
            int from = k ? c->chain.cut[k - 1] : 0;
            if (c->chain.cut[k] == from) continue;
            CLV_AUTO(clv_text_free) char *label = clv_plan_report_label(r, c->chain.cut[k]);
            clv_buf_printf(&where, "%s%s to %s", where.len ? ", " : "", p->devices[k].name, label);
        }
        clv_table_cell(t, "%s", same_chain(r, &c->chain) ? "*" : "");
        clv_table_cell(t, "%s", ns_text(c->cost.latency_ns).s);
        cell_energy(t, c->cost.total.nj);
        cell_behind(t, &c->cost, &r->plan.cost);
        clv_table_cell(t, "%s", c->violated ? clv_plan_limit_name(c->violated) : "");
        clv_table_cell(t, "%s", where.data ? where.data : "");
    }
    clv_table_print(t, out);
    clv_table_free(t);
}

static void print_sweep(const clv_plan_report *r, FILE *out)
{
    static const clv_column columns[] = {
        {"from", CLV_RIGHT}, {"to", CLV_RIGHT},          {"cut", CLV_RIGHT},
        {"after", CLV_LEFT}, {"codec", CLV_LEFT},        {"takes from", CLV_RIGHT},
        {"to", CLV_RIGHT},   {"energy from", CLV_RIGHT}, {"to", CLV_RIGHT}};
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    for (size_t i = 0; i < r->n_spans; i++) {
        const clv_plan_span *s = &r->spans[i];
        bool none = s->cut == CLV_PLAN_NO_CUT;
        clv_table_cell(t, "%s", clv_show_rate(s->from_bytes_per_s).s);
        clv_table_cell(t, "%s", clv_show_rate(s->to_bytes_per_s).s);
        clv_table_cell(t, none ? "-" : "%d", s->cut);
        if (none)
            clv_table_cell(t, "nothing keeps the limits");
        else
            cell_label(t, r, s->cut);
        clv_table_cell(t, "%s", s->codec < 0 ? "-" : problem_of(r)->codecs[s->codec].name);
        clv_table_cell(t, "%s", clv_show_duration(s->from_us).s);
        clv_table_cell(t, "%s", clv_show_duration(s->to_us).s);
        cell_energy(t, llround(s->from_j * 1e9));
        cell_energy(t, llround(s->to_j * 1e9));
    }
    fputs("\nthe best cut at every rate\n", out);
    clv_table_print(t, out);
    clv_table_free(t);
}

static void print_policies(const clv_plan_report *r, FILE *out)
{
    static const clv_column columns[] = {
        {"policy", CLV_LEFT},  {"cut", CLV_RIGHT},    {"after", CLV_LEFT}, {"latency", CLV_RIGHT},
        {"energy", CLV_RIGHT}, {"regret", CLV_RIGHT}, {"breaks", CLV_LEFT}};
    clv_table *t = clv_table_new(columns, CLV_COUNT(columns));
    for (size_t i = 0; i < CLV_POLICY_COUNT; i++) {
        const clv_policy_row *row = &r->policies[i];
        clv_table_cell(t, "%s", clv_policy_name(row->policy));
        if (row->error.status) {
            const char *const cells[] = {"-", row->error.text, "-", "-", "-", ""};
            for (size_t k = 0; k < CLV_COUNT(cells); k++) clv_table_cell(t, "%.80s", cells[k]);
            continue;
        }
        clv_table_cell(t, "%d", row->choice.chain.cut[0]);
        cell_label(t, r, row->choice.chain.cut[0]);
        cell_time(t, row->choice.cost.latency_ns);
        cell_energy(t, row->choice.cost.total.nj);
        if (isfinite(row->regret))
            clv_table_cell(t, "%.1f %%", 100 * row->regret);
        else
            clv_table_cell(t, "-");
        clv_table_cell(t, "%s", row->violated ? clv_plan_limit_name(row->violated) : "");
    }
    fputs("\nwhat each policy would choose, weighed by the same measurements\n", out);
    clv_table_print(t, out);
    clv_table_free(t);
}

/* "lenet, policy exact, objective energy: cut 3, after pool2, 12.3 ms" and why. */
static void print_head(const clv_plan_report *r, FILE *out)
{
    const clv_plan_problem *p = problem_of(r);
    const clv_plan *plan = &r->plan;
    int last = (int)p->cuts->n - 1, cut = plan->chain.cut[0];
    fprintf(out, "%s, policy %s, objective %s: ", r->devices->files.profiles[0]->model,
            r->given.is ? "given" : clv_policy_name(r->policy),
            clv_plan_objective_show(&p->objective).s);
    CLV_AUTO(clv_text_free) char *label = clv_plan_report_label(r, cut);
    if (p->n_devices == 2 && cut >= 0)
        fprintf(out, "cut %d, %s%s, ", cut, cut == 0 || cut == last ? "at the " : "after ", label);
    else
        fprintf(out, "%zu stages, ", plan->n_stages);
    fprintf(out, "%s", ns_text(plan->cost.latency_ns).s);
    if (clv_plan_report_has_watts(r))
        fprintf(out, ", %s", clv_show_energy((double)plan->cost.total.nj / 1e9).s);
    if (plan->cost.total.drop_ppm)
        fprintf(out, ", %.3g points of accuracy", (double)plan->cost.total.drop_ppm * -1e-4);
    if (plan->cost.total.pm > 0) fprintf(out, ", money %.3g", (double)plan->cost.total.pm / 1e12);
    if (p->objective.goal == CLV_GOAL_THROUGHPUT && plan->cost.period_ns > 0)
        fprintf(out, ", %.4g requests/s", 1e9 / (double)plan->cost.period_ns);
    fprintf(out, "\n%s\n", plan->why);
    CLV_AUTO(clv_text_free) char *line = clv_plan_chain_text(p, &plan->chain);
    if (line) fprintf(out, "as text: %s\n", line);
    if (plan->binding) fprintf(out, "binding limit: %s\n", clv_plan_limit_name(plan->binding));
    if (r->policy == CLV_POLICY_EXACT) {
        if (!r->given.is)
            fprintf(out, "planner %s, %zu considered, ", clv_planner_name(plan->planner),
                    plan->considered);
        if (!isfinite(plan->gap))
            fputs("how far from the optimum is not known\n", out);
        else if (plan->gap > 0)
            fprintf(out, "at most %.2f %% from the optimum\n", 100 * plan->gap);
        else
            fputs("proven optimal\n", out);
    }
    fputc('\n', out);
}

void clv_plan_report_print(const clv_plan_report *r, FILE *out)
{
    print_head(r, out);
    print_stages(r, out);
    fputc('\n', out);
    print_parts(r, out);
    fputc('\n', out);
    if (problem_of(r)->n_devices == 2)
        print_ranked(r, out);
    else
        print_rivals(r, out);
    if (r->spans) print_sweep(r, out);
    if (r->policies) print_policies(r, out);
}
