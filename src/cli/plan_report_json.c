/* clv_plan_report as JSON and CSV. */
#include "base/mem.h"
#include "cli/plan_question.h"
#include "cli/plan_report.h"
#include "plan/plan_json.h"
#include "plan/plan_text.h"

#include <jansson.h>
#include <math.h>

static const clv_plan_problem *problem_of(const clv_plan_report *r)
{
    return &r->devices->tables->problem;
}

static json_t *us_json(double us)
{
    return json_real(round(us * 1000) / 1000);
}

static json_t *text_json(const char *text)
{
    json_t *t = json_string(text);
    return t ? t : json_string("?");
}

static json_t *label_json(const clv_plan_report *r, int cut)
{
    CLV_AUTO(clv_text_free) char *label = clv_plan_report_label(r, cut);
    return text_json(label);
}

static void set_us(json_t *o, const char *key, double us)
{
    json_object_set_new(o, key, us_json(us));
}

static void set_real(json_t *o, const char *key, double value)
{
    json_object_set_new(o, key, json_real(value));
}

static void set_int(json_t *o, const char *key, int64_t value)
{
    json_object_set_new(o, key, json_integer(value));
}

static void set_parts(json_t *o, const clv_plan_problem *p, const clv_plan_parts *c,
                      const clv_plan_cost *cost)
{
    set_int(o, "up_bytes", c->up_bytes);
    set_int(o, "down_bytes", c->down_bytes);
    set_us(o, "edge_us", c->edge_us);
    set_us(o, "link_us", c->link_us);
    set_us(o, "queue_us", c->queue_us);
    set_us(o, "cloud_us", c->cloud_us);
    set_us(o, "overhead_us", c->overhead_us);
    set_us(o, "coding_us", c->coding_us);
    set_us(o, "latency_us", (double)cost->total.ns / 1e3);
    if (p->objective.quantile_ppm) set_us(o, "quantile_us", (double)cost->latency_ns / 1e3);
    set_us(o, "period_us", (double)cost->period_ns / 1e3);
    set_real(o, "energy_j", (double)cost->total.nj / 1e9);
    set_real(o, "price", (double)cost->total.pm / 1e12);
    set_real(o, "accuracy_drop", (double)cost->total.drop_ppm / 1e6);
}

static json_t *codec_json(const clv_plan_report *r, const clv_plan_chain *chain, size_t hop)
{
    const clv_plan_problem *p = problem_of(r);
    if (chain->cut[hop] < 0 || (size_t)chain->cut[hop] + 1 == p->cuts->n) return json_null();
    return text_json(p->codecs[chain->codec[hop]].name);
}

/* Where a placement cuts: of two devices one cut, of more a list. */
static json_t *place_json(const clv_plan_report *r, const clv_plan_chain *chain)
{
    json_t *o = json_object();
    bool none = chain->cut[0] < 0;
    json_object_set_new(o, "cut", none ? json_null() : json_integer(chain->cut[0]));
    json_object_set_new(o, "label", label_json(r, chain->cut[0]));
    json_object_set_new(o, "codec", codec_json(r, chain, 0));
    if (problem_of(r)->n_devices == 2) return o;
    json_t *cuts = json_array();
    for (size_t k = 0; k + 1 < problem_of(r)->n_devices; k++) {
        json_t *cut = json_object();
        json_object_set_new(cut, "device", text_json(problem_of(r)->devices[k].name));
        set_int(cut, "cut", chain->cut[k]);
        json_object_set_new(cut, "label", label_json(r, chain->cut[k]));
        json_object_set_new(cut, "codec", codec_json(r, chain, k));
        json_array_append_new(cuts, cut);
    }
    json_object_set_new(o, "cuts", cuts);
    return o;
}

static json_t *candidate_json(const clv_plan_report *r, const clv_plan_candidate *c)
{
    json_t *o = place_json(r, &c->chain);
    clv_plan_parts parts = clv_plan_parts_of(problem_of(r), &c->chain);
    set_parts(o, problem_of(r), &parts, &c->cost);
    json_object_set_new(o, "breaks",
                        c->violated ? json_string(clv_plan_limit_name(c->violated)) : json_null());
    return o;
}

static json_t *stage_json(const clv_plan_report *r, size_t k)
{
    const clv_plan_stage *s = &r->plan.stages[k];
    json_t *o = json_object();
    json_object_set_new(o, "device", text_json(problem_of(r)->devices[k].name));
    set_int(o, "units", (int64_t)s->n_units);
    json_object_set_new(o, "until", label_json(r, s->to));
    set_us(o, "wait_us", (double)s->wait_ns / 1e3);
    set_us(o, "decode_us", (double)s->decode_ns / 1e3);
    set_us(o, "compute_us", (double)s->compute_ns / 1e3);
    set_us(o, "encode_us", (double)s->encode_ns / 1e3);
    const char *codec = s->codec < 0 ? NULL : problem_of(r)->codecs[s->codec].name;
    json_object_set_new(o, "codec", codec ? text_json(codec) : json_null());
    set_real(o, "accuracy_drop", (double)s->drop_ppm / 1e6);
    set_us(o, "overhead_us", (double)s->overhead_ns / 1e3);
    set_us(o, "rtt_us", (double)s->rtt_ns / 1e3);
    set_us(o, "up_us", (double)s->up_ns / 1e3);
    set_us(o, "down_us", (double)s->down_ns / 1e3);
    set_int(o, "up_bytes", s->up_bytes);
    set_int(o, "down_bytes", s->down_bytes);
    set_real(o, "energy_j", (double)s->nj / 1e9);
    set_real(o, "price", (double)s->pm / 1e12);
    set_int(o, "memory_bytes", s->memory_bytes);
    return o;
}

static void set_given(json_t *o, const clv_plan_given *g)
{
    json_object_set_new(o, "regret", isfinite(g->regret) ? json_real(g->regret) : json_null());
    json_object_set_new(o, "breaks",
                        g->violated ? json_string(clv_plan_limit_name(g->violated)) : json_null());
}

static json_t *plan_json(const clv_plan_report *r)
{
    const clv_plan *plan = &r->plan;
    clv_plan_parts c = clv_plan_parts_of_plan(r);
    json_t *o = place_json(r, &plan->chain), *stages = json_array();
    double all_us = (double)plan->cost.total.ns / 1e3, one = all_us > 0 ? 1 / all_us : 0;
    set_parts(o, problem_of(r), &c, &plan->cost);
    CLV_AUTO(clv_text_free) char *line = clv_plan_chain_text(problem_of(r), &plan->chain);
    json_object_set_new(o, "text", line ? text_json(line) : json_null());
    json_object_set_new(o, "policy",
                        json_string(r->given.is ? "given" : clv_policy_name(r->policy)));
    if (r->given.is) set_given(o, &r->given);
    json_object_set_new(o, "objective",
                        json_string(clv_plan_objective_show(&problem_of(r)->objective).s));
    set_real(o, "edge_share", c.edge_us * one);
    set_real(o, "link_share", c.link_us * one);
    set_real(o, "cloud_share", c.cloud_us * one);
    for (size_t k = 0; k < plan->n_stages; k++) json_array_append_new(stages, stage_json(r, k));
    json_object_set_new(o, "stages", stages);
    json_object_set_new(o, "planner", json_string(clv_planner_name(plan->planner)));
    set_int(o, "considered", (int64_t)plan->considered);
    json_object_set_new(o, "gap", isfinite(plan->gap) ? json_real(plan->gap) : json_null());
    json_object_set_new(o, "optimal",
                        json_boolean(plan->gap == 0 && r->policy == CLV_POLICY_EXACT));
    json_object_set_new(o, "binding",
                        plan->binding ? json_string(clv_plan_limit_name(plan->binding))
                                      : json_null());
    json_object_set_new(o, "why", text_json(plan->why));
    CLV_AUTO(clv_text_free) char *value = clv_plan_json(plan);
    json_object_set_new(o, "value", value ? json_loads(value, 0, NULL) : json_null());
    return o;
}

static json_t *sweep_json(const clv_plan_report *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->n_spans; i++) {
        const clv_plan_span *s = &r->spans[i];
        json_t *o = json_object();
        bool none = s->cut == CLV_PLAN_NO_CUT;
        json_object_set_new(o, "cut", none ? json_null() : json_integer(s->cut));
        json_object_set_new(o, "label", none ? json_null() : label_json(r, s->cut));
        json_object_set_new(o, "codec",
                            s->codec < 0 ? json_null()
                                         : text_json(problem_of(r)->codecs[s->codec].name));
        set_real(o, "from_bytes_per_s", s->from_bytes_per_s);
        set_real(o, "to_bytes_per_s", s->to_bytes_per_s);
        set_us(o, "from_us", s->from_us);
        set_us(o, "to_us", s->to_us);
        set_real(o, "from_j", s->from_j);
        set_real(o, "to_j", s->to_j);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *policies_json(const clv_plan_report *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < CLV_POLICY_COUNT; i++) {
        const clv_policy_row *row = &r->policies[i];
        bool failed = row->error.status != CLV_OK;
        json_t *o = failed ? json_object() : place_json(r, &row->choice.chain);
        json_object_set_new(o, "policy", json_string(clv_policy_name(row->policy)));
        json_object_set_new(o, "error", failed ? text_json(row->error.text) : json_null());
        json_object_set_new(o, "latency_us",
                            failed ? json_null()
                                   : us_json((double)row->choice.cost.latency_ns / 1e3));
        json_object_set_new(o, "energy_j",
                            failed ? json_null()
                                   : json_real((double)row->choice.cost.total.nj / 1e9));
        json_object_set_new(
            o, "regret", failed || !isfinite(row->regret) ? json_null() : json_real(row->regret));
        json_object_set_new(o, "breaks",
                            failed || !row->violated
                                ? json_null()
                                : json_string(clv_plan_limit_name(row->violated)));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *link_json(const clv_link *l)
{
    return json_pack("{s:b,s:f,s:f,s:f}", "up", l->up, "up_bytes_per_s", l->up_bytes_per_s,
                     "down_bytes_per_s", l->down_bytes_per_s, "rtt_us", l->rtt_us);
}

static json_t *device_json(const clv_plan_report *r, size_t k)
{
    const clv_plan_device *d = &problem_of(r)->devices[k];
    const clv_profile *p = r->devices->files.profiles[k];
    return json_pack("{s:o,s:o,s:o,s:b,s:f,s:f,s:s,s:f}", "name", text_json(d->name), "device",
                     text_json(p->device), "engine", text_json(p->engine), "predicted",
                     r->devices->files.predicted[k], "active_w", (double)d->active_mw / 1e3,
                     "idle_w", (double)d->idle_mw / 1e3, "watts_from",
                     clv_power_source_name(p->power.source), "price_per_s",
                     (double)d->price_pm_per_s / 1e12);
}

void clv_plan_report_json(const clv_plan_report *r, FILE *out)
{
    const clv_plan_tables *t = r->devices->tables;
    json_t *root = json_object(), *candidates = json_array(), *devices = json_array(),
           *links = json_array();
    json_object_set_new(root, "model", text_json(r->devices->files.profiles[0]->model));
    json_object_set_new(root, "digest", json_string(r->devices->files.profiles[0]->digest));
    for (size_t k = 0; k < t->problem.n_devices; k++)
        json_array_append_new(devices, device_json(r, k));
    for (size_t k = 0; k + 1 < t->problem.n_devices; k++)
        json_array_append_new(links, link_json(&t->links[k]));
    json_object_set_new(root, "devices", devices);
    json_object_set_new(root, "link", link_json(&t->links[0]));
    json_object_set_new(root, "links", links);
    json_object_set_new(root, "plan", plan_json(r));
    for (size_t i = 0; i < r->n_candidates; i++)
        json_array_append_new(candidates, candidate_json(r, &r->candidates[i]));
    json_object_set_new(root, "candidates", candidates);
    json_object_set_new(root, "planning_us", us_json(r->planning_us));
    if (r->spans) json_object_set_new(root, "sweep", sweep_json(r));
    if (r->policies) json_object_set_new(root, "policies", policies_json(r));
    json_dumpf(root, out, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
    fputc('\n', out);
    json_decref(root);
}

static void add_place(const clv_plan_report *r, int cut, clv_buf *out)
{
    CLV_AUTO(clv_text_free) char *label = clv_plan_report_label(r, cut);
    clv_buf_printf(out, "%d,\"", cut);
    for (const char *p = label; *p; p++) {
        if (*p == '"') clv_buf_char(out, '"');
        clv_buf_char(out, *p);
    }
    clv_buf_char(out, '"');
}

static const char *codec_name(const clv_plan_report *r, int codec)
{
    return codec < 0 ? "" : problem_of(r)->codecs[codec].name;
}

static void sweep_csv(const clv_plan_report *r, clv_buf *out)
{
    clv_buf_text(out,
                 "cut,label,from_bytes_per_s,to_bytes_per_s,from_us,to_us,from_j,to_j,codec\n");
    for (size_t i = 0; i < r->n_spans; i++) {
        const clv_plan_span *s = &r->spans[i];
        add_place(r, s->cut, out);
        clv_buf_printf(out, ",%.3f,%.3f,%.3f,%.3f,%.9g,%.9g,%s\n", s->from_bytes_per_s,
                       s->to_bytes_per_s, s->from_us, s->to_us, s->from_j, s->to_j,
                       codec_name(r, s->codec));
    }
}

void clv_plan_report_csv(const clv_plan_report *r, clv_buf *out)
{
    if (r->spans) {
        sweep_csv(r, out);
        return;
    }
    clv_buf_text(out, "cut,label,up_bytes,down_bytes,edge_us,link_us,queue_us,cloud_us,overhead_us,"
                      "latency_us,coding_us,energy_j,codec,accuracy_drop\n");
    for (size_t i = 0; i < r->n_candidates; i++) {
        const clv_plan_candidate *c = &r->candidates[i];
        clv_plan_parts parts = clv_plan_parts_of(problem_of(r), &c->chain);
        bool local = (size_t)c->chain.cut[0] + 1 == problem_of(r)->cuts->n;
        add_place(r, c->chain.cut[0], out);
        clv_buf_printf(
            out, ",%lld,%lld,%.3f,%.3f,%.3f,%.3f,%.3f,%.3f,%.3f,%.9g,%s,%.6f\n",
            (long long)parts.up_bytes, (long long)parts.down_bytes, parts.edge_us, parts.link_us,
            parts.queue_us, parts.cloud_us, parts.overhead_us, (double)c->cost.total.ns / 1e3,
            parts.coding_us, (double)c->cost.total.nj / 1e9,
            codec_name(r, local ? -1 : c->chain.codec[0]), (double)c->cost.total.drop_ppm / 1e6);
    }
}
